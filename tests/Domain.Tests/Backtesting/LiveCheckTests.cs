using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>A life is made, one thing in it is otherwise, and that must be what the comparison names.</summary>
public sealed class LiveCheckTests
{
    private const string Account = "test/run/main", Strategy = "test/run/cross";
    private static readonly DateTime Start = new(2024, 1, 9, 8, 0, 0, DateTimeKind.Utc);
    private static readonly MarketSeries Market = Walk();
    private static readonly DateTime Noon = Start.AddHours(4);

    [Fact]
    public void A_life_without_anybody_s_hand_is_its_back_test()
    {
        LiveRecord live = Live(Market);
        LiveCheckResult result = LiveCheck.Run(live, [Market]);
        Assert.Null(result.Difference);
        Assert.True(result.LiveOrders >= 30, $"{result.LiveOrders} orders");
        Assert.Equal((result.LiveOrders, result.LiveOrders), (result.BacktestOrders, result.Alike));
        // Data from before and after its life change nothing: the features are warm, and what comes later is not compared.
        Assert.Null(LiveCheck.Run(Live(Market.Between(null, Noon)), [Market]).Difference);
    }

    [Fact]
    public void A_manual_order_is_named()
    {
        LiveRecord live = Live(Market, commands:
        [
            new AccountCommand(Noon, Account, "EURUSD", account => account.Submit(new OrderRequest("by-hand", "EURUSD", Side.Buy, OrderType.Market, 30_000), Noon)),
            new AccountCommand(Noon.AddHours(1), Account, null, account => account.Adjust(500, "more", "r2", Noon.AddHours(1))),
        ]);
        LiveDifference difference = Differ(live, Market, DifferenceCause.ManualOrder);
        Assert.Equal("order 'by-hand' (Buy 30000 EURUSD) was placed by hand at 2024-01-09 12:00:00", difference.Detail);
        Assert.Equal(Noon, difference.Time);
        Assert.Contains("\tBuy\tMarket\tTrade\t30000\t", difference.Live);
    }

    [Fact]
    public void Money_paid_in_is_named_where_the_size_follows_the_equity()
    {
        var tenth = new FollowTerms(new Sizing(SizingKind.PercentOfEquity, 10));
        LiveRecord live = Live(Market, terms: tenth, commands: [new AccountCommand(Noon, Account, null, account => account.Adjust(50_000, "more", "r2", Noon))]);
        Assert.Equal("50000 were paid in at 2024-01-09 12:00:00", Differ(live, Market, DifferenceCause.ManualOrder).Detail);
    }

    [Fact]
    public void A_halt_is_named()
    {
        LiveRecord live = Live(Market, commands: [new AccountCommand(Noon, Account, null, account => account.SetTradingState(TradingState.Halted, "anna", Noon))]);
        Assert.Equal("the account was set to Halted by anna at 2024-01-09 12:00:00", Differ(live, Market, DifferenceCause.ManualOrder).Detail);
    }

    [Fact]
    public void A_parameter_that_was_changed_is_named_and_the_one_before_it_that_changed_nothing_is_not()
    {
        StrategyParameters five = Parameters(5), eight = Parameters(8);
        LiveRecord live = Live(Market, phases: [new(Start.AddTicks(-1), five), new(Noon.AddHours(-1), five), new(Noon, null), new(Noon, eight)]);
        LiveDifference difference = Differ(live, Market, DifferenceCause.Parameter);
        Assert.Equal("cross was set to fast=8;slow=20;units=10000 at 2024-01-09 12:00:00, before fast=5;slow=20;units=10000", difference.Detail);
        Assert.True(difference.Time > Noon);
    }

