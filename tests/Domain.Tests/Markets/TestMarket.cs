using System.Globalization;
using System.IO.Compression;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Tests.Markets;

/// <summary>Real and generated bars and quotes for tests.</summary>
internal static class TestMarket
{
    public static readonly Instrument Gbpusd = InstrumentCatalog.Get("GBPUSD");

    public static readonly DateTime Monday = new(2024, 1, 8, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The 57,600 hours of GBPUSD that the reference figures were measured on.</summary>
    public static Bar[] GbpusdHours() => Hours("gbpusd_h1", 5);

    public static Bar[] Hours(string name, int digits)
    {
        using ZipArchive zip = ZipFile.OpenRead(HybridTrading.Tests.SharedData.Path($"data/mt5-history/{name}.zip"));
        using var reader = new StreamReader(zip.Entries.Single().Open());
        List<Bar> bars = [];
        reader.ReadLine();
        decimal scale = (decimal)Math.Pow(10, digits);
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split(',');
            long[] prices = [.. cells[1..5].Select(cell => (long)(decimal.Parse(cell, CultureInfo.InvariantCulture) * scale))];
            var ohlc = new Ohlc(prices[0], prices[1], prices[2], prices[3]);
            var time = DateTime.Parse(cells[0], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
            bars.Add(new Bar(time, ohlc, ohlc, double.Parse(cells[5], CultureInfo.InvariantCulture)));
        }
        return [.. bars];
    }

    /// <summary>
    /// Hours whose prices lie close together, so that equal prices, flat bars and flat stretches are common.
    /// </summary>
    public static Arbitrary<Bar[]> AnyBars(int atMost = 120) => Arb.From(
        from steps in Gen.Choose(1, atMost).SelectMany(count => Gen.ListOf(
            from move in Gen.Frequency((3, Gen.Choose(-6, 6)), (2, Gen.Constant(0)), (1, Gen.Choose(-400, 400)))
            from up in Gen.Frequency((1, Gen.Constant(0)), (2, Gen.Choose(0, 8)))
            from down in Gen.Frequency((1, Gen.Constant(0)), (2, Gen.Choose(0, 8)))
            from volume in Gen.Frequency((1, Gen.Constant(0)), (4, Gen.Choose(1, 5000)))
            select (move, up, down, volume), count))
        select ToBars(steps));

    private static Bar[] ToBars(IEnumerable<(int Move, int Up, int Down, int Volume)> steps)
    {
        long price = 100_000;
        DateTime time = Monday;
        List<Bar> bars = [];
        foreach ((int move, int up, int down, int volume) in steps)
        {
            long open = price;
            price = Math.Max(1000, price + move);
            var ohlc = new Ohlc(open, Math.Max(open, price) + up, Math.Min(open, price) - down, price);
            bars.Add(new Bar(time, ohlc, ohlc, volume));
            time = time.AddHours(1);
        }
        return [.. bars];
    }
}
