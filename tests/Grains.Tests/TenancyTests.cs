using System.Collections.Concurrent;
using System.Reflection;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Operations;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace HybridTrading.Grains.Tests;

public sealed class TenancyTests
{
    private static readonly (Type Interface, string Key)[] Grains =
    [
        (typeof(IAccountGrain), TestWorld.Account), (typeof(IStrategyGrain), "acme/ann/turning"), (typeof(IMarketGrain), "EURUSD"),
        (typeof(IFeaturesGrain), "EURUSD/M1"), (typeof(IShardGrain), "EURUSD/M1/0"), (typeof(IFeedGrain), Keys.Feed), (typeof(IOutboxGrain), Keys.Outbox),
        (typeof(IMarketReplicaGrain), "EURUSD"), (typeof(IFeaturesReplicaGrain), "EURUSD/M1"),
        (typeof(IJobGrain), "acme/ann/job"), (typeof(IJobQueueGrain), "acme/ann/jobs"), (typeof(IDataSetsGrain), "acme/ann/data-sets"),
        (typeof(IStrategyReviewGrain), "acme/ann/turning"), (typeof(IKillSwitchGrain), Keys.KillSwitch(TestWorld.Tenant)),
        (typeof(IConfigurationGrain), "acme/ann"), (typeof(IConfigurationReplicaGrain), "acme/ann"), (typeof(ICentralHubGrain), CentralHub.Key),
        (typeof(IUserGrain), "ann"), (typeof(ITenantGrain), Keys.Tenant(TestWorld.Tenant)), (typeof(IEmailGrain), EmailDirectory.KeyOf("ann@example.org")),
        (typeof(ISigningKeysGrain), Keys.SigningKeys), (typeof(IRevocationsGrain), Keys.Revocations), (typeof(IInstallationGrain), Keys.Installation),
        (typeof(IClientsGrain), Keys.Clients(TestWorld.Tenant)), (typeof(IProviderUserGrain), new Domain.Users.ProviderIdentity("https://login.example.org", "ann", "").Key),
        (typeof(IErasureGrain), "ann"),
        (typeof(IAlertsGrain), "acme/ann"), (typeof(IFeedWatchGrain), Keys.FeedWatch),
    ];

    [Fact]
    public void Every_grain_interface_is_known_here() => Assert.Equal(
        typeof(IMarketGrain).Assembly.GetTypes().Where(type => type.IsInterface && typeof(IGrainWithStringKey).IsAssignableFrom(type)).OrderBy(type => type.Name),
        Grains.Select(grain => grain.Interface).OrderBy(type => type.Name));

