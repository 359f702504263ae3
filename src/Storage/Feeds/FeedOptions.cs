using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>What the reader of a feed is told; what is null is taken from the file's name, path and content.</summary>
public sealed record FeedOptions
{
    public static readonly FeedOptions Default = new();

    /// <summary>
    /// Symbol of the data, where the name does not say it; of files that say theirs, only those of this symbol are read. Files that state
    /// another (<see cref="SymbolEvidence.Statement"/>) are refused when nothing else is there.
    /// </summary>
    public string? Symbol { get; init; }

    /// <summary>Told, in one line, of what was taken although a file's name speaks against it; null when nobody listens.</summary>
    public Action<string>? Warn { get; init; }

    public TimeFrame? TimeFrame { get; init; }

    /// <summary>The instrument itself, instead of the catalogue's; its digits grow when the data needs more.</summary>
    public Instrument? Instrument { get; init; }

    /// <summary>Only quotes, or bars that open, at or after this time (UTC).</summary>
    public DateTime? From { get; init; }

    /// <summary>Only quotes, or bars that open, before this time (UTC).</summary>
    public DateTime? To { get; init; }

    /// <summary>
    /// IANA zone of times that carry none: for MetaTrader's own exports the broker's (default Europe/Athens, which most of them follow),
    /// for LEAN's files as LEAN defines it, else UTC.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>Ask less bid in points for bars of one side; null takes the file's spread column, else 0.</summary>
    public long? SpreadPoints { get; init; }

    /// <summary>LEAN: quote bars or trade bars, where a folder holds both; null prefers trades for shares and quotes elsewhere.</summary>
    public LeanSide? Side { get; init; }

    /// <summary>Which columns hold what, for files whose header is not understood by itself.</summary>
    public FeedColumns? Columns { get; init; }
}

/// <summary>Whether a LEAN file holds quotes or trades.</summary>
public enum LeanSide { Quote, Trade }

/// <summary>
/// A map of a table's columns: each is a header name (in any case) or a number from 0. A table without a header has numbers only.
/// </summary>
public sealed record FeedColumns
{
    public string? Date { get; init; }

    public string? Time { get; init; }

    public string? Open { get; init; }

    public string? High { get; init; }

    public string? Low { get; init; }

    public string? Close { get; init; }

    public string? Volume { get; init; }

    public string? Spread { get; init; }

    public string? Bid { get; init; }

    public string? Ask { get; init; }

    /// <summary>
    /// A .NET date and time format, or <c>unix</c>, <c>unixms</c>; null understands ISO 8601, <c>2020.01.31 23:59</c>, <c>20200131 2359</c>
    /// and the like.
    /// </summary>
    public string? TimeFormat { get; init; }

    /// <summary>Reads <c>time=Date,open=O,high=H,low=L,close=C,volume=V,format=dd/MM/yyyy HH:mm</c>.</summary>
    /// <exception cref="FormatException">Names the part that is wrong.</exception>
    public static FeedColumns Parse(string text)
    {
        var columns = new FeedColumns();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=');
            if (equals <= 0 || equals == part.Length - 1) throw new FormatException($"columns: '{part}' is not name=column");
            string column = part[(equals + 1)..].Trim();
            columns = part[..equals].Trim().ToLowerInvariant() switch
            {
                "date" => columns with { Date = column },
                "time" => columns with { Time = column },
                "open" => columns with { Open = column },
                "high" => columns with { High = column },
                "low" => columns with { Low = column },
                "close" => columns with { Close = column },
                "volume" => columns with { Volume = column },
                "spread" => columns with { Spread = column },
                "bid" => columns with { Bid = column },
                "ask" => columns with { Ask = column },
                "format" => columns with { TimeFormat = column },
                string name => throw new FormatException(
                    $"columns: unknown '{name}'; expected date, time, open, high, low, close, volume, spread, bid, ask or format"),
            };
        }
        bool hasBars = columns is { Open: not null, High: not null, Low: not null, Close: not null };
        bool hasQuotes = columns is { Bid: not null, Ask: not null };
        if (columns is { Date: null, Time: null }) throw new FormatException("columns: expected time=, or date= and time=");
        return hasBars != hasQuotes
            ? columns
            : throw new FormatException("columns: expected either open=, high=, low= and close=, or bid= and ask=");
    }
}
