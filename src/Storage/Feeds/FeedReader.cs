using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// Reads market data from CSV files, plain or zipped, and from whole folders of them: MetaTrader 5 exports, LEAN data folders, and any table
/// of bars or quotes with a header. Files of one symbol and time frame become one series.
/// </summary>
public static class FeedReader
{
    /// <summary>Reads files and folders that hold one symbol at one time frame.</summary>
    /// <exception cref="FeedException">As <see cref="ReadAll"/>; also when there is more than one series.</exception>
    public static MarketSeries Read(string path, FeedOptions? options = null)
    {
        ImmutableArray<MarketSeries> all = ReadAll([path], options);
        return all.Length == 1
            ? all[0]
            : throw new FeedException($"{path}: holds {string.Join(", ", all.Select(Name))}; expected one, choose by symbol or time frame");
    }

    /// <summary>
    /// Reads files and folders (with their subfolders) into a series for each symbol and time frame, ordered by symbol, then time frame.
    /// </summary>
    /// <exception cref="FeedException">One line naming file, line, column, value and expectation.</exception>
    public static ImmutableArray<MarketSeries> ReadAll(IEnumerable<string> paths, FeedOptions? options = null) =>
        [.. Plan(paths, options ?? FeedOptions.Default).Select(InMemory)];

    internal static MarketSeries InMemory(SeriesPlan plan)
    {
        (RowsInMemory rows, ParsedSeries parsed) = plan.Read(() => new RowsInMemory());
        return rows.Series(parsed);
    }

    /// <summary>The series that the files and folders hold, and which files make up each.</summary>
    /// <exception cref="FeedException">As <see cref="ReadAll"/>, as far as names and first lines tell.</exception>
    internal static ImmutableArray<SeriesPlan> Plan(IEnumerable<string> paths, FeedOptions options)
    {
        if (options.From >= options.To) throw new FeedException($"the period from {options.From:u} to {options.To:u} is empty");
        List<(string Path, FeedFormat Format)> files = [];
        foreach (string path in paths)
        {
            foreach (string file in Expand(path)) files.Add((file, FeedFormat.Detect(file, options)));
        }
        if (files.Count == 0) throw new FeedException("no files of market data given");
        if (options.Symbol is { } symbol) files = OfSymbol(files, symbol.ToUpperInvariant(), options.Warn);
        if (files.Find(file => file.Format.Symbol.Length == 0) is { Path: { } unnamed })
        {
            throw new FeedException($"{unnamed}: the name does not say the symbol; give it with --symbol");
        }

        var series = ImmutableArray.CreateBuilder<SeriesPlan>();
        var groups = files.GroupBy(file => (file.Format.Symbol, file.Format.TimeFrame))
            .OrderBy(group => group.Key.Symbol, StringComparer.Ordinal).ThenBy(group => group.Key.TimeFrame ?? TimeFrame.Tick);
        foreach (var group in groups)
        {
            FeedKind kind = group.First().Format.Kind;
            if (group.FirstOrDefault(file => file.Format.Kind != kind) is { Path: { } other })
            {
                string what = $"{group.Key.Symbol} {group.Key.TimeFrame}";
                throw new FeedException($"{what} is in {group.First().Path} and, of another source, in {other}: choose one");
            }
            List<(string Path, FeedFormat Format)> chosen = OneSide([.. group], options);
            chosen.Sort((a, b) => (a.Format.Date ?? default).CompareTo(b.Format.Date ?? default) is var byDate && byDate != 0
                ? byDate
                : string.CompareOrdinal(a.Path, b.Path));
            series.Add(new SeriesPlan([.. chosen], options));
        }
        return series.ToImmutable();
    }

    /// <summary>The files that are of the symbol by their own word; where there are none, those that do not say otherwise.</summary>
    private static List<(string Path, FeedFormat Format)> OfSymbol(
        List<(string Path, FeedFormat Format)> files, string symbol, Action<string>? warn)
    {
        List<(string Path, FeedFormat Format)> own =
            files.FindAll(file => file.Format.Evidence != SymbolEvidence.None && file.Format.CanMean(symbol));
        if (own.Count > 0) return own;
        foreach ((string path, FeedFormat format) in files)
        {
            if (format.CanMean(symbol)) continue;
            if (format.Evidence == SymbolEvidence.Statement)
            {
                throw new FeedException(
                    $"{path}: holds {format.OwnSymbol} by its name, but --symbol is {symbol}; leave --symbol out, or rename the file");
            }
            warn?.Invoke($"{path}: taken for {symbol}, as --symbol says; its name looks like {format.OwnSymbol}");
        }
        return files;
    }

    private static List<(string Path, FeedFormat Format)> OneSide(List<(string Path, FeedFormat Format)> files, FeedOptions options)
    {
        if (files.TrueForAll(file => file.Format.Side is null)) return files;
        LeanSide preferred = options.Side ?? (files[0].Format.AssetClass == AssetClass.Equity ? LeanSide.Trade : LeanSide.Quote);
        List<(string Path, FeedFormat Format)> side = files.FindAll(file => file.Format.Side == preferred);
        if (side.Count == 0 && options.Side is { } missing)
        {
            throw new FeedException($"{files[0].Path}: no {missing} files of {files[0].Format.Symbol}");
        }
        return side.Count > 0 ? side : files;
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new FeedException($"{path}: no such file or folder");
        string[] files =
        [
            .. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => file.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || FeedFile.HasTableName(file))
                .Where(file => !IsLeanReference(file))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length > 0 ? files : throw new FeedException($"{path}: no csv or zip files in this folder");
    }

    /// <summary>LEAN keeps split and dividend tables beside its prices.</summary>
    private static bool IsLeanReference(string file) =>
        Path.GetFileName(Path.GetDirectoryName(file)) is "factor_files" or "map_files";

    private static string Name(MarketSeries series) => $"{series.Instrument.Symbol} {series.TimeFrame}";
}
