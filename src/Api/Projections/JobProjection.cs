using System.Text.Json;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using GrainJob = HybridTrading.Grains.Backtesting.JobView;

namespace HybridTrading.Api.Projections;

/// <summary>Jobs as the events of <c>job/</c> streams tell. It is here and not in Storage because those events belong to the job grain.</summary>
public sealed class JobProjection : IProjection
{
    /// <summary>A job's stream is this and its key.</summary>
    public const string StreamPrefix = "job/";

    public const string ProjectionName = "jobs";

    public string Name => ProjectionName;

    public int Version => 1;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS job;
        CREATE TABLE job (
            key TEXT PRIMARY KEY, subject TEXT NOT NULL, position INTEGER NOT NULL, is_search INTEGER NOT NULL, has_ended INTEGER NOT NULL,
            has_report INTEGER NOT NULL, view TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX job_subject ON job (subject, position);
        CREATE INDEX job_open ON job (position) WHERE has_ended = 0;
        """);

    public void Erase(string subject, ProjectionWriter writer) => writer.Execute("DELETE FROM job WHERE subject = $1", subject);

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased || !one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        string key = one.Stream[StreamPrefix.Length..];
        GrainJob? known = writer.Scalar("SELECT view FROM job WHERE key = $1", key) is string view ? JsonSerializer.Deserialize(view, JobJson.Default.JobView) : null;
        JobEvent happened = JobEventCatalog.Events.Decode(one);
        if (known.After(happened, key, one.Version) is not { } now)
        {
            writer.Execute("DELETE FROM job WHERE key = $1", key);
            return;
        }
        string json = JsonSerializer.Serialize(now, JobJson.Default.JobView);
        if (happened is JobQueued)
        {
            writer.Execute(
                "INSERT OR REPLACE INTO job (key, subject, position, is_search, has_ended, has_report, view) VALUES ($1, $2, $3, $4, 0, 0, $5)",
                key, one.Subject, one.Position, now.Request.Kind == JobKind.Backtest ? 0 : 1, json);
            return;
        }
        writer.Execute("UPDATE job SET has_ended = $2, has_report = $3, view = $4 WHERE key = $1", key, now.HasEnded ? 1 : 0, now.HasReport ? 1 : 0, json);
    }
}

/// <summary>A job as the journal has it.</summary>
/// <param name="Position">Journal position at which it was queued.</param>
public sealed record JobRow(long Position, GrainJob Job);

/// <summary>Reads the tables of <see cref="JobProjection"/>.</summary>
public sealed class JobQueries(SqliteDatabase database)
{
    private const string Columns = "SELECT position, view FROM job";

    public JobRow? Job(string key) => ProjectionReader.Read(database, $"{Columns} WHERE key = $1", Row, key).FirstOrDefault();

    /// <summary>A person's jobs, the latest first.</summary>
    /// <param name="before">Only journal positions below it; null for all.</param>
    public ImmutableArray<JobRow> Jobs(string subject, bool searches, long? before, int limit) => ProjectionReader.Read(
        database, $"{Columns} WHERE subject = $1 AND is_search = $2 AND position < $3 ORDER BY position DESC LIMIT $4", Row,
        subject, searches ? 1 : 0, before ?? long.MaxValue, limit);

    /// <summary>A person's jobs that have a report, the latest first.</summary>
    public ImmutableArray<JobRow> Reports(string subject, long? before, int limit) => ProjectionReader.Read(
        database, $"{Columns} WHERE subject = $1 AND has_report = 1 AND position < $2 ORDER BY position DESC LIMIT $3", Row,
        subject, before ?? long.MaxValue, limit);

    /// <summary>A person's jobs that have not ended, the oldest first.</summary>
    public ImmutableArray<JobRow> Unfinished(string subject) => ProjectionReader.Read(
        database, $"{Columns} WHERE subject = $1 AND has_ended = 0 ORDER BY position", Row, subject);

    /// <summary>Keys of everybody's jobs that have not ended, the oldest first.</summary>
    public ImmutableArray<string> Unfinished() =>
        ProjectionReader.Read(database, "SELECT key FROM job WHERE has_ended = 0 ORDER BY position", row => row.GetString(0));

    private static JobRow Row(Microsoft.Data.Sqlite.SqliteDataReader row) =>
        new(row.GetInt64(0), JsonSerializer.Deserialize(row.GetString(1), JobJson.Default.JobView)!);
}
