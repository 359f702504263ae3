using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>Whole runs on real data, held to the last digit: whoever changes a figure says why.</summary>
public sealed class GoldenBacktestTests
{
    private static readonly Lazy<MarketSeries> EurusdTicks = new(() => MarketFiles.Lean("forex/oanda/tick/eurusd", 5));
    private static readonly Lazy<MarketSeries> XauusdMinutes = new(() => MarketFiles.Lean("cfd/oanda/minute/xauusd", 3));

    [Theory]
    [InlineData("sma-cross", "equity 99921.806846 closed 57 fees 31.893154 drawdown 0.1448779821 orders 58 fills 58 774acf2c0f43d779")]
    [InlineData("rsi-reversion", "equity 99919.781022 closed 30 fees 16.918978 drawdown 0.080718978 orders 61 fills 61 17b21d75f8f4a7f2")]
    [InlineData("donchian-breakout", "equity 99861.48499 closed 79 fees 43.81501 drawdown 0.15159024 orders 164 fills 158 b7ec0422dc6c75cf")]
    [InlineData("bollinger-reversion", "equity 99841.457108 closed 100 fees 55.742892 drawdown 0.159042892 orders 201 fills 201 5568e86ec70b8af8")]
    public void Eurusd_ticks_in_minutes(string strategy, string expected) =>
        Assert.Equal(expected, Figures(Plan([EurusdTicks.Value], [Of(strategy, "EURUSD", TimeFrame.M1)], "a"), [EurusdTicks.Value]));

    [Theory]
    [InlineData("sma-cross", "equity 99172.5942902 closed 78 fees 40.7057098 drawdown 0.8577995594 orders 79 fills 79 385fd52c6ddf93ad")]
    [InlineData("rsi-reversion", "equity 99742.8178042 closed 44 fees 22.8121958 drawdown 0.4057404757 orders 88 fills 88 6c26bf4015322175")]
    [InlineData("donchian-breakout", "equity 99459.3670416 closed 92 fees 47.7129584 drawdown 0.5635739347 orders 217 fills 182 1b1b549c813935cf")]
    [InlineData("bollinger-reversion", "equity 99434.2320986 closed 115 fees 59.9179014 drawdown 0.7336961032 orders 231 fills 231 e6a2eab51f01794e")]
    public void Xauusd_minutes_in_five_minutes(string strategy, string expected) =>
        Assert.Equal(expected, Figures(Plan([XauusdMinutes.Value], [Of(strategy, "XAUUSD", TimeFrame.M5, 10)], "a"), [XauusdMinutes.Value]));

    [Fact]
    public void Three_symbols_two_strategies_two_accounts_ticks_and_bars_together()
    {
        ImmutableArray<MarketSeries> series = Three();
        RunPlan plan = Plan(series, ThreeStrategies(), "a", "b");
        Assert.Equal("equity 98366.1390152 closed 546 fees 299.4309848 drawdown 1.6892479385 orders 634 fills 607 cd7a6e4330897873",
            Figures(Plan(series, ThreeStrategies(), "a"), series));
        Assert.Equal("equity 197405.2440152 closed 1092 fees 496.7109848 drawdown 1.3298964444 orders 1757 fills 1703 9d21f05bf9f44c92", Figures(plan, series));
    }

    [Fact]
    public void A_run_repeats_and_neither_the_order_of_the_plan_nor_the_tenant_matters()
    {
        ImmutableArray<MarketSeries> series = Three();
        RunPlan plan = Plan(series, ThreeStrategies(), "a", "b");
        string figures = Figures(plan, series);
        Assert.Equal(figures, Figures(plan, series));
        Assert.Equal(figures, Figures(plan with { Strategies = [.. plan.Strategies.Reverse()], Accounts = [.. plan.Accounts.Reverse()] }, series));
        Assert.Equal(figures, Figures(Renamed(plan, "else/where"), series));
    }

