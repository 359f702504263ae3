using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Erasure;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Personal data in the database of a cluster. What was deleted is vacuumed; the write-ahead log and backups hold it until they are dropped
/// themselves. Mails as files (in <paramref name="outbox"/>) are removed in the folder of the process that erases; where there are several, a mail
/// server sends them.
/// </summary>
public sealed class PostgresPersonalData(
    PostgresDatabase database, IKeyProvider keys, ISnapshotStore snapshots, IBlobStore blobs, IAnswerStore answers, string outbox) : IPersonalData
{
    private const int LongestVacuumSeconds = 600;

    /// <summary>Twice the interval at which each process asks for what others destroyed, since one may just have begun.</summary>
    public TimeSpan Spread => 2 * PostgresKeyProvider.CheckEvery;

    public Task<ImmutableArray<string>> StreamsOfAsync(string person, CancellationToken cancellation = default) =>
        database.RepeatableAsync("list streams", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                "SELECT stream FROM stream_head WHERE position('/' || $1 || '/' IN stream || '/') > 0 ORDER BY stream", person);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            ImmutableArray<string>.Builder found = ImmutableArray.CreateBuilder<string>();
            while (await row.ReadAsync(token).ConfigureAwait(false))
            {
                if (PersonRemains.IsOf(person, row.GetString(0))) found.Add(row.GetString(0));
            }
            return found.ToImmutable();
        }, cancellation);

    // The provider's calls block on the database.
    public Task DestroyKeyAsync(string subject, CancellationToken cancellation = default) => Task.Run(() => keys.Destroy(subject), cancellation);

    public async Task RemoveAsync(Remains remains, CancellationToken cancellation = default)
    {
        await PersonRemains.RemoveAsync(remains, this, snapshots, blobs, answers, outbox, cancellation).ConfigureAwait(false);
        // Rows that were overwritten, wrapped keys among them, are in the pages until then.
        await database.RepeatableAsync("clean tables", async (connection, token) =>
        {
            await using NpgsqlCommand vacuum = connection.Command("VACUUM subject_key, grain_state, answer, snapshot");
            vacuum.CommandTimeout = LongestVacuumSeconds;
            return await vacuum.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
    }
}
