using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;

namespace HybridTrading.Grains.Market;

/// <summary>Where a feed's events come from, and where it stands in them.</summary>
internal abstract class FeedSource
{
    /// <summary>Instruments are handed out side by side; else strictly one event after the other.</summary>
    public abstract bool SideBySide { get; }

    /// <summary>More is due at once: nobody has to wait for the next turn.</summary>
    public abstract bool IsBehind { get; }

    public abstract ImmutableSortedDictionary<string, FeedQuality> Quality { get; }

    /// <summary>Adds what has become due: quotes or bars, and clock events that let the bars of one instrument end.</summary>
    public abstract void Draw(List<MarketEvent> due);

    /// <summary>These were drawn in an earlier life: go on behind them.</summary>
    public abstract void PassOver(IReadOnlyList<MarketEvent> logged);

    /// <summary>Where it stands, once everything drawn has been handed out.</summary>
    public abstract FeedState Capture(FeedState state);
}

/// <summary>Quotes of the simulated market up to the present.</summary>
internal sealed class SimulatedSource(SimulatedMarket market, InstrumentUniverse universe, TimeProvider clock) : FeedSource
{
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<string, FeedGuard> _guards = new(StringComparer.Ordinal);
    private DateTime _clocked;

    public override bool SideBySide => true;

    public override bool IsBehind => false;

    public override ImmutableSortedDictionary<string, FeedQuality> Quality =>
        _guards.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value.Quality, StringComparer.Ordinal);

    public override void Draw(List<MarketEvent> due)
    {
        DateTime now = clock.GetUtcNow().UtcDateTime;
        while (market.TryNext(now, out SimulatedQuote next))
        {
            if (!Accept(next.Instrument, next.Quote)) continue;
            due.Add(new MarketEvent(0, next.Quote.Time, next.Instrument.Symbol, MarketEventKind.Quote, next.Quote, default, TimeFrame.Tick));
        }
        if (now - _clocked < ClockInterval) return;
        _clocked = now;
        // Never later than what has been drawn: a quote that is still to come must not find its minute closed.
        foreach (Instrument instrument in universe.Instruments) due.Add(new MarketEvent(0, now, instrument.Symbol, MarketEventKind.Clock, default, default, TimeFrame.Tick));
    }

    /// <summary>The simulation makes these quotes once more, and no others up to the last of them.</summary>
    public override void PassOver(IReadOnlyList<MarketEvent> logged)
    {
        DateTime last = logged.Max(happened => happened.Time);
        while (market.TryNext(last.AddTicks(1), out _)) { }
    }

    public override FeedState Capture(FeedState state) => state with { Time = clock.GetUtcNow().UtcDateTime, Simulation = market.Capture() };

    /// <summary>Order is kept, and nothing comes twice, from here on.</summary>
    private bool Accept(Instrument instrument, in Quote quote)
    {
        FeedGuard guard = _guards.TryGetValue(instrument.Symbol, out FeedGuard known) ? known : new FeedGuard(instrument.Calendar);
        bool accepted = guard.Accept(quote);
        _guards[instrument.Symbol] = guard;
        return accepted;
    }
}

/// <summary>Past data in the total order of a run, at a pace that can be changed and halted.</summary>
internal sealed class RecordedSource : FeedSource
{
    private const int LargestDraw = 512;

    private readonly ImmutableArray<MarketSeries> _series;
    private readonly string _recording;
    private readonly RunSequence _sequence;
    private readonly TimeProvider _clock;
    private RunEvent? _next;
    private long _drawn;
    private DateTime _time;

    // The pace: where the recording stood, and when that was by the clock.
    private DateTime _pacedFrom;
    private long _pacedAt;

    public RecordedSource(RecordedFeedOptions options, RecordingState? state, TimeProvider clock)
    {
        (_series, _recording, _clock) = (options.Series, options.Recording, clock);
        _sequence = new RunSequence(options.Series, each => LiveFeedOptions.ChartFrames(each.TimeFrame));
        _time = _sequence.Start;
        Total = _sequence.DataPoints;
        (IsRunning, Speed) = state is null ? (options.Running, options.Speed) : (state.Running, state.Speed);
        Advance();
        PassOver(state?.Done ?? 0);
    }

    /// <summary>Quotes or bars in all.</summary>
    public long Total { get; }

    /// <summary>Quotes or bars drawn so far.</summary>
    public long Drawn => _drawn;

    public bool IsRunning { get; private set; }

    /// <summary>Times real time; null for as fast as the system goes.</summary>
    public double? Speed { get; private set; }

    public override bool SideBySide => false;

    public override bool IsBehind => IsRunning && _next is { } next && next.Time <= Due;

    public override ImmutableSortedDictionary<string, FeedQuality> Quality =>
        _series.ToImmutableSortedDictionary(series => series.Instrument.Symbol, series => series.Quality, StringComparer.Ordinal);

    public void Play(bool running, double? speed)
    {
        (IsRunning, Speed) = (running, speed);
        Pace();
    }

    public override void Draw(List<MarketEvent> due)
    {
        if (!IsRunning) return;
        DateTime until = Due;
        while (due.Count < LargestDraw && _next is { } next && next.Time <= until)
        {
            due.Add(EventOf(next));
            _time = next.Time;
            if (next.Index >= 0) _drawn++;
            Advance();
        }
    }

    public override void PassOver(IReadOnlyList<MarketEvent> logged) => PassOver(_drawn + logged.Count);

    public override FeedState Capture(FeedState state) =>
        state with { Time = _time, Recording = new RecordingState(_recording, _drawn, IsRunning, Speed) };

    /// <summary>How far the recording may have come by now.</summary>
    private DateTime Due => Speed is not { } times ? DateTime.MaxValue
        : _clock.GetElapsedTime(_pacedAt) * times is var ahead && ahead < DateTime.MaxValue - _pacedFrom ? _pacedFrom + ahead
        : DateTime.MaxValue;

    private void PassOver(long drawn)
    {
        while (_drawn < drawn && _next is { } next)
        {
            _time = next.Time;
            if (next.Index >= 0) _drawn++;
            Advance();
        }
        Pace();
    }

    private void Pace() => (_pacedFrom, _pacedAt) = (_time, _clock.GetTimestamp());

    private void Advance() => _next = _sequence.MoveNext() ? _sequence.Current : null;

    private MarketEvent EventOf(in RunEvent happened)
    {
        MarketSeries series = _series[happened.Series];
        string symbol = series.Instrument.Symbol;
        return happened.Index < 0 ? new(0, happened.Time, symbol, MarketEventKind.Clock, default, default, TimeFrame.Tick)
            : series.IsTicks ? new(0, happened.Time, symbol, MarketEventKind.Quote, series.Quotes.Span[happened.Index], default, TimeFrame.Tick)
            : new(0, happened.Time, symbol, MarketEventKind.Bar, default, series.Bars.Span[happened.Index], series.TimeFrame);
    }
}
