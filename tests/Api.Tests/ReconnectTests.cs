using System.Text.Json;
using HybridTrading.Api.Hubs;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace HybridTrading.Tests;

/// <summary>A client goes from one API process to another and reads on from its last sequence.</summary>
public sealed class ReconnectTests
{
    private const int Orders = 60;

    [Fact]
    public async Task AClientThatComesFromAnotherApiProcessSeesEveryFillOnce()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        await using NeighbourApi neighbour = await NeighbourApi.StartAsync(host);
        Uri[] processes = [host.Address, neighbour.Address];

        Task trading = TradeAsync(host, Orders);
        List<long> seen = [];
        long after = -1;
        for (int visit = 0; seen.Count < Orders; visit++)
        {
            HubClient client = await HubClient.ConnectAsync(processes[visit % 2]);
            JsonElement snapshot = await client.SubscribeAsync(["EURUSD"], "main", after);
            Assert.Equal(after, snapshot.GetProperty("sequence").GetInt64());
            // It leaves as soon as it has seen something, in the middle of all the rest.
            await client.WaitForAsync("fills", _ => true);
            await client.DisposeAsync();
            seen.AddRange(client.Pushed("fills").Select(fill => fill.GetProperty("position").GetInt64()));
            Assert.Empty(client.Pushed("hole"));
            Assert.Empty(client.Pushed("gap"));
            after = client.Sequence!.Value;
        }
        await trading;
        JsonElement[] fills = [.. (await host.GetAsync("accounts/main/fills?limit=1000")).Expect(200)["fills"].EnumerateArray()];
        Assert.Equal(Orders, fills.Length);
        Assert.Equal(fills.Select(fill => fill.GetProperty("position").GetInt64()).Order(), seen);
    }

    [Fact]
    public async Task WhoWasAwayForTooLongIsToldToReadTheListsAgain()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main");
        using (Principal.Of("local"))
        {
            IAccountGrain account = host.Services.GetRequiredService<IGrainFactory>().GetGrain<IAccountGrain>("local/owner/main");
            for (int i = 0; i <= JournalBoard.MostMissed; i++) Assert.Null((await account.Adjust(1m, "", $"deposit {i}")).Fault);
        }
        long size = (await host.GetAsync("system"))["journal"].GetProperty("size").GetInt64();
        await using (HubClient client = await HubClient.ConnectAsync(host.Address))
        {
            await client.SubscribeAsync([], "main", 0);
            JsonElement gap = await client.WaitForAsync("gap", _ => true);
            Assert.Equal((1, size - 1), (gap.GetProperty("position").GetInt64(), gap.GetProperty("sequence").GetInt64()));
            // From there on it goes on as ever.
            await host.OpenAsync("other");
            JsonElement push = await client.WaitForAsync("journal", _ => true);
            Assert.Equal(size - 1, push.GetProperty("after").GetInt64());
        }
        // A sequence that this journal never had: of another one, or of before it was restored.
        await using HubClient stranger = await HubClient.ConnectAsync(host.Address);
        await stranger.SubscribeAsync([], "main", 1_000_000);
        JsonElement unknown = await stranger.WaitForAsync("gap", _ => true);
        Assert.InRange(unknown.GetProperty("sequence").GetInt64(), size, 999_999);
    }

    [Fact]
    public async Task ASubscriptionOfTheSameConnectionGoesOnWhereItWas()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        await using HubClient client = await HubClient.ConnectAsync(host.Address);
        await client.SubscribeAsync(["EURUSD"], "main");
        for (int i = 0; i < 20; i++)
        {
            await TradeAsync(host, 1);
            await client.SubscribeAsync(i % 2 == 0 ? ["EURUSD", "GBPUSD"] : ["EURUSD"], "main");
        }
        await client.WaitForAsync("fills", fill => fill.GetProperty("ordinal").GetInt64() == 20);
        Assert.Equal(Enumerable.Range(1, 20).Select(ordinal => (long)ordinal), client.Pushed("fills").Select(fill => fill.GetProperty("ordinal").GetInt64()));
        Assert.Empty(client.Pushed("hole"));
        HubException fault = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync([], null, -2));
        Assert.Contains("after is -2", fault.Message);
    }

    /// <summary>Market orders, each filled by the next quote.</summary>
    private static async Task TradeAsync(ApiHost host, int orders)
    {
        for (int i = 0; i < orders; i++)
        {
            (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(1000, ApiHost.NewKey()))).Expect(201);
            await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        }
    }
}
