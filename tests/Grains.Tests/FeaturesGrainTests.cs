using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;

namespace HybridTrading.Grains.Tests;

public sealed class FeaturesGrainTests
{
    private static readonly long[] Prices = [110_000, 110_040, 110_010, 110_090, 110_030, 110_070, 110_020, 110_100, 110_060];

    [Fact]
    public async Task Features_are_warm_from_the_bars_of_history_at_the_first_bar()
    {
        await using TestWorld world = TestWorld.Create();
        await StoreAsync(world, Prices);
        await world.StartAsync();
        await world.Features(TimeFrame.M1).Compute("sma-cross", Parameters(2, 5));
        await world.MinutesAsync("EURUSD", 110_000, 110_050);
        AssertIs(world, (await world.Features(TimeFrame.M1).GetView())!, [.. Prices, 110_000]);
    }

    [Fact]
    public async Task What_is_asked_for_later_joins_what_is_there_though_all_ask_at_once()
    {
        await using TestWorld world = TestWorld.Create();
        await StoreAsync(world, Prices);
        await world.StartAsync();
        await Task.WhenAll(Enumerable.Range(2, 20).Select(slow => world.Features(TimeFrame.M1).Compute("sma-cross", Parameters(1, slow))));
        await world.MinutesAsync("EURUSD", 110_000, 110_050);
        FeatureUpdate update = (await world.Features(TimeFrame.M1).GetView())!;
        foreach (int slow in Enumerable.Range(2, 20)) Assert.Contains($"sma({slow})", update.Specs);
        AssertIs(world, update, [.. Prices, 110_000]);
    }

    [Fact]
    public async Task After_a_restart_features_are_those_of_the_uninterrupted()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.RunStrategyAsync("acme/ann/turning");
        await world.MinutesAsync("EURUSD", Prices);
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", 110_010, 110_080);
        AssertIs(world, (await world.Features(TimeFrame.M1).GetView())!, [.. Prices, 110_010]);
    }

    [Fact]
    public async Task The_first_bar_after_a_restart_reaches_the_strategies()
    {
        const string Key = "acme/ann/turning";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.RunStrategyAsync(Key);
        // Rises throughout: the turn comes with the first bar after the restart.
        await world.MinutesAsync("EURUSD", 110_000, 110_010, 110_020, 110_030, 110_010);
        Assert.Equal(0, (await world.Strategy(Key).GetView())!.State.Decisions);
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", 110_000);
        Assert.Equal(Stance.Short, (await world.Strategy(Key).GetView())!.State.Stance);
    }

    [Fact]
    public async Task Who_has_left_is_evaluated_no_more_and_joining_twice_is_joining_once()
    {
        const string Key = "acme/ann/turning";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.RunStrategyAsync(Key);
        await world.Strategy(Key).Start();
        await world.Strategy(Key).Wake();
        await world.MinutesAsync("EURUSD", 110_000, 110_020, 110_040, 110_010, 110_000);
        Assert.Equal(1, (await world.Strategy(Key).GetView())!.State.Decisions);
        await world.Strategy(Key).Stop();
        await world.MinutesAsync("EURUSD", 110_050, 110_000, 110_090);
        Assert.Equal(1, (await world.Strategy(Key).GetView())!.State.Decisions);
    }

    private static ImmutableSortedDictionary<string, decimal> Parameters(int fast, int slow) =>
        StrategyCatalog.Find("sma-cross").Bind(new Dictionary<string, decimal> { ["fast"] = fast, ["slow"] = slow }).Values;

    private static async Task StoreAsync(TestWorld world, long[] closes)
    {
        await world.Bars.AppendAsync("EURUSD", TimeFrame.M1, closes.Select((close, i) =>
            BarAt(world.Now.AddMinutes(i - closes.Length), close)).ToArray());
    }

    private static Bar BarAt(DateTime time, long close)
    {
        var prices = new Ohlc(close, close, close, close);
        return new Bar(time, prices, prices.Shift(2), 1);
    }

    /// <summary>The update is that of a set which has seen just these closes.</summary>
    private static void AssertIs(TestWorld world, FeatureUpdate update, long[] closes)
    {
        var set = new FeatureSet(world.Options.Universe.Find("EURUSD")!, TimeFrame.M1, update.Specs.Select(FeatureSpec.Parse));
        DateTime time = world.Now.Date;
        foreach (long close in closes) set.Update(BarAt(time = time.AddMinutes(1), close));
        Assert.NotEmpty(update.Specs);
        Assert.Equal(set.Values.ToArray(), update.Values);
        Assert.Equal(set.Previous.ToArray(), update.Previous);
    }
}
