using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>
/// Keeps grain state in memory, as JSON: what a grain holds and what is stored never share an object, and what cannot be stored on disk
/// cannot be stored here either.
/// </summary>
internal sealed class MemoryGrainStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string Name, GrainId GrainId), Record> _records = new();
    private long _version;

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Record? record = _records.GetValueOrDefault((stateName, grainId));
        grainState.State = record is null ? default : JsonSerializer.Deserialize<T>(record.Json);
        grainState.ETag = record?.ETag;
        grainState.RecordExists = record is not null;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Record next = new(
            JsonSerializer.SerializeToUtf8Bytes(grainState.State), Interlocked.Increment(ref _version).ToString(CultureInfo.InvariantCulture));
        var key = (stateName, grainId);
        Record? current = _records.GetValueOrDefault(key);
        bool written = current?.ETag == grainState.ETag
            && (current is null ? _records.TryAdd(key, next) : _records.TryUpdate(key, next, current));
        if (!written) throw Conflict("write", stateName, grainId, current?.ETag, grainState.ETag);
        grainState.ETag = next.ETag;
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = (stateName, grainId);
        Record? current = _records.GetValueOrDefault(key);
        bool cleared = current?.ETag == grainState.ETag && (current is null || _records.TryRemove(KeyValuePair.Create(key, current)));
        if (!cleared) throw Conflict("clear", stateName, grainId, current?.ETag, grainState.ETag);
        grainState.ETag = null;
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }

    private static InconsistentStateException Conflict(string operation, string name, GrainId grainId, string? stored, string? current) =>
        new($"Cannot {operation} state '{name}' of {grainId}: it was changed by somebody else", stored, current);

    private sealed class Record(byte[] json, string eTag)
    {
        public byte[] Json => json;

        public string ETag => eTag;
    }
}
