using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Risk;

/// <summary>What is watched between orders: losses realised and open, drawdown, margin.</summary>
public sealed class LossLimitTests
{
    private const decimal Bid = 1.10000m, Ask = 1.10000m;

    private static Desk With(LossLimit limit, AccountSettings? settings = null) =>
        new Desk(settings, new RiskLimits { LossLimits = [limit] }, 10_000).Hold(Side.Buy, 100_000, Bid, Ask);

    [Fact]
    public void An_open_loss_alone_breaches_the_limit_and_stops_trading_but_not_the_account()
    {
        Desk desk = With(new LossLimit(LossPeriod.Day, Percent: 5));
        Order add = desk.Accepted(desk.Limit(Side.Buy, 1000, 1.05m)), protects = desk.Accepted(desk.Stop(Side.Sell, 60_000, 1.08m));
        desk.Quote(1.09501m, 1.09501m);
        Assert.Equal(TradingState.Active, desk.State.TradingState);
        desk.Quote(1.09500m, 1.09500m);
        Assert.Equal((TradingState.Halted, Reason.LossLimit), (desk.State.TradingState, desk.State.StateReason));
        Assert.Equal((OrderStatus.Cancelled, Reason.LimitsBreached), desk.EndOf(add.Ordinal));
        Assert.Equal(Reason.Halted, desk.Denied(desk.Market(Side.Buy, 1000)));
        // What only reduces stays at work, and the position goes on being marked.
        desk.Quote(1.07900m, 1.07900m);
        Assert.Equal((protects.Ordinal, 40_000m), (desk.Fills.Last().Ordinal, desk.Net()));
        Assert.Equal(10_000 - 2100, desk.State.Equity);
    }

    [Fact]
    public void A_release_counts_anew()
    {
        Desk desk = With(new LossLimit(LossPeriod.Day, Amount: 500));
        desk.Quote(1.09500m, 1.09500m);
        desk.Do(account => account.SetTradingState(TradingState.Active, "me", desk.Time));
        desk.Quote(1.09400m, 1.09400m);
        Assert.Equal(TradingState.Active, desk.State.TradingState);
        desk.Quote(1.09000m, 1.09000m);
        Assert.Equal(TradingState.Halted, desk.State.TradingState);
    }

    [Fact]
    public void Deny_adds_ends_with_its_period_and_not_before()
    {
        Desk day = With(new LossLimit(LossPeriod.Day, Amount: 500, Action: BreachAction.DenyAdds));
        day.Quote(1.09400m, 1.09400m);
        Assert.Equal(TradingState.Reducing, day.State.TradingState);
        day.Wait(TimeSpan.FromDays(1));
        Assert.Equal(TradingState.Active, day.State.TradingState);

        Desk week = With(new LossLimit(LossPeriod.Week, Amount: 500, Action: BreachAction.DenyAdds));
        week.Quote(1.09400m, 1.09400m);
        week.Wait(TimeSpan.FromDays(1));
        Assert.Equal(TradingState.Reducing, week.State.TradingState);
        // Tuesday to Sunday evening in New York.
        week.Wait(TimeSpan.FromDays(5));
        Assert.Equal(TradingState.Active, week.State.TradingState);
    }

    [Fact]
    public void Flatten_closes_everything_even_when_a_milder_limit_has_halted_before()
    {
        var limits = new RiskLimits { LossLimits = [new(LossPeriod.Day, Amount: 500), new(LossPeriod.Day, Amount: 1000, Action: BreachAction.Flatten)] };
        Desk desk = new Desk(Desk.Plain, limits, 10_000).Hold(Side.Buy, 100_000, Bid, Ask);
        desk.Quote(1.09500m, 1.09500m);
        Assert.Equal((TradingState.Halted, 100_000m), (desk.State.TradingState, desk.Net()));
        desk.Quote(1.09000m, 1.09000m).Quote(1.08990m, 1.08990m).Quote(1.08990m, 1.08990m);
        Assert.Equal(0, desk.Net());
        Assert.Equal(1, desk.Events.OfType<OrderAccepted>().Count(accepted => accepted.Order.Purpose == OrderPurpose.Flatten));
    }

    [Fact]
    public void Drawdown_counts_from_the_highest_equity_at_a_day_turn()
    {
        Desk desk = new Desk(Desk.Plain, new RiskLimits { MaxDrawdownPercent = 10 }, 10_000).Hold(Side.Buy, 100_000, Bid, Ask);
        desk.Quote(1.12000m, 1.12000m).Wait(TimeSpan.FromDays(1));
        Assert.Equal(12_000, desk.State.HighWater);
        desk.Quote(1.10801m, 1.10801m);
        Assert.Equal(TradingState.Active, desk.State.TradingState);
        desk.Quote(1.10800m, 1.10800m);
        Assert.Equal((TradingState.Halted, Reason.DrawdownLimit), (desk.State.TradingState, desk.State.StateReason));
    }

