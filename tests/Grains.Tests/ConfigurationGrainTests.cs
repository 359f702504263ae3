using System.Text;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using HybridTrading.Tests;

namespace HybridTrading.Grains.Tests;

public sealed class ConfigurationGrainTests
{
    private const string Ann = "acme/ann", Strategy = "acme/ann/turning", Always =
        """[{"days":["Mon","Tue","Wed","Thu","Fri","Sat","Sun"],"from":"00:00","to":"00:00"}]""";

    [Fact]
    public async Task What_was_set_is_there_when_the_silos_have_gone_and_come_and_its_secret_opens_for_its_purpose_alone()
    {
        const string Secret = "a secret of some length";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        ConfigurationResult made = await world.Configuration(Ann).Create(
            "notifications", Values(("webHookSecret", $"\"{Secret}\""), ("email", "\"ann@acme.example\"")), "ann", "first");
        Assert.Equal(ConfigurationOutcome.Done, made.Outcome);
        RecordedEvent recorded = Assert.Single(await world.Journal.ReadAsync(Keys.ConfigurationStream(Ann)).ToListAsync());
        Assert.Equal((Ann, made.MinPosition, "configuration-changed"), (recorded.Subject, recorded.Position, recorded.Name));
        // Even where the journal is open to its owner the secret is not.
        string payload = Encoding.UTF8.GetString(recorded.Payload.Span);
        Assert.Contains("ann@acme.example", payload);
        Assert.DoesNotContain(Secret, payload);

        await world.RestartAsync();
        LayerDocument document = (await world.Configuration(Ann).GetLayer()).Documents["notifications"];
        Assert.Equal("\"ann@acme.example\"", document.Values["email"]);
        EffectiveSettings effective = EffectiveSettings.Of(LayerDocuments.None, await world.Configuration(Ann).GetLayer(), null);
        string purpose = EffectiveSettings.SecretPurpose(new DocumentId("notifications"), "webHookSecret");
        Assert.Equal(Secret, world.Secrets.Open(new StreamOwner("acme", Ann), purpose, effective.SealedWebHookSecret!));
        Assert.Throws<InvalidDataException>(() => world.Secrets.Open(new StreamOwner("acme", Ann), purpose + "x", effective.SealedWebHookSecret!));
        Assert.Equal([made.Version!.Number], (await world.Configuration(Ann).GetVersions("notifications")).Select(version => version.Number));
    }

