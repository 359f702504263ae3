namespace HybridTrading.Domain.Orders;

/// <summary>
/// Which status may follow which. A pending modify or cancel does not stop fills: the venue may fill before the request arrives.
/// </summary>
public static class OrderStateMachine
{
    public static bool CanMove(OrderStatus from, OrderStatus to) => (from, to) switch
    {
        (OrderStatus.Submitted, OrderStatus.Working or OrderStatus.PartiallyFilled or OrderStatus.Filled or OrderStatus.PendingCancel
            or OrderStatus.PendingModify or OrderStatus.Cancelled or OrderStatus.Expired or OrderStatus.Rejected) => true,
        (OrderStatus.Working or OrderStatus.PartiallyFilled, OrderStatus.Working) => false,
        (OrderStatus.Working, OrderStatus.PartiallyFilled) => true,
        (OrderStatus.Working or OrderStatus.PartiallyFilled, OrderStatus.PendingModify or OrderStatus.PendingCancel
            or OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        (OrderStatus.PartiallyFilled, OrderStatus.PartiallyFilled) => true,
        // A change that arrived (or was refused) puts the order back to work.
        (OrderStatus.PendingModify, OrderStatus.Submitted or OrderStatus.Working or OrderStatus.PartiallyFilled or OrderStatus.PendingModify
            or OrderStatus.PendingCancel or OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        // A fill that beat the cancel leaves the cancel pending.
        (OrderStatus.PendingCancel, OrderStatus.PendingCancel or OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        _ => false,
    };

    public static bool IsTerminal(OrderStatus status) => status >= OrderStatus.Filled;

    /// <exception cref="InvalidOperationException">The move is not one of the machine's: a fault in the caller, not in the input.</exception>
    public static void Require(Order order, OrderStatus to)
    {
        if (!CanMove(order.Status, to)) throw new InvalidOperationException($"order {order.Ordinal} cannot move from {order.Status} to {to}");
    }
}
