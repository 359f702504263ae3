using System.Globalization;
using System.IO.Compression;
using HybridTrading.Domain.Markets;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>The real data beside the checkout, read here in the simplest way: what the feeds make of it is their own tests' matter.</summary>
internal static class MarketFiles
{
    /// <summary>A MetaTrader history with a zero spread, for example <c>gbpusd_h1</c>.</summary>
    public static MarketSeries Mt5(string name)
    {
        Instrument instrument = InstrumentCatalog.Get(name.Split('_')[0]);
        List<Bar> bars = [];
        foreach (string[] cells in Rows(SharedData.Path($"data/mt5-history/{name}.zip"), header: true))
        {
            var time = DateTime.Parse(cells[0], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
            Ohlc bid = Prices(instrument, cells, 1);
            bars.Add(new Bar(time, bid, bid, double.Parse(cells[5], CultureInfo.InvariantCulture)));
        }
        return MarketSeries.OfBars(instrument, TimeFrame.Parse(name.Split('_')[1]), bars.ToArray());
    }

    /// <summary>LEAN's quotes or minutes of an instrument, all days, for example <c>forex/oanda/tick/eurusd</c>.</summary>
    public static MarketSeries Lean(string folder, int digits)
    {
        Instrument instrument = InstrumentCatalog.GetOrDefault(folder.Split('/')[^1], digits);
        bool ticks = folder.Contains("/tick/");
        List<Quote> quotes = [];
        List<Bar> bars = [];
        foreach (string file in Directory.GetFiles(SharedData.Path($"data/lean/{folder}"), "*_quote.zip").Order(StringComparer.Ordinal))
        {
            var day = DateTime.ParseExact(Path.GetFileName(file)[..8], "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
            foreach (string[] cells in Rows(file, header: false))
            {
                DateTime time = day.AddTicks((long)(decimal.Parse(cells[0], CultureInfo.InvariantCulture) * TimeSpan.TicksPerMillisecond));
                if (ticks) quotes.Add(new Quote(time, Points(instrument, cells[1]), Points(instrument, cells[2])));
                else bars.Add(new Bar(time, Prices(instrument, cells, 1), Prices(instrument, cells, 6), 0));
            }
        }
        return ticks ? MarketSeries.OfQuotes(instrument, quotes.ToArray()) : MarketSeries.OfBars(instrument, TimeFrame.M1, bars.ToArray());
    }

    private static Ohlc Prices(Instrument instrument, string[] cells, int first) => new(
        Points(instrument, cells[first]), Points(instrument, cells[first + 1]), Points(instrument, cells[first + 2]), Points(instrument, cells[first + 3]));

    private static long Points(Instrument instrument, string price) => instrument.ToPoints(decimal.Parse(price, CultureInfo.InvariantCulture));

    private static IEnumerable<string[]> Rows(string path, bool header)
    {
        using ZipArchive zip = ZipFile.OpenRead(path);
        using var reader = new StreamReader(zip.Entries.Single().Open());
        if (header) reader.ReadLine();
        while (reader.ReadLine() is { } line) yield return line.Split(',');
    }
}
