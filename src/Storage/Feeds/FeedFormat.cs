using System.Text;
using System.Text.RegularExpressions;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

public enum FeedKind
{
    /// <summary>A table with a header: time, open, high, low, close, volume, or time, bid, ask.</summary>
    Table,

    /// <summary>MetaTrader 5's own export: tab-separated, header <c>&lt;DATE&gt;	&lt;TIME&gt; ...</c>, broker time.</summary>
    MetaTrader,

    /// <summary>A file of a LEAN data folder: no header, layout by path.</summary>
    Lean,
}

/// <summary>How sure it is what a file's path or name says of the symbol.</summary>
public enum SymbolEvidence
{
    /// <summary>It says nothing: <c>prices.csv</c>.</summary>
    None,

    /// <summary>It looks like one: a first word that no catalogue knows, with a time frame behind it, as <c>acme_d1.csv</c>.</summary>
    Hint,

    /// <summary>It is one: LEAN's layout, or a first word that is an instrument of the catalogue, as <c>gbpusd_h1.zip</c>.</summary>
    Statement,
}

/// <summary>What a file of market data is, from its name, path and first line.</summary>
/// <param name="Symbol">Upper case; empty when nothing says it.</param>
/// <param name="TimeFrame">Null when the name does not say it.</param>
/// <param name="AssetClass">As LEAN's path says it; else null.</param>
/// <param name="Side">Quotes or trades (LEAN).</param>
/// <param name="Date">The day that a LEAN intraday file covers, in the market's zone.</param>
public sealed partial record FeedFormat(FeedKind Kind, string Symbol, TimeFrame? TimeFrame, AssetClass? AssetClass, LeanSide? Side, DateOnly? Date)
{
    /// <summary>The symbol by the file's own path and name, upper case, whatever the reader was told; empty when nothing says it.</summary>
    public string OwnSymbol { get; private init; } = Symbol;

    public SymbolEvidence Evidence { get; private init; }

    /// <summary>Whether the file's own word for its symbol can mean another: brokers add to a symbol (<c>EURUSD</c>, <c>EURUSDm</c>).</summary>
    public bool CanMean(string symbol) => Evidence == SymbolEvidence.None || Covers(OwnSymbol, symbol) || Covers(symbol, OwnSymbol);

    /// <summary>Looks at the file's path and beginning.</summary>
    /// <exception cref="FeedException">Not a readable CSV or zip of one CSV, or empty.</exception>
    public static FeedFormat Detect(string path, FeedOptions? options = null)
    {
        using FeedFile file = FeedFile.Open(path);
        return Detect(path, file.EntryName, file.FirstLine(), options ?? FeedOptions.Default);
    }

    internal static FeedFormat Detect(string path, string entryName, string firstLine, FeedOptions options)
    {
        FeedFormat format = LooksLikeLean(firstLine) && options.Columns is null
            ? OfLean(path, entryName, firstLine)
            : OfTable(path, entryName, firstLine);
        return format with
        {
            Symbol = options.Symbol?.ToUpperInvariant() ?? options.Instrument?.Symbol ?? format.Symbol,
            TimeFrame = options.TimeFrame is { IsTick: false } given ? given : format.TimeFrame ?? options.TimeFrame,
        };
    }

    private static bool Covers(string longer, string shorter) =>
        longer.StartsWith(shorter, StringComparison.OrdinalIgnoreCase) && !InstrumentCatalog.TryGet(longer, out _) || longer == shorter;

    private static bool LooksLikeLean(string firstLine) => LeanStamp().IsMatch(firstLine) || LeanMilliseconds().IsMatch(firstLine);

    private static FeedFormat OfTable(string path, string entryName, string firstLine)
    {
        string name = Path.GetFileNameWithoutExtension(entryName);
        string[] tokens = name.Split(['_', '-', '.', ' '], StringSplitOptions.RemoveEmptyEntries);
        if (tokens.Length < 2)
        {
            string outer = Path.GetFileNameWithoutExtension(path);
            string[] outerTokens = outer.Split(['_', '-', '.', ' '], StringSplitOptions.RemoveEmptyEntries);
            if (outerTokens.Length > tokens.Length) tokens = outerTokens;
        }
        TimeFrame? timeFrame = null;
        foreach (string token in tokens.Skip(1))
        {
            if (Domain.Markets.TimeFrame.TryParse(token, out TimeFrame parsed))
            {
                timeFrame = parsed;
                break;
            }
        }
        string symbol = tokens.Length > 0 && tokens[0].All(char.IsAsciiLetterOrDigit) ? tokens[0].ToUpperInvariant() : "";
        bool native = firstLine.StartsWith("<DATE>", StringComparison.OrdinalIgnoreCase);
        return new FeedFormat(native ? FeedKind.MetaTrader : FeedKind.Table, symbol, timeFrame, null, null, null)
        {
            Evidence = InstrumentCatalog.TryGet(symbol, out _) ? SymbolEvidence.Statement
                : symbol.Length > 0 && timeFrame is not null ? SymbolEvidence.Hint
                : SymbolEvidence.None,
        };
    }