    [Theory, InlineData("beta"), InlineData("acm"), InlineData("acme-2"), InlineData(null)]
    public async Task Another_tenant_and_nobody_at_all_reach_shared_methods_only(string? tenant)
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        await As(tenant, async () =>
        {
            foreach ((Type grain, string key) in Grains)
            {
                foreach (MethodInfo method in grain.GetMethods().Where(method => !method.IsDefined(typeof(SharedAttribute))))
                {
                    string refusal = (await Assert.ThrowsAsync<UnauthorizedAccessException>(() => CallAsync(world, grain, key, method))).Message;
                    Assert.Contains($"{grain.Name}.{method.Name} of '{key}'", refusal);
                }
            }
            Assert.Equal("EURUSD", (await world.Market().GetView()).Symbol);
            Assert.Null(await world.Features(Domain.Markets.TimeFrame.M1).GetView());
        });
        Assert.Single(await world.AccountEventsAsync(), happened => happened is Domain.Accounts.AccountOpened);
        Assert.Empty(await world.StrategyEventsAsync("acme/ann/turning"));
    }

    [Theory, InlineData("beta"), InlineData(null)]
    public async Task Shared_methods_take_keys_of_the_caller_only(string? tenant)
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IFeaturesGrain features = world.Features(Domain.Markets.TimeFrame.M1);
        var member = new ShardMember("acme/ann/turning", "sma-cross", StrategyCatalog.Find("sma-cross").Bind(new Dictionary<string, decimal>()).Values, StrategyState.Initial);
        await As(tenant, async () =>
        {
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.Market().Watch(TestWorld.Account));
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.Market().Unwatch(TestWorld.Account));
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => features.Join(member));
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => features.Leave(member.Strategy));
        });
        await As(TestWorld.Tenant, () => world.Market().Watch(TestWorld.Account));
    }

    [Fact]
    public async Task A_tenant_has_the_whole_of_its_own_and_prices_reach_all_tenants()
    {
        const string Key = "acme/ann/turning", Other = "beta/bob/main", OtherKey = "beta/bob/turning";
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await As("beta", async () =>
        {
            await world.OpenAccountAsync(Other);
            await world.RunStrategyAsync(OtherKey, Other);
        });
        await As("acme", async () =>
        {
            await world.OpenAccountAsync();
            await world.RunStrategyAsync(Key, TestWorld.Account);
        });
        await world.MinutesAsync("EURUSD", 110_000, 110_020, 110_040, 110_010, 110_000, 110_000);
        await As("acme", async () => Assert.Single((await world.AccountGrain().GetView())!.Positions));
        await As("beta", async () => Assert.Single((await world.AccountGrain(Other).GetView())!.Positions));
    }

    /// <summary>Every call that a grain makes, in a turn, a timer or a reminder, is made as its own tenant, or as the system by a shared one; never as whoever called it.</summary>
    [Fact]
    public async Task Through_shared_grains_timers_and_reminders_everybody_acts_as_themselves()
    {
        const string Key = "acme/ann/turning", Other = "beta/bob/main", OtherKey = "beta/bob/turning";
        var witness = new Witness();
        await using TestWorld world = TestWorld.Create();
        world.Further = services => services.AddSingleton<IIncomingGrainCallFilter>(witness);
        await world.StartAsync();
        await As("beta", async () =>
        {
            await world.OpenAccountAsync(Other);
            await world.RunStrategyAsync(OtherKey, Other);
        });
        await As("acme", async () =>
        {
            await world.OpenAccountAsync();
            await world.RunStrategyAsync(Key, TestWorld.Account);
        });
        await world.Grains.GetGrain<IOutboxGrain>(Keys.Outbox).Start();
        // A tick of one tenant's caller reaches both tenants through the market, features and shards.
        await As("acme", () => world.Market().Watch(TestWorld.Account));
        await world.MinutesAsync("EURUSD", 110_000, 110_020, 110_040, 110_010, 110_000, 110_000);
        // Timers: the kill switch tells who could not be told; the account looks at its settings.
        await As("acme", () => world.Grains.GetGrain<IKillSwitchGrain>(Keys.KillSwitch("acme")).Engage("acme/zoe", null, false, "drill"));
        await As("beta", () => world.Grains.GetGrain<IStrategyReviewGrain>(OtherKey).Keep());
        // After a restart nobody calls: reminders and the outbox alone wake grains.
        await world.RestartAsync();
        await world.Grains.GetGrain<IOutboxGrain>(Keys.Outbox).Start();
        await world.MinutesAsync("EURUSD", 110_020, 110_040, 110_010, 110_000);
        // Another reminder: an erasure that is due, by which the system reaches everything of one user and nothing of the other tenant.
        using (Principal.OfGateway())
        {
            IUserGrain ann = world.Grains.GetGrain<IUserGrain>("ann");
            await ann.Register(new Registration("ann@example.org", "Ann", new Secret("correct horse battery"), EmailVerified: true));
            await ann.Join("acme");
        }
        await As("acme", async () =>
        {
            await world.Strategy(Key).Stop();
            await world.AccountGrain().Flatten("acme/ann");
        });
        await world.QuoteAsync("EURUSD", 110_000);
        using (Principal.OfGateway())
        {
            IErasureGrain erasure = world.Grains.GetGrain<IErasureGrain>("ann");
            Assert.Empty(await erasure.GetHindrances());
            Assert.Equal(UserFault.None, (await erasure.Plan(new ErasurePlan(world.Now, "zoe", "asked"))).Fault);
            await world.UntilAsync(async () => await erasure.GetStage() == ErasureStage.Done, TimeSpan.FromSeconds(1), "the erasure is done");
        }
        await As("acme", async () => Assert.Null(await world.AccountGrain().GetView()));
        await As("beta", async () => Assert.NotNull(await world.AccountGrain(Other).GetView()));
        foreach (string caller in (string[])["market", "features", "shard", "strategy", "killswitch", "erasure"])
        {
            Assert.Contains(witness.Seen, call => call.StartsWith($"{caller} ->", StringComparison.OrdinalIgnoreCase));
        }
        Assert.Empty(witness.Faults);
        Assert.True(witness.Seen.Count > 10, string.Join(", ", witness.Seen));
    }

    /// <summary>Looks at every call between grains: whose it is, and as whom it comes.</summary>
    private sealed class Witness : IIncomingGrainCallFilter
    {
        /// <summary>Grain types that call, and what they call.</summary>
        public ConcurrentBag<string> Seen { get; } = [];

        public ConcurrentBag<string> Faults { get; } = [];

        public Task Invoke(IIncomingGrainCallContext context)
        {
            // Orleans' own calls (reminders) and those of the test are nobody's grain's.
            if (context.SourceId is { } source && source.Type.ToString() is { } type && !type.StartsWith("sys.", StringComparison.Ordinal)
                && context.InterfaceMethod.DeclaringType!.Namespace!.StartsWith("HybridTrading", StringComparison.Ordinal))
            {
                string key = source.Key.ToString()!, principal = Principal.Current ?? "nobody";
                string expected = key.Contains('/') && !char.IsAsciiLetterUpper(key[0]) ? Keys.TenantOf(key) : "*system";
                Seen.Add($"{type} -> {context.InterfaceMethod.DeclaringType.Name}.{context.InterfaceMethod.Name}");
                if (principal != expected) Faults.Add($"{source} called {context.InterfaceMethod.Name} of {context.TargetId} as {principal}");
            }
            return context.Invoke();
        }
    }

    [Fact]
    public async Task Nobody_outside_of_grains_is_the_system()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.OpenAccountAsync();
        RequestContext.Set("ht.principal", "*system");
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.AccountGrain().GetView());
        RequestContext.Set("ht.principal", "*");
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => world.AccountGrain().GetView());
    }

    [Fact]
    public async Task The_gateway_before_it_knows_who_is_there_reaches_what_is_marked_for_it_only()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        using Principal.Scope scope = Principal.OfGateway();
        foreach ((Type grain, string key) in Grains)
        {
            foreach (MethodInfo method in grain.GetMethods().Where(method =>
                !method.IsDefined(typeof(SharedAttribute)) && !method.IsDefined(typeof(ForGatewayAttribute)) && !grain.IsDefined(typeof(ForGatewayAttribute))))
            {
                await Assert.ThrowsAsync<UnauthorizedAccessException>(() => CallAsync(world, grain, key, method));
            }
        }
        // What it is for: nobody's data, and nothing that a tenant owns but who belongs to it.
        Assert.Equal(
            ["IClientsGrain", "IEmailGrain", "IErasureGrain", "IInstallationGrain", "IProviderUserGrain", "IRevocationsGrain", "ISigningKeysGrain", "ITenantGrain", "IUserGrain"],
            Grains.Select(one => one.Interface).Where(one => one.IsDefined(typeof(ForGatewayAttribute)) || one.GetMethods().Any(method => method.IsDefined(typeof(ForGatewayAttribute))))
                .Select(one => one.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_scope_ends_where_it_began()
    {
        Assert.Null(Principal.Current);
        using (Principal.Of("acme"))
        {
            using (Principal.Of("beta")) Assert.Equal("beta", Principal.Current);
            Assert.Equal("acme", Principal.Current);
        }
        Assert.Null(Principal.Current);
        Assert.Contains("'*host'", Assert.Throws<ArgumentException>(() => Principal.Of("*host")).Message);
        Assert.Throws<ArgumentException>(() => Principal.Of("EURUSD"));
    }

    private static async Task As(string? tenant, Func<Task> act)
    {
        if (tenant is null)
        {
            RequestContext.Remove("ht.principal");
            await act();
            return;
        }
        using Principal.Scope scope = Principal.Of(tenant);
        await act();
    }

    private static Task CallAsync(TestWorld world, Type grain, string key, MethodInfo method)
    {
        MethodInfo get = typeof(IGrainFactory).GetMethods().Single(each => each is { Name: "GetGrain", IsGenericMethod: true }
            && each.GetParameters() is [{ ParameterType: var first }, { ParameterType: var second }] && first == typeof(string) && second == typeof(string)
            && each.GetGenericArguments()[0].GetGenericParameterConstraints().Contains(typeof(IGrainWithStringKey)));
        object reference = get.MakeGenericMethod(grain).Invoke(world.Grains, [key, null])!;
        object?[] arguments = [.. method.GetParameters().Select(parameter =>
            parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : parameter.ParameterType == typeof(string) ? "x" : null)];
        return (Task)method.Invoke(reference, arguments)!;
    }
}
