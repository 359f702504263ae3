using System.Collections.Immutable;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Backtesting;

public sealed class CheckTests
{
    private static readonly MarketSeries Days = NoiseMarket.Days(11, 1_200, 0.1);

    [Fact]
    public void No_shipped_strategy_looks_ahead()
    {
        foreach (StrategyDefinition definition in StrategyCatalog.All)
        {
            LookaheadResult result = LookaheadCheck.Run(Plan(definition), [Days], 16);
            Assert.Empty(result.Differences);
            Assert.True(result is { Cuts: > 10, Decisions: > 10, Events: > 30 });
        }
    }

    [Fact]
    public void A_strategy_that_peeks_is_caught()
    {
        // It was made with the data in sight, and buys when the next close is higher: the last bar of the data is the only one at which it cannot know.
        LookaheadResult result = LookaheadCheck.Run(Plan(SmaCross.Definition), [Days], 16, (data, _) => new Peeking(data[0]));
        Assert.NotEmpty(result.Differences);
        Assert.Contains(result.Differences, difference => difference.After?.Contains("decides", StringComparison.Ordinal) == true && difference.Before != difference.After);
    }

    [Fact]
    public void Knowing_the_range_of_all_data_is_caught_as_well()
    {
        // The commonest fault of all: a level that is worked out over the whole of the data.
        LookaheadResult result = LookaheadCheck.Run(Plan(SmaCross.Definition), [Days], 16, (data, _) => new WholeRange(data[0]));
        Assert.NotEmpty(result.Differences);
    }

    [Fact]
    public void Windows_forget_and_recursive_features_are_a_fault_until_enough_bars_are_given()
    {
        Assert.False(WarmUpCheck.Run(Plan(SmaCross.Definition), [Days], null, 0).HasFault);
        WarmUpResult little = WarmUpCheck.Run(Plan(RsiReversion.Definition), [Days], null, 0.01);
        WarmUpFeature rsi = Assert.Single(little.Features);
        Assert.True(little.HasFault && rsi.IsFault && rsi.Given.Deviation > 0.01);
        Assert.True(rsi.Points[^1].Deviation < 1e-6 && rsi.Settled > rsi.Ready);
        Assert.False(WarmUpCheck.Run(Plan(RsiReversion.Definition), [Days], 300, 0.0001).HasFault);
    }

    [Fact]
    public void A_feature_that_is_used_before_it_is_warm_is_caught()
    {
        // It asks for an average of 200 bars and acts on it after 20.
        RunPlan plan = Plan(SmaCross.Definition);
        WarmUpResult result = WarmUpCheck.Run(plan, [Days], 20, 0.01, _ => new AboveAverage());
        WarmUpFeature ema = Assert.Single(result.Features);
        Assert.True(ema is { IsFault: true, Given.Deviation: null, Ready: 200 });
        Assert.True(result.HasFault);
    }

    [Fact]
    public void Decisions_that_count_from_the_first_bar_are_caught_although_every_feature_is_settled()
    {
        WarmUpResult result = WarmUpCheck.Run(Plan(SmaCross.Definition), [Days], 100, 0.01, _ => new CountsBars());
        Assert.DoesNotContain(result.Features, feature => feature.IsFault);
        Assert.Contains(result.Decisions, decisions => decisions.Different > 0);
        Assert.True(result.HasFault);
    }

    private static RunPlan Plan(StrategyDefinition definition)
    {
        RunPlan plan = NoiseMarket.Plan(Days);
        return plan with { Strategies = [plan.Strategies[0] with { Definition = definition.Name, Parameters = definition.Bind([]) }] };
    }

    private sealed class Peeking(MarketSeries data) : Strategy
    {
        public override Intent? Evaluate(in StrategyContext context)
        {
            int next = (int)context.BarNumber;
            return next >= data.Count ? null : data.Bars.Span[next].Bid.Close > context.Bar.Bid.Close ? Intent.Long("it will rise") : Intent.Short("it will fall");
        }
    }

    private sealed class WholeRange(MarketSeries data) : Strategy
    {
        private readonly double _middle = data.Bars.ToArray().Select(bar => (double)bar.Bid.Close).DefaultIfEmpty(0).Average();

        public override Intent? Evaluate(in StrategyContext context) => context.Bar.Bid.Close > _middle ? Intent.Short("above the mean of all data") : Intent.Long("below it");
    }

    private sealed class AboveAverage : Strategy
    {
        private readonly FeatureInput _average;

        public AboveAverage() => _average = Use(Feature.Ema(200));

        public override bool NeedsAllInputs => false;

        public override Intent? Evaluate(in StrategyContext context) => context.Close > context[_average] ? Intent.Long("above the average") : Intent.Exit("below it, or it is not ready");
    }

    private sealed class CountsBars : Strategy
    {
        private readonly FeatureInput _close;

        public CountsBars() => _close = Use(Feature.Close);

        public override Intent? Evaluate(in StrategyContext context) => (context.BarNumber / 7 + (context[_close] > 0 ? 0 : 1)) % 2 == 0 ? Intent.Long("an even week") : Intent.Exit("an odd one");
    }
}
