using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Execution;

/// <summary>Orders, changes and cancels need time to the venue, and the venue does not wait for them.</summary>
public sealed class LatencyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static Desk Slow() => new Desk(Desk.Plain with { Execution = new ExecutionModel(Latency: 3 * Second) }).Quote(1.10000m, 1.10010m);

    [Fact]
    public void An_order_cannot_fill_before_it_arrives()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Market(Side.Buy, 10_000));
        Assert.Equal(OrderStatus.Submitted, order.Status);
        desk.Quote(1.10000m, 1.10011m).Quote(1.10000m, 1.10012m);
        Assert.Empty(desk.Fills);
        desk.Quote(1.10000m, 1.10013m);
        Assert.Equal(110_013, desk.Fills.Single().Points);
        Assert.Equal(order.CreatedAt + 3 * Second, desk.Events.OfType<OrderWorking>().Single().Time);
    }

    [Fact]
    public void Whether_a_limit_rests_is_seen_when_it_arrives()
    {
        Desk desk = Slow();
        desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.10000m));
        // Away when sent, marketable when it arrives: it takes.
        desk.Quote(1.09900m, 1.09910m).Quote(1.09900m, 1.09910m).Quote(1.09900m, 1.09912m);
        Assert.Equal((109_912L, false), (desk.Fills.Single().Points, desk.Fills.Single().Maker));
    }

    [Fact]
    public void A_change_on_the_way_does_not_bring_the_order_to_the_venue_any_earlier()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Market(Side.Buy, 10_000));
        desk.Quote(1.10000m, 1.10010m);
        Assert.Null(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 6_000), desk.Time)).Denial);
        desk.Quote(1.10000m, 1.10010m);
        Assert.Empty(desk.Fills);
        Assert.Equal(OrderStatus.PendingModify, desk.State.FindOrder(order.Ordinal)!.Status);
        // It arrives a second before its change does, and fills whole.
        desk.Quote(1.10000m, 1.10010m);
        Assert.Equal(10_000, desk.Fills.Single().Volume);
    }

    [Fact]
    public void A_change_takes_effect_when_it_arrives_and_a_fill_may_be_faster()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m));
        desk.Wait(5 * Second);
        desk.Quote(1.10000m, 1.10010m);
        Assert.Null(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 4_000, LimitPrice: 1.09800m), desk.Time)).Denial);
        desk.Quote(1.09890m, 1.09900m, askSize: 3);
        Assert.Equal((3_000m, 109_900L), (desk.Fills.Single().Volume, desk.Fills.Single().Points));
        Assert.Equal(OrderStatus.PendingModify, desk.State.FindOrder(order.Ordinal)!.Status);
        desk.Quote(1.10000m, 1.10010m).Quote(1.10000m, 1.10010m);
        Order changed = desk.State.FindOrder(order.Ordinal)!;
        Assert.Equal((OrderStatus.PartiallyFilled, 4_000m, 1_000m, 109_800L), (changed.Status, changed.Volume, changed.Remaining, changed.Limit!.Value));
    }

    [Fact]
    public void A_change_below_what_was_filled_meanwhile_ends_the_order()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m));
        desk.Wait(5 * Second);
        desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 4_000), desk.Time));
        desk.Quote(1.09890m, 1.09900m, askSize: 6).Wait(5 * Second);
        Assert.Equal(6_000, desk.Net());
        Assert.Equal((OrderStatus.Cancelled, Reason.Requested), desk.EndOf(order.Ordinal));
    }

    [Fact]
    public void A_second_change_adds_to_the_one_on_the_way()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m));
        desk.Wait(5 * Second);
        desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(LimitPrice: 1.09850m), desk.Time));
        OrderResult second = desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 5_000), desk.Time));
        Assert.Null(second.Denial);
        Assert.True(desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 5_000), desk.Time)).Repeated);
        desk.Wait(5 * Second);
        Assert.Equal((5_000m, 109_850L), (desk.State.FindOrder(order.Ordinal)!.Volume, desk.State.FindOrder(order.Ordinal)!.Limit!.Value));
    }

    [Fact]
    public void A_fill_may_beat_the_cancel_and_a_cancelled_order_takes_no_change()
    {
        Desk desk = Slow();
        Order order = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m));
        desk.Wait(5 * Second);
        Assert.Null(desk.Do(account => account.Cancel(order.ClientOrderId, desk.Time)).Denial);
        Assert.True(desk.Do(account => account.Cancel(order.ClientOrderId, desk.Time)).Repeated);
        Assert.Equal(Reason.OrderNotWorking, desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: 5_000), desk.Time)).Denial!.Reason);
        desk.Quote(1.09890m, 1.09900m, askSize: 6);
        Assert.Equal((OrderStatus.PendingCancel, 6_000m), (desk.State.FindOrder(order.Ordinal)!.Status, desk.Net()));
        desk.Wait(5 * Second);
        Assert.Equal((OrderStatus.Cancelled, Reason.Requested), desk.EndOf(order.Ordinal));
        desk.Quote(1.09800m, 1.09810m);
        Assert.Equal(6_000, desk.Net());
    }

    [Fact]
    public void Nothing_is_added_while_the_cancels_of_a_halt_are_on_the_way()
    {
        Desk desk = Slow();
        Order entry = desk.Accepted(desk.Limit(Side.Buy, 10_000, 1.09900m));
        desk.Wait(5 * Second);
        desk.Do(account => account.SetTradingState(TradingState.Halted, "me", desk.Time));
        Assert.Equal(OrderStatus.PendingCancel, desk.State.FindOrder(entry.Ordinal)!.Status);
        desk.Quote(1.09800m, 1.09810m);
        Assert.Equal(0, desk.Net());
        Assert.Equal((OrderStatus.Cancelled, Reason.Halted), desk.EndOf(entry.Ordinal));
    }
}
