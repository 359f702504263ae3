using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace HybridTrading.Storage.Postgres;

/// <summary>Answers in the database, where any process finds them; those older than the retention are dropped now and then.</summary>
/// <param name="retention">How long an answer is kept at least.</param>
public sealed class PostgresAnswerStore(PostgresDatabase database, TimeSpan retention, TimeProvider clock) : IAnswerStore
{
    private const int SweepEvery = 1000;

    private int _untilSweep;

    public Task<StoredAnswer?> FindAsync(string scope, CancellationToken cancellation = default) =>
        database.RepeatableAsync("read an answer", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command("SELECT body_hash, status, headers::text, body FROM answer WHERE scope = $1", scope);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false)
                ? new StoredAnswer(row.GetFieldValue<byte[]>(0), row.GetInt32(1),
                    JsonSerializer.Deserialize<ImmutableDictionary<string, string>>(row.GetString(2))!, row.GetFieldValue<byte[]>(3))
                : null;
        }, cancellation);

    public Task StoreAsync(string scope, StoredAnswer answer, CancellationToken cancellation = default) =>
        database.RepeatableAsync("keep an answer", async (connection, token) =>
        {
            DateTime now = clock.GetUtcNow().UtcDateTime;
            await using NpgsqlCommand command = connection.Command(
                """
                INSERT INTO answer (scope, body_hash, status, headers, body, stored) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (scope) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, headers = excluded.headers,
                    body = excluded.body, stored = excluded.stored
                """, scope, answer.BodyHash, answer.Status, null, answer.Body, now);
            command.Parameters[3] = new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = JsonSerializer.Serialize(answer.Headers) };
            int rows = await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            if (Interlocked.Decrement(ref _untilSweep) < 0)
            {
                Interlocked.Exchange(ref _untilSweep, SweepEvery);
                await connection.ExecuteAsync("DELETE FROM answer WHERE stored < $1", [now - retention], token).ConfigureAwait(false);
            }
            return rows;
        }, cancellation);

    public Task ForgetAsync(ImmutableArray<string> callers, ImmutableArray<byte[]> texts, CancellationToken cancellation = default) =>
        database.RepeatableAsync("forget answers", async (connection, token) =>
        {
            int gone = 0;
            foreach (string caller in callers)
            {
                gone += await connection.ExecuteAsync("DELETE FROM answer WHERE starts_with(scope, $1)", [caller + ' '], token).ConfigureAwait(false);
            }
            foreach (byte[] text in texts)
            {
                gone += await connection.ExecuteAsync("DELETE FROM answer WHERE position($1::bytea IN body) > 0", [text], token)
                    .ConfigureAwait(false);
            }
            return gone;
        }, cancellation);
}
