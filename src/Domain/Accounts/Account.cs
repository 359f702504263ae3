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
    private long _dueRevision = -1;
    private readonly long _restoredTo;
    private DateTime _nextDue = DateTime.MaxValue;

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
            : deposit < 0 ? $"deposit is {deposit}; expected 0 or more"
            : limits.Fault();
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
        if (amount < 0 && -amount > State.Equity - State.UsedMargin) return $"amount is {amount}; free are {State.Equity - State.UsedMargin:0.##}";
        Raise(new BalanceAdjusted(At(time), -1, amount, note, requestId));
        return null;
    }

    public string? SetLimits(RiskLimits limits, DateTime time)
    {
        if (limits.Fault() is { } fault) return fault;
        if (!limits.Equals(State.Limits)) Raise(new LimitsChanged(At(time), -1, limits));
        return null;
    }

    /// <summary>Sets a strategy's terms; null stops following it (what it holds stays until closed).</summary>
    public string? SetFollow(string strategy, FollowTerms? terms, DateTime time)
    {
        if (terms is { Sizing.Value: <= 0 }) return $"sizing value is {terms.Sizing.Value}; expected more than 0";
        if (terms is { MaxUnits: <= 0 }) return $"maxUnits is {terms.MaxUnits}; expected more than 0";
        if (State.Follows.GetValueOrDefault(strategy) != terms) Raise(new FollowChanged(At(time), -1, strategy, terms));
        return null;
    }

    /// <summary>Sets the trading state by a person's word. Releasing counts loss and drawdown limits anew from now.</summary>
    public void SetTradingState(TradingState target, string who, DateTime time)
    {
        if (State.TradingState == target) return;
        decimal? rebased = target == TradingState.Active ? State.Equity : null;
        Raise(new TradingStateChanged(At(time), -1, target, Reason.Requested, $"by {who}", rebased));
        if (target == TradingState.Halted) CancelAdds(Reason.Halted);
    }

    /// <summary>Halts, cancels everything at work and closes every position at the market.</summary>
    public void Flatten(string who, DateTime time)
    {
        At(time);
        if (State.TradingState != TradingState.Halted) Raise(new TradingStateChanged(State.Now, -1, TradingState.Halted, Reason.Flatten, $"by {who}"));
        Flatten(OrderPurpose.Flatten, Reason.Flatten);
    }

    /// <summary>Is the account touched by this instrument: by orders, holdings, or the conversion of another's?</summary>
    public bool IsInterested(string symbol)
    {
        if (State.FindBook(symbol) is not { } own) return false;
        if (!own.IsIdle) return true;
        foreach (SymbolBook book in State.Books)
        {
            if (book.IsIdle) continue;
            foreach (string needed in State.QuotesNeeded(book.Instrument))
            {
                if (needed == symbol) return true;
            }
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
        if (!IsInterested(symbol)) return false;
        SymbolBook book = State.Book(symbol);
        if (WasActedOn(book, quote, position)) return true;
        AdvanceTo(quote.Time);
        book.Position = position;
        book.SetMark(quote, position);
        State.Now = Later(State.Now, quote.Time);
        if (book.Orders.Count > 0) _venue.OnQuote(book, quote);
        Watch();
        return IsInterested(symbol);
    }

    /// <summary>One closed bar of the source's own time frame, where no ticks are known.</summary>
    public bool OnBar(string symbol, in Bar bar, DateTime closeTime, long position)
    {
        if (!IsInterested(symbol)) return false;
        SymbolBook book = State.Book(symbol);
        var close = new Quote(closeTime, bar.Bid.Close, bar.Ask.Close);
        if (WasActedOn(book, close, position)) return true;
        AdvanceTo(closeTime);
        book.Position = position;
        State.Now = Later(State.Now, closeTime);
        book.SetMark(new Quote(bar.OpenTime, bar.Bid.Open, bar.Ask.Open), position);
        if (book.Orders.Count > 0) _venue.OnBar(book, bar, closeTime);
        book.SetMark(close, position);
        Watch();
        return IsInterested(symbol);
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

    /// <summary>Places an order.</summary>
    public OrderResult Submit(OrderRequest request, DateTime time)
    {
        long known = State.OrdinalOf(request.ClientOrderId);
        if (known > 0) return Repeat(known);
        At(time);
        if (!IsClientOrderId(request.ClientOrderId))
        {
            return Deny(request, new Denial(Reason.ClientOrderIdInvalid, $"clientOrderId is '{request.ClientOrderId}'; expected 1 to 200 of A-Z a-z 0-9 . _ : / # -"));
        }
        if (PreTradeRisk.Malformed(State, request, State.Now) is { } fault) return Deny(request, fault);
        RiskVerdict verdict = PreTradeRisk.Assess(State, request, State.Now);
        if (verdict.Volume <= 0) return Deny(request, verdict.Denial ?? new Denial(Reason.NothingToReduce, "nothing is left to reduce"));
        long ordinal = Accept(request with { Volume = verdict.Volume }, OrderPurpose.Trade);
        return new OrderResult(ordinal, verdict.Volume, verdict.Denial);
    }

    /// <summary>Changes a working order.</summary>
    public OrderResult Change(string clientOrderId, OrderChange change, DateTime time)
    {
        At(time);
        if (FindWorking(clientOrderId, out Order? order) is { } missing) return new OrderResult(0, 0, missing);
        if (order!.PendingChange == change) return new OrderResult(order.Ordinal, order.Volume, null, true);
        if (MalformedChange(order, change) is { } fault) return new OrderResult(order.Ordinal, 0, fault);
        if (PreTradeRisk.AssessChange(State, order, change, State.Now) is { } denial) return new OrderResult(order.Ordinal, 0, denial);
        SymbolBook book = State.Book(order.Symbol);
        TimeSpan latency = State.Settings!.Execution.Latency;
        if (latency > TimeSpan.Zero)
        {
            Raise(new OrderChangeRequested(State.Now, book.Position, order.Ordinal, change, State.Now + latency));
        }
        else
        {
            RaiseChanged(book, order, change);
        }
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
        Intent intent = decision.Intent;
        decimal held = book.VolumeOf(decision.Strategy);

        // A new word of the strategy replaces what it had waiting.
        foreach (Order waiting in book.Orders.Where(order => order.Owner == decision.Strategy && order.Purpose == OrderPurpose.Trade).ToArray())
        {
            RequestCancel(book, waiting, Reason.Requested);
        }

        List<OrderRequest> orders = [];
        string id(string what) => $"{decision.Id}:{what}";
        int sign = (int)intent.Stance;
        if (sign == 0 || Math.Sign(held) == -sign && State.Settings!.Mode == PositionMode.Hedging)
        {
            if (held == 0) return Nothing(Reason.AlreadyThere, "nothing is held for the strategy");
            orders.Add(new OrderRequest(id("exit"), decision.Symbol, held > 0 ? Side.Sell : Side.Buy, OrderType.Market, Math.Abs(held),
                ReduceOnly: true, Strategy: decision.Strategy, Decision: decision.Id));
        }
        Reason reason = Reason.None;
        string detail = "";
        if (sign != 0)
        {
            decimal size = terms.Paused ? 0 : Size(decision, terms, instrument, book);
            if (terms.MaxUnits is { } most) size = Math.Min(size, RoundDown(most, instrument));
            if (terms.Paused) (reason, detail) = (Reason.StrategyPaused, "the account has paused this strategy: exits only");
            else if (size == 0) (reason, detail) = (Reason.SizeBelowMinimum, $"the size comes to less than {instrument.MinVolume} units");
            decimal netted = State.Settings!.Mode == PositionMode.Netting ? held : Math.Sign(held) == sign ? held : 0;
            decimal wanted = sign * size - netted;
            if (size == 0)
            {
                // No new position: an opposite one is still left, as the strategy no longer wants it.
                if (Math.Sign(netted) == -sign)
                {
                    orders.Add(new OrderRequest(id("exit"), decision.Symbol, sign > 0 ? Side.Buy : Side.Sell, OrderType.Market, Math.Abs(netted),
                        ReduceOnly: true, Strategy: decision.Strategy, Decision: decision.Id));
                }
            }
            else if (Math.Sign(wanted) == sign)
            {
                orders.Add(Entry(decision, instrument, book, id("entry"), Math.Abs(wanted)));
            }
            else if (orders.Count == 0)
            {
                return Nothing(Reason.AlreadyThere, $"{held} units are held already");
            }
        }

        ImmutableArray<long>.Builder ordinals = ImmutableArray.CreateBuilder<long>();
        decimal volume = 0;
        foreach (OrderRequest order in orders)
        {
            OrderResult result = Submit(order, decision.Time);
            ordinals.Add(result.Ordinal);
            volume += (int)order.Side * result.Accepted;
            if (result.Denial is { } denial) (reason, detail) = (denial.Reason, denial.Detail);
        }
        return new DecisionVerdict(Key, reason, detail, ordinals.ToImmutable(), volume);
    }

    private static OrderRequest Entry(Decision decision, Instrument instrument, SymbolBook book, string id, decimal volume)
    {
        Intent intent = decision.Intent;
        var side = (Side)(int)intent.Stance;
        (OrderType type, decimal? limit, decimal? stop) = intent switch
        {
            { EntryLimit: { } at } => (OrderType.Limit, (decimal?)at, (decimal?)null),
            { EntryStop: { } at } => (OrderType.Stop, null, (decimal?)at),
            _ => (OrderType.Market, null, null),
        };
        decimal entry = limit ?? stop ?? instrument.ToPrice(side == Side.Buy ? book.Mark.Ask : book.Mark.Bid);
        decimal step = instrument.TickSize * instrument.PointSize;
        decimal OnTick(decimal price) => Math.Max(step, Math.Round(price / step, MidpointRounding.AwayFromZero) * step);
        return new OrderRequest(id, decision.Symbol, side, type, volume,
            LimitPrice: limit is null ? null : OnTick(limit.Value),
            StopPrice: stop is null ? null : OnTick(stop.Value),
            StopLoss: intent.StopDistance is { } loss ? OnTick(entry - (int)side * loss) : null,
            TakeProfit: intent.TakeDistance is { } gain ? OnTick(entry + (int)side * gain) : null,
            TrailingStopLoss: intent.TrailDistance is { } trail ? OnTick(trail) : null,
            Strategy: decision.Strategy, Decision: decision.Id);
    }

    private decimal Size(Decision decision, FollowTerms terms, Instrument instrument, SymbolBook book)
    {
        decimal price = instrument.ToPrice(book.Mark.Ask);
        decimal? rate = State.Rate(instrument.QuoteCurrency);
        decimal units = terms.Sizing.Kind switch
        {
            SizingKind.StrategyUnits => decision.Units * terms.Sizing.Value,
            SizingKind.FixedUnits => terms.Sizing.Value,
            SizingKind.PercentOfEquity => rate is null || price == 0 ? 0 : State.Equity * terms.Sizing.Value / 100m / (price * rate.Value),
            SizingKind.PercentRisk => rate is null || (decision.Intent.StopDistance ?? decision.Intent.TrailDistance) is not { } distance || distance <= 0
                ? 0 : State.Equity * terms.Sizing.Value / 100m / (distance * rate.Value),
            _ => throw new InvalidOperationException($"unknown sizing {terms.Sizing.Kind}"),
        };
        units = RoundDown(Math.Min(units, instrument.MaxVolume), instrument);
        return units < instrument.MinVolume ? 0 : units;
    }

    private static decimal RoundDown(decimal units, Instrument instrument) => Math.Floor(units / instrument.VolumeStep) * instrument.VolumeStep;

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
        bool rests = request.Type == OrderType.Limit && (request.Side == Side.Buy ? book.Mark.Ask > limit : book.Mark.Bid < limit);
        TimeSpan latency = purpose == OrderPurpose.Trade ? State.Settings!.Execution.Latency : TimeSpan.Zero;
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
            request.Strategy, request.Decision, purpose, 0, now, now + latency,
            latency > TimeSpan.Zero ? OrderStatus.Submitted : OrderStatus.Working, 0, 0, false, rests, null, now, Reason.None, 0)));
        return ordinal;
    }

    private Denial? FindWorking(string clientOrderId, out Order? order)
    {
        order = null;
        long ordinal = State.OrdinalOf(clientOrderId);
        if (ordinal == 0) return new Denial(Reason.OrderUnknown, $"clientOrderId is '{clientOrderId}'; no such order");
        order = State.FindOrder(ordinal);
        return order is null ? new Denial(Reason.OrderNotWorking, $"order '{clientOrderId}' has ended") : null;
    }

    private Denial? MalformedChange(Order order, OrderChange change)
    {
        if (change.IsEmpty) return new Denial(Reason.ChangeEmpty, "nothing to change; expected volume, limitPrice, stopPrice or trailDistance");
        Instrument instrument = State.Book(order.Symbol).Instrument;
        if (change.Volume is { } volume)
        {
            if (volume <= order.Filled) return new Denial(Reason.VolumeBelowFilled, $"volume is {volume}; {order.Filled} are filled, cancel the rest instead");
            if (volume % instrument.VolumeStep != 0) return new Denial(Reason.VolumePrecision, $"volume is {volume}; expected a multiple of {instrument.VolumeStep}");
            if (volume > instrument.MaxVolume) return new Denial(Reason.VolumeAboveMaximum, $"volume is {volume}; at most {instrument.MaxVolume}");
        }
        return Level("limitPrice", change.LimitPrice, order.Limit is not null)
            ?? Level("stopPrice", change.StopPrice, order.Stop is not null && !order.Triggered)
            ?? Level("trailDistance", change.TrailDistance, order.Trail is not null && !order.Triggered);

        Denial? Level(string field, decimal? value, bool has)
        {
            if (value is not { } price) return null;
            if (!has) return new Denial(Reason.PriceUnexpected, $"{field} is {price}; this {order.Type} order has none to change");
            decimal step = instrument.TickSize * instrument.PointSize;
            return price <= 0 || price % step != 0 ? new Denial(Reason.PricePrecision, $"{field} is {price}; expected a positive multiple of {step}") : null;
        }
    }

    private void RaiseChanged(SymbolBook book, Order order, OrderChange change)
    {
        Instrument instrument = book.Instrument;
        // The venue may have filled more than the new volume before the change came: what is filled stays, the rest ends.
        decimal volume = Math.Max(change.Volume ?? order.Volume, order.Filled);
        if (volume == order.Filled)
        {
            Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, Reason.Requested));
            return;
        }
        Raise(new OrderChanged(State.Now, book.Position, order.Ordinal, volume,
            change.LimitPrice is { } limit ? instrument.ToPoints(limit) : order.Limit,
            change.StopPrice is { } stop ? instrument.ToPoints(stop) : order.Stop,
            change.TrailDistance is { } trail ? instrument.ToPoints(trail) : order.Trail));
    }

    private void RequestCancel(SymbolBook book, Order order, Reason reason)
    {
        TimeSpan latency = State.Settings!.Execution.Latency;
        if (latency > TimeSpan.Zero && order.Status != OrderStatus.PendingCancel)
        {
            Raise(new OrderCancelRequested(State.Now, book.Position, order.Ordinal, State.Now + latency));
        }
        else if (order.Status != OrderStatus.PendingCancel)
        {
            Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, reason));
        }
    }

    private void CancelAdds(Reason reason)
    {
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.Where(order => !order.ReduceOnly).ToArray()) RequestCancel(book, order, reason);
        }
    }

    private void Flatten(OrderPurpose purpose, Reason reason)
    {
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.Where(order => order.Purpose != purpose).ToArray()) RequestCancel(book, order, reason);
            foreach (Holding holding in book.Holdings.ToArray()) CloseOut(book, holding, purpose);
        }
    }

    /// <summary>A market order that takes one holding off, unless one is under way.</summary>
    private void CloseOut(SymbolBook book, Holding holding, OrderPurpose purpose)
    {
        string? positionId = State.Settings!.Mode == PositionMode.Hedging ? holding.Id : null;
        if (book.Orders.Any(order => order.Purpose is OrderPurpose.Flatten or OrderPurpose.StopOut && order.Owner == holding.Owner && order.PositionId == positionId)) return;
        Accept(new OrderRequest($"{purpose}.{holding.Id}.{State.NextOrdinal}", book.Instrument.Symbol, holding.Volume > 0 ? Side.Sell : Side.Buy,
            OrderType.Market, Math.Abs(holding.Volume), ReduceOnly: true, PositionId: positionId, Strategy: holding.Owner), purpose);
    }

    /// <summary>Limits that look at open losses, on every mark.</summary>
    private void Watch()
    {
        RiskLimits limits = State.Limits;
        AccountSettings settings = State.Settings!;
        bool stopOut = settings.StopOutPercent is not null || settings.MarginCallPercent is not null;
        bool losses = State.TradingState != TradingState.Halted && (!limits.LossLimits.IsDefaultOrEmpty || limits.MaxDrawdownPercent is not null);
        if (!stopOut && !losses) return;

        decimal equity = State.Equity;
        if (losses)
        {
            foreach (LossLimit limit in limits.LossLimits.IsDefault ? [] : limits.LossLimits)
            {
                decimal start = limit.Period switch { LossPeriod.Day => State.DayStart, LossPeriod.Week => State.WeekStart, _ => State.MonthStart };
                decimal most = limit.Amount ?? start * limit.Percent!.Value / 100m;
                if (start - equity >= most) Breach(Reason.LossLimit, limit.Action, $"{limit.Period} loss is {start - equity:0.##}; at most {most:0.##}");
            }
            if (limits.MaxDrawdownPercent is { } drawdown && State.HighWater > 0 && (State.HighWater - equity) / State.HighWater * 100m >= drawdown)
            {
                Breach(Reason.DrawdownLimit, limits.DrawdownAction, $"equity {equity:0.##} is {drawdown} % or more below {State.HighWater:0.##}");
            }
        }
        if (!stopOut) return;
        decimal margin = State.UsedMargin;
        if (margin == 0) return;
        decimal level = equity / margin * 100m;
        if (level < settings.MarginCallPercent && !State.MarginCalled) Raise(new MarginCalled(State.Now, -1, Math.Round(level, 2)));
        if (level < settings.StopOutPercent) CloseLargestLoss();
    }

    private void Breach(Reason reason, BreachAction action, string detail)
    {
        TradingState target = action == BreachAction.DenyAdds ? TradingState.Reducing : TradingState.Halted;
        if (State.TradingState >= target) return;
        Raise(new TradingStateChanged(State.Now, -1, target, reason, detail));
        if (target == TradingState.Halted) CancelAdds(Reason.LimitsBreached);
        if (action == BreachAction.Flatten) Flatten(OrderPurpose.Flatten, Reason.LimitsBreached);
    }

    private void CloseLargestLoss()
    {
        (SymbolBook Book, Holding Holding, decimal Result)? worst = null;
        foreach (SymbolBook book in State.Books)
        {
            if (book.Orders.Any(order => order.Purpose == OrderPurpose.StopOut)) return;
            decimal rate = State.Rate(book.Instrument.QuoteCurrency) ?? 0;
            foreach (Holding holding in book.Holdings)
            {
                decimal result = (holding.Volume * (holding.Volume > 0 ? book.Mark.Bid : book.Mark.Ask) - holding.Cost) * book.Instrument.PointSize * rate;
                if (worst is null || result < worst.Value.Result) worst = (book, holding, result);
            }
        }
        if (worst is not { } found) return;
        CancelAdds(Reason.StopOut);
        CloseOut(found.Book, found.Holding, OrderPurpose.StopOut);
    }

    private DateTime NextDue()
    {
        if (State.Settings is null) return DateTime.MaxValue;
        DateTime due = State.NextDayTurn;
        foreach (SymbolBook book in State.Books)
        {
            if (book.Holdings.Count > 0)
            {
                if (book.NextSwap < due) due = book.NextSwap;
                if (State.NextEquitySample < due) due = State.NextEquitySample;
            }
            foreach (Order order in book.Orders)
            {
                if (order.Status is OrderStatus.Submitted or OrderStatus.PendingModify or OrderStatus.PendingCancel && order.ActiveFrom < due) due = order.ActiveFrom;
                if (order.Expires < due) due = order.Expires.Value;
            }
        }
        return due;
    }

    /// <summary>What falls due at one time: arrivals at the venue, expiries, swap, the day's turn, the equity sample; in that order.</summary>
    private void Fall(DateTime due, DateTime until)
    {
        bool holds = false;
        foreach (SymbolBook book in State.Books)
        {
            foreach (Order order in book.Orders.ToArray())
            {
                if (order.ActiveFrom <= due) Arrive(book, order);
                if (order.Expires <= due && book.FindOrder(order.Ordinal) is not null)
                {
                    Reason reason = order.TimeInForce == TimeInForce.Day ? Reason.DayEnded : Reason.Expired;
                    Raise(new OrderEnded(due, book.Position, order.Ordinal, OrderStatus.Expired, reason));
                }
            }
            if (book.Holdings.Count > 0)
            {
                holds = true;
                if (book.NextSwap <= due) ChargeSwap(book, due);
            }
        }
        if (State.NextDayTurn <= due)
        {
            // Of a quiet stretch only its last turn matters: without holdings the equity stood still.
            DateTime turn = due;
            if (!holds)
            {
                for (DateTime next = State.Settings!.Calendar.NextDayTurn(turn); next <= until; next = State.Settings.Calendar.NextDayTurn(turn)) turn = next;
            }
            TurnDay(due, turn);
        }
        if (holds && State.NextEquitySample <= due)
        {
            DateTime sample = due;
            TimeSpan every = State.Settings!.EquitySampling!.Value;
            if (sample + every <= until) sample += (until - sample).Ticks / every.Ticks * every;
            Raise(new EquitySampled(sample, -1, State.Balance, State.Equity));
        }
    }

    private void Arrive(SymbolBook book, Order order)
    {
        switch (order.Status)
        {
            case OrderStatus.Submitted:
                Raise(new OrderWorking(State.Now, book.Position, order.Ordinal));
                break;
            case OrderStatus.PendingModify:
                RaiseChanged(book, order, order.PendingChange!);
                break;
            case OrderStatus.PendingCancel:
                Raise(new OrderEnded(State.Now, book.Position, order.Ordinal, OrderStatus.Cancelled, Reason.Requested));
                break;
        }
    }

    private void ChargeSwap(SymbolBook book, DateTime turn)
    {
        Instrument instrument = book.Instrument;
        int nights = instrument.Calendar.SwapNights(turn);
        decimal rate = State.Rate(instrument.QuoteCurrency) ?? 0;
        foreach (Holding holding in book.Holdings.ToArray())
        {
            decimal points = holding.Volume > 0 ? instrument.SwapLongPoints : instrument.SwapShortPoints;
            decimal amount = State.Money(Math.Abs(holding.Volume) * points * nights * instrument.PointSize * rate);
            if (amount != 0) Raise(new SwapCharged(turn, book.Position, instrument.Symbol, holding.Id, nights, amount));
        }
        book.NextSwap = instrument.Calendar.NextDayTurn(turn);
        _dueRevision = -1;
    }

    private void TurnDay(DateTime from, DateTime turn)
    {
        int Week(DateTime time) => (int)(time.AddTicks(-1).Ticks / TimeSpan.TicksPerDay / 7);
        DateTime previous = State.DayTurned;
        bool newWeek = Week(turn) != Week(previous);
        bool newMonth = turn.Month != previous.Month || turn.Year != previous.Year;
        Raise(new DayTurned(turn, -1, State.Equity, newWeek, newMonth));
        bool lifted = State.TradingState == TradingState.Reducing && State.StateReason == Reason.LossLimit;
        if (lifted) Raise(new TradingStateChanged(turn, -1, TradingState.Active, Reason.DayEnded, "the period of the loss limit ended"));
    }

    private static bool IsClientOrderId(string id) =>
        id.Length is >= 1 and <= 200 && id.AsSpan().IndexOfAnyExcept(ClientOrderIdCharacters) < 0;

    private static readonly System.Buffers.SearchValues<char> ClientOrderIdCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/#-");

    private static DateTime Later(DateTime a, DateTime b) => a > b ? a : b;
}
