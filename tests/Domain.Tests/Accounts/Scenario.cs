using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Tests.Accounts;

/// <summary>One thing that happens in a scenario; the numbers choose what exactly.</summary>
internal readonly record struct Step(int Kind, int A, int B, int C, int D);

/// <summary>How the account of a scenario is set up.</summary>
internal sealed record Terms(PositionMode Mode, bool Slow, bool Rounded, bool Watched, bool Costs)
{
    public AccountSettings Settings => new(
        "USD", Mode, Rounded ? 2 : null, null, Watched ? 100m : null, Watched ? 50m : null,
        new ExecutionModel(Slow ? TimeSpan.FromSeconds(2) : TimeSpan.Zero, Costs ? 1 : 0, Costs ? 3 : 0, Costs ? 0.00002m : 0, Costs ? 1.1m : 0),
        TradingCalendar.Forex, Watched ? TimeSpan.FromMinutes(10) : null);

    public RiskLimits Limits => Watched
        ? RiskLimits.Default with
        {
            LossLimits = [new(LossPeriod.Day, Percent: 10, Action: BreachAction.DenyAdds), new(LossPeriod.Week, Percent: 60, Action: BreachAction.Flatten)],
            MaxDrawdownPercent = 70,
            MaxExposurePercent = null,
            MaxWorkingOrders = 12,
        }
        : RiskLimits.None;
}

/// <summary>
/// Plays random steps of a market and of people and strategies against one account. The same steps do the same again; names of tenants and of orders
/// can be others, everything can be delivered twice, and the account can be put away and restored after any step.
/// </summary>
internal sealed class Scenario
{
    private static readonly Instrument[] Instruments =
    [
        Desk.Eurusd with { SwapLongPoints = -0.7m, SwapShortPoints = 0.2m },
        Desk.Gbpusd,
    ];

    private readonly string _prefix, _owner;
    private readonly bool _twice;
    private readonly long[] _price = [110_000, 127_000];
    private readonly int[] _decisions = new int[2];
    private int _orders, _requests;

    public Scenario(Terms terms, string owner = "t/u", string prefix = "c", bool twice = false)
    {
        (_owner, _prefix, _twice) = (owner, prefix, twice);
        Desk = new Desk(terms.Settings, terms.Limits, 2500, [.. Instruments]);
        for (int i = 0; i < _decisions.Length; i++)
        {
            string strategy = Strategy(i);
            Desk.Do(account => account.SetFollow(strategy, new FollowTerms(Sizing.AsTheStrategySays), Desk.Time));
        }
        Quote(0, 0, 5, 0);
        Quote(1, 0, 5, 0);
    }

    public Desk Desk { get; }

    /// <summary>Called with each order before it is sent, and with what came of it.</summary>
    public Action<OrderRequest>? Sending { get; init; }

    public Action<OrderResult>? Sent { get; init; }

    public static Arbitrary<(Terms Terms, Step[] Steps)> Any { get; } = Arb.From(
        from mode in Gen.Elements(PositionMode.Netting, PositionMode.Hedging)
        from flags in Gen.Choose(0, 15)
        from steps in Gen.Choose(1, 90).SelectMany(count => Gen.ArrayOf(AnyStep, count))
        select (new Terms(mode, (flags & 1) > 0, (flags & 2) > 0, (flags & 4) > 0, (flags & 8) > 0), steps),
        pair => Shrinks(pair.Item2).Select(steps => (pair.Item1, steps)));

    private static Gen<Step> AnyStep =>
        from kind in Gen.Frequency((10, Gen.Choose(0, 1)), (8, Gen.Constant(2)), (2, Gen.Constant(3)), (2, Gen.Constant(4)), (4, Gen.Constant(5)), (1, Gen.Choose(6, 11)))
        from a in Gen.Choose(0, 999)
        from b in Gen.Choose(0, 999)
        from c in Gen.Choose(0, 999)
        from d in Gen.Choose(0, 999)
        select new Step(kind, a, b, c, d);

    private static IEnumerable<Step[]> Shrinks(Step[] steps)
    {
        for (int cut = steps.Length / 2; cut > 0; cut /= 2)
        {
            for (int from = 0; from + cut <= steps.Length; from += cut) yield return [.. steps[..from], .. steps[(from + cut)..]];
        }
    }

    public Scenario Play(IEnumerable<Step> steps)
    {
        foreach (Step step in steps) Play(step);
        return this;
    }

    public void Play(in Step step)
    {
        DateTime now = Desk.Time;
        (int a, int b, int c, int d) = (step.A, step.B, step.C, step.D);
        switch (step.Kind)
        {
            case 0 or 1:
                Quote(a % 2, b % 61 - 30 + (d % 20 == 0 ? 20 * (b - 500) : 0), c % 12, d % 3 == 0 ? 1 + c % 9 : 0);
                break;
            case 2:
                Submit(a, b, c, d);
                break;
            case 3:
                if (Pick(a) is { } leaving) Twice(account => account.Cancel(leaving.ClientOrderId, now));
                break;
            case 4:
                if (Pick(a) is { } changing)
                {
                    var change = new OrderChange(
                        b % 2 == 0 ? 1000 * (1 + c % 20) : null,
                        changing.Limit is not null && d % 2 == 0 ? Price(changing.Symbol, c % 101 - 50) : null,
                        changing.Stop is not null && d % 3 == 0 ? Price(changing.Symbol, c % 101 - 50) : null);
                    Twice(account => account.Change(changing.ClientOrderId, change, now));
                }
                break;
            case 5:
                Decide(a % 2, b % 2, c, d);
                break;
            case 6:
                Desk.Wait(TimeSpan.FromMinutes(a * 3));
                break;
            case 7:
                Bar(a % 2, b % 201 - 100, c % 60, d % 60);
                break;
            case 8:
                Twice(account => account.SetTradingState((TradingState)(a % 3), "somebody", now));
                break;
            case 9:
                if (a % 3 == 0) Twice(account => account.Flatten("somebody", now));
                else if (a % 3 == 1) Twice(account => account.SetTradingState(TradingState.Active, "somebody", now));
                break;
            case 10:
                string request = $"r{++_requests}";
                Twice(account => account.Adjust(a - 300, "", request, now));
                break;
            default:
                string strategy = Strategy(a % 2);
                Twice(account => account.SetFollow(strategy, new FollowTerms(Sizing.AsTheStrategySays, Paused: b % 2 == 0), now));
                break;
        }
    }

