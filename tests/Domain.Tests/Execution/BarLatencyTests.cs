using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Execution;

/// <summary>What arrives inside a bar gets no price from before its arrival, and of what is not known the worse.</summary>
public sealed class BarLatencyTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1), Hour = TimeSpan.FromHours(1);

    /// <summary>One hour has passed and closed at 1.10000; what is ordered now arrives so much later.</summary>
    private static Desk After(TimeSpan latency, BarFill fill = BarFill.NextOpen, long slippage = 0) =>
        new Desk(Desk.Plain with { Execution = new ExecutionModel(latency, slippage, BarFill: fill) }).Bar(1.10000m, 1.10100m, 1.09900m, 1.10000m);

    private static long[] Prices(Desk desk) => [.. desk.Fills.Select(fill => fill.Points)];

    [Fact]
    public void A_market_order_inside_a_bar_fills_at_its_close_and_one_at_its_end_at_the_next_open()
    {
        foreach ((TimeSpan latency, int bar, long price) in new[]
        {
            (TimeSpan.Zero, 0, 110_062L), (TimeSpan.FromTicks(1), 1, 110_092), (10 * Minute, 1, 110_092), (Hour - TimeSpan.FromTicks(1), 1, 110_092),
            (Hour, 1, 110_312), (Hour + Minute, 2, 110_212),
        })
        {
            Desk desk = After(latency);
            DateTime decided = desk.Time;
            Order order = desk.Accepted(desk.Market(Side.Buy, 10_000));
            desk.Bar(1.10050m, 1.10100m, 1.09900m, 1.10080m, spread: 0.00012m).Bar(1.10300m, 1.10400m, 1.10100m, 1.10200m, spread: 0.00012m);
            OrderFilled fill = Assert.Single(desk.Fills);
            Assert.Equal((order.Ordinal, price, decided + bar * Hour), (fill.Ordinal, fill.Points, fill.FillTime));
            if (latency > TimeSpan.Zero) Assert.Equal(decided + latency, Assert.Single(desk.Events.OfType<OrderWorking>()).Time);
        }
    }

    [Fact]
    public void Where_market_orders_fill_at_the_close_so_does_one_that_arrives_before_it()
    {
        Desk desk = After(10 * Minute, BarFill.NextClose, slippage: 3);
        desk.Accepted(desk.Market(Side.Sell, 10_000));
        desk.Bar(1.10050m, 1.10100m, 1.09900m, 1.10080m);
        Assert.Equal([110_077L], Prices(desk));
    }

    [Fact]
    public void A_limit_inside_a_bar_sees_its_close_alone()
    {
        Desk reached = After(10 * Minute);
        reached.Accepted(reached.Limit(Side.Buy, 10_000, 1.09800m));
        reached.Bar(1.09700m, 1.10100m, 1.09600m, 1.09900m);
        Assert.Empty(reached.Fills);
        reached.Bar(1.09900m, 1.10000m, 1.09790m, 1.09950m);
        Assert.Equal((109_800L, true), (reached.Fills.Single().Points, reached.Fills.Single().Maker));

        // It waited below the market; the close has come through it.
        Desk through = After(10 * Minute);
        through.Accepted(through.Limit(Side.Buy, 10_000, 1.09800m));
        through.Bar(1.10000m, 1.10100m, 1.09600m, 1.09700m);
        Assert.Equal((109_800L, true), (through.Fills.Single().Points, through.Fills.Single().Maker));

        // It was to be had when sent: it takes what the close gives, or waits.
        Desk takes = After(10 * Minute);
        takes.Accepted(takes.Limit(Side.Buy, 10_000, 1.10020m));
        takes.Bar(1.09500m, 1.10100m, 1.09400m, 1.10010m);
        Assert.Equal((110_010L, false), (takes.Fills.Single().Points, takes.Fills.Single().Maker));
        Desk waits = After(10 * Minute);
        waits.Accepted(waits.Limit(Side.Buy, 10_000, 1.10020m));
        waits.Bar(1.09500m, 1.10100m, 1.09400m, 1.10050m).Bar(1.10050m, 1.10060m, 1.10015m, 1.10040m);
        Assert.Equal((110_020L, true), (waits.Fills.Single().Points, waits.Fills.Single().Maker));
    }

    [Fact]
    public void An_immediate_limit_inside_a_bar_has_its_close_and_no_more()
    {
        foreach ((decimal close, bool fills) in new[] { (1.09890m, true), (1.09910m, false) })
        {
            Desk desk = After(10 * Minute);
            Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m) with { TimeInForce = TimeInForce.Ioc });
            desk.Bar(1.09800m, 1.10100m, 1.09800m, close);
            Assert.Equal(fills, desk.Fills.Any());
            Assert.Equal(fills ? null : (OrderStatus.Cancelled, Reason.ImmediateOrCancel), desk.EndOf(order.Ordinal));
        }
    }

    [Fact]
    public void A_stop_inside_a_bar_is_touched_by_its_bad_side_and_fills_at_the_worse_of_level_and_close()
    {
        foreach ((decimal open, decimal high, decimal low, decimal close, long? price) in new (decimal, decimal, decimal, decimal, long?)[]
        {
            (1.10000m, 1.10200m, 1.09900m, 1.10050m, 110_152), (1.10000m, 1.10300m, 1.09900m, 1.10250m, 110_252),
            (1.10500m, 1.10600m, 1.10400m, 1.10450m, 110_452), (1.10000m, 1.10149m, 1.09900m, 1.10050m, null),
        })
        {
            Desk desk = After(10 * Minute, slippage: 2);
            desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10150m));
            desk.Bar(open, high, low, close);
            Assert.Equal(price is { } filled ? [filled] : [], Prices(desk));
        }
    }

    [Fact]
    public void A_stop_limit_that_the_close_left_behind_rests_and_a_trailing_stop_is_not_drawn_along()
    {
        Desk rests = After(10 * Minute);
        rests.Accepted(rests.Stop(Side.Buy, 10_000, 1.10100m) with { Type = OrderType.StopLimit, LimitPrice = 1.10200m });
        rests.Bar(1.10000m, 1.10400m, 1.09900m, 1.10300m);
        Assert.Empty(rests.Fills);
        rests.Bar(1.10300m, 1.10400m, 1.10190m, 1.10350m);
        Assert.Equal((110_200L, true), (rests.Fills.Single().Points, rests.Fills.Single().Maker));

        Desk trails = After(10 * Minute);
        trails.Accepted(trails.Market(Side.Buy, 10_000));
        trails.Bar(1.10000m, 1.10000m, 1.10000m, 1.10000m);
        Order trail = trails.Accepted(trails.Market(Side.Sell, 10_000) with { Type = OrderType.TrailingStop, TrailDistance = 0.00200m, ReduceOnly = true });
        trails.Bar(1.10000m, 1.10500m, 1.09850m, 1.10010m);
        Assert.Equal(109_800, trails.State.FindOrder(trail.Ordinal)!.Stop);
        trails.Bar(1.10010m, 1.10300m, 1.09900m, 1.10200m);
        Assert.Equal(110_100, trails.State.FindOrder(trail.Ordinal)!.Stop);
    }

    [Fact]
    public void A_change_inside_a_bar_comes_at_its_close_and_until_then_the_order_may_fill_as_it_stood()
    {
        Desk Changing(out Order order)
        {
            Desk desk = After(10 * Minute);
            order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09500m));
            desk.Bar(1.10000m, 1.10000m, 1.10000m, 1.10000m);
            string id = order.ClientOrderId;
            Assert.Null(desk.Do(account => account.Change(id, new OrderChange(LimitPrice: 1.09900m), desk.Time)).Denial);
            return desk;
        }
        // The new limit gets neither the open nor the low.
        Desk changed = Changing(out Order order);
        changed.Bar(1.09850m, 1.10000m, 1.09600m, 1.09950m);
        Assert.Empty(changed.Fills);
        Assert.Equal((109_900, OrderStatus.Working), (changed.State.FindOrder(order.Ordinal)!.Limit, changed.State.FindOrder(order.Ordinal)!.Status));
        Assert.Equal(changed.Time, changed.Events.OfType<OrderChanged>().Single().Time);

        Desk filled = Changing(out _);
        filled.Bar(1.09850m, 1.10000m, 1.09400m, 1.09950m);
        Assert.Equal([109_500L], Prices(filled));
    }

    [Fact]
    public void A_cancel_inside_a_bar_comes_at_its_close()
    {
        foreach ((decimal low, bool fills) in new[] { (1.09490m, true), (1.09510m, false) })
        {
            Desk desk = After(10 * Minute);
            Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09500m));
            desk.Bar(1.10000m, 1.10000m, 1.10000m, 1.10000m);
            Assert.Null(desk.Do(account => account.Cancel(order.ClientOrderId, desk.Time)).Denial);
            desk.Bar(1.10000m, 1.10000m, low, 1.09900m);
            Assert.Equal(fills, desk.Fills.Any());
            Assert.Equal(fills ? null : (OrderStatus.Cancelled, Reason.Requested), desk.EndOf(order.Ordinal));
        }
    }

    [Fact]
    public void What_was_changed_while_another_instrument_moved_time_on_has_no_open_from_before()
    {
        Desk desk = After(10 * Minute).Quote(1.27m, 1.27m, symbol: "GBPUSD", after: TimeSpan.Zero);
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1.2m, "GBPUSD"));
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09500m));
        desk.Bar(1.10000m, 1.10000m, 1.10000m, 1.10000m);
        desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(LimitPrice: 1.09900m), desk.Time));
        DateTime open = desk.Time;
        desk.Quote(1.27m, 1.27m, symbol: "GBPUSD", after: 30 * Minute);
        Assert.Equal((109_900, open + 10 * Minute), (desk.State.FindOrder(order.Ordinal)!.Limit, desk.State.FindOrder(order.Ordinal)!.ActiveFrom));
        desk.Bar(1.09850m, 1.10000m, 1.09600m, 1.09950m, from: open);
        Assert.Empty(desk.Fills);
    }

    [Fact]
    public void Without_latency_an_order_decided_at_a_close_has_the_next_open_also_where_a_broker_s_days_overlap()
    {
        Desk desk = After(TimeSpan.Zero);
        desk.Accepted(desk.Market(Side.Buy, 10_000));
        desk.Bar(1.10050m, 1.10100m, 1.09900m, 1.10080m, from: desk.Time - Hour / 2);
        Assert.Equal([110_050L], Prices(desk));
    }

    private sealed record Path(int Side, int Type, int Latency, int Away, (int Open, int Up, int Down, int Close)[] Bars)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"side {Side} type {Type} latency {Latency} away {Away}: {string.Join(" ", Bars)}");
    }

    private static Arbitrary<Path> AnyPath => Arb.From(
        from side in Gen.Elements(-1, 1)
        from type in Gen.Choose(0, 4)
        from latency in Gen.Choose(0, 170)
        from away in Gen.Choose(-40, 40)
        from bars in Gen.ArrayOf(from open in Gen.Choose(-60, 60)
                                 from up in Gen.Choose(0, 60)
                                 from down in Gen.Choose(0, 60)
                                 from close in Gen.Choose(-60, 60)
                                 select (open, up, down, close), 5)
        select new Path(side, type, latency, away, bars));

    [Fact]
    public void A_market_order_fills_at_the_first_price_known_at_or_after_its_arrival() => Prop.ForAll(AnyPath, path =>
    {
        Desk desk = After(path.Latency * Minute);
        DateTime arrival = desk.Time + path.Latency * Minute;
        desk.Accepted(desk.Market((Side)path.Side, 10_000));
        long? expected = null;
        foreach ((int open, int up, int down, int close) in path.Bars)
        {
            if (desk.Time >= arrival) expected ??= 110_000 + open;
            if (desk.Time + Hour > arrival) expected ??= 110_000 + close;
            Bar(desk, open, up, down, close);
        }
        Assert.Equal(expected, desk.Fills.Single().Points);
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void No_fill_of_any_order_knows_the_open_from_before_its_arrival() => Prop.ForAll(AnyPath, path =>
    {
        // The same bars, but the one in which the order arrives opens elsewhere inside its range.
        int inside = path.Latency % 60 == 0 ? -1 : path.Latency / 60;
        string Run(bool other)
        {
            Desk desk = After(path.Latency * Minute);
            desk.Accepted(Order(desk, path));
            for (int i = 0; i < path.Bars.Length; i++)
            {
                (int open, int up, int down, int close) = path.Bars[i];
                int high = Math.Max(open, close) + up, low = Math.Min(open, close) - down;
                int opens = other && i == inside ? low + high - open : open;
                Bar(desk, opens, high - Math.Max(opens, close), Math.Min(opens, close) - low, close);
            }
            return string.Join(" ", desk.Fills.Select(fill => $"{fill.Points} {fill.FillTime:HH:mm}"));
        }
        Assert.Equal(Run(other: false), Run(other: true));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    private static void Bar(Desk desk, int open, int up, int down, int close) => desk.Bar(
        Price(open), Price(Math.Max(open, close) + up), Price(Math.Min(open, close) - down), Price(close));

    private static decimal Price(int away) => 1.1m + away / 100_000m;

    private static OrderRequest Order(Desk desk, Path path)
    {
        OrderRequest market = desk.Market((Side)path.Side, 10_000);
        return (OrderType)path.Type switch
        {
            OrderType.Limit => market with { Type = OrderType.Limit, LimitPrice = Price(path.Away) },
            OrderType.Stop => market with { Type = OrderType.Stop, StopPrice = Price(path.Away) },
            OrderType.StopLimit => market with { Type = OrderType.StopLimit, StopPrice = Price(path.Away), LimitPrice = Price(path.Away + path.Latency % 9 - 4) },
            OrderType.TrailingStop => market with { Type = OrderType.TrailingStop, TrailDistance = (1 + Math.Abs(path.Away)) / 100_000m },
            _ => market,
        };
    }
}
