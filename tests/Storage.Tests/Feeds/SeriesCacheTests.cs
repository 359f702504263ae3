using System.Collections.Immutable;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Feeds;
using HybridTrading.Tests;
using Microsoft.Win32.SafeHandles;

namespace HybridTrading.Storage.Tests.Feeds;

public sealed class SeriesCacheTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<string> _warnings = [];

    private string Cache => _folder["cache"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("lean/forex/oanda/tick/eurusd")]
    [InlineData("mt5-history/gbpusd_h1.zip")]
    [InlineData("lean/equity/usa/minute/spy")]
    [InlineData("lean/crypto/coinbase/daily/btcusd_trade.zip")]
    public void What_comes_from_the_cache_is_what_was_parsed(string file)
    {
        string path = SharedData.Path("data/" + file);
        MarketSeries parsed = FeedReader.Read(path);
        for (int time = 0; time < 2; time++)
        {
            using var cache = new SeriesCache(Cache);
            AssertSame(parsed, Assert.Single(cache.ReadAll([path], Options())));
        }
        Assert.Empty(_warnings);
        Assert.Single(Directory.GetFiles(Cache));
    }

    [Fact]
    public void Dropped_rows_and_finer_prices_come_back_as_well()
    {
        string path = Table(Enumerable.Range(0, 40_000).Select(i => Row(i - i / 1000 % 2, i == 39_000 ? "1.1000001" : "1.10000")));
        MarketSeries parsed = FeedReader.Read(path);
        Assert.Equal(7, parsed.Instrument.Digits);
        Assert.True(parsed.Quality.Duplicates > 0);
        using (var cache = new SeriesCache(Cache)) AssertSame(parsed, Assert.Single(cache.ReadAll([path], Options())));
        using (var cache = new SeriesCache(Cache)) AssertSame(parsed, Assert.Single(cache.ReadAll([path], Options())));
    }

    [Fact]
    public void Each_thing_that_changes_what_is_read_has_a_series_of_its_own()
    {
        string path = Table(Enumerable.Range(0, 50).Select(i => Row(i, "1.1")));
        FeedOptions plain = Options();
        FeedOptions[] different =
        [
            plain,
            plain with { SpreadPoints = 3 },
            plain with { From = Utc(2) },
            plain with { To = Utc(30) },
            plain with { TimeFrame = TimeFrame.M5 },
            plain with { TimeZone = "Europe/Athens" },
            plain with { Instrument = InstrumentCatalog.Get("EURUSD") with { SwapLongPoints = 1 } },
            plain with { Instrument = InstrumentCatalog.Get("EURUSD").WithDigits(6) },
            plain with { Columns = FeedColumns.Parse("time=0,open=1,high=1,low=1,close=1") },
        ];
        foreach (FeedOptions options in different)
        {
            using var cache = new SeriesCache(Cache);
            AssertSame(FeedReader.Read(path, options), Assert.Single(cache.ReadAll([path], options)));
        }
        Assert.Equal(different.Length, Directory.GetFiles(Cache).Length);

        // The same content elsewhere is the same series, with the other file as its source.
        string copy = _folder["moved/eurusd_m1.csv"];
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(path, copy);
        using (var cache = new SeriesCache(Cache)) Assert.Equal(copy, Assert.Single(Assert.Single(cache.ReadAll([copy], plain)).Sources).Path);
        Assert.Equal(different.Length, Directory.GetFiles(Cache).Length);

        File.AppendAllText(path, Row(50, "1.2") + "\n");
        using (var cache = new SeriesCache(Cache)) Assert.Equal(51, Assert.Single(cache.ReadAll([path], plain)).Count);
    }

    [Fact]
    public void A_flipped_byte_anywhere_is_noticed_and_the_series_made_anew()
    {
        string path = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.1")));
        MarketSeries parsed = FeedReader.Read(path);
        using (var cache = new SeriesCache(Cache)) cache.ReadAll([path]);
        string file = Assert.Single(Directory.GetFiles(Cache));
        byte[] good = File.ReadAllBytes(file);
        Prop.ForAll(Gen.Choose(0, good.Length - 1).SelectMany(_ => Gen.Choose(1, 255), (at, flip) => (at, flip)).ToArbitrary(), damage =>
        {
            byte[] bad = [.. good];
            bad[damage.at] ^= (byte)damage.flip;
            AssertMadeAnew(path, file, bad, good, parsed);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));
        // The rows are the smaller part of so small a file: each of their bytes and sums is flipped, too.
        for (int at = SeriesFile.HeaderSize; at < good.Length; at += 41)
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x10;
            AssertMadeAnew(path, file, bad, good, parsed);
        }
    }

    [Fact]
    public void A_file_cut_off_or_grown_or_of_others_is_made_anew()
    {
        string path = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.1")));
        MarketSeries parsed = FeedReader.Read(path);
        using (var cache = new SeriesCache(Cache)) cache.ReadAll([path]);
        string file = Assert.Single(Directory.GetFiles(Cache));
        byte[] good = File.ReadAllBytes(file);
        foreach (int length in (int[])[0, 1, 8, 4095, 4096, 4097, good.Length - 1, good.Length - 4]) AssertMadeAnew(path, file, good[..length], good, parsed);
        AssertMadeAnew(path, file, [.. good, 0], good, parsed);
        AssertMadeAnew(path, file, Encoding.UTF8.GetBytes(new string('x', good.Length)), good, parsed);

        // A whole series of other data under this name.
        string other = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.2")), "gbpusd_m1.csv");
        using (var cache = new SeriesCache(Cache)) cache.ReadAll([other]);
        AssertMadeAnew(path, file, File.ReadAllBytes(Directory.GetFiles(Cache).Single(each => each != file)), good, parsed);
    }

    [Fact]
    public void What_a_killed_builder_leaves_is_never_used_and_goes_when_it_is_old()
    {
        string path = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.1")));
        using (var cache = new SeriesCache(Cache)) cache.ReadAll([path]);
        string file = Assert.Single(Directory.GetFiles(Cache));
        // As a kill leaves it: all rows written and no header, beside the place of the whole file, which is missing.
        byte[] torn = File.ReadAllBytes(file);
        torn.AsSpan(0, SeriesFile.HeaderSize).Clear();
        string old = $"{file}.a.building", young = $"{file}.b.building", held = $"{file}.c.building";
        foreach (string left in (string[])[old, young, held]) File.WriteAllBytes(left, torn);
        File.Delete(file);
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));
        File.SetLastWriteTimeUtc(held, DateTime.UtcNow.AddHours(-2));
        using (SafeFileHandle builder = File.OpenHandle(held, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            using var cache = new SeriesCache(Cache);
            AssertSame(FeedReader.Read(path), Assert.Single(cache.ReadAll([path], Options())));
        }
        Assert.Empty(_warnings);
        Assert.Equal([file, young, held], Directory.GetFiles(Cache).Order());
        // Neither counts as a series, nor is it cleared as one.
        Assert.Equal(1, SeriesCache.Status(Cache).Series);
    }

    [Fact]
    public void A_reading_that_fails_leaves_nothing_behind()
    {
        string path = Table([.. Enumerable.Range(0, 30_000).Select(i => Row(i, "1.1")), "2024-02-30,1,1,1,1,1"]);
        using var cache = new SeriesCache(Cache);
        string message = Assert.Throws<FeedException>(() => cache.ReadAll([path])).Message;
        Assert.Contains("line 30002, column time: '2024-02-30'", message);
        Assert.Equal(Assert.Throws<FeedException>(() => FeedReader.Read(path)).Message, message);
        Assert.Empty(Directory.GetFiles(Cache));
    }

    [Fact]
    public void The_least_recently_used_go_when_there_is_too_much()
    {
        string[] paths = [.. Enumerable.Range(0, 4).Select(i => Table(Enumerable.Range(0, 100).Select(row => Row(row, $"1.{i + 1}")), $"{"eurusd gbpusd audusd nzdusd".Split(' ')[i]}_m1.csv"))];
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        long size = 0;
        foreach (string path in paths)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            using var cache = new SeriesCache(Cache, clock: clock);
            cache.ReadAll([path]);
            size = SeriesCache.Status(Cache).Bytes / SeriesCache.Status(Cache).Series;
        }
        clock.Advance(TimeSpan.FromMinutes(1));
        using (var cache = new SeriesCache(Cache, clock: clock)) cache.ReadAll([paths[0]]);
        string[] before = Directory.GetFiles(Cache);
        using (var cache = new SeriesCache(Cache, 2 * size, clock))
        {
            // What a run has open stays as long as it does.
            cache.ReadAll(paths);
            Assert.Equal(4, SeriesCache.Status(Cache).Series);
            clock.Advance(TimeSpan.FromMinutes(1));
            cache.ReadAll([paths[2], paths[0]]);
        }
        Assert.Equal(2, SeriesCache.Status(Cache).Series);
        Assert.Subset(before.ToHashSet(), Directory.GetFiles(Cache).ToHashSet());
        foreach (string kept in (string[])[paths[0], paths[2]])
        {
            using var cache = new SeriesCache(Cache, clock: clock);
            cache.ReadAll([kept]);
            Assert.Equal(2, SeriesCache.Status(Cache).Series);
        }
        Assert.Equal(2, SeriesCache.Clear(Cache).Series);
        Assert.Empty(Directory.GetFiles(Cache));
        Assert.Equal(0, SeriesCache.Status(_folder["nowhere"]).Series);
    }

    [Fact]
    public void Many_at_once_get_the_same()
    {
        string path = Table(Enumerable.Range(0, 30_000).Select(i => Row(i, "1.1")));
        MarketSeries parsed = FeedReader.Read(path);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            for (int i = 0; i < 3; i++)
            {
                using var cache = new SeriesCache(Cache, 1_000_000);
                AssertSame(parsed, Assert.Single(cache.ReadAll([path])));
                if (i == 1) SeriesCache.Clear(Cache);
            }
        });
        Assert.Empty(Directory.GetFiles(Cache, "*.building"));
    }

    [Fact]
    public void A_folder_that_cannot_be_used_costs_time_only()
    {
        string path = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.1")));
        File.WriteAllText(Cache, "a file where the folder should be");
        using var cache = new SeriesCache(Cache);
        AssertSame(FeedReader.Read(path), Assert.Single(cache.ReadAll([path], Options())));
        Assert.Contains("cannot be used", Assert.Single(_warnings));
        Assert.Equal("a file where the folder should be", File.ReadAllText(Cache));
    }

    [Fact]
    public void Passed_rows_come_back_when_they_are_read_again()
    {
        string path = Table(Enumerable.Range(0, 50_000).Select(i => Row(i, "1.1")));
        MarketSeries parsed = FeedReader.Read(path);
        using var cache = new SeriesCache(Cache);
        MarketSeries series = Assert.Single(cache.ReadAll([path]));
        for (int at = 0; at < series.Count; at += 10_000) series.Release(Math.Max(0, at - 10_000), at);
        series.Between(Utc(100), Utc(20_000)).Release(5, 10_000);
        AssertSame(parsed, series);
    }

    [Fact]
    public void A_series_is_gone_with_its_cache()
    {
        string path = Table(Enumerable.Range(0, 60).Select(i => Row(i, "1.1")));
        var cache = new SeriesCache(Cache);
        MarketSeries series = Assert.Single(cache.ReadAll([path]));
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => series.Bars.Span[0]);
        series.Release(0, 60);
    }

    private void AssertMadeAnew(string path, string file, byte[] bad, byte[] good, MarketSeries parsed)
    {
        File.WriteAllBytes(file, bad);
        _warnings.Clear();
        using (var cache = new SeriesCache(Cache)) AssertSame(parsed, Assert.Single(cache.ReadAll([path], Options())));
        Assert.Contains("it is made anew", Assert.Single(_warnings));
        Assert.Equal(good, File.ReadAllBytes(file));
    }

    private static void AssertSame(MarketSeries expected, MarketSeries actual)
    {
        Assert.Equal(expected.Instrument, actual.Instrument);
        Assert.Equal((expected.TimeFrame, expected.Quality), (actual.TimeFrame, actual.Quality));
        Assert.Equal(expected.Sources.AsEnumerable(), actual.Sources);
        Assert.True(expected.Quotes.Span.SequenceEqual(actual.Quotes.Span));
        Assert.True(expected.Bars.Span.SequenceEqual(actual.Bars.Span));
    }

    private FeedOptions Options() => new() { Warn = _warnings.Add };

    private string Table(IEnumerable<string> rows, string name = "eurusd_m1.csv")
    {
        string path = _folder[name];
        File.WriteAllText(path, "time,open,high,low,close,tick_volume\n" + string.Join('\n', rows) + "\n");
        return path;
    }

    private static string Row(int minute, string price) =>
        string.Create(CultureInfo.InvariantCulture, $"{Utc(minute):yyyy-MM-dd HH:mm},{price},{price},{price},{price},{minute % 1000}");

    private static DateTime Utc(int minute) => new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minute);
}