    private string Strategy(int i) => $"{_owner}/s{i}";

    private static string Symbol(int i) => Instruments[i].Symbol;

    private decimal Price(string symbol, int away) => (_price[symbol == Symbol(0) ? 0 : 1] + away) / 100_000m;

    private Order? Pick(int a) => Desk.State.Books.SelectMany(book => book.Orders).ToArray() is { Length: > 0 } orders ? orders[a % orders.Length] : null;

    private void Quote(int symbol, int move, int spread, int size)
    {
        long bid = _price[symbol] = Math.Max(50_000, _price[symbol] + move);
        Desk.Quote(bid / 100_000m, (bid + spread) / 100_000m, size, size, Symbol(symbol));
        Repeat();
    }

    /// <summary>Delivers the latest market event again, and one from long before.</summary>
    private void Repeat()
    {
        if (!_twice) return;
        Desk.DeliverAgain(Desk.Delivered.Count - 1);
        Desk.DeliverAgain(Desk.Delivered.Count * 2 / 3);
        Desk.DeliverAgain(Desk.Delivered.Count / 3);
    }

    private void Bar(int symbol, int move, int up, int down)
    {
        long open = _price[symbol], close = _price[symbol] = Math.Max(50_000, open + move);
        Desk.Bar(open / 100_000m, (Math.Max(open, close) + up) / 100_000m, (Math.Min(open, close) - down) / 100_000m, close / 100_000m, 0.00004m, Symbol(symbol));
        Repeat();
    }

    private void Submit(int a, int b, int c, int d)
    {
        string symbol = Symbol(a % 2);
        var side = a % 4 < 2 ? Side.Buy : Side.Sell;
        var type = (OrderType)(b % 5);
        int away = c % 81 - 40;
        bool protects = d % 4 == 0;
        decimal entry = type == OrderType.Market ? Price(symbol, 0) : Price(symbol, away);
        bool owned = a % 3 == 0;
        var request = new OrderRequest($"{_prefix}{++_orders}", symbol, side, type, 1000 * (1 + d % 60),
            LimitPrice: type is OrderType.Limit or OrderType.StopLimit ? entry : null,
            StopPrice: type is OrderType.Stop ? entry : type is OrderType.StopLimit ? Price(symbol, away + b % 9 - 4) : null,
            TrailDistance: type == OrderType.TrailingStop ? (5 + c % 40) / 100_000m : null,
            TimeInForce: (TimeInForce)(c % 7 < 5 ? c % 7 : 0), GoodTill: c % 7 == 3 ? Desk.Time.AddSeconds(1 + b % 900) : null,
            ReduceOnly: b % 6 == 0,
            StopLoss: protects ? entry - (int)side * (20 + c % 50) / 100_000m : null,
            TakeProfit: protects && c % 2 == 0 ? entry + (int)side * (20 + b % 50) / 100_000m : null,
            TrailingStopLoss: protects && c % 3 == 0 ? (10 + b % 30) / 100_000m : null,
            OcoGroup: d % 9 == 0 ? $"group{a % 2}" : null,
            Strategy: owned ? Strategy(b % 2) : "");
        if (Desk.Account.State.Settings!.Mode == PositionMode.Hedging && b % 3 == 0 && Desk.State.FindBook(symbol)?.Holdings is { Count: > 0 } holdings)
        {
            request = request with { PositionId = holdings[c % holdings.Count].Id };
        }
        Desk.See(symbol);
        DateTime now = Desk.Time;
        Sending?.Invoke(request);
        OrderResult result = Desk.Do(account => account.Submit(request, now));
        Sent?.Invoke(result);
        if (_twice) Desk.Do(account => account.Submit(request, now));
    }

    private void Decide(int strategy, int symbol, int c, int d)
    {
        string key = Strategy(strategy);
        var stance = (Stance)(c % 3 - 1);
        var intent = new Intent(stance, "",
            StopDistance: d % 2 == 0 ? (10 + d % 40) / 100_000m : null,
            TakeDistance: d % 3 == 0 ? (10 + d % 50) / 100_000m : null,
            EntryLimit: d % 7 == 0 ? Price(Symbol(symbol), -(int)stance * 8) : null);
        Desk.See(Symbol(symbol));
        var decision = new Decision($"{key}#{++_decisions[strategy]}", key, Symbol(symbol), TimeFrame.M1, Desk.Time, Desk.Position, default, [], Stance.Flat, intent, 17_000);
        Twice(account => account.Receive(decision));
    }

    private void Twice(Action<Account> command) => Twice(account =>
    {
        command(account);
        return true;
    });

    private void Twice<T>(Func<Account, T> command)
    {
        Desk.Do(command);
        if (_twice) Desk.Do(command);
    }
}
