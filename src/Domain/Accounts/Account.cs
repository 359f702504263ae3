using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Accounts;

/// <summary>What came of an order command.</summary>
/// <param name="Ordinal">The order's; also of a denied one.</param>
/// <param name="Accepted">Units that went; less than asked when risk cut the adding part.</param>
/// <param name="Denial">Why nothing, or not all, went; null when all is well.</param>
/// <param name="Repeated">The client order id was known: nothing was done again.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderResult")]
public sealed record OrderResult(long Ordinal, decimal Accepted, Denial? Denial, bool Repeated = false)
{
    public bool IsAccepted => Accepted > 0;
}

/// <summary>
/// One trading account with its paper venue: commands and market events in, events out. It has one writer and no clock; time comes with every call
/// and passes only by events. The very same object runs in back-test, replay and live.
/// </summary>
public sealed class Account
{
    private readonly List<AccountEvent> _uncommitted = [];
    private readonly PaperVenue _venue;
    private readonly long _restoredTo;
    private long _dueRevision = -1;
    private DateTime _nextDue = DateTime.MaxValue;
    private SymbolBook? _answersLater;

    public Account(string key, AccountState state)
    {
        Key = key;
        State = state;
        _restoredTo = state.LastPosition;
        _venue = new PaperVenue(state, Raise);
    }

    /// <summary>tenant/user/account.</summary>
    public string Key { get; }

    public AccountState State { get; }

    /// <summary>Events raised and not yet taken for recording.</summary>
    public IReadOnlyList<AccountEvent> Uncommitted => _uncommitted;

    public ImmutableArray<AccountEvent> TakeUncommitted()
    {
        if (_uncommitted.Count == 0) return [];
        ImmutableArray<AccountEvent> events = [.. _uncommitted];
        _uncommitted.Clear();
        return events;
    }

    /// <summary>As <see cref="TakeUncommitted"/>, into a list that is used again and again.</summary>
    public void TakeUncommitted(List<AccountEvent> events)
    {
        events.Clear();
        events.AddRange(_uncommitted);
        _uncommitted.Clear();
    }

    /// <summary>Opens the account. Opening an open one does nothing.</summary>
    /// <returns>The first fault of the settings; null when opened.</returns>
    public string? Open(AccountSettings settings, RiskLimits limits, decimal deposit, DateTime time)
    {
        if (State.Settings is not null) return null;
        string? fault = settings.Currency.Length is < 2 or > 10 ? $"currency is '{settings.Currency}'; expected a code such as USD"
            : settings.MoneyDigits is < 0 or > 10 ? $"moneyDigits is {settings.MoneyDigits}; expected 0 to 10"
            : settings.Leverage is < 1 or > 1000 ? $"leverage is {settings.Leverage}; expected 1 to 1000"
            : settings.StopOutPercent is <= 0 or > 100 ? $"stopOutPercent is {settings.StopOutPercent}; expected more than 0, at most 100"
            : settings.MarginCallPercent < settings.StopOutPercent ? $"marginCallPercent is {settings.MarginCallPercent}; expected at least stopOutPercent ({settings.StopOutPercent})"
            : settings.MarginCallPercent is <= 0 or > 1_000_000 ? $"marginCallPercent is {settings.MarginCallPercent}; expected more than 0, at most 1000000"
            : settings.EquitySampling is { } every && (every <= TimeSpan.Zero || every > TimeSpan.FromDays(366)) ? $"equitySampling is {every}; expected more than no time, at most 366 days, or none"
            : deposit < 0 ? $"deposit is {deposit}; expected 0 or more"
            : settings.AmountFault("deposit", deposit) ?? settings.Execution.Fault() ?? limits.Fault();
        if (fault is not null) return fault;
        Raise(new AccountOpened(time, -1, settings, limits));
        if (deposit > 0) Raise(new BalanceAdjusted(time, -1, deposit, "opening deposit", "open"));
        return null;
    }

    /// <summary>Pays in (or, negative, out). A repeated request id does nothing.</summary>
    /// <returns>The fault, or null.</returns>
    public string? Adjust(decimal amount, string note, string requestId, DateTime time)
    {
        if (State.HasRequest(requestId)) return null;
        if (amount == 0) return "amount is 0; expected anything else";
        if (State.Settings!.AmountFault("amount", amount) is { } fault) return fault;
        if (amount < 0 && -amount > State.Equity - State.UsedMargin) return $"amount is {amount}; free are {State.Equity - State.UsedMargin:0.##}";
        Raise(new BalanceAdjusted(At(time), -1, amount, note, requestId));
        return null;
    }

