using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>Why a live account and its back-test part.</summary>
public enum DifferenceCause
{
    /// <summary>A person ordered, cancelled, paid in or out, halted or flattened.</summary>
    ManualOrder,

    /// <summary>Settings changed while it lived: of a strategy, of the terms it is followed on, of the limits; or it was stopped.</summary>
    Parameter,

    /// <summary>At the same time there was another price.</summary>
    Price,

    /// <summary>The same bid and another ask.</summary>
    Spread,

    /// <summary>Live saw events that the data lack, or the other way.</summary>
    MissingData,

    /// <summary>Live saw nothing for a while: the system or its feed was away.</summary>
    Outage,

    /// <summary>The same decision, and another event at which its order came or filled.</summary>
    Latency,

    /// <summary>None of these.</summary>
    Unexplained,
}

/// <summary>A time in which no event came although the market was open, or after which the market log goes on at another position.</summary>
public sealed record LiveGap(DateTime From, DateTime To);

/// <summary>A strategy as it lived.</summary>
/// <param name="Plan">With the parameters that it was first started with.</param>
/// <param name="Phases">With which parameters it ran when, in order.</param>
/// <param name="Decisions">All that it decided, in order.</param>
public sealed record LiveStrategy(StrategyPlan Plan, ImmutableArray<StrategyPhase> Phases, ImmutableArray<Decision> Decisions);

/// <summary>What a live account left behind.</summary>
/// <param name="Account">Its key.</param>
/// <param name="Events">Its whole stream.</param>
/// <param name="Strategies">Those that it followed.</param>
/// <param name="End">UTC; how far its record goes.</param>
/// <param name="Seen">The market events that it saw; empty where they were not kept.</param>
/// <param name="Gaps">Of <paramref name="Seen"/>, in order.</param>
/// <param name="Times">
/// When the positions of the market log were that the events name, as far as they are kept: past data may be far ahead of what an idle account knows.
/// </param>
public sealed record LiveRecord(
    string Account, ImmutableArray<AccountEvent> Events, ImmutableArray<LiveStrategy> Strategies, DateTime End, ImmutableArray<MarketSeries> Seen,
    ImmutableArray<LiveGap> Gaps, ImmutableDictionary<long, DateTime> Times);

/// <summary>The first place where they part.</summary>
/// <param name="Order">Number of the order, from 1.</param>
/// <param name="Time">UTC of its acceptance, the earlier of both.</param>
/// <param name="Detail">One sentence: what was there and what here.</param>
/// <param name="Live">The order with its fills as lines of the order list (docs/order-list-hash.md); null where there is none.</param>
/// <param name="Backtest">The same of the back-test.</param>
public sealed record LiveDifference(int Order, DateTime Time, DifferenceCause Cause, string Detail, string? Live, string? Backtest);

/// <param name="Alike">Orders before the first difference.</param>
/// <param name="Difference">Null: all orders are the same, to the last digit and tick.</param>
public sealed record LiveCheckResult(string Account, DateTime From, DateTime To, int LiveOrders, int BacktestOrders, int Alike, LiveDifference? Difference);

/// <summary>
/// Runs the strategies of a live account over data of the same time, with the settings it began with, and compares order by order. What live had and a
/// back-test has not is a cause when the difference goes away once the back-test has it, too: commands of people, changes of settings, the events that live
/// saw. What cannot be put into a back-test (when an order came) is told from the order itself.
/// </summary>
public sealed class LiveCheck
{
    private const string TimeFormat = "yyyy-MM-dd HH:mm:ss.FFF";

    private readonly LiveRecord _live;
    private readonly ImmutableArray<MarketSeries> _data;
    private readonly bool _ownLog;
    private readonly CancellationToken _cancellation;
    private readonly InstrumentUniverse _universe;
    private readonly AccountOpened _opened;
    private readonly ImmutableArray<string> _liveOrders;
    private readonly ImmutableArray<Intervention> _base, _manual, _settings;

