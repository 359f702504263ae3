using System.Text.Json;
using HybridTrading.Domain.Markets;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Runs;

/// <summary>What a replay's folder says of it.</summary>
/// <param name="Sources">The data, by content: a resumed replay must see the same.</param>
/// <param name="Seconds">Spent between first and last event by the processes that ran it so far.</param>
public sealed record StoredRun(string Id, RunRequest Request, ImmutableArray<SourceFile> Sources, bool Finished, double Seconds);

/// <summary>The folder of one replay: its request, how far it is, and a journal of its own.</summary>
public sealed class RunFolder(string path)
{
    private string RunFile => Path.Combine(path, "run.json");

    private string ProgressFile => Path.Combine(path, "progress");

    public string Journal => Path.Combine(path, "journal");

    public string Keys => Path.Combine(path, "keys");

    public string Snapshots => Path.Combine(path, "snapshots");

    public static RunFolder Of(string dataFolder, string id) =>
        id.Length is > 0 and <= 64 && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            ? new RunFolder(Path.Combine(dataFolder, "runs", id))
            : throw new UsageException($"run id is '{id}'; expected letters, digits and dashes");

    public void Create(StoredRun run)
    {
        Directory.CreateDirectory(path);
        Save(run);
    }

    /// <exception cref="UsageException">There is no such run, or its file is not one.</exception>
    public StoredRun Load()
    {
        if (!File.Exists(RunFile)) throw new UsageException($"--resume: no run in {path}");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(RunFile), RunJson.Default.StoredRun) ?? throw new UsageException($"{RunFile} is empty");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{RunFile}: {e.Message}");
        }
    }

    public void Save(StoredRun run) => Replace(RunFile, JsonSerializer.SerializeToUtf8Bytes(run, RunJson.Default.StoredRun));

    /// <summary>The last position whose every consequence is in the journal; -1 at the start. An older one only costs time.</summary>
    public long Progress
    {
        get => File.Exists(ProgressFile) && File.ReadAllBytes(ProgressFile) is { Length: 8 } bytes ? BitConverter.ToInt64(bytes) : -1;
        set => Replace(ProgressFile, BitConverter.GetBytes(value));
    }

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
