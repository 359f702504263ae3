using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Execution;

/// <summary>What the paper venue does when only bars are known: of several paths the worse one.</summary>
public sealed class BarFillTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static Desk Open(BarFill fill = BarFill.NextOpen, long slippage = 0) =>
        new Desk(Desk.Plain with { Execution = new ExecutionModel(SlippagePoints: slippage, BarFill: fill) }).Bar(1.10000m, 1.10100m, 1.09900m, 1.10000m);

    private static long[] Prices(Desk desk) => [.. desk.Fills.Select(fill => fill.Points)];

    [Theory]
    [InlineData(Side.Buy, 1.0950, 1.0900, 1.0980, 1.0890, 1.0970, 109_000)]
    [InlineData(Side.Sell, 1.1050, 1.1100, 1.1110, 1.1020, 1.1030, 111_000)]
    [InlineData(Side.Buy, 1.0950, 1.0960, 1.0980, 1.0890, 1.0970, 109_500)]
    public void A_position_entered_beyond_its_own_stop_gets_out_where_it_got_in(Side side, decimal stop, decimal open, decimal high, decimal low, decimal close, long exit)
    {
        Desk desk = new Desk().Bar(1.1000m, 1.1000m, 1.1000m, 1.1000m);
        desk.Accepted(desk.Market(side, 10_000) with { StopLoss = stop });
        desk.Bar(open, high, low, close);
        Assert.Equal([(long)(open * 100_000), exit], desk.Fills.Select(fill => fill.Points));
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void A_market_order_fills_at_the_next_open_with_the_spread_and_at_the_open_s_time()
    {
        Desk desk = Open();
        desk.Accepted(desk.Market(Side.Buy, 10_000));
        DateTime open = desk.Time;
        desk.Bar(1.10050m, 1.10100m, 1.09900m, 1.10080m, spread: 0.00012m);
        Assert.Equal([110_062L], Prices(desk));
        Assert.Equal((open, open + Hour), (desk.Fills.Single().FillTime, desk.Fills.Single().Time));
        Assert.Equal(open, desk.State.Book("EURUSD").Holdings[0].Opened);
        // Marked at the bid's close.
        Assert.Equal(100_000 + 10_000 * 0.00018m, desk.State.Equity);
    }

    [Fact]
    public void Or_at_the_next_close_where_the_account_says_so()
    {
        Desk desk = Open(BarFill.NextClose);
        desk.Accepted(desk.Market(Side.Sell, 10_000) with { TimeInForce = TimeInForce.Ioc });
        desk.Bar(1.10050m, 1.10100m, 1.09900m, 1.10080m);
        Assert.Equal([110_080L], Prices(desk));
        Assert.Equal(desk.Time, desk.Fills.Single().FillTime);
    }

    [Fact]
    public void A_stop_inside_the_bar_fills_at_its_level_and_a_gap_at_the_open()
    {
        Desk desk = Open(slippage: 2);
        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10150m));
        desk.Bar(1.10000m, 1.10200m, 1.09900m, 1.10100m);
        Assert.Equal([110_152L], Prices(desk));
        desk.Accepted(desk.Stop(Side.Sell, 10_000, 1.10000m));
        desk.Bar(1.09500m, 1.09600m, 1.09400m, 1.09500m);
        Assert.Equal([110_152L, 109_498L], Prices(desk));
    }

    [Fact]
    public void A_limit_fills_at_its_price_when_the_bar_reaches_it_on_its_own_side()
    {
        Desk desk = Open();
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09800m));
        // The bid's low is there, the ask's is not.
        desk.Bar(1.10000m, 1.10100m, 1.09795m, 1.10000m, spread: 0.00010m);
        Assert.Empty(desk.Fills);
        desk.Bar(1.10000m, 1.10100m, 1.09790m, 1.10000m, spread: 0.00010m);
        Assert.Equal((109_800L, true), (desk.Fills.Single().Points, desk.Fills.Single().Maker));
    }

    [Fact]
    public void Where_a_bar_reaches_stop_and_target_the_stop_is_assumed()
    {
        Desk desk = Open();
        desk.Accepted(desk.Market(Side.Buy, 10_000) with { StopLoss = 1.09900m, TakeProfit = 1.10200m });
        desk.Bar(1.10000m, 1.10300m, 1.09800m, 1.10250m);
        Assert.Equal([110_000L, 109_900L], Prices(desk));
        Assert.Equal(0, desk.Net());
    }

    [Fact]
    public void Protection_of_an_entry_at_the_open_lives_through_the_whole_bar()
    {
        Desk desk = Open();
        desk.Accepted(desk.Market(Side.Buy, 10_000) with { StopLoss = 1.09700m, TakeProfit = 1.10200m });
        desk.Bar(1.10000m, 1.10300m, 1.09800m, 1.10250m);
        Assert.Equal([110_000L, 110_200L], Prices(desk));
    }

    [Fact]
    public void What_is_entered_inside_a_bar_can_lose_in_it_but_not_win()
    {
        Desk desk = Open();
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09800m) with { TakeProfit = 1.10200m });
        desk.Bar(1.10000m, 1.10300m, 1.09750m, 1.10250m);
        Assert.Equal([109_800L], Prices(desk));
        // The target is reached at the next open.
        desk.Bar(1.10250m, 1.10260m, 1.10200m, 1.10250m);
        Assert.Equal([109_800L, 110_200L], Prices(desk));

        Desk loses = Open();
        loses.Accepted(loses.Limit(Side.Buy, 10_000, 1.09800m) with { StopLoss = 1.09750m });
        loses.Bar(1.10000m, 1.10300m, 1.09700m, 1.10250m);
        Assert.Equal([109_800L, 109_750L], Prices(loses));
    }

    [Fact]
    public void A_trailing_stop_is_hit_at_its_old_level_before_it_is_drawn_along()
    {
        Desk desk = Open();
        desk.Accepted(desk.Market(Side.Buy, 10_000));
        desk.Bar(1.10000m, 1.10000m, 1.10000m, 1.10000m);
        Order trail = desk.Accepted(desk.Market(Side.Sell, 10_000) with { Type = OrderType.TrailingStop, TrailDistance = 0.00200m, ReduceOnly = true });
        desk.Bar(1.10000m, 1.10400m, 1.09850m, 1.10350m);
        Assert.Equal(110_200, desk.State.FindOrder(trail.Ordinal)!.Stop);
        // Drawn to 1.10500 by the high, and the close lies below it.
        desk.Bar(1.10350m, 1.10700m, 1.10300m, 1.10450m);
        Assert.Equal([110_000L, 110_500L], Prices(desk));

        Desk newborn = Open();
        newborn.Accepted(newborn.Limit(Side.Buy, 10_000, 1.09800m) with { TrailingStopLoss = 0.00100m });
        newborn.Bar(1.10000m, 1.10500m, 1.09750m, 1.09900m);
        Assert.Equal([109_800L], Prices(newborn));
        Assert.Equal(109_700, newborn.State.Book("EURUSD").Orders.Single().Stop);
    }

    [Fact]
    public void A_stop_limit_triggered_inside_a_bar_takes_at_its_stop_or_rests_for_the_next_bar()
    {
        Desk desk = Open();
        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.10100m) with { Type = OrderType.StopLimit, LimitPrice = 1.10500m });
        desk.Bar(1.10000m, 1.10200m, 1.09900m, 1.10150m);
        Assert.Equal((110_100L, false), (desk.Fills.Single().Points, desk.Fills.Single().Maker));

        Desk rests = Open();
        rests.Accepted(rests.Stop(Side.Buy, 10_000, 1.10100m) with { Type = OrderType.StopLimit, LimitPrice = 1.10050m });
        rests.Bar(1.10000m, 1.10200m, 1.09900m, 1.10150m);
        Assert.Empty(rests.Fills);
        rests.Bar(1.10150m, 1.10200m, 1.10000m, 1.10100m);
        Assert.Equal((110_050L, true), (rests.Fills.Single().Points, rests.Fills.Single().Maker));
    }

    [Fact]
    public void An_immediate_limit_has_the_open_and_no_more()
    {
        Desk desk = Open();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m) with { TimeInForce = TimeInForce.Ioc });
        desk.Bar(1.10000m, 1.10100m, 1.09800m, 1.10000m);
        Assert.Empty(desk.Fills);
        Assert.Equal((OrderStatus.Cancelled, Reason.ImmediateOrCancel), desk.EndOf(order.Ordinal));
    }

    [Fact]
    public void An_order_that_expires_with_the_bar_s_end_has_the_bar_and_one_that_expires_in_it_has_not()
    {
        Desk desk = Open();
        Order end = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m) with { TimeInForce = TimeInForce.Gtd, GoodTill = desk.Time + Hour });
        Order inside = desk.Accepted(desk.Limit(Side.Buy, 20_000, 1.09900m) with { TimeInForce = TimeInForce.Gtd, GoodTill = desk.Time + Hour / 2 });
        desk.Bar(1.10000m, 1.10100m, 1.09800m, 1.10000m);
        Assert.Equal(end.Ordinal, desk.Fills.Single().Ordinal);
        Assert.Equal((OrderStatus.Expired, Reason.Expired), desk.EndOf(inside.Ordinal));
    }
}
