using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Execution;

/// <summary>What the paper venue does with each kind of order when it sees quotes.</summary>
public sealed class QuoteFillTests
{
    private static AccountSettings With(ExecutionModel model) => Desk.Plain with { Execution = model };

    private static OrderFilled Fill(Desk desk) => Assert.Single(desk.Fills);

    [Fact]
    public void A_market_order_fills_at_the_next_quote_buys_at_the_ask_sells_at_the_bid()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Buy, 10_000));
        Assert.Empty(desk.Fills);
        desk.Quote(1.10020m, 1.10032m);
        Assert.Equal((110_032, 10_000m, 0L, false), (Fill(desk).Points, Fill(desk).Volume, Fill(desk).Slippage, Fill(desk).Maker));
        Assert.Equal(100_000 - 10_000 * 0.00012m, desk.State.Equity);

        desk.Accepted(desk.Market(Side.Sell, 10_000));
        desk.Quote(1.10050m, 1.10060m);
        Assert.Equal(110_050, desk.Fills.Last().Points);
        Assert.Equal(100_000 + 10_000 * 0.00018m, desk.State.Balance);
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void Slippage_is_adverse_on_both_sides_and_repeats_with_its_seed()
    {
        var desk = new Desk(With(new ExecutionModel(SlippagePoints: 3)));
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Sell, 10_000));
        desk.Quote(1.10000m, 1.10010m);
        Assert.Equal([110_013L, 109_997L], desk.Fills.Select(fill => fill.Points));

        var random = new ExecutionModel(SlippagePoints: 1, RandomSlippagePoints: 4, Seed: 9);
        long[] drawn = [.. Enumerable.Range(1, 200).Select(order => random.Slippage(order, 1))];
        Assert.Equal([1L, 2L, 3L, 4L, 5L], drawn.Distinct().Order());
        Assert.Equal(drawn, Enumerable.Range(1, 200).Select(order => random.Slippage(order, 1)));
        Assert.NotEqual(drawn, Enumerable.Range(1, 200).Select(order => (random with { Seed = 10 }).Slippage(order, 1)));
    }

    [Theory]
    [InlineData(0.00002, 0, 0, 0.220064)]
    [InlineData(0, 3.5, 0, 0.35)]
    [InlineData(0.00002, 3.5, 2, 2)]
    public void Commission_is_a_share_of_the_notional_and_so_much_a_lot_but_not_less_than_the_minimum(decimal rate, decimal perLot, decimal minimum, decimal expected)
    {
        var desk = new Desk(With(new ExecutionModel(CommissionRate: rate, CommissionPerLot: perLot, CommissionMinimum: minimum)));
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Buy, 10_000));
        desk.Quote(1.10020m, 1.10032m);
        Assert.Equal(expected, Fill(desk).Commission);
        Assert.Equal(100_000 - expected, desk.State.Balance);
        Assert.Equal(-expected, Assert.Single(desk.State.Book("EURUSD").Holdings).Result);
    }

    [Fact]
    public void A_resting_limit_waits_and_fills_at_its_own_price_as_maker()
    {
        var desk = new Desk(With(new ExecutionModel(SlippagePoints: 5)));
        desk.Quote(1.10000m, 1.10010m);
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09950m));
        Assert.True(order.Rested);
        desk.Quote(1.09945m, 1.09951m);
        Assert.Empty(desk.Fills);
        desk.Quote(1.09900m, 1.09910m);
        Assert.Equal((109_950L, 0L, true), (Fill(desk).Points, Fill(desk).Slippage, Fill(desk).Maker));
    }

    [Fact]
    public void A_marketable_limit_takes_the_market_but_slips_no_further_than_its_price()
    {
        var desk = new Desk(With(new ExecutionModel(SlippagePoints: 50)));
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.10030m));
        desk.Quote(1.10000m, 1.10012m);
        Assert.Equal((110_030L, 18L, false), (Fill(desk).Points, Fill(desk).Slippage, Fill(desk).Maker));
    }

    [Fact]
    public void A_marketable_limit_that_the_market_left_rests_and_fills_at_its_own_price_later()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.10030m));
        desk.Quote(1.10040m, 1.10050m);
        Assert.Empty(desk.Fills);
        Assert.Single(desk.Events.OfType<OrderRested>());
        desk.Quote(1.09900m, 1.09910m);
        Assert.Equal((110_030L, true), (Fill(desk).Points, Fill(desk).Maker));
    }

    [Fact]
    public void A_limit_moved_into_the_market_takes_and_moved_away_rests()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09000m));
        Assert.Null(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(LimitPrice: 1.10500m), desk.Time)).Denial);
        Assert.False(desk.State.FindOrder(order.Ordinal)!.Rested);
        Assert.Null(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(LimitPrice: 1.09500m), desk.Time)).Denial);
        Assert.True(desk.State.FindOrder(order.Ordinal)!.Rested);
        Assert.Null(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(LimitPrice: 1.10500m), desk.Time)).Denial);
        desk.Quote(1.10000m, 1.10011m);
        Assert.Equal((110_011L, false), (Fill(desk).Points, Fill(desk).Maker));
    }

    [Fact]
    public void A_stop_triggers_on_the_side_that_it_takes_and_a_gap_fills_at_the_market()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10050m));
        desk.Quote(1.10045m, 1.10049m);
        Assert.Empty(desk.Fills);
        desk.Quote(1.10040m, 1.10050m);
        Assert.Equal(110_050, Fill(desk).Points);

        desk.Accepted(desk.Stop(Side.Sell, 10_000, 1.09900m));
        desk.Quote(1.09700m, 1.09712m);
        Assert.Equal(109_700, desk.Fills.Last().Points);
        Assert.Equal(109_700, desk.Events.OfType<OrderTriggered>().Last().MarketPoints);
    }

    [Fact]
    public void A_stop_limit_goes_on_as_a_limit_once_triggered()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10050m) with { Type = OrderType.StopLimit, LimitPrice = 1.10060m });
        desk.Quote(1.10080m, 1.10090m);
        Assert.True(Assert.Single(desk.Events.OfType<OrderTriggered>()).Rests);
        Assert.Empty(desk.Fills);
        desk.Quote(1.10050m, 1.10058m);
        Assert.Equal((110_060L, true), (Fill(desk).Points, Fill(desk).Maker));

        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10100m) with { Type = OrderType.StopLimit, LimitPrice = 1.10120m });
        desk.Quote(1.10100m, 1.10105m);
        Assert.Equal((110_105L, false), (desk.Fills.Last().Points, desk.Fills.Last().Maker));
    }

    [Fact]
    public void A_trailing_stop_follows_the_market_and_never_goes_back()
    {
        var desk = new Desk();
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10010m);
        Order trail = desk.Accepted(desk.Market(Side.Sell, 10_000) with { Type = OrderType.TrailingStop, TrailDistance = 0.00100m, ReduceOnly = true });
        Assert.Equal(109_900, trail.Stop);
        desk.Quote(1.10200m, 1.10210m);
        Assert.Equal(110_100, desk.State.FindOrder(trail.Ordinal)!.Stop);
        desk.Quote(1.10150m, 1.10160m);
        Assert.Equal(110_100, desk.State.FindOrder(trail.Ordinal)!.Stop);
        desk.Quote(1.10090m, 1.10100m);
        Assert.Equal(110_090, desk.Fills.Last().Points);
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void Fills_are_bound_by_the_size_at_the_quote_and_orders_share_it_in_their_order()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        Order first = desk.Accepted(desk.Market(Side.Buy, 10_000));
        Order second = desk.Accepted(desk.Market(Side.Buy, 10_000));
        // Sizes are in steps of 1000 units.
        desk.Quote(1.10000m, 1.10010m, askSize: 12);
        Assert.Equal([(first.Ordinal, 10_000m), (second.Ordinal, 2_000m)], desk.Fills.Select(fill => (fill.Ordinal, fill.Volume)));
        Assert.Equal(OrderStatus.PartiallyFilled, desk.State.FindOrder(second.Ordinal)!.Status);
        desk.Quote(1.10000m, 1.10012m, askSize: 100);
        Assert.Equal((8_000m, 110_012L, 2L), (desk.Fills.Last().Volume, desk.Fills.Last().Points, desk.Fills.Last().Fill));
        Assert.Equal(20_000, desk.Net());
    }

    [Fact]
    public void Immediate_orders_do_not_wait()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        Order ioc = desk.Accepted(desk.Market(Side.Buy, 10_000) with { TimeInForce = TimeInForce.Ioc });
        Order fok = desk.Accepted(desk.Market(Side.Buy, 10_000) with { TimeInForce = TimeInForce.Fok });
        Order away = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09000m) with { TimeInForce = TimeInForce.Ioc });
        desk.Quote(1.10000m, 1.10010m, askSize: 4);
        Assert.Equal([(ioc.Ordinal, 4_000m)], desk.Fills.Select(fill => (fill.Ordinal, fill.Volume)));
        Assert.Equal((OrderStatus.Cancelled, Reason.ImmediateOrCancel), desk.EndOf(ioc.Ordinal));
        Assert.Equal((OrderStatus.Cancelled, Reason.FillOrKill), desk.EndOf(fok.Ordinal));
        Assert.Equal((OrderStatus.Cancelled, Reason.ImmediateOrCancel), desk.EndOf(away.Ordinal));

        Order whole = desk.Accepted(desk.Market(Side.Buy, 4_000) with { TimeInForce = TimeInForce.Fok });
        desk.Quote(1.10000m, 1.10010m, askSize: 4);
        Assert.Equal((whole.Ordinal, 4_000m), (desk.Fills.Last().Ordinal, desk.Fills.Last().Volume));
    }

    [Fact]
    public void Orders_expire_at_their_time_before_the_market_of_that_time()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        Order till = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09950m) with { TimeInForce = TimeInForce.Gtd, GoodTill = desk.Time.AddMinutes(1) });
        // 2024-01-09 17:00 in New York is 22:00 UTC.
        Order day = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09940m) with { TimeInForce = TimeInForce.Day });
        desk.Quote(1.09900m, 1.09960m, after: TimeSpan.FromSeconds(59));
        Assert.Null(desk.EndOf(till.Ordinal));
        desk.Quote(1.09900m, 1.09910m, after: TimeSpan.FromSeconds(1));
        Assert.Equal((OrderStatus.Expired, Reason.Expired), desk.EndOf(till.Ordinal));
        Assert.Equal(day.Ordinal, Fill(desk).Ordinal);

        Order second = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09000m) with { TimeInForce = TimeInForce.Day });
        desk.Wait(TimeSpan.FromDays(1));
        Assert.Equal((OrderStatus.Expired, Reason.DayEnded), desk.EndOf(second.Ordinal));
        Assert.Equal(new DateTime(2024, 1, 9, 22, 0, 0, DateTimeKind.Utc), desk.Events.OfType<OrderEnded>().Last().Time);
    }

    [Fact]
    public void Protective_orders_come_with_the_fill_and_one_ends_the_other()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Buy, 10_000) with { StopLoss = 1.09800m, TakeProfit = 1.10300m, TrailingStopLoss = 0.00500m });
        desk.Quote(1.10000m, 1.10010m);
        Assert.Equal(
            [(OrderPurpose.StopLoss, 109_800L), (OrderPurpose.TrailingStopLoss, 109_510L), (OrderPurpose.TakeProfit, 110_300L)],
            desk.State.Book("EURUSD").Orders.Select(order => (order.Purpose, order.Stop ?? order.Limit!.Value)));
        Assert.All(desk.State.Book("EURUSD").Orders, order => Assert.True(order is { ReduceOnly: true, Volume: 10_000, Side: Side.Sell }));

        desk.Quote(1.10310m, 1.10320m);
        Assert.Equal((110_300L, true), (desk.Fills.Last().Points, desk.Fills.Last().Maker));
        Assert.Empty(desk.State.Book("EURUSD").Orders);
        Assert.Equal(0, desk.Net());
        Assert.All(desk.Events.OfType<OrderEnded>(), end => Assert.Contains(end.Reason, new[] { Reason.OcoFilled, Reason.ReduceOnlyExhausted }));
        Assert.Equal(100_000 + 29.0m, desk.State.Balance);
    }

    [Fact]
    public void Protection_grows_with_partial_fills_and_is_cut_as_it_fills()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Accepted(desk.Market(Side.Buy, 10_000) with { StopLoss = 1.09800m, TakeProfit = 1.10300m });
        desk.Quote(1.10000m, 1.10010m, askSize: 4);
        Assert.Equal([4_000m, 4_000m], desk.State.Book("EURUSD").Orders.Where(order => order.ReduceOnly).Select(order => order.Volume));
        desk.Quote(1.10000m, 1.10010m, askSize: 100);
        Assert.Equal([10_000m, 10_000m], desk.State.Book("EURUSD").Orders.Select(order => order.Volume));
        desk.Quote(1.10300m, 1.10310m, bidSize: 3);
        Assert.Equal([7_000m, 7_000m], desk.State.Book("EURUSD").Orders.Select(order => order.Remaining));
        desk.Quote(1.09700m, 1.09710m, bidSize: 100);
        Assert.Empty(desk.State.Book("EURUSD").Orders);
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void Orders_of_an_oco_group_cut_and_cancel_each_other_also_across_instruments()
    {
        var desk = new Desk();
        desk.Quote(1.10000m, 1.10010m);
        desk.Quote(1.27000m, 1.27010m, symbol: "GBPUSD");
        Order above = desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10100m) with { OcoGroup = "break" });
        Order other = desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.27100m, "GBPUSD") with { OcoGroup = "break" });
        desk.Quote(1.10100m, 1.10110m, askSize: 3);
        Assert.Equal(7_000, desk.State.FindOrder(other.Ordinal)!.Volume);
        desk.Quote(1.10100m, 1.10110m);
        Assert.Equal((OrderStatus.Cancelled, Reason.OcoFilled), desk.EndOf(other.Ordinal));
        Assert.Null(desk.State.FindOrder(above.Ordinal));
    }

    [Fact]
    public void Reduce_only_orders_are_cut_to_what_is_left_and_go_when_nothing_is()
    {
        var desk = new Desk();
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10010m);
        Order first = desk.Accepted(desk.Limit(Side.Sell, 8_000, 1.10100m) with { ReduceOnly = true });
        Order second = desk.Accepted(desk.Limit(Side.Sell, 10_000, 1.10200m) with { ReduceOnly = true });
        Order third = desk.Accepted(desk.Limit(Side.Sell, 10_000, 1.10300m) with { ReduceOnly = true });
        desk.Quote(1.10100m, 1.10110m);
        Assert.Equal(2_000, desk.Net());
        desk.Quote(1.10250m, 1.10260m);
        Assert.Equal([(first.Ordinal, 8_000m), (second.Ordinal, 2_000m)], desk.Fills.Skip(1).Select(fill => (fill.Ordinal, fill.Volume)));
        Assert.Equal((OrderStatus.Cancelled, Reason.ReduceOnlyExhausted), desk.EndOf(second.Ordinal));
        Assert.Equal((OrderStatus.Cancelled, Reason.ReduceOnlyExhausted), desk.EndOf(third.Ordinal));
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void A_hedging_account_keeps_each_entry_and_closes_the_named_or_the_oldest()
    {
        var desk = new Desk(Desk.Plain with { Mode = PositionMode.Hedging });
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10010m).Hold(Side.Buy, 20_000, 1.10100m, 1.10110m).Hold(Side.Sell, 5_000, 1.10100m, 1.10110m);
        Assert.Equal([("P1", 10_000m), ("P2", 20_000m), ("P3", -5_000m)], desk.State.Book("EURUSD").Holdings.Select(holding => (holding.Id, holding.Volume)));
        Assert.Equal(35_000, desk.State.Book("EURUSD").MarginVolume);

        desk.Accepted(desk.Market(Side.Sell, 20_000) with { PositionId = "P2" });
        desk.Quote(1.10200m, 1.10210m);
        Assert.Equal(["P1", "P3"], desk.State.Book("EURUSD").Holdings.Select(holding => holding.Id));
        desk.Accepted(desk.Market(Side.Sell, 4_000) with { ReduceOnly = true });
        desk.Quote(1.10200m, 1.10210m);
        Assert.Equal(6_000, desk.State.Book("EURUSD").Find("P1")!.Volume);
        Assert.Equal(20_000 * 0.00090m + 4_000 * 0.00190m, desk.State.Realised);
    }
}