    [Fact]
    public void A_strategy_that_was_stopped_and_terms_and_limits_that_changed_are_parameters()
    {
        LiveRecord stopped = Live(Market, phases: [new(Start.AddTicks(-1), Parameters(5)), new(Noon, null)]);
        Assert.Equal("cross was stopped at 2024-01-09 12:00:00", Differ(stopped, Market, DifferenceCause.Parameter).Detail);

        LiveRecord half = Live(Market, commands: [new AccountCommand(Noon, Account, null, account => account.SetFollow(Strategy, new FollowTerms(new Sizing(SizingKind.StrategyUnits, 0.5m)), Noon))]);
        Assert.Equal("the terms for cross became StrategyUnits 0.5 at 2024-01-09 12:00:00", Differ(half, Market, DifferenceCause.Parameter).Detail);

        LiveRecord limited = Live(Market, commands: [new AccountCommand(Noon, Account, null, account => account.SetLimits(RiskLimits.None with { MaxOrderVolume = 5_000 }, Noon))]);
        Assert.Equal("the risk limits were changed at 2024-01-09 12:00:00", Differ(limited, Market, DifferenceCause.Parameter).Detail);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_price_is_named(bool logged)
    {
        MarketSeries seen = Changed(quote => quote.Time >= Noon && quote.Time < Noon.AddMinutes(20) ? quote with { Bid = quote.Bid + 40, Ask = quote.Ask + 40 } : quote);
        LiveDifference difference = Differ(Live(seen, logged: logged), Market, DifferenceCause.Price);
        Assert.InRange(difference.Time, Noon, Noon.AddHours(1));
        if (logged) Assert.StartsWith("EURUSD at 2024-01-09 12:00:0", difference.Detail);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_spread_is_named(bool logged)
    {
        MarketSeries seen = Changed(quote => quote.Time >= Noon && quote.Time < Noon.AddHours(1) ? quote with { Ask = quote.Ask + 7 } : quote);
        LiveDifference difference = Differ(Live(seen, logged: logged), Market, DifferenceCause.Spread);
        Assert.InRange(difference.Time, Noon, Noon.AddHours(1));
    }

    [Fact]
    public void What_only_one_of_them_saw_is_named()
    {
        // Every third quote of an hour is missing, so that nobody is away for long.
        int number = 0;
        MarketSeries fewer = Changed(quote => quote.Time >= Noon && quote.Time < Noon.AddHours(1) && number++ % 3 != 2 ? null : quote);
        Assert.StartsWith("the data lack what live saw of EURUSD at 2024-01-09 12:00:0", Differ(Live(Market, logged: true), fewer, DifferenceCause.MissingData).Detail);
        Assert.StartsWith("live did not see what the data have of EURUSD at 2024-01-09 12:00:0", Differ(Live(fewer, logged: true), Market, DifferenceCause.MissingData).Detail);
    }

    [Fact]
    public void A_bar_that_the_data_do_not_have_is_missing_data_without_a_log_too()
    {
        MarketSeries fewer = Changed(quote => quote.Time >= Noon && quote.Time < Noon.AddHours(2) ? null : quote);
        Assert.Contains("on a bar that the data do not have", Differ(Live(Market), fewer, DifferenceCause.MissingData).Detail);
    }

    [Fact]
    public void An_outage_is_named()
    {
        MarketSeries seen = Changed(quote => quote.Time > Noon && quote.Time < Noon.AddHours(1) ? null : quote);
        DateTime last = seen.Until(Noon).EventTime(seen.Until(Noon).Count - 1), next = seen.Between(Noon.AddMinutes(1), null).EventTime(0);
        LiveRecord live = Live(seen, logged: true) with { Gaps = [new LiveGap(last, next)] };
        LiveDifference difference = Differ(live, Market, DifferenceCause.Outage);
        Assert.StartsWith("live saw nothing from 2024-01-09 11:59:5", difference.Detail);
        Assert.Contains(" to 2024-01-09 13:00:0", difference.Detail);
        Assert.Contains("where the data have", difference.Detail);
    }

    [Fact]
    public void A_later_fill_of_the_same_decision_is_latency()
    {
        LiveRecord slow = Live(Market, execution: new ExecutionModel(TimeSpan.FromSeconds(30)));
        // As if the system itself had been slow: its settings say nothing of it.
        LiveRecord live = slow with { Events = [.. slow.Events.Select(happened => happened is AccountOpened opened ? opened with { Settings = Desk.Plain } : happened)] };
        LiveDifference difference = Differ(live, Market, DifferenceCause.Latency);
        Assert.Equal(1, difference.Order);
        Assert.Contains("the same decision of cross at 2024-01-09", difference.Detail);
        Assert.Null(LiveCheck.Run(slow, [Market]).Difference);
    }

    [Fact]
    public void What_has_another_cause_is_not_given_one_of_these()
    {
        LiveRecord dear = Live(Market, execution: new ExecutionModel(CommissionPerLot: 3));
        LiveRecord live = dear with { Events = [.. dear.Events.Select(happened => happened is AccountOpened opened ? opened with { Settings = Desk.Plain } : happened)] };
        Assert.Contains("size, cost or result differ", Differ(live, Market, DifferenceCause.Unexplained).Detail);
    }

    [Fact]
    public void Records_and_data_that_do_not_go_together_are_refused()
    {
        LiveRecord live = Live(Market);
        MarketSeries other = MarketSeries.OfQuotes(Desk.Gbpusd, Market.Quotes);
        Assert.Contains("the data hold no EURUSD", Assert.Throws<ArgumentException>(() => LiveCheck.Run(live, [other])).Message);
        Assert.Contains("was never opened", Assert.Throws<ArgumentException>(() => LiveCheck.Run(live with { Events = [] }, [Market])).Message);
    }

    private static LiveDifference Differ(LiveRecord live, MarketSeries data, DifferenceCause cause)
    {
        LiveCheckResult result = LiveCheck.Run(live, [data]);
        Assert.NotNull(result.Difference);
        Assert.True(result.Difference.Cause == cause, result.Difference.ToString());
        Assert.Equal(result.Alike + 1, result.Difference.Order);
        Assert.NotEqual(result.Difference.Live, result.Difference.Backtest);
        return result.Difference;
    }

    /// <summary>What a life over these events leaves behind.</summary>
    private static LiveRecord Live(
        MarketSeries seen, ImmutableArray<StrategyPhase>? phases = null, ImmutableArray<AccountCommand>? commands = null, FollowTerms? terms = null, ExecutionModel? execution = null, bool logged = false)
    {
        ImmutableArray<StrategyPhase> lived = phases ?? [new(Start.AddTicks(-1), Parameters(5))];
        var strategy = new StrategyPlan(Strategy, "sma-cross", lived[0].Parameters!, "EURUSD", TimeFrame.M1);
        var follows = ImmutableSortedDictionary<string, FollowTerms>.Empty.Add(Strategy, terms ?? new FollowTerms(Sizing.AsTheStrategySays));
        var plan = new RunPlan(new InstrumentUniverse([seen.Instrument]), [strategy],
            [new AccountPlan(Account, Desk.Plain with { Execution = execution ?? new ExecutionModel() }, RiskLimits.None, 100_000, follows)]);
        var events = ImmutableArray.CreateBuilder<AccountEvent>();
        var decisions = ImmutableArray.CreateBuilder<Decision>();
        new Backtest(plan, new RunSequence([seen], plan))
        {
            Commands = commands ?? [],
            Phases = new Dictionary<string, ImmutableArray<StrategyPhase>> { [Strategy] = lived },
            Recorded = (_, happened) => events.AddRange(happened),
            Decided = decisions.Add,
        }.Play();
        return new LiveRecord(Account, events.ToImmutable(), [new LiveStrategy(strategy, lived, decisions.ToImmutable())], seen.EventTime(seen.Count - 1),
            logged ? [seen] : [], [], ImmutableDictionary<long, DateTime>.Empty);
    }

    private static StrategyParameters Parameters(int fast) => StrategyCatalog.Find("sma-cross").Bind([new("fast", fast), new("slow", 20), new("units", 10_000)]);

    private static MarketSeries Changed(Func<Quote, Quote?> change) =>
        MarketSeries.OfQuotes(Market.Instrument, Market.Quotes.ToArray().Select(change).OfType<Quote>().ToArray());

    /// <summary>Ten hours of quotes, one every five seconds or so, that wander.</summary>
    private static MarketSeries Walk()
    {
        var random = new Random(17);
        var quotes = new Quote[7_200];
        long bid = 110_000;
        for (int i = 0; i < quotes.Length; i++)
        {
            bid += random.Next(-6, 7);
            quotes[i] = new Quote(Start.AddSeconds(5 * i).AddMilliseconds(random.Next(1_000)), bid, bid + 8);
        }
        return MarketSeries.OfQuotes(Desk.Eurusd, quotes);
    }
}
