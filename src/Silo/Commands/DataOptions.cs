using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Silo.Commands;

/// <summary>How files of past data are read: what every command that takes such files understands.</summary>
public sealed class DataOptions
{
    private readonly Option<string[]> _symbols = new("--symbol", "-s") { Description = "instrument, where a file's name does not say it, or to choose from a folder; a file that says another is refused; may be repeated" };
    private readonly Option<string?> _dataFrame = new("--data-timeframe") { Description = "the data's own time frame, where it cannot be told from the file" };
    private readonly Option<string?> _from = new("--from") { Description = "first time, UTC: 2020-01-31 or 2020-01-31T12:00" };
    private readonly Option<string?> _to = new("--to") { Description = "end, UTC, exclusive" };
    private readonly Option<long?> _spread = new("--spread") { Description = "points between bid and ask where the data has one side; default: the data's own, else 0" };
    private readonly Option<string?> _columns = new("--columns") { Description = "which columns of a table hold what: time=Date,open=O,high=H,low=L,close=C" };
    private readonly Option<string?> _timeZone = new("--time-zone") { Description = "IANA zone of times without one (MetaTrader's own exports: Europe/Athens)" };

    public IEnumerable<Option> All => [_symbols, _dataFrame, _from, _to, _spread, _columns, _timeZone];

    /// <summary>A request for these data, and nothing yet to be done with them.</summary>
    public RunRequest Read(ParseResult parsed, IEnumerable<string> files) => new()
    {
        Files = [.. files.Select(Path.GetFullPath)],
        Symbols = [.. (parsed.GetValue(_symbols) ?? []).Select(symbol => symbol.ToUpperInvariant())],
        DataTimeFrame = Frame("--data-timeframe", parsed.GetValue(_dataFrame)),
        From = Time("--from", parsed.GetValue(_from)),
        To = Time("--to", parsed.GetValue(_to)),
        Spread = NotNegative("--spread", parsed.GetValue(_spread)),
        Columns = parsed.GetValue(_columns),
        TimeZone = parsed.GetValue(_timeZone),
    };

    internal static TimeFrame? Frame(string option, string? text) => text is null ? null
        : TimeFrame.TryParse(text, out TimeFrame frame) ? frame
        : throw new UsageException($"{option} is '{text}'; expected tick, S1..S30, M1..M30, H1..H12, D1, W1 or MN1");

    private static DateTime? Time(string option, string? text) => text is null ? null
        : DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime time) ? time
        : throw new UsageException($"{option} is '{text}'; expected a UTC time such as 2020-01-31 or 2020-01-31T12:00");

    internal static long? NotNegative(string option, long? value) =>
        value is < 0 or > 1_000_000 ? throw new UsageException($"{option} is {value}; expected 0 to 1000000 points") : value;
}
