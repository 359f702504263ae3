using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Tests;

/// <summary>A user who has past data played as the live market and trades on it, over HTTP.</summary>
internal static class PlayedMarket
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(8);

    /// <summary>Rule R1: the crossing averages of 20 and 50 closes, 10,000 units, fee 0.00002 of the notional; all that the CLI's <c>backtest</c> assumes
    /// otherwise.</summary>
    public static async Task StartR1Async(HttpClient client, string symbol, string timeFrame)
    {
        await SendAsync(client, HttpMethod.Post, "accounts", new()
        {
            ["name"] = "r1", ["currency"] = "USD", ["deposit"] = 100_000, ["leverage"] = null, ["moneyDigits"] = null,
            ["commissionRate"] = 0.00002m, ["stopOutPercent"] = null, ["equitySampleSeconds"] = null, ["limits"] = new JsonObject(),
        });
        await SendAsync(client, HttpMethod.Post, "strategies", new()
        {
            ["name"] = "sma-cross", ["definition"] = "sma-cross", ["symbol"] = symbol, ["timeFrame"] = timeFrame, ["start"] = true,
            ["parameters"] = new JsonObject { ["fast"] = 20, ["slow"] = 50, ["units"] = 10_000 }, ["accounts"] = new JsonArray("r1"),
        });
    }

    /// <summary>Presses play and waits for the end.</summary>
    public static async Task PlayAsync(HttpClient client)
    {
        await SendAsync(client, HttpMethod.Put, "feed", new() { ["running"] = true });
        long start = Stopwatch.GetTimestamp();
        for (JsonNode feed = await GetAsync(client, "feed"); ; feed = await GetAsync(client, "feed"))
        {
            JsonNode playback = feed["playback"]!;
            if ((long)playback["done"]! == (long)playback["total"]! && (long)feed["position"]! >= (long)playback["total"]! - 1) return;
            Assert.True(Stopwatch.GetElapsedTime(start) < Longest, $"not played within {Longest}: {feed}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    public static async Task<JsonNode> GetAsync(HttpClient client, string path)
    {
        using HttpResponseMessage response = await client.GetAsync($"/api/v1/{path}", TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    public static async Task<(HttpStatusCode Status, JsonNode Answer)> TryAsync(HttpClient client, HttpMethod method, string path, JsonObject body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/{path}") { Content = JsonContent.Create((JsonNode)body) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, JsonObject body)
    {
        (HttpStatusCode status, JsonNode answer) = await TryAsync(client, method, path, body);
        // A cluster that has just started may not have all of its services together.
        for (int attempt = 0; attempt < 100 && status is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout; attempt++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            (status, answer) = await TryAsync(client, method, path, body);
        }
        Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Created, $"{path}: {status} {answer}");
    }
}
