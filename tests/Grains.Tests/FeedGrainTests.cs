using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using Orleans.Runtime;

namespace HybridTrading.Grains.Tests;

public sealed class FeedGrainTests
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task What_was_logged_and_perhaps_not_handed_out_is_handed_out_again_and_has_effect_once()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IFeedGrain feed = world.Grains.GetGrain<IFeedGrain>(Keys.Feed);
        await feed.Start();
        await ReachAsync(world, 40);
        IAccountGrain account = await world.OpenAccountAsync();
        Assert.Null((await account.Place(new Domain.Orders.OrderRequest("in", "BTCUSD", Domain.Orders.Side.Buy, Domain.Orders.OrderType.Market, 0.01m))).Result.Denial);
        await world.UntilAsync(async () => (await account.GetView())!.Positions.Length == 1, Step, "the order fills");
        GrainState<FeedState> early = new();
        await world.GrainStorage.ReadStateAsync("feed", feed.GetGrainId(), early);
        await ReachAsync(world, world.MarketLog.NextPosition + 600);
        long logged = 0;

        // As a process leaves it that is killed: the log is ahead of what the feed knows to be done.
        GrainId id = feed.GetGrainId();
        await world.RestartAsync(async () =>
        {
            GrainState<FeedState> late = new();
            await world.GrainStorage.ReadStateAsync("feed", id, late);
            Assert.True(late.State!.Position > early.State!.Position);
            late.State = early.State;
            await world.GrainStorage.WriteStateAsync("feed", id, late);
            logged = world.MarketLog.NextPosition;
        });
        await world.Grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        await ReachAsync(world, logged + 600);

        Dictionary<string, DateTime> last = [];
        Dictionary<string, BarBuilder> minutes = [];
        Dictionary<string, List<Bar>> bars = [];
        await foreach (MarketEvent happened in world.MarketLog.ReadAsync())
        {
            Assert.True(!last.TryGetValue(happened.Symbol, out DateTime before) || before < happened.Time, $"{happened.Symbol} twice at {happened.Time:O}");
            last[happened.Symbol] = happened.Time;
            if (!minutes.TryGetValue(happened.Symbol, out BarBuilder? builder)) minutes[happened.Symbol] = builder = new BarBuilder(TimeFrame.Tick, TimeFrame.M1);
            if (builder.TryClose(happened.Time, out Bar closed)) (bars.TryGetValue(happened.Symbol, out List<Bar>? list) ? list : bars[happened.Symbol] = []).Add(closed);
            builder.Add(happened.Quote, out _);
        }
        Assert.NotEmpty(bars);
        foreach ((string symbol, List<Bar> built) in bars)
        {
            ImmutableArray<Bar> stored = await world.Bars.ReadLastAsync(symbol, TimeFrame.M1, 5000, DateTime.MaxValue);
            foreach (Bar bar in built) Assert.Contains(bar, stored);
        }
        Assert.Single((await world.AccountEventsAsync()).OfType<OrderFilled>());
        Assert.Single((await world.AccountGrain().GetView())!.Positions);
    }

    [Fact]
    public async Task It_goes_by_itself_after_a_restart_once_it_was_started()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        await ReachAsync(world, 10);
        await world.RestartAsync();
        long logged = world.MarketLog.NextPosition;
        // Nobody calls: the reminder does.
        await world.UntilAsync(() => Task.FromResult(world.MarketLog.NextPosition > logged), TimeSpan.FromSeconds(5), "the feed goes on");
    }

    private static Task ReachAsync(TestWorld world, long position) => world.UntilAsync(
        async () => (await world.Grains.GetGrain<IFeedGrain>(Keys.Feed).GetView()).Position >= position, Step, $"the feed is at {position}");
}
