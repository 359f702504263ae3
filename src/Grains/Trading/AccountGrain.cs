using System.Diagnostics;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace HybridTrading.Grains.Trading;

/// <summary>Loads the account, calls it, records what it raised, answers when that is durable.</summary>
[HostedBy("trading-engine")]
public sealed partial class AccountGrain : Grain, IAccountGrain
{
    private static readonly TimeSpan LimitsPace = TimeSpan.FromSeconds(1);

    private readonly IJournal _journal;
    private readonly ISnapshotStore _snapshots;
    private readonly TradingOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<AccountGrain> _log;
    private readonly TradingMetrics _metrics;
    private readonly OrderTraces _traces = new();
    private readonly HashSet<string> _watched = new(StringComparer.Ordinal);
    private readonly ObserverManager<IAccountObserver> _observers;
    private IGrainTimer? _showing;
    private AccountView? _shown;
    private bool _changed;
    private EventStream<AccountEvent> _stream = null!;
    private Account _account = null!;
    private StreamOwner _owner;
    private SettingsReader _settings = null!;
    private long _snapshotVersion;
    private long? _limitsSeen;

    public AccountGrain(
        IJournal journal, ISnapshotStore snapshots, TradingOptions options, TimeProvider clock, TradingMetrics metrics, ILogger<AccountGrain> log)
    {
        _journal = journal;
        _snapshots = snapshots;
        _options = options;
        _clock = clock;
        _log = log;
        _metrics = metrics;
        _observers = new ObserverManager<IAccountObserver>(Observing.Expiration, log) { GetDateTime = () => clock.GetUtcNow().UtcDateTime };
    }

    private string Key => this.GetPrimaryKeyString();