    /// <param name="data">Of the same instruments, from before the account's first order on; later than the record's end counts for nothing.</param>
    /// <exception cref="ArgumentException">The record is of no account, or the data lack an instrument that it traded.</exception>
    private LiveCheck(LiveRecord live, ImmutableArray<MarketSeries> data, CancellationToken cancellation)
    {
        _live = live;
        _data = [.. data.Select(series => series.Until(live.End))];
        _ownLog = data == live.Seen;
        _cancellation = cancellation;
        _universe = new InstrumentUniverse(data.Select(series => series.Instrument));
        _opened = live.Events.OfType<AccountOpened>().FirstOrDefault() ?? throw new ArgumentException($"account {live.Account} was never opened");
        string[] traded = [.. live.Events.Select(SymbolOf).OfType<string>().Concat(live.Strategies.Select(strategy => strategy.Plan.Symbol)).Distinct()];
        if (traded.FirstOrDefault(symbol => _universe.Find(symbol) is null) is { } missing)
        {
            throw new ArgumentException($"the data hold no {missing}, which account {live.Account} traded");
        }
        _liveOrders = Describe(live.Events);
        (_base, _manual, _settings) = Interventions();
    }

    /// <inheritdoc cref="LiveCheck(LiveRecord, ImmutableArray{MarketSeries}, CancellationToken)"/>
    public static LiveCheckResult Run(LiveRecord live, ImmutableArray<MarketSeries> data, CancellationToken cancellation = default) =>
        new LiveCheck(live, data, cancellation).Compare();

    private LiveCheckResult Compare()
    {
        Trial plain = Try(_data, _base);
        LiveDifference? difference = plain.FirstDifference is { } at ? Explain(plain, at) : null;
        return new LiveCheckResult(_live.Account, _opened.Time, _live.End, _liveOrders.Length, plain.Orders.Length,
            plain.FirstDifference ?? _liveOrders.Length, difference);
    }

    private LiveDifference Explain(Trial plain, int at)
    {
        DateTime time = TimeAt(plain, at);
        LiveDifference Of(DifferenceCause cause, string detail) => new(
            at + 1, time, cause, detail, _liveOrders.ElementAtOrDefault(at), plain.Orders.ElementAtOrDefault(at));

        // An order's fills may part later than its acceptance.
        DateTime until = LiveOf(at).Concat(plain.Of(at)).Select(happened => happened.Time).Append(time).Max();
        ImmutableArray<Intervention> manual = [.. _manual.TakeWhile(each => each.Time <= until)], settings = [.. _settings.TakeWhile(each => each.Time <= until)];
        if (Solves(plain, at, _data, manual) is { } command) return Of(DifferenceCause.ManualOrder, command.What);
        if (Solves(plain, at, _data, settings) is { } change) return Of(DifferenceCause.Parameter, change.What);
        ImmutableArray<Intervention> both = [.. manual.Concat(settings).OrderBy(each => each.Time)];
        if (!manual.IsEmpty && !settings.IsEmpty && Solves(plain, at, _data, both) is { } last)
        {
            return Of(manual.Contains(last) ? DifferenceCause.ManualOrder : DifferenceCause.Parameter, last.What);
        }
        Trial settled = both.IsEmpty ? plain : Try(_data, [.. _base, .. both]);
        if (_live.Gaps.FirstOrDefault(gap => gap.From < until && gap.To > LastAlike(at)) is { } gap && Outage(gap) is { } away) return Of(DifferenceCause.Outage, away);
        if (!_live.Seen.IsEmpty && !_ownLog && DataDifference(until) is { } other
            && !(Try([.. _live.Seen.Select(series => series.Until(_live.End))], [.. _base, .. both]).FirstDifference <= at)) return Of(other.Cause, other.Detail);
        (DifferenceCause cause, string detail) = FromTheOrder(settled, at);
        return Of(cause, detail);
    }

