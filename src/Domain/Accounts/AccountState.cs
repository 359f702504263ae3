using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Accounts;

/// <summary>
/// An account as the fold of its events, plus the marks (the market's last quotes, which are not events of the account).
/// It decides nothing: <see cref="Account"/> does.
/// </summary>
public sealed class AccountState
{
    private readonly InstrumentUniverse _universe;
    private readonly Dictionary<string, SymbolBook> _bookOf = new(StringComparer.Ordinal);
    private readonly Dictionary<long, SymbolBook> _bookOfOrder = [];
    private readonly Dictionary<string, long> _ordinalOfClientOrder = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DecisionVerdict> _verdicts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FollowTerms> _follows = new(StringComparer.Ordinal);
    private readonly HashSet<string> _requests = new(StringComparer.Ordinal);
    private readonly Dictionary<long, Denial> _denials = [];
    private readonly Dictionary<string, CurrencyPath> _paths = new(StringComparer.Ordinal);
    private readonly List<ClosedTrade> _closed = [];
    private ImmutableArray<SymbolBook> _books = [];
    private ImmutableArray<DateTime> _submits = [], _modifies = [];
    private SymbolBook? _recent;
    private DayTurns? _days;

    public AccountState(InstrumentUniverse universe) => _universe = universe;

    /// <summary>Null until the account is opened.</summary>
    public AccountSettings? Settings { get; private set; }
    public RiskLimits Limits { get; private set; } = RiskLimits.None;
    public TradingState TradingState { get; private set; }
    public Reason StateReason { get; private set; }

    /// <summary>Numbers of the tenant's halts that stand for the account's owner: while there is one, only what reduces passes. Apart from <see cref="TradingState"/>,
    /// which the owner may change.</summary>
    public ImmutableArray<long> TenantHalts { get; private set; } = [];

    /// <summary>Names of the limits whose use is near them, as <see cref="LimitWatch"/> has found it.</summary>
    public ImmutableArray<string> NearLimits { get; private set; } = [];

    /// <summary>Account currency: deposits plus all that was booked.</summary>
    public decimal Balance { get; private set; }
    public decimal Deposits { get; private set; }
    public decimal Realised { get; private set; }
    public decimal Commissions { get; private set; }
    public decimal Swaps { get; private set; }

    /// <summary>Time of the latest event, or of the latest market event seen.</summary>
    public DateTime Now { get; set; }
    public long NextOrdinal { get; private set; } = 1;
    public DateTime NextDayTurn { get; private set; } = DateTime.MaxValue;
    /// <summary>The latest day turn (or the opening).</summary>
    public DateTime DayTurned { get; private set; }
    public DateTime NextEquitySample { get; private set; } = DateTime.MaxValue;

    /// <summary>The highest equity at a day turn (or at the opening).</summary>
    public decimal HighWater { get; private set; }
    public decimal DayStart { get; private set; }
    public decimal WeekStart { get; private set; }
    public decimal MonthStart { get; private set; }
    public bool MarginCalled { get; private set; }

    /// <summary>Equity at the latest day turn; 0 on the day of the opening. Unlike <see cref="DayStart"/> it stays when limits count anew.</summary>
    public decimal DayOpen { get; private set; }

    /// <summary>Paid in less paid out since the latest day turn.</summary>
    public decimal DayPayments { get; private set; }

    public decimal EquityAtStartOf(LossPeriod period) => period switch { LossPeriod.Day => DayStart, LossPeriod.Week => WeekStart, _ => MonthStart };

    /// <summary>In ordinal order of their symbols. A whole new array takes its place when one is added.</summary>
    public ImmutableArray<SymbolBook> Books => _books;
    public IReadOnlyDictionary<string, FollowTerms> Follows => _follows;

    /// <summary>The latest place in the market log that any event names; -1 before the first.</summary>
    public long LastPosition { get; private set; } = -1;

    /// <summary>Bumped by every event: what time has in store may have changed.</summary>
    public long Revision { get; private set; }

    /// <summary>Bumped by every event that changes the balance or a holding: between two of them the equity moves by prices alone.</summary>
    public long Bookings { get; private set; }

    /// <summary>The turns of the account's trading day.</summary>
    internal DayTurns Days => _days!;

