using System.Text;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

public sealed class RuleGrainTests
{
    private const string Key = "acme/ann/rule";

    // Enters at the first rise, leaves after four bars.
    private const string Rule = "enter long when position == flat and close > close[1] # up\n; exit when bars_in_trade >= 4; size units 2000";

    [Fact]
    public async Task A_rule_is_kept_in_canonical_text_traded_at_its_own_size_and_counts_its_bars_over_restarts()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await RunAsync(world, Key, Rule);
        StrategyView made = (await world.Strategy(Key).GetView())!;
        Assert.Equal("enter long when position == flat and close > close[1];\nexit when bars_in_trade >= 4;\nsize units 2000;", made.Setup.Rule);
        Assert.Empty(made.Setup.Parameters);

        await world.MinutesAsync("EURUSD", 110_000, 110_000, 110_010, 110_000);
        StrategyView entered = (await world.Strategy(Key).GetView())!;
        Assert.Equal((Stance.Long, 1L), (entered.State.Stance, entered.State.Decisions));
        Assert.Equal(new Sizing(SizingKind.FixedUnits, 2000), entered.LastDecision!.Intent.Size);
        Assert.Equal(2000m, Assert.Single(entered.LastVerdicts).Volume);
        long bar = entered.LastDecision.BarNumber;
        Assert.InRange(bar, 1, long.MaxValue);

        // New features are built from all of the history anew, a restart from what was kept: neither may change the count.
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", 109_990);
        await RunAsync(world, "acme/ann/other", "enter long when close > sma(7) + 1");
        await world.MinutesAsync("EURUSD", 109_980);
        Assert.Equal(Stance.Long, (await world.Strategy(Key).GetView())!.State.Stance);
        await world.RestartAsync();
        await world.MinutesAsync("EURUSD", 109_970, 109_960, 109_950);
        StrategyView left = (await world.Strategy(Key).GetView())!;
        Assert.Equal((Stance.Flat, 2L), (left.State.Stance, left.State.Decisions));
        Assert.Equal(bar + 4, left.LastDecision!.BarNumber);
        Assert.Equal("exit when bars_in_trade >= 4", left.LastDecision.Intent.Why);
    }

    [Fact]
    public async Task A_rule_that_is_none_or_another_is_refused_and_nothing_is_recorded()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IStrategyGrain strategy = world.Strategy(Key);
        Assert.Contains("line 1, column 17: unknown name 'clos'; nearest is 'close'", (await strategy.Create(Setup("enter long when clos > 1"))).Fault);
        Assert.Contains("expected rule", (await strategy.Create(Setup(Rule) with { Definition = "sma-cross" })).Fault);
        Assert.Contains("strategy is 'rule'", (await strategy.Create(Setup(Rule) with { Rule = null })).Fault);
        Assert.Empty(await world.StrategyEventsAsync(Key));
        Assert.Null((await strategy.Create(Setup(Rule))).Fault);
        Assert.Null((await strategy.Create(Setup(Rule.Replace("# up\n", "", StringComparison.Ordinal)))).Fault);
        Assert.Contains("another set-up", (await strategy.Create(Setup("enter long when close > 2"))).Fault);
        Assert.Single(await world.StrategyEventsAsync(Key));
    }

    [Fact]
    public async Task Equal_rules_are_evaluated_once_and_decide_each_for_itself()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        string[] keys = ["acme/ann/one", "acme/ann/two", "acme/bob/three"];
        foreach (string key in keys) await RunAsync(world, key, Rule, account: null);
        await RunAsync(world, "acme/ann/unlike", "enter short when position == flat and close > close[1]", account: null);
        await world.MinutesAsync("EURUSD", 110_000, 110_000, 110_010, 110_000);
        foreach (string key in keys) Assert.Equal(Stance.Long, (await world.Strategy(key).GetView())!.State.Stance);
        Assert.Equal(Stance.Short, (await world.Strategy("acme/ann/unlike").GetView())!.State.Stance);
    }

    [Fact]
    public void What_was_recorded_before_there_were_rules_is_still_read()
    {
        const string created = """
            {"setup":{"definition":"sma-cross","parameters":{"fast":2,"slow":5,"units":1000},"symbol":"EURUSD","timeFrame":"M1"},"time":"2026-01-09T12:00:00Z"}
            """;
        var setup = ((StrategyCreated)Decode("strategy-created", created)).Setup;
        Assert.Equal(("sma-cross", 1000m, null), (setup.Definition, setup.Parameters["units"], setup.Rule));
        const string made = """
            {"decision":{"id":"s#1","strategy":"s","symbol":"EURUSD","timeFrame":"M1","time":"2026-01-09T12:00:00Z","marketPosition":7,
             "bar":{"openTime":"2026-01-09T11:59:00Z","bid":{"open":1,"high":1,"low":1,"close":1},"ask":{"open":2,"high":2,"low":2,"close":2},"volume":1},
             "features":[],"before":"Flat","intent":{"stance":"Long","why":"w","stopDistance":0.5},"units":1000},"accounts":[],"time":"2026-01-09T12:00:00Z"}
            """;
        Decision decision = ((DecisionMade)Decode("decision-made", made)).Decision;
        Assert.Equal((0L, null), (decision.BarNumber, decision.Intent.Size));
        Assert.Equal((0L, 2L, 0.5m), (StrategyState.Initial.After(decision).EntryBar, StrategyState.Initial.After(decision).EntryAskPoints,
            StrategyState.Initial.After(decision).StopDistance));
        ShardMember member = JsonSerializer.Deserialize<ShardMember>("""
            {"Strategy":"s","Definition":"sma-cross","Parameters":{"fast":2},"State":{"Stance":1,"Decisions":3,"LastPosition":4,"EntryPoints":5,"Since":"2026-01-09T12:00:00Z"}}
            """)!;
        Assert.Equal((null, 3L, 0L, null), (member.Rule, member.State.Decisions, member.State.EntryBar, member.State.TakeDistance));
    }

    private static StrategyEvent Decode(string name, string json) => StrategyEventCatalog.Events.Decode(new RecordedEvent(
        0, "strategy/s", 1, name, 1, new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc), "", "acme", "acme/ann", Encoding.UTF8.GetBytes(json), false));

    private static StrategySetup Setup(string rule) => new("rule", ImmutableSortedDictionary<string, decimal>.Empty, "EURUSD", TimeFrame.M1, rule);

    private static async Task RunAsync(TestWorld world, string key, string rule, string? account = TestWorld.Account)
    {
        IStrategyGrain strategy = world.Strategy(key);
        Assert.Null((await strategy.Create(Setup(rule))).Fault);
        if (account is not null)
        {
            Assert.Null((await world.AccountGrain(account).SetFollow(key, new FollowTerms(Sizing.AsTheStrategySays))).Fault);
            Assert.Null((await strategy.SetFollower(account, true)).Fault);
        }
        Assert.Null((await strategy.Start()).Fault);
    }
}
