using System.CommandLine;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary>Where parsed data are kept, so that a file is parsed once.</summary>
public sealed class CacheOptions
{
    private readonly Option<string?> _folder = FolderOption();
    private readonly Option<bool> _none = new("--no-cache") { Description = "parse the files again, into memory" };
    private readonly Option<long> _size = new("--cache-size")
    {
        Description = "megabytes that parsed data may take; the least recently used go first",
        DefaultValueFactory = _ => SeriesCache.DefaultLimit >> 20,
    };

    public IEnumerable<Option> All => [_folder, _none, _size];

    public static Option<string?> FolderOption() => new("--cache") { Description = $"folder of parsed data; default: {SeriesCache.DefaultFolder}" };

    /// <returns>Null for none. The series that it loads are valid until it is disposed.</returns>
    public SeriesCache? Open(ParseResult parsed)
    {
        long size = parsed.GetValue(_size);
        if (size is < 1 or > 1 << 30) throw new UsageException($"--cache-size is {size}; expected 1 to {1 << 30} megabytes");
        return parsed.GetValue(_none) ? null : new SeriesCache(parsed.GetValue(_folder) ?? SeriesCache.DefaultFolder, size << 20);
    }
}