    /// <summary>
    /// The trading day that <paramref name="now"/> belongs to. A turn that has passed without an event moved no money: the day began with what is
    /// there now.
    /// </summary>
    public TradingDay Today(DateTime now)
    {
        if (now < NextDayTurn) return new TradingDay(DayTurned, NextDayTurn, DayOpen, DayPayments);
        DateTime began = NextDayTurn, ends = Days.After(began);
        while (ends <= now) (began, ends) = (ends, Days.After(ends));
        return new TradingDay(began, ends, Equity, 0);
    }

    public Instrument? FindInstrument(string symbol) => _universe.Find(symbol);

    public SymbolBook Book(string symbol)
    {
        if (FindBook(symbol) is { } known) return known;
        Instrument instrument = _universe.Find(symbol) ?? throw new InvalidOperationException($"unknown instrument {symbol}");
        var book = new SymbolBook(instrument, Settings!.Mode, NeededBy(instrument));
        _bookOf.Add(symbol, book);
        _books = [.. _books.Append(book).OrderBy(each => each.Instrument.Symbol, StringComparer.Ordinal)];
        return book;
    }

    public SymbolBook? FindBook(string symbol)
    {
        // A feed hands in the same string with every event: one comparison of references saves hashing it (15 ns of an event's 100).
        if (_recent is not null && ReferenceEquals(_recent.Instrument.Symbol, symbol)) return _recent;
        if (!_bookOf.TryGetValue(symbol, out SymbolBook? book)) return null;
        _recent = book;
        return book;
    }

    public Order? FindOrder(long ordinal) => _bookOfOrder.GetValueOrDefault(ordinal)?.FindOrder(ordinal);

    /// <summary>The ordinal given to a client order id; 0 when it was never seen.</summary>
    public long OrdinalOf(string clientOrderId) => _ordinalOfClientOrder.GetValueOrDefault(clientOrderId);

    public Denial? DenialOf(long ordinal) => _denials.GetValueOrDefault(ordinal);

    public DecisionVerdict? VerdictOn(string decision) => _verdicts.GetValueOrDefault(decision);

    public bool HasRequest(string requestId) => requestId.Length > 0 && _requests.Contains(requestId);

    /// <summary>Account currency for one unit of <paramref name="currency"/> by the mid prices seen; null when a quote on the way is missing.</summary>
    public decimal? Rate(string currency)
    {
        if (currency == Settings!.Currency) return 1m;
        CurrencyPath? path = Path(currency);
        if (path is null) return null;
        decimal rate = 1m;
        foreach (CurrencyStep step in path.Steps)
        {
            SymbolBook? book = FindBook(step.Symbol);
            if (book is null || book.Mark.Bid == 0) return null;
            decimal mid = (book.Mark.Bid + book.Mark.Ask) / 2m * book.PointSize;
            rate = step.Inverse ? rate / mid : rate * mid;
        }
        return rate;
    }

    /// <summary>The symbols whose quotes an order in <paramref name="instrument"/> needs: its own, then those of the currency conversion.</summary>
    public ImmutableArray<string> QuotesNeeded(Instrument instrument) => FindBook(instrument.Symbol)?.QuotesNeeded ?? NeededBy(instrument);

    private ImmutableArray<string> NeededBy(Instrument instrument)
    {
        if (instrument.QuoteCurrency == Settings!.Currency || Path(instrument.QuoteCurrency) is not { } path) return [instrument.Symbol];
        return [instrument.Symbol, .. path.Steps.Select(step => step.Symbol).Where(symbol => symbol != instrument.Symbol)];
    }

    private CurrencyPath? Path(string currency)
    {
        if (_paths.TryGetValue(currency, out CurrencyPath? known)) return known;
        CurrencyPath? found = _universe.FindPath(currency, Settings!.Currency);
        if (found is not null) _paths[currency] = found;
        return found;
    }

    /// <summary>Balance and what closing everything now would bring; positions without a rate count at cost.</summary>
    public decimal Equity
    {
        get
        {
            decimal equity = Balance;
            foreach (SymbolBook book in _books)
            {
                if (book.Holdings.Count > 0) equity += OpenResult(book);
            }
            return equity;
        }
    }

