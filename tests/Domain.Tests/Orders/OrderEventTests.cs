using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Orders;

/// <summary>
/// The fold of an account's events under any events at all, lawful or not, as a damaged or foreign stream would bring them: an order is only ever where the
/// state machine lets it be, and what is not lawful is thrown out and changes nothing of it.
/// </summary>
public sealed class OrderEventTests
{
    private static readonly OrderStatus[] Statuses = Enum.GetValues<OrderStatus>();

    [Fact]
    public void Any_sequence_of_events_keeps_an_order_lawful_and_an_ended_one_ended() => Prop.ForAll(Arb.From(Gen.ArrayOf(AnyEvent, 30)), Arb.From(Gen.Elements(false, true)), (events, slow) =>
    {
        AccountState state = WithOrder(slow);
        bool ended = false;
        decimal filled = 0;
        foreach (AccountEvent happened in events)
        {
            Order? before = state.FindOrder(1);
            decimal net = state.Book("EURUSD").NetVolume;
            bool lawful = true;
            try
            {
                state.Apply(happened);
            }
            catch (InvalidOperationException)
            {
                lawful = false;
            }
            Order? after = state.FindOrder(1);
            if (!lawful)
            {
                Assert.Equal((before, net), (after, state.Book("EURUSD").NetVolume));
                continue;
            }
            Assert.False(ended, $"{happened} was taken after the order had ended");
            if (happened is OrderFilled fill) filled += fill.Volume;
            Assert.Equal(filled, state.Book("EURUSD").NetVolume);
            ended = after is null;
            if (ended)
            {
                Assert.True(happened is OrderEnded || filled == before!.Volume, $"{happened} ended an order with {filled} of {before!.Volume}");
                continue;
            }
            Assert.True(after!.Status == before!.Status || OrderStateMachine.CanMove(before.Status, after.Status), $"{before.Status} became {after.Status}");
            Assert.False(OrderStateMachine.IsTerminal(after.Status));
            Assert.True(after.Filled == filled && after.Filled < after.Volume, $"{after.Filled} of {after.Volume}");
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Any_walk_that_the_machine_allows_ends_at_the_first_terminal_status_and_only_there() => Prop.ForAll(
        Arb.From(Gen.Elements(OrderStatus.Submitted, OrderStatus.Working)), Arb.From(Gen.ArrayOf(Gen.Elements(Statuses), 40)), (start, wishes) =>
        {
            OrderStatus at = start;
            foreach (OrderStatus wish in wishes)
            {
                if (!OrderStateMachine.CanMove(at, wish)) continue;
                Assert.False(OrderStateMachine.IsTerminal(at), $"{at} became {wish}");
                Assert.NotEqual(OrderStatus.Submitted, wish);
                at = wish;
            }
            Assert.Equal(OrderStateMachine.IsTerminal(at), !Statuses.Any(to => OrderStateMachine.CanMove(at, to)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static AccountState WithOrder(bool slow)
    {
        var desk = new Desk(Desk.Plain with { Execution = new(slow ? TimeSpan.FromSeconds(5) : default) }).Quote(1.1m, 1.1001m);
        desk.Accepted(desk.Stop(Side.Buy, 10_000, 1.2m));
        return desk.State;
    }

    private static Gen<AccountEvent> AnyEvent =>
        from kind in Gen.Choose(0, 8)
        from thousands in Gen.Choose(1, 12)
        from status in Gen.Elements(Statuses)
        from answers in Gen.Elements(false, true)
        select Event(kind, thousands * 1000, status, answers);

    private static AccountEvent Event(int kind, decimal volume, OrderStatus status, bool answers)
    {
        DateTime time = Desk.Start.AddMinutes(1);
        return kind switch
        {
            0 => new OrderWorking(time, 1, 1),
            1 => new OrderRested(time, 1, 1),
            2 => new OrderTriggered(time, 1, 1, 120_000, false),
            3 => new StopTrailed(time, 1, 1, 119_000),
            4 => new OrderChangeRequested(time, 1, 1, new OrderChange(volume), time),
            5 => new OrderChanged(time, 1, 1, volume, null, 118_000, null, false, answers),
            6 => new OrderCancelRequested(time, 1, 1, time),
            7 => new OrderEnded(time, 1, 1, status, Reason.Requested),
            _ => new OrderFilled(time, 1, 1, 1, 120_000, volume, 0, 1, 0, 0, false, time),
        };
    }
}
