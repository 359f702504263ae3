using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

public sealed class StrategyGrainTests
{
    private const string Key = "acme/ann/turning";
    private static readonly StreamOwner Owner = new("acme", "acme/ann");

    [Fact]
    public async Task Refuses_what_cannot_be_and_says_why()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IStrategyGrain strategy = world.Strategy(Key);
        StrategySetup setup = TestWorld.Turning();
        Assert.Contains("does not exist", (await strategy.Start()).Fault);
        Assert.Contains("does not exist", (await strategy.SetFollower(TestWorld.Account, true)).Fault);
        Assert.Null(await strategy.GetView());
        Assert.Contains("'NOSUCH'", (await strategy.Create(setup with { Symbol = "NOSUCH" })).Fault);
        Assert.Contains("no-such-strategy", (await strategy.Create(setup with { Definition = "no-such-strategy" })).Fault);
        Assert.Contains("fast is 9", (await strategy.Create(setup with { Parameters = setup.Parameters.SetItem("fast", 9) })).Fault);
        Assert.Empty(await world.StrategyEventsAsync(Key));

        Assert.Null((await strategy.Create(setup)).Fault);
        Assert.Null((await strategy.Create(setup)).Fault);
        Assert.Contains("another set-up", (await strategy.Create(TestWorld.Turning(units: 5000))).Fault);
        Assert.Contains("expected one of tenant acme", (await strategy.SetFollower("beta/bob/main", true)).Fault);
        Assert.Null((await strategy.Start()).Fault);
        Assert.Contains("stop it", (await strategy.SetParameters(setup.Parameters.SetItem("slow", 3))).Fault);
        Assert.Null((await strategy.Stop()).Fault);
        Assert.Null((await strategy.SetParameters(setup.Parameters.SetItem("slow", 3))).Fault);
        Assert.Collection(await world.StrategyEventsAsync(Key), e => Assert.IsType<StrategyCreated>(e), e => Assert.IsType<StrategyStarted>(e),
            e => Assert.IsType<StrategyStopped>(e), e => Assert.IsType<StrategyParametersChanged>(e));
        StrategyView view = (await strategy.GetView())!;
        Assert.Equal(3m, view.Setup.Parameters["slow"]);
        Assert.Equal(StrategyStatus.Stopped, view.Status);
    }

    [Fact]
    public async Task Decides_once_for_all_who_follow_each_in_its_own_size()
    {
        const string Small = "acme/ann/small";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.OpenAccountAsync(Small);
        await world.RunStrategyAsync(Key, TestWorld.Account, Small);
        await world.AccountGrain(Small).SetFollow(Key, new FollowTerms(new Sizing(SizingKind.StrategyUnits, 2m)));
        await world.MinutesAsync("EURUSD", 110_000, 110_020, 110_040, 110_010, 110_000, 110_000);

        Assert.Equal(-1000m, (await world.AccountGrain().GetView())!.Positions.Single().Volume);
        Assert.Equal(-2000m, (await world.AccountGrain(Small).GetView())!.Positions.Single().Volume);
        StrategyView view = (await world.Strategy(Key).GetView())!;
        Assert.Equal(1, view.State.Decisions);
        Assert.Equal([-1000m, -2000m], view.LastVerdicts.OrderByDescending(verdict => verdict.Volume).Select(verdict => verdict.Volume));
        Assert.Collection((await world.StrategyEventsAsync(Key)).TakeLast(2), e => Assert.IsType<DecisionMade>(e), e => Assert.IsType<DecisionSettled>(e));
    }

    [Fact]
    public async Task An_evaluation_that_comes_again_is_not_decided_again()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        IStrategyGrain strategy = await world.RunStrategyAsync(Key, TestWorld.Account);
        Evaluation evaluation = Decisions.Evaluation(world.Now, 17, Stance.Long);
        StrategyState after = await strategy.Decide(evaluation);
        Assert.Equal(after, await strategy.Decide(evaluation));
        Assert.Equal(after, await strategy.Decide(Decisions.Evaluation(world.Now, 16, Stance.Short)));
        Assert.Equal(1, after.Decisions);
    }

    [Fact]
    public async Task A_decision_left_open_by_a_crash_takes_effect_once()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.RunStrategyAsync(Key, TestWorld.Account);
        await world.QuoteAsync("EURUSD", 110_000);
        await world.RestartAsync(() => LeaveOpenAsync(world));

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => world.Strategy(Key).Wake()));
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Equal(1000m, (await world.AccountGrain().GetView())!.Positions.Single().Volume);
        Assert.Single((await world.StrategyEventsAsync(Key)).OfType<DecisionSettled>());
        Assert.Single((await world.AccountEventsAsync()).OfType<OrderAccepted>());
    }

    [Fact]
    public async Task The_outbox_sends_what_nobody_else_sends()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.RunStrategyAsync(Key, TestWorld.Account);
        await world.QuoteAsync("EURUSD", 110_000);
        await world.RestartAsync(() => LeaveOpenAsync(world));
        await world.Outbox.Start();
        await world.UntilAsync(async () => (await world.StrategyEventsAsync(Key)).OfType<DecisionSettled>().Any(), TimeSpan.FromMilliseconds(250), "the decision is settled");
        await world.UntilAsync(async () => await world.Outbox.CountOpen() == 0, TimeSpan.FromMilliseconds(250), "nothing is open");
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Equal(1000m, (await world.AccountGrain().GetView())!.Positions.Single().Volume);
    }

    [Fact]
    public async Task A_follower_that_cannot_record_is_told_again_and_the_others_at_once()
    {
        const string Other = "acme/ann/other";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.OpenAccountAsync(Other);
        IStrategyGrain strategy = await world.RunStrategyAsync(Key, TestWorld.Account, Other);
        await world.QuoteAsync("EURUSD", 110_000);
        using (world.Journal.Refuse((stream, _) => stream == Keys.AccountStream(Other)))
        {
            await strategy.Decide(Decisions.Evaluation(world.Now, 17, Stance.Long));
        }
        Assert.Empty((await world.StrategyEventsAsync(Key)).OfType<DecisionSettled>());
        await strategy.Wake();
        await world.QuoteAsync("EURUSD", 110_000);
        foreach (string account in (string[])[TestWorld.Account, Other])
        {
            Assert.Equal(1000m, (await world.AccountGrain(account).GetView())!.Positions.Single().Volume);
        }
        Assert.Single((await world.StrategyEventsAsync(Key)).OfType<DecisionSettled>());
    }

    [Fact]
    public async Task A_decision_that_was_not_recorded_reaches_nobody()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        IStrategyGrain strategy = await world.RunStrategyAsync(Key, TestWorld.Account);
        await world.QuoteAsync("EURUSD", 110_000);
        using (world.Journal.Refuse((stream, _) => stream == Keys.StrategyStream(Key)))
        {
            await Assert.ThrowsAsync<NotRecordedException>(() => strategy.Decide(Decisions.Evaluation(world.Now, 17, Stance.Long)));
        }
        Assert.Equal(StrategyState.Initial, (await strategy.GetView())!.State);
        Assert.Empty((await world.AccountEventsAsync()).OfType<DecisionReceived>());
        Assert.Equal(1, (await strategy.Decide(Decisions.Evaluation(world.Now, 17, Stance.Long))).Decisions);
    }

    /// <summary>As a process leaves it that ends between a decision and its sending: recorded, and no follower has heard of it.</summary>
    private static async Task LeaveOpenAsync(TestWorld world)
    {
        long version = (await world.StrategyEventsAsync(Key)).Count;
        var made = new DecisionMade(world.Now, Decisions.Long(Key, 1, world.Now, 40, 1000m), [TestWorld.Account]);
        await world.Journal.AppendAsync(Keys.StrategyStream(Key), Owner, version,
            new[] { StrategyEventCatalog.Events.Encode(made, made.Time, made.Decision.Id) });
    }
}
