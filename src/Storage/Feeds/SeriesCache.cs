using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Files;
using Microsoft.Win32.SafeHandles;
using NodaTime;

namespace HybridTrading.Storage.Feeds;

/// <summary>What a cache holds.</summary>
/// <param name="Bytes">On disk.</param>
public sealed record SeriesCacheStatus(string Folder, int Series, long Bytes);

/// <summary>
/// Series that were parsed once, as files that are mapped into memory: a run reads them where they lie, so data of any length take the same memory.
/// A file's name is the hash of all that its content depends on (the content of the source files, how they are read, and by which build of this program),
/// so it is never out of date; each is proved by checksums when it is opened, and made anew where it does not pass. What the cache holds can be deleted at
/// any time, and any number of processes can use one folder at once.
/// </summary>
/// <remarks>The series that it returns are views of its files: they are valid until it is disposed. Not thread-safe.</remarks>
public sealed class SeriesCache : IDisposable
{
    /// <summary>Bytes; the least recently used go when there is more.</summary>
    public const long DefaultLimit = 4L << 30;

    private const string Extension = ".series", Unfinished = ".building";
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private readonly string _folder;
    private readonly long _limit;
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, IDisposable> _open = new(StringComparer.Ordinal);

    /// <param name="folder">Made at need.</param>
    /// <param name="limit">Bytes that its files may take once it is disposed.</param>
    public SeriesCache(string folder, long limit = DefaultLimit, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        (_folder, _limit, _clock) = (Path.GetFullPath(folder), limit, clock ?? TimeProvider.System);
    }

