using HybridTrading.Domain.Markets;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Postgres;
using HybridTrading.Storage.Tests.Journal;
using HybridTrading.Storage.Tests.Postgres;

namespace HybridTrading.Storage.Tests.MarketLog;

/// <summary>What every market log does, wherever it keeps its events.</summary>
public abstract class MarketLogContract
{
    protected static readonly DateTime Start = new(2024, 1, 2, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>A new place for a log, and how it is opened there.</summary>
    protected abstract Task<(Func<IMarketLog> Open, Func<IMarketLog, ValueTask> Close, Func<ValueTask> Dispose)> PlaceAsync();

    [Fact]
    public async Task Events_come_back_as_they_were_from_any_position_and_after_a_restart()
    {
        (Func<IMarketLog> open, Func<IMarketLog, ValueTask> close, Func<ValueTask> dispose) = await PlaceAsync();
        List<MarketEvent> written = [];
        var random = new Random(7);
        IMarketLog log = open();
        Assert.Equal((0L, 0L), (log.FirstPosition, log.NextPosition));
        while (written.Count < 1000)
        {
            MarketEvent[] batch = [.. Enumerable.Range(written.Count, random.Next(1, 40)).Select(i => Event(i, random))];
            Assert.Equal(written.Count, await log.AppendAsync(batch));
            written.AddRange(batch);
            Assert.Equal(written.Count, log.NextPosition);
        }
        Assert.Equal(written.Count, await log.AppendAsync(ReadOnlyMemory<MarketEvent>.Empty));
        await close(log);

        IMarketLog again = open();
        Assert.Equal((0L, (long)written.Count), (again.FirstPosition, again.NextPosition));
        for (int from = 0; from <= written.Count; from += 67) Assert.Equal(written.Skip(from), await ListAsync(again, from));
        MarketEvent more = Event(written.Count, random);
        Assert.Equal(written.Count, await again.AppendAsync(new[] { more }));
        Assert.Equal([more], await ListAsync(again, written.Count));
        await close(again);
        await dispose();
    }

    [Fact]
    public async Task Bad_events_are_refused_and_the_whole_append_with_them()
    {
        (Func<IMarketLog> open, Func<IMarketLog, ValueTask> close, Func<ValueTask> dispose) = await PlaceAsync();
        IMarketLog log = open();
        MarketEvent good = Event(0, new Random(1)) with { Symbol = "EURUSD", Kind = MarketEventKind.Quote };
        foreach (MarketEvent bad in new[]
        {
            good with { Symbol = "" },
            good with { Time = DateTime.SpecifyKind(Start, DateTimeKind.Unspecified) },
            good with { Kind = (MarketEventKind)9 },
            good with { Symbol = new string('x', 300) },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await log.AppendAsync(new[] { good, bad }));
        }
        Assert.Equal(0, log.NextPosition);
        Assert.Empty(await ListAsync(log, 0));
        await close(log);
        await dispose();
    }

    internal static MarketEvent Event(int position, Random random)
    {
        DateTime time = Start.AddSeconds(position);
        string symbol = new[] { "EURUSD", "USDJPY", "XAUUSD" }[random.Next(3)];
        long bid = random.Next(1, 1_000_000);
        return random.Next(8) switch
        {
            0 => new MarketEvent(position, time, "", MarketEventKind.Clock, default, default, default),
            1 or 2 => new MarketEvent(
                position, time, symbol, MarketEventKind.Bar, default,
                new Bar(time.AddMinutes(-1), new Ohlc(bid, bid + 9, bid - 1, bid + 3), new Ohlc(bid + 1, bid + 10, bid, bid + 4), 12.5),
                TimeFrame.M1),
            _ => new MarketEvent(
                position, time, symbol, MarketEventKind.Quote, new Quote(time.AddMilliseconds(-3), bid, bid + 2, 5, 7), default, TimeFrame.Tick),
        };
    }

    internal static async Task<List<MarketEvent>> ListAsync(IMarketLog log, long from)
    {
        List<MarketEvent> events = [];
        await foreach (MarketEvent one in log.ReadAsync(from)) events.Add(one);
        return events;
    }
}

public sealed class SegmentMarketLogContractTests : MarketLogContract
{
    protected override Task<(Func<IMarketLog> Open, Func<IMarketLog, ValueTask> Close, Func<ValueTask> Dispose)> PlaceAsync()
    {
        var folder = new TemporaryFolder();
        return Task.FromResult<(Func<IMarketLog>, Func<IMarketLog, ValueTask>, Func<ValueTask>)>((
            () => SegmentMarketLog.Open(folder["feed"], new MarketLogOptions { SegmentBytes = 4096 }),
            log => ((SegmentMarketLog)log).DisposeAsync(),
            () =>
            {
                folder.Dispose();
                return ValueTask.CompletedTask;
            }
        ));
    }
}

public sealed class PostgresMarketLogTests(PostgresFixture postgres) : MarketLogContract
{
    protected override async Task<(Func<IMarketLog> Open, Func<IMarketLog, ValueTask> Close, Func<ValueTask> Dispose)> PlaceAsync()
    {
        PostgresDatabase database = PostgresDatabase.Create(await postgres.DatabaseAsync());
        return (() => PostgresMarketLog.Open(database, "live"), _ => ValueTask.CompletedTask, database.DisposeAsync);
    }

    [Fact]
    public async Task A_feed_that_was_taken_over_is_not_written_by_the_one_before_until_it_has_looked()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.DatabaseAsync());
        var random = new Random(3);
        PostgresMarketLog before = PostgresMarketLog.Open(database, "live"), after = PostgresMarketLog.Open(database, "live"), other = PostgresMarketLog.Open(database, "other");
        await before.AppendAsync(new[] { Event(0, random) });
        await other.AppendAsync(new[] { Event(0, random), Event(1, random) });
        StorageException refused = await Assert.ThrowsAsync<StorageException>(async () => await after.AppendAsync(new[] { Event(0, random) }));
        Assert.Contains("written by another process", refused.Message);
        // Having been told, it looks, and takes over.
        Assert.Equal(1, await after.AppendAsync(new[] { Event(1, random) }));
        await Assert.ThrowsAsync<StorageException>(async () => await before.AppendAsync(new[] { Event(1, random) }));
        Assert.Equal(2, (await ListAsync(before, 0)).Count);
        Assert.Equal(2, before.NextPosition);
        Assert.Equal(2, (await ListAsync(other, 0)).Count);
    }

    [Fact]
    public async Task What_is_too_old_is_dropped_and_positions_go_on()
    {
        await using PostgresDatabase database = PostgresDatabase.Create(await postgres.DatabaseAsync());
        var time = new ManualTime();
        var random = new Random(4);
        PostgresMarketLog log = PostgresMarketLog.Open(database, "live", TimeSpan.FromDays(10), time);
        for (int day = 0; day < 20; day++)
        {
            await log.AppendAsync(new[] { Event(2 * day, random), Event(2 * day + 1, random) });
            time.Advance(TimeSpan.FromDays(1));
        }
        await log.DropExpiredAsync();
        Assert.Equal((20L, 40L), (log.FirstPosition, log.NextPosition));
        Assert.Equal(20, (await ListAsync(log, 0)).Count);
        time.Advance(TimeSpan.FromDays(100));
        await log.DropExpiredAsync();
        Assert.Equal(40, log.NextPosition);
        Assert.NotEmpty(await ListAsync(log, 0));
        Assert.Equal(40, await log.AppendAsync(new[] { Event(40, random) }));
    }
}