    /// <summary>Unrealised result of one instrument in account currency.</summary>
    public decimal OpenResult(SymbolBook book)
    {
        if (book.Mark.Bid == 0) return 0;
        string currency = book.Instrument.QuoteCurrency;
        if (currency == Settings!.Currency) return book.OpenPoints * book.PointSize;
        return Rate(currency) is { } rate ? book.OpenPoints * book.PointSize * rate : 0;
    }

    public decimal UsedMargin
    {
        get
        {
            decimal margin = 0;
            foreach (SymbolBook book in _books)
            {
                if (book.Holdings.Count > 0) margin += Margin(book.Instrument, book.MarginVolume, book.Mark.Bid);
            }
            return margin;
        }
    }

    /// <summary>Initial margin in account currency.</summary>
    public decimal Margin(Instrument instrument, decimal volume, decimal points)
    {
        decimal rate = instrument.MarginRate;
        if (Settings!.Leverage is { } leverage) rate = Math.Max(rate, 1m / leverage);
        return Notional(instrument, volume, points) * rate;
    }

    /// <summary>Absolute notional in account currency; 0 where the rate is unknown.</summary>
    public decimal Notional(Instrument instrument, decimal volume, decimal points) =>
        Math.Abs(volume) * points * instrument.PointSize * (Rate(instrument.QuoteCurrency) ?? 0);

    /// <summary>Rounds a booked amount as the account says.</summary>
    public decimal Money(decimal amount) =>
        Settings!.MoneyDigits is { } digits ? Math.Round(amount, digits, MidpointRounding.AwayFromZero) : amount;

    /// <summary>Orders accepted after <paramref name="time"/>, as far back as the submit rate looks.</summary>
    public int SubmitsSince(DateTime time) => _submits.Count(submit => submit > time);

    /// <summary>Changes requested after <paramref name="time"/>, as far back as the modify rate looks.</summary>
    public int ModifiesSince(DateTime time) => _modifies.Count(modify => modify > time);

    private static ImmutableArray<DateTime> Remember(ImmutableArray<DateTime> times, DateTime now, RateLimit? rate) =>
        rate is null ? [] : [.. times.Where(time => time > now - rate.Window), now];

    /// <summary>The trades closed since the last call.</summary>
    public ImmutableArray<ClosedTrade> TakeClosedTrades()
    {
        if (_closed.Count == 0) return [];
        ImmutableArray<ClosedTrade> closed = [.. _closed];
        _closed.Clear();
        return closed;
    }

