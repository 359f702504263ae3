using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// LEAN's layouts. Bars: stamp (milliseconds since midnight, or <c>YYYYMMDD HH:MM</c>), then bid open, high, low, close, size and the same of the
/// ask, or open, high, low, close, volume of trades. Ticks: milliseconds, then bid and ask, with sizes for shares and coins, or price and size.
/// Prices of shares are ten-thousandths in New York time, all else is decimal in UTC.
/// </summary>
internal static class LeanFeed
{
    private const int EquityShift = 4;

    public static void Read(string file, byte[] content, FeedFormat format, SeriesBuilder series)
    {
        bool isEquity = (format.AssetClass ?? series.Instrument.AssetClass) == AssetClass.Equity;
        var zone = new LocalTimes(series.Options.TimeZone ?? (isEquity ? "America/New_York" : "Etc/UTC"));
        long midnight = format.Date?.ToDateTime(default).Ticks ?? -1;
        int shift = isEquity ? EquityShift : 0;
        series.Reserve(content);
        if (series.TimeFrame.IsTick) ReadTicks(file, content, format, series, zone, midnight, shift);
        else ReadBars(file, content, format, series, zone, midnight, shift);
    }

    private static void ReadBars(string file, byte[] content, FeedFormat format, SeriesBuilder series, LocalTimes zone, long midnight, int shift)
    {
        bool isQuote = format.Side == LeanSide.Quote;
        int expected = isQuote ? 11 : 6;
        long spread = series.Options.SpreadPoints ?? 0;
        var rows = new CsvRows(content, (byte)',');
        Span<FieldRange> fields = stackalloc FieldRange[16];
        while (rows.Next(fields, out int count))
        {
            var place = new RowPlace(file, rows.Line);
            if (count < expected) throw place.Fault($"{count} columns, expected {expected} of a LEAN {format.Side} bar");
            DateTime time = Time(place, rows[fields[0]], zone, midnight);
            if (isQuote)
            {
                if (rows[fields[1]].IsEmpty || rows[fields[6]].IsEmpty)
                {
                    series.Reject();
                    continue;
                }
                Ohlc bid = Prices(place, rows, fields[1..], series.Instrument, shift, PriceNames.Bid);
                Ohlc ask = Prices(place, rows, fields[6..], series.Instrument, shift, PriceNames.Ask);
                series.Add(new Bar(time, bid, ask, 0));
            }
            else
            {
                Ohlc trade = Prices(place, rows, fields[1..], series.Instrument, shift, PriceNames.Trade);
                series.Add(new Bar(time, trade, trade.Shift(spread), place.Volume("volume", rows[fields[5]])));
            }
        }
    }

    private static void ReadTicks(string file, byte[] content, FeedFormat format, SeriesBuilder series, LocalTimes zone, long midnight, int shift)
    {
        int digits = series.Instrument.Digits;
        double step = (double)series.Instrument.VolumeStep;
        var rows = new CsvRows(content, (byte)',');
        Span<FieldRange> fields = stackalloc FieldRange[16];
        while (rows.Next(fields, out int count))
        {
            var place = new RowPlace(file, rows.Line);
            if (count < 3) throw place.Fault($"{count} columns, expected at least 3 of a LEAN tick");
            DateTime time = Time(place, rows[fields[0]], zone, midnight);
            if (format.Side == LeanSide.Trade)
            {
                long price = place.Price("price", rows[fields[1]], digits, shift);
                long size = Steps(place.Volume("size", rows[fields[2]]), step);
                series.Add(new Quote(time, price, price, size, size));
            }
            else if (count >= 5)
            {
                if (IsNothing(rows[fields[1]]) || IsNothing(rows[fields[3]]))
                {
                    series.Reject();
                    continue;
                }
                series.Add(new Quote(
                    time, place.Price("bid", rows[fields[1]], digits, shift), place.Price("ask", rows[fields[3]], digits, shift),
                    Steps(place.Volume("bid size", rows[fields[2]]), step), Steps(place.Volume("ask size", rows[fields[4]]), step)));
            }
            else
            {
                series.Add(new Quote(
                    time, place.Price("bid", rows[fields[1]], digits, shift), place.Price("ask", rows[fields[2]], digits, shift)));
            }
        }
    }

    private static DateTime Time(RowPlace place, ReadOnlySpan<byte> text, LocalTimes zone, long midnight)
    {
        if (midnight >= 0)
        {
            return FeedNumbers.TryMilliseconds(text, out long ticks)
                ? zone.ToUtc(midnight + ticks)
                : throw place.Fault("time", text, "milliseconds since midnight, 0 to 86399999");
        }
        return text.Length > 8 && FeedNumbers.TryTime(text, out long stamp, out _)
            ? zone.ToUtc(stamp)
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