    [Fact]
    public void Money_paid_in_or_out_is_neither_profit_nor_loss()
    {
        Desk desk = With(new LossLimit(LossPeriod.Day, Amount: 500));
        Assert.Null(desk.Do(account => account.Adjust(-5000, "out", "w1", desk.Time)));
        Assert.Null(desk.Do(account => account.Adjust(-5000, "out", "w1", desk.Time)));
        desk.Quote(1.09600m, 1.09600m);
        Assert.Equal((TradingState.Active, 4600m), (desk.State.TradingState, desk.State.Equity));
        Assert.StartsWith("amount is -4000", desk.Do(account => account.Adjust(-4000, "out", "w2", desk.Time)));
    }

    [Fact]
    public void Flatten_by_hand_leaves_nothing_at_work_and_nothing_held_whoever_holds_it()
    {
        foreach (PositionMode mode in Enum.GetValues<PositionMode>())
        {
            foreach (TimeSpan latency in new[] { TimeSpan.Zero, TimeSpan.FromSeconds(5) })
            {
                var desk = new Desk(Desk.Plain with { Mode = mode, Execution = new ExecutionModel(latency) });
                TimeSpan wait = latency * 2;
                foreach ((Side side, decimal volume, string owner) in new[] { (Side.Buy, 5000m, ""), (Side.Sell, 10_000m, "t/u/s"), (Side.Buy, 7000m, "t/u/z") })
                {
                    desk.Quote(Bid, Ask);
                    desk.Accepted(desk.Market(side, volume) with { Strategy = owner });
                    desk.Wait(wait).Quote(Bid, Ask);
                }
                desk.Accepted(desk.Limit(Side.Buy, 3000, 1.09m));
                desk.Accepted(desk.Limit(Side.Sell, 1000, 1.2m) with { ReduceOnly = true });
                desk.Wait(wait);
                desk.Do(account => account.Flatten("me", desk.Time));
                desk.Do(account => account.Flatten("me", desk.Time));
                desk.Quote(1.08m, 1.08m).Wait(wait).Quote(1.08m, 1.08m);
                Assert.True(desk.State.Book("EURUSD").IsIdle);
                Assert.Equal(TradingState.Halted, desk.State.TradingState);
            }
        }
    }

    [Fact]
    public void A_margin_call_is_recorded_and_the_stop_out_closes_the_largest_loss_first()
    {
        AccountSettings settings = Desk.Plain with { Mode = PositionMode.Hedging, MarginCallPercent = 100, StopOutPercent = 50 };
        Desk desk = new Desk(settings, RiskLimits.None, 10_000).Hold(Side.Buy, 100_000, Bid, Ask).Quote(1.27m, 1.27m, symbol: "GBPUSD");
        desk.Accepted(desk.Market(Side.Buy, 100_000, "GBPUSD"));
        desk.Quote(1.27m, 1.27m, symbol: "GBPUSD");
        Assert.Equal(11_000m / 3 + 12_700m / 3, desk.State.UsedMargin, 9);

        desk.Quote(1.25m, 1.25m, symbol: "GBPUSD");
        Assert.Empty(desk.Events.OfType<MarginCalled>());
        desk.Quote(1.24m, 1.24m, symbol: "GBPUSD").Quote(1.239m, 1.239m, symbol: "GBPUSD");
        Assert.Equal(7000m / (11_000m / 3 + 12_400m / 3) * 100, desk.Events.OfType<MarginCalled>().Single().LevelPercent, 2);
        Assert.Equal(2, desk.State.Books.Sum(book => book.Holdings.Count));
        desk.Quote(1.208m, 1.208m, symbol: "GBPUSD").Quote(1.208m, 1.208m, symbol: "GBPUSD");
        Assert.Equal(("EURUSD", 1), (desk.State.Books.Single(book => book.Holdings.Count > 0).Instrument.Symbol, desk.Events.OfType<OrderAccepted>().Count(accepted => accepted.Order.Purpose == OrderPurpose.StopOut)));
        desk.Quote(Bid, Ask);
        Assert.Equal(100_000, desk.Net());
    }

    [Fact]
    public void The_stop_out_of_a_netting_account_closes_the_net_position_of_all_its_owners()
    {
        AccountSettings settings = Desk.Plain with { MarginCallPercent = 100, StopOutPercent = 50 };
        Desk desk = new Desk(settings, RiskLimits.None, 5000).Hold(Side.Buy, 120_000, Bid, Ask, "t/u/a").Hold(Side.Sell, 20_000, Bid, Ask, "t/u/b");
        desk.Quote(1.06m, 1.06m).Quote(1.06m, 1.06m);
        Assert.Empty(desk.State.Book("EURUSD").Holdings);
        Assert.Equal(1000, desk.State.Balance);
    }
}
