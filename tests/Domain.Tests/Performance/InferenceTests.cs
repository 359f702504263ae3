using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class InferenceTests
{
    /// <summary>Values of the normal distribution from tables of 15 digits.</summary>
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.841344746068543)]
    [InlineData(-1.959963984540054, 0.025)]
    [InlineData(3, 0.998650101968370)]
    [InlineData(-8, 6.22096057427178e-16)]
    public void The_normal_distribution(double x, double p)
    {
        Assert.Equal(p, Statistics.NormalCdf(x), 1e-14);
        Assert.Equal(1, Statistics.NormalCdf(x) / p, 1e-12);
        if (p > 1e-9) Assert.Equal(x, Statistics.NormalQuantile(p), 1e-12);
    }

    [Fact]
    public void The_quantile_undoes_the_distribution() => Prop.ForAll(Gen.Choose(1, 999_999).ToArbitrary(), millionths =>
    {
        double p = millionths / 1e6;
        Assert.Equal(p, Statistics.NormalCdf(Statistics.NormalQuantile(p)), 1e-14);
    }).Check(Config.QuickThrowOnFailure);

    /// <summary>
    /// The numerical example of "The Deflated Sharpe Ratio" (2014): annualised 2.5 over 1,250 days, skew -3, kurtosis 10, 100 trials with a variance of 1/2:
    /// expected maximum 0.1132 a day, deflated 0.9004.
    /// </summary>
    [Fact]
    public void The_example_of_the_deflated_sharpe_ratio()
    {
        Assert.Equal(0.1132, SharpeInference.ExpectedMaximum(100, 0.5 / 250), 5e-5);
        double daily = 2.5 / Math.Sqrt(250);
        Assert.Equal(0.9004, SharpeInference.Deflated(daily, 1250, -3, 10, 100, 0.5 / 250)!.Value, 5e-5);
        Assert.Equal(SharpeInference.Probabilistic(daily, 1250, -3, 10), SharpeInference.Deflated(daily, 1250, -3, 10, 1, 0.5));
    }

    [Fact]
    public void At_the_minimum_track_record_the_probability_is_the_confidence() => Prop.ForAll(
        Gen.Choose(1, 300).SelectMany(sharpe => Gen.Choose(-200, 200).Select(skew => (sharpe / 1000.0, skew / 100.0))).ToArbitrary(), given =>
        {
            (double sharpe, double skew) = given;
            double length = SharpeInference.MinimumTrackRecordLength(sharpe, skew, 8)!.Value;
            double error = Math.Sqrt((1 - skew * sharpe + 7.0 / 4 * sharpe * sharpe) / (length - 1));
            Assert.Equal(0.95, Statistics.NormalCdf(sharpe / error), 1e-9);
        }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void No_track_record_proves_a_ratio_that_is_not_above_the_benchmark() =>
        Assert.Null(SharpeInference.MinimumTrackRecordLength(0.1, 0, 3, benchmark: 0.1));

    [Fact]
    public void Noise_is_chosen_by_chance_and_skill_by_merit()
    {
        double[][] noise = [.. Enumerable.Range(0, 40).Select(v => Noise(640, (ulong)v + 1, 0))];
        OverfittingResult chance = Overfitting.Assess(noise, 10);
        Assert.Equal(252, chance.Combinations);
        Assert.InRange(chance.Probability, 0.2, 0.9);
        OverfittingResult merit = Overfitting.Assess([.. noise, Noise(640, 99, 0.5)], 10);
        Assert.Equal(0, merit.Probability);
        Assert.Equal(0, merit.LossProbability);
        Assert.True(merit.MedianLogit > 3, $"{merit.MedianLogit}");
    }

    /// <summary>Two variants that win in one half each: who is better in sample is worse out of it, in the one split in two.</summary>
    [Fact]
    public void A_choice_that_always_turns_out_wrong()
    {
        double[] first = [0.03, 0.02, -0.03, -0.02], second = [-0.02, -0.03, 0.02, 0.03];
        Assert.Equal((1.0, 2, 1.0), (Overfitting.Assess([first, second], 2).Probability, Overfitting.Assess([first, second], 2).Combinations, Overfitting.Assess([first, second], 2).LossProbability));
    }

    [Fact]
    public void The_probability_lies_between_0_and_1_and_knows_no_order_of_variants() => Prop.ForAll(
        Gen.Choose(2, 6).SelectMany(count => Gen.Choose(1, 1_000_000).Select(seed => (count, seed))).ToArbitrary(), given =>
        {
            double[][] variants = [.. Enumerable.Range(0, given.count).Select(v => Noise(48, (ulong)(given.seed + v), 0))];
            OverfittingResult result = Overfitting.Assess(variants, 6);
            Assert.InRange(result.Probability, 0, 1);
            Assert.Equal(result, Overfitting.Assess([.. variants.Reverse()], 6));
            Assert.Equal(result.Probability, Overfitting.Assess([.. variants.Select(variant => variant.Select(each => 4 * each).ToArray())], 6).Probability);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void What_cannot_be_validated_is_refused()
    {
        double[] long64 = Noise(64, 1, 0);
        Assert.Throws<ArgumentException>(() => Overfitting.Assess([long64]));
        Assert.Throws<ArgumentException>(() => Overfitting.Assess([long64, Noise(63, 2, 0)]));
        Assert.Throws<ArgumentException>(() => Overfitting.Assess([long64, long64], 7));
        Assert.Throws<ArgumentException>(() => Overfitting.Assess([long64[..20], long64[..20]], 16));
    }

    [Fact]
    public void Monte_carlo_repeats_by_its_seed()
    {
        double[] returns = Noise(500, 3, 0.05);
        MonteCarloResult once = MonteCarlo.Bootstrap(returns, 1000, seed: 7, paths: 200)!, again = MonteCarlo.Bootstrap(returns, 1000, seed: 7, paths: 200)!;
        Assert.Equal(once.Bands, again.Bands);
        Assert.Equal(once.MaxDrawdown, again.MaxDrawdown);
        Assert.NotEqual(once.Final, MonteCarlo.Bootstrap(returns, 1000, seed: 8, paths: 200)!.Final);
        Assert.Equal(8, once.MeanBlock);
        Assert.Equal((0, 500, 121), (once.Bands[0].Step, once.Bands[^1].Step, once.Bands.Length));
    }

    [Fact]
    public void The_order_of_trades_changes_the_way_and_not_the_end()
    {
        double[] trades = [.. Noise(300, 5, 0.2).Select(each => Math.Round(each * 10_000))];
        MonteCarloResult shuffled = MonteCarlo.ShuffleTrades(trades, 100_000)!;
        double end = 100_000 + trades.Sum();
        Assert.Equal((end, end), (shuffled.Final.P5, shuffled.Final.P95));
        Assert.True(shuffled.MaxDrawdown.P5 < shuffled.MaxDrawdown.P95 && shuffled.MaxDrawdown.P95 < 0);
        MonteCarloResult resampled = MonteCarlo.ResampleTrades(trades, 100_000)!;
        Assert.True(resampled.Final.P5 < end && resampled.Final.P95 > end);
        Assert.All(resampled.Bands, band => Assert.True(band.P5 <= band.P25 && band.P25 <= band.P50 && band.P50 <= band.P75 && band.P75 <= band.P95));
        Assert.Null(MonteCarlo.ShuffleTrades([1], 100));
    }

    /// <summary>A block as long as the series is the series itself, from another start: each path ends where the series does.</summary>
    [Fact]
    public void Whole_blocks_end_where_the_series_ends()
    {
        double[] returns = Noise(50, 11, 0.1);
        MonteCarloResult whole = MonteCarlo.Bootstrap(returns, 1, paths: 20, meanBlock: 1e9)!;
        double end = returns.Aggregate(1.0, (value, each) => value * (1 + each));
        Assert.Equal(end, whole.Final.P5, 1e-12);
        Assert.Equal(end, whole.Final.P95, 1e-12);
    }

    private static double[] Noise(int count, ulong seed, double sharpe)
    {
        var random = new SplitMix64(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = 0.01 * (random.NextBell() + sharpe);
        return values;
    }
}
