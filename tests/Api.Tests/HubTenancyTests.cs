using System.Reflection;
using System.Text.Json;
using HybridTrading.Api;
using HybridTrading.Api.Identity;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests;

/// <summary>Every method of every hub, called from another tenant with what the first one's things are called. A method that is not in the table fails.</summary>
public sealed class HubTenancyTests
{
    /// <summary>Calls that name what belongs to the first tenant: each is refused with a word that does not say whether it is there.</summary>
    private static readonly Dictionary<string, Func<HubClient, string, Task>[]> Refused = new(StringComparer.Ordinal)
    {
        ["TradingHub.Subscribe"] =
        [
            .. ((string[])["secret-desk", "owner/secret-desk", "local/owner/secret-desk", "account/local/owner/secret-desk", "../owner/secret-desk", "cross", "jobs"])
                .Select(account => (Func<HubClient, string, Task>)((hub, _) => hub.SubscribeAsync(["EURUSD"], account))),
        ],
    };

    [Fact]
    public void EveryHubMethodIsInTheTable()
    {
        string[] methods = [.. typeof(HybridApi).Assembly.GetTypes().Where(type => typeof(Hub).IsAssignableFrom(type) && !type.IsAbstract)
            .SelectMany(hub => hub.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(method => method.GetBaseDefinition() == method && !method.IsSpecialName).Select(method => $"{hub.Name}.{method.Name}"))];
        Assert.NotEmpty(methods);
        Assert.Equal(methods.Order(StringComparer.Ordinal), Refused.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AnotherTenantIsAnsweredAndToldNothing()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddSingleton(new IdentityOptions { SignUp = true }), signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        await TradeAsync(host, owner, "secret-desk", "first-secret");
        (await owner.PostAsync("strategies", StrategyApiTests.Cross(start: true, accounts: ["secret-desk"]))).Expect(201);
        using Visitor eve = await StrangerAsync(host);
        Assert.NotEqual(owner.Tenant, eve.Tenant);
        await TradeAsync(host, eve, "mine", "own-before");

        foreach ((string method, Func<HubClient, string, Task>[] calls) in Refused)
        {
            foreach (Func<HubClient, string, Task> call in calls)
            {
                await using HubClient other = await HubClient.ConnectAsync(host.Address, eve.Token);
                string refusal = (await Assert.ThrowsAsync<HubException>(() => call(other, owner.Tenant))).Message;
                Assert.True(refusal.Contains("no such account", StringComparison.Ordinal) || refusal.Contains("expected 1 to 64", StringComparison.Ordinal), $"{method}: {refusal}");
                AssertNothingOf(owner, other, refusal);
            }
        }

        // From the beginning of the journal on, at any sequence of the first tenant, and from now on.
        foreach (long? after in (long?[])[-1, 0, 3, null])
        {
            await using HubClient hub = await HubClient.ConnectAsync(host.Address, eve.Token);
            JsonElement snapshot = await hub.SubscribeAsync(["EURUSD"], "mine", after);
            Assert.Equal("mine", snapshot.GetProperty("account").GetProperty("name").GetString());
            Assert.Empty(snapshot.GetProperty("strategies").EnumerateArray());
            // Everything that is pushed happens to the first tenant; then one thing of one's own, which comes after it.
            await TradeAsync(host, owner, "secret-desk", $"later-secret-{after}");
            (await owner.PostAsync("user-config", new { section = "display", values = new { theme = "dark" } })).Expect(after == -1 ? 201 : 409);
            (await owner.PostAsync("tenant-config", new { section = "display", values = new { theme = "light" } })).Expect(after == -1 ? 201 : 409);
            (await owner.PostAsync("backtests", new { dataSets = new[] { "market:EURUSD:M1" }, strategies = new[] { new { definition = "sma-cross" } } })).Let(answer => Assert.True(answer.Status is 202 or 400 or 409 or 422, answer.Text));
            (await owner.PostAsync("kill-switch", new { reason = "drill" })).Expect(200);
            (await owner.PutAsync("accounts/secret-desk/state", new { state = "Active" })).Expect(200);
            await TradeAsync(host, eve, "mine", $"own-after-{after}");
            await hub.WaitForAsync("orders", order => order.GetProperty("clientOrderId").GetString() == $"own-after-{after}");
            AssertNothingOf(owner, hub, snapshot.GetRawText());
            Assert.Empty(hub.Pushed("job"));
            Assert.Empty(hub.Pushed("configuration"));
        }
    }

    private static void AssertNothingOf(Visitor owner, HubClient hub, string answered)
    {
        foreach (string text in hub.All().Select(one => $"{one.Name} {one.Value.GetRawText()}").Append(answered))
        {
            foreach (string theirs in (string[])["first-secret", "later-secret", "cross", $"{owner.Tenant}/{owner.Id}/"])
            {
                // What was asked comes back in a refusal; nothing else does.
                if (!text.StartsWith("account is", StringComparison.Ordinal) && !text.Contains("HubException", StringComparison.Ordinal)) Assert.DoesNotContain(theirs, text);
            }
        }
    }

    private static async Task TradeAsync(ApiHost host, Visitor who, string account, string order)
    {
        if ((await who.GetAsync($"accounts/{account}")).Status == 404) (await who.PostAsync("accounts", new { name = account, currency = "USD" })).Expect(201);
        (await who.PostAsync($"accounts/{account}/orders", OrderApiTests.Market(1000, order))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
    }

    private static async Task<Visitor> StrangerAsync(ApiHost host)
    {
        var eve = new Visitor(host);
        (await eve.PostAsync("auth/sign-up", new { email = "eve@example.org", name = "Eve", password = Visitor.Password })).Expect(202);
        (await eve.PostAsync("auth/verify-email", new { token = host.MailLink("eve@example.org", "verify") })).Expect(204);
        (await eve.SignInAsync("eve@example.org")).Expect(200);
        return eve;
    }
}