    [Fact]
    public async Task Of_many_who_change_one_version_one_does()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        Assert.Equal(ConfigurationOutcome.Done,
            (await world.Configuration(Ann).Create("risk", Values(("staleFeedSeconds", "1")), "ann", "")).Outcome);
        ConfigurationResult[] results = await Task.WhenAll(Enumerable.Range(2, 10).Select(
            seconds => world.Configuration(Ann).Replace("risk", Values(("staleFeedSeconds", $"{seconds}")), 1, "ann", "")));
        ConfigurationResult winner = Assert.Single(results, result => result.Outcome == ConfigurationOutcome.Done);
        Assert.All(results.Except([winner]), result => Assert.Equal((ConfigurationOutcome.Conflict, 2L), (result.Outcome, result.CurrentVersion)));
        Assert.Equal(winner.Version!.Values["staleFeedSeconds"],
            (await world.Configuration(Ann).GetLayer()).Documents["risk"].Values["staleFeedSeconds"]);
    }

    [Fact]
    public async Task What_is_not_recorded_was_not_set()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        Assert.Equal(ConfigurationOutcome.Done,
            (await world.Configuration(Ann).Create("risk", Values(("staleFeedSeconds", "1")), "ann", "")).Outcome);
        using (world.Journal.Refuse((stream, _) => stream == Keys.ConfigurationStream(Ann)))
        {
            await Assert.ThrowsAsync<NotRecordedException>(() =>
                world.Configuration(Ann).Replace("risk", Values(("staleFeedSeconds", "2")), 1, "ann", ""));
        }
        Assert.Equal("1", (await world.Configuration(Ann).GetLayer()).Documents["risk"].Values["staleFeedSeconds"]);
        Assert.Equal(2, (await world.Configuration(Ann).Replace("risk", Values(("staleFeedSeconds", "3")), 1, "ann", "")).Version!.Number);
    }

    [Fact]
    public async Task An_account_follows_the_near_share_of_its_owner_and_of_its_tenant()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.AccountGrain().Open(TestWorld.Settings, new RiskLimits { MaxExposure = 10_000 }, 100_000);
        await SeenAsync(world, 0.8m, "the product's default");

        await world.Configuration(Keys.TenantConfiguration("acme")).Create("risk", Values(("nearLimitShare", "0.6")), "boss", "");
        await SeenAsync(world, 0.6m, "the tenant's change");
        await world.Configuration(Ann).Create("risk", Values(("nearLimitShare", "0.5")), "ann", "");
        await SeenAsync(world, 0.5m, "the user's change");
        await world.Configuration(Ann).Remove("risk", 1, "ann", "");
        await SeenAsync(world, 0.6m, "the removal of the user's");
        // Another tenant's layer is another's.
        await world.Configuration(Keys.TenantConfiguration("beta")).Create("risk", Values(("nearLimitShare", "0.9")), "bob", "");
        await world.Configuration(Ann).RollBack("risk", 1, 2, "ann", "");
        await SeenAsync(world, 0.5m, "the roll-back");
    }

    [Fact]
    public async Task A_strategy_enters_nothing_in_paused_hours_and_gets_out()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await world.RunStrategyAsync(Strategy, TestWorld.Account);
        await world.Configuration(Ann).Create("schedule@turning", Values(("pausedHours", Always)), "ann", "");
        await KnownAsync(world, Ann, layer => layer.Documents.ContainsKey("schedule@turning"));
        await world.MinutesAsync("EURUSD", 110_000, 110_020, 110_040, 110_010, 110_000, 110_000);
        StrategyView paused = (await world.Strategy(Strategy).GetView())!;
        Assert.Equal((0L, Stance.Flat), (paused.State.Decisions, paused.State.Stance));

        // The hours are taken away: the next turn of the price is an entry.
        await world.Configuration(Ann).Remove("schedule@turning", 1, "ann", "");
        await KnownAsync(world, Ann, layer => layer.Documents.IsEmpty);
        await world.MinutesAsync("EURUSD", 110_020, 110_040, 110_060);
        Assert.Equal(Stance.Long, (await world.Strategy(Strategy).GetView())!.State.Stance);

        // And back, this time by the tenant: the next turn is an exit alone.
        string tenant = Keys.TenantConfiguration("acme");
        await world.Configuration(tenant).Create("schedule", Values(("pausedHours", Always)), "boss", "");
        await KnownAsync(world, tenant, layer => layer.Documents.ContainsKey("schedule"));
        await world.MinutesAsync("EURUSD", 110_040, 110_000, 109_960, 109_920);
        StrategyView left = (await world.Strategy(Strategy).GetView())!;
        Assert.Equal(Stance.Flat, left.State.Stance);
        Assert.EndsWith("no entry: paused hours", left.LastDecision!.Intent.Why);
        Assert.Empty((await world.AccountGrain().GetView())!.Positions);
    }

    [Fact]
    public async Task Settings_are_waited_for_a_while_and_what_was_known_counts_while_they_cannot_be_read()
    {
        var clock = new FakeTimeProvider();
        Func<string, Task<LayerDocuments>> source = _ => Task.FromException<LayerDocuments>(new TimeoutException());
        var reader = new SettingsReader(key => source(key), clock, Ann, "turning");
        Assert.Null(await reader.ReadAsync(TimeSpan.FromSeconds(1)));

        var silent = new TaskCompletionSource<LayerDocuments>();
        source = _ => silent.Task;
        Task<EffectiveSettings?> reading = reader.ReadAsync(TimeSpan.FromSeconds(1));
        Assert.False(reading.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await reading);

        // What came too late for one is there for the next.
        source = _ => Task.FromException<LayerDocuments>(new TimeoutException());
        silent.SetResult(LayerDocuments.None);
        Assert.Equal(0.8m, (await reader.ReadAsync(TimeSpan.FromSeconds(1)))!.NearLimitShare);
        Assert.Equal(0.8m, (await reader.ReadAsync(TimeSpan.FromSeconds(1)))!.NearLimitShare);
    }

    private static Task SeenAsync(TestWorld world, decimal share, string what) => world.UntilAsync(
        async () => (await world.AccountGrain().GetView())!.NearLimitShare == share, TimeSpan.FromMilliseconds(50),
            $"{what} is in the account grain");

    private static async Task KnownAsync(TestWorld world, string key, Func<LayerDocuments, bool> isSo) => await world.UntilAsync(
        async () => isSo(await world.Grains.GetGrain<IConfigurationReplicaGrain>(key).GetLayer()), TimeSpan.FromMilliseconds(20),
            $"the replica of {key} knows");

    private static ImmutableSortedDictionary<string, string> Values(params (string Name, string Json)[] values) =>
        values.ToImmutableSortedDictionary(each => each.Name, each => each.Json, StringComparer.Ordinal);
}
