using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

/// <summary>Each limit: what it denies, what it lets pass, and that what reduces always passes.</summary>
public sealed class PreTradeRiskTests
{
    private const decimal Bid = 1.10000m, Ask = 1.10010m;

    private static Desk With(RiskLimits limits, AccountSettings? settings = null, decimal deposit = 100_000) =>
        new Desk(settings, limits, deposit).Quote(Bid, Ask);

    [Fact]
    public void Halted_and_reducing_accounts_take_only_what_reduces_and_cut_the_excess()
    {
        foreach ((TradingState state, Reason reason) in new[] { (TradingState.Halted, Reason.Halted), (TradingState.Reducing, Reason.Reducing) })
        {
            Desk desk = With(RiskLimits.None).Hold(Side.Buy, 10_000, Bid, Ask);
            desk.Do(account => account.SetTradingState(state, "me", desk.Time));
            Assert.Equal(reason, desk.Denied(desk.Market(Side.Buy, 1000)));
            OrderResult cut = desk.Submit(desk.Market(Side.Sell, 15_000));
            Assert.Equal((10_000m, reason), (cut.Accepted, cut.Denial!.Reason));
            // The working order covers all that can be taken off.
            Assert.Equal(reason, desk.Denied(desk.Market(Side.Sell, 1000)));
            desk.Quote(Bid, Ask);
            Assert.Equal(0, desk.Net());
        }
    }

    [Fact]
    public void Only_listed_instruments_are_traded()
    {
        Desk desk = With(new RiskLimits { AllowedInstruments = ["GBPUSD"] });
        Assert.Equal(Reason.InstrumentNotAllowed, desk.Denied(desk.Market(Side.Buy, 1000)));
        desk.Quote(1.27m, 1.2701m, symbol: "GBPUSD");
        desk.Accepted(desk.Market(Side.Buy, 1000, "GBPUSD"));
    }

    [Fact]
    public void Orders_have_a_largest_volume_and_notionals_between_bounds()
    {
        Desk desk = With(new RiskLimits { MaxOrderVolume = 50_000, MinOrderNotional = 2000, MaxOrderNotional = 22_002 });
        Assert.Equal(Reason.OrderVolumeAboveLimit, desk.Denied(desk.Market(Side.Buy, 51_000)));
        Assert.Equal(Reason.NotionalBelowMinimum, desk.Denied(desk.Market(Side.Buy, 1000)));
        Assert.Equal(Reason.NotionalAboveMaximum, desk.Denied(desk.Market(Side.Buy, 21_000)));
        // 20,000 at 1.1001 are 22,002 exactly.
        desk.Accepted(desk.Market(Side.Buy, 20_000));
    }

    [Fact]
    public void Prices_far_from_the_market_are_denied()
    {
        Desk desk = With(new RiskLimits { PriceCollarPercent = 10 });
        Assert.Equal(Reason.PriceOutOfCollar, desk.Denied(desk.Limit(Side.Buy, 1000, 0.98999m)));
        Assert.Equal(Reason.PriceOutOfCollar, desk.Denied(desk.Stop(Side.Buy, 1000, 1.21001m)));
        Order limit = desk.Accepted(desk.Limit(Side.Buy, 1000, 0.99m));
        Assert.Equal(Reason.PriceOutOfCollar, desk.Do(account => account.Change(limit.ClientOrderId, new OrderChange(LimitPrice: 0.9m), desk.Time)).Denial!.Reason);
    }

    [Fact]
    public void Margin_counts_positions_orders_at_work_and_open_losses()
    {
        // 1/30 of 30,000 at 1.1001 is 1100.10.
        Desk desk = With(RiskLimits.None, deposit: 2300);
        desk.Accepted(desk.Market(Side.Buy, 30_000));
        Assert.Equal(Reason.InsufficientMargin, desk.Denied(desk.Market(Side.Buy, 33_000)));
        Order second = desk.Accepted(desk.Limit(Side.Buy, 32_000, 1.09m));
        Assert.Equal(Reason.InsufficientMargin, desk.Denied(desk.Market(Side.Buy, 1000)));
        // The lighter side of what is at work needs nothing more.
        desk.Accepted(desk.Limit(Side.Sell, 60_000, 1.2m));
        desk.Do(account => account.Cancel(second.ClientOrderId, desk.Time));
        desk.Quote(Bid, Ask);
        // 1000 points against 30,000 are 300 less of equity: 1990 are left for 59,700 units at 1.09010 / 30.
        desk.Quote(1.09000m, 1.09010m);
        Assert.Equal(2300 - 30_000 * 0.01010m, desk.State.Equity);
        Assert.Equal(Reason.InsufficientMargin, desk.Denied(desk.Market(Side.Buy, 25_000)));
        desk.Accepted(desk.Market(Side.Buy, 24_000));
    }

