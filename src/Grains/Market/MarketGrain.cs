using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace HybridTrading.Grains.Market;

/// <summary>What a market must know again after a restart.</summary>
/// <param name="Frames">Time frames in use.</param>
[GenerateSerializer, Immutable, Alias("ht.MarketState")]
public sealed record MarketState
{
    [Id(0)] public ImmutableArray<TimeFrame> Frames { get; init; } = [];
    [Id(1)] public ImmutableSortedSet<string> Watchers { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);
    [Id(2)] public ImmutableArray<FrameView> Forming { get; init; } = [];
    [Id(3)] public long Position { get; init; } = -1;
    [Id(4)] public Quote Last { get; init; }
}

/// <summary>
/// Takes one instrument's events in order and does with each, one after the other: bars that ended by then close; the accounts that watch get it;
/// it enters the forming bars.
/// </summary>
[HostedBy("data-bridge")]
public sealed partial class MarketGrain(
    [PersistentState("market")] IPersistentState<MarketState> state, IMarketLog log, IBarStore bars, TradingOptions options, TimeProvider clock,
    IHostApplicationLifetime host, ILogger<MarketGrain> logger) : Grain, IMarketGrain
{
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(15);

    // Both change while an event is being handed out (Watch and EnsureFrame interleave): whole new ones take their place.
    private ImmutableSortedDictionary<TimeFrame, BarBuilder> _frames = ImmutableSortedDictionary<TimeFrame, BarBuilder>.Empty;
    private ImmutableSortedDictionary<string, long> _watchers = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);
    private readonly SerialWriter _writer = new();
    private readonly ObserverManager<IMarketObserver> _observers =
        new(Observing.Expiration, logger) { GetDateTime = () => clock.GetUtcNow().UtcDateTime };
    private ViewSource<MarketView> _views = null!;
    private ViewVersion _shown;
    private bool _changed;
    private long _watches;
    private Quote _last, _unlogged;
    private long _position = -1, _saved = -1;
    private TimeFrame? _source;
    private MarketState? _before;
    private bool _behind;
    private DateTime _taken;

    // The last bar that closed in each time frame since this activation.
    private ImmutableSortedDictionary<TimeFrame, Bar> _closed = ImmutableSortedDictionary<TimeFrame, Bar>.Empty;

    private string Symbol => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (options.Universe.Find(Symbol) is null) throw new ArgumentException($"market '{Symbol}': no such instrument here");
        _views = new ViewSource<MarketView>(ScreenView, clock, host.ApplicationStopping);
        foreach (string watcher in state.State.Watchers) _watchers = _watchers.SetItem(watcher, ++_watches);
        TimeFrame data = options.DataFrameOf(Symbol);
        foreach (TimeFrame frame in state.State.Frames) SetFrame(frame, new BarBuilder(data, frame));
        if (options.IsRun) return;

        if (!data.IsTick) _source = data;
        foreach (FrameView forming in state.State.Forming) SetFrame(forming.TimeFrame, BarBuilder.Continue(data, forming.TimeFrame, forming.Forming));
        _last = state.State.Last;
        _position = _saved = state.State.Position;
        _behind = _position >= 0;
        this.RegisterGrainTimer(static (self, _) => self.SaveAsync(), this, new GrainTimerCreationOptions(SaveInterval, SaveInterval) { Interleave = true });
        this.RegisterGrainTimer(static (self, _) => self.ShowAsync(), this, new GrainTimerCreationOptions(Observing.Pace, Observing.Pace) { Interleave = true });
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => options.IsRun ? Task.CompletedTask : SaveAsync();

    public async Task OnQuotes(QuoteBatch batch)
    {
        UseSource(TimeFrame.Tick);
        if (batch.Quotes.IsEmpty) return;
        await CatchUpAsync(batch.Quotes[0].Position);
        await HandOutAsync(() => HandOutAsync(batch));
    }

    public async Task OnBars(BarBatch batch)
    {
        UseSource(batch.TimeFrame);
        if (batch.Bars.IsEmpty) return;
        await CatchUpAsync(batch.Bars[0].Position);
        await HandOutAsync(() => HandOutAsync(batch));
    }

    public async Task OnClock(DateTime time, bool warmUp)
    {
        // The feed lets time pass when all that it had has been handed out.
        await CatchUpAsync(long.MaxValue);
        await HandOutAsync(async () =>
        {
            if (!warmUp) await TellAsync(account => account.OnClock(Symbol, time));
            await CloseEndedAsync(time, warmUp);
        });
    }

    /// <summary>
    /// All of it or none: what fails half-way is begun again, by a new activation, from what was before; who has had an event passes it over.
    /// A save in between keeps what was before, too.
    /// </summary>
    private async Task HandOutAsync(Func<Task> handOut)
    {
        _taken = clock.GetUtcNow().UtcDateTime;
        if (options.IsRun)
        {
            await handOut();
            return;
        }
        _before = Capture();
        try
        {
            await handOut();
            _before = null;
        }
        catch
        {
            _views.End();
            DeactivateOnIdle();
            throw;
        }
        if (!_changed) return;
        _changed = false;
        _views.Change();
    }

    private async Task HandOutAsync(QuoteBatch batch)
    {
        foreach (PlacedQuote placed in batch.Quotes)
        {
            if (placed.Position <= _position) continue;
            Quote quote = placed.Quote;
            await CloseEndedAsync(quote.Time, batch.WarmUp);
            // It is what the market shows only once it is told: an account that this event wakes must not find it and think that it had it.
            if (!batch.WarmUp) await TellAsync(account => account.OnQuote(Symbol, quote, placed.Position));
            _last = quote;
            _position = placed.Position;
            _changed = true;
            foreach ((TimeFrame frame, BarBuilder builder) in _frames)
            {
                if (builder.Add(quote, out Bar closed)) await CloseAsync(frame, closed, batch.WarmUp);
            }
        }
    }

    private async Task HandOutAsync(BarBatch batch)
    {
        foreach (PlacedBar placed in batch.Bars)
        {
            if (placed.Position <= _position) continue;
            Bar bar = placed.Bar;
            DateTime end = batch.TimeFrame.End(bar.OpenTime);
            await CloseEndedAsync(bar.OpenTime, batch.WarmUp);
            if (!batch.WarmUp) await TellAsync(account => account.OnBar(Symbol, bar, end, placed.Position));
            _last = QuoteAtEnd(bar, end);
            _position = placed.Position;
            _changed = true;
            foreach ((TimeFrame frame, BarBuilder builder) in _frames)
            {
                if (builder.Add(bar, out Bar closed)) await CloseAsync(frame, closed, batch.WarmUp);
            }
        }
    }

    public async Task<MarketView> Watch(string account)
    {
        Principal.RequireOwner(account);
        bool isNew = !_watchers.ContainsKey(account);
        // A new number each time: an account that asked again while its "no more" was on the way stays.
        _watchers = _watchers.SetItem(account, ++_watches);
        if (isNew && !options.IsRun) await SaveAsync();
        return View();
    }

    public async Task Unwatch(string account)
    {
        Principal.RequireOwner(account);
        _watchers = _watchers.Remove(account);
        if (!options.IsRun) await SaveAsync();
    }

    public async Task EnsureFrame(TimeFrame timeFrame)
    {
        if (_frames.ContainsKey(timeFrame)) return;
        if (options.FrameFault(Symbol, timeFrame) is { } fault) throw new ArgumentException(fault);
        SetFrame(timeFrame, new BarBuilder(_source ?? TimeFrame.Tick, timeFrame));
        if (!options.IsRun) await SaveAsync();
    }

    public Task<MarketView> GetView() => Task.FromResult(ScreenView());

    public Task Show(Quote quote)
    {
        _unlogged = quote;
        _views.Change();
        return Task.CompletedTask;
    }

    public Task<Versioned<MarketView>> GetViewAfter(ViewVersion known, CancellationToken cancellation) => _views.AfterAsync(known, cancellation);

    public Task<Versioned<MarketView>> Observe(IMarketObserver observer)
    {
        _observers.Subscribe(observer, observer);
        return Task.FromResult(_views.Current);
    }

    public Task Forget(IMarketObserver observer)
    {
        _observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    /// <summary>The time frame of the data decides how bars are built; a market has one source.</summary>
    private void UseSource(TimeFrame source)
    {
        if (_source == source) return;
        if (_source is not null) throw new InvalidOperationException($"market {Symbol} has {_source} data, got {source}");
        _source = source;
        if (source.IsTick) return;
        foreach (TimeFrame frame in _frames.Keys) SetFrame(frame, new BarBuilder(source, frame));
    }

    private void SetFrame(TimeFrame frame, BarBuilder builder) => _frames = _frames.SetItem(frame, builder);

    private static Quote QuoteAtEnd(in Bar bar, DateTime end) => new(end, bar.Bid.Close, bar.Ask.Close);

    private async Task TellAsync(Func<IAccountGrain, Task<bool>> tell)
    {
        ImmutableSortedDictionary<string, long> watchers = _watchers;
        if (watchers.IsEmpty) return;
        if (options.InOrder)
        {
            foreach ((string account, long number) in watchers)
            {
                await (options.IsRun ? TellAsync(account, number, tell) : TryTellAsync(account, number, tell));
            }
        }
        else
        {
            await Task.WhenAll(watchers.Select(watcher => TryTellAsync(watcher.Key, watcher.Value, tell)));
        }
    }

    private async Task TellAsync(string account, long number, Func<IAccountGrain, Task<bool>> tell) =>
        Heard(account, number, await tell(GrainFactory.GetGrain<IAccountGrain>(account)));

    /// <summary>One account's failure (its events not recorded) is not the market's.</summary>
    private async Task TryTellAsync(string account, long number, Func<IAccountGrain, Task<bool>> tell)
    {
        try
        {
            await TellAsync(account, number, tell);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotTold(e, account, Symbol);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "account {Account} could not take an event of {Symbol}")]
    private partial void LogNotTold(Exception exception, string account, string symbol);

    private void Heard(string account, long number, bool more)
    {
        if (!more && _watchers.TryGetValue(account, out long current) && current == number) _watchers = _watchers.Remove(account);
    }

    private async Task CloseEndedAsync(DateTime time, bool warmUp)
    {
        foreach ((TimeFrame frame, BarBuilder builder) in _frames)
        {
            if (builder.TryClose(time, out Bar closed)) await CloseAsync(frame, closed, warmUp);
        }
    }

    private async Task CloseAsync(TimeFrame frame, Bar bar, bool warmUp)
    {
        _changed = true;
        if (!options.IsRun) await bars.AppendAsync(Symbol, frame, new[] { bar });
        _closed = _closed.SetItem(frame, bar);
        if (!options.IsRun) EventTime.Set(_taken);
        await GrainFactory.GetGrain<IFeaturesGrain>(Keys.Features(Symbol, frame)).OnBar(new ClosedBar(bar, frame.End(bar.OpenTime), _position), warmUp);
    }

    /// <summary>Events after the last save, up to where the feed goes on: they were handed out before and only rebuild the forming bars.</summary>
    private async Task CatchUpAsync(long next)
    {
        if (!_behind) return;
        _behind = false;
        await foreach (MarketEvent happened in log.ReadAsync(_position + 1))
        {
            if (happened.Position >= next) break;
            if (happened.Symbol != Symbol || happened.Kind == MarketEventKind.Clock) continue;
            bool isBar = happened.Kind == MarketEventKind.Bar;
            foreach ((TimeFrame frame, BarBuilder builder) in _frames)
            {
                if (builder.TryClose(isBar ? happened.Bar.OpenTime : happened.Time, out Bar ended)) await bars.AppendAsync(Symbol, frame, new[] { ended });
                if (isBar ? builder.Add(happened.Bar, out Bar whole) : builder.Add(happened.Quote, out whole)) await bars.AppendAsync(Symbol, frame, new[] { whole });
            }
            _last = isBar ? QuoteAtEnd(happened.Bar, happened.Time) : happened.Quote;
            _position = happened.Position;
            _changed = true;
        }
    }

    private Task SaveAsync() => _writer.RunAsync(async () =>
    {
        MarketState now = _before is null ? Capture() : _before with { Frames = [.. _frames.Keys], Watchers = [.. _watchers.Keys] };
        if (_saved == now.Position && state.State.Watchers.SetEquals(now.Watchers) && state.State.Frames.SequenceEqual(now.Frames)) return;
        _saved = now.Position;
        state.State = now;
        await state.WriteStateAsync();
    });

    private MarketState Capture() => new()
    {
        Frames = [.. _frames.Keys], Watchers = [.. _watchers.Keys], Forming = Forming(), Position = _position, Last = _last,
    };

    private Task ShowAsync()
    {
        if (_shown == _views.Version) return Task.CompletedTask;
        _shown = _views.Version;
        if (_observers.Count == 0) return Task.CompletedTask;
        Versioned<MarketView> market = _views.Current;
        _observers.Notify(observer => observer.Show(market));
        return Task.CompletedTask;
    }

    private MarketView View() =>
        new(Symbol, _position, _last, Forming(), [.. _closed.Select(frame => new LastBar(frame.Key, frame.Value))]);

    private MarketView ScreenView() => _unlogged.Time > _last.Time ? View() with { Quote = _unlogged } : View();

    private ImmutableArray<FrameView> Forming() =>
        [.. _frames.Where(frame => frame.Value.IsForming).Select(frame => new FrameView(frame.Key, frame.Value.Forming))];
}
