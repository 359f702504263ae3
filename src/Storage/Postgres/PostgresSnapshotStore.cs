using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Snapshots in the database, one row a stream, sealed as <see cref="SealedSnapshot"/> says. A snapshot is a short cut: whatever is wrong with one
/// (damaged, of another format, key destroyed, ahead of its stream) it counts as absent.
/// </summary>
public sealed class PostgresSnapshotStore(PostgresDatabase database, IKeyProvider keys) : ISnapshotStore
{
    /// <remarks>A snapshot never replaces a later one that its stream bears out: a grain that was activated elsewhere may be further on.</remarks>
    /// <exception cref="StorageException">The database refused, or is away; the snapshot before is still there.</exception>
    public Task SaveAsync(
        string stream, StreamOwner owner, long version, int shape, ReadOnlyMemory<byte> payload, CancellationToken cancellation = default)
    {
        byte[] snapshot = SealedSnapshot.Seal(stream, owner, version, shape, payload.Span, keys);
        return database.RepeatableAsync("write a snapshot", (connection, token) => connection.ExecuteAsync(
            """
            INSERT INTO snapshot AS old (stream, version, sealed) VALUES ($1, $2, $3)
            ON CONFLICT (stream) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            WHERE old.version <= excluded.version OR old.version > coalesce((SELECT version FROM stream_head WHERE stream = excluded.stream), 0)
            """, [stream, version, snapshot], token), cancellation);
    }

    /// <exception cref="StorageException">The database is away.</exception>
    public async Task<Snapshot?> LoadAsync(string stream, CancellationToken cancellation = default)
    {
        (byte[] Sealed, long Head)? found = await database.RepeatableAsync<(byte[], long)?>("read a snapshot", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                "SELECT sealed, coalesce((SELECT version FROM stream_head WHERE stream = $1), 0) FROM snapshot WHERE stream = $1", stream);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? (row.GetFieldValue<byte[]>(0), row.GetInt64(1)) : null;
        }, cancellation).ConfigureAwait(false);
        return found is { } there ? SealedSnapshot.TryOpen(there.Sealed, stream, there.Head, keys) : null;
    }

    /// <exception cref="StorageException">The database is away.</exception>
    public Task DeleteAsync(string stream, CancellationToken cancellation = default) => database.RepeatableAsync(
        "delete a snapshot", (connection, token) => connection.ExecuteAsync("DELETE FROM snapshot WHERE stream = $1", [stream], token), cancellation);
}
