using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Tests.Files;
using HybridTrading.Storage.Tests.Journal;
using static HybridTrading.Storage.Tests.MarketLog.MarketLogContract;

namespace HybridTrading.Storage.Tests.MarketLog;

public sealed class SegmentMarketLogTests
{
    private const string Folder = "/data/market/feed";
    private static readonly MarketLogOptions Small = new() { SegmentBytes = 4096 };

    [Fact]
    public async Task Events_come_back_as_they_were_from_any_position_and_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        List<MarketEvent> written = [];
        var random = new Random(7);
        await using (SegmentMarketLog log = SegmentMarketLog.Open(folder["feed"], Small))
        {
            while (written.Count < 1000)
            {
                MarketEvent[] batch = [.. Enumerable.Range(written.Count, random.Next(1, 40)).Select(i => Event(i, random))];
                Assert.Equal(written.Count, await log.AppendAsync(batch));
                written.AddRange(batch);
            }
            Assert.Equal((0L, (long)written.Count), (log.FirstPosition, log.NextPosition));
        }
        Assert.True(Directory.GetFiles(folder["feed"], "*.market").Length > 5);

        await using SegmentMarketLog again = SegmentMarketLog.Open(folder["feed"], Small);
        Assert.Equal(written.Count, again.NextPosition);
        Assert.Equal(0, again.CutBytes);
        for (int from = 0; from <= written.Count; from += 37) Assert.Equal(written.Skip(from), await ListAsync(again, from));
        MarketEvent more = Event(written.Count, random);
        Assert.Equal(written.Count, await again.AppendAsync(new[] { more }));
        Assert.Equal([more], await ListAsync(again, written.Count));
    }

    [Fact]
    public async Task Whole_old_segments_are_dropped_by_quota_and_positions_go_on()
    {
        var time = new ManualTime();
        var door = new PowerCutDoor();
        var options = Small with { QuotaBytes = 16 << 10 };
        var random = new Random(8);
        await using SegmentMarketLog log = SegmentMarketLog.Open(Folder, options, time, door);
        List<MarketEvent> written = [];
        for (int i = 0; i < 1500; i++)
        {
            written.Add(Event(i, random));
            await log.AppendAsync(new[] { written[i] });
            Assert.True(log.Bytes <= (16 << 10) + 4096 + 200);
        }
        Assert.InRange(log.FirstPosition, 1, 1499);
        Assert.Equal(1500, log.NextPosition);
        Assert.Equal(written.Skip((int)log.FirstPosition), await ListAsync(log, 0));
        Assert.True(door.List(Folder).Count(file => file.EndsWith(".market", StringComparison.Ordinal)) <= 5);
    }

    [Fact]
    public async Task Segments_written_too_long_ago_are_dropped_but_never_the_one_in_use()
    {
        var time = new ManualTime();
        var door = new PowerCutDoor();
        var options = Small with { MaxAge = TimeSpan.FromDays(10), FlushInterval = TimeSpan.FromDays(1) };
        var random = new Random(9);
        long atDayFive = 0;
        await using (SegmentMarketLog log = SegmentMarketLog.Open(Folder, options, time, door))
        {
            for (int day = 0; day < 10; day++)
            {
                if (day == 5) atDayFive = log.NextPosition;
                for (int i = 0; i < 100; i++) await log.AppendAsync(new[] { Event((int)log.NextPosition, random) });
                time.Advance(TimeSpan.FromDays(1));
            }
            Assert.Equal(0, log.FirstPosition);
        }
        time.Advance(TimeSpan.FromDays(5));
        await using SegmentMarketLog again = SegmentMarketLog.Open(Folder, options, time, door);
        Assert.True(again.DropExpired() > 0);
        Assert.InRange(again.FirstPosition, 1, atDayFive);
        time.Advance(TimeSpan.FromDays(100));
        again.DropExpired();
        Assert.InRange(again.FirstPosition, atDayFive, again.NextPosition - 1);
        Assert.NotEmpty(await ListAsync(again, 0));
    }

    [Fact]
    public async Task A_log_cut_anywhere_keeps_whole_batches_before_the_cut_and_goes_on()
    {
        var door = new PowerCutDoor();
        var random = new Random(10);
        List<MarketEvent> written = [];
        List<long> ends = [0];
        SegmentMarketLog log = SegmentMarketLog.Open(Folder, new MarketLogOptions { SegmentBytes = 64 << 10 }, new ManualTime(), door);
        for (int i = 0; i < 60; i++)
        {
            MarketEvent[] batch = [.. Enumerable.Range(written.Count, 5)
                .Select(n => Event(n, random) with { Symbol = "EURUSD", Kind = MarketEventKind.Quote, Bar = default })];
            await log.AppendAsync(batch);
            written.AddRange(batch);
            ends.Add(written.Count);
        }
        string path = Assert.Single(door.Contents.Keys, file => file.EndsWith(".market", StringComparison.Ordinal));
        byte[] content = door.Contents[path];

        Prop.ForAll(Gen.Choose(0, content.Length).ToArbitrary(), length =>
        {
            var cut = new PowerCutDoor();
            cut.Put(path, content[..length]);
            SegmentMarketLog after = SegmentMarketLog.Open(Folder, null, new ManualTime(), cut);
            List<MarketEvent> read = ListAsync(after, 0).GetAwaiter().GetResult();
            long size = after.NextPosition;
            MarketEvent next = Event((int)size, random);
            bool goesOn = after.AppendAsync(new[] { next }).AsTask().GetAwaiter().GetResult() == size
                && ListAsync(after, size).GetAwaiter().GetResult().SequenceEqual([next]);
            after.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return ends.Contains(size) && read.SequenceEqual(written.Take((int)size)) && goesOn;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Fact]
    public async Task Damage_in_a_full_segment_is_an_error_that_names_it()
    {
        var door = new PowerCutDoor();
        var random = new Random(11);
        await using (SegmentMarketLog log = SegmentMarketLog.Open(Folder, Small, new ManualTime(), door))
        {
            for (int i = 0; i < 300; i++) await log.AppendAsync(new[] { Event(i, random) });
        }
        string first = door.List(Folder).First(file => file.EndsWith(".market", StringComparison.Ordinal));
        byte[] content = door.Contents[first];
        for (int at = MarketLogFormat.HeaderSize; at < content.Length; at += 3)
        {
            PowerCutDoor damaged = door.Copy();
            byte[] flipped = [.. content];
            flipped[at] ^= 4;
            damaged.Put(first, flipped);
            await using SegmentMarketLog log = SegmentMarketLog.Open(Folder, Small, new ManualTime(), damaged);
            Assert.Equal(first, (await Assert.ThrowsAsync<DamagedDataException>(() => ListAsync(log, 0))).Path);
        }
        PowerCutDoor shorter = door.Copy();
        shorter.Put(first, content[..^200]);
        await using SegmentMarketLog cut = SegmentMarketLog.Open(Folder, Small, new ManualTime(), shorter);
        await Assert.ThrowsAsync<DamagedDataException>(() => ListAsync(cut, 0));
    }

    [Fact]
    public async Task The_flush_interval_bounds_what_a_power_cut_can_take()
    {
        var time = new ManualTime();
        var door = new PowerCutDoor();
        await using SegmentMarketLog log = SegmentMarketLog.Open(Folder, null, time, door);
        var random = new Random(12);
        await log.AppendAsync(new[] { Event(0, random), Event(1, random) });
        Assert.NotEqual(0, door.UnflushedBytes);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, door.UnflushedBytes);
        await log.AppendAsync(new[] { Event(2, random) });
        await using SegmentMarketLog after = SegmentMarketLog.Open(Folder, null, time, door.Survivor(0));
        Assert.Equal(2, (await ListAsync(after, 0)).Count);
    }

    [Fact]
    public async Task No_position_is_given_twice_whatever_a_power_cut_took()
    {
        var random = new Random(13);
        for (int torn = 0; torn < 400; torn += 7)
        {
            var door = new PowerCutDoor();
            SegmentMarketLog log = SegmentMarketLog.Open(Folder, Small, new ManualTime(), door);
            List<MarketEvent> kept = [];
            long known = 0;
            // Three lives, each cut off with what it wrote last not flushed.
            for (int life = 0; life < 3; life++)
            {
                MarketEvent flushed = Event((int)log.NextPosition, random);
                await log.AppendAsync(new[] { flushed });
                log.Flush();
                kept.Add(flushed with { Position = known });
                for (int i = 0; i < 5; i++) known = await log.AppendAsync(new[] { Event((int)log.NextPosition, random) });
                door = door.Survivor(torn);
                log = SegmentMarketLog.Open(Folder, Small, new ManualTime(), door);
                Assert.True(log.NextPosition > known, $"position {log.NextPosition} was given out before (up to {known})");
                known = log.NextPosition;
            }
            List<MarketEvent> read = await ListAsync(log, 0);
            Assert.Equal(read.Select(one => one.Position).Order().Distinct(), read.Select(one => one.Position));
            Assert.Subset(read.Select(one => one.Position).ToHashSet(), kept.Select(one => one.Position).ToHashSet());
            // From inside a gap one reads what lies behind it.
            Assert.Equal(read.Where(one => one.Position >= 10).ToList(), await ListAsync(log, 10));
        }
    }

    [Fact]
    public async Task After_an_orderly_end_positions_go_on_without_a_gap()
    {
        var door = new PowerCutDoor();
        var random = new Random(14);
        for (int life = 0; life < 3; life++)
        {
            await using SegmentMarketLog log = SegmentMarketLog.Open(Folder, null, new ManualTime(), door);
            Assert.Equal(life, await log.AppendAsync(new[] { Event(life, random) }));
        }
    }

    [Fact]
    public async Task After_a_refused_write_the_log_takes_nothing_more_and_says_why()
    {
        var door = new PowerCutDoor();
        var random = new Random(13);
        SegmentMarketLog log = SegmentMarketLog.Open(Folder, null, new ManualTime(), door);
        await log.AppendAsync(new[] { Event(0, random) });
        door.Refusal = new IOException("No space left on device", 28);
        StorageException refused = await Assert.ThrowsAsync<StorageException>(async () => await log.AppendAsync(new[] { Event(1, random) }));
        Assert.Contains("the disk is full", refused.Message);
        door.Refusal = null;
        await Assert.ThrowsAsync<StorageException>(async () => await log.AppendAsync(new[] { Event(1, random) }));
        Assert.Single(await ListAsync(log, 0));
    }

    [Fact]
    public async Task Newer_formats_and_a_second_writer_are_refused()
    {
        var door = new PowerCutDoor();
        await using SegmentMarketLog log = SegmentMarketLog.Open(Folder, null, new ManualTime(), door);
        MarketEvent good = Event(0, new Random(1)) with { Symbol = "EURUSD", Kind = MarketEventKind.Quote };
        Assert.Contains("in use", Assert.Throws<StorageException>(() => SegmentMarketLog.Open(Folder, null, new ManualTime(), door)).Message);

        await log.AppendAsync(new[] { good });
        PowerCutDoor newer = door.Copy();
        string path = Assert.Single(door.Contents.Keys, file => file.EndsWith(".market", StringComparison.Ordinal));
        byte[] content = door.Contents[path];
        content[8] = 9;
        newer.Put(path, content);
        Assert.Contains(
            "market log format 9",
            Assert.Throws<StorageException>(() => SegmentMarketLog.Open(Folder, null, new ManualTime(), newer)).Message);
    }
}
