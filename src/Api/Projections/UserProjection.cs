using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>Which users there are, by the events of <c>user/</c> streams. Ids alone: a projection is in plain text, and who they are is nobody's but theirs.</summary>
public sealed class UserProjection : IProjection
{
    /// <summary>A user's stream is this and their id.</summary>
    public const string StreamPrefix = "user/";

    public const string ProjectionName = "users";

    private const string Registered = "user-registered";

    public string Name => ProjectionName;

    public int Version => 1;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS user;
        CREATE TABLE user (id TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX user_position ON user (position);
        """);

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased || one.Name != Registered || !one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        writer.Execute("INSERT OR REPLACE INTO user (id, position) VALUES ($1, $2)", one.Stream[StreamPrefix.Length..], one.Position);
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
}
