using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Sqlite;

/// <summary>Answers in SQLite; those older than the retention are dropped now and then.</summary>
public sealed class SqliteAnswerStore : IAnswerStore
{
    private const int SweepEvery = 1000;

    private readonly SqliteDatabase _database;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _retention;
    private int _untilSweep;

    /// <param name="retention">How long an answer is kept at least.</param>
    public SqliteAnswerStore(SqliteDatabase database, TimeSpan retention, TimeProvider clock)
    {
        _database = database;
        _clock = clock;
        _retention = retention;
        database.Ensure(
            """
            CREATE TABLE IF NOT EXISTS idempotency (
                scope TEXT PRIMARY KEY, body_hash BLOB NOT NULL, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
                stored INTEGER NOT NULL) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS idempotency_stored ON idempotency (stored)
            """);
    }

    public Task<StoredAnswer?> FindAsync(string scope, CancellationToken cancellation = default) => Task.FromResult(_database.Read(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT body_hash, status, headers, body FROM idempotency WHERE scope = $scope";
        command.Parameters.AddWithValue("$scope", scope);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read()
            ? new StoredAnswer((byte[])row[0], row.GetInt32(1), JsonSerializer.Deserialize<ImmutableDictionary<string, string>>(row.GetString(2))!,
                (byte[])row[3])
            : null;
    }));

    public Task StoreAsync(string scope, StoredAnswer answer, CancellationToken cancellation = default)
    {
        long now = _clock.GetUtcNow().Ticks;
        bool sweep = Interlocked.Decrement(ref _untilSweep) < 0;
        if (sweep) _untilSweep = SweepEvery;
        return _database.WriteAsync((connection, transaction) =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText =
                """
                INSERT OR REPLACE INTO idempotency (scope, body_hash, status, headers, body, stored)
                VALUES ($scope, $hash, $status, $headers, $body, $stored)
                """;
            command.Parameters.AddWithValue("$scope", scope);
            command.Parameters.AddWithValue("$hash", answer.BodyHash);
            command.Parameters.AddWithValue("$status", answer.Status);
            command.Parameters.AddWithValue("$headers", JsonSerializer.Serialize(answer.Headers));
            command.Parameters.AddWithValue("$body", answer.Body);
            command.Parameters.AddWithValue("$stored", now);
            command.ExecuteNonQuery();
            if (!sweep) return;
            command.Parameters.Clear();
            command.CommandText = "DELETE FROM idempotency WHERE stored < $oldest";
            command.Parameters.AddWithValue("$oldest", now - _retention.Ticks);
            command.ExecuteNonQuery();
        });
    }

    public Task ForgetAsync(ImmutableArray<string> callers, ImmutableArray<byte[]> texts, CancellationToken cancellation = default) =>
        _database.WriteAsync((connection, transaction) =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            foreach (string caller in callers)
            {
                command.CommandText = "DELETE FROM idempotency WHERE substr(scope, 1, length($caller)) = $caller";
                command.Parameters.Clear();
                command.Parameters.AddWithValue("$caller", caller + ' ');
                command.ExecuteNonQuery();
            }
            foreach (byte[] text in texts)
            {
                command.CommandText = "DELETE FROM idempotency WHERE instr(body, $text) > 0";
                command.Parameters.Clear();
                command.Parameters.AddWithValue("$text", text);
                command.ExecuteNonQuery();
            }
        }, cancellation);
}
