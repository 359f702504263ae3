using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Market;

/// <summary>Where the feed stands.</summary>
/// <param name="Position">The last event whose consequences are all done.</param>
/// <param name="Time">Of a simulation the clock's, of a recording its own.</param>
/// <param name="Simulation">The simulation as of then; null where past data are played.</param>
/// <param name="Recording">The recording as of then; null where the market is simulated.</param>
[GenerateSerializer, Immutable, Alias("ht.FeedState")]
public sealed record FeedState
{
    [Id(0)] public long Position { get; init; } = -1;
    [Id(1)] public DateTime Time { get; init; }
    [Id(2)] public SimulationState? Simulation { get; init; }
    [Id(3)] public RecordingState? Recording { get; init; }
}

/// <summary>How far past data have been played, and at what pace they go on.</summary>
/// <param name="Recording">Which data (<see cref="RecordedFeedOptions.Recording"/>).</param>
/// <param name="Done">Quotes or bars handed out.</param>
/// <param name="Speed">Times real time; null for as fast as the system goes.</param>
[GenerateSerializer, Immutable, Alias("ht.RecordingState")]
public sealed record RecordingState(string Recording, long Done, bool Running, double? Speed);

/// <param name="Position">Place in the market log of the last event whose consequences are all done.</param>
/// <param name="Quality">What came in, and what was dropped as late, repeated or invalid: of a simulation since its process started, of a recording in all.</param>
/// <param name="Playback">Null where the market is simulated.</param>
[GenerateSerializer, Immutable, Alias("ht.FeedView")]
public sealed record FeedView(
    bool Simulated, long Position, DateTime Time, ImmutableSortedDictionary<string, FeedQuality> Quality, PlaybackView? Playback);

/// <param name="Done">Quotes or bars handed out, of <paramref name="Total"/>.</param>
/// <param name="Speed">Times real time; null for as fast as the system goes.</param>
[GenerateSerializer, Immutable, Alias("ht.PlaybackView")]
public sealed record PlaybackView(bool Running, double? Speed, long Done, long Total);

/// <summary>The feed: one for all markets.</summary>
[Shared, Alias("ht.IFeedGrain")]
public interface IFeedGrain : IGrainWithStringKey
{
    /// <summary>Sets it going; it keeps going by itself.</summary>
    [Alias("Start")] Task Start();

    /// <summary>Plays past data on, or halts them.</summary>
    /// <param name="speed">Times real time (0.01 to 1,000,000); null for as fast as the system goes.</param>
    /// <returns>Null when the market is simulated: that goes by the clock.</returns>
    [Shared, Alias("Play")] Task<PlaybackView?> Play(bool running, double? speed);

    [Shared, AlwaysInterleave, Alias("GetView")] Task<FeedView> GetView();
}

