namespace HybridTrading.Domain.Orders;

/// <summary>Which way an order trades; the number is its sign.</summary>
public enum Side : sbyte { Sell = -1, Buy = 1 }

public enum OrderType : byte { Market, Limit, Stop, StopLimit, TrailingStop }

/// <summary>How long an order works: until cancelled, at once or not at all (the rest cancelled), all at once or not at all,
/// until a time, until the instrument's trading day turns.</summary>
public enum TimeInForce : byte { Gtc, Ioc, Fok, Gtd, Day }

/// <summary>
/// Where an order stands. <see cref="Submitted"/> is under way to the venue, <see cref="Denied"/> never left (risk said no),
/// <see cref="Rejected"/> came back from the venue.
/// </summary>
public enum OrderStatus : byte
{
    Submitted, Working, PartiallyFilled, PendingModify, PendingCancel, Filled, Cancelled, Expired, Rejected, Denied,
}

/// <summary>What somebody wants done. Prices in units of price, volume in units of the base.</summary>
/// <param name="ClientOrderId">The caller's own id, unique in the account: sending it twice does what sending it once does. 1 to 200 of [A-Za-z0-9._:/#-].</param>
/// <param name="LimitPrice">For limit and stop-limit.</param>
/// <param name="StopPrice">For stop and stop-limit; for a trailing stop the first level, or null for the market less the distance.</param>
/// <param name="TrailDistance">For a trailing stop: distance from the market, in price.</param>
/// <param name="GoodTill">UTC, for <see cref="TimeInForce.Gtd"/>.</param>
/// <param name="ReduceOnly">Never opens or adds; the excess is cut, and the order goes when nothing is left to reduce.</param>
/// <param name="StopLoss">Price of a protective stop made on the first fill.</param>
/// <param name="TakeProfit">Price of a protective limit made on the first fill.</param>
/// <param name="TrailingStopLoss">Distance of a protective trailing stop made on the first fill, in price.</param>
/// <param name="OcoGroup">Orders of one group cancel each other: a complete fill cancels the rest, a partial one cuts it by as much. Characters as for ClientOrderId.</param>
/// <param name="PositionId">Hedging accounts: the position that this order closes.</param>
/// <param name="Strategy">Key of the strategy that wants it; empty for a person.</param>
/// <param name="Decision">Id of the decision behind it; empty for a person.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderRequest")]
public sealed record OrderRequest(
    string ClientOrderId, string Symbol, Side Side, OrderType Type, decimal Volume,
    decimal? LimitPrice = null, decimal? StopPrice = null, decimal? TrailDistance = null,
    TimeInForce TimeInForce = TimeInForce.Gtc, DateTime? GoodTill = null, bool ReduceOnly = false,
    decimal? StopLoss = null, decimal? TakeProfit = null, decimal? TrailingStopLoss = null,
    string? OcoGroup = null, string? PositionId = null, string Strategy = "", string Decision = "");

/// <summary>What a working order may be changed to; null leaves as it is.</summary>
[GenerateSerializer, Immutable, Alias("ht.OrderChange")]
public sealed record OrderChange(decimal? Volume = null, decimal? LimitPrice = null, decimal? StopPrice = null, decimal? TrailDistance = null)
{
    public bool IsEmpty => Volume is null && LimitPrice is null && StopPrice is null && TrailDistance is null;
}

/// <summary>An order as its account knows it. Prices in points, volumes in units.</summary>
/// <param name="Ordinal">1 upwards inside the account, in order of acceptance.</param>
/// <param name="ActiveFrom">When it reaches the venue; after a change, when it came to stand as it does.</param>
/// <param name="Arrived">It is at the venue: it can trigger and fill.</param>
/// <param name="RequestDue">When the change or cancel under way reaches the venue; null for none.</param>
/// <param name="Expires">For good-till-date and day orders.</param>
/// <param name="Triggered">A stop whose level was touched; a stop-limit goes on as a limit, the rest as market.</param>
/// <param name="Rested">A limit that the market did not reach when it came: it fills at its own price (maker).</param>
/// <param name="Parent">Ordinal of the order that this one protects; 0 for none.</param>
/// <param name="Purpose">Why the system made it; <see cref="OrderPurpose.Trade"/> for what somebody asked.</param>
/// <param name="Fills">Count of fills.</param>
/// <param name="PendingChange">The change under way, while <see cref="OrderStatus.PendingModify"/>.</param>
[GenerateSerializer, Immutable, Alias("ht.Order")]
public sealed record Order(
    long Ordinal, string ClientOrderId, string Symbol, Side Side, OrderType Type, decimal Volume,
    long? Limit, long? Stop, long? Trail, TimeInForce TimeInForce, DateTime? Expires, bool ReduceOnly,
    long? StopLoss, long? TakeProfit, long? TrailingStopLoss, string? OcoGroup, string? PositionId, string Strategy, string Decision,
    OrderPurpose Purpose, long Parent, DateTime CreatedAt, DateTime ActiveFrom, bool Arrived, DateTime? RequestDue,
    OrderStatus Status, decimal Filled, decimal FilledNotional, bool Triggered, bool Rested, OrderChange? PendingChange,
    DateTime UpdatedAt, Risk.Reason Reason, long Fills)
{
    public decimal Remaining => Volume - Filled;

    /// <summary>Whose holding it trades: the strategy's key, or empty for a person.</summary>
    public string Owner => Strategy;

    public bool IsOpen => Status < OrderStatus.Filled;

    /// <summary>Volume-weighted mean of its fills in points; null before the first.</summary>
    public decimal? AverageFillPoints => Filled == 0 ? null : FilledNotional / Filled;

    /// <summary>The way it fills once triggered: what is not bound by a limit takes the market.</summary>
    public bool TakesMarket => Type == OrderType.Market || (Triggered && Type is (OrderType.Stop or OrderType.TrailingStop));

    /// <summary>It rests as a limit.</summary>
    public bool RestsAsLimit => Type == OrderType.Limit || (Type == OrderType.StopLimit && Triggered);

    /// <summary>It waits for its stop level.</summary>
    public bool WaitsForStop => !Triggered && Type is (OrderType.Stop or OrderType.StopLimit or OrderType.TrailingStop);
}

public enum OrderPurpose : byte { Trade, StopLoss, TrailingStopLoss, TakeProfit, Flatten, StopOut }