    [Fact]
    public void Turning_a_position_needs_margin_for_the_new_one_only()
    {
        Desk desk = With(RiskLimits.None, deposit: 1200).Hold(Side.Buy, 30_000, Bid, Ask);
        Assert.Equal(60_000, desk.Submit(desk.Market(Side.Sell, 60_000)).Accepted);
        desk.Quote(Bid, Ask);
        Assert.Equal(-30_000, desk.Net());
        // More than it is cut to the part that reduces.
        OrderResult cut = desk.Submit(desk.Market(Side.Buy, 70_000));
        Assert.Equal((30_000m, Reason.InsufficientMargin), (cut.Accepted, cut.Denial!.Reason));
    }

    [Fact]
    public void The_account_s_leverage_asks_for_more_than_the_instrument()
    {
        Desk desk = With(RiskLimits.None, Desk.Plain with { Leverage = 10 }, 1100.1m);
        Assert.Equal(Reason.InsufficientMargin, desk.Denied(desk.Market(Side.Buy, 11_000)));
        desk.Accepted(desk.Market(Side.Buy, 10_000));
    }

    [Fact]
    public void Exposure_is_capped_in_money_in_percent_and_by_instrument_with_orders_at_work()
    {
        Desk money = With(new RiskLimits { MaxExposure = 22_002 });
        money.Accepted(money.Limit(Side.Buy, 15_000, 1.05m));
        Assert.Equal(Reason.MaxExposure, money.Denied(money.Market(Side.Buy, 6000)));
        money.Accepted(money.Market(Side.Buy, 5000));

        Desk percent = With(new RiskLimits { MaxExposurePercent = 20 }, deposit: 110_010);
        Assert.Equal(Reason.MaxExposure, percent.Denied(percent.Market(Side.Sell, 21_000)));
        percent.Accepted(percent.Market(Side.Sell, 20_000));

        Desk instrument = With(new RiskLimits { MaxInstrumentExposure = 22_002 }).Quote(1.27m, 1.2701m, symbol: "GBPUSD");
        instrument.Accepted(instrument.Market(Side.Buy, 20_000));
        Assert.Equal(Reason.MaxInstrumentExposure, instrument.Denied(instrument.Market(Side.Buy, 1000)));
        instrument.Accepted(instrument.Market(Side.Buy, 15_000, "GBPUSD"));
        // Turned, it is as large as before.
        instrument.Quote(Bid, Ask);
        instrument.Accepted(instrument.Market(Side.Sell, 40_000));
    }

    [Fact]
    public void Positions_are_counted_with_those_that_orders_at_work_will_open()
    {
        Desk desk = With(new RiskLimits { MaxOpenPositions = 1 }).Quote(1.27m, 1.2701m, symbol: "GBPUSD");
        desk.Accepted(desk.Market(Side.Buy, 1000));
        Assert.Equal(Reason.MaxOpenPositions, desk.Denied(desk.Market(Side.Buy, 1000, "GBPUSD")));
        desk.Accepted(desk.Market(Side.Buy, 1000));

        Desk hedging = With(new RiskLimits { MaxOpenPositions = 3, MaxInstrumentPositions = 2 }, Desk.Plain with { Mode = PositionMode.Hedging })
            .Quote(1.27m, 1.2701m, symbol: "GBPUSD");
        hedging.Accepted(hedging.Market(Side.Buy, 1000));
        hedging.Quote(Bid, Ask);
        hedging.Accepted(hedging.Market(Side.Sell, 1000));
        Assert.Equal(Reason.MaxInstrumentPositions, hedging.Denied(hedging.Market(Side.Buy, 1000)));
        hedging.Accepted(hedging.Market(Side.Buy, 1000, "GBPUSD"));
        Assert.Equal(Reason.MaxOpenPositions, hedging.Denied(hedging.Market(Side.Buy, 1000, "GBPUSD")));
    }

