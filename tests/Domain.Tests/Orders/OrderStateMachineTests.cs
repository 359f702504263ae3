using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Tests.Orders;

public sealed class OrderStateMachineTests
{
    private static readonly OrderStatus[] All = Enum.GetValues<OrderStatus>();

    [Fact]
    public void An_ended_order_moves_nowhere()
    {
        OrderStatus[] ended = [OrderStatus.Filled, OrderStatus.Cancelled, OrderStatus.Expired, OrderStatus.Rejected, OrderStatus.Denied];
        Assert.Equal(ended, All.Where(OrderStateMachine.IsTerminal));
        Assert.All(ended, from => Assert.DoesNotContain(All, to => OrderStateMachine.CanMove(from, to)));
    }

    [Fact]
    public void Every_open_order_can_end_and_none_goes_back_to_the_way()
    {
        foreach (OrderStatus from in All.Where(status => !OrderStateMachine.IsTerminal(status)))
        {
            Assert.All([OrderStatus.Filled, OrderStatus.Cancelled, OrderStatus.Expired], to => Assert.True(OrderStateMachine.CanMove(from, to)));
            Assert.False(OrderStateMachine.CanMove(from, OrderStatus.Submitted));
            Assert.False(OrderStateMachine.CanMove(from, OrderStatus.Denied));
        }
    }

    [Theory]
    [InlineData(OrderStatus.PendingCancel, OrderStatus.Working)]
    [InlineData(OrderStatus.PendingCancel, OrderStatus.PendingModify)]
    [InlineData(OrderStatus.PartiallyFilled, OrderStatus.Working)]
    [InlineData(OrderStatus.Working, OrderStatus.Rejected)]
    public void These_moves_are_none(OrderStatus from, OrderStatus to) => Assert.False(OrderStateMachine.CanMove(from, to));
}
