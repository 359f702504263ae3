using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

public sealed class ShardGrainTests
{
    private static readonly long[] Turn = [110_000, 110_020, 110_040, 110_010, 110_000];

    private static readonly string[] Keys = [.. Enumerable.Range(0, 7).Select(i => $"acme/ann/s{i}")];

    [Fact]
    public async Task Equal_strategies_in_several_shards_all_decide_on_the_same_readings()
    {
        await using TestWorld world = TestWorld.Create(Options(isRun: false));
        await world.StartAsync();
        foreach (string key in Keys) await world.RunStrategyAsync(key);
        await world.MinutesAsync("EURUSD", Turn);
        StrategyView?[] views = await Task.WhenAll(Keys.Select(key => world.Strategy(key).GetView()));
        Assert.All(views, view => Assert.Equal(1, view!.State.Decisions));
        Assert.Single(views.Select(view => string.Join(';', view!.LastDecision!.Features)).Distinct());
    }

    [Fact]
    public async Task Strategies_that_differ_in_size_alone_decide_alike_each_for_its_own_size()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        for (int i = 0; i < 3; i++)
        {
            await world.Strategy(Keys[i]).Create(TestWorld.Turning(units: 1000 * (i + 1)));
            await world.Strategy(Keys[i]).Start();
        }
        await world.MinutesAsync("EURUSD", Turn);
        for (int i = 0; i < 3; i++)
        {
            Decision decision = (await world.Strategy(Keys[i]).GetView())!.LastDecision!;
            Assert.Equal(Stance.Short, decision.Intent.Stance);
            Assert.Equal(1000 * (i + 1), decision.Units);
        }
    }

    [Fact]
    public async Task In_a_run_strategies_decide_in_the_order_of_their_keys_whenever_they_joined()
    {
        await using TestWorld world = TestWorld.Create(Options(isRun: true, shardSize: int.MaxValue));
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        foreach (string key in Keys.Reverse()) await world.RunStrategyAsync(key);
        await world.MinutesAsync("EURUSD", [.. Turn, 110_050, 110_100]);
        List<string> decided = [];
        await foreach (RecordedEvent recorded in world.Journal.ReadAllAsync())
        {
            if (recorded.Name == "decision-made") decided.Add(recorded.Stream);
        }
        Assert.Equal([.. Keys.Concat(Keys).Select(Grains.Keys.StrategyStream)], decided);
    }

    [Fact]
    public async Task Members_survive_a_restart()
    {
        await using TestWorld world = TestWorld.Create(Options(isRun: false));
        await world.StartAsync();
        foreach (string key in Keys) await world.RunStrategyAsync(key);
        await world.Strategy(Keys[3]).Stop();
        await world.MinutesAsync("EURUSD", Turn[..4]);
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", Turn[4..]);
        foreach (string key in Keys) Assert.Equal(key == Keys[3] ? 0 : 1, (await world.Strategy(key).GetView())!.State.Decisions);
    }

    [Fact]
    public async Task One_that_fails_does_not_stop_the_others_and_is_asked_again()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        foreach (string key in Keys) await world.RunStrategyAsync(key);
        await world.MinutesAsync("EURUSD", Turn[..4]);
        using (world.Journal.Refuse((stream, _) => stream == Grains.Keys.StrategyStream(Keys[2])))
        {
            await world.MinutesAsync("EURUSD", Turn[4..]);
        }
        foreach (string key in Keys) Assert.Equal(key == Keys[2] ? 0 : 1, (await world.Strategy(key).GetView())!.State.Decisions);
        await world.MinutesAsync("EURUSD", 110_050, 110_000, 109_000);
        Assert.True((await world.Strategy(Keys[2]).GetView())!.State.Decisions > 0);
    }

    private static TradingOptions Options(bool isRun, int shardSize = 3) => new()
    {
        Universe = new InstrumentUniverse(SimulatedMarket.Instruments), WarmUpBars = isRun ? 0 : 500, IsRun = isRun, ShardSize = shardSize,
        EventStart = new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc),
    };
}