    /// <summary>Folds one event in.</summary>
    public void Apply(AccountEvent happened)
    {
        Revision++;
        if (happened.Time > Now) Now = happened.Time;
        if (happened.MarketPosition > LastPosition) LastPosition = happened.MarketPosition;
        switch (happened)
        {
            case AccountOpened e:
                Open(e.Settings);
                Limits = e.Limits;
                NextDayTurn = Days.After(e.Time);
                DayTurned = e.Time;
                NextEquitySample = e.Settings.EquitySampling is { } every ? e.Time + every : DateTime.MaxValue;
                break;
            case BalanceAdjusted e:
                Bookings++;
                Balance += e.Amount;
                Deposits += e.Amount;
                // Money put in or taken out is neither profit nor loss.
                HighWater += e.Amount;
                DayStart += e.Amount;
                WeekStart += e.Amount;
                MonthStart += e.Amount;
                DayPayments += e.Amount;
                if (e.RequestId.Length > 0) _requests.Add(e.RequestId);
                break;
            case LimitsChanged e:
                Limits = e.Limits;
                break;
            case TradingStateChanged e:
                TradingState = e.State;
                StateReason = e.Reason;
                if (e.RebasedEquity is { } equity) HighWater = DayStart = WeekStart = MonthStart = equity;
                break;
            case TenantHaltsChanged e:
                TenantHalts = e.Halts;
                break;
            case LimitsNear e:
                NearLimits = [.. NearLimits.Except(e.Left).Union(e.Reached.Select(use => use.Limit))];
                break;
            case FollowChanged e:
                if (e.Terms is null) _follows.Remove(e.Strategy);
                else _follows[e.Strategy] = e.Terms;
                break;
            case DecisionReceived e:
                _verdicts[e.Decision] = e.Verdict;
                break;
            case OrderAccepted e:
                NextOrdinal = e.Order.Ordinal + 1;
                _ordinalOfClientOrder[e.Order.ClientOrderId] = e.Order.Ordinal;
                if (e.Order.Purpose == OrderPurpose.Trade) _submits = Remember(_submits, e.Time, Limits.SubmitRate);
                SymbolBook accepting = Seen(Book(e.Order.Symbol), e);
                _bookOfOrder[e.Order.Ordinal] = accepting;
                accepting.Put(e.Order);
                break;
            case OrderDenied e:
                NextOrdinal = e.Ordinal + 1;
                if (PreTradeRisk.MalformedId(e.Request.ClientOrderId) is null) _ordinalOfClientOrder[e.Request.ClientOrderId] = e.Ordinal;
                _denials[e.Ordinal] = e.Denial;
                break;
            case OrderWorking e:
                {
                    Order order = Changing(e, e.Ordinal);
                    // A change or cancel that follows the order to the venue stays pending.
                    if (order.Status == OrderStatus.Submitted) order = Move(order, OrderStatus.Working, e.Time);
                    Put(order with { Arrived = true, Rested = e.Rests, UpdatedAt = e.Time });
                    break;
                }
            case OrderRested e:
                Put(Changing(e, e.Ordinal) with { Rested = true, UpdatedAt = e.Time });
                break;
            case OrderTriggered e:
                Put(Changing(e, e.Ordinal) with { Triggered = true, Rested = e.Rests, UpdatedAt = e.Time });
                break;
            case StopTrailed e:
                Put(Changing(e, e.Ordinal) with { Stop = e.Stop, UpdatedAt = e.Time });
                break;
            case OrderFilled e:
                Fill(e);
                break;
            case OrderChangeRequested e:
                _modifies = Remember(_modifies, e.Time, Limits.ModifyRate);
                Put(Move(Changing(e, e.Ordinal), OrderStatus.PendingModify, e.Time) with { PendingChange = e.Change, RequestDue = e.ActiveFrom });
                break;
            case OrderChanged e:
                Change(Changing(e, e.Ordinal), e);
                break;
            case OrderCancelRequested e:
                Put(Move(Changing(e, e.Ordinal), OrderStatus.PendingCancel, e.Time) with
                {
                    PendingChange = null,
                    RequestDue = e.ActiveFrom,
                    Reason = e.Reason,
                });
                break;
            case OrderEnded e:
                {
                    Order order = Changing(e, e.Ordinal);
                    OrderStateMachine.RequireTerminal(order, e.Status);
                    Put(Move(order, e.Status, e.Time) with { Reason = e.Reason });
                    break;
                }
            case SwapCharged e:
                Bookings++;
                Balance += e.Amount;
                Swaps += e.Amount;
                SymbolBook book = Seen(Book(e.Symbol), e);
                if (book.Find(e.Holding) is { } charged) book.Put(charged with { Result = charged.Result + e.Amount });
                book.NextSwap = book.Instrument.Calendar.NextDayTurn(e.Time);
                break;
            case Accounts.DayTurned e:
                NextDayTurn = Days.After(e.Time);
                DayTurned = e.Time;
                DayStart = DayOpen = e.Equity;
                DayPayments = 0;
                if (e.NewWeek) WeekStart = e.Equity;
                if (e.NewMonth) MonthStart = e.Equity;
                HighWater = Math.Max(HighWater, e.Equity);
                MarginCalled = false;
                break;
            case Accounts.MarginCalled:
                MarginCalled = true;
                break;
            case EquitySampled e:
                NextEquitySample = e.Time + Settings!.EquitySampling!.Value;
                break;
            default:
                throw new InvalidOperationException($"unknown account event {happened.GetType().Name}");
        }
    }

    private void Open(AccountSettings settings)
    {
        Settings = settings;
        _days = new DayTurns(settings.Calendar);
    }

