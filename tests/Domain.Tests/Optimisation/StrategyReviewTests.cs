using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Optimisation;

public sealed class StrategyReviewTests
{
    private static RunPlan Plan(MarketSeries series, params (string Name, decimal Value)[] parameters)
    {
        RunPlan plan = NoiseMarket.Plan(series);
        return plan with { Strategies = [plan.Strategies[0] with { Parameters = SmaCross.Definition.Bind(parameters.Select(each => KeyValuePair.Create(each.Name, each.Value))) }] };
    }

    /// <summary>The live life of the plan from a day on, as a venue without surprises gives it.</summary>
    private static ImmutableArray<StrategyDay> Lived(RunPlan plan, MarketSeries series, DateTime from)
    {
        List<AccountEvent> events = [];
        new Backtest(plan, new RunSequence([series], plan)) { TradesFrom = from, Recorded = (_, happened) => events.AddRange(happened) }.Run();
        return StrategyDays.Of(plan.Strategies[0].Key, plan.Universe, [.. events], Enumerable.Range(0, series.Count).Select(i =>
        {
            Bar bar = series.Bars.Span[i];
            return new PriceMark(series.EventTime(i), series.Instrument.Symbol, new Quote(series.EventTime(i), bar.Bid.Close, bar.Ask.Close));
        }), from);
    }

    [Fact]
    public void A_live_strategy_that_does_as_its_back_test_did_is_as_expected()
    {
        MarketSeries series = NoiseMarket.Days(31, 1_500, 0.15);
        RunPlan plan = Plan(series, ("fast", 4), ("slow", 25));
        DateTime from = series.EventTime(1_200);
        StrategyReview review = StrategyReviewer.Review(plan, [series], from, Lived(plan, series, from), new ReviewOptions(Windows: 0), 2);
        Assert.Equal((LiveFinding.AsExpected, 300), (review.Live.Finding, review.Live.Days.Length));
        Assert.Equal((series.EventTime(series.Count - 1), from), (review.Made, review.LiveFrom));
        Assert.InRange(review.LiveTradesPerDay!.Value / review.ExpectedTradesPerDay!.Value, 0.5, 2);
        // Bars that end at the very time belong to the live life: 1,200 days were before.
        Assert.Equal(1_200, review.TestedDays, 1.0);
        Assert.Null(review.Proposal);
    }

    [Fact]
    public void A_strategy_whose_trends_have_gone_falls_below_its_band()
    {
        // The market trends for five years, then turns against whoever follows it.
        MarketSeries series = NoiseMarket.Days(32, 1_500, 0.3);
        RunPlan plan = Plan(series, ("fast", 2), ("slow", 20));
        DateTime from = series.EventTime(1_200);
        ImmutableArray<StrategyDay> decayed = [.. Lived(plan, series, from).Select(day => day with { Result = -day.Result })];
        StrategyReview review = StrategyReviewer.Review(plan, [series], from, decayed, new ReviewOptions(Windows: 0), 2);
        Assert.Equal(LiveFinding.Below, review.Live.Finding);
        Assert.NotNull(review.Live.LeftOn);
    }

    [Fact]
    public void Better_neighbours_are_proposed_where_there_is_an_edge_and_none_where_there_is_noise()
    {
        MarketSeries trending = NoiseMarket.Days(33, 3_000, 0.35);
        RunPlan plan = Plan(trending, ("fast", 9), ("slow", 40));
        DateTime from = trending.EventTime(2_900);
        StrategyReview review = StrategyReviewer.Review(plan, [trending], from, Lived(plan, trending, from), new ReviewOptions(MostTrials: 49), 2);
        ParameterProposal proposal = Assert.IsType<ParameterProposal>(review.Proposal);
        Assert.Equal(WalkForwardFinding.EdgeShown, proposal.Verdict.Finding);
        Assert.Equal(plan.Strategies[0].Parameters.Values.AsEnumerable(), proposal.From.AsEnumerable());
        Assert.NotEqual(proposal.From.AsEnumerable(), proposal.To.AsEnumerable());
        Assert.True(proposal.Proposed.SharpeDaily > proposal.Present.SharpeDaily);
        Assert.Equal(proposal.From["units"], proposal.To["units"]);
        Assert.InRange(proposal.To["fast"], 6, 12);
        // Its own strategy takes what is proposed.
        SmaCross.Definition.Bind(proposal.To);

        MarketSeries noise = NoiseMarket.Days(34, 3_000, 0);
        RunPlan luckless = Plan(noise, ("fast", 9), ("slow", 40));
        Assert.Null(StrategyReviewer.Review(luckless, [noise], noise.EventTime(2_900), [], new ReviewOptions(MostTrials: 49), 2).Proposal);
        // Too short to be cut into windows.
        MarketSeries little = NoiseMarket.Days(35, 5, 0.3);
        StrategyReview early = StrategyReviewer.Review(Plan(little), [little], little.EventTime(3), [], new ReviewOptions(), 1);
        Assert.Equal(LiveFinding.TooEarly, early.Live.Finding);
        Assert.Null(early.Proposal);
    }
}
