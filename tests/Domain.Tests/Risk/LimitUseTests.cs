using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

public sealed class LimitUseTests
{
    private static readonly RiskLimits Limits = new()
    {
        MaxExposure = 220_000, MaxExposurePercent = 2000, MaxOpenPositions = 4, MaxWorkingOrders = 10, MaxDrawdownPercent = 20,
        LossLimits = [new LossLimit(LossPeriod.Day, Percent: 10), new LossLimit(LossPeriod.Month, Amount: 5000)],
    };

    [Fact]
    public void An_account_that_did_nothing_has_used_nothing()
    {
        var desk = new Desk(null, Limits, 10_000);
        Assert.Equal(
            [
                new("MaxExposure", 0, 220_000), new("MaxExposurePercent", 0, 200_000), new("MaxOpenPositions", 0, 4), new("MaxWorkingOrders", 0, 10),
                new("DayLoss", 0, 1000), new("MonthLoss", 0, 5000), new("MaxDrawdownPercent", 0, 2000),
            ], LimitUse.Of(desk.State));
    }

    [Fact]
    public void A_position_that_loses_uses_exposure_losses_and_drawdown()
    {
        Desk desk = new Desk(null, Limits, 10_000).Hold(Side.Buy, 100_000, 1.1m, 1.1m);
        desk.Quote(1.095m, 1.095m);
        Dictionary<string, LimitUse> uses = LimitUse.Of(desk.State).ToDictionary(use => use.Limit);
        Assert.Equal((109_500m, 220_000m), (uses["MaxExposure"].Used, uses["MaxExposure"].Most));
        Assert.Equal((109_500m, 190_000m), (uses["MaxExposurePercent"].Used, uses["MaxExposurePercent"].Most));
        Assert.Equal(0.25m, uses["MaxOpenPositions"].Share);
        Assert.Equal((500m, 0.5m), (uses["DayLoss"].Used, uses["DayLoss"].Share));
        Assert.Equal(0.1m, uses["MonthLoss"].Share);
        Assert.Equal(0.25m, uses["MaxDrawdownPercent"].Share);
        // At the limit's own share of one it has acted.
        Assert.Equal(TradingState.Active, desk.State.TradingState);
        desk.Quote(1.09m, 1.09m);
        Assert.Equal(1m, LimitUse.Of(desk.State).Single(use => use.Limit == "DayLoss").Share);
        Assert.Equal(TradingState.Halted, desk.State.TradingState);
    }

    [Fact]
    public void Where_there_is_no_limit_nothing_is_used()
    {
        Desk desk = new Desk(null, RiskLimits.None, 10_000).Hold(Side.Buy, 100_000, 1.1m, 1.1m);
        Assert.Empty(LimitUse.Of(desk.State));
        // An account without money has limits in percent of nothing.
        Assert.Equal(["MaxOpenPositions"], LimitUse.Of(new Desk(null, new RiskLimits { MaxExposurePercent = 100, MaxOpenPositions = 1 }, 0).State)
            .Select(use => use.Limit));
    }
}