    private void Fill(OrderFilled e)
    {
        SymbolBook book = Seen(BookOf(e.Ordinal), e);
        Order order = book.FindOrder(e.Ordinal)!;
        decimal filled = order.Filled + e.Volume;
        OrderStatus status = filled == order.Volume ? OrderStatus.Filled
            : order.Status is OrderStatus.PendingCancel or OrderStatus.PendingModify ? order.Status
            : OrderStatus.PartiallyFilled;
        OrderStateMachine.RequireFilled(order, filled);
        OrderStateMachine.Require(order, status);
        Bookings++;
        if (book.Holdings.Count == 0 && book.BearsSwap) book.NextSwap = book.Instrument.Calendar.NextDayTurn(e.FillTime);
        IReadOnlyList<FillPart> parts = book.Allocate(order, e.Volume, e.Points, e.FillTime);
        foreach (Holding closed in book.Apply(parts, e.Commission, points => Money(points * book.PointSize * e.Rate)))
        {
            _closed.Add(new ClosedTrade(closed, e.Points, e.FillTime));
        }
        Balance += e.Realised - e.Commission;
        Realised += e.Realised;
        Commissions += e.Commission;
        Put(order with
        {
            Status = status,
            UpdatedAt = e.Time,
            Filled = filled,
            FilledNotional = order.FilledNotional + e.Volume * e.Points,
            Fills = e.Fill,
        });
    }

    private Order Changing(AccountEvent happened, long ordinal) => Seen(BookOf(ordinal), happened).FindOrder(ordinal)!;

    private SymbolBook BookOf(long ordinal) =>
        _bookOfOrder.GetValueOrDefault(ordinal) ?? throw new InvalidOperationException($"order {ordinal} is not open: it never was, or has ended");

    private void Put(Order order)
    {
        _bookOfOrder[order.Ordinal].Put(order);
        if (!order.IsOpen) _bookOfOrder.Remove(order.Ordinal);
    }

    private static SymbolBook Seen(SymbolBook book, AccountEvent happened)
    {
        book.Position = Math.Max(book.Position, happened.MarketPosition);
        return book;
    }

    private static Order Move(Order order, OrderStatus status, DateTime time)
    {
        OrderStateMachine.Require(order, status);
        return order with { Status = status, UpdatedAt = time };
    }

    private void Change(Order order, OrderChanged e)
    {
        OrderStateMachine.RequireRemaining(order, e.Volume);
        Order changed = order with { Volume = e.Volume, Limit = e.Limit, Stop = e.Stop, Trail = e.Trail, Rested = e.Rested, UpdatedAt = e.Time };
        if (e.Answers)
        {
            // Changed, it stands at the venue anew: as it stands now it was not there before.
            changed = Move(changed, order.Filled > 0 ? OrderStatus.PartiallyFilled : OrderStatus.Working, e.Time) with
            {
                ActiveFrom = e.Time,
                PendingChange = null,
                RequestDue = null,
            };
        }
        Put(changed);
    }

    /// <summary>Everything, so that <see cref="Restore"/> goes on as if nothing had happened.</summary>
    public AccountSnapshot Capture() => CaptureStanding() with
    {
        ClientOrders = _ordinalOfClientOrder.ToImmutableDictionary(),
        Denials = _denials.ToImmutableDictionary(),
        Verdicts = _verdicts.ToImmutableDictionary(),
        Requests = [.. _requests.Order(StringComparer.Ordinal)],
    };

    /// <summary>As it stands, without what it has answered so far: that grows with every order of its life, and only repeats ask for it.</summary>
    public AccountState CopyWithoutAnswers() => Restore(_universe, CaptureStanding());

    private AccountSnapshot CaptureStanding() => new()
    {
        Settings = Settings!, Limits = Limits, TradingState = TradingState, StateReason = StateReason, TenantHalts = TenantHalts, NearLimits = NearLimits,
        Balance = Balance, Deposits = Deposits, Realised = Realised, Commissions = Commissions, Swaps = Swaps,
        Equity = Equity, UsedMargin = UsedMargin,
        Now = Now, NextOrdinal = NextOrdinal, NextDayTurn = NextDayTurn, NextEquitySample = NextEquitySample,
        DayTurned = DayTurned, LastPosition = _books.Aggregate(LastPosition, (latest, book) => Math.Max(latest, book.Position)),
        HighWater = HighWater, DayStart = DayStart, WeekStart = WeekStart, MonthStart = MonthStart, MarginCalled = MarginCalled,
        DayOpen = DayOpen, DayPayments = DayPayments,
        Books = [.. _books.Select(book => new BookSnapshot(
            book.Instrument.Symbol, book.Mark, book.MarkPosition, book.Position, book.NextSwap, [.. book.Holdings], [.. book.Orders], OpenResult(book)))],
        Follows = _follows.ToImmutableDictionary(),
        Submits = _submits,
        Modifies = _modifies,
    };

