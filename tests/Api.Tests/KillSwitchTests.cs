using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace HybridTrading.Tests;

public sealed class KillSwitchTests
{
    /// <summary>Whoever a header says, of the tenant acme: an owner where the name begins with one, else a trader.</summary>
    private sealed class NamedCaller(IHttpContextAccessor http) : ICaller
    {
        public string Tenant => "acme";

        public string User => http.HttpContext?.Request.Headers["X-Test-User"].FirstOrDefault() ?? "owner";

        public bool Has(Permission permission) => RolePermissions.Of(User.StartsWith("owner", StringComparison.Ordinal) ? Role.Owner : Role.Trader).Contains(permission);
    }

    private static Task<ApiHost> StartAsync() => ApiHost.StartAsync(services =>
    {
        services.AddHttpContextAccessor();
        services.AddScoped<ICaller, NamedCaller>();
    });

    private static void Be(ApiHost host, string user)
    {
        host.Client.DefaultRequestHeaders.Remove("X-Test-User");
        host.Client.DefaultRequestHeaders.Add("X-Test-User", user);
    }

    private static object Order(string side = "Buy", decimal volume = 1000, string type = "Market", decimal? limitPrice = null) =>
        new { symbol = "EURUSD", side, type, volume, limitPrice };

    private static async Task TradeAsync(ApiHost host, string account)
    {
        await host.OpenAsync(account);
        (await host.PostAsync($"accounts/{account}/orders", Order(volume: 2000))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        (await host.PostAsync($"accounts/{account}/orders", Order(type: "Limit", limitPrice: 1.05m))).Expect(201);
    }

    private static async Task StrategyAsync(ApiHost host, string name, string account) => (await host.PostAsync("strategies", new
    {
        name, definition = "sma-cross", symbol = "EURUSD", timeFrame = "M1", parameters = new { fast = 2, slow = 3 }, accounts = new[] { account }, start = true,
    })).Expect(201);

    [Fact]
    public async Task Ones_own_strategies_stop_and_accounts_halt_with_what_adds_cancelled()
    {
        await using ApiHost host = await StartAsync();
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Be(host, "bob");
        await TradeAsync(host, "other");
        Be(host, "ann");
        await TradeAsync(host, "main");
        await StrategyAsync(host, "cross", "main");

        Answer done = (await host.PostAsync("kill-switch", new { reason = "storm" })).Expect(200);
        Assert.Equal("main", done["accounts"][0].GetString());
        Assert.Equal("cross", done["strategies"][0].GetString());
        Answer account = (await host.GetAsync("accounts/main")).Expect(200);
        Assert.Equal("Halted", account["state"].GetString());
        Assert.Empty(account["workingOrders"].EnumerateArray());
        Assert.Single(account["positions"].EnumerateArray());
        Assert.Equal("Stopped", (await host.GetAsync("strategies/cross"))["status"].GetString());
        (await host.PostAsync("accounts/main/orders", Order())).ExpectProblem(422, "Halted");
        (await host.PostAsync("accounts/main/orders", Order("Sell"))).Expect(201);
        JsonElement seen = (await host.GetAsync("kill-switch")).Expect(200).Json;
        Assert.Equal("Halted", seen.GetProperty("accounts")[0].GetProperty("state").GetString());
        Assert.Empty(seen.GetProperty("runningStrategies").EnumerateArray());
        Be(host, "bob");
        Assert.Equal("Active", (await host.GetAsync("accounts/other"))["state"].GetString());
    }

    [Fact]
    public async Task One_account_can_be_halted_and_flattened_alone()
    {
        await using ApiHost host = await StartAsync();
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        await TradeAsync(host, "one");
        await TradeAsync(host, "two");
        (await host.PostAsync("kill-switch/accounts/one", new { flatten = true })).Expect(200);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Answer one = (await host.GetAsync("accounts/one")).Expect(200);
        Assert.Equal("Halted", one["state"].GetString());
        Assert.Empty(one["positions"].EnumerateArray());
        Assert.Equal("Active", (await host.GetAsync("accounts/two"))["state"].GetString());
        (await host.PostAsync("kill-switch/accounts/three", new { })).ExpectProblem(404, ApiReason.AccountUnknown);
    }

    [Fact]
    public async Task A_halt_of_the_tenant_holds_for_all_also_later_and_after_a_restart_until_a_second_person_releases_it()
    {
        await using ApiHost host = await StartAsync();
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Be(host, "ann");
        await TradeAsync(host, "main");
        await StrategyAsync(host, "cross", "main");
        (await host.PostAsync("kill-switch/tenant", new { reason = "mine" })).ExpectProblem(403, ApiReason.PermissionMissing);

        Be(host, "owner-a");
        (await host.PostAsync("kill-switch/tenant", new { })).ExpectProblem(400, ApiReason.InvalidInput, "reason");
        Answer engaged = (await host.PostAsync("kill-switch/tenant", new { reason = "the feed lies" })).Expect(200);
        Assert.Equal((0, 2), (engaged["untold"].GetInt32(), engaged["concerned"].GetInt32()));
        long number = engaged["halt"].GetProperty("number").GetInt64();
        // Once more is the same halt.
        Assert.Equal(number, (await host.PostAsync("kill-switch/tenant", new { reason = "again" }))["halt"].GetProperty("number").GetInt64());

        Be(host, "ann");
        await RefusesAsync(host, "main");
        Assert.Equal("Stopped", (await host.GetAsync("strategies/cross"))["status"].GetString());
        (await host.PostAsync("strategies/cross/start", null)).ExpectProblem(422, "TenantHalted");
        // Her own release does not lift it, and what reduces passes.
        (await host.PutAsync("accounts/main/state", new { state = "Active" })).Expect(200);
        await RefusesAsync(host, "main");
        (await host.PostAsync("accounts/main/orders", Order("Sell"))).Expect(201);
        await host.OpenAsync("later");
        await RefusesAsync(host, "later");

        await host.RestartAsync();
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Be(host, "ann");
        await RefusesAsync(host, "main");
        await RefusesAsync(host, "later");
        await host.OpenAsync("latest");
        await RefusesAsync(host, "latest");
        JsonElement state = (await host.GetAsync("kill-switch")).Expect(200).Json.GetProperty("tenantHalts")[0];
        Assert.Equal(("owner-a", "the feed lies"), (state.GetProperty("by").GetString(), state.GetProperty("why").GetString()));

        string release = $"kill-switch/tenant/{number}/release";
        (await host.PostAsync(release, new { reason = "please" })).ExpectProblem(403, ApiReason.PermissionMissing);
        Be(host, "owner-b");
        (await host.PostAsync($"{release}/approval", null)).ExpectProblem(409, "ReleaseNotAsked");
        Answer asked = (await host.PostAsync(release, new { reason = "it is mended" })).Expect(200);
        Assert.Equal("owner-b", asked["halt"].GetProperty("release").GetProperty("by").GetString());
        (await host.PostAsync($"{release}/approval", null)).ExpectProblem(403, "SecondPersonNeeded");
        Be(host, "owner-a");
        (await host.PostAsync($"{release}/approval", null)).ExpectProblem(403, "SecondPersonNeeded");
        (await host.PostAsync(release, new { reason = "too" })).ExpectProblem(409, "ReleaseAlreadyAsked");
        Be(host, "ann");
        await RefusesAsync(host, "main");
        Be(host, "owner-c");
        Answer released = (await host.PostAsync($"{release}/approval", null)).Expect(200);
        Assert.Equal(JsonValueKind.Null, released["halt"].ValueKind);
        (await host.PostAsync($"{release}/approval", null)).ExpectProblem(404, "HaltUnknown");

        Be(host, "ann");
        foreach (string account in (string[])["main", "later", "latest"])
        {
            Assert.False((await host.GetAsync($"accounts/{account}"))["tenantHalted"].GetBoolean());
            (await host.PostAsync($"accounts/{account}/orders", Order())).Expect(201);
        }
        Assert.Equal("Stopped", (await host.GetAsync("strategies/cross"))["status"].GetString());
        (await host.PostAsync("strategies/cross/start", null)).Expect(200);
    }

    [Fact]
    public async Task A_member_can_be_halted_alone_and_has_no_say_in_it()
    {
        await using ApiHost host = await StartAsync();
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        foreach (string user in (string[])["owner-a", "bob"])
        {
            Be(host, user);
            await TradeAsync(host, "main");
        }
        using (Principal.OfGateway()) await host.Services.GetRequiredService<IGrainFactory>().GetGrain<ITenantGrain>(Keys.Tenant("acme")).Found("Desk", "owner-a");
        Be(host, "owner-b");
        (await host.PostAsync("kill-switch/tenant", new { reason = "odd orders", member = "NO ONE" })).ExpectProblem(400, ApiReason.InvalidInput, "member");
        (await host.PostAsync("kill-switch/tenant", new { reason = "odd orders", member = "owner-x" })).ExpectProblem(404, ApiReason.MemberUnknown);
        Answer engaged = (await host.PostAsync("kill-switch/tenant", new { reason = "odd orders", member = "owner-a", flatten = true })).Expect(200);
        string release = $"kill-switch/tenant/{engaged["halt"].GetProperty("number").GetInt64()}/release";
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        Be(host, "owner-a");
        await RefusesAsync(host, "main");
        Assert.Empty((await host.GetAsync("accounts/main"))["positions"].EnumerateArray());
        (await host.PostAsync(release, new { reason = "let me" })).ExpectProblem(403, "HaltedThemselves");
        Be(host, "bob");
        (await host.PostAsync("accounts/main/orders", Order())).Expect(201);
        // A halt of somebody else is not a trader's to see.
        Assert.Empty((await host.GetAsync("kill-switch"))["tenantHalts"].EnumerateArray());
        Be(host, "owner-b");
        (await host.PostAsync(release, new { reason = "explained" })).Expect(200);
        Be(host, "owner-a");
        (await host.PostAsync($"{release}/approval", null)).ExpectProblem(403, "HaltedThemselves");
    }

    private static async Task RefusesAsync(ApiHost host, string account)
    {
        (await host.PostAsync($"accounts/{account}/orders", Order())).ExpectProblem(422, "TenantHalted");
        Assert.True((await host.GetAsync($"accounts/{account}")).Expect(200)["tenantHalted"].GetBoolean());
    }
}
