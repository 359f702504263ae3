using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Feeds;
using HybridTrading.Tests;

namespace HybridTrading.Storage.Tests.Feeds;

public sealed class FeedReaderTests : IDisposable
{
    private const string Header = "time,open,high,low,close,tick_volume\n";
    private readonly string _folder = Directory.CreateTempSubdirectory("feeds-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("mt5-history/gbpusd_h1.zip", "GBPUSD", "H1", 5, 57600, "2012-11-16T03:00:00", "2022-03-04T21:00:00")]
    [InlineData("mt5-history/usdjpy_h1.zip", "USDJPY", "H1", 3, 57600, "2012-11-16T10:00:00", "2022-03-04T21:00:00")]
    [InlineData("mt5-history/eurusd_d1.zip", "EURUSD", "D1", 5, 2400, "2012-12-04", "2022-03-04")]
    [InlineData("btc/btcusd_h4.zip", "BTCUSD", "H4", 2, 20695, "2016-05-18T04:00:00", "2025-10-28T00:00:00")]
    [InlineData("lean/forex/oanda/hour/eurusd.zip", "EURUSD", "H1", 5, 74439, "2007-01-01T21:00:00", "2018-12-31T21:00:00")]
    [InlineData("lean/forex/oanda/daily/gbpusd.zip", "GBPUSD", "D1", 5, 3738, "2007-01-01", "2018-12-31")]
    [InlineData("lean/cfd/oanda/hour/xauusd.zip", "XAUUSD", "H1", 3, 76499, "2006-03-20", "2019-02-25T23:00:00")]
    [InlineData("lean/cfd/oanda/minute/xauusd", "XAUUSD", "M1", 3, 15222, "2014-05-01", "2014-05-15T23:59:00")]
    [InlineData("lean/forex/oanda/minute/eurusd", "EURUSD", "M1", 5, 18184, "2014-05-01", "2018-04-04T23:59:00")]
    [InlineData("lean/forex/oanda/second/eurusd", "EURUSD", "S1", 5, 12564, "2014-05-01", "2014-05-01T23:59:31")]
    [InlineData("lean/equity/usa/hour/spy.zip", "SPY", "H1", 4, 40832, "1998-01-02T14:00:00", "2021-03-31T19:00:00")]
    [InlineData("lean/equity/usa/daily/aapl.zip", "AAPL", "D1", 4, 5849, "1998-01-02T05:00:00", "2021-03-31T04:00:00")]
    [InlineData("lean/crypto/coinbase/daily/btcusd_trade.zip", "BTCUSD", "D1", 2, 1318, "2014-12-01", "2018-08-13")]
    public void Real_bars_are_read_whole(string file, string symbol, string timeFrame, int digits, int count, string first, string last)
    {
        MarketSeries series = FeedReader.Read(SharedData.Path("data/" + file));

        Assert.Equal((symbol, timeFrame), (series.Instrument.Symbol, series.TimeFrame.ToString()));
        Assert.Equal((digits, count), (series.Instrument.Digits, series.Count));
        Assert.Equal(new FeedQuality(count, 0, 0, 0, series.Quality.Gaps), series.Quality);
        Assert.Equal([Utc(first), Utc(last)], [series.Bars.Span[0].OpenTime, series.Bars.Span[^1].OpenTime]);
        Assert.Equal(DateTimeKind.Utc, series.Bars.Span[0].OpenTime.Kind);
    }

    [Fact]
    public void Real_ticks_are_read_whole_and_exact()
    {
        MarketSeries series = FeedReader.Read(SharedData.Path("data/lean/forex/oanda/tick/eurusd"));

        Assert.True(series.IsTicks);
        Assert.Equal(73520, series.Count);
        Assert.Equal(new Quote(Utc("2014-05-01").AddMilliseconds(292), 138676, 138686), series.Quotes.Span[0]);
        Assert.Equal(2, series.Sources.Length);
    }

    [Fact]
    public void Every_real_row_equals_its_text()
    {
        string path = SharedData.Path("data/lean/cfd/oanda/hour/xauusd.zip");
        MarketSeries series = FeedReader.Read(path);
        using ZipArchive zip = ZipFile.OpenRead(path);
        using var reader = new StreamReader(zip.Entries.Single().Open());
        foreach (Bar bar in series.Bars.ToArray())
        {
            string[] cells = reader.ReadLine()!.Split(',');
            Assert.Equal(DateTime.ParseExact(cells[0], "yyyyMMdd HH:mm", CultureInfo.InvariantCulture), bar.OpenTime);
            long[] prices = [.. cells[1..5].Concat(cells[6..10]).Select(cell => (long)(decimal.Parse(cell, CultureInfo.InvariantCulture) * 1000))];
            Assert.Equal(new Ohlc(prices[0], prices[1], prices[2], prices[3]), bar.Bid);
            Assert.Equal(new Ohlc(prices[4], prices[5], prices[6], prices[7]), bar.Ask);
        }
        Assert.Null(reader.ReadLine());
    }

    [Fact]
    public void Sources_carry_the_hash_of_the_file_on_disk()
    {
        string path = Write("eurusd_h1.csv", Header + "2024-01-01T00:00:00Z,1.1,1.2,1.0,1.15,7\n");
        SourceFile source = Assert.Single(FeedReader.Read(path).Sources);
        Assert.Equal(new SourceFile(path, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))), source);
    }

    [Fact]
    public void A_folder_with_quotes_and_trades_gives_the_side_asked_for()
    {
        string spy = SharedData.Path("data/lean/equity/usa/minute/spy");
        MarketSeries trades = FeedReader.Read(spy);
        MarketSeries quotes = FeedReader.Read(spy, new FeedOptions { Side = LeanSide.Quote });

        Assert.Equal(trades.Bars.Span[0].Bid, trades.Bars.Span[0].Ask);
        Assert.True(trades.Bars.Span[0].Volume > 0);
        Assert.True(quotes.Bars.Span[0].Ask.Close > quotes.Bars.Span[0].Bid.Close);

        // 14,400,000 ms after midnight in New York, in summer: 08:00 UTC.
        Bar monday = trades.Between(Utc("2013-10-07"), null).Bars.Span[0];
        Assert.Equal(Utc("2013-10-07T08:00:00"), monday.OpenTime);
        Assert.Equal(167.41m, trades.Instrument.ToPrice(monday.Bid.Open));
    }

    [Fact]
    public void A_whole_folder_is_read_across_symbols_in_order()
    {
        ImmutableArray<MarketSeries> all = FeedReader.ReadAll([SharedData.Path("data/lean")]);
        string[] names = [.. all.Select(series => $"{series.Instrument.Symbol} {series.TimeFrame}")];
        Assert.Contains("EURUSD tick", names);
        Assert.Contains("SPY M1", names);
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Equal(all.Select(series => series.Instrument.Symbol).Order(StringComparer.Ordinal), all.Select(series => series.Instrument.Symbol));

        long position = 0;
        DateTime last = DateTime.MinValue;
        foreach (MarketSequenceEntry entry in new MarketSequence(all))
        {
            Assert.Equal(position++, entry.Position);
            Assert.True(entry.Time >= last);
            last = entry.Time;
        }
        Assert.Equal(all.Sum(series => (long)series.Count), position);
    }

    [Fact]
    public void MetaTraders_own_export_is_broker_time_and_carries_its_spread()
    {
        // 2024-01-02 10:00 in Athens is 08:00 UTC in winter; 2024-07-02 10:00 is 07:00 in summer.
        string path = Write("EURUSD_H1_202401020000_202407022300.csv",
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
            + "2024.01.02\t10:00:00\t1.10000\t1.10200\t1.09900\t1.10100\t1500\t0\t12\r\n"
            + "2024.07.02\t10:00:00\t1.07000\t1.07100\t1.06900\t1.07050\t900\t0\t8\r\n");
        MarketSeries series = FeedReader.Read(path);

        Assert.Equal(("EURUSD", TimeFrame.H1), (series.Instrument.Symbol, series.TimeFrame));
        Assert.Equal(
            new Bar(Utc("2024-01-02T08:00:00"), new Ohlc(110000, 110200, 109900, 110100), new Ohlc(110012, 110212, 109912, 110112), 1500),
            series.Bars.Span[0]);
        Assert.Equal(Utc("2024-07-02T07:00:00"), series.Bars.Span[1].OpenTime);
        Assert.Equal(Utc("2024-01-02T10:00:00"), FeedReader.Read(path, new FeedOptions { TimeZone = "Etc/UTC" }).Bars.Span[0].OpenTime);
        Assert.Equal(110001, FeedReader.Read(path, new FeedOptions { SpreadPoints = 1 }).Bars.Span[0].Ask.Open);
    }

    [Fact]
    public void MetaTraders_tick_export_keeps_the_side_it_leaves_empty()
    {
        string path = Write("EURUSD_202401020000.csv",
            "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
            + "2024.01.02\t10:00:00.120\t1.10000\t1.10002\t\t\t6\n"
            + "2024.01.02\t10:00:00.250\t1.10001\t\t\t\t2\n"
            + "2024.01.02\t10:00:00.300\t\t1.10004\t\t\t4\n");
        DateTime eight = Utc("2024-01-02T08:00:00");
        Assert.Equal(
            [
                new(eight.AddMilliseconds(120), 110000, 110002), new(eight.AddMilliseconds(250), 110001, 110002),
                new(eight.AddMilliseconds(300), 110001, 110004),
            ],
            FeedReader.Read(path).Quotes.ToArray());
    }

    [Fact]
    public void Any_table_is_read_by_a_column_map()
    {
        string path = Write("prices.csv", "Symbol;When;O;H;L;C;Vol\nX;31/01/2024 09:30;10.5;11;10;10.75;3.5\n");
        MarketSeries series = FeedReader.Read(path, new FeedOptions
        {
            Symbol = "AAPL",
            TimeFrame = TimeFrame.M30,
            TimeZone = "America/New_York",
            Columns = FeedColumns.Parse("time=When,open=O,high=H,low=L,close=C,volume=Vol,format=dd/MM/yyyy HH:mm"),
        });
        var prices = new Ohlc(1050, 1100, 1000, 1075);
        Assert.Equal(new Bar(Utc("2024-01-31T14:30:00"), prices, prices, 3.5), series.Bars.Span[0]);
    }

    [Fact]
    public void A_table_without_header_is_read_by_numbers_and_unix_time()
    {
        string path = Write("btcusd.csv", "1704067200,42000,42100,41900,42050.5,12.25\n1704067260,42050.5,42060,42000,42010,3\n");
        var columns = FeedColumns.Parse("time=0,open=1,high=2,low=3,close=4,volume=5,format=unix");
        MarketSeries series = FeedReader.Read(path, new FeedOptions { Columns = columns });
        Assert.Equal(("BTCUSD", TimeFrame.M1, 2), (series.Instrument.Symbol, series.TimeFrame, series.Count));
        Assert.Equal(Utc("2024-01-01"), series.Bars.Span[0].OpenTime);
        Assert.Equal(12.25, series.Bars.Span[0].Volume);
    }

    [Theory]
    [InlineData("close=C", "expected time=")]
    [InlineData("time=T,open=O", "expected either")]
    [InlineData("time=T,bid=B,ask=A,oops=1", "unknown 'oops'")]
    [InlineData("time", "is not name=column")]
    public void A_wrong_column_map_is_named(string map, string fault) =>
        Assert.Contains(fault, Assert.Throws<FormatException>(() => FeedColumns.Parse(map)).Message);

    [Fact]
    public void Crypto_and_share_ticks_carry_sizes()
    {
        string quotes = Write(
            Path.Combine("crypto", "coinbase", "tick", "btcusd", "20240102_quote.csv"), "1000,42000.5,0.5,42001,1.25\n1500.5,,,42001,1\n");
        MarketSeries series = FeedReader.Read(quotes);
        Assert.Equal([new(Utc("2024-01-02T00:00:01"), 4200050, 4200100, 5000, 12500)], series.Quotes.ToArray());
        Assert.Equal(1, series.Quality.Invalid);

        string trades = Write(Path.Combine("equity", "usa", "tick", "spy", "20240102_trade.csv"), "34200000,4725500,100,P,,0\n");
        MarketSeries spy = FeedReader.Read(trades);
        Assert.Equal(472.55m, spy.Instrument.ToPrice(spy.Quotes.Span[0].Bid));
        Assert.Equal((Utc("2024-01-02T14:30:00"), 100L), (spy.Quotes.Span[0].Time, spy.Quotes.Span[0].BidSize));
    }

    [Fact]
    public void Prices_finer_than_the_instrument_widen_its_digits()
    {
        string path = Write(
            "eurusd_m1.csv", Header + "2024-01-01 00:00,1.10000,1.10000,1.1,1.10,1\n2024-01-01 00:01,1.1000001,1.1000001,1.1,1.1,1\n");
        MarketSeries series = FeedReader.Read(path);
        Assert.Equal(7, series.Instrument.Digits);
        Assert.Equal([11000000, 11000001], series.Bars.ToArray().Select(bar => bar.Bid.Open));
        Assert.Equal(300, FeedReader.Read(path, new FeedOptions { SpreadPoints = 3 }).Bars.Span[0].Ask.Open - 11000000);
    }

    [Fact]
    public void A_period_is_cut_out()
    {
        IEnumerable<string> day = Enumerable.Range(0, 24).Select(hour => $"2024-01-02T{hour:00}:00:00Z,1.1,1.1,1.1,1.1,1\n");
        string path = Write("eurusd_h1.csv", Header + string.Concat(day));
        MarketSeries series = FeedReader.Read(path, new FeedOptions { From = Utc("2024-01-02T05:00:00"), To = Utc("2024-01-02T07:00:00") });
        Assert.Equal([5, 6], series.Bars.ToArray().Select(bar => bar.OpenTime.Hour));
        Assert.Contains("no rows from 2025", Fault(path, new FeedOptions { From = Utc("2025-01-01") }));
        Assert.Contains("is empty", Fault(path, new FeedOptions { From = Utc("2025-01-01"), To = Utc("2024-01-01") }));
    }

    [Fact]
    public void Rows_out_of_order_are_dropped_and_counted_but_a_backward_file_is_an_error()
    {
        string mixed = Write("eurusd_h1.csv", Header + Rows(0, 1, 2, 1, 1, 3, 3, 4));
        Assert.Equal(new FeedQuality(Received: 8, Duplicates: 1, Late: 2, Invalid: 0, Gaps: 0), FeedReader.Read(mixed).Quality);

        string backward = Write("gbpusd_h1.csv", Header + Rows(5, 4, 3, 2, 1));
        Assert.Contains("4 of 5 rows go back in time, expected the oldest first", Fault(backward));

        static string Rows(params int[] hours) => string.Concat(hours.Select(hour => $"2024-01-02T{hour:00}:00:00Z,1.1,1.1,1.1,1.1,1\n"));
    }

    [Theory]
    [InlineData("2024-01-02T00:00:00Z,1.1x,1.2,1.0,1.1,5", "line 3, column open: '1.1x', expected a price such as")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.2,-1.0,1.1,5", "line 3, column low: '-1.0', expected a price above zero")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.2,1.0,0,5", "column close: '0', expected a price above zero")]
    [InlineData("2024-01-02T00:00:00Z,1.1,,1.0,1.1,5", "column high: '', expected a price")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.05,1.0,1.1,5", "expected low <= open, close <= high")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.2,1.0", "4 columns, expected at least 5")]
    [InlineData("2024-13-02T00:00:00Z,1.1,1.2,1.0,1.1,5", "column time: '2024-13-02T00:00:00Z', expected a time")]
    [InlineData("0001-01-01T00:00:00+14:00,1.1,1.2,1.0,1.1,5", "expected a time")]
    [InlineData("9999-12-31T23:59:00-14:00,1.1,1.2,1.0,1.1,5", "expected a time")]
    [InlineData("yesterday,1.1,1.2,1.0,1.1,5", "column time: 'yesterday', expected a time")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.2,1.0,1.1,-5", "column tick_volume: '-5', expected a volume")]
    [InlineData("2024-01-02T00:00:00Z,1.1,1.2,1.0,1.12345678901,5", "at most 10 decimals")]
    [InlineData("2024-01-02T00:00:00Z,99999999999999,99999999999999,1.0,1.1,5", "points of 5 decimals")]
    public void A_bad_row_is_named_by_file_line_column_and_value(string row, string fault)
    {
        string path = Write("eurusd_h1.csv", Header + "2024-01-01T00:00:00Z,1.1,1.2,1.0,1.1,5\n" + row + "\n");
        string message = Fault(path);
        Assert.StartsWith(path, message);
        Assert.Contains(fault, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_bad_file_is_named()
    {
        Assert.Contains("no such file or folder", Fault(Path.Combine(_folder, "missing.csv")));
        Assert.Contains("empty", Fault(Write("eurusd_h1.csv", "")));
        Assert.Contains("no rows", Fault(Write("eurusd_m5.csv", Header)));
        Assert.Contains("expected time, open, high, low, close", Fault(Write("eurusd_m1.csv", "a,b,c\n1,2,3\n")));
        Assert.Contains("does not say the symbol", Fault(Write("#h1.csv", Header + "2024-01-01,1,1,1,1,1\n")));
        Assert.Contains("neither name nor content says the time frame", Fault(Write("eurusd.csv", Header + "2024-01-01,1,1,1,1,1\n")));
        Assert.Contains("no csv or zip files", Fault(Directory.CreateDirectory(Path.Combine(_folder, "none")).FullName));
        Assert.Contains("unknown time zone 'Mars/Olympus'",
            Fault(Write("eurusd_h4.csv", Header + "2024-01-01,1,1,1,1,1\n"), new FeedOptions { TimeZone = "Mars/Olympus" }));
    }

    [Fact]
    public void A_bad_zip_is_named()
    {
        string two = Path.Combine(_folder, "two.zip");
        using (ZipArchive zip = ZipFile.Open(two, ZipArchiveMode.Create))
        {
            zip.CreateEntry("a.csv");
            zip.CreateEntry("b.csv");
        }
        Assert.Contains("holds 2 csv files, expected exactly one", Fault(two));

        string good = Path.Combine(_folder, "eurusd_h1.zip");
        using (ZipArchive zip = ZipFile.Open(good, ZipArchiveMode.Create))
        {
            using var writer = new StreamWriter(zip.CreateEntry("eurusd_h1.csv").Open());
            writer.Write(Header);
            for (int i = 0; i < 500; i++) writer.Write($"{Utc("2024-01-01").AddHours(i):s}Z,1.1{i:000},1.9,1.0,1.1,{i}\n");
        }
        Assert.Equal(500, FeedReader.Read(good).Count);

        byte[] bytes = File.ReadAllBytes(good);
        Prop.ForAll(Gen.Choose(0, bytes.Length - 1).ToArbitrary(), cut =>
        {
            string broken = Path.Combine(_folder, "broken_h1.zip");
            File.WriteAllBytes(broken, bytes[..cut]);
            Assert.Throws<FeedException>(() => FeedReader.Read(broken));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    [Fact]
    public void Data_of_two_sources_is_not_mixed()
    {
        Write("eurusd_d1.csv", Header + "2024-01-01,1.1,1.2,1.0,1.1,5\n");
        Write(Path.Combine("forex", "oanda", "daily", "eurusd.csv"), "20240101 00:00,1.1,1.2,1.0,1.1,0,1.1,1.2,1.0,1.1,0\n");
        Assert.Contains("of another source", Fault(_folder));
    }

    [Fact]
    public void Prices_are_exact_for_any_decimal() => Prop.ForAll(
        Gen.Choose(1, int.MaxValue).SelectMany(points => Gen.Choose(0, 8), (points, decimals) => (points, decimals))
            .Where(price => price.points * Math.Pow(10, 8 - price.decimals) <= Instrument.MaxPricePoints).ToArbitrary(), price =>
        {
            string text = new decimal(price.points, 0, 0, false, (byte)price.decimals).ToString(CultureInfo.InvariantCulture);
            PriceFault fault = FeedNumbers.TryPrice(System.Text.Encoding.UTF8.GetBytes(text), 8, 0, out long points, out _);
            Assert.Equal(PriceFault.None, fault);
            Assert.Equal(price.points * (decimal)Math.Pow(10, 8 - price.decimals), points);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Theory]
    [InlineData("2024-01-31T23:59:58Z", "2024-01-31T23:59:58", true)]
    [InlineData("2024-01-31 23:59", "2024-01-31T23:59:00", false)]
    [InlineData("2024.01.31 23:59:58.125", "2024-01-31T23:59:58.125", false)]
    [InlineData("20240131 2359", "2024-01-31T23:59:00", false)]
    [InlineData("2024/01/31", "2024-01-31", false)]
    [InlineData("2024-01-31T23:30:00+02:00", "2024-01-31T21:30:00", true)]
    [InlineData("2024-01-31T23:30:00.5-0130", "2024-02-01T01:00:00.5", true)]
    public void Times_are_read_in_their_usual_forms(string text, string expected, bool isUtc)
    {
        Assert.True(FeedNumbers.TryTime(System.Text.Encoding.UTF8.GetBytes(text), out long ticks, out bool utc));
        Assert.Equal((Utc(expected).Ticks, isUtc), (ticks, utc));
    }

    [Fact]
    public void Local_time_is_converted_around_both_changes_of_the_clock()
    {
        var athens = new LocalTimes("Europe/Athens");
        Assert.Equal(Utc("2024-03-31T00:59:00"), athens.ToUtc(Utc("2024-03-31T02:59:00").Ticks));
        Assert.Equal(Utc("2024-03-31T01:00:00"), athens.ToUtc(Utc("2024-03-31T04:00:00").Ticks));
        Assert.Equal(Utc("2024-03-31T01:30:00"), athens.ToUtc(Utc("2024-03-31T03:30:00").Ticks));
        Assert.Equal(Utc("2024-10-27T00:30:00"), athens.ToUtc(Utc("2024-10-27T03:30:00").Ticks));
        Assert.Equal(Utc("2024-10-27T02:00:00"), athens.ToUtc(Utc("2024-10-27T04:00:00").Ticks));
        Assert.Equal(Utc("2024-10-27T00:30:00"), athens.ToUtc(Utc("2024-10-27T03:30:00").Ticks));
    }

    private static DateTime Utc(string text) =>
        DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    private static string Fault(string path, FeedOptions? options = null) =>
        Assert.Throws<FeedException>(() => FeedReader.Read(path, options)).Message;

    private string Write(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }
}