    [Fact]
    public void The_journal_alone_gives_the_same_report()
    {
        ImmutableArray<MarketSeries> series = Three();
        RunPlan plan = Plan(series, ThreeStrategies(), "a", "b");
        Dictionary<string, List<AccountEvent>> events = plan.Accounts.ToDictionary(account => account.Key, _ => new List<AccountEvent>());
        var backtest = new Backtest(plan, new RunSequence(series, plan)) { Recorded = (account, happened) => events[account].AddRange(happened) };
        RunReport live = backtest.Run();
        RunReport again = new RunHistory(plan, events.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutableArray()))
            .Report("backtest", null!, new RunSequence(series, plan), 0);
        Assert.Equal(Text(live), Text(again));
    }

    [Fact]
    public void Strategies_that_nobody_follows_cost_no_order_and_a_run_without_data_ends()
    {
        RunPlan plan = Plan([EurusdTicks.Value], [Of("sma-cross", "EURUSD", TimeFrame.M1)], "a");
        RunPlan nobody = plan with { Accounts = [plan.Accounts[0] with { Follows = ImmutableSortedDictionary<string, FollowTerms>.Empty }] };
        RunReport report = new Backtest(nobody, new RunSequence([EurusdTicks.Value], nobody)).Run();
        Assert.Equal((0, 100_000m, 0m, (long)EurusdTicks.Value.Count), (report.Orders, report.FinalEquity, report.MaxDrawdownPercent, report.DataPoints));
        MarketSeries none = MarketSeries.OfQuotes(Desk.Eurusd, Array.Empty<Quote>());
        Assert.Equal(0, new Backtest(plan, new RunSequence([none], plan)).Run().DataPoints);
    }

    [Fact]
    public void A_run_can_be_stopped()
    {
        RunPlan plan = Plan([EurusdTicks.Value], [Of("sma-cross", "EURUSD", TimeFrame.M1)], "a");
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new Backtest(plan, new RunSequence([EurusdTicks.Value], plan)).Run(_ => stop.Cancel(), stop.Token));
    }

    internal static ImmutableArray<MarketSeries> Three()
    {
        // A third instrument that converts nothing: the minutes of EURUSD under another name, so that three series share their times.
        MarketSeries minutes = MarketFiles.Lean("forex/oanda/minute/eurusd", 5).Between(null, new DateTime(2014, 5, 16, 0, 0, 0, DateTimeKind.Utc));
        MarketSeries aud = MarketSeries.OfBars(InstrumentCatalog.Get("AUDUSD"), TimeFrame.M1, minutes.Bars);
        return [aud, EurusdTicks.Value, XauusdMinutes.Value];
    }

    internal static StrategyPlan[] ThreeStrategies() =>
    [
        Of("sma-cross", "EURUSD", TimeFrame.M1), Of("donchian-breakout", "EURUSD", TimeFrame.M5),
        Of("sma-cross", "XAUUSD", TimeFrame.M5, 10), Of("donchian-breakout", "XAUUSD", TimeFrame.M15, 10),
        Of("sma-cross", "AUDUSD", TimeFrame.M1), Of("donchian-breakout", "AUDUSD", TimeFrame.M30),
    ];

    internal static StrategyPlan Of(string definition, string symbol, TimeFrame frame, decimal units = 10_000) => new(
        $"test/run/{definition}-{symbol.ToLowerInvariant()}", definition, StrategyCatalog.Find(definition).Bind([new("units", units)]), symbol, frame);

    internal static RunPlan Plan(IEnumerable<MarketSeries> series, StrategyPlan[] strategies, params string[] accounts)
    {
        ImmutableSortedDictionary<string, FollowTerms> follows = strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => new FollowTerms(Sizing.AsTheStrategySays), StringComparer.Ordinal);
        // The first account nets exactly; a second one hedges, rounds, slips, waits, watches its losses and takes half the size.
        AccountSettings[] settings =
        [
            new("USD", PositionMode.Netting, null, null, null, null, new ExecutionModel(CommissionRate: 0.00002m), TradingCalendar.Forex, null),
            new("USD", PositionMode.Hedging, 2, 30, 100, 50, new ExecutionModel(TimeSpan.FromMilliseconds(150), 1, 2, CommissionPerLot: 3.5m), TradingCalendar.Forex, TimeSpan.FromMinutes(1)),
        ];
        return new RunPlan(new InstrumentUniverse(series.Select(each => each.Instrument)), [.. strategies],
            [.. accounts.Select((name, i) => new AccountPlan($"test/run/{name}", settings[i], i == 0 ? RiskLimits.None : RiskLimits.Default, 100_000,
                i == 0 ? follows : follows.SetItems(follows.Select(follow => KeyValuePair.Create(follow.Key, new FollowTerms(new Sizing(SizingKind.StrategyUnits, 0.5m)))))))]);
    }

    private static RunPlan Renamed(RunPlan plan, string owner)
    {
        string New(string key) => $"{owner}{key[key.LastIndexOf('/')..]}";
        return plan with
        {
            Strategies = [.. plan.Strategies.Select(strategy => strategy with { Key = New(strategy.Key) })],
            Accounts = [.. plan.Accounts.Select(account => account with { Key = New(account.Key), Follows = account.Follows.ToImmutableSortedDictionary(follow => New(follow.Key), follow => follow.Value, StringComparer.Ordinal) })],
        };
    }

    private static string Figures(RunPlan plan, ImmutableArray<MarketSeries> series) => Text(new Backtest(plan, new RunSequence(series, plan)).Run());

    private static string Text(RunReport report) => FormattableString.Invariant(
        $"equity {report.FinalEquity:0.##########} closed {report.ClosedTrades} fees {report.Fees:0.##########} drawdown {report.MaxDrawdownPercent:0.##########} orders {report.Orders} fills {report.Fills} {report.OrderListHash[..16]}");
}