    private static FeedFormat OfLean(string path, string entryName, string firstLine)
    {
        string full = Path.GetFullPath(path);
        string[] folders = (Path.GetDirectoryName(full) ?? "").Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        AssetClass? assetClass = null;
        for (int i = folders.Length - 1; i >= 0 && assetClass is null; i--) assetClass = ClassOf(folders[i]);

        Match entry = LeanEntry().Match(entryName);
        if (entry.Success)
        {
            return new FeedFormat(FeedKind.Lean, entry.Groups["symbol"].Value.ToUpperInvariant(), Resolution(entry.Groups["resolution"].Value),
                assetClass, SideOf(entry.Groups["side"].Value), DateOf(entry.Groups["date"].Value))
            { Evidence = SymbolEvidence.Statement };
        }
        Match day = LeanDayFile().Match(Path.GetFileName(full));
        if (day.Success && folders.Length >= 2)
        {
            return new FeedFormat(FeedKind.Lean, folders[^1].ToUpperInvariant(), Resolution(folders[^2]),
                assetClass, SideOf(day.Groups["side"].Value), DateOf(day.Groups["date"].Value))
            { Evidence = SymbolEvidence.Statement };
        }
        Match whole = LeanWholeFile().Match(Path.GetFileNameWithoutExtension(full));
        bool isTrade = whole.Groups["side"].Success ? SideOf(whole.Groups["side"].Value) == LeanSide.Trade : firstLine.Count(c => c == ',') < 10;
        return new FeedFormat(FeedKind.Lean, whole.Success ? whole.Groups["symbol"].Value.ToUpperInvariant() : "",
            folders.Length > 0 ? Resolution(folders[^1]) : null, assetClass, isTrade ? LeanSide.Trade : LeanSide.Quote, null)
        {
            // Rows without a header in a folder that is none of LEAN's may be anybody's.
            Evidence = !whole.Success ? SymbolEvidence.None
                : assetClass is not null || InstrumentCatalog.TryGet(whole.Groups["symbol"].Value, out _) ? SymbolEvidence.Statement
                : SymbolEvidence.None,
        };
    }

    private static AssetClass? ClassOf(string folder) => folder.ToLowerInvariant() switch
    {
        "forex" => Domain.Markets.AssetClass.Forex,
        "cfd" => Domain.Markets.AssetClass.Other,
        "crypto" => Domain.Markets.AssetClass.Crypto,
        "equity" => Domain.Markets.AssetClass.Equity,
        _ => null,
    };

    private static TimeFrame? Resolution(string text) => text.ToLowerInvariant() switch
    {
        "tick" => Domain.Markets.TimeFrame.Tick,
        "second" => Domain.Markets.TimeFrame.S1,
        "minute" => Domain.Markets.TimeFrame.M1,
        "hour" => Domain.Markets.TimeFrame.H1,
        "daily" => Domain.Markets.TimeFrame.D1,
        _ => null,
    };

    private static LeanSide SideOf(string text) => text.Equals("trade", StringComparison.OrdinalIgnoreCase) ? LeanSide.Trade : LeanSide.Quote;

    private static DateOnly? DateOf(string text) => DateOnly.TryParseExact(text, "yyyyMMdd", out DateOnly date) ? date : null;

    [GeneratedRegex(@"^\d{8} \d{2}:\d{2},")]
    private static partial Regex LeanStamp();

    [GeneratedRegex(@"^\d{1,8}(\.\d+)?,\d")]
    private static partial Regex LeanMilliseconds();

    [GeneratedRegex(@"^(?<date>\d{8})_(?<symbol>\w+)_(?<resolution>tick|second|minute)_(?<side>quote|trade)\.csv$", RegexOptions.IgnoreCase)]
    private static partial Regex LeanEntry();

    [GeneratedRegex(@"^(?<date>\d{8})_(?<side>quote|trade)\.(zip|csv)$", RegexOptions.IgnoreCase)]
    private static partial Regex LeanDayFile();

    [GeneratedRegex(@"^(?<symbol>[A-Za-z0-9]+)(_(?<side>quote|trade))?$", RegexOptions.IgnoreCase)]
    private static partial Regex LeanWholeFile();
}
