using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>Whole runs on real data that reach what the shipped strategies do not: every type of order, hedging, swap, a margin call.</summary>
public sealed class GoldenOrderTests
{
    private static readonly ExecutionModel Costs = new(TimeSpan.FromMilliseconds(250), 1, 3, CommissionPerLot: 3.5m, Seed: 9);

    [Theory]
    [InlineData("gbpusd_h1", PositionMode.Netting, "equity 88974.3 closed 2530 fees 1862 swap 0 drawdown 11.2752528911 orders 6685 fills 4810 7cf078fd5e35b4c6")]
    [InlineData("gbpusd_h1", PositionMode.Hedging, "equity 88853.7 closed 2671 fees 1869.7 swap 0 drawdown 11.4201284287 orders 7259 fills 5326 f8e381fe69ee26eb")]
    [InlineData("eurusd_h4", PositionMode.Hedging, "equity 98978.2 closed 678 fees 474.6 swap 0 drawdown 2.338850711 orders 1846 fills 1350 bb2c45cccaf8d7a8")]
    public void Entries_by_limit_and_stop_protected_by_stop_target_and_trail_on_bars(string data, PositionMode mode, string expected)
    {
        MarketSeries series = MarketFiles.Mt5(data);
        (string figures, ImmutableHashSet<(OrderType, OrderPurpose)> seen) = Run(series, series.TimeFrame, mode, Costs, 10_000);
        Assert.Equal(expected, figures);
        AssertEveryType(seen);
    }

    [Fact]
    public void The_same_on_ticks()
    {
        (string figures, ImmutableHashSet<(OrderType, OrderPurpose)> seen) = Run(MarketFiles.Lean("forex/oanda/tick/eurusd", 5), TimeFrame.M1, PositionMode.Hedging, Costs, 10_000);
        Assert.Equal("equity 99620.7 closed 172 fees 120.4 swap 0 drawdown 0.3793 orders 500 fills 344 21a5c04b8a398fe9", figures);
        AssertEveryType(seen);
    }

    [Fact]
    public void A_position_too_large_for_the_account_is_called_and_closed_out()
    {
        MarketSeries series = MarketFiles.Mt5("xauusd_d1");
        var settings = new AccountSettings("USD", PositionMode.Netting, 2, 20, 100, 50, new ExecutionModel(CommissionRate: 0.00002m), TradingCalendar.Forex, null);
        List<AccountEvent> events = [];
        string figures = Figures(series, series.TimeFrame, settings, StrategyCatalog.Find("donchian-breakout").Bind([new("units", 900), new("stop", 0)]), "donchian-breakout", null, events);
        Assert.Contains(events, happened => happened is MarginCalled);
        Assert.Contains(events, happened => happened is OrderAccepted { Order.Purpose: OrderPurpose.StopOut });
        Assert.Equal("equity 22169 closed 61 fees 2933 swap 0 drawdown 95.3918360146 orders 120 fills 108 4d44c129166078f4", figures);
    }

    [Fact]
    public void Orders_of_a_person_of_every_type_and_time_in_force_on_bars()
    {
        MarketSeries series = MarketFiles.Mt5("eurusd_h4");
        Instrument instrument = series.Instrument;
        var account = new Account("test/run/hand", new AccountState(new InstrumentUniverse([instrument])));
        var settings = new AccountSettings("USD", PositionMode.Hedging, 2, 30, 100, 50, Costs, TradingCalendar.Forex, null);
        Assert.Null(account.Open(settings, RiskLimits.Default, 100_000, series.Bars.Span[0].OpenTime));
        var record = new AccountRecord(account.Key, account.State, new InstrumentUniverse([instrument]));
        record.Start();
        HashSet<(OrderType, TimeInForce, OrderStatus)> seen = [];
        for (int i = 0; i < series.Count; i++)
        {
            Bar bar = series.Bars.Span[i];
            DateTime close = series.EventTime(i);
            account.OnBar(instrument.Symbol, bar, close, i);
            if (i % 5 == 0)
            {
                account.Observe(instrument.Symbol, new Quote(close, bar.Bid.Close, bar.Ask.Close), i);
                account.Submit(Order(i / 5, instrument, bar, close), close);
            }
            record.Take([.. account.TakeUncommitted()]);
        }
        foreach (Order order in record.Orders.Orders) seen.Add((order.Type, order.TimeInForce, order.Status));
        Assert.Equal("equity 98580.71 closed 2289 orders 7458 fills 4578 6abf9ef7c998590b", FormattableString.Invariant(
            $"equity {account.State.Equity:0.##########} closed {record.ClosedTrades} orders {record.Orders.Count} fills {record.Orders.Fills} {OrderList.Hash([new(record.Name, record.Orders)])[..16]}"));
        foreach (OrderType type in Enum.GetValues<OrderType>()) Assert.Contains(seen, each => each.Item1 == type && each.Item3 == OrderStatus.Filled);
        foreach (TimeInForce time in Enum.GetValues<TimeInForce>()) Assert.Contains(seen, each => each.Item2 == time);
        Assert.Contains(seen, each => each.Item3 == OrderStatus.Expired);
    }

