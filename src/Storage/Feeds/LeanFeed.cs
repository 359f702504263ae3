using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// LEAN's layouts. Bars: stamp (milliseconds since midnight, or <c>YYYYMMDD HH:MM</c>), then bid open, high, low, close, size and the same of the
/// ask, or open, high, low, close, volume of trades. Ticks: milliseconds, then bid and ask, with sizes for shares and coins, or price and size.
/// Prices of shares are ten-thousandths in New York time, all else is decimal in UTC.
/// </summary>
internal sealed class LeanFeed : IRowParser
{
    private const int EquityShift = 4;

    private readonly string _file;
    private readonly FeedFormat _format;
    private readonly SeriesBuilder _series;
    private readonly LocalTimes _zone;
    private readonly long _midnight;
    private readonly int _shift;

    public LeanFeed(string file, FeedFormat format, SeriesBuilder series)
    {
        bool isEquity = (format.AssetClass ?? series.Instrument.AssetClass) == AssetClass.Equity;
        (_file, _format, _series) = (file, format, series);
        _zone = new LocalTimes(series.Options.TimeZone ?? (isEquity ? "America/New_York" : "Etc/UTC"));
        _midnight = format.Date?.ToDateTime(default).Ticks ?? -1;
        _shift = isEquity ? EquityShift : 0;
    }

    public void Read(ReadOnlySpan<byte> lines, long firstLine)
    {
        if (_series.TimeFrame.IsTick) ReadTicks(lines, firstLine);
        else ReadBars(lines, firstLine);
    }

    private void ReadBars(ReadOnlySpan<byte> lines, long firstLine)
    {
        bool isQuote = _format.Side == LeanSide.Quote;
        int expected = isQuote ? 11 : 6;
        long spread = _series.Options.SpreadPoints ?? 0;
        var rows = new CsvRows(lines, (byte)',', firstLine);
        Span<FieldRange> fields = stackalloc FieldRange[16];
        while (rows.Next(fields, out int count))
        {
            var place = new RowPlace(_file, rows.Line);
            if (count < expected) throw place.Fault($"{count} columns, expected {expected} of a LEAN {_format.Side} bar");
            DateTime time = Time(place, rows[fields[0]]);
            if (isQuote)
            {
                if (rows[fields[1]].IsEmpty || rows[fields[6]].IsEmpty)
                {
                    _series.Reject();
                    continue;
                }
                Ohlc bid = Prices(place, rows, fields[1..], _series.Instrument, _shift, PriceNames.Bid);
                Ohlc ask = Prices(place, rows, fields[6..], _series.Instrument, _shift, PriceNames.Ask);
                _series.Add(new Bar(time, bid, ask, 0));
            }
            else
            {
                Ohlc trade = Prices(place, rows, fields[1..], _series.Instrument, _shift, PriceNames.Trade);
                _series.Add(new Bar(time, trade, trade.Shift(spread), place.Volume("volume", rows[fields[5]])));
            }
        }
    }

    private void ReadTicks(ReadOnlySpan<byte> lines, long firstLine)
    {
        int digits = _series.Instrument.Digits;
        double step = (double)_series.Instrument.VolumeStep;
        var rows = new CsvRows(lines, (byte)',', firstLine);
        Span<FieldRange> fields = stackalloc FieldRange[16];
        while (rows.Next(fields, out int count))
        {
            var place = new RowPlace(_file, rows.Line);
            if (count < 3) throw place.Fault($"{count} columns, expected at least 3 of a LEAN tick");
            DateTime time = Time(place, rows[fields[0]]);
            if (_format.Side == LeanSide.Trade)
            {
                long price = place.Price("price", rows[fields[1]], digits, _shift);
                long size = Steps(place.Volume("size", rows[fields[2]]), step);
                _series.Add(new Quote(time, price, price, size, size));
            }
            else if (count >= 5)
            {
                if (IsNothing(rows[fields[1]]) || IsNothing(rows[fields[3]]))
                {
                    _series.Reject();
                    continue;
                }
                _series.Add(new Quote(
                    time, place.Price("bid", rows[fields[1]], digits, _shift), place.Price("ask", rows[fields[3]], digits, _shift),
                    Steps(place.Volume("bid size", rows[fields[2]]), step), Steps(place.Volume("ask size", rows[fields[4]]), step)));
            }
            else
            {
                _series.Add(new Quote(
                    time, place.Price("bid", rows[fields[1]], digits, _shift), place.Price("ask", rows[fields[2]], digits, _shift)));
            }
        }
    }

    private DateTime Time(RowPlace place, ReadOnlySpan<byte> text)
    {
        if (_midnight >= 0)
        {
            return FeedNumbers.TryMilliseconds(text, out long ticks)
                ? _zone.ToUtc(_midnight + ticks)
                : throw place.Fault("time", text, "milliseconds since midnight, 0 to 86399999");
        }
        return text.Length > 8 && FeedNumbers.TryTime(text, out long stamp, out _)
            ? _zone.ToUtc(stamp)
            : throw place.Fault("time", text, "a stamp such as 20070101 21:00");
    }

    private static Ohlc Prices(
        RowPlace place, in CsvRows rows, scoped ReadOnlySpan<FieldRange> fields, Instrument instrument, int shift, PriceNames names)
    {
        int digits = instrument.Digits;
        var prices = new Ohlc(
            place.Price(names.Open, rows[fields[0]], digits, shift), place.Price(names.High, rows[fields[1]], digits, shift),
            place.Price(names.Low, rows[fields[2]], digits, shift), place.Price(names.Close, rows[fields[3]], digits, shift));
        place.CheckEnclosed(prices, instrument);
        return prices;
    }

    private static bool IsNothing(ReadOnlySpan<byte> text) => text.IsEmpty || text.SequenceEqual("0"u8);

    // A size that is a whole number of steps may lie a hair below it in binary.
    private static long Steps(double size, double step) => (long)Math.Floor((size / step) + 1e-6);

    private sealed record PriceNames(string Open, string High, string Low, string Close)
    {
        public static readonly PriceNames Bid = new("bid open", "bid high", "bid low", "bid close");
        public static readonly PriceNames Ask = new("ask open", "ask high", "ask low", "ask close");
        public static readonly PriceNames Trade = new("open", "high", "low", "close");
    }
}
