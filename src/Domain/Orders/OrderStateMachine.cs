namespace HybridTrading.Domain.Orders;

/// <summary>
/// Which status may follow which. A pending modify or cancel does not stop fills: the venue may fill before the request arrives.
/// </summary>
public static class OrderStateMachine
{
    public static bool CanMove(OrderStatus from, OrderStatus to) => (from, to) switch
    {
        // A linked order's fill can end one that is still under way; only a venue can reject, and a broker's fill can overtake its acceptance.
        (OrderStatus.Submitted, OrderStatus.Working or OrderStatus.PartiallyFilled or OrderStatus.Filled or OrderStatus.PendingModify
            or OrderStatus.PendingCancel or OrderStatus.Cancelled or OrderStatus.Expired or OrderStatus.Rejected) => true,
        (OrderStatus.Working or OrderStatus.PartiallyFilled, OrderStatus.PartiallyFilled or OrderStatus.Filled or OrderStatus.PendingModify
            or OrderStatus.PendingCancel or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        // A change that arrived puts the order back to work; a partial fill, or a second change before that, leaves one pending.
        (OrderStatus.PendingModify, OrderStatus.Working or OrderStatus.PartiallyFilled or OrderStatus.PendingModify or OrderStatus.PendingCancel
            or OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        // A partial fill that beat the cancel leaves the cancel pending.
        (OrderStatus.PendingCancel, OrderStatus.PendingCancel or OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired) => true,
        _ => false,
    };

    public static bool IsTerminal(OrderStatus status) => status >= OrderStatus.Filled;

    /// <exception cref="InvalidOperationException">More would have filled than the order is for.</exception>
    public static void RequireFilled(Order order, decimal filled)
    {
        if (filled > order.Volume) throw new InvalidOperationException($"order {order.Ordinal} cannot have filled {filled} of {order.Volume}");
    }

    /// <exception cref="InvalidOperationException">Changed to this volume, an order at work would have nothing left to fill: it has to end instead.</exception>
    public static void RequireRemaining(Order order, decimal volume)
    {
        if (volume <= order.Filled) throw new InvalidOperationException($"order {order.Ordinal} cannot become one of {volume} with {order.Filled} filled");
    }

    /// <exception cref="InvalidOperationException">The status is not one in which an order ends.</exception>
    public static void RequireTerminal(Order order, OrderStatus to)
    {
        if (!IsTerminal(to)) throw new InvalidOperationException($"order {order.Ordinal} cannot end as {to}");
    }

    /// <exception cref="InvalidOperationException">The move is not one of the machine's: a fault in the caller, not in the input.</exception>
    public static void Require(Order order, OrderStatus to)
    {
        if (!CanMove(order.Status, to)) throw new InvalidOperationException($"order {order.Ordinal} cannot move from {order.Status} to {to}");
    }
}