    /// <summary>The state as it was captured.</summary>
    public static AccountState Restore(InstrumentUniverse universe, AccountSnapshot snapshot)
    {
        var state = new AccountState(universe)
        {
            Limits = snapshot.Limits,
            TradingState = snapshot.TradingState,
            TenantHalts = snapshot.TenantHalts,
            NearLimits = snapshot.NearLimits,
            StateReason = snapshot.StateReason,
            Balance = snapshot.Balance,
            Deposits = snapshot.Deposits,
            Realised = snapshot.Realised,
            Commissions = snapshot.Commissions,
            Swaps = snapshot.Swaps,
            Now = snapshot.Now,
            NextOrdinal = snapshot.NextOrdinal,
            NextDayTurn = snapshot.NextDayTurn,
            NextEquitySample = snapshot.NextEquitySample,
            DayTurned = snapshot.DayTurned,
            LastPosition = snapshot.LastPosition,
            HighWater = snapshot.HighWater,
            DayStart = snapshot.DayStart,
            WeekStart = snapshot.WeekStart,
            MonthStart = snapshot.MonthStart,
            MarginCalled = snapshot.MarginCalled,
            DayOpen = snapshot.DayOpen,
            DayPayments = snapshot.DayPayments,
            _submits = snapshot.Submits,
            _modifies = snapshot.Modifies,
        };
        state.Open(snapshot.Settings);
        foreach (BookSnapshot book in snapshot.Books)
        {
            SymbolBook restored = state.Book(book.Symbol);
            restored.SetMark(book.Mark, book.MarkPosition);
            restored.Position = book.Position;
            restored.NextSwap = book.NextSwap;
            foreach (Holding holding in book.Holdings) restored.Put(holding);
            foreach (Order order in book.Orders)
            {
                restored.Put(order);
                state._bookOfOrder[order.Ordinal] = restored;
            }
        }
        foreach ((string id, long ordinal) in snapshot.ClientOrders) state._ordinalOfClientOrder[id] = ordinal;
        foreach ((long ordinal, Denial denial) in snapshot.Denials) state._denials[ordinal] = denial;
        foreach ((string id, DecisionVerdict verdict) in snapshot.Verdicts) state._verdicts[id] = verdict;
        foreach ((string strategy, FollowTerms terms) in snapshot.Follows) state._follows[strategy] = terms;
        state._requests.UnionWith(snapshot.Requests);
        return state;
    }
}

/// <summary>A trading day of an account.</summary>
/// <param name="Began">UTC: the turn of the account's own calendar, or the opening of the account.</param>
/// <param name="Ends">UTC: the next turn.</param>
/// <param name="Equity">With which it began; 0 on the day of the opening. Account currency.</param>
/// <param name="Payments">Paid in less paid out since: neither profit nor loss. Account currency.</param>
[GenerateSerializer, Immutable, Alias("ht.TradingDay")]
public sealed record TradingDay(DateTime Began, DateTime Ends, decimal Equity, decimal Payments)
{
    /// <summary>Profit or loss of the day, realised and open together, in account currency.</summary>
    /// <param name="equity">The account's now.</param>
    public decimal ResultOf(decimal equity) => equity - Equity - Payments;
}

/// <summary>A holding that came to zero.</summary>
/// <param name="Holding">As it stood last, with its final <see cref="Accounts.Holding.Result"/>.</param>
/// <param name="ExitPoints">Price of the closing fill.</param>
[GenerateSerializer, Immutable, Alias("ht.ClosedTrade")]
public sealed record ClosedTrade(Holding Holding, long ExitPoints, DateTime Closed);
