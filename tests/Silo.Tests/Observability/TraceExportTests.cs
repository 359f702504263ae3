using System.Net;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests.Observability;

/// <summary>Traces as a collector gets them from the program.</summary>
public sealed class TraceExportTests(ITestOutputHelper output)
{
    [Fact]
    public async Task An_order_is_one_trace_at_the_collector()
    {
        await using Collector collector = await Collector.StartAsync();
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(
            new Dictionary<string, string>
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Address, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            }, data.Path, "--ticks-per-second", "20");
        string symbol = await OpenMarketAsync(system.Client);
        (HttpStatusCode opened, JsonNode account) = await PlayedMarket.TryAsync(system.Client, HttpMethod.Post, "accounts", new() { ["name"] = "main", ["currency"] = "USD" });
        Assert.True(opened == HttpStatusCode.Created, account.ToString());
        (HttpStatusCode status, JsonNode placed) = await PlayedMarket.TryAsync(system.Client, HttpMethod.Post, "accounts/main/orders", new()
        {
            ["symbol"] = symbol, ["side"] = "Buy", ["type"] = "Market", ["volume"] = symbol == "BTCUSD" ? 0.1 : 1000,
        });
        Assert.True(status == HttpStatusCode.Created, placed.ToString());

        SentSpan[] trace = [];
        for (int look = 0; look < 300 && !trace.Any(span => span.Name == "paper fill"); look++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            trace = OrderTrace(collector);
        }
        output.WriteLine(Collector.Tree(trace));
        SentSpan request = Assert.Single(trace, span => span.Name == "POST /api/v1/accounts/{account}/orders");
        SentSpan place = Assert.Single(trace, span => span.Name == "IAccountGrain/Place");
        Assert.Equal(request.Id, place.Parent);
        Assert.Contains(trace, span => span.Name == "journal append" && span.Parent == place.Id);
        // A thin market fills it in parts.
        Assert.All(trace.Where(span => span.Name == "paper fill"), fill => Assert.Equal(place.Id, fill.Parent));
        for (int look = 0; look < 300 && collector.MetricExports == 0; look++) await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.True(collector.MetricExports > 0);
        (await system.Program.StopAsync()).Succeeded();
    }

    private static SentSpan[] OrderTrace(Collector collector)
    {
        string? trace = collector.Spans.FirstOrDefault(span => span.Name == "IAccountGrain/Place")?.Trace;
        return [.. collector.Spans.Where(span => span.Trace == trace)];
    }

    /// <summary>An instrument that has a price; those of currencies have none at week-ends.</summary>
    private static async Task<string> OpenMarketAsync(HttpClient client)
    {
        for (int look = 0; look < 300; look++)
        {
            JsonNode feeds = await PlayedMarket.GetAsync(client, "system/feeds");
            if (feeds["symbols"]!.AsArray().FirstOrDefault(each => (double?)each!["ageSeconds"] < 5) is { } open) return (string)open["symbol"]!;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Fail("no market is open");
        return "";
    }
}
