using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Strategies;

public sealed class StrategyTests
{
    [Fact]
    public void Every_strategy_of_the_catalogue_is_made_with_its_defaults_and_reads_known_features()
    {
        foreach (StrategyDefinition definition in StrategyCatalog.All)
        {
            Strategy strategy = definition.Make([]);
            Assert.NotEmpty(strategy.Inputs);
            Assert.All(strategy.Inputs, input => FeatureSpec.Parse(input.ToString()));
            Assert.Same(definition, StrategyCatalog.Find(definition.Name));
        }
    }

    [Theory]
    [InlineData("sma-cross", "fast", 50, "expected less than slow")]
    [InlineData("sma-cross", "fast", 2.5, "expected a whole number from 1 to 1000")]
    [InlineData("sma-cross", "slow", 1, "expected a whole number from 2 to 5000")]
    [InlineData("sma-cross", "fats", 5, "did you mean 'fast'")]
    [InlineData("rsi-reversion", "lower", 50, "expected a number from 1 to 49")]
    [InlineData("donchian-breakout", "exit", 30, "expected at most entry")]
    [InlineData("bollinger-reversion", "units", 0, "units is 0")]
    public void Parameters_are_checked_by_name_value_and_expectation(string name, string parameter, decimal value, string expected)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => StrategyCatalog.Find(name).Make([KeyValuePair.Create(parameter, value)]));
        Assert.Contains(expected, e.Message);
    }

    [Fact]
    public void Equal_parameters_are_equal_and_have_one_text()
    {
        StrategyParameters a = SmaCross.Definition.Bind([KeyValuePair.Create("fast", 10m), KeyValuePair.Create("units", 5000.00m)]);
        StrategyParameters b = SmaCross.Definition.Bind([KeyValuePair.Create("units", 5000m), KeyValuePair.Create("fast", 10.0m)]);
        Assert.Equal(a, b);
        Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.Equal("fast=10;slow=50;units=5000", a.ToString());
    }

    [Theory]
    [InlineData(double.NaN, 1, Stance.Flat, null)]
    [InlineData(29, 40, Stance.Flat, Stance.Long)]
    [InlineData(30, 40, Stance.Flat, null)]
    [InlineData(71, 40, Stance.Flat, Stance.Short)]
    [InlineData(50, 40, Stance.Long, Stance.Flat)]
    [InlineData(49, 40, Stance.Long, null)]
    [InlineData(50, 60, Stance.Short, Stance.Flat)]
    public void Rsi_reversion_enters_beyond_its_bounds_and_leaves_in_the_middle(double rsi, double before, Stance stance, Stance? wanted) =>
        Assert.Equal(wanted, Ask(new RsiReversion(14, 30, 70), stance, 1.1, [rsi], [before])?.Intent.Stance);

    [Theory]
    [InlineData(1.2, Stance.Flat, Stance.Short)]
    [InlineData(1.0, Stance.Flat, Stance.Long)]
    [InlineData(1.1, Stance.Flat, null)]
    [InlineData(1.1, Stance.Long, Stance.Flat)]
    [InlineData(1.05, Stance.Long, null)]
    [InlineData(1.1, Stance.Short, Stance.Flat)]
    public void Bollinger_reversion_trades_back_to_the_middle_band(double close, Stance stance, Stance? wanted)
    {
        double[] bands = [1.15, 1.1, 1.05, 0.004];
        Evaluation? evaluation = Ask(new BollingerReversion(20, 2, 1.5m), stance, close, bands, bands);
        Assert.Equal(wanted, evaluation?.Intent.Stance);
        if (wanted is Stance.Long or Stance.Short) Assert.Equal(0.006m, evaluation!.Intent.StopDistance);
    }

    [Theory]
    [InlineData(1.21, Stance.Flat, Stance.Long)]
    [InlineData(1.20, Stance.Flat, null)]
    [InlineData(0.99, Stance.Long, Stance.Short)]
    [InlineData(1.04, Stance.Long, Stance.Flat)]
    [InlineData(1.16, Stance.Short, Stance.Flat)]
    [InlineData(1.21, Stance.Long, null)]
    public void Donchian_breakout_measures_against_the_channel_before_the_bar(double close, Stance stance, Stance? wanted)
    {
        double[] now = [9, 0.1, 9, 0.1, 0.004], before = [1.2, 1.0, 1.15, 1.05, 0.004];
        Assert.Equal(wanted, Ask(new DonchianBreakout(20, 10, 2), stance, close, now, before)?.Intent.Stance);
    }

    [Fact]
    public void A_bar_seen_before_is_not_asked_about_again_and_the_readings_are_what_was_seen()
    {
        StrategyEvaluator evaluator = Evaluator(new SmaCross(20, 50));
        var state = StrategyState.Initial with { LastPosition = 7 };
        double[] values = [1.2, 1.1, 1];
        Assert.Null(evaluator.Evaluate(default, 1, default, 7, state, values, values));
        Evaluation evaluation = evaluator.Evaluate(default, 2, default, 8, state, values, values)!;
        Assert.Equal([("sma(20)", 1.2), ("sma(50)", 1.1), ("cross(sma(20),sma(50))", 1)], evaluation.Readings.Select(reading => (reading.Feature, reading.Value)));
        Assert.Equal(8, evaluation.MarketPosition);
    }

    private static StrategyEvaluator Evaluator(Strategy strategy)
    {
        List<FeatureSpec> inputs = [.. strategy.Inputs];
        return new StrategyEvaluator(strategy, Desk.Eurusd, TimeFrame.M1, inputs.IndexOf);
    }

    private static Evaluation? Ask(Strategy strategy, Stance stance, double close, double[] values, double[] before)
    {
        long points = (long)Math.Round(close * 100_000);
        var ohlc = new Ohlc(points, points, points, points);
        return Evaluator(strategy).Evaluate(new Bar(Desk.Start, ohlc, ohlc, 1), 1, Desk.Start, 1, StrategyState.Initial with { Stance = stance }, values, before);
    }
}
