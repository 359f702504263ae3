using System.Diagnostics;
using System.Text.Json.Nodes;

namespace HybridTrading.Scenarios.Tests.Cluster;

/// <summary>The main job's figures, from a cluster of three silos, driven by the API processes.</summary>
public sealed class ClusterReplayTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Rule_R1_played_through_the_cluster_gives_the_exact_figures()
    {
        string file = SharedData.Path("data/mt5-history/gbpusd_h1.zip");
        await using ClusterSystem cluster = await ClusterSystem.StartAsync("--market", file);
        foreach (HttpClient client in cluster.Clients) client.Timeout = TimeSpan.FromSeconds(30);
        long began = Stopwatch.GetTimestamp();
        try
        {
            await PlayedMarket.StartR1Async(cluster.Clients[0], "GBPUSD", "H1");
            began = Stopwatch.GetTimestamp();
            await PlayedMarket.PlayAsync(cluster.Clients[1]);
        }
        catch
        {
            output.WriteLine(cluster.Said());
            throw;
        }
        output.WriteLine($"57,600 bars through the cluster in {Stopwatch.GetElapsedTime(began).TotalSeconds:N1} s");

        foreach (HttpClient client in cluster.Clients)
        {
            JsonNode account = await PlayedMarket.GetAsync(client, "accounts/r1");
            Assert.Equal(101_045.539314m, (decimal)account["equity"]!);
            Assert.Equal(679.660686m, (decimal)account["commissions"]!);
            Assert.Equal(1211, await CountAsync(client, "orders"));
            Assert.Equal(1211, await CountAsync(client, "fills"));
        }
        Assert.EndsWith("sound\n", (await cluster.VerifyAsync()).Succeeded().Output, StringComparison.Ordinal);
    }

    private static async Task<int> CountAsync(HttpClient client, string what)
    {
        int count = 0;
        for (string cursor = ""; ;)
        {
            JsonNode page = await PlayedMarket.GetAsync(client, $"accounts/r1/{what}?limit=1000{cursor}");
            count += page[what]!.AsArray().Count;
            if ((long?)page["next"] is not { } next) return count;
            cursor = $"&before={next}";
        }
    }
}