    private static OrderRequest Order(int number, Instrument instrument, in Bar bar, DateTime time)
    {
        var type = (OrderType)(number % 5);
        Side side = number / 5 % 2 == 0 ? Side.Buy : Side.Sell;
        int sign = (int)side;
        decimal price = instrument.ToPrice(side == Side.Buy ? bar.Ask.Close : bar.Bid.Close);
        TimeInForce alive = type == OrderType.Market ? (TimeInForce)(number / 10 % 3) : (number / 10 % 3) switch { 0 => TimeInForce.Gtc, 1 => TimeInForce.Day, _ => TimeInForce.Gtd };
        return new OrderRequest($"hand-{number}", instrument.Symbol, side, type, 5_000,
            LimitPrice: type is OrderType.Limit ? price - sign * 0.0020m : type is OrderType.StopLimit ? price + sign * 0.0030m : null,
            StopPrice: type is OrderType.Stop or OrderType.StopLimit ? price + sign * 0.0020m : null,
            TrailDistance: type is OrderType.TrailingStop ? 0.0025m : null,
            TimeInForce: alive, GoodTill: alive == TimeInForce.Gtd ? time.AddHours(30) : null,
            StopLoss: price - sign * 0.0100m, TakeProfit: price + sign * 0.0120m);
    }

    private static void AssertEveryType(ImmutableHashSet<(OrderType Type, OrderPurpose Purpose)> seen)
    {
        foreach (OrderType type in (OrderType[])[OrderType.Market, OrderType.Limit, OrderType.Stop]) Assert.Contains((type, OrderPurpose.Trade), seen);
        foreach (OrderType type in (OrderType[])[OrderType.Limit, OrderType.Stop, OrderType.TrailingStop]) Assert.Contains(seen, each => each.Type == type && each.Purpose != OrderPurpose.Trade);
    }

    private static (string Figures, ImmutableHashSet<(OrderType, OrderPurpose)> Seen) Run(MarketSeries series, TimeFrame frame, PositionMode mode, ExecutionModel execution, decimal units)
    {
        var settings = new AccountSettings(series.Instrument.QuoteCurrency, mode, 2, 30, 100, 50, execution, TradingCalendar.Forex, TimeSpan.FromHours(4));
        List<AccountEvent> events = [];
        string figures = Figures(series, frame, settings, SmaCross.Definition.Bind([new("units", units)]), "sma-cross", _ => new EveryEntry(), events);
        return (figures, [.. events.OfType<OrderAccepted>().Select(accepted => (accepted.Order.Type, accepted.Order.Purpose))]);
    }

    private static string Figures(
        MarketSeries series, TimeFrame frame, AccountSettings settings, StrategyParameters parameters, string definition, Func<StrategyPlan, Strategy>? make, List<AccountEvent> events)
    {
        var plan = new RunPlan(new InstrumentUniverse([series.Instrument]),
            [new StrategyPlan("test/run/one", definition, parameters, series.Instrument.Symbol, frame)],
            [new AccountPlan("test/run/main", settings, RiskLimits.None, 100_000, ImmutableSortedDictionary<string, FollowTerms>.Empty.Add("test/run/one", new FollowTerms(Sizing.AsTheStrategySays)))]);
        RunReport report = new Backtest(plan, new RunSequence([series], plan), make) { Recorded = (_, happened) => events.AddRange(happened) }.Run();
        return FormattableString.Invariant(
            $"equity {report.FinalEquity:0.##########} closed {report.ClosedTrades} fees {report.Fees:0.##########} swap {report.Swap:0.##########} drawdown {report.MaxDrawdownPercent:0.##########} orders {report.Orders} fills {report.Fills} {report.OrderListHash[..16]}");
    }

    /// <summary>Enters by limit, stop and market in turn, with a stop and a target, or a trailing stop.</summary>
    private sealed class EveryEntry : Strategy
    {
        private readonly FeatureInput _rsi, _range;

        public EveryEntry() => (_rsi, _range) = (Use(Feature.Rsi(7)), Use(Feature.Atr(14)));

        public override Intent? Evaluate(in StrategyContext context)
        {
            double rsi = context[_rsi];
            if (rsi is > 35 and < 65) return null;
            decimal range = Math.Round((decimal)context[_range], 5), close = (decimal)context.Close;
            Intent wanted = rsi <= 35 ? Intent.Long("it fell") : Intent.Short("it rose");
            int sign = (int)wanted.Stance;
            return (context.State.Decisions % 3) switch
            {
                0 => wanted with { EntryLimit = close - sign * range / 2, StopDistance = 2 * range, TakeDistance = 3 * range },
                1 => wanted with { EntryStop = close + sign * range / 2, StopDistance = 2 * range, TakeDistance = 2 * range },
                _ => wanted with { TrailDistance = 2 * range },
            };
        }
    }
}