    /// <summary>The last of the interventions that it takes for the first <paramref name="at"/> + 1 orders to be alike; null when all of them do not.</summary>
    private Intervention? Solves(Trial plain, int at, ImmutableArray<MarketSeries> data, ImmutableArray<Intervention> interventions)
    {
        if (interventions.IsEmpty || Try(data, [.. _base, .. interventions]).FirstDifference <= at) return null;
        int low = 1, high = interventions.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Try(data, [.. _base, .. interventions[..middle]]).FirstDifference <= at) low = middle + 1;
            else high = middle;
        }
        return plain.FirstDifference is null ? null : interventions[low - 1];
    }

    private IEnumerable<AccountEvent> LiveOf(int at) => _live.Events.Where(happened => OrdinalOf(happened) == at + 1);

    private DateTime TimeAt(Trial plain, int at)
    {
        DateTime live = LiveOf(at).Select(happened => happened.Time).FirstOrDefault(DateTime.MaxValue);
        DateTime here = plain.Of(at).Select(happened => happened.Time).FirstOrDefault(DateTime.MaxValue);
        return live < here ? live : here;
    }

    private DateTime LastAlike(int at) => at == 0 ? _opened.Time : LiveOf(at - 1).Select(happened => happened.Time).Last();

    /// <summary>What the silence hid; null when the data have nothing in it either.</summary>
    private string? Outage(LiveGap gap)
    {
        string what = $"live saw nothing from {Text(gap.From)} to {Text(gap.To)}";
        if (_ownLog) return what;
        static long In(ImmutableArray<MarketSeries> data, LiveGap gap) => data.Sum(series => (long)series.Between(gap.From.AddTicks(1), gap.To).Count);
        long hidden = In(_data, gap) - In(_live.Seen, gap);
        return hidden > 0 ? string.Create(CultureInfo.InvariantCulture, $"{what}, where the data have {hidden:N0} events") : null;
    }

    /// <summary>The first event up to <paramref name="time"/> that the data and what live saw do not have alike.</summary>
    private (DifferenceCause Cause, string Detail)? DataDifference(DateTime time)
    {
        (DateTime At, DifferenceCause Cause, string Detail)? first = null;
        foreach (MarketSeries seen in _live.Seen)
        {
            if (_data.FirstOrDefault(series => series.Instrument.Symbol == seen.Instrument.Symbol) is not { } data) continue;
            if (First(seen.Until(time), data.Until(time)) is { } found && !(found.At >= first?.At)) first = found;
        }
        return first is { } earliest ? (earliest.Cause, earliest.Detail) : null;
    }

    private static (DateTime At, DifferenceCause Cause, string Detail)? First(MarketSeries seen, MarketSeries data)
    {
        string symbol = seen.Instrument.Symbol;
        if (seen.TimeFrame != data.TimeFrame) return Missing(DateTime.MinValue, $"live saw {symbol} as {seen.TimeFrame}, the data are {data.TimeFrame}");
        if (seen.Count == 0) return data.Count == 0 ? null : Missing(DateTime.MinValue, $"live saw nothing of {symbol}");
        if (data.Count == 0) return Missing(DateTime.MinValue, $"the data hold nothing of {symbol}");
        // Before the log begins, the data are history.
        int i = 0, j = data.Count - data.Between(RunSequence.StartOf(seen, 0), null).Count;
        for (; i < seen.Count && j < data.Count; i++, j++)
        {
            DateTime there = seen.EventTime(i), here = data.EventTime(j);
            if (there != here) return there < here ? Lacked() : Unseen();
            if (Differ(seen, i, data, j) is { } cause) return (there, cause, $"{symbol} at {Text(there)}: live saw {Prices(seen, i)}, the data have {Prices(data, j)}");
        }
        return i < seen.Count ? Lacked() : j < data.Count ? Unseen() : null;

        (DateTime, DifferenceCause, string) Lacked() =>
            Missing(seen.EventTime(i), $"the data lack what live saw of {symbol} at {Text(seen.EventTime(i))}: {Prices(seen, i)}");
        (DateTime, DifferenceCause, string) Unseen() =>
            Missing(data.EventTime(j), $"live did not see what the data have of {symbol} at {Text(data.EventTime(j))}: {Prices(data, j)}");
        static (DateTime, DifferenceCause, string) Missing(DateTime at, string detail) => (at, DifferenceCause.MissingData, detail);
    }

    private static DifferenceCause? Differ(MarketSeries seen, int i, MarketSeries data, int j)
    {
        (Ohlc bid, Ohlc ask) = Sides(seen, i);
        (Ohlc otherBid, Ohlc otherAsk) = Sides(data, j);
        return bid != otherBid ? DifferenceCause.Price : ask != otherAsk ? DifferenceCause.Spread : null;
    }

    private static (Ohlc Bid, Ohlc Ask) Sides(MarketSeries series, int index)
    {
        if (!series.IsTicks) return (series.Bars.Span[index].Bid, series.Bars.Span[index].Ask);
        Quote quote = series.Quotes.Span[index];
        return (new Ohlc(quote.Bid, quote.Bid, quote.Bid, quote.Bid), new Ohlc(quote.Ask, quote.Ask, quote.Ask, quote.Ask));
    }

    /// <summary>What the journal alone tells: the bar that a decision names, the event at which its order filled.</summary>
    private (DifferenceCause Cause, string Detail) FromTheOrder(Trial trial, int at)
    {
        Decision? live = DecisionOf(LiveOf(at), _live.Strategies.SelectMany(strategy => strategy.Decisions));
        Decision? here = DecisionOf(trial.Of(at), trial.Decisions);
        Decision? first = live is null || (here is not null && here.Time < live.Time) ? here : live;
        if (first is null) return (DifferenceCause.Unexplained, "no decision stands behind the order");
        string what = $"{first.Strategy[(first.Strategy.LastIndexOf('/') + 1)..]} at {Text(first.Time)}";
        // Of two decisions at the same time and by the same strategy, what they saw can be compared.
        Decision? there = _live.Strategies.SelectMany(strategy => strategy.Decisions).FirstOrDefault(each => Same(each, first));
        Decision? other = trial.Decisions.FirstOrDefault(each => Same(each, first));
        if (there is not null && other is null && BarAt(there) is null)
        {
            return (DifferenceCause.MissingData, $"live decided by {what} on a bar that the data do not have");
        }
        Bar? saw = there?.Bar ?? other?.Bar, has = other?.Bar ?? (there is null ? null : BarAt(there));
        if (there is not null && has is { } ours && saw is { } theirs && theirs != ours)
        {
            Instrument instrument = _universe.Find(first.Symbol)!;
            return (theirs.Bid != ours.Bid ? DifferenceCause.Price : theirs.Ask != ours.Ask ? DifferenceCause.Spread : DifferenceCause.MissingData,
                $"the bar that closed when {what} decided: live saw {Prices(instrument, theirs)}, the data have {Prices(instrument, ours)}");
        }
        if (there is null || other is null)
        {
            string where = there is null ? "in the back-test" : "live";
            return (DifferenceCause.Unexplained, $"{what} decided {where} only, on the same bar: what it read from bars before differs ({Readings(first)})");
        }
        static bool Tells(AccountEvent happened) => happened is OrderFilled or OrderAccepted or OrderDenied;
        static DateTime When(AccountEvent happened) => happened is OrderFilled fill ? fill.FillTime : happened.Time;
        AccountEvent[] lived = [.. LiveOf(at).Where(Tells)], ran = [.. trial.Of(at).Where(Tells)];
        foreach ((AccountEvent one, AccountEvent two) in lived.Zip(ran))
        {
            if (When(one) != When(two))
            {
                return (DifferenceCause.Latency,
                    $"the same decision of {what}, but live its order {Verb(one)} at {Text(When(one))}, in the back-test {Verb(two)} at {Text(When(two))}");
            }
            if (one is OrderFilled a && two is OrderFilled b && a.Points - a.Slippage != b.Points - b.Slippage)
            {
                Instrument instrument = _universe.Find(first.Symbol)!;
                decimal theirPrice = instrument.ToPrice(a.Points - a.Slippage), ourPrice = instrument.ToPrice(b.Points - b.Slippage);
                return (DifferenceCause.Price, string.Create(CultureInfo.InvariantCulture, $"the fill at {Text(When(one))}: live the market was at {theirPrice}, in the data at {ourPrice}"));
            }
        }
        static int Fills(AccountEvent[] events) => events.Count(each => each is OrderFilled);
        return lived.Length != ran.Length
            ? (DifferenceCause.Latency, $"the same decision of {what}, but live its order filled {Fills(lived)} times, in the back-test {Fills(ran)}")
            : (DifferenceCause.Unexplained, $"the same decision of {what} and the same prices; size, cost or result differ");
    }

    private static bool Same(Decision a, Decision b) => a.Time == b.Time && a.Strategy == b.Strategy && a.Symbol == b.Symbol;

    private static string Verb(AccountEvent happened) => happened is OrderFilled ? "filled" : "came";

    /// <summary>The data's own bar of a decision, where they are of its time frame.</summary>
    private Bar? BarAt(Decision decision)
    {
        MarketSeries series = _data.First(each => each.Instrument.Symbol == decision.Symbol);
        BarBuilder builder = new(series.TimeFrame, decision.TimeFrame);
        MarketSeries part = series.Between(decision.Bar.OpenTime, decision.TimeFrame.End(decision.Bar.OpenTime));
        if (series.TimeFrame == decision.TimeFrame && !series.IsTicks) return part.Count == 1 ? part.Bars.Span[0] : null;
        for (int i = 0; i < part.Count; i++)
        {
            if (part.IsTicks ? builder.Add(part.Quotes.Span[i], out Bar closed) : builder.Add(part.Bars.Span[i], out closed)) return closed;
        }
        return builder.TryClose(DateTime.MaxValue, out Bar last) ? last : null;
    }

    private Decision? DecisionOf(IEnumerable<AccountEvent> order, IEnumerable<Decision> decisions)
    {
        string? id = order.Select(happened => (happened as OrderAccepted)?.Order.Decision ?? (happened as OrderDenied)?.Request.Decision).FirstOrDefault(each => each is not null);
        return string.IsNullOrEmpty(id) ? null : decisions.FirstOrDefault(each => each.Id == id);
    }

    private Trial Try(ImmutableArray<MarketSeries> data, ImmutableArray<Intervention> interventions)
    {
        _cancellation.ThrowIfCancellationRequested();
        var commands = interventions.Where(each => each.Do is not null).OrderBy(each => each.Time)
            .Select(each => new AccountCommand(each.Time, _live.Account, each.Symbol, each.Do!)).ToImmutableArray();
        var phases = interventions.Where(each => each.Phase is not null).GroupBy(each => each.Strategy!, StringComparer.Ordinal)
            .ToDictionary(strategy => strategy.Key,
                strategy => strategy.OrderBy(each => each.Time).Select(each => each.Phase!).ToImmutableArray(), StringComparer.Ordinal);
        ImmutableSortedDictionary<string, FollowTerms> follows = _live.Strategies.ToImmutableSortedDictionary(
            strategy => strategy.Plan.Key, strategy => FirstTerms(strategy.Plan.Key)?.Terms ?? new FollowTerms(Sizing.AsTheStrategySays), StringComparer.Ordinal);
        decimal deposit = Deposit is { } paid ? paid.Amount : 0;
        var plan = new RunPlan(_universe, [.. _live.Strategies.Select(strategy => strategy.Plan)],
            [new AccountPlan(_live.Account, _opened.Settings, _opened.Limits, deposit, follows)]);
        List<AccountEvent> events = [];
        List<Decision> decisions = [];
        var backtest = new Backtest(plan, new RunSequence(data, plan), keepsOrders: false)
        {
            Commands = commands, Phases = phases, Recorded = (_, happened) => events.AddRange(happened), Decided = decisions.Add,
        };
        backtest.Play(null, _cancellation);
        ImmutableArray<string> orders = Describe(events);
        return new Trial(orders, events, decisions, FirstDifference(orders));
    }

    private int? FirstDifference(ImmutableArray<string> orders)
    {
        for (int i = 0; i < Math.Max(orders.Length, _liveOrders.Length); i++)
        {
            if (orders.ElementAtOrDefault(i) != _liveOrders.ElementAtOrDefault(i)) return i;
        }
        return null;
    }

    private ImmutableArray<string> Describe(IEnumerable<AccountEvent> events)
    {
        var list = new OrderList(_universe);
        foreach (AccountEvent happened in events) list.Apply(happened);
        return list.Describe();
    }

    private BalanceAdjusted? Deposit => _live.Events.OfType<BalanceAdjusted>().FirstOrDefault(paid => paid.RequestId == "open");

    private FollowChanged? FirstTerms(string strategy) =>
        _live.Events.OfType<FollowChanged>().FirstOrDefault(follow => follow.Strategy == strategy && follow.Terms is not null);

    /// <summary>How it began, what people did, and which settings changed, each in order of time.</summary>
    private (ImmutableArray<Intervention> Base, ImmutableArray<Intervention> Manual, ImmutableArray<Intervention> Settings) Interventions()
    {
        List<Intervention> begin = [], manual = [], settings = [];
        foreach (LiveStrategy strategy in _live.Strategies)
        {
            string key = strategy.Plan.Key, name = Name(key);
            // Followed from the first by the plan: until it was, it is not.
            begin.Add(new Intervention(DateTime.MinValue, "") { Do = account => account.SetFollow(key, null, account.State.Now) });
            for (int i = 0; i < strategy.Phases.Length; i++)
            {
                StrategyPhase phase = strategy.Phases[i];
                StrategyParameters? before = strategy.Phases[..i].LastOrDefault(each => each.Parameters is not null)?.Parameters;
                string what = phase.Parameters is null ? $"{name} was stopped at {Text(phase.From)}"
                    : $"{name} was set to {phase.Parameters} at {Text(phase.From)}, before {before}";
                (i == 0 ? begin : settings).Add(new Intervention(phase.From, what) { Strategy = key, Phase = phase });
            }
        }
        foreach (AccountEvent happened in _live.Events)
        {
            DateTime time = happened.Time, seen = _live.Times.GetValueOrDefault(happened.MarketPosition, time), at = seen > time ? seen : time;
            string when = Text(at);
            void Manual(string what, Action<Account> act, string? symbol = null) => manual.Add(new Intervention(at, what) { Do = act, Symbol = symbol });
            switch (happened)
            {
                case FollowChanged e:
                    var follow = new Intervention(at, $"the terms for {Name(e.Strategy)} became {Terms(e.Terms)} at {when}")
                    {
                        Do = account => account.SetFollow(e.Strategy, e.Terms, time),
                    };
                    (ReferenceEquals(e, FirstTerms(e.Strategy)) ? begin : settings).Add(follow);
                    break;
                case LimitsChanged e:
                    settings.Add(new Intervention(at, $"the risk limits were changed at {when}") { Do = account => account.SetLimits(e.Limits, time) });
                    break;
                case BalanceAdjusted e when !ReferenceEquals(e, Deposit):
                    Manual($"{e.Amount} were paid {(e.Amount > 0 ? "in" : "out")} at {when}", account => account.Adjust(e.Amount, e.Note, e.RequestId, time));
                    break;
                case TradingStateChanged { Reason: Risk.Reason.Requested } e:
                    Manual($"the account was set to {e.State} {e.Detail} at {when}", account => account.SetTradingState(e.State, Who(e), time));
                    break;
                case TradingStateChanged { Reason: Risk.Reason.Flatten } e:
                    Manual($"the account was flattened {e.Detail} at {when}", account => account.Flatten(Who(e), time));
                    break;
                case TenantHaltsChanged e:
                    Manual(e.Halts.IsEmpty ? $"the halt by the tenant's kill switch was released at {when}" : $"the tenant's kill switch halted the account at {when}",
                        account => account.SetTenantHalts([.. e.Halts.Select(number => new Risk.TenantHalt(number, null, e.Flattens, "", time, ""))], time));
                    break;
                case OrderAccepted { Order: { Purpose: OrderPurpose.Trade, Decision: "" } order }:
                    Manual($"order '{order.ClientOrderId}' ({order.Side} {order.Volume} {order.Symbol}) was placed by hand at {when}",
                        account => account.Submit(Request(order), time), order.Symbol);
                    break;
                case OrderDenied { Request: { Decision: "" } request }:
                    Manual($"order '{request.ClientOrderId}' was placed by hand at {when} and denied", account => account.Submit(request, time), request.Symbol);
                    break;
                case OrderChangeRequested e when ClientOrderOf(e.Ordinal) is { } changed:
                    Manual($"order '{changed}' was changed by hand at {when}", account => account.Change(changed, e.Change, time));
                    break;
                case OrderCancelRequested { Reason: Risk.Reason.Requested } e when IsManual(e.Ordinal) && ClientOrderOf(e.Ordinal) is { } cancelled:
                    Manual($"order '{cancelled}' was cancelled by hand at {when}", account => account.Cancel(cancelled, time));
                    break;
                case OrderEnded { Reason: Risk.Reason.Requested, Status: OrderStatus.Cancelled } e when IsManual(e.Ordinal) && ClientOrderOf(e.Ordinal) is { } ended:
                    Manual($"order '{ended}' was cancelled by hand at {when}", account => account.Cancel(ended, time));
                    break;
            }
        }
        return ([.. begin], [.. manual.OrderBy(each => each.Time)], [.. settings.OrderBy(each => each.Time)]);
    }

    private Order? AcceptedOf(long ordinal) => _live.Events.OfType<OrderAccepted>().FirstOrDefault(accepted => accepted.Order.Ordinal == ordinal)?.Order;

    private string? ClientOrderOf(long ordinal) => AcceptedOf(ordinal)?.ClientOrderId;

    private bool IsManual(long ordinal) => AcceptedOf(ordinal) is { Decision: "" };

    private OrderRequest Request(Order order)
    {
        Instrument instrument = _universe.Find(order.Symbol)!;
        decimal? Price(long? points) => points is { } value ? instrument.ToPrice(value) : null;
        return new OrderRequest(order.ClientOrderId, order.Symbol, order.Side, order.Type, order.Volume, Price(order.Limit), Price(order.Stop), Price(order.Trail),
            order.TimeInForce, order.TimeInForce == TimeInForce.Gtd ? order.Expires : null, order.ReduceOnly, Price(order.StopLoss), Price(order.TakeProfit),
            Price(order.TrailingStopLoss), order.OcoGroup, order.PositionId, order.Strategy);
    }

    private static long? OrdinalOf(AccountEvent happened) => happened switch
    {
        OrderAccepted e => e.Order.Ordinal,
        OrderDenied e => e.Ordinal,
        OrderFilled e => e.Ordinal,
        OrderEnded e => e.Ordinal,
        _ => null,
    };

    private static string? SymbolOf(AccountEvent happened) => happened switch
    {
        OrderAccepted e => e.Order.Symbol,
        OrderDenied e => e.Request.Symbol,
        _ => null,
    };

    private static string Who(TradingStateChanged changed) => changed.Detail.StartsWith("by ", StringComparison.Ordinal) ? changed.Detail[3..] : changed.Detail;

    private static string Name(string key) => key[(key.LastIndexOf('/') + 1)..];

    private static string Terms(FollowTerms? terms)
    {
        if (terms is null) return "not followed";
        string most = terms.MaxUnits is { } units ? string.Create(CultureInfo.InvariantCulture, $", at most {units}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{terms.Sizing.Kind} {terms.Sizing.Value}{(terms.Paused ? ", paused" : "")}{most}");
    }

    private static string Readings(Decision decision) =>
        string.Join(", ", decision.Features.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Feature} = {each.Value:R}")));

    private static string Text(DateTime time) => time.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string Prices(MarketSeries series, int index)
    {
        if (!series.IsTicks) return Prices(series.Instrument, series.Bars.Span[index]);
        Quote quote = series.Quotes.Span[index];
        return string.Create(CultureInfo.InvariantCulture, $"{series.Instrument.ToPrice(quote.Bid)} / {series.Instrument.ToPrice(quote.Ask)}");
    }

    private static string Prices(Instrument instrument, in Bar bar)
    {
        string Side(Ohlc side) => string.Create(CultureInfo.InvariantCulture,
            $"{instrument.ToPrice(side.Open)} {instrument.ToPrice(side.High)} {instrument.ToPrice(side.Low)} {instrument.ToPrice(side.Close)}");
        return $"bid {Side(bar.Bid)}, ask {Side(bar.Ask)}";
    }

    /// <summary>One thing that live had and a plain back-test has not.</summary>
    private sealed record Intervention(DateTime Time, string What)
    {
        public string? Symbol { get; init; }
        public Action<Account>? Do { get; init; }
        public string? Strategy { get; init; }
        public StrategyPhase? Phase { get; init; }
    }

    private sealed record Trial(ImmutableArray<string> Orders, List<AccountEvent> Events, List<Decision> Decisions, int? FirstDifference)
    {
        /// <summary>What happened to order number <paramref name="at"/> + 1.</summary>
        public IEnumerable<AccountEvent> Of(int at) => Events.Where(happened => OrdinalOf(happened) == at + 1);
    }
}
