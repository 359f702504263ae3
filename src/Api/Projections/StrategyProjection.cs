using System.Text.Json;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>
/// Strategies and their decisions, as the events of <c>strategy/</c> streams tell. It is here and not in Storage because those events belong to
/// the strategy grain.
/// </summary>
public sealed class StrategyProjection : IProjection
{
    /// <summary>A strategy's stream is this and its key.</summary>
    public const string StreamPrefix = "strategy/";

    public const string ProjectionName = "strategies";

    public string Name => ProjectionName;

    public int Version => 2;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS strategy;
        CREATE TABLE strategy (key TEXT PRIMARY KEY, subject TEXT NOT NULL, symbol TEXT NOT NULL, is_running INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX strategy_subject ON strategy (subject, key);
        DROP TABLE IF EXISTS decision;
        CREATE TABLE decision (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL, strategy TEXT NOT NULL, position INTEGER NOT NULL, decision TEXT NOT NULL,
            settled TEXT) WITHOUT ROWID;
        CREATE INDEX decision_subject ON decision (subject, position);
        CREATE INDEX decision_strategy ON decision (strategy, position);
        """);

    public void Erase(string subject, ProjectionWriter writer)
    {
        writer.Execute("DELETE FROM decision WHERE subject = $1", subject);
        writer.Execute("DELETE FROM strategy WHERE subject = $1", subject);
    }

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased || !one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        string strategy = one.Stream[StreamPrefix.Length..];
        switch (StrategyEventCatalog.Events.Decode(one))
        {
            case StrategyCreated e:
                writer.Execute(
                    "INSERT OR REPLACE INTO strategy (key, subject, symbol, is_running) VALUES ($1, $2, $3, 0)", strategy, one.Subject, e.Setup.Symbol);
                break;
            case StrategyStarted:
                writer.Execute("UPDATE strategy SET is_running = 1 WHERE key = $1", strategy);
                break;
            case StrategyStopped:
                writer.Execute("UPDATE strategy SET is_running = 0 WHERE key = $1", strategy);
                break;
            case DecisionMade e:
                writer.Execute(
                    "INSERT OR REPLACE INTO decision (id, subject, strategy, position, decision, settled) VALUES ($1, $2, $3, $4, $5, NULL)",
                    e.Decision.Id, one.Subject, strategy, one.Position, JsonSerializer.Serialize(e.Decision, StrategyJson.Default.Decision));
                break;
            case DecisionSettled e:
                writer.Execute(
                    "UPDATE decision SET settled = $1 WHERE id = $2",
                    JsonSerializer.Serialize(e.Verdicts, StrategyJson.Default.ImmutableArrayDecisionVerdict), e.Decision);
                break;
        }
    }
}

/// <summary>A decision with what the accounts made of it.</summary>
/// <param name="Position">Journal position at which it was made.</param>
/// <param name="Verdicts">Empty until every follower has answered.</param>
public sealed record DecisionRow(long Position, Decision Decision, ImmutableArray<DecisionVerdict> Verdicts);

/// <summary>Reads the tables of <see cref="StrategyProjection"/>.</summary>
public sealed class StrategyQueries(SqliteDatabase database)
{
    private const string DecisionColumns = "SELECT position, decision, settled FROM decision";

    /// <summary>Keys of a person's strategies, in ordinal order.</summary>
    public ImmutableArray<string> Strategies(string subject) => ProjectionReader.Read(
        database, "SELECT key FROM strategy WHERE subject = $1 ORDER BY key", row => row.GetString(0), subject);

    public ImmutableArray<string> RunningStrategies() => ProjectionReader.Read(
        database, "SELECT key FROM strategy WHERE is_running = 1 ORDER BY key", row => row.GetString(0));

    /// <summary>The same with the instrument of each.</summary>
    public ImmutableArray<(string Strategy, string Symbol)> InstrumentsOfRunning() => ProjectionReader.Read(
        database, "SELECT key, symbol FROM strategy WHERE is_running = 1 ORDER BY key", row => (row.GetString(0), row.GetString(1)));

    public DecisionRow? Decision(string id) =>
        ProjectionReader.Read(database, $"{DecisionColumns} WHERE id = $1", Row, id).FirstOrDefault();

    /// <summary>A person's decisions, the latest first.</summary>
    /// <param name="strategy">Key of the strategy; null for all of the person's.</param>
    /// <param name="before">Only journal positions below it; null for all.</param>
    public ImmutableArray<DecisionRow> Decisions(string subject, string? strategy, long? before, int limit) => strategy is null
        ? ProjectionReader.Read(
            database, $"{DecisionColumns} WHERE subject = $1 AND position < $2 ORDER BY position DESC LIMIT $3", Row,
            subject, before ?? long.MaxValue, limit)
        : ProjectionReader.Read(
            database, $"{DecisionColumns} WHERE strategy = $4 AND subject = $1 AND position < $2 ORDER BY position DESC LIMIT $3", Row,
            subject, before ?? long.MaxValue, limit, strategy);

    private static DecisionRow Row(Microsoft.Data.Sqlite.SqliteDataReader row) => new(
        row.GetInt64(0),
        JsonSerializer.Deserialize(row.GetString(1), StrategyJson.Default.Decision)!,
        row.IsDBNull(2) ? [] : JsonSerializer.Deserialize(row.GetString(2), StrategyJson.Default.ImmutableArrayDecisionVerdict));
}
