using System.Text.Json;
using HybridTrading.Storage;
using HybridTrading.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Api.Idempotency;

/// <summary>An answer as it was given, to be given again.</summary>
/// <param name="BodyHash">SHA-256 of the request's body.</param>
public sealed record StoredAnswer(byte[] BodyHash, int Status, ImmutableDictionary<string, string> Headers, byte[] Body);

/// <summary>
/// Answers to mutations by caller, method, path and Idempotency-Key. What was begun and not stored before a crash is executed again, which does
/// nothing twice: the ids that the trade goes by are made of the key.
/// </summary>
public sealed class IdempotencyStore
{
    private const int SweepEvery = 1000;

    private readonly SqliteDatabase _database;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _retention;
    private int _untilSweep;

    public IdempotencyStore(
        [FromKeyedServices(HybridStorage.StateDatabase)] SqliteDatabase database, ApiOptions options, TimeProvider clock)
    {
        _database = database;
        _clock = clock;
        _retention = options.IdempotencyRetention;
        database.Ensure(
            """
            CREATE TABLE IF NOT EXISTS idempotency (
                scope TEXT PRIMARY KEY, body_hash BLOB NOT NULL, status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
                stored INTEGER NOT NULL) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS idempotency_stored ON idempotency (stored)
            """);
    }

    public StoredAnswer? Find(string scope) => _database.Read(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT body_hash, status, headers, body FROM idempotency WHERE scope = $scope";
        command.Parameters.AddWithValue("$scope", scope);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read()
            ? new StoredAnswer((byte[])row[0], row.GetInt32(1), JsonSerializer.Deserialize<ImmutableDictionary<string, string>>(row.GetString(2))!,
                (byte[])row[3])
            : null;
    });

    /// <summary>Completes when the answer is durable; until then it must not be given.</summary>
    /// <exception cref="StorageException">The database refused.</exception>
    public Task StoreAsync(string scope, StoredAnswer answer)
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
}
