using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Storage.Projections;

/// <summary>Where in the journal each person's own events lie.</summary>
public sealed class JournalIndexProjection : IProjection
{
    public const string ProjectionName = "journal-index";

    public string Name => ProjectionName;

    public int Version => 1;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS journal_index;
        CREATE TABLE journal_index (subject TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (subject, position)) WITHOUT ROWID;
        """);

    public void Apply(RecordedEvent one, ProjectionWriter writer) =>
        writer.Execute("INSERT OR REPLACE INTO journal_index (subject, position) VALUES ($1, $2)", one.Subject, one.Position);

    /// <summary>Ids and positions: what is there of an erased person is told as erased.</summary>
    public void Erase(string subject, ProjectionWriter writer)
    {
    }
}

/// <summary>Reads a person's own events out of the journal.</summary>
public sealed class JournalQueries(SqliteDatabase database, IJournal journal)
{
    // Reading over this many of others' events costs about as much as seeking anew.
    private const int SeekOver = 64;

    /// <summary>A person's events from a position (inclusive) on, in order; at most <paramref name="limit"/>.</summary>
    public async Task<ImmutableArray<RecordedEvent>> ReadAsync(string subject, long from, int limit, CancellationToken cancellation)
    {
        ImmutableArray<long> wanted = ProjectionReader.Read(
            database, "SELECT position FROM journal_index WHERE subject = $1 AND position >= $2 ORDER BY position LIMIT $3",
            row => row.GetInt64(0), subject, from, limit);
        ImmutableArray<RecordedEvent>.Builder found = ImmutableArray.CreateBuilder<RecordedEvent>(wanted.Length);
        int next = 0;
        while (next < wanted.Length)
        {
            long reached = wanted[next];
            await foreach (RecordedEvent one in journal.ReadAllAsync(reached, cancellation).ConfigureAwait(false))
            {
                if (one.Position == wanted[next])
                {
                    found.Add(one);
                    if (++next == wanted.Length) break;
                }
                if (wanted[next] - one.Position > SeekOver) break;
            }
            // The tables came with a longer journal: what is beyond its end is not there.
            if (found.Count == 0 || found[^1].Position < reached) break;
        }
        return found.ToImmutable();
    }
}