    private AccountState State => _account.State;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string stream = Keys.AccountStream(Key);
        _owner = new StreamOwner(Keys.TenantOf(Key), Keys.PersonOf(Key));
        _settings = SettingsReader.Of(GrainFactory, _clock, _owner.Subject);
        _stream = new EventStream<AccountEvent>(_journal, AccountEventCatalog.Events, stream, _owner, DeactivateOnIdle);
        AccountState state = await LoadAsync(stream, cancellationToken);
        await _stream.Replay(_snapshotVersion, (happened, _) => state.Apply(happened), cancellationToken);
        state.TakeClosedTrades();
        _account = new Account(Key, state);
        // What it holds must go on seeing prices, whoever woke it.
        foreach (SymbolBook book in state.Books.Where(book => !book.IsIdle).ToArray()) await SeeAsync(book.Instrument);
        // What the tenant decided while the account was away holds before anything else happens.
        if (State.Settings is not null) await SetTenantHalts(await JoinKillSwitchAsync());
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (State.Settings is not null && _stream.Version > _snapshotVersion) await SnapshotAsync(cancellationToken);
    }

    public async Task<CommandResult> Open(AccountSettings settings, RiskLimits limits, decimal deposit)
    {
        // Joined first: a halt that comes while it opens is told to it.
        bool opens = State.Settings is null;
        ImmutableArray<TenantHalt> standing = opens ? await JoinKillSwitchAsync() : [];
        string? fault = _account.Open(settings, limits, deposit, Now);
        if (opens && fault is null) _account.SetTenantHalts(standing, Now);
        return await DoneAsync(fault);
    }

    public Task<CommandResult> Adjust(decimal amount, string note, string requestId) =>
        CommandAsync(time => _account.Adjust(amount, note, requestId, time));

    public Task<CommandResult> SetLimits(RiskLimits limits) => CommandAsync(time => _account.SetLimits(limits, time));

    public Task<CommandResult> SetFollow(string strategy, FollowTerms? terms) => CommandAsync(time => _account.SetFollow(strategy, terms, time));

    public Task<CommandResult> SetState(TradingState state, string who) => CommandAsync(time =>
    {
        _account.SetTradingState(state, who, time);
        return null;
    });

    public Task<CommandResult> Flatten(string who) => CommandAsync(time =>
    {
        _account.Flatten(who, time);
        return null;
    });

    public async Task SetTenantHalts(ImmutableArray<TenantHalt> standing)
    {
        if (State.Settings is null) return;
        _account.SetTenantHalts(standing, Now);
        await RecordAsync();
    }

    public async Task<OrderAnswer> Place(OrderRequest order)
    {
        if (State.Settings is null) return NoAccount();
        long began = _clock.GetTimestamp();
        if (State.OrdinalOf(order.ClientOrderId) == 0 && State.FindInstrument(order.Symbol) is { } instrument) await SeeAsync(instrument);
        OrderAnswer answer = await AnswerAsync(_account.Submit(order, Now));
        _metrics.Answered(_clock.GetElapsedTime(began));
        return answer;
    }

    public async Task<OrderPreview?> Preview(OrderRequest order)
    {
        if (State.Settings is null) return null;
        if (State.FindInstrument(order.Symbol) is { } instrument) await SeeAsync(instrument);
        OrderPreview preview = _account.Preview(order, Now);
        // It follows from what was raised so far.
        await _stream.Durable();
        return preview;
    }

    public async Task<OrderAnswer> Change(string clientOrderId, OrderChange change) =>
        State.Settings is null ? NoAccount() : await AnswerAsync(_account.Change(clientOrderId, change, Now));

    public async Task<OrderAnswer> Cancel(string clientOrderId) =>
        State.Settings is null ? NoAccount() : await AnswerAsync(_account.Cancel(clientOrderId, Now));

    public async Task<DecisionVerdict> Receive(Decision decision)
    {
        if (State.Settings is null) return new DecisionVerdict(Key, Reason.NotFollowing, "the account was never opened", [], 0);
        if (State.VerdictOn(decision.Id) is null && State.FindInstrument(decision.Symbol) is { } instrument) await SeeAsync(instrument);
        DecisionVerdict verdict = _account.Receive(decision);
        await RecordAsync();
        return verdict;
    }

    public async Task<bool> OnQuote(string symbol, Quote quote, long position)
    {
        if (State.Settings is null) return false;
        bool more = _account.OnQuote(symbol, quote, position);
        return await SeenAsync(symbol, more);
    }

    public async Task<bool> OnBar(string symbol, Bar bar, DateTime closeTime, long position)
    {
        if (State.Settings is null) return false;
        bool more = _account.OnBar(symbol, bar, closeTime, position);
        return await SeenAsync(symbol, more);
    }

    public async Task<bool> OnClock(string symbol, DateTime time)
    {
        if (State.Settings is null) return false;
        bool more = _account.OnClock(symbol, time);
        return await SeenAsync(symbol, more);
    }

    public async Task<AccountView?> GetView()
    {
        if (State.Settings is null) return null;
        foreach (SymbolBook book in State.Books.Where(book => book.Mark.Bid == 0).ToArray()) await SeeAsync(book.Instrument);
        if (!_options.IsRun) _settings.Refresh();
        await _stream.Durable();
        return View();
    }

    public async Task<AccountView?> Observe(IAccountObserver observer)
    {
        if (await GetView() is not { } view) return null;
        _observers.Subscribe(observer, observer);
        // Not interleaved: between two requests all that an account knows is durable.
        _showing ??= this.RegisterGrainTimer(static (self, _) => self.ShowAsync(), this, new GrainTimerCreationOptions(Observing.Pace, Observing.Pace));
        return view;
    }

    public Task Forget(IAccountObserver observer)
    {
        _observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    public async Task Leave()
    {
        if (State.Settings is not null) _watched.UnionWith(State.Books.SelectMany(book => State.QuotesNeeded(book.Instrument)));
        foreach (string symbol in _watched) await GrainFactory.GetGrain<IMarketGrain>(symbol).Unwatch(Key);
        _watched.Clear();
        DeactivateOnIdle();
    }

    public Task Wake() => Task.CompletedTask;

    /// <summary>Nobody halts a run: it plays what has been.</summary>
    private async Task<ImmutableArray<TenantHalt>> JoinKillSwitchAsync() =>
        _options.IsRun ? [] : await GrainFactory.GetGrain<IKillSwitchGrain>(Keys.KillSwitch(_owner.Tenant)).Join(Keys.AccountStream(Key));

    private DateTime Now => _options.Now(_clock, State.Now);

    private async Task<CommandResult> CommandAsync(Func<DateTime, string?> command) =>
        await DoneAsync(State.Settings is null ? $"account '{Key}' was never opened" : command(Now));

    private async Task<CommandResult> DoneAsync(string? fault) => new(await RecordAsync(), fault);

    private async Task<OrderAnswer> AnswerAsync(OrderResult result)
    {
        Order? order = State.FindOrder(result.Ordinal);
        return new OrderAnswer(await RecordAsync(), result, order);
    }

    private OrderAnswer NoAccount() => new(-1, new OrderResult(0, 0, new Denial(Reason.NotFollowing, $"account '{Key}' was never opened")), null);

    private async Task<bool> SeenAsync(string symbol, bool more)
    {
        _changed = true;
        LookAtLimits();
        if (_account.Uncommitted.Count > 0)
        {
            using Activity? fill = _traces.StartFill(_account.Uncommitted);
            await RecordAsync();
        }
        if (!more) _watched.Remove(symbol);
        return more;
    }

    /// <summary>Records what the turn raised; returns when it, and all before it, is durable.</summary>
    private async Task<long> RecordAsync()
    {
        _changed = true;
        LookAtLimits();
        ImmutableArray<AccountEvent> raised = _account.TakeUncommitted();
        _stream.Append(raised, happened => happened.Time, Causation);
        _traces.See(raised, ordinal => State.FindOrder(ordinal) is not null);
        State.TakeClosedTrades();
        long position = await _stream.Durable();
        _metrics.Count(raised);
        if (_stream.Version - _snapshotVersion >= _options.SnapshotEvery) await SnapshotAsync(CancellationToken.None);
        return position;
    }

    /// <summary>Once a second at most, and no settings are read for an account that uses next to nothing of its limits. A run tells nobody.</summary>
    private void LookAtLimits()
    {
        if (_options.IsRun || State.Settings is null) return;
        if (_limitsSeen is { } seen && _clock.GetElapsedTime(seen) < LimitsPace) return;
        _limitsSeen = _clock.GetTimestamp();
        ImmutableArray<LimitUse> uses = LimitUse.Of(State);
        if (State.NearLimits.IsEmpty && uses.All(use => use.Share < LimitWatch.LowestShare)) return;
        _settings.Refresh();
        if (_settings.Known is { } settings) _account.TellNearLimits(uses, settings.NearLimitShare, Now);
    }

    private string Causation(AccountEvent happened) => happened switch
    {
        OrderAccepted e => e.Order.Decision.Length > 0 ? e.Order.Decision : e.Order.ClientOrderId,
        OrderDenied e => e.Request.Decision.Length > 0 ? e.Request.Decision : e.Request.ClientOrderId,
        DecisionReceived e => e.Decision,
        BalanceAdjusted e => e.RequestId,
        _ => "",
    };

    /// <summary>Has the market's quotes (and those of the conversion) come to this account from now on, and looks at them as they stand.</summary>
    private async Task SeeAsync(Instrument instrument)
    {
        foreach (string symbol in State.QuotesNeeded(instrument).ToArray())
        {
            // A watched symbol is delivered; only what has not been seen yet has to be asked for.
            if (_watched.Contains(symbol) && State.FindBook(symbol) is { Mark.Bid: > 0 }) continue;
            MarketView view = await GrainFactory.GetGrain<IMarketGrain>(symbol).Watch(Key);
            _watched.Add(symbol);
            _account.Observe(symbol, view.Quote, view.Position);
        }
    }

    private async Task<AccountState> LoadAsync(string stream, CancellationToken cancellation)
    {
        Snapshot? snapshot = await _snapshots.LoadAsync(stream, cancellation);
        if (snapshot is { Shape: AccountSnapshot.Shape })
        {
            _snapshotVersion = snapshot.Version;
            return AccountState.Restore(_options.Universe, JsonSerializer.Deserialize(snapshot.Payload.Span, AccountJson.Default.AccountSnapshot)!);
        }
        _snapshotVersion = 0;
        return new AccountState(_options.Universe);
    }

    private async Task SnapshotAsync(CancellationToken cancellation)
    {
        long version = _stream.Version;
        byte[] payload = JsonSerializer.SerializeToUtf8Bytes(State.Capture(), AccountJson.Default.AccountSnapshot);
        _snapshotVersion = version;
        try
        {
            // A snapshot must never be ahead of the journal.
            await _stream.Durable();
            await _snapshots.SaveAsync(Keys.AccountStream(Key), _owner, version, AccountSnapshot.Shape, payload, cancellation);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Disposable: the stream alone restores the account, only slower.
            LogSnapshotFailed(e, Key);
        }
    }

    private async Task ShowAsync()
    {
        _observers.ClearExpired();
        if (_observers.Count == 0)
        {
            _showing!.Dispose();
            _showing = null;
            return;
        }
        _settings.Refresh();
        if (!_changed && _shown?.NearLimitShare == NearLimitShare && Now < _shown.Today.Ends) return;
        _changed = false;
        await _stream.Durable();
        AccountView view = View();
        if (_shown?.ShowsTheSameAs(view) == true) return;
        _shown = view;
        _observers.Notify(observer => observer.Show(view));
    }

    private decimal NearLimitShare => (_settings.Known ?? EffectiveSettings.Defaults).NearLimitShare;

    private AccountView View()
    {
        decimal equity = State.Equity, margin = State.UsedMargin;
        ImmutableArray<PositionView>.Builder positions = ImmutableArray.CreateBuilder<PositionView>();
        foreach (SymbolBook book in State.Books)
        {
            decimal rate = State.Rate(book.Instrument.QuoteCurrency) ?? 0;
            foreach (Holding holding in book.Holdings)
            {
                long mark = holding.Volume > 0 ? book.Mark.Bid : book.Mark.Ask;
                positions.Add(new PositionView(holding.Id, holding.Symbol, holding.Owner, holding.Volume,
                    Math.Round(holding.AverageEntryPoints * book.Instrument.PointSize, book.Instrument.Digits + 2), book.Instrument.ToPrice(mark),
                    State.Money((holding.Volume * mark - holding.Cost) * book.Instrument.PointSize * rate), holding.Opened));
            }
        }
        return new AccountView(Key, State.Settings!.Currency, State.Settings.Mode, State.TradingState, State.StateReason, State.Balance, equity, margin, equity - margin,
            State.Realised, State.Commissions, State.Swaps, State.Deposits, State.Now, _stream.Version, positions.ToImmutable(),
            [.. State.Books.SelectMany(book => book.Orders)], State.Follows.ToImmutableSortedDictionary(StringComparer.Ordinal), State.Limits,
            LimitUse.Of(State), NearLimitShare, State.Today(Now), !State.TenantHalts.IsEmpty);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "snapshot of account {Account} was not saved")]
    private partial void LogSnapshotFailed(Exception exception, string account);
}