/// <summary>
/// Writes what comes in to the market log, in one order for all markets, and hands it to them; what was logged and perhaps not handed out when a
/// process ended is handed out again.
/// </summary>
[HostedBy("data-bridge")]
public sealed partial class FeedGrain(
    [PersistentState("feed")] IPersistentState<FeedState> state, IMarketLog log, IBarStore bars, LiveFeedOptions feed, TradingOptions options,
    TimeProvider clock, FeedMetrics metrics, ILogger<FeedGrain> logger) : Grain, IFeedGrain, IRemindable
{
    private const string AliveReminder = "alive";
    private const int HistoryBars = 1500;

    // The log cannot be written for some minutes: then nothing more is drawn.
    private const int MostUnlogged = 100_000;
    private static readonly TimeSpan PumpInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongDelivery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(30);

    // Drawn and not all handed out; drawn after that; whether all of the first has its place in the log, and an attempt at that which failed, perhaps
    // only in its answer.
    private readonly List<MarketEvent> _pending = [];
    private readonly List<MarketEvent> _ahead = [];
    private bool _isLogged = true;
    private (long First, int Count)? _attempt;
    private FeedSource _source = null!;
    private IGrainTimer? _timer;
    private long _position, _saved;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _position = state.State.Position;
        _source = feed switch
        {
            SimulatedFeedOptions simulated => new SimulatedSource(await PrepareAsync(simulated, Now, cancellationToken), options.Universe, clock),
            RecordedFeedOptions recorded => Recorded(recorded),
            _ => throw new InvalidOperationException($"no source for {feed.GetType().Name}"),
        };
        await RedeliverAsync(cancellationToken);
        foreach (Instrument instrument in options.Universe.Instruments)
        {
            foreach (TimeFrame frame in LiveFeedOptions.ChartFrames(options.DataFrameOf(instrument.Symbol))) await Market(instrument.Symbol).EnsureFrame(frame);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _timer?.Dispose();
        metrics.Leave();
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

    public async Task<PlaybackView?> Play(bool running, double? speed)
    {
        if (_source is not RecordedSource recorded) return null;
        if (speed is not (null or (>= RecordedFeedOptions.Slowest and <= RecordedFeedOptions.Fastest)))
        {
            throw new ArgumentOutOfRangeException(nameof(speed), speed, $"expected {RecordedFeedOptions.Slowest} to {RecordedFeedOptions.Fastest}");
        }
        recorded.Play(running, speed);
        await SaveAsync();
        return Playback(recorded);
    }

    public Task<FeedView> GetView() => Task.FromResult(
        new FeedView(_source is SimulatedSource, _position, state.State.Time, _source.Quality, _source is RecordedSource recorded ? Playback(recorded) : null));

    private static PlaybackView Playback(RecordedSource recorded) => new(recorded.IsRunning, recorded.Speed, recorded.Drawn, recorded.Total);

    private IMarketGrain Market(string symbol) => GrainFactory.GetGrain<IMarketGrain>(symbol);

    /// <summary>Draws, logs and hands out what is due, for one turn's time at most when there is always more.</summary>
    private async Task PumpAsync(CancellationToken cancellation)
    {
        long began = clock.GetTimestamp();
        do
        {
            if (!_isLogged || _pending.Count == 0)
            {
                int known = _pending.Count;
                Draw(_pending);
                if (!await LogAsync(cancellation))
                {
                    await ShowAsync(_pending, known);
                    return;
                }
            }
            try
            {
                await DeliverShowingAsync(cancellation);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // They stay pending: the next turn hands them out again, and who has had them passes them over.
                LogNotDelivered(e, _pending.Count);
                return;
            }
            _position = LastPosition(_pending);
            _pending.Clear();
            _pending.AddRange(_ahead);
            _isLogged = _ahead.Count == 0;
            _ahead.Clear();
            if (clock.GetElapsedTime(_saved) >= SaveInterval) await SaveAsync();
        }
        while (_source.IsBehind && clock.GetElapsedTime(began) < PumpInterval);
    }

    /// <summary>
    /// Gives what is pending its place in the log, before anybody acts on it. While the log cannot be written it stays pending; an attempt of which
    /// nobody knows how it ended is looked for first, so that nothing is logged twice.
    /// </summary>
    /// <returns>False when the log cannot be written.</returns>
    private async Task<bool> LogAsync(CancellationToken cancellation)
    {
        try
        {
            int found = _attempt is { } attempt ? await FindAsync(attempt.First, attempt.Count, cancellation) : 0;
            MarketEvent[] data = [.. _pending.Where(drawn => drawn.Kind != MarketEventKind.Clock).Skip(found)];
            _isLogged = false;
            long next = _attempt?.First ?? 0;
            if (data.Length > 0)
            {
                if (found == 0) _attempt = (log.NextPosition, data.Length);
                long first = await log.AppendAsync(data, cancellation);
                if (found == 0) next = first;
                else if (first != next + found) throw new InvalidOperationException($"the market log went on at {first}; expected {next + found}");
            }
            for (int i = 0; i < _pending.Count; i++)
            {
                if (_pending[i].Kind != MarketEventKind.Clock) _pending[i] = _pending[i] with { Position = next++ };
            }
            (_isLogged, _attempt) = (true, null);
            return true;
        }
        catch (IOException e)
        {
            LogNotLogged(e, _pending.Count);
            return false;
        }
    }

    /// <summary>What an attempt to log came to: all of it, or nothing.</summary>
    private async Task<int> FindAsync(long first, int count, CancellationToken cancellation)
    {
        using IEnumerator<MarketEvent> mine = _pending.Where(drawn => drawn.Kind != MarketEventKind.Clock).GetEnumerator();
        int found = 0;
        await foreach (MarketEvent logged in log.ReadAsync(first, cancellation))
        {
            if (found == count || !mine.MoveNext() || logged with { Position = 0 } != mine.Current)
            {
                DeactivateOnIdle();
                throw new InvalidOperationException($"the market log holds another feed's event at {logged.Position}; this one ends here");
            }
            found++;
        }
        return found;
    }

    private void Draw(List<MarketEvent> into)
    {
        if (into.Count < MostUnlogged) _source.Draw(into);
    }

    /// <summary>
    /// Hands out what is pending; while that takes long (an account waits for a journal that is away) screens are shown what comes after it.
    /// </summary>
    private async Task DeliverShowingAsync(CancellationToken cancellation)
    {
        Task delivery = DeliverAsync();
        while (_source.SideBySide && !delivery.IsCompleted)
        {
            using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(delivery, Task.Delay(LongDelivery, clock, done.Token));
            await done.CancelAsync();
            if (delivery.IsCompleted) break;
            int known = _ahead.Count;
            Draw(_ahead);
            await ShowAsync(_ahead, known);
        }
        await delivery;
    }

    /// <summary>Screens go on while nothing can be logged or handed out; accounts and strategies wait.</summary>
    private Task ShowAsync(List<MarketEvent> drawn, int known) => Task.WhenAll(drawn.Skip(known).Where(happened => happened.Kind != MarketEventKind.Clock)
        .GroupBy(happened => happened.Symbol, StringComparer.Ordinal).Select(group => Market(group.Key).Show(QuoteOf(group.Last()))));

    private static Quote QuoteOf(in MarketEvent happened) => happened.Kind == MarketEventKind.Bar
        ? new Quote(happened.Time, happened.Bar.Bid.Close, happened.Bar.Ask.Close)
        : happened.Quote;

    private long LastPosition(List<MarketEvent> events) =>
        events.FindLast(happened => happened.Kind != MarketEventKind.Clock) is { Symbol: not null } last ? last.Position : _position;

    private async Task DeliverAsync()
    {
        if (!_source.SideBySide)
        {
            await DeliverAsync(_pending);
            return;
        }
        // All quotes, then the clock: no account hears of a time before what happened until then.
        foreach (IGrouping<bool, MarketEvent> part in _pending.GroupBy(happened => happened.Kind == MarketEventKind.Clock))
        {
            await Task.WhenAll(part.GroupBy(happened => happened.Symbol, StringComparer.Ordinal).Select(DeliverAsync));
        }
    }

    /// <summary>Neighbours of one instrument go in one call.</summary>
    private async Task DeliverAsync(IEnumerable<MarketEvent> events)
    {
        MarketEvent[] all = [.. events];
        for (int start = 0, end; start < all.Length; start = end)
        {
            MarketEvent first = all[start];
            end = start + 1;
            while (end < all.Length && first.Kind != MarketEventKind.Clock && all[end].Kind == first.Kind && all[end].Symbol == first.Symbol) end++;
            ArraySegment<MarketEvent> run = new(all, start, end - start);
            IMarketGrain market = Market(first.Symbol);
            await (first.Kind switch
            {
                MarketEventKind.Clock => market.OnClock(first.Time, false),
                MarketEventKind.Bar => market.OnBars(new BarBatch(first.TimeFrame, [.. run.Select(one => new PlacedBar(one.Position, one.Bar))])),
                _ => market.OnQuotes(new QuoteBatch([.. run.Select(one => new PlacedQuote(one.Position, one.Quote))])),
            });
            if (first.Kind != MarketEventKind.Clock) metrics.HandedOut(first.Symbol, run.Count);
        }
    }

    private async Task SaveAsync()
    {
        if (_pending.Count + _ahead.Count > 0) return;
        _saved = clock.GetTimestamp();
        state.State = _source.Capture(state.State with { Position = _position });
        await state.WriteStateAsync();
    }

    /// <exception cref="ArgumentException">The stored market is another one: its accounts and bars would not fit.</exception>
    private RecordedSource Recorded(RecordedFeedOptions recorded)
    {
        string? stored = state.State.Simulation is not null ? "the simulated market" : state.State.Recording?.Recording;
        if (stored is not null && stored != recorded.Recording)
        {
            throw new ArgumentException($"the recorded market is {recorded.Recording}, but what is stored here is {stored}; expected the same, or a new data folder or database");
        }
        return new RecordedSource(recorded, state.State.Recording, clock);
    }

    /// <summary>The simulation as of now: with a past on the first start, else continued through the time in which nothing ran.</summary>
    /// <exception cref="ArgumentException">What is stored is a recorded market.</exception>
    private async Task<SimulatedMarket> PrepareAsync(SimulatedFeedOptions simulated, DateTime now, CancellationToken cancellation)
    {
        if (state.State.Recording is { } recording)
        {
            throw new ArgumentException($"the market is simulated, but what is stored here is {recording.Recording}; expected that with --market, or a new data folder or database");
        }
        if (state.State.Simulation is not { } saved || now - state.State.Time > LongestPause || saved.Seed != simulated.Seed)
        {
            (SimulatedMarket market, ImmutableArray<MarketSeries> history) = SimulatedMarket.WithHistory(simulated.Seed, now, TimeFrame.M1, HistoryBars, simulated.Simulation);
            // At once, so that they share their commits: nobody has prices until the last one is stored.
            await Task.WhenAll(history.Select(series => StoreAsync(series.Instrument.Symbol, series.Bars, cancellation)));
            return market;
        }
        if (now - state.State.Time < TimeSpan.FromMinutes(2)) return SimulatedMarket.Restore(saved, simulated.Simulation);

        var sparse = SimulatedMarket.Restore(saved, simulated.Simulation with { TicksPerSecond = Math.Min(simulated.Simulation.TicksPerSecond, 1 / 3.0) });
        Dictionary<string, (BarBuilder Builder, List<Bar> Bars)> minutes = [];
        foreach (SimulatedQuote next in sparse.Next(now))
        {
            string symbol = next.Instrument.Symbol;
            if (!minutes.TryGetValue(symbol, out (BarBuilder Builder, List<Bar> Bars) minute)) minute = minutes[symbol] = (new BarBuilder(TimeFrame.Tick, TimeFrame.M1), []);
            if (minute.Builder.TryClose(next.Quote.Time, out Bar closed)) minute.Bars.Add(closed);
            minute.Builder.Add(next.Quote, out _);
        }
        await Task.WhenAll(minutes.Select(minute => StoreAsync(minute.Key, minute.Value.Bars.ToArray(), cancellation)));
        return SimulatedMarket.Restore(sparse.Capture(), simulated.Simulation);
    }

    /// <summary>Keeps minutes, and the longer bars made of them.</summary>
    private Task StoreAsync(string symbol, ReadOnlyMemory<Bar> minutes, CancellationToken cancellation) =>
        Task.WhenAll(LiveFeedOptions.ChartFrames(TimeFrame.Tick).Select(frame =>
        {
            var builder = new BarBuilder(TimeFrame.M1, frame);
            List<Bar> made = [];
            foreach (Bar minute in minutes.ToArray())
            {
                if (builder.TryClose(minute.OpenTime, out Bar ended)) made.Add(ended);
                if (builder.Add(minute, out Bar whole)) made.Add(whole);
            }
            return bars.AppendAsync(symbol, frame, made.ToArray(), cancellation);
        }));

    private async Task RedeliverAsync(CancellationToken cancellation)
    {
        await foreach (MarketEvent happened in log.ReadAsync(_position + 1, cancellation))
        {
            if (happened.Kind != MarketEventKind.Clock) _pending.Add(happened);
        }
        if (_pending.Count == 0) return;
        LogRedelivering(_pending.Count);
        _source.PassOver(_pending);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} market events were not handed out; trying again")]
    private partial void LogNotDelivered(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} market events wait for the market log, screens show them")]
    private partial void LogNotLogged(Exception exception, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} logged market events are handed out again")]
    private partial void LogRedelivering(int count);
}
