using System.Globalization;
using System.Text.Json;
using Npgsql;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Grain state as JSON, the same bytes as on one machine, so that an installation can be moved and a record that gains a field still reads old state.
/// The etag is a number that no write of the database has had before. A write or clear from another etag throws
/// <see cref="InconsistentStateException"/>.
/// </summary>
/// <param name="json">How states are written; default: System.Text.Json's defaults.</param>
public sealed class PostgresGrainStorage(PostgresDatabase database, JsonSerializerOptions? json = null) : IGrainStorage
{
    private readonly JsonSerializerOptions _json = json ?? JsonSerializerOptions.Default;

    /// <exception cref="StorageException">The database is away, or the state is of another shape.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        (long Etag, byte[] Payload)? stored = await database.RepeatableAsync<(long, byte[])?>("read grain state", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                "SELECT etag, payload FROM grain_state WHERE grain = $1 AND name = $2", grainId.ToString(), stateName);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            return await row.ReadAsync(token).ConfigureAwait(false) ? (row.GetInt64(0), row.GetFieldValue<byte[]>(1)) : null;
        }).ConfigureAwait(false);
        if (stored is not { } found)
        {
            Empty(grainState);
            return;
        }
        try
        {
            grainState.State = JsonSerializer.Deserialize<T>(found.Payload, _json)!;
        }
        catch (JsonException wrong)
        {
            throw new StorageException($"state '{stateName}' of {grainId} is no {typeof(T).Name}: {wrong.Message}", wrong);
        }
        grainState.ETag = Text(found.Etag);
        grainState.RecordExists = true;
    }

    /// <exception cref="StorageException">The database refused, or is away: whether the state was written shows when it is read.</exception>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(grainState.State, _json);
        long? written = grainState.ETag is null
            ? await ChangeAsync(
                "INSERT INTO grain_state (grain, name, payload) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING etag",
                [grainId.ToString(), stateName, payload]).ConfigureAwait(false)
            : await ChangeAsync(
                "UPDATE grain_state SET payload = $3, etag = nextval('grain_state_etag') WHERE grain = $1 AND name = $2 AND etag = $4 RETURNING etag",
                [grainId.ToString(), stateName, payload, Number(grainState.ETag)]).ConfigureAwait(false);
        if (written is not { } etag) throw await ConflictAsync("write", stateName, grainId, grainState.ETag).ConfigureAwait(false);
        grainState.ETag = Text(etag);
        grainState.RecordExists = true;
    }

    /// <inheritdoc cref="WriteStateAsync"/>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        long? cleared = await ChangeAsync(
            "DELETE FROM grain_state WHERE grain = $1 AND name = $2 AND etag = $3 RETURNING etag",
            [grainId.ToString(), stateName, Number(grainState.ETag)]).ConfigureAwait(false);
        if (cleared is null && (grainState.ETag is not null || await StoredAsync(stateName, grainId).ConfigureAwait(false) is not null))
        {
            throw await ConflictAsync("clear", stateName, grainId, grainState.ETag).ConfigureAwait(false);
        }
        grainState.State = default!;
        Empty(grainState);
    }

    private Task<long?> ChangeAsync(string sql, object?[] values) =>
        database.OnceAsync("write grain state", (connection, token) => connection.ScalarAsync<long?>(sql, values, token));

    private Task<long?> StoredAsync(string stateName, GrainId grainId) => database.RepeatableAsync("read grain state", (connection, token) =>
        connection.ScalarAsync<long?>("SELECT etag FROM grain_state WHERE grain = $1 AND name = $2", [grainId.ToString(), stateName], token));

    private async Task<InconsistentStateException> ConflictAsync(string action, string stateName, GrainId grainId, string? etag) => new(
        $"cannot {action} state '{stateName}' of {grainId}: somebody else wrote it",
        await StoredAsync(stateName, grainId).ConfigureAwait(false) is { } stored ? Text(stored) : null, etag);

    private static void Empty<T>(IGrainState<T> grainState)
    {
        if (grainState.State is null && typeof(T).GetConstructor(Type.EmptyTypes) is not null) grainState.State = Activator.CreateInstance<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private static string Text(long etag) => etag.ToString(CultureInfo.InvariantCulture);

    // What is no number was never given: it matches nothing.
    private static long Number(string? etag) => long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1;
}
