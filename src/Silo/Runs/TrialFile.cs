using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Runs;

/// <summary>First line of a file of trials.</summary>
/// <param name="Search">SHA-256 of all that the trials' figures depend on: data, options, settings, program.</param>
public sealed record TrialFileHead(int Version, string Search, int Trials);

/// <summary>One finished trial, a line.</summary>
/// <param name="Returns">Of a walk-forward's trial over all data: its days, eight bytes each, little-endian.</param>
public sealed record TrialLine(int Trial, TrialStatistics Statistics, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Returns = null);

/// <summary>
/// The finished trials of a search, a JSON line each, in the order in which they ended. A search that is cut off goes on with them; a last line that was
/// torn is cut off.
/// </summary>
public sealed class TrialFile : IDisposable
{
    private const int Version = 1;
    private readonly FileStream _file;

    private TrialFile(FileStream file, IReadOnlyDictionary<int, TrialLine> known) => (_file, Known) = (file, known);

    /// <summary>What was finished when the file was opened.</summary>
    public IReadOnlyDictionary<int, TrialLine> Known { get; }

    /// <summary>Makes a new file, or goes on with one of the same search.</summary>
    /// <param name="walk">How the data are cut, of a walk-forward; null for a search over all of them.</param>
    /// <param name="runs">Trials in all.</param>
    /// <exception cref="UsageException">The file is another search's, or nothing of ours.</exception>
    public static TrialFile Open(string option, string path, SearchPlan plan, WalkForwardOptions? walk, int runs)
    {
        var head = new TrialFileHead(Version, Fingerprint(plan, walk), runs);
        FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            byte[] content = new byte[file.Length];
            file.ReadExactly(content);
            Dictionary<int, TrialLine> known = [];
            int whole = Read(option, path, content, head, known);
            file.SetLength(whole);
            file.Position = whole;
            var trials = new TrialFile(file, known);
            if (whole == 0) trials.Line(JsonSerializer.SerializeToUtf8Bytes(head, TrialJson.Default.TrialFileHead));
            return trials;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Add(TrialLine trial) => Line(JsonSerializer.SerializeToUtf8Bytes(trial, TrialJson.Default.TrialLine));

    public void Dispose() => _file.Dispose();

    /// <returns>Length of the whole lines.</returns>
    private static int Read(string option, string path, ReadOnlySpan<byte> content, TrialFileHead head, Dictionary<int, TrialLine> known)
    {
        int at = 0;
        for (int number = 1; content[at..].IndexOf((byte)'\n') is >= 0 and var length; number++)
        {
            ReadOnlySpan<byte> line = content.Slice(at, length);
            try
            {
                if (number == 1)
                {
                    TrialFileHead? there = JsonSerializer.Deserialize(line, TrialJson.Default.TrialFileHead);
                    if (there is not { Version: Version, Search: not null }) throw new UsageException($"{option} {path} is no file of trials; name a new one");
                    if (there != head) throw new UsageException($"{option} {path} is of another search (data, options or program differ); name a new file");
                }
                else if (JsonSerializer.Deserialize(line, TrialJson.Default.TrialLine) is { Statistics: not null } trial && trial.Trial >= 0 && trial.Trial < head.Trials)
                {
                    known[trial.Trial] = trial;
                }
                else throw new UsageException($"{option} {path}: line {number} is no trial of this search");
            }
            catch (JsonException)
            {
                throw new UsageException($"{option} {path}: line {number} is no {(number == 1 ? "head of a file of trials" : "trial")}; name a new file");
            }
            at += length + 1;
        }
        // Text without a line end: a torn line of ours, or somebody's file that must not be overwritten.
        if (at == 0 && content.Length > 0 && !content.StartsWith("{\"version\""u8)) throw new UsageException($"{option} {path} is no file of trials; name a new one");
        return at;
    }

    private void Line(byte[] text)
    {
        byte[] line = [.. text, (byte)'\n'];
        _file.Write(line);
        _file.Flush();
    }

    private static string Fingerprint(SearchPlan plan, WalkForwardOptions? walk)
    {
        var text = new StringBuilder();
        text.AppendLine(JsonSerializer.Serialize(plan.Request with { Files = [] }, RunJson.Default.RunRequest));
        foreach (MarketSeries series in plan.Data)
        {
            text.AppendLine($"{series.Instrument.Symbol} {series.TimeFrame} {series.Count}");
            foreach (SourceFile source in series.Sources) text.AppendLine(source.Sha256);
        }
        foreach (var trial in plan.Trials) text.AppendLine(trial.ToString());
        text.AppendLine(walk?.ToString());
        // Another build may run trials otherwise.
        text.AppendLine(typeof(Backtest).Module.ModuleVersionId.ToString());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TrialFileHead))]
[JsonSerializable(typeof(TrialLine))]
public sealed partial class TrialJson : JsonSerializerContext;