    /// <summary>Where the platform keeps what can be made anew: XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, %LOCALAPPDATA%.</summary>
    public static string DefaultFolder
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            string root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
                : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } set && Path.IsPathRooted(set) ? set
                : Path.Combine(home, ".cache");
            return Path.Combine(root, "HybridTrading", "series");
        }
    }

    /// <summary>As <see cref="FeedReader.ReadAll"/>, parsing only what is not in the cache.</summary>
    /// <remarks>Where the cache cannot be written, it says so by <see cref="FeedOptions.Warn"/> and reads into memory.</remarks>
    /// <inheritdoc cref="FeedReader.ReadAll"/>
    public ImmutableArray<MarketSeries> ReadAll(IEnumerable<string> paths, FeedOptions? options = null) =>
        [.. FeedReader.Plan(paths, options ?? FeedOptions.Default).Select(Read)];

    public static SeriesCacheStatus Status(string folder)
    {
        FileInfo[] files = Files(folder);
        return new SeriesCacheStatus(Path.GetFullPath(folder), files.Length, files.Sum(file => file.Length));
    }

    /// <summary>Deletes all series that nobody holds. Files of others in the folder stay.</summary>
    /// <returns>What was deleted.</returns>
    public static SeriesCacheStatus Clear(string folder)
    {
        FileInfo[] gone = [.. Files(folder).Where(file => TryDelete(file.FullName))];
        return new SeriesCacheStatus(Path.GetFullPath(folder), gone.Length, gone.Sum(file => file.Length));
    }

    /// <summary>Unmaps its series, which must not be used any more, and keeps the folder's limit.</summary>
    public void Dispose()
    {
        foreach (IDisposable rows in _open.Values) rows.Dispose();
        _open.Clear();
        Trim();
    }

    private MarketSeries Read(SeriesPlan plan)
    {
        if (plan.Files.IsEmpty) return FeedReader.InMemory(plan);
        ImmutableArray<SourceFile> sources = [.. plan.Files.Select(file => Source(file.Path))];
        byte[] key = SeriesKey.Of(plan, sources);
        string path = Path.Combine(_folder, Convert.ToHexStringLower(key) + Extension);
        try
        {
            if (Open(path, key, plan, sources) is { } known) return known;
            Build(path, key, plan, sources);
            return Open(path, key, plan, sources) ?? throw new IOException("what was just written is gone");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            plan.Options.Warn?.Invoke($"the cache {_folder} cannot be used ({refused.Message}); the data are read into memory");
            return FeedReader.InMemory(plan);
        }
    }

    private static SourceFile Source(string path)
    {
        using FeedFile file = FeedFile.Open(path);
        return new SourceFile(path, file.Sha256());
    }

    /// <returns>Null when there is no such file, or none that can be trusted.</returns>
    private MarketSeries? Open(string path, byte[] key, SeriesPlan plan, ImmutableArray<SourceFile> sources)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        try
        {
            SeriesFile.Head head = SeriesFile.Check(file.SafeFileHandle, key);
            Instrument instrument = plan.Origin.WithDigits(head.Digits);
            MarketSeries series = head.TimeFrame.IsTick
                ? MarketSeries.OfQuotes(instrument, Map<Quote>(path, file, head), head.Quality, sources)
                : MarketSeries.OfBars(instrument, head.TimeFrame, Map<Bar>(path, file, head), head.Quality, sources);
            Touch(path);
            return series;
        }
        catch (Exception damaged) when (damaged is InvalidDataException or ArgumentOutOfRangeException)
        {
            file.Dispose();
            plan.Options.Warn?.Invoke($"{path}: not a file that the cache can use ({damaged.Message}); it is made anew");
            File.Delete(path);
            return null;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private ReadOnlyMemory<T> Map<T>(string path, FileStream file, SeriesFile.Head head) where T : unmanaged
    {
        var rows = new MappedRows<T>(file, SeriesFile.HeaderSize, (int)head.Rows);
        // The same data twice in one run are mapped twice.
        _open.Add($"{_open.Count}:{path}", rows);
        return rows.Memory;
    }

    /// <summary>Parses the files into a file beside, which takes its place when it is whole.</summary>
    private void Build(string path, byte[] key, SeriesPlan plan, ImmutableArray<SourceFile> sources)
    {
        new FileDoor().CreateFolder(_folder);
        RemoveAbandoned();
        string building = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            // Held by its lock until it is whole: what a killed process leaves behind can be told from what another is at work on.
            using (SafeFileHandle file = File.OpenHandle(building, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                (SeriesFileWriter rows, ParsedSeries parsed) = plan.Read(() =>
                {
                    RandomAccess.SetLength(file, 0);
                    return new SeriesFileWriter(file, key);
                });
                if (!parsed.Sources.SequenceEqual(sources)) throw new FeedException($"{plan.Files[0].Path}: changed while it was read; start again");
                rows.Finish(parsed);
            }
            Place(building, path);
        }
        finally
        {
            File.Delete(building);
        }
        Trim();
    }

    private static void Place(string building, string path)
    {
        try
        {
            File.Move(building, path, overwrite: true);
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException && File.Exists(path))
        {
            // Windows does not replace a file that another process has mapped: that one is as good, or does not pass when it is opened.
        }
    }

    /// <summary>When a file was last used is when it was last written: access times are kept coarsely or not at all.</summary>
    private void Touch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, _clock.GetUtcNow().UtcDateTime);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Another's file, or gone by now: it only goes earlier.
        }
    }

    /// <summary>Deletes the least recently used beyond the limit, but nothing that this process has open.</summary>
    private void Trim()
    {
        FileInfo[] files = Files(_folder);
        long total = files.Sum(file => file.Length);
        foreach (FileInfo file in files.OrderBy(file => file.LastWriteTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal))
        {
            if (total <= _limit) return;
            if (_open.Keys.Any(open => open.EndsWith(file.FullName, StringComparison.Ordinal))) continue;
            if (TryDelete(file.FullName)) total -= file.Length;
        }
    }

    private void RemoveAbandoned()
    {
        DateTime before = _clock.GetUtcNow().UtcDateTime - Abandoned;
        foreach (FileInfo file in new DirectoryInfo(_folder).GetFiles("*" + Unfinished).Where(file => file.LastWriteTimeUtc < before))
        {
            try
            {
                using (File.OpenHandle(file.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                }
                file.Delete();
            }
            catch (Exception held) when (held is IOException or UnauthorizedAccessException)
            {
                // Somebody is at work on it.
            }
        }
    }

    private static FileInfo[] Files(string folder)
    {
        var info = new DirectoryInfo(folder);
        try
        {
            return info.Exists ? [.. info.GetFiles("*" + Extension)] : [];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

/// <summary>What a series is made of, as one hash.</summary>
internal static class SeriesKey
{
    /// <summary>SHA-256 over the content of the files and all that changes what is read from them.</summary>
    public static byte[] Of(SeriesPlan plan, ImmutableArray<SourceFile> sources)
    {
        FeedOptions options = plan.Options;
        var text = new StringBuilder();
        // Whoever changes the reader makes another module: nobody has to remember a number.
        Line("build", typeof(SeriesKey).Module.ModuleVersionId, typeof(MarketSeries).Module.ModuleVersionId);
        Line("format", SeriesFile.FormatVersion);
        Line("time zones", DateTimeZoneProviders.Tzdb.VersionId);
        Line("instrument", JsonSerializer.Serialize(plan.Origin, SeriesKeyJson.Default.Instrument));
        Line("period", options.From?.Ticks, options.To?.Ticks);
        Line("read as", options.TimeZone, options.SpreadPoints, options.Side, options.Columns);
        foreach (((_, FeedFormat format), SourceFile source) in plan.Files.Zip(sources)) Line("file", source.Sha256, format);
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));

        // Each value is written with its length: no two lists of values read alike.
        void Line(string name, params ReadOnlySpan<object?> values)
        {
            text.Append(name);
            foreach (object? value in values)
            {
                string written = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
                text.Append(CultureInfo.InvariantCulture, $" {(value is null ? -1 : written.Length)}:{written}");
            }
            text.Append('\n');
        }
    }
}

[JsonSerializable(typeof(Instrument))]
internal sealed partial class SeriesKeyJson : JsonSerializerContext;
