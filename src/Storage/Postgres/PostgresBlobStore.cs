using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Contents in the database, where every process finds them, sealed as <see cref="SealedBlob"/> says. Chunks are committed one by one, and become a content
/// with the row that names them; what broke off before that is swept after a day.
/// </summary>
public sealed class PostgresBlobStore(PostgresDatabase database, IKeyProvider keys, TimeProvider time) : IBlobStore
{
    private const int SweepEvery = 100;
    private static readonly TimeSpan SweepAfter = TimeSpan.FromDays(1);

    private int _untilSweep;

    public async Task<BlobInfo> PutAsync(StreamOwner owner, string id, Stream content, long most, CancellationToken cancellation = default)
    {
        BlobId.Checked(id);
        if (Interlocked.Decrement(ref _untilSweep) < 0)
        {
            Interlocked.Exchange(ref _untilSweep, SweepEvery);
            await SweepAsync(cancellation).ConfigureAwait(false);
        }
        var blob = SealedBlob.New(owner, id, keys);
        DateTime now = time.GetUtcNow().UtcDateTime;
        int chunks = 0;
        try
        {
            long length = await blob.CutAsync(content, most, (number, chunk) =>
            {
                chunks = number + 1;
                return database.RepeatableAsync("write a content", (connection, token) => connection.ExecuteAsync(
                    "INSERT INTO blob_chunk (content, number, sealed, stored) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    [blob.Content, number, chunk, now], token), cancellation);
            }, cancellation).ConfigureAwait(false);
            await database.RepeatableAsync("write a content", async (connection, token) =>
            {
                await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
                await connection.ExecuteAsync(
                    "DELETE FROM blob_chunk USING blob WHERE blob.subject = $1 AND blob.id = $2 AND blob_chunk.content = blob.content AND blob.content <> $3",
                    [owner.Subject, id, blob.Content], token).ConfigureAwait(false);
                int rows = await connection.ExecuteAsync(
                    """
                    INSERT INTO blob (subject, id, content, header, chunks, length, stored) VALUES ($1, $2, $3, $4, $5, $6, $7)
                    ON CONFLICT (subject, id) DO UPDATE SET content = excluded.content, header = excluded.header, chunks = excluded.chunks,
                        length = excluded.length, stored = excluded.stored
                    """, [owner.Subject, id, blob.Content, blob.Header, chunks, length, now], token).ConfigureAwait(false);
                await transaction.CommitAsync(token).ConfigureAwait(false);
                return rows;
            }, cancellation).ConfigureAwait(false);
            return new BlobInfo(id, length, now);
        }
        catch (Exception failed) when (failed is not StorageException)
        {
            // Only to be tidy: without the row they are no content.
            await database.RepeatableAsync("drop a content", (connection, token) => connection.ExecuteAsync(
                "DELETE FROM blob_chunk WHERE content = $1", [blob.Content], token), CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<Stream?> OpenAsync(StreamOwner owner, string id, CancellationToken cancellation = default)
    {
        BlobId.Checked(id);
        (byte[] Header, int Chunks)? found = await database.RepeatableAsync<(byte[], int)?>("read a content", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command("SELECT header, chunks FROM blob WHERE subject = $1 AND id = $2", owner.Subject, id);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? (row.GetFieldValue<byte[]>(0), row.GetInt32(1)) : null;
        }, cancellation).ConfigureAwait(false);
        if (found is not { } there || SealedBlob.Of(there.Header, owner, id, keys) is not { } blob) return null;
        string name = $"content {id} in {database.Name}";
        return new BlobStream(async (number, token) =>
        {
            if (number == there.Chunks) return null;
            byte[] chunk = await database.RepeatableAsync("read a content", (connection, inner) => connection.ScalarAsync<byte[]>(
                "SELECT sealed FROM blob_chunk WHERE content = $1 AND number = $2", [blob.Content, number], inner), token).ConfigureAwait(false)
                ?? throw new StorageException($"{name} was replaced or deleted while it was read");
            return blob.Open(number, number == there.Chunks - 1, chunk, name);
        });
    }

    public Task<bool> DeleteAsync(StreamOwner owner, string id, CancellationToken cancellation = default)
    {
        BlobId.Checked(id);
        // One statement: both go or neither.
        return database.RepeatableAsync("delete a content", async (connection, token) => await connection.ScalarAsync<long>(
            """
            WITH gone AS (DELETE FROM blob WHERE subject = $1 AND id = $2 RETURNING content),
                chunks AS (DELETE FROM blob_chunk USING gone WHERE blob_chunk.content = gone.content)
            SELECT count(*) FROM gone
            """, [owner.Subject, id], token).ConfigureAwait(false) > 0, cancellation);
    }

    public Task<ImmutableArray<BlobInfo>> ListAsync(StreamOwner owner, CancellationToken cancellation = default) =>
        database.RepeatableAsync("list contents", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command("SELECT id, length, stored FROM blob WHERE subject = $1 ORDER BY id", owner.Subject);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            ImmutableArray<BlobInfo>.Builder found = ImmutableArray.CreateBuilder<BlobInfo>();
            while (await row.ReadAsync(token).ConfigureAwait(false)) found.Add(new BlobInfo(row.GetString(0), row.GetInt64(1), row.GetDateTime(2)));
            return found.ToImmutable();
        }, cancellation);

    private Task SweepAsync(CancellationToken cancellation) => database.RepeatableAsync("sweep contents", (connection, token) => connection.ExecuteAsync(
        "DELETE FROM blob_chunk WHERE stored < $1 AND NOT EXISTS (SELECT FROM blob WHERE blob.content = blob_chunk.content)",
        [time.GetUtcNow().UtcDateTime - SweepAfter], token), cancellation);
}
