using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using HybridTrading.Tests.Host;

namespace HybridTrading.Scenarios.Tests.Cluster;

/// <summary>
/// Somebody looks at an account and a market: the API process that shows them is killed, then each silo that they may live in. The client goes on at the
/// other process from its last sequence, and is shown prices and the account again without doing anything.
/// </summary>
public sealed class ClusterScreenTests(ITestOutputHelper output)
{
    private const string Account = "page", Symbol = "BTCUSD";
    private const int Orders = 10, Further = 50, Attempts = 600;

    private int _placed;

    [Fact]
    public async Task A_client_goes_on_at_another_API_process_and_sees_each_fill_once()
    {
        await using ClusterSystem cluster = await ClusterSystem.StartAsync();
        JsonObject terms = new() { ["name"] = Account, ["currency"] = "USD", ["deposit"] = 10_000_000, ["limits"] = new JsonObject() };
        await PostAsync(cluster, "/api/v1/accounts", "open", terms);
        await TradesAsync(cluster);

        HubClient first = await HubClient.ConnectAsync(cluster.Clients[0].BaseAddress!, await cluster.Owner.TokenAsync(cluster.Clients[0].BaseAddress!));
        long start = (await first.SubscribeAsync([Symbol], Account)).GetProperty("sequence").GetInt64();
        await first.WaitForAsync("quotes", _ => true);
        await PlaceAsync(cluster, Orders);
        await first.WaitForAsync("fills", _ => true);
        await PlaceAsync(cluster, Orders);
        await KillAsync(cluster.Gateways[0]);
        await first.DisposeAsync();
        List<long> seen = Fills(first);
        output.WriteLine($"{seen.Count} fills seen at the first process, from {start} to {first.Sequence}");
        await PlaceAsync(cluster, Orders);

        await using HubClient second = await HubClient.ConnectAsync(cluster.Clients[1].BaseAddress!, await cluster.Owner.TokenAsync(cluster.Clients[1].BaseAddress!));
        await second.SubscribeAsync([Symbol], Account, first.Sequence);
        await FilledAsync(second);
        foreach (Member silo in cluster.Silos)
        {
            await KillAsync(silo);
            long position = second.Pushed("quotes").Max(Position);
            DateTime time = second.Pushed("account").Max(Time);
            await PlaceAsync(cluster, 1);
            await second.WaitForAsync("quotes", quote => Position(quote) > position + Further);
            await second.WaitForAsync("account", account => Time(account) > time.AddSeconds(1));
            await FilledAsync(second);
            cluster.Launch(silo);
            await cluster.IsUpAsync(silo);
        }

        Assert.Empty(second.Pushed("hole"));
        Assert.Empty(second.Pushed("gap"));
        seen.AddRange(Fills(second));
        JsonNode page = (await cluster.Clients[1].GetFromJsonAsync<JsonNode>($"/api/v1/accounts/{Account}/fills?limit=1000", TestContext.Current.CancellationToken))!;
        long[] all = [.. page["fills"]!.AsArray().Select(fill => (long)fill!["position"]!).Order()];
        Assert.Equal(all, seen);
        Assert.Equal(_placed, page["fills"]!.AsArray().Select(fill => (long)fill!["ordinal"]!).Distinct().Count());
    }

    /// <summary>Waits for the first quote: a feed begins with a past, which takes its time on a busy machine.</summary>
    private static async Task TradesAsync(ClusterSystem cluster)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            using HttpResponseMessage response = await cluster.Clients[1].GetAsync($"/api/v1/quotes?symbols={Symbol}", TestContext.Current.CancellationToken);
            if (response.IsSuccessStatusCode && (await response.Content.ReadFromJsonAsync<JsonArray>(TestContext.Current.CancellationToken))!.Count == 1) return;
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"no quote of {Symbol}: {string.Join('\n', cluster.Silos.Select(silo => silo.Program!.Output + silo.Program.Error))}");
    }

    private Task<JsonElement> FilledAsync(HubClient client) =>
        client.WaitForAsync("orders", order => order.GetProperty("ordinal").GetInt64() == _placed && order.GetProperty("status").GetString() == "Filled");

    private static List<long> Fills(HubClient client) => [.. client.Pushed("fills").Select(fill => fill.GetProperty("position").GetInt64())];

    private static long Position(JsonElement quote) => quote.GetProperty("position").GetInt64();

    private static DateTime Time(JsonElement account) => account.GetProperty("time").GetDateTime();

    private static async Task KillAsync(Member member)
    {
        await member.Program!.KillAsync();
        await member.Program.DisposeAsync();
        member.Program = null;
    }

    private async Task PlaceAsync(ClusterSystem cluster, int orders)
    {
        for (int i = 0; i < orders; i++)
        {
            JsonObject order = new() { ["symbol"] = Symbol, ["side"] = "Buy", ["type"] = "Market", ["volume"] = 0.01m };
            await PostAsync(cluster, $"/api/v1/accounts/{Account}/orders", $"order-{_placed}", order);
            _placed++;
        }
    }

    /// <summary>Sends to the second process, which lives, until there is an answer that is not the server's own trouble.</summary>
    private static async Task PostAsync(ClusterSystem cluster, string path, string key, JsonObject body)
    {
        string trouble = "";
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create((JsonNode)body) };
                request.Headers.Add("Idempotency-Key", key);
                using HttpResponseMessage response = await cluster.Clients[1].SendAsync(request, TestContext.Current.CancellationToken);
                if (response.StatusCode is HttpStatusCode.Created or HttpStatusCode.OK) return;
                trouble = $"{response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
                Assert.True((int)response.StatusCode >= 500, $"{key}: {trouble}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                trouble = e.Message;
            }
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"{key} was not answered: {trouble}\n{cluster.Gateways[1].Program!.Output}\n{cluster.Gateways[1].Program!.Error}");
    }
}
