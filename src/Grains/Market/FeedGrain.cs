using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Market;

/// <summary>The simulated market that feeds a system without data of its own.</summary>
public sealed record LiveFeedOptions(ulong Seed, SimulationOptions Simulation)
{
    /// <summary>Time frames that are built of every instrument, for charts.</summary>
    public static readonly ImmutableArray<TimeFrame> Frames = [TimeFrame.M1, TimeFrame.M5, TimeFrame.M15, TimeFrame.H1];
}

/// <summary>Where the feed stands.</summary>
/// <param name="Position">The last event whose consequences are all done.</param>
/// <param name="Simulation">The simulation as of then.</param>
[GenerateSerializer, Immutable, Alias("ht.FeedState")]
public sealed record FeedState
{
    [Id(0)] public long Position { get; init; } = -1;
    [Id(1)] public DateTime Time { get; init; }
    [Id(2)] public SimulationState? Simulation { get; init; }
}

/// <param name="Quality">What came in since the process started, and what was dropped as late, repeated or invalid.</param>
[GenerateSerializer, Immutable, Alias("ht.FeedView")]
public sealed record FeedView(bool Simulated, long Position, DateTime Time, ImmutableSortedDictionary<string, FeedQuality> Quality);

/// <summary>The feed: one for all markets.</summary>
[Shared, Alias("ht.IFeedGrain")]
public interface IFeedGrain : IGrainWithStringKey
{
    /// <summary>Sets it going; it keeps going by itself.</summary>
    [Alias("Start")] Task Start();

    [Shared, AlwaysInterleave, Alias("GetView")] Task<FeedView> GetView();
}

