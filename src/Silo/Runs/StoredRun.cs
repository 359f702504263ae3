using System.Text.Json;
using HybridTrading.Domain.Markets;
using HybridTrading.Silo.Commands;
using HybridTrading.Storage.Backup;

namespace HybridTrading.Silo.Runs;

/// <summary>What a replay's folder says of it.</summary>
/// <param name="Sources">The data, by content: a resumed replay must see the same.</param>
/// <param name="Seconds">Spent between first and last event by the processes that ran it so far.</param>
public sealed record StoredRun(string Id, RunRequest Request, ImmutableArray<SourceFile> Sources, bool Finished, double Seconds);

/// <summary>The folder of one replay: a data folder of its own, with its request and how far it is.</summary>
public sealed class RunFolder : IDisposable
{
    private readonly DataFolder _data;

    private RunFolder(DataFolder data) => _data = data;

    public DataFolder Data => _data;

    private string RunFile => Path.Combine(_data.Root, "run.json");

    private string ProgressFile => Path.Combine(_data.Root, "progress");

    /// <param name="exists">A run to go on with; else a new one.</param>
    public static RunFolder Open(string root, string id, bool exists)
    {
        if (id.Length is 0 or > 64 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')) throw new UsageException($"run id is '{id}'; expected letters, digits and dashes");
        string path = Path.Combine(root, "runs", id);
        if (exists && !File.Exists(Path.Combine(path, "run.json"))) throw new UsageException($"--resume: no run {id} in {Path.Combine(root, "runs")}");
        return new RunFolder(DataFolder.Open(path));
    }

    /// <exception cref="UsageException">The file is not a run's.</exception>
    public StoredRun Load() => Read(RunFile);

    private static StoredRun Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), RunJson.Default.StoredRun) ?? throw new UsageException($"{file} is empty");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{file}: {e.Message}");
        }
    }

    /// <summary>The replay of a data folder, without taking it; null where it is none.</summary>
    public static StoredRun? Stored(string root) => File.Exists(Path.Combine(root, "run.json")) ? Read(Path.Combine(root, "run.json")) : null;

    public void Save(StoredRun run) => Replace(RunFile, JsonSerializer.SerializeToUtf8Bytes(run, RunJson.Default.StoredRun));

    /// <summary>The last position whose every consequence is in the journal; -1 at the start. An older one only costs time.</summary>
    public long Progress
    {
        get => File.Exists(ProgressFile) && File.ReadAllBytes(ProgressFile) is { Length: 8 } bytes ? BitConverter.ToInt64(bytes) : -1;
        set => Replace(ProgressFile, BitConverter.GetBytes(value));
    }

    public void Dispose() => _data.Dispose();

    private static void Replace(string file, byte[] content)
    {
        string next = file + ".next";
        using (FileStream stream = File.Create(next))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        File.Move(next, file, overwrite: true);
    }
}
