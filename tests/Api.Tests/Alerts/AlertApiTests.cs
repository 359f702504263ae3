using System.Text.Json;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Alerts;
using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace HybridTrading.Tests.Alerts;

/// <summary>From what happens in an account to the receiver of a web hook or a mail, through the journal, the outbox and the alerts of a person.</summary>
public sealed class AlertApiTests
{
    private const string Secret = "sixteen letters!";

    private static readonly AlertPacing Quick = new() { FirstRetry = TimeSpan.FromMilliseconds(50), LongestRetry = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public async Task AFillIsPostedSignedAndTheListShowsThatItArrived()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Fill");
        await FillAsync(host, "one");
        HookCall call = Assert.Single(await receiver.UntilAsync(1));
        Assert.True(call.IsSignedBy(Secret));
        Assert.StartsWith("local/owner#", call.Id);
        Assert.Equal((1, call.Id), (call.Json.GetProperty("version").GetInt32(), call.Json.GetProperty("id").GetString()));
        Assert.Equal(("Fill", "main bought 1000 EURUSD at 1.1002"), (call.Kinds, call.Text));
        Assert.Equal("{}", call.Json.GetProperty("folded").GetRawText());

        JsonElement alert = (await DeliveredAsync(host, "Delivered")).EnumerateArray().Single();
        Assert.Equal(("Fill", "main", 1), (alert.GetProperty("kind").GetString(), alert.GetProperty("about").GetString(), alert.GetProperty("count").GetInt32()));
        JsonElement channels = (await host.GetAsync("alerts/channels")).Expect(200).Json;
        Assert.Equal(["WebHook", "Email"], channels.EnumerateArray().Select(channel => channel.GetProperty("channel").GetString()));
        Assert.Equal(receiver.Url, channels[0].GetProperty("target").GetString());
        Assert.Equal(JsonValueKind.Null, channels[0].GetProperty("fault").ValueKind);
        Assert.NotEqual(JsonValueKind.Null, channels[0].GetProperty("lastDelivered").ValueKind);
    }

