using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Accounts;

public sealed class AccountMoneyTests
{
    [Fact]
    public void Results_in_another_currency_are_converted_at_the_rate_of_the_fill_and_rounded_as_the_account_says()
    {
        var desk = new Desk(Desk.Plain with { Currency = "EUR", MoneyDigits = 2 }, instruments: [Desk.Eurusd, Desk.Usdjpy]);
        desk.Quote(1.10000m, 1.10020m);
        desk.Hold(Side.Buy, 10_000, 150.000m, 150.000m, symbol: "USDJPY");
        desk.Quote(1.20000m, 1.20020m);
        desk.Quote(151.000m, 151.010m, symbol: "USDJPY");
        // 10,000 yen at 151.005 a dollar and 1.2001 dollars a euro.
        Assert.Equal(10_000m / 151.005m / 1.2001m, desk.State.Equity - 100_000, 12);
        desk.Accepted(desk.Market(Side.Sell, 10_000, "USDJPY"));
        desk.Quote(151.000m, 151.010m, symbol: "USDJPY");
        Assert.Equal(Math.Round(10_000m / 151.005m / 1.2001m, 2), desk.State.Realised);
    }

    [Fact]
    public void Halves_round_away_from_zero()
    {
        var desk = new Desk(Desk.Plain with { MoneyDigits = 2, Execution = new ExecutionModel(CommissionPerLot: 0.25m) });
        desk.Quote(1.1m, 1.1m);
        desk.Accepted(desk.Market(Side.Buy, 2000));
        desk.Quote(1.1m, 1.1m);
        Assert.Equal(99_999.99m, desk.State.Balance);
    }

    [Fact]
    public void A_conversion_s_quotes_come_to_an_account_as_long_as_it_needs_them()
    {
        var desk = new Desk(Desk.Plain with { Currency = "EUR" }, instruments: [Desk.Eurusd, Desk.Gbpusd, Desk.Usdjpy]);
        desk.Quote(1.1m, 1.1m);
        Assert.False(desk.Account.IsInterested("EURUSD"));
        desk.Hold(Side.Buy, 10_000, 150m, 150m, symbol: "USDJPY");
        Assert.True(desk.Account.IsInterested("EURUSD"));
        Assert.False(desk.Account.IsInterested("GBPUSD"));
        desk.Hold(Side.Sell, 10_000, 150m, 150m, symbol: "USDJPY");
        Assert.False(desk.Account.IsInterested("EURUSD"));
    }

    [Fact]
    public void What_a_person_trades_against_a_strategy_comes_off_its_holding()
    {
        Desk desk = new Desk().Hold(Side.Buy, 10_000, 1.10000m, 1.10000m, "t/u/b").Hold(Side.Buy, 5000, 1.10100m, 1.10100m, "t/u/a");
        desk.Hold(Side.Sell, 8000, 1.10200m, 1.10200m);
        // In the order of the owners: all of a's, and 3000 of b's.
        Assert.Equal([("t/u/b", 7000m)], desk.State.Book("EURUSD").Holdings.Select(holding => (holding.Owner, holding.Volume)));
        Assert.Equal(5000 * 0.00100m + 3000 * 0.00200m, desk.State.Realised);
        desk.Hold(Side.Sell, 10_000, 1.10200m, 1.10200m);
        Assert.Equal([("", -3000m)], desk.State.Book("EURUSD").Holdings.Select(holding => (holding.Owner, holding.Volume)));
        Assert.Equal([5000m * 0.001m, 14m + 6m], desk.State.TakeClosedTrades().Select(trade => trade.Holding.Result));
    }

    [Fact]
    public void Strategies_hold_apart_and_the_account_nets()
    {
        Desk desk = new Desk().Hold(Side.Buy, 10_000, 1.10000m, 1.10010m, "t/u/a").Hold(Side.Sell, 10_000, 1.10000m, 1.10010m, "t/u/b");
        Assert.Equal((0m, 0m), (desk.Net(), desk.State.UsedMargin));
        Assert.Equal((10_000m, -10_000m), (desk.State.Book("EURUSD").VolumeOf("t/u/a"), desk.State.Book("EURUSD").VolumeOf("t/u/b")));
        Assert.Equal(99_999, desk.State.Equity);
        // Each strategy can leave although the account is halted.
        desk.Do(account => account.SetTradingState(TradingState.Halted, "me", desk.Time));
        OrderResult turn = desk.Submit(desk.Market(Side.Buy, 20_000) with { Strategy = "t/u/b" });
        Assert.Equal((10_000m, Reason.Halted), (turn.Accepted, turn.Denial!.Reason));
        desk.Quote(1.1m, 1.1001m);
        Assert.Equal(10_000, desk.Net());
    }

    [Theory]
    [InlineData("currency")]
    [InlineData("moneyDigits")]
    [InlineData("leverage")]
    [InlineData("stopOutPercent")]
    [InlineData("marginCallPercent")]
    [InlineData("equitySampling")]
    [InlineData("latency")]
    [InlineData("slippagePoints")]
    [InlineData("commissionRate")]
    [InlineData("deposit")]
    public void Settings_that_mean_nothing_are_refused_by_name(string field)
    {
        AccountSettings plain = Desk.Plain, wrong = field switch
        {
            "currency" => plain with { Currency = "" },
            "moneyDigits" => plain with { MoneyDigits = 11 },
            "leverage" => plain with { Leverage = 0 },
            "stopOutPercent" => plain with { StopOutPercent = 0 },
            "marginCallPercent" => plain with { MarginCallPercent = 40, StopOutPercent = 50 },
            "equitySampling" => plain with { EquitySampling = TimeSpan.Zero },
            "latency" => plain with { Execution = new ExecutionModel(TimeSpan.FromSeconds(-1)) },
            "slippagePoints" => plain with { Execution = new ExecutionModel(SlippagePoints: -1) },
            "commissionRate" => plain with { Execution = new ExecutionModel(CommissionRate: 1) },
            _ => plain,
        };
        var account = new Account("t/u/a", new AccountState(new InstrumentUniverse([Desk.Eurusd])));
        Assert.StartsWith($"{field} is ", account.Open(wrong, RiskLimits.None, field == "deposit" ? -1 : 1000, Desk.Start));
        Assert.Empty(account.Uncommitted);
    }

    [Fact]
    public void Limits_sent_again_change_nothing()
    {
        var desk = new Desk(limits: RiskLimits.Default);
        int events = desk.Events.Count;
        Assert.Null(desk.Do(account => account.SetLimits(RiskLimits.Default with { LossLimits = [new LossLimit(LossPeriod.Day, Percent: 10m)] }, desk.Time)));
        Assert.Equal(events, desk.Events.Count);
    }
}