/// <summary>
/// Writes what comes in to the market log, in one order for all markets, and hands it to them; what was logged and perhaps not handed out when a
/// process ended is handed out again.
/// </summary>
[HostedBy("data-bridge")]
public sealed partial class FeedGrain(
    [PersistentState("feed")] IPersistentState<FeedState> state, IMarketLog log, IBarStore bars, LiveFeedOptions feed, TradingOptions options,
    TimeProvider clock, ILogger<FeedGrain> logger) : Grain, IFeedGrain, IRemindable
{
    private const string AliveReminder = "alive";
    private const int HistoryBars = 1500;
    private static readonly TimeSpan PumpInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(30);

    private readonly List<MarketEvent> _pending = [];
    private readonly SortedDictionary<string, FeedGuard> _guards = new(StringComparer.Ordinal);
    private SimulatedMarket _market = null!;
    private IGrainTimer? _timer;
    private DateTime _drawn, _clocked;
    private long _position;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _position = state.State.Position;
        _market = await PrepareAsync(Now, cancellationToken);
        await RedeliverAsync(cancellationToken);
        foreach (Instrument instrument in options.Universe.Instruments)
        {
            foreach (TimeFrame frame in LiveFeedOptions.Frames) await Market(instrument.Symbol).EnsureFrame(frame);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        await SaveAsync();
    }

    public async Task Start()
    {
        if (_timer is not null) return;
        _timer = this.RegisterGrainTimer(static (self, cancellation) => self.PumpAsync(cancellation), this,
            new GrainTimerCreationOptions(TimeSpan.Zero, PumpInterval) { KeepAlive = true });
        // Should the silo go, the reminder starts the feed elsewhere.
        await this.RegisterOrUpdateReminder(AliveReminder, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Start();

    public Task<FeedView> GetView() => Task.FromResult(new FeedView(
        true, _position, state.State.Time, _guards.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Quality, StringComparer.Ordinal)));

    private IMarketGrain Market(string symbol) => GrainFactory.GetGrain<IMarketGrain>(symbol);

    private async Task PumpAsync(CancellationToken cancellation)
    {
        if (_pending.Count == 0)
        {
            _drawn = Now;
            while (_market.TryNext(_drawn, out SimulatedQuote next))
            {
                if (!Accept(next.Instrument, next.Quote)) continue;
                _pending.Add(new MarketEvent(0, next.Quote.Time, next.Instrument.Symbol, MarketEventKind.Quote, next.Quote, default, TimeFrame.Tick));
            }
            if (_pending.Count > 0)
            {
                long first = await log.AppendAsync(_pending.ToArray(), cancellation);
                for (int i = 0; i < _pending.Count; i++) _pending[i] = _pending[i] with { Position = first + i };
            }
        }
        try
        {
            await DeliverAsync(_pending);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // They stay pending: the next turn hands them out again, and who has had them passes them over.
            LogNotDelivered(e, _pending.Count);
            return;
        }
        if (_pending.Count > 0) _position = _pending[^1].Position;
        _pending.Clear();
        // Never the time of day: between what was handed out again and now there may be quotes that are not drawn yet.
        DateTime time = _drawn;
        if (time - _clocked < ClockInterval) return;
        _clocked = time;
        await Task.WhenAll(options.Universe.Instruments.Select(instrument => Market(instrument.Symbol).OnClock(time, false)));
        await SaveAsync();
    }

    /// <summary>Order is kept, and nothing comes twice, from here on.</summary>
    private bool Accept(Instrument instrument, in Quote quote)
    {
        FeedGuard guard = _guards.TryGetValue(instrument.Symbol, out FeedGuard known) ? known : new FeedGuard(instrument.Calendar);
        bool accepted = guard.Accept(quote);
        _guards[instrument.Symbol] = guard;
        return accepted;
    }

    private Task DeliverAsync(IEnumerable<MarketEvent> events) => Task.WhenAll(events
        .GroupBy(happened => happened.Symbol, StringComparer.Ordinal)
        .Select(group => Market(group.Key).OnQuotes(new QuoteBatch([.. group.Select(happened => new PlacedQuote(happened.Position, happened.Quote))]))));

    private async Task SaveAsync()
    {
        if (_pending.Count > 0) return;
        state.State = new FeedState { Position = _position, Time = Now, Simulation = _market.Capture() };
        await state.WriteStateAsync();
    }

    /// <summary>The simulation as of now: with a past on the first start, else continued through the time in which nothing ran.</summary>
    private async Task<SimulatedMarket> PrepareAsync(DateTime now, CancellationToken cancellation)
    {
        if (state.State.Simulation is not { } saved || now - state.State.Time > LongestPause || saved.Seed != feed.Seed)
        {
            (SimulatedMarket market, ImmutableArray<MarketSeries> history) = SimulatedMarket.WithHistory(feed.Seed, now, TimeFrame.M1, HistoryBars, feed.Simulation);
            foreach (MarketSeries series in history) await StoreAsync(series.Instrument.Symbol, series.Bars, cancellation);
            return market;
        }
        if (now - state.State.Time < TimeSpan.FromMinutes(2)) return SimulatedMarket.Restore(saved, feed.Simulation);

        var sparse = SimulatedMarket.Restore(saved, feed.Simulation with { TicksPerSecond = Math.Min(feed.Simulation.TicksPerSecond, 1 / 3.0) });
        Dictionary<string, (BarBuilder Builder, List<Bar> Bars)> minutes = [];
        foreach (SimulatedQuote next in sparse.Next(now))
        {
            string symbol = next.Instrument.Symbol;
            if (!minutes.TryGetValue(symbol, out (BarBuilder Builder, List<Bar> Bars) minute)) minute = minutes[symbol] = (new BarBuilder(TimeFrame.Tick, TimeFrame.M1), []);
            if (minute.Builder.TryClose(next.Quote.Time, out Bar closed)) minute.Bars.Add(closed);
            minute.Builder.Add(next.Quote, out _);
        }
        foreach ((string symbol, (BarBuilder _, List<Bar> bars)) in minutes) await StoreAsync(symbol, bars.ToArray(), cancellation);
        return SimulatedMarket.Restore(sparse.Capture(), feed.Simulation);
    }

    /// <summary>Keeps minutes, and the longer bars made of them.</summary>
    private async Task StoreAsync(string symbol, ReadOnlyMemory<Bar> minutes, CancellationToken cancellation)
    {
        foreach (TimeFrame frame in LiveFeedOptions.Frames)
        {
            var builder = new BarBuilder(TimeFrame.M1, frame);
            List<Bar> made = [];
            foreach (Bar minute in minutes.ToArray())
            {
                if (builder.TryClose(minute.OpenTime, out Bar ended)) made.Add(ended);
                if (builder.Add(minute, out Bar whole)) made.Add(whole);
            }
            await bars.AppendAsync(symbol, frame, made.ToArray(), cancellation);
        }
    }

    private async Task RedeliverAsync(CancellationToken cancellation)
    {
        Dictionary<string, DateTime> logged = new(StringComparer.Ordinal);
        await foreach (MarketEvent happened in log.ReadAsync(_position + 1, cancellation))
        {
            if (happened.Kind != MarketEventKind.Quote) continue;
            logged[happened.Symbol] = happened.Time;
            _pending.Add(happened);
        }
        if (logged.Count == 0) return;
        LogRedelivering(_pending.Count);
        // The simulation makes these quotes once more, and no others up to the last of them.
        _drawn = logged.Values.Max();
        while (_market.TryNext(_drawn.AddTicks(1), out _)) { }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} market events were not handed out; trying again")]
    private partial void LogNotDelivered(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} logged market events are handed out again")]
    private partial void LogRedelivering(int count);
}
