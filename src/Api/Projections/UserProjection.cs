using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>Which users there are, by the events of <c>user/</c> streams. Ids alone: a projection is in plain text, and who they are is nobody's but theirs.</summary>
public sealed class UserProjection : IProjection
{
    /// <summary>A user's stream is this and their id.</summary>
    public const string StreamPrefix = "user/";

    public const string ProjectionName = "users";

    /// <summary>What the subjects of users' own streams begin with.</summary>
    private static readonly string SubjectPrefix = Keys.UserOwner("").Subject;

    private const string Registered = "user-registered", ErasureAsked = "erasure-asked", ErasureCancelled = "erasure-cancelled";

    public string Name => ProjectionName;

    public int Version => 2;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS user;
        CREATE TABLE user (id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX user_position ON user (position);
        DROP TABLE IF EXISTS erasure;
        CREATE TABLE erasure (user TEXT PRIMARY KEY) WITHOUT ROWID;
        """);

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased) return;
        if (one.Stream.StartsWith(ErasureEventCatalog.StreamPrefix, StringComparison.Ordinal))
        {
            bool begins = ErasureEventCatalog.Events.Decode(one) is ErasureBegun;
            writer.Execute(
                begins ? "INSERT OR IGNORE INTO erasure (user) VALUES ($1)" : "DELETE FROM erasure WHERE user = $1",
                one.Stream[ErasureEventCatalog.StreamPrefix.Length..]);
            return;
        }
        if (!one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        if (one.Name == ErasureAsked) writer.Execute("INSERT OR IGNORE INTO erasure (user) VALUES ($1)", one.Stream[StreamPrefix.Length..]);
        else if (one.Name == ErasureCancelled) writer.Execute("DELETE FROM erasure WHERE user = $1", one.Stream[StreamPrefix.Length..]);
        if (one.Name != Registered) return;
        writer.Execute("INSERT OR REPLACE INTO user (id, position) VALUES ($1, $2)", one.Stream[StreamPrefix.Length..], one.Position);
    }

    public void Erase(string subject, ProjectionWriter writer)
    {
        if (!subject.StartsWith(SubjectPrefix, StringComparison.Ordinal)) return;
        writer.Execute("DELETE FROM user WHERE id = $1", subject[SubjectPrefix.Length..]);
    }
}

/// <summary>Reads the table of <see cref="UserProjection"/>.</summary>
public sealed class UserQueries(SqliteDatabase database)
{
    /// <summary>In the order of registration.</summary>
    /// <param name="after">The last of the page before; null for the first page.</param>
    public ImmutableArray<string> Users(string? after, int limit) => ProjectionReader.Read(
        database, "SELECT id FROM user WHERE position > coalesce((SELECT position FROM user WHERE id = $1), -1) ORDER BY position LIMIT $2",
        row => row.GetString(0), after ?? "", limit);

    /// <summary>Those whose erasure is planned or has begun, and is not done.</summary>
    public ImmutableArray<string> BeingErased() => ProjectionReader.Read(database, "SELECT user FROM erasure ORDER BY user", row => row.GetString(0));
}
