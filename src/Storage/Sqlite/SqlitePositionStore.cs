using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Sqlite;

/// <summary>Where a follower of the journal or of a feed goes on: durable, by name.</summary>
public interface IPositionStore
{
    /// <returns>The next position to handle; 0 where nothing was saved.</returns>
    Task<long> LoadAsync(string name, CancellationToken cancellation = default);

    /// <summary>Saves the next position to handle; completes when it is durable.</summary>
    Task SaveAsync(string name, long position, CancellationToken cancellation = default);
}

public sealed class SqlitePositionStore(SqliteDatabase database) : IPositionStore
{
    public Task<long> LoadAsync(string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(database.Read(connection => Load(connection, null, name)?.Position ?? 0));
    }

    public Task SaveAsync(string name, long position, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        return database.WriteAsync((connection, transaction) => Save(connection, transaction, name, 0, position), cancellation);
    }

    internal static (int Version, long Position)? Load(SqliteConnection connection, SqliteTransaction? transaction, string name)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT version, position FROM position WHERE name = $name";
        command.Parameters.AddWithValue("$name", name);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read() ? (row.GetInt32(0), row.GetInt64(1)) : null;
    }

    internal static void Save(SqliteConnection connection, SqliteTransaction transaction, string name, int version, long position)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            """
            INSERT INTO position (name, version, position) VALUES ($name, $version, $position)
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, position = excluded.position
            """;
        command.Parameters.AddWithValue("$name", name);
        command.Parameters.AddWithValue("$version", version);
        command.Parameters.AddWithValue("$position", position);
        command.ExecuteNonQuery();
    }
}
