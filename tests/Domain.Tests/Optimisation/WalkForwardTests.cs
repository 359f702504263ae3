using System.Collections.Immutable;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Optimisation;

public sealed class WalkForwardTests
{
    private const int Days = 3_900;

    // The first 5 of the 100 seeds that the benchmark "verdict" runs.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Noise_shows_no_edge_and_a_planted_one_is_shown(ulong seed)
    {
        WalkForwardResult noise = Run(NoiseMarket.Days(seed, Days, 0), new WalkForwardOptions());
        Assert.Equal(WalkForwardFinding.NoEdgeShown, noise.Verdict.Finding);
        WalkForwardResult planted = Run(NoiseMarket.Days(seed, Days, 0.25), new WalkForwardOptions());
        Assert.Equal(WalkForwardFinding.EdgeShown, planted.Verdict.Finding);
        Assert.All(planted.Verdict.Evidence, evidence => Assert.NotEqual(false, evidence.Passed));
    }

    [Fact]
    public void Windows_roll_or_are_anchored_and_cover_what_follows_the_first_search()
    {
        MarketSeries days = NoiseMarket.Days(1, 1_000, 0.2);
        WalkForwardResult rolling = Run(days, new WalkForwardOptions(5, 2)), anchored = Run(days, new WalkForwardOptions(5, 2, Anchored: true));
        TimeSpan window = rolling.Windows[1].OutFrom - rolling.Windows[0].OutFrom;
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(rolling.Windows[i].OutFrom, anchored.Windows[i].OutFrom);
            Assert.Equal(2 * window.TotalDays, (rolling.Windows[i].OutFrom - rolling.Windows[i].InFrom).TotalDays, 6);
            Assert.Equal(days.Bars.Span[0].OpenTime, anchored.Windows[i].InFrom);
            if (i > 0) Assert.Equal(rolling.Windows[i - 1].OutTo, rolling.Windows[i].OutFrom);
        }
        Assert.Equal(days.Bars.Span.ToArray().Count(bar => bar.OpenTime >= rolling.Windows[0].OutFrom), rolling.Stitched.Length);
        Assert.Equal(rolling.Stitched.Select(day => day.Date).Distinct().Order(), rolling.Stitched.Select(day => day.Date));
        Assert.Equal(rolling.Stitched.Aggregate(1.0, (equity, day) => equity * (1 + day.Return)), rolling.Stitched[^1].Equity, 12);
        Assert.Equal(Text(rolling), Text(Run(days, new WalkForwardOptions(5, 2), threads: 1)));
        HeatMap map = Assert.Single(rolling.HeatMaps);
        Assert.Equal((4, 4), (map.Values.Length, map.Values[0].Length));
        Assert.All(map.Values.SelectMany(row => row), cell => Assert.NotNull(cell));
    }

    [Fact]
    public void What_comes_after_a_window_changes_nothing_in_it()
    {
        MarketSeries days = NoiseMarket.Days(2, 1_000, 0.2);
        WalkForwardResult before = Run(days, new WalkForwardOptions(5, 2));
        Bar[] bars = days.Bars.ToArray();
        DateTime from = before.Windows[2].OutTo;
        for (int i = 0; i < bars.Length; i++)
        {
            if (bars[i].OpenTime < from) continue;
            var flat = new Ohlc(bars[i].Bid.Open + 500, bars[i].Bid.High + 900, bars[i].Bid.Low, bars[i].Bid.Low + i % 7);
            bars[i] = bars[i] with { Bid = flat, Ask = flat };
        }
        WalkForwardResult after = Run(MarketSeries.OfBars(days.Instrument, days.TimeFrame, bars), new WalkForwardOptions(5, 2));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal((before.Windows[i].Trial, before.Windows[i].InSample, before.Windows[i].OutOfSample), (after.Windows[i].Trial, after.Windows[i].InSample, after.Windows[i].OutOfSample));
        }
        Assert.NotEqual(before.Windows[4].OutOfSample, after.Windows[4].OutOfSample);
    }

    [Fact]
    public void One_that_is_gone_on_with_makes_only_what_is_missing_and_comes_to_the_same()
    {
        WalkForward walk = NoiseMarket.WalkForward(NoiseMarket.Days(5, 900, 0.2), new WalkForwardOptions(3, 2));
        Dictionary<int, WalkForwardRun> made = [];
        string whole = Text(walk.Run(2, finished: made.Add));
        Assert.Equal(Enumerable.Range(0, walk.Runs), made.Keys.Order());
        // Cut off in a window, and in the round over all data.
        foreach (int known in (int[])[walk.Runs / 2, walk.Runs - 3])
        {
            List<int> again = [];
            List<double> progress = [];
            WalkForwardResult resumed = walk.Run(2, progress.Add, default, made.Where(run => run.Key < known).ToDictionary(), (number, _) => again.Add(number));
            Assert.Equal(Enumerable.Range(known, walk.Runs - known), again.Order());
            Assert.Equal(((double)(known + 1) / walk.Runs, 1.0), (progress[0], progress[^1]));
            Assert.Equal(whole, Text(resumed));
        }
    }

    [Fact]
    public void Few_days_are_not_enough_and_constraints_that_nothing_keeps_leave_it_flat()
    {
        Assert.Equal(WalkForwardFinding.NotEnoughData, Run(NoiseMarket.Days(3, 250, 0.2), new WalkForwardOptions(4, 1)).Verdict.Finding);
        MarketSeries days = NoiseMarket.Days(3, 900, 0.2);
        SearchSpace space = new(Domain.Strategies.SmaCross.Definition, [SearchDimension.Parse("fast=2,5", Domain.Strategies.SmaCross.Definition)], []);
        WalkForwardResult flat = new WalkForward(NoiseMarket.Plan(days), [days], space, space.Grid(), Objective.All[0], new TrialConstraints(10_000), new WalkForwardOptions(4, 1)).Run(1);
        Assert.All(flat.Windows, window => Assert.Null(window.Trial));
        Assert.All(flat.Stitched, day => Assert.Equal(0, day.Return));
        Assert.Equal(WalkForwardFinding.NotEnoughData, flat.Verdict.Finding);
    }

    [Theory]
    [InlineData(1, 3, "windows is 1")]
    [InlineData(10, 0, "ratio is 0")]
    [InlineData(200, 100, "shorter than a day")]
    public void Wrong_cuts_are_refused(int windows, double ratio, string expected) => Assert.Contains(expected,
        Assert.Throws<ArgumentException>(() => Run(NoiseMarket.Days(1, 200, 0), new WalkForwardOptions(windows, ratio))).Message);

    private static WalkForwardResult Run(MarketSeries days, WalkForwardOptions options, int threads = 2) => NoiseMarket.WalkForward(days, options).Run(threads);

    private static string Text(WalkForwardResult result) => System.Text.Json.JsonSerializer.Serialize(result);
}