    [Fact]
    public async Task WhatIsNotChosenIsNotTold()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Denial");
        await FillAsync(host, "one");
        (await host.PostAsync("accounts/main/orders", new { clientOrderId = "none", symbol = "EURUSD", side = "Buy", type = "Market", volume = 1 })).Expect(422);
        HookCall call = Assert.Single(await receiver.UntilAsync(1));
        Assert.Equal("Denial", call.Kinds);
        Assert.Contains("main refused to buy 1 EURUSD", call.Text);
        Assert.Single((await DeliveredAsync(host, "Delivered")).EnumerateArray());
    }

    [Fact]
    public async Task AReceiverThatFailsIsTriedAgainWithTheSameMessage()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, before, context) => HookReceiver.Status(context, before < 3 ? 500 : 200);
        await using ApiHost host = await StartAsync(receiver, "Fill");
        await FillAsync(host, "one");
        HookCall[] calls = [.. await receiver.UntilAsync(4)];
        Assert.Single(calls.Select(call => (call.Id, call.Body)).Distinct());
        JsonElement delivery = (await DeliveredAsync(host, "Delivered"))[0].GetProperty("deliveries")[0];
        Assert.Equal((3, ""), (delivery.GetProperty("failures").GetInt32(), delivery.GetProperty("why").GetString()));
        Assert.Equal(4, receiver.Calls.Length);
    }

    [Fact]
    public async Task AMessageThatIsOpenIsSentAfterARestartUnderTheSameId()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 503, response => response.Headers.RetryAfter = "2");
        await using ApiHost host = await StartAsync(receiver, "Fill");
        await FillAsync(host, "one");
        string id = (await receiver.UntilAsync(1))[0].Id;
        await UntilAsync(async () => (await host.GetAsync("alerts/channels")).Json[0].GetProperty("failures").GetInt32() > 0);
        await host.RestartAsync(_ => receiver.Answer = (_, _, context) => HookReceiver.Status(context, 200));
        await StartOutboxAsync(host);
        JsonElement delivery = (await DeliveredAsync(host, "Delivered"))[0].GetProperty("deliveries")[0];
        Assert.Equal("Delivered", delivery.GetProperty("state").GetString());
        HookCall[] calls = [.. receiver.Calls];
        Assert.All(calls, call => Assert.Equal(id, call.Id));
        await FillAsync(host, "two");
        HookCall next = (await receiver.UntilAsync(calls.Length + 1))[^1];
        Assert.NotEqual(id, next.Id);
        Assert.Equal("main bought 1000 EURUSD at 1.1002", next.Text);
    }

    [Fact]
    public async Task A410SwitchesTheHookOffUntilSomebodyTriesIt()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 410);
        await using ApiHost host = await StartAsync(receiver, "Fill");
        await FillAsync(host, "one");
        await DeliveredAsync(host, "Refused");
        await UntilAsync(async () => (await host.GetAsync("alerts/channels")).Json[0].GetProperty("fault").GetString()?.Contains("switched off") == true);
        await FillAsync(host, "two");
        await UntilAsync(async () => (await host.GetAsync("alerts")).Json.GetProperty("items").GetArrayLength() == 2);
        Assert.Empty((await host.GetAsync("alerts")).Json.GetProperty("items")[0].GetProperty("deliveries").EnumerateArray());
        Assert.Single(receiver.Calls);

        receiver.Answer = (_, _, context) => HookReceiver.Status(context, 200);
        Answer tested = (await host.PostAsync("alerts/test", new { })).Expect(200);
        Assert.Equal(["WebHook"], tested["channels"].EnumerateArray().Select(channel => channel.GetString()));
        Assert.Equal("Test", (await receiver.UntilAsync(2))[1].Kinds);
        await UntilAsync(async () => (await host.GetAsync("alerts/channels")).Json[0].GetProperty("fault").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public async Task AHookWithoutASecretIsNotUsedAndATestSaysWhere()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Fill", secret: null);
        Answer tested = (await host.PostAsync("alerts/test", new { })).Expect(200);
        Assert.Empty(tested["channels"].EnumerateArray());
        Assert.Contains("webHookSecret is not set", (await host.GetAsync("alerts/channels")).Json[0].GetProperty("fault").GetString());
        Assert.Empty((await host.GetAsync($"alerts?minPosition={tested.MinPosition}"))["items"][0].GetProperty("deliveries").EnumerateArray());
        Assert.Empty(receiver.Calls);
    }

    [Fact]
    public async Task TheListComesInPages()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Fill");
        long last = 0;
        for (int i = 0; i < 5; i++) last = (await host.PostAsync("alerts/test", new { })).Expect(200).MinPosition;
        List<long> seen = [];
        long? before = null;
        do
        {
            Answer page = (await host.GetAsync($"alerts?limit=2&minPosition={last}{(before is { } number ? $"&before={number}" : "")}")).Expect(200);
            seen.AddRange(page["items"].EnumerateArray().Select(alert => alert.GetProperty("number").GetInt64()));
            before = page["next"].ValueKind == JsonValueKind.Null ? null : page["next"].GetInt64();
        }
        while (before is not null);
        Assert.Equal(5, seen.Count);
        Assert.Equal(seen.OrderDescending(), seen);
        (await host.GetAsync("alerts?limit=0")).ExpectProblem(400, "InvalidInput", "limit");
    }

    [Fact]
    public async Task AStormIsAFewMessagesThatTellAllOfIt()
    {
        const int Fills = 60;
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Fill", pacing: Quick with { WebHook = new AlertPace(1, TimeSpan.FromSeconds(1)) });
        for (int i = 0; i < Fills; i++) await PlaceAsync(host, $"order-{i}");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
        await UntilAsync(() => Task.FromResult(receiver.Calls.Sum(call => call.Json.GetProperty("alerts").GetArrayLength()) == Fills));
        Assert.InRange(receiver.Calls.Length, 1, 20);
        Assert.Equal(Fills, receiver.Calls.SelectMany(call => call.Json.GetProperty("alerts").EnumerateArray()).Select(alert => alert.GetProperty("number").GetInt64()).Distinct().Count());
    }

    [Fact]
    public async Task AHaltAStoppedStrategyAndANearLimitAreTold()
    {
        await using HookReceiver receiver = await HookReceiver.StartAsync();
        await using ApiHost host = await StartAsync(receiver, "Halt", "StrategyStopped", "LimitNear");
        (await host.PutAsync("accounts/main/limits", new { maxExposure = 1_200 })).Expect(200);
        await FillAsync(host, "one");
        for (int i = 0; receiver.Calls.IsEmpty && i < 300; i++)
        {
            await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
            await Task.Delay(100);
        }
        HookCall near = receiver.Calls[0];
        Assert.Equal(("LimitNear", true), (near.Kinds, near.Text.StartsWith("main is near MaxExposure: 91.", StringComparison.Ordinal)));

        (await host.PostAsync("strategies", new { name = "cross", definition = "sma-cross", symbol = "EURUSD", timeFrame = "M1" })).Expect(201);
        (await host.PostAsync("strategies/cross/start", new { })).Expect(200);
        (await host.PostAsync("strategies/cross/stop", new { })).Expect(200);
        Assert.Equal("Strategy cross has stopped", (await receiver.UntilAsync(2))[1].Text);
        (await host.PutAsync("accounts/main/state", new { state = "Halted" })).Expect(200);
        Assert.StartsWith("main is halted", (await receiver.UntilAsync(3))[2].Text);
        (await host.PutAsync("accounts/main/state", new { state = "Active" })).Expect(200);
        // Near once, and no word of the release.
        Assert.Equal("Test", (await TestedAsync(host, receiver)).Kinds);
        Assert.Equal(4, receiver.Calls.Length);
    }

    [Fact]
    public async Task EachMemberHearsOfTheirOwnAndAllOfAHaltOfTheTenant()
    {
        await using HookReceiver forOwner = await HookReceiver.StartAsync(), forTrader = await HookReceiver.StartAsync();
        await using ApiHost host = await ApiHost.StartAsync(Allow(), signIn: true);
        await StartOutboxAsync(host);
        using Visitor owner = await Visitor.OwnerAsync(host);
        using Visitor trader = await owner.InviteAsync("tom", "Trader");
        foreach ((Visitor who, HookReceiver receiver) in ((Visitor, HookReceiver)[])[(owner, forOwner), (trader, forTrader)])
        {
            (await who.PostAsync("user-config", Notifications(receiver, Secret, "Fill", "Halt"))).Expect(201);
            (await who.PostAsync("accounts", new { name = "main", currency = "USD", deposit = 10_000 })).Expect(201);
        }
        await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
        (await trader.PostAsync("accounts/main/orders", Order("one"))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
        HookCall fill = Assert.Single(await forTrader.UntilAsync(1));
        Assert.Equal($"{trader.Tenant}/{trader.Id}", fill.Id.Split('#')[0]);
        (await owner.PostAsync("kill-switch/tenant", new { reason = "a fire" })).Expect(200);
        Assert.Contains("a fire", (await forTrader.UntilAsync(2))[1].Text);
        HookCall halt = Assert.Single(await forOwner.UntilAsync(1));
        Assert.Equal(("Halt", "The tenant is halted (a fire)"), (halt.Kinds, halt.Text));
        Assert.Equal("Halt", Assert.Single((await owner.GetAsync("alerts"))["items"].EnumerateArray()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task MailsGoToTheVerifiedAddressAloneAndSayHowTheyEnd()
    {
        await using var server = new MailReceiver { Answer = refused => refused < 2 ? "451 later" : "250 taken" };
        await using ApiHost host = await ApiHost.StartAsync(services =>
        {
            Allow()(services);
            services.AddSingleton(new MailOptions { Host = "127.0.0.1", Port = server.Port, Tls = false, From = "desk@example.org" });
        }, signIn: true);
        using Visitor owner = await Visitor.OwnerAsync(host);
        (await owner.PostAsync("user-config", new { section = "notifications", values = new { email = "somebody.else@example.org" } })).Expect(201);
        await TestAsync("Refused");
        Assert.Contains("not the verified one", (await owner.GetAsync("alerts/channels")).Json[1].GetProperty("fault").GetString());
        Assert.Empty(server.Mails);

        (await owner.PutAsync("user-config/notifications", new { values = new { email = "Owner@example.org" }, version = 1 })).Expect(200);
        Assert.Equal(JsonValueKind.Null, (await owner.GetAsync("alerts/channels")).Json[1].GetProperty("fault").ValueKind);
        await TestAsync("Delivered");
        ReceivedMail mail = Assert.Single(server.Mails);
        Assert.Equal(2, server.Refused);
        Assert.Equal(("desk@example.org", "Owner@example.org"), (mail.From, Assert.Single(mail.To)));
        Assert.Contains("Subject: HybridTrading: test", mail.Text);
        Assert.Contains($"Message-ID: <{owner.Tenant}.{owner.Id}.", mail.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Auto-Submitted: auto-generated", mail.Text);
        Assert.Contains("This is a test", mail.Plain);
        Assert.Contains("take the address out, on the page Settings, Notifications", mail.Plain);

        async Task TestAsync(string state)
        {
            long number = (await owner.PostAsync("alerts/test", new { })).Expect(200)["number"].GetInt64();
            await UntilAsync(async () => (await owner.GetAsync("alerts")).Json.GetProperty("items").EnumerateArray()
                .Any(alert => alert.GetProperty("number").GetInt64() == number && alert.GetProperty("deliveries")[0].GetProperty("state").GetString() == state));
        }
    }

    [Fact]
    public async Task WhoHasAnOrderAtWorkOrARunningStrategyIsInItsMarket()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Assert.Empty(await InterestsAsync());
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Limit("low", 0.9m))).Expect(201);
        MarketInterest[] expected = [new MarketInterest("local/owner", "EURUSD")];
        Assert.Equal(expected, await InterestsAsync());
        (await host.DeleteAsync("accounts/main/orders/low")).Expect(200);
        Assert.Empty(await InterestsAsync());
        (await host.PostAsync("strategies", StrategyApiTests.Cross(start: true, accounts: ["main"]))).Expect(201);
        Assert.Equal(expected, await InterestsAsync());
        (await host.PostAsync("strategies/cross/stop", null)).Expect(200);
        Assert.Empty(await InterestsAsync());

        async Task<IEnumerable<MarketInterest>> InterestsAsync()
        {
            await host.Services.GetRequiredService<ReadSide>().CatchUpAsync(TestContext.Current.CancellationToken);
            return host.Services.GetRequiredService<IMarketInterests>().Read();
        }
    }

    private static Action<IServiceCollection> Allow(AlertPacing? pacing = null) =>
        services => services.AddSingleton(new AlertOptions { AllowInternal = true, Pacing = pacing ?? Quick, Patience = TimeSpan.FromSeconds(20) });

    private static async Task<ApiHost> StartAsync(HookReceiver receiver, string kind, string? secret = Secret, AlertPacing? pacing = null) =>
        await StartAsync(receiver, [kind], secret, pacing);

    private static Task<ApiHost> StartAsync(HookReceiver receiver, params string[] kinds) => StartAsync(receiver, kinds, Secret, null);

    private static async Task<ApiHost> StartAsync(HookReceiver receiver, string[] kinds, string? secret, AlertPacing? pacing)
    {
        ApiHost host = await ApiHost.StartAsync(Allow(pacing));
        await StartOutboxAsync(host);
        (await host.PostAsync("user-config", Notifications(receiver, secret, kinds))).Expect(201);
        await host.OpenAsync("main", new { deposit = 1_000_000 });
        await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
        return host;
    }

    private static object Notifications(HookReceiver receiver, string? secret, params string[] kinds) =>
        new { section = "notifications", values = new { kinds, webHookUrl = receiver.Url, webHookSecret = secret } };

    private static async Task StartOutboxAsync(ApiHost host)
    {
        using Principal.Scope scope = Principal.OfHost();
        await host.Services.GetRequiredService<IGrainFactory>().GetGrain<IOutboxGrain>(Keys.Outbox).Start();
    }

    private static object Order(string id) => new { clientOrderId = id, symbol = "EURUSD", side = "Buy", type = "Market", volume = 1000 };

    private static async Task PlaceAsync(ApiHost host, string id) => (await host.PostAsync("accounts/main/orders", Order(id))).Expect(201);

    private static async Task FillAsync(ApiHost host, string id)
    {
        await PlaceAsync(host, id);
        await host.QuoteAsync("EURUSD", 1.1m, 1.1002m);
    }

    private static async Task<HookCall> TestedAsync(ApiHost host, HookReceiver receiver)
    {
        int before = receiver.Calls.Length;
        (await host.PostAsync("alerts/test", new { })).Expect(200);
        return (await receiver.UntilAsync(before + 1))[before];
    }

    /// <summary>The list, when the latest alert has come to that state on its one channel.</summary>
    private static async Task<JsonElement> DeliveredAsync(ApiHost host, string state)
    {
        JsonElement items = default;
        await UntilAsync(async () =>
        {
            items = (await host.GetAsync("alerts")).Expect(200).Json.GetProperty("items");
            return items.GetArrayLength() > 0 && items[0].GetProperty("deliveries") is { } all && all.GetArrayLength() == 1 && all[0].GetProperty("state").GetString() == state;
        });
        return items;
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 1500; look++)
        {
            if (await isSo()) return;
            await Task.Delay(20);
        }
        Assert.Fail("it never came to that");
    }
}
