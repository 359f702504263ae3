using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Storage.Postgres;

/// <summary>Where followers of the journal or of a feed go on, shared by all processes.</summary>
public sealed class PostgresPositionStore(PostgresDatabase database) : IPositionStore
{
    /// <exception cref="StorageException">The database is away.</exception>
    public Task<long> LoadAsync(string name, CancellationToken cancellation = default) => database.RepeatableAsync(
        "read a position", (connection, token) => connection.ScalarAsync<long>("SELECT position FROM follower WHERE name = $1", [name], token), cancellation);

    /// <exception cref="StorageException">The database refused, or is away.</exception>
    public Task SaveAsync(string name, long position, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        return database.RepeatableAsync("write a position", (connection, token) => connection.ExecuteAsync(
            "INSERT INTO follower (name, position) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET position = excluded.position", [name, position], token),
            cancellation);
    }
}
