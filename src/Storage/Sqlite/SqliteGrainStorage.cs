using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HybridTrading.Storage.Sqlite;

/// <summary>
/// Grain state as JSON in SQLite. The etag is a number that no write of the database has had before, so a state that was cleared and written
/// anew never passes for the old one. A write or clear from another etag throws <see cref="InconsistentStateException"/>.
/// </summary>
public sealed class SqliteGrainStorage : IGrainStorage
{
    private readonly SqliteDatabase _database;
    private readonly JsonSerializerOptions _json;

    /// <param name="json">How states are written; default: System.Text.Json's defaults.</param>
    public SqliteGrainStorage(SqliteDatabase database, JsonSerializerOptions? json = null)
    {
        _database = database;
        _json = json ?? JsonSerializerOptions.Default;
        database.Ensure(
            """
            CREATE TABLE IF NOT EXISTS grain_state (
                grain TEXT NOT NULL, name TEXT NOT NULL, etag INTEGER NOT NULL, payload BLOB NOT NULL,
                PRIMARY KEY (grain, name)) WITHOUT ROWID;
            """);
        EtagCounter.Ensure(database);
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        (long Etag, byte[] Payload)? stored = _database.Read<(long, byte[])?>(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "SELECT etag, payload FROM grain_state WHERE grain = $grain AND name = $name";
            Bind(command, stateName, grainId);
            using SqliteDataReader row = command.ExecuteReader();
            return row.Read() ? (row.GetInt64(0), row.GetFieldValue<byte[]>(1)) : null;
        });
        if (stored is null)
        {
            Empty(grainState);
            return Task.CompletedTask;
        }
        try
        {
            grainState.State = JsonSerializer.Deserialize<T>(stored.Value.Payload, _json)!;
        }
        catch (JsonException wrong)
        {
            throw new StorageException($"state '{stateName}' of {grainId} is no {typeof(T).Name}: {wrong.Message}", wrong);
        }
        grainState.ETag = EtagCounter.Text(stored.Value.Etag);
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(grainState.State, _json);
        string? etag = grainState.ETag;
        long written = await _database.WriteAsync((connection, transaction) =>
        {
            Check("write", connection, transaction, stateName, grainId, etag);
            long next = EtagCounter.Next(connection, transaction);
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText =
                """
                INSERT INTO grain_state (grain, name, etag, payload) VALUES ($grain, $name, $etag, $payload)
                ON CONFLICT (grain, name) DO UPDATE SET etag = excluded.etag, payload = excluded.payload
                """;
            Bind(command, stateName, grainId);
            command.Parameters.AddWithValue("$etag", next);
            command.Parameters.AddWithValue("$payload", payload);
            command.ExecuteNonQuery();
            return next;
        }).ConfigureAwait(false);
        grainState.ETag = EtagCounter.Text(written);
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        string? etag = grainState.ETag;
        await _database.WriteAsync((connection, transaction) =>
        {
            Check("clear", connection, transaction, stateName, grainId, etag);
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "DELETE FROM grain_state WHERE grain = $grain AND name = $name";
            Bind(command, stateName, grainId);
            command.ExecuteNonQuery();
        }).ConfigureAwait(false);
        grainState.State = default!;
        Empty(grainState);
    }

    private static void Empty<T>(IGrainState<T> grainState)
    {
        if (grainState.State is null && typeof(T).GetConstructor(Type.EmptyTypes) is not null) grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static void Check(
        string action, SqliteConnection connection, SqliteTransaction transaction, string stateName, GrainId grainId, string? etag)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT etag FROM grain_state WHERE grain = $grain AND name = $name";
        Bind(command, stateName, grainId);
        string? stored = command.ExecuteScalar() is long number ? EtagCounter.Text(number) : null;
        if (stored != etag)
        {
            throw new InconsistentStateException($"cannot {action} state '{stateName}' of {grainId}: somebody else wrote it", stored, etag);
        }
    }

    private static void Bind(SqliteCommand command, string stateName, GrainId grainId)
    {
        command.Parameters.AddWithValue("$grain", grainId.ToString());
        command.Parameters.AddWithValue("$name", stateName);
    }
}

/// <summary>Numbers that are given once in the life of a database.</summary>
internal static class EtagCounter
{
    public static void Ensure(SqliteDatabase database) => database.Ensure(
        """
        CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counter VALUES ('etag', 0) ON CONFLICT (name) DO NOTHING;
        """);

    public static long Next(SqliteConnection connection, SqliteTransaction transaction)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "UPDATE counter SET value = value + 1 WHERE name = 'etag' RETURNING value";
        return (long)command.ExecuteScalar()!;
    }

    public static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);
}
