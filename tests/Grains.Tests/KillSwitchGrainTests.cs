using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

public sealed class KillSwitchGrainTests
{
    private const string Strategy = "acme/ann/turning";

    private static IKillSwitchGrain Switch(TestWorld world) => world.Grains.GetGrain<IKillSwitchGrain>(Keys.KillSwitch(TestWorld.Tenant));

    /// <summary>The process died when the halt was recorded and nobody told.</summary>
    private static async Task RecordHaltAsync(TestWorld world, bool flatten = false)
    {
        var engaged = new HaltEngaged(world.Now, 1, "acme/zoe", null, flatten, "storm");
        await world.Journal.AppendAsync(Keys.KillSwitchStream(TestWorld.Tenant), new StreamOwner(TestWorld.Tenant, TestWorld.Tenant), 0,
            new[] { HaltEventCatalog.Events.Encode(engaged, engaged.Time, "") });
    }

    [Fact]
    public async Task A_halt_that_was_recorded_and_not_told_holds_for_who_comes_back()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await world.RunStrategyAsync(Strategy, TestWorld.Account);
        await world.RestartAsync(() => RecordHaltAsync(world));

        OrderAnswer denied = await world.AccountGrain().Place(TestWorld.MarketOrder("o1"));
        Assert.Equal(Reason.TenantHalted, denied.Result.Denial!.Reason);
        await world.Strategy(Strategy).Wake();
        Assert.Equal(StrategyStatus.Stopped, (await world.Strategy(Strategy).GetView())!.Status);
        CommandResult start = await world.Strategy(Strategy).Start();
        Assert.Equal(Reason.TenantHalted, start.Reason);
    }

    [Fact]
    public async Task The_switch_goes_on_telling_after_a_restart_until_all_have_confirmed()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.MarketOrder("o1"));
        await world.QuoteAsync("EURUSD", 110_000);
        await world.RestartAsync(() => RecordHaltAsync(world, flatten: true));

        // Nobody calls the account: the switch does.
        await world.UntilAsync(async () => (await Switch(world).GetView()).Untold == 0, TimeSpan.FromSeconds(1), "all are told");
        Assert.Single((await world.AccountEventsAsync()).OfType<TenantHaltsChanged>());
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Empty((await world.AccountGrain().GetView())!.Positions);
        // Told once more, nothing happens again.
        await world.RestartAsync();
        Assert.True((await world.AccountGrain().GetView())!.IsTenantHalted);
        Assert.Single((await world.AccountEventsAsync()).OfType<TenantHaltsChanged>());
    }

    [Fact]
    public async Task What_only_reduces_passes_and_what_adds_is_cancelled()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.MarketOrder("o1", volume: 2000));
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.LimitOrder("waits", 1.05m));

        HaltAnswer halted = await Switch(world).Engage("acme/zoe", null, false, "storm");
        Assert.Equal((0, 1L), (halted.Untold, halted.Halt!.Number));
        AccountView view = (await account.GetView())!;
        Assert.Empty(view.WorkingOrders);
        Assert.Equal(2000m, Assert.Single(view.Positions).Volume);
        Assert.Null((await account.Place(TestWorld.MarketOrder("less", Side.Sell, 1000))).Result.Denial);
        OrderAnswer turn = await account.Place(TestWorld.MarketOrder("turn", Side.Sell, 5000));
        Assert.Equal((Reason.TenantHalted, 1000m), (turn.Result.Denial!.Reason, turn.Result.Accepted));
        // Its own state is apart.
        Assert.Null((await account.SetState(TradingState.Active, "ann")).Fault);
        Assert.Equal(Reason.TenantHalted, (await account.Place(TestWorld.MarketOrder("more"))).Result.Denial!.Reason);
    }

    [Fact]
    public async Task A_halt_is_in_the_snapshot_and_a_release_lifts_it()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await Switch(world).Engage("acme/zoe", null, false, "storm");
        // More events than a snapshot waits for.
        for (int i = 0; i < 12; i++) await account.Adjust(1m, "", $"r{i}");
        await world.RestartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Equal(Reason.TenantHalted, (await world.AccountGrain().Place(TestWorld.MarketOrder("o1"))).Result.Denial!.Reason);

        Assert.Equal(ReleaseRefusal.None, (await Switch(world).AskRelease(1, "acme/zoe", "over")).Refusal);
        Assert.Equal(ReleaseRefusal.SecondPersonNeeded, (await Switch(world).ApproveRelease(1, "acme/zoe")).Refusal);
        await world.RestartAsync();
        HaltAnswer released = await Switch(world).ApproveRelease(1, "acme/bob");
        Assert.Equal((ReleaseRefusal.None, null), (released.Refusal, released.Halt));
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Null((await world.AccountGrain().Place(TestWorld.MarketOrder("o2"))).Result.Denial);
    }

    [Fact]
    public async Task Who_could_not_be_told_is_told_again()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.OpenAccountAsync("acme/bob/other");
        using (world.Journal.Refuse((stream, happened) => happened.Name == "tenant-halts-changed" && stream == Keys.AccountStream(TestWorld.Account)))
        {
            Assert.Equal(1, (await Switch(world).Engage("acme/zoe", null, false, "storm")).Untold);
            Assert.True((await world.AccountGrain("acme/bob/other").GetView())!.IsTenantHalted);
        }
        await world.UntilAsync(async () => (await Switch(world).GetView()).Untold == 0, TimeSpan.FromSeconds(1), "all are told");
        Assert.True((await world.AccountGrain().GetView())!.IsTenantHalted);
    }

    [Fact]
    public async Task A_halt_that_is_not_recorded_did_not_happen()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        using (world.Journal.Refuse((_, happened) => happened.Name == "halt-engaged"))
        {
            await Assert.ThrowsAsync<NotRecordedException>(() => Switch(world).Engage("acme/zoe", null, false, "storm"));
        }
        Assert.False((await account.GetView())!.IsTenantHalted);
        Assert.Equal(1, (await Switch(world).Engage("acme/zoe", null, false, "storm")).Halt!.Number);
        Assert.True((await account.GetView())!.IsTenantHalted);
    }

    [Fact]
    public async Task A_request_for_release_ends_with_its_window()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await Switch(world).Engage("acme/zoe", null, false, "storm");
        await Switch(world).AskRelease(1, "acme/bob", "over");
        world.Time.Advance(world.Options.ReleaseWindow);
        Assert.Equal(ReleaseRefusal.ReleaseNotAsked, (await Switch(world).ApproveRelease(1, "acme/cat")).Refusal);
    }
}
