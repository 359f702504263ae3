using System.Collections.Immutable;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Domain.Tests.Backtesting;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Optimisation;

public sealed class SearchTests
{
    private static readonly Lazy<MarketSeries> Hours = new(() => MarketFiles.Mt5("eurusd_h4"));

    [Theory]
    [InlineData("fast=5..20/5", "5 10 15 20")]
    [InlineData("fast=5..8", "5 6 7 8")]
    [InlineData("fast=5..19/5", "5 10 15")]
    [InlineData("fast=40,3", "40 3")]
    [InlineData("units=1..2/0.5", "1.0 1.5 2.0")]
    public void A_dimension_is_read(string text, string values) =>
        Assert.Equal(values, string.Join(' ', SearchDimension.Parse(text, SmaCross.Definition).Values.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture))));

    [Fact]
    public void A_parameter_of_a_rule_brings_its_own_range()
    {
        StrategyDefinition rule = RuleLanguage.Define("param n = 20 from 10 to 50 step 20; param k = 2 from 1 to 2 step 0.5; enter long when close > sma(n) + atr(n) * k; exit when close < sma(n);");
        Assert.Equal([10, 30, 50], SearchDimension.Parse("n", rule).Values);
        Assert.Equal([1m, 1.5m, 2m], SearchDimension.Parse("k", rule).Values);
        Assert.Equal([20, 40], SearchDimension.Parse("n=20..40", rule).Values);
    }

    [Theory]
    [InlineData("fats=1..2", "did you mean 'fast'")]
    [InlineData("fast=0..2", "fast is 0; expected a whole number from 1 to 1000")]
    [InlineData("fast=1,1.5", "fast is 1.5; expected a whole number")]
    [InlineData("fast=2..1", "2 is more than 1")]
    [InlineData("fast=1..9/0", "the step is 0; expected more than 0")]
    [InlineData("fast=1..x", "'x' is no number")]
    [InlineData("fast=3,3", "a value stands there twice")]
    [InlineData("fast", "how far apart the values are is not known")]
    [InlineData("units=1..1000000000/0.001", "more than 100000 values")]
    public void A_wrong_dimension_says_what_is_wrong(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => SearchDimension.Parse(text, SmaCross.Definition)).Message);

    [Fact]
    public void A_grid_has_what_goes_together_and_no_more()
    {
        ImmutableArray<StrategyParameters> grid = Space("fast=10..50/10", "slow=30..60/10").Grid();
        Assert.Equal(20 - 3 - 2 - 1, grid.Length);
        Assert.All(grid, trial => Assert.True(trial["fast"] < trial["slow"]));
        Assert.Equal(grid.Length, grid.Distinct().Count());
        Assert.Equal("fast=10;slow=30;units=10000", grid[0].ToString());
        Assert.Equal("fast=10;slow=40;units=10000", grid[1].ToString());
        Assert.Throws<ArgumentException>(() => Space("fast=50", "slow=10..20").Grid());
        Assert.Throws<ArgumentException>(() => Space("fast=1..1000", "slow=2..5000").Grid());
        Assert.Throws<ArgumentException>(() => new SearchSpace(SmaCross.Definition, [SearchDimension.Parse("fast=1..9", SmaCross.Definition)], [new("fast", 5)]));
    }

    [Fact]
    public void A_random_search_is_its_seed()
    {
        SearchSpace space = Space("fast=1..200", "slow=2..400");
        ImmutableArray<StrategyParameters> trials = space.Random(300, 7);
        Assert.Equal(300, trials.Distinct().Count());
        Assert.Equal(trials, space.Random(300, 7));
        Assert.Equal(trials[..100], space.Random(100, 7));
        Assert.NotEqual(trials, space.Random(300, 8));
        Assert.All(trials, trial => Assert.True(trial["fast"] < trial["slow"]));
        Assert.Equal(Space("fast=1..3", "slow=4..5").Grid(), Space("fast=1..3", "slow=4..5").Random(6, 1));
    }

    [Fact]
    public void A_trial_is_the_back_test_of_its_settings()
    {
        RunPlan plan = NoiseMarket.Plan(Hours.Value) with { };
        plan = plan with { Strategies = [plan.Strategies[0] with { TimeFrame = Hours.Value.TimeFrame }] };
        var runner = new TrialRunner(plan, [Hours.Value]);
        foreach (StrategyParameters parameters in Space("fast=1..60", "slow=2..200").Random(8, 3))
        {
            RunPlan own = plan with { Strategies = [plan.Strategies[0] with { Parameters = parameters }] };
            RunReport report = new Backtest(own, new RunSequence([Hours.Value], own)).Run();
            TrialOutcome trial = runner.Run(parameters);
            Assert.Equal((report.FinalEquity, report.ClosedTrades, report.Accounts[0].WonTrades, report.Fees, report.Orders),
                (trial.Statistics.FinalEquity, trial.Statistics.ClosedTrades, trial.Statistics.WonTrades, trial.Statistics.Fees, trial.Statistics.Orders));
            Assert.Equal((double)report.MaxDrawdownPercent!.Value, trial.Statistics.MaxDrawdown * 100, 12);
            Assert.Equal((double)(report.FinalEquity!.Value / 100_000m), trial.Returns.Aggregate(1.0, (value, each) => value * (1 + each)), 9);
            ReturnMetrics metrics = ReturnMetrics.Of(trial.Returns, new ReturnConvention(trial.PeriodsPerYear));
            Assert.Equal(metrics.Sharpe!.Value, trial.Statistics.SharpeDaily!.Value, 9);
            Assert.Equal(metrics.Sortino!.Value, trial.Statistics.SortinoDaily!.Value, 9);
            Assert.True(trial.Statistics.ClosedTrades > 5);
        }
    }

    [Fact]
    public void Neither_threads_nor_an_interruption_change_a_search()
    {
        RunPlan plan = NoiseMarket.Plan(NoiseMarket.Days(5, 800, 0.2));
        MarketSeries days = NoiseMarket.Days(5, 800, 0.2);
        ImmutableArray<StrategyParameters> trials = Space("fast=2..9", "slow=10..30/5").Grid();
        var runner = new TrialRunner(plan, [days]);
        ImmutableArray<TrialStatistics> alone = Search.Run(trials, parameters => runner.Run(parameters).Statistics, 1);
        Assert.Equal(alone, Search.Run(trials, parameters => runner.Run(parameters).Statistics, 4));

        Dictionary<int, TrialStatistics> kept = [];
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Search.Run(trials, parameters => runner.Run(parameters, stop.Token).Statistics, 3, null, (trial, statistics) =>
        {
            kept[trial] = statistics;
            if (kept.Count == 7) stop.Cancel();
        }, stop.Token));
        Assert.InRange(kept.Count, 7, trials.Length - 1);
        int again = 0;
        Assert.Equal(alone, Search.Run(trials, parameters =>
        {
            Interlocked.Increment(ref again);
            return runner.Run(parameters).Statistics;
        }, 3, kept));
        Assert.Equal(trials.Length - kept.Count, again);
    }

    [Fact]
    public void Objectives_rank_by_what_they_say_and_constraints_sort_out()
    {
        var quiet = new TrialStatistics(110_000, 10_000, 0.1, 0, 0, 0.02, 2_000, 20, 10, 7, 3, 1, 2, 1.5, 2, 1.2, 1.8, 2);
        var wild = quiet with { NetProfit = 20_000, NetReturn = 0.2, MaxDrawdown = 0.4, MaxDrawdownMoney = 40_000, SharpeDaily = 0.5, Sharpe = 0.6, Sortino = 0.7, SortinoDaily = 0.6, Calmar = 0.3, HoldingDays = 1 };
        var idle = new TrialStatistics(100_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null, null, null, null, null);
        ImmutableArray<Trial> trials = [.. ((TrialStatistics[])[quiet, wild, idle]).Select((each, i) => new Trial(i, SmaCross.Definition.Bind([]), each))];
        string Order(string objective, TrialConstraints? constraints = null) =>
            string.Join(' ', Search.Rank(trials, Objective.Find(objective), constraints ?? new TrialConstraints()).Select(trial => trial.Number));
        Assert.Equal("1 0", Order("profit"));
        Assert.Equal("1 0", Order("short-trades"));
        foreach (string risk in (string[])["sharpe", "sharpe-daily", "sortino", "sortino-daily", "calmar", "profit-drawdown", "max-drawdown", "max-drawdown-relative"]) Assert.Equal("0 1", Order(risk));
        Assert.Equal("1 0", Order("multi"));
        Assert.Equal("0", Order("profit", new TrialConstraints(MaxDrawdownPercent: 10)));
        Assert.Equal("1 0 2", Order("profit", new TrialConstraints(0)));
        Assert.Equal("", Order("profit", new TrialConstraints(11)));
        Assert.Contains("sharpe-daily", Assert.Throws<ArgumentException>(() => Objective.Find("sharp")).Message);
    }

    private static SearchSpace Space(params string[] dimensions) =>
        new(SmaCross.Definition, [.. dimensions.Select(text => SearchDimension.Parse(text, SmaCross.Definition))], []);
}