    public string? SetLimits(RiskLimits limits, DateTime time)
    {
        if (limits.Fault() is { } fault) return fault;
        if (!limits.SameAs(State.Limits)) Raise(new LimitsChanged(At(time), -1, limits));
        return null;
    }

    /// <summary>
    /// Sets a strategy's terms; null stops following it. What is held for it stays until closed; an entry that waits when the account pauses or leaves
    /// the strategy is cancelled.
    /// </summary>
    public string? SetFollow(string strategy, FollowTerms? terms, DateTime time)
    {
        if (terms?.Fault() is { } fault) return fault;
        if (State.Follows.GetValueOrDefault(strategy) == terms) return null;
        Raise(new FollowChanged(At(time), -1, strategy, terms));
        if (terms is { Paused: false }) return null;
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.Where(order => order is { Purpose: OrderPurpose.Trade, ReduceOnly: false } && order.Owner == strategy).ToArray())
            {
                RequestCancel(book, order, terms is null ? Reason.NotFollowing : Reason.StrategyPaused);
            }
        }
        return null;
    }

    /// <summary>Sets the trading state by a person's word. Releasing counts loss and drawdown limits anew from now.</summary>
    public void SetTradingState(TradingState target, string who, DateTime time)
    {
        At(time);
        if (State.TradingState == target) return;
        decimal? rebased = target == TradingState.Active ? State.Equity : null;
        Raise(new TradingStateChanged(State.Now, -1, target, Reason.Requested, $"by {who}", rebased));
        if (target != TradingState.Active) CancelAdds(target == TradingState.Halted ? Reason.Halted : Reason.Reducing);
    }

    /// <summary>Takes in which halts of the tenant stand for this account. A new one cancels what adds, and closes the positions where it says so.</summary>
    /// <param name="standing">All that stand now; none lets the account trade as its own state says.</param>
    public void SetTenantHalts(ImmutableArray<TenantHalt> standing, DateTime time)
    {
        TenantHalt[] news = [.. standing.Where(halt => !State.TenantHalts.Contains(halt.Number))];
        if (news.Length == 0 && standing.Length == State.TenantHalts.Length) return;
        bool flattens = news.Any(halt => halt.Flatten);
        At(time);
        Raise(new TenantHaltsChanged(State.Now, -1, [.. standing.Select(halt => halt.Number)], flattens));
        if (flattens) Flatten(OrderPurpose.Flatten, Reason.TenantHalted);
        else if (news.Length > 0) CancelAdds(Reason.TenantHalted);
    }

    /// <summary>Halts, cancels everything at work and closes every position at the market.</summary>
    public void Flatten(string who, DateTime time)
    {
        At(time);
        if (State.TradingState != TradingState.Halted) Raise(new TradingStateChanged(State.Now, -1, TradingState.Halted, Reason.Flatten, $"by {who}"));
        Flatten(OrderPurpose.Flatten, Reason.Flatten);
    }

    /// <summary>Is the account touched by this instrument: by orders, holdings, or the conversion of another's?</summary>
    public bool IsInterested(string symbol) => State.FindBook(symbol) is { } book && IsInterested(book);

    private bool IsInterested(SymbolBook own)
    {
        if (!own.IsIdle) return true;
        foreach (SymbolBook book in State.Books)
        {
            if (!book.IsIdle && book.QuotesNeeded.Contains(own.Instrument.Symbol)) return true;
        }
        return false;
    }

    /// <summary>Shows the account a quote that is no event of its own: what an order needs to be judged.</summary>
    public void Observe(string symbol, in Quote quote, long position)
    {
        SymbolBook book = State.Book(symbol);
        if (quote.Bid == 0) return;
        book.SetMark(quote, position);
        book.Position = Math.Max(book.Position, position);
    }

    /// <summary>One quote. A position seen before is passed over, so a repeated delivery does nothing.</summary>
    /// <returns>False when the account has no further interest in the instrument.</returns>
    public bool OnQuote(string symbol, in Quote quote, long position)
    {
        if (State.FindBook(symbol) is not { } book || !IsInterested(book)) return false;
        if (WasActedOn(book, quote, position)) return true;
        AdvanceTo(quote.Time);
        book.Position = position;
        book.SetMark(quote, position);
        State.Now = Later(State.Now, quote.Time);
        if (book.Orders.Count > 0) _venue.OnQuote(book, quote);
        Watch();
        return IsInterested(book);
    }

    /// <summary>One closed bar of the source's own time frame, where no ticks are known.</summary>
    public bool OnBar(string symbol, in Bar bar, DateTime closeTime, long position)
    {
        if (State.FindBook(symbol) is not { } book || !IsInterested(book)) return false;
        var close = new Quote(closeTime, bar.Bid.Close, bar.Ask.Close);
        if (WasActedOn(book, close, position)) return true;
        // What falls due inside the bar comes before its prices (the worse for an order that expires), what falls due at its close after them.
        // A change or cancel comes at the close: until then the order stands as it stood, and the venue may fill it.
        if (book.Orders.Count > 0) AdvanceInside(book, closeTime.AddTicks(-1));
        else AdvanceTo(closeTime.AddTicks(-1));
        book.Position = position;
        State.Now = Later(State.Now, closeTime);
        if (book.Orders.Count > 0)
        {
            // A broker's days overlap in UTC where its clock goes forward: who was there when the last bar closed has this one's open.
            DateTime begins = Later(bar.OpenTime, book.Mark.Time);
            book.SetMark(new Quote(bar.OpenTime, bar.Bid.Open, bar.Ask.Open), position);
            _venue.OnBar(book, bar, begins, closeTime);
        }
        book.SetMark(close, position);
        AdvanceTo(closeTime);
        Watch();
        return IsInterested(book);
    }

    /// <summary>
    /// A repeated delivery, or one from before the restart that this account came back from: all that followed from it is in the journal,
    /// so it only moves the mark.
    /// </summary>
    private bool WasActedOn(SymbolBook book, in Quote mark, long position)
    {
        if (position > book.Position && position > _restoredTo) return false;
        book.SetMark(mark, position);
        return true;
    }

    /// <summary>Time passed without an event of the instrument.</summary>
    public bool OnClock(string symbol, DateTime time)
    {
        if (!IsInterested(symbol)) return false;
        AdvanceTo(time);
        State.Now = Later(State.Now, time);
        return true;
    }

    /// <summary>Lets time pass: what is due by <paramref name="time"/> happens, each at its own time.</summary>
    public void AdvanceTo(DateTime time)
    {
        while (true)
        {
            if (_dueRevision != State.Revision)
            {
                _nextDue = NextDue();
                _dueRevision = State.Revision;
            }
            if (_nextDue > time) return;
            DateTime due = _nextDue;
            if (due > State.Now) State.Now = due;
            Fall(due, time);
        }
    }

    /// <summary>Lets time pass inside a bar of <paramref name="book"/>, whose changes and cancels under way wait for its close.</summary>
    private void AdvanceInside(SymbolBook book, DateTime time)
    {
        _answersLater = book;
        _dueRevision = -1;
        AdvanceTo(time);
        _answersLater = null;
        _dueRevision = -1;
    }

    /// <summary>Places an order.</summary>
    public OrderResult Submit(OrderRequest request, DateTime time)
    {
        long known = State.OrdinalOf(request.ClientOrderId);
        if (known > 0) return Repeat(known);
        At(time);
        RiskVerdict verdict = PreTradeRisk.Judge(State, request, State.Now);
        if (verdict.Volume <= 0) return Deny(request, verdict.Denial!);
        bool whole = verdict.Volume == request.Volume && verdict.ReduceOnly == request.ReduceOnly;
        long ordinal = Accept(whole ? request : request with { Volume = verdict.Volume, ReduceOnly = request.ReduceOnly || verdict.ReduceOnly }, OrderPurpose.Trade);
        return new OrderResult(ordinal, verdict.Volume, verdict.Denial);
    }

    /// <summary>
    /// What <see cref="Submit"/> would answer at this time, and the figures behind it. The account stays as it is, and nothing is raised.
    /// </summary>
    public OrderPreview Preview(OrderRequest request, DateTime time)
    {
        DateTime now = Later(State.Now, time);
        if (State.OrdinalOf(request.ClientOrderId) is > 0 and var known) return new OrderPreview(now, Repeat(known));
        if (NextDue() <= now)
        {
            // What falls due before the order comes belongs to the verdict, and must not happen because somebody asked.
            var ahead = new Account(Key, State.CopyWithoutAnswers());
            ahead.AdvanceTo(now);
            return ahead.Preview(request, now);
        }
        RiskVerdict verdict = PreTradeRisk.Judge(State, request, now);
        var result = new OrderResult(0, Math.Max(0, verdict.Volume), verdict.Denial);
        return new OrderPreview(now, result, verdict.IsMalformed ? null : OrderFigures.Of(State, request, now));
    }

    /// <summary>Changes a working order.</summary>
    public OrderResult Change(string clientOrderId, OrderChange change, DateTime time)
    {
        At(time);
        if (FindWorking(clientOrderId, out Order? order) is { } missing) return new OrderResult(0, 0, missing);
        if (order!.Status == OrderStatus.PendingCancel) return new OrderResult(order.Ordinal, 0, new Denial(Reason.OrderNotWorking, $"order '{clientOrderId}' is being cancelled"));
        if (order.PendingChange is { } pending)
        {
            // The later word adds to the earlier one, which it overtakes.
            change = new OrderChange(change.Volume ?? pending.Volume, change.LimitPrice ?? pending.LimitPrice,
                change.StopPrice ?? pending.StopPrice, change.TrailDistance ?? pending.TrailDistance);
            if (pending == change) return new OrderResult(order.Ordinal, change.Volume ?? order.Volume, null, true);
        }
        if (MalformedChange(order, change) is { } fault) return new OrderResult(order.Ordinal, 0, fault);
        if (order.PendingChange is null && IsAlready(order, change)) return new OrderResult(order.Ordinal, order.Volume, null, true);
        if (PreTradeRisk.AssessChange(State, order, change, State.Now) is { } denial) return new OrderResult(order.Ordinal, 0, denial);
        SymbolBook book = State.Book(order.Symbol);
        TimeSpan latency = State.Settings!.Execution.Latency;
        Raise(new OrderChangeRequested(State.Now, book.Position, order.Ordinal, change, State.Now + latency));
        if (latency == TimeSpan.Zero) ApplyChange(book, State.FindOrder(order.Ordinal)!);
        return new OrderResult(order.Ordinal, change.Volume ?? order.Volume, null);
    }

    /// <summary>Cancels a working order.</summary>
    public OrderResult Cancel(string clientOrderId, DateTime time)
    {
        At(time);
        if (FindWorking(clientOrderId, out Order? order) is { } missing) return new OrderResult(0, 0, missing);
        if (order!.Status == OrderStatus.PendingCancel) return new OrderResult(order.Ordinal, order.Remaining, null, true);
        RequestCancel(State.Book(order.Symbol), order, Reason.Requested);
        return new OrderResult(order.Ordinal, order.Remaining, null);
    }

    /// <summary>
    /// Turns a strategy's decision into orders of this account's size: to the wanted stance, whatever is held for the strategy now.
    /// Receiving the same decision again answers as the first time.
    /// </summary>
    public DecisionVerdict Receive(Decision decision)
    {
        if (State.VerdictOn(decision.Id) is { } known) return known;
        At(decision.Time);
        DecisionVerdict verdict = Follow(decision);
        Raise(new DecisionReceived(State.Now, decision.MarketPosition, decision.Strategy, decision.Id, verdict));
        return verdict;
    }

    private DecisionVerdict Follow(Decision decision)
    {
        DecisionVerdict Nothing(Reason reason, string detail) => new(Key, reason, detail, [], 0);

        if (!State.Follows.TryGetValue(decision.Strategy, out FollowTerms? terms)) return Nothing(Reason.NotFollowing, "the account does not follow this strategy");
        if (State.FindInstrument(decision.Symbol) is not { } instrument) return Nothing(Reason.InstrumentUnknown, $"no instrument {decision.Symbol}");
        SymbolBook book = State.Book(decision.Symbol);

        // A new word of the strategy replaces what it had waiting.
        if (book.Orders.Count > 0) CancelWaiting(book, decision.Strategy);
        (ImmutableArray<OrderRequest> orders, Reason reason, string detail) = DecisionOrders.For(State, book, terms, decision);
        ImmutableArray<long>.Builder ordinals = ImmutableArray.CreateBuilder<long>(orders.Length);
        decimal volume = 0;
        foreach (OrderRequest order in orders)
        {
            OrderResult result = Submit(order, decision.Time);
            ordinals.Add(result.Ordinal);
            volume += (int)order.Side * result.Accepted;
            if (result.Denial is { } denial) (reason, detail) = (denial.Reason, denial.Detail);
        }
        return new DecisionVerdict(Key, reason, detail, ordinals.MoveToImmutable(), volume);
    }

    private void CancelWaiting(SymbolBook book, string strategy)
    {
        foreach (Order waiting in book.Orders.Where(order => order.Owner == strategy && order.Purpose == OrderPurpose.Trade).ToArray())
        {
            RequestCancel(book, waiting, Reason.Requested);
        }
    }

    private void Raise(AccountEvent happened)
    {
        State.Apply(happened);
        _uncommitted.Add(happened);
    }

    private DateTime At(DateTime time)
    {
        AdvanceTo(time);
        return State.Now = Later(State.Now, time);
    }

    private OrderResult Repeat(long ordinal) =>
        new(ordinal, State.FindOrder(ordinal)?.Volume ?? 0, State.DenialOf(ordinal), true);

    private OrderResult Deny(OrderRequest request, Denial denial)
    {
        long ordinal = State.NextOrdinal;
        Raise(new OrderDenied(State.Now, State.FindBook(request.Symbol)?.Position ?? -1, ordinal, request, denial));
        return new OrderResult(ordinal, 0, denial);
    }

    private long Accept(OrderRequest request, OrderPurpose purpose)
    {
        SymbolBook book = State.Book(request.Symbol);
        Instrument instrument = book.Instrument;
        DateTime now = State.Now;
        long? Points(decimal? price) => price is { } value ? instrument.ToPoints(value) : null;
        long? limit = Points(request.LimitPrice), stop = Points(request.StopPrice), trail = Points(request.TrailDistance);
        if (request.Type == OrderType.TrailingStop && stop is null) stop = request.Side == Side.Sell ? book.Mark.Bid - trail : book.Mark.Ask + trail;
        TimeSpan latency = purpose == OrderPurpose.Trade ? State.Settings!.Execution.Latency : TimeSpan.Zero;
        bool arrives = latency == TimeSpan.Zero;
        DateTime? expires = request.TimeInForce switch
        {
            TimeInForce.Gtd => request.GoodTill,
            TimeInForce.Day => instrument.Calendar.NextDayTurn(now),
            _ => null,
        };
        long ordinal = State.NextOrdinal;
        Raise(new OrderAccepted(now, book.Position, new Order(
            ordinal, request.ClientOrderId, request.Symbol, request.Side, request.Type, request.Volume, limit, stop, trail,
            request.TimeInForce, expires, request.ReduceOnly || request.PositionId is not null,
            Points(request.StopLoss), Points(request.TakeProfit), Points(request.TrailingStopLoss), request.OcoGroup, request.PositionId,
            request.Strategy, request.Decision, purpose, 0, now, now + latency, arrives, null,
            arrives ? OrderStatus.Working : OrderStatus.Submitted, 0, 0, false, arrives && Rests(book, request.Type, request.Side, limit), null, now, Reason.None, 0)));
        return ordinal;
    }

    /// <summary>Does the market, as last seen, not reach the limit?</summary>
    private static bool Rests(SymbolBook book, OrderType type, Side side, long? limit) =>
        type == OrderType.Limit && (side == Side.Buy ? book.Mark.Ask > limit : book.Mark.Bid < limit);

    private Denial? FindWorking(string clientOrderId, out Order? order)
    {
        order = null;
        long ordinal = State.OrdinalOf(clientOrderId);
        if (ordinal == 0) return new Denial(Reason.OrderUnknown, $"clientOrderId is '{clientOrderId}'; no such order");
        order = State.FindOrder(ordinal);
        return order is null ? new Denial(Reason.OrderNotWorking, $"order '{clientOrderId}' has ended") : null;
    }

    private bool IsAlready(Order order, OrderChange change)
    {
        Instrument instrument = State.Book(order.Symbol).Instrument;
        bool Is(decimal? price, long? points) => price is not { } value || instrument.ToPoints(value) == points;
        return (change.Volume ?? order.Volume) == order.Volume
            && Is(change.LimitPrice, order.Limit) && Is(change.StopPrice, order.Stop) && Is(change.TrailDistance, order.Trail);
    }

    private Denial? MalformedChange(Order order, OrderChange change)
    {
        if (change.IsEmpty) return new Denial(Reason.ChangeEmpty, "nothing to change; expected volume, limitPrice, stopPrice or trailDistance");
        Instrument instrument = State.Book(order.Symbol).Instrument;
        if (change.Volume is { } volume)
        {
            if (volume <= order.Filled) return new Denial(Reason.VolumeBelowFilled, $"volume is {volume}; {order.Filled} are filled, cancel the rest instead");
            if (PreTradeRisk.Volume(instrument, volume) is { } fault) return fault;
        }
        return Level("limitPrice", change.LimitPrice, Reason.PricePrecision, order.Limit is not null)
            ?? Level("stopPrice", change.StopPrice, Reason.TriggerPricePrecision, order.Stop is not null && !order.Triggered)
            ?? Level("trailDistance", change.TrailDistance, Reason.TrailDistanceInvalid, order.Trail is not null && !order.Triggered);

        Denial? Level(string field, decimal? price, Reason precision, bool has) => price is not null && !has
            ? new Denial(Reason.PriceUnexpected, $"{field} is {price}; this {order.Type} order has none to change")
            : PreTradeRisk.Price(instrument, field, price, precision);
    }

    private void ApplyChange(SymbolBook book, Order order)
    {
        OrderChange change = order.PendingChange!;
        Instrument instrument = book.Instrument;
        // The venue may have filled more than the new volume before the change came: what is filled stays, the rest ends.
        decimal volume = Math.Max(change.Volume ?? order.Volume, order.Filled);
        if (volume == order.Filled)
        {
            Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, Reason.Requested));
            return;
        }
        long? limit = change.LimitPrice is { } atLimit ? instrument.ToPoints(atLimit) : order.Limit;
        // Moved into the market, it takes; moved away, it rests.
        bool rested = limit == order.Limit ? order.Rested : Rests(book, order.RestsAsLimit ? OrderType.Limit : order.Type, order.Side, limit);
        Raise(new OrderChanged(State.Now, book.Position, order.Ordinal, volume, limit,
            // A stop that triggered on the way stays where it was.
            change.StopPrice is { } stop && !order.Triggered ? instrument.ToPoints(stop) : order.Stop,
            change.TrailDistance is { } trail && !order.Triggered ? instrument.ToPoints(trail) : order.Trail, rested, Answers: true));
    }

    private void RequestCancel(SymbolBook book, Order order, Reason reason)
    {
        if (order.Status == OrderStatus.PendingCancel) return;
        TimeSpan latency = State.Settings!.Execution.Latency;
        if (latency > TimeSpan.Zero) Raise(new OrderCancelRequested(State.Now, book.Position, order.Ordinal, State.Now + latency, reason));
        else Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, reason));
    }

    /// <summary>Cancels what could add to a position; orders that only take one off stay, cut to it.</summary>
    private void CancelAdds(Reason reason)
    {
        bool netting = State.Settings!.Mode == PositionMode.Netting;
        foreach (SymbolBook book in State.Books)
        {
            decimal buys = netting ? Math.Max(0, -book.NetVolume) : 0, sells = netting ? Math.Max(0, book.NetVolume) : 0;
            foreach (Order order in book.Orders.Where(order => !order.ReduceOnly).ToArray())
            {
                ref decimal left = ref order.Side == Side.Buy ? ref buys : ref sells;
                if (left == 0) RequestCancel(book, order, reason);
                else if (order.Remaining > left) _venue.Resize(book, order, order.Filled + left);
                left = Math.Max(0, left - order.Remaining);
            }
        }
    }

    private void Flatten(OrderPurpose purpose, Reason reason)
    {
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.Where(order => !IsCloseOut(order)).ToArray()) RequestCancel(book, order, reason);
            foreach (Holding holding in book.Holdings.ToArray()) CloseOut(book, holding, purpose);
        }
    }

    /// <summary>A market order that takes one holding off, unless one is under way.</summary>
    private void CloseOut(SymbolBook book, Holding holding, OrderPurpose purpose)
    {
        if (book.Orders.Any(order => IsCloseOut(order) && order.PositionId == holding.Id)) return;
        Accept(new OrderRequest(PaperVenue.SystemId(purpose, State.NextOrdinal), book.Instrument.Symbol, holding.Volume > 0 ? Side.Sell : Side.Buy,
            OrderType.Market, Math.Abs(holding.Volume), ReduceOnly: true, PositionId: holding.Id, Strategy: holding.Owner), purpose);
    }

    private static bool IsCloseOut(Order order) => order.Purpose is OrderPurpose.Flatten or OrderPurpose.StopOut;

    /// <summary>Raises what has come near a limit, and what has left one, since the last look. The host of a live account calls it now and then.</summary>
    /// <param name="uses">Of the account's limits, now.</param>
    /// <param name="share">From which a use is near, 0.1 to 1.</param>
    public void TellNearLimits(ImmutableArray<LimitUse> uses, decimal share, DateTime time)
    {
        (ImmutableArray<LimitUse> reached, ImmutableArray<string> left) = LimitWatch.Look(uses, State.NearLimits, share);
        if (!reached.IsEmpty || !left.IsEmpty) Raise(new LimitsNear(At(time), -1, reached, left));
    }

    /// <summary>Limits that look at open losses, on every mark.</summary>
    private void Watch()
    {
        RiskLimits limits = State.Limits;
        AccountSettings settings = State.Settings!;
        bool watchesMargin = settings.StopOutPercent is not null || settings.MarginCallPercent is not null;
        bool watchesLoss = limits.MaxDrawdownPercent is not null || !limits.LossLimits.IsDefaultOrEmpty;
        if (!watchesMargin && !watchesLoss) return;
        decimal equity = State.Equity;
        if (watchesLoss) WatchLoss(limits, equity);
        if (watchesMargin) WatchMargin(settings, equity);
    }

    private void WatchLoss(RiskLimits limits, decimal equity)
    {
        foreach (LossLimit limit in limits.LossLimits.IsDefault ? [] : limits.LossLimits)
        {
            decimal start = State.EquityAtStartOf(limit.Period), loss = start - equity, most = limit.MostOf(start);
            if (loss >= most) Breach(Reason.LossLimit, limit.Action, $"{limit.Period} loss is {loss:0.##}; at most {most:0.##}");
        }
        if (limits.MaxDrawdownPercent is { } drawdown && State.HighWater > 0 && State.HighWater - equity >= State.HighWater * drawdown / 100m)
        {
            Breach(Reason.DrawdownLimit, limits.DrawdownAction, $"equity {equity:0.##} is {drawdown} % or more below {State.HighWater:0.##}");
        }
    }

    private bool IsBreached(LossLimit limit, decimal equity)
    {
        decimal start = State.EquityAtStartOf(limit.Period);
        return start - equity >= limit.MostOf(start);
    }

    /// <summary>Goes on to the state that the action asks for; a milder one changes nothing, and a flatten comes through even when already halted.</summary>
    private void Breach(Reason reason, BreachAction action, string detail)
    {
        TradingState target = action == BreachAction.DenyAdds ? TradingState.Reducing : TradingState.Halted;
        if (State.TradingState < target)
        {
            Raise(new TradingStateChanged(State.Now, -1, target, reason, detail));
            CancelAdds(Reason.LimitsBreached);
        }
        if (action == BreachAction.Flatten) Flatten(OrderPurpose.Flatten, Reason.LimitsBreached);
    }

    private void WatchMargin(AccountSettings settings, decimal equity)
    {
        decimal margin = State.UsedMargin;
        if (margin == 0) return;
        // Compared without dividing: an equity in the trillions over the margin of one share has more digits than a decimal.
        decimal level = equity * 100m;
        if (level < margin * settings.MarginCallPercent && !State.MarginCalled) Raise(new MarginCalled(State.Now, -1, Math.Round(level / margin, 2)));
        if (level < margin * settings.StopOutPercent) StopOut();
    }

    /// <summary>Closes the position with the largest loss; the next mark says whether another must follow. Of a netting account it is the whole net position.</summary>
    private void StopOut()
    {
        (SymbolBook Book, Holding? Holding, decimal Result)? worst = null;
        foreach (SymbolBook book in State.Books)
        {
            if (book.Orders.Any(IsCloseOut)) return;
            if (book.Holdings.Count == 0) continue;
            if (State.Settings!.Mode == PositionMode.Netting)
            {
                if (State.OpenResult(book) is var net && book.NetVolume != 0 && !(net >= worst?.Result)) worst = (book, null, net);
                continue;
            }
            decimal rate = State.Rate(book.Instrument.QuoteCurrency) ?? 0;
            foreach (Holding holding in book.Holdings)
            {
                decimal result = (holding.Volume * (holding.Volume > 0 ? book.Mark.Bid : book.Mark.Ask) - holding.Cost) * book.PointSize * rate;
                if (!(result >= worst?.Result)) worst = (book, holding, result);
            }
        }
        if (worst is not { } found) return;
        CancelAdds(Reason.StopOut);
        foreach (Holding holding in found.Holding is { } one ? [one] : found.Book.Holdings.ToArray()) CloseOut(found.Book, holding, OrderPurpose.StopOut);
    }

    private DateTime NextDue()
    {
        if (State.Settings is null) return DateTime.MaxValue;
        DateTime due = Earlier(State.NextDayTurn, BooksDue());
        return Holds ? Earlier(due, State.NextEquitySample) : due;
    }

    /// <summary>When the next order arrives or expires, or the next swap falls.</summary>
    private DateTime BooksDue()
    {
        DateTime due = DateTime.MaxValue;
        foreach (SymbolBook book in State.Books)
        {
            if (book.BearsSwap && book.Holdings.Count > 0) due = Earlier(due, book.NextSwap);
            foreach (Order order in book.Orders)
            {
                if (!order.Arrived) due = Earlier(due, order.ActiveFrom);
                if (order.RequestDue is { } request && book != _answersLater) due = Earlier(due, request);
                if (order.Expires is { } expiry) due = Earlier(due, expiry);
            }
        }
        return due;
    }

    private bool Holds
    {
        get
        {
            foreach (SymbolBook book in State.Books)
            {
                if (book.Holdings.Count > 0) return true;
            }
            return false;
        }
    }

    /// <summary>What falls due at one time: arrivals at the venue, expiries, swap, the day's turn, the equity sample; in that order.</summary>
    private void Fall(DateTime due, DateTime until)
    {
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.ToArray())
            {
                if (!order.Arrived && order.ActiveFrom <= due) Raise(new OrderWorking(State.Now, book.Position, order.Ordinal, Rests(book, order.Type, order.Side, order.Limit)));
                if (order.RequestDue <= due && book != _answersLater) Answer(book, State.FindOrder(order.Ordinal)!);
                if (order.Expires <= due && State.FindOrder(order.Ordinal) is not null)
                {
                    Reason reason = order.TimeInForce == TimeInForce.Day ? Reason.DayEnded : Reason.Expired;
                    Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Expired, reason));
                }
            }
            if (book.BearsSwap && book.Holdings.Count > 0 && book.NextSwap <= due) ChargeSwap(book, due);
        }
        if (State.NextDayTurn <= due) TurnDay(due, Earlier(until, BooksDue()));
        if (Holds && State.NextEquitySample <= due) SampleEquity(due, Earlier(until, Earlier(BooksDue(), State.NextDayTurn)));
    }

    private void Answer(SymbolBook book, Order order)
    {
        if (order.Status == OrderStatus.PendingModify) ApplyChange(book, order);
        else Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, order.Reason));
    }

    private void ChargeSwap(SymbolBook book, DateTime turn)
    {
        Instrument instrument = book.Instrument;
        int nights = instrument.Calendar.SwapNights(turn);
        decimal rate = State.Rate(instrument.QuoteCurrency) ?? 0;
        // A night without a charge is recorded too: the stream alone must say which nights are paid.
        foreach (Holding holding in book.Holdings.ToArray())
        {
            decimal points = holding.Volume > 0 ? instrument.SwapLongPoints : instrument.SwapShortPoints;
            decimal amount = State.Money(Math.Abs(holding.Volume) * points * nights * book.PointSize * rate);
            Raise(new SwapCharged(turn, book.Position, instrument.Symbol, holding.Id, nights, amount));
        }
    }

    private void TurnDay(DateTime turn, DateTime until)
    {
        // Of a quiet stretch only its last turn matters: without holdings the equity stood still.
        if (!Holds)
        {
            while (State.Days.After(turn) is var next && next <= until) turn = next;
        }
        DateOnly previous = State.Days.DateOf(State.DayTurned), today = State.Days.DateOf(turn);
        // 0001-01-01 was a Monday.
        bool newWeek = today.DayNumber / 7 != previous.DayNumber / 7;
        bool newMonth = today.Month != previous.Month || today.Year != previous.Year;
        Raise(new DayTurned(turn, -1, State.Equity, newWeek, newMonth));
        bool lifted = State.TradingState == TradingState.Reducing && State.StateReason == Reason.LossLimit
            && !State.Limits.LossLimits.Any(limit => IsBreached(limit, State.Equity));
        if (lifted) Raise(new TradingStateChanged(turn, -1, TradingState.Active, Reason.DayEnded, "the period of the loss limit ended"));
    }

    /// <summary>Of the samples that fall before anything else can happen, the last one is enough.</summary>
    private void SampleEquity(DateTime sample, DateTime until)
    {
        TimeSpan every = State.Settings!.EquitySampling!.Value;
        if (sample + every <= until) sample += (until - sample).Ticks / every.Ticks * every;
        Raise(new EquitySampled(sample, -1, State.Balance, State.Equity));
    }

    private static DateTime Later(DateTime a, DateTime b) => a > b ? a : b;

    private static DateTime Earlier(DateTime a, DateTime b) => a < b ? a : b;
}