    [Fact]
    public void Orders_at_work_are_counted_in_the_account_and_by_instrument()
    {
        Desk desk = With(new RiskLimits { MaxWorkingOrders = 3, MaxInstrumentWorkingOrders = 2 }).Quote(1.27m, 1.2701m, symbol: "GBPUSD");
        Order first = desk.Accepted(desk.Limit(Side.Buy, 1000, 1.09m));
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1.09m));
        Assert.Equal(Reason.MaxInstrumentWorkingOrders, desk.Denied(desk.Limit(Side.Buy, 1000, 1.09m)));
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1.2m, "GBPUSD"));
        Assert.Equal(Reason.MaxWorkingOrders, desk.Denied(desk.Limit(Side.Buy, 1000, 1.2m, "GBPUSD")));
        // To make one larger is no further order.
        Assert.Null(desk.Do(account => account.Change(first.ClientOrderId, new OrderChange(Volume: 2000), desk.Time)).Denial);
    }

    [Fact]
    public void Orders_and_changes_have_their_rates()
    {
        Desk desk = With(new RiskLimits { SubmitRate = new RateLimit(2, TimeSpan.FromMinutes(1)), ModifyRate = new RateLimit(1, TimeSpan.FromMinutes(1)) });
        Order order = desk.Accepted(desk.Limit(Side.Buy, 2000, 1.09m));
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1.09m));
        Assert.Equal(Reason.SubmitRate, desk.Denied(desk.Limit(Side.Buy, 1000, 1.09m)));
        Reason? Change(OrderChange change) => desk.Do(account => account.Change(order.ClientOrderId, change, desk.Time)).Denial?.Reason;
        Assert.Null(Change(new OrderChange(LimitPrice: 1.08m)));
        Assert.Equal(Reason.ModifyRate, Change(new OrderChange(LimitPrice: 1.07m)));
        // To make an order smaller adds nothing.
        Assert.Null(Change(new OrderChange(Volume: 1000)));
        desk.Wait(TimeSpan.FromMinutes(1));
        Assert.Null(Change(new OrderChange(LimitPrice: 1.07m)));
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1.09m));
    }

    [Fact]
    public void A_larger_order_is_checked_as_it_will_stand()
    {
        Desk desk = With(new RiskLimits { MaxOrderVolume = 5000, MaxExposure = 11_001 });
        Order order = desk.Accepted(desk.Limit(Side.Buy, 4000, 1.09m));
        Reason? Change(decimal volume) => desk.Do(account => account.Change(order.ClientOrderId, new OrderChange(Volume: volume), desk.Time)).Denial?.Reason;
        Assert.Equal(Reason.OrderVolumeAboveLimit, Change(6000));
        Assert.Null(Change(5000));
        desk.Accepted(desk.Market(Side.Buy, 5000));
        Assert.Equal(Reason.MaxExposure, desk.Denied(desk.Market(Side.Buy, 1000)));
    }

    [Fact]
    public void No_limit_stops_what_only_reduces()
    {
        var tight = new RiskLimits
        {
            AllowedInstruments = ["GBPUSD"], MaxOrderVolume = 1, MinOrderNotional = 1e9m, MaxOrderNotional = 1, MaxExposure = 1, MaxExposurePercent = 0.001m,
            MaxInstrumentExposure = 1, MaxOpenPositions = 1, MaxWorkingOrders = 1, MaxInstrumentWorkingOrders = 1, PriceCollarPercent = 0.001m,
            SubmitRate = new RateLimit(1, TimeSpan.FromDays(1)), ModifyRate = new RateLimit(1, TimeSpan.FromDays(1)),
        };
        Desk desk = With(RiskLimits.None, deposit: 1000).Hold(Side.Buy, 25_000, Bid, Ask);
        desk.Do(account => account.SetLimits(tight, desk.Time));
        desk.Do(account => account.SetTradingState(TradingState.Halted, "me", desk.Time));
        desk.Quote(1.07000m, 1.07010m);
        Order stop = desk.Accepted(desk.Stop(Side.Sell, 5000, 1.05m));
        desk.Accepted(desk.Limit(Side.Sell, 5000, 1.2m) with { ReduceOnly = true });
        for (int i = 0; i < 3; i++)
        {
            Assert.Null(desk.Do(account => account.Change(stop.ClientOrderId, new OrderChange(StopPrice: 1.04m - i / 100m), desk.Time)).Denial);
            desk.Accepted(desk.Market(Side.Sell, 4000));
        }
        desk.Quote(1.06000m, 1.06010m);
        Assert.Equal(13_000, desk.Net());
    }

    [Theory]
    [InlineData(nameof(RiskLimits.MaxOrderVolume))]
    [InlineData(nameof(RiskLimits.SubmitRate))]
    [InlineData(nameof(RiskLimits.LossLimits))]
    public void Limits_that_mean_nothing_are_refused_by_name(string field)
    {
        var wrong = field switch
        {
            nameof(RiskLimits.MaxOrderVolume) => new RiskLimits { MaxOrderVolume = 0 },
            nameof(RiskLimits.SubmitRate) => new RiskLimits { SubmitRate = new RateLimit(0, TimeSpan.FromMinutes(1)) },
            _ => new RiskLimits { LossLimits = [new LossLimit(LossPeriod.Day)] },
        };
        Desk desk = new();
        Assert.Contains(field, desk.Do(account => account.SetLimits(wrong, desk.Time)));
    }
}
