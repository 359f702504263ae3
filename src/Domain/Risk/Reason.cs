namespace HybridTrading.Domain.Risk;

/// <summary>Why something was refused, cut or ended. The names are part of the public API and never change.</summary>
public enum Reason : byte
{
    None,

    // Malformed: these alone can refuse an order that reduces.
    InstrumentUnknown, ClientOrderIdInvalid, ClientOrderIdReused, VolumeNotPositive, VolumePrecision, VolumeBelowMinimum, VolumeAboveMaximum,
    PriceMissing, PriceNotPositive, PricePrecision, PriceUnexpected, TriggerPriceMissing, TriggerPricePrecision, TrailDistanceInvalid,
    StopLossWrongSide, TakeProfitWrongSide, GoodTillMissing, GoodTillExpired, PositionUnknown, PositionIdUnexpected, NothingToReduce,
    OrderUnknown, OrderNotWorking, ChangeEmpty, VolumeBelowFilled, NoMarketData, NoConversionRate,

    // Risk: never refuses what only reduces.
    Halted, Reducing, InstrumentNotAllowed, NotionalBelowMinimum, NotionalAboveMaximum, OrderVolumeAboveLimit, PriceOutOfCollar,
    InsufficientMargin, LossLimit, DrawdownLimit, MaxExposure, MaxInstrumentExposure, MaxOpenPositions, MaxInstrumentPositions,
    MaxWorkingOrders, MaxInstrumentWorkingOrders, SubmitRate, ModifyRate, StrategyPaused, SizeBelowMinimum,

    // Ends of orders.
    Requested, OcoFilled, ReduceOnlyExhausted, ImmediateOrCancel, FillOrKill, Expired, DayEnded, Flatten, StopOut,
    LimitsBreached, NotRecorded, NotFollowing, AlreadyThere,

    // Risk, too: the kill switch of the tenant stands for the account's owner.
    TenantHalted,
}

/// <summary>A refusal as a value: the code, and one sentence with the numbers.</summary>
[GenerateSerializer, Immutable, Alias("ht.Denial")]
public sealed record Denial(Reason Reason, string Detail);
