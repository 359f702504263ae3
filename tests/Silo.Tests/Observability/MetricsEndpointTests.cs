using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HybridTrading.Silo.Hosting;

namespace HybridTrading.Silo.Tests.Observability;

/// <summary>What a process tells of itself on its ports, after a strategy has traded on past data.</summary>
public sealed partial class MetricsEndpointTests(ITestOutputHelper output)
{
    private static readonly string Folder = Path.Combine(SharedData.RepositoryRoot, "infra", "observability");

    [Fact]
    public async Task Every_port_tells_metrics_that_Prometheus_accepts_and_that_alerts_and_dashboard_name()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--market", SharedData.Path("data/mt5-history/eurusd_d1.zip"));
        await PlayedMarket.StartR1Async(system.Client, "EURUSD", "D1");
        await PlayedMarket.PlayAsync(system.Client);
        (HttpStatusCode status, JsonNode denied) = await PlayedMarket.TryAsync(system.Client, HttpMethod.Post, "accounts/r1/orders", new()
        {
            ["symbol"] = "EURUSD", ["side"] = "Buy", ["type"] = "Market", ["volume"] = 0.001,
        });
        Assert.True(status == HttpStatusCode.UnprocessableEntity, denied.ToString());

        string[] named = [.. Names(await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.yml"))),
            .. DashboardExpressions(JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "grafana-dashboard.json")))!).SelectMany(Names)];
        Assert.True(named.Distinct().Count() > 15, string.Join(' ', named));
        foreach (int port in (int[])[system.Gateway, 8026 + system.Offset, 8007 + system.Offset])
        {
            using HttpResponseMessage answer = await system.Client.GetAsync($"http://127.0.0.1:{port}/metrics", TestContext.Current.CancellationToken);
            Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
            string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            HashSet<string> told = [.. Family().Matches(text).Select(family => family.Groups[1].Value)];
            Assert.Equal([], named.Except(told));
            Assert.Matches("http_server_request_duration_seconds_count\\{[^}]*service=\"api-gateway\"", text);
            Assert.Matches("hybridtrading_decisions_total [1-9]", text);
            Assert.Matches("hybridtrading_feed_age_seconds\\{symbol=\"EURUSD\"\\} [0-9]", text);
            (int exitCode, string remarks) = await Promtool.RunAsync(Folder, text, "check", "metrics");
            Assert.True(exitCode == 0, remarks);
            output.WriteLine($"port {port}: {told.Count} metrics, {text.Count(one => one == '\n')} lines");
        }
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task Operators_see_services_grains_storage_and_feeds_where_they_look()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--ticks-per-second", "10");
        JsonNode services = await UntilAsync(system, "services", each => (string)each["services"]![0]!["status"]! == "healthy");
        Assert.Equal(LiveSystem.Services("hybrid").Select(service => service.Name), services["services"]!.AsArray().Select(service => (string)service!["name"]!));
        foreach (JsonNode? service in services["services"]!.AsArray())
        {
            JsonNode instance = Assert.Single(service!["instances"]!.AsArray())!;
            int port = LiveSystem.Services("hybrid").First(one => one.Name == (string)service["name"]!).Port + system.Offset;
            Assert.Equal(("healthy", OrleansHost.Name, port), ((string)instance["status"]!, (string)instance["host"]!, (int)instance["port"]!));
            Assert.Equal(OrleansHost.Name == "Cluster", instance["siloPort"] is not null);
        }
        JsonNode history = await PlayedMarket.GetAsync(system.Client, "services/trading-engine/history?limit=1");
        JsonNode began = Assert.Single(history["transitions"]!.AsArray())!;
        Assert.Equal((null, "healthy"), ((string?)began["from"], (string)began["to"]!));

        JsonNode grains = await UntilAsync(system, "system/grains", each => each["processes"]!.AsArray() is [{ } only]
            && only["types"]!.AsArray().Any(type => (string)type!["type"]! == "MarketGrain" && (double)type["callsPerSecond"]! > 0 && type["p99"] is not null));
        JsonNode process = grains["processes"]![0]!;
        Assert.True((long)process["types"]!.AsArray().First(type => (string)type!["type"]! == "MarketGrain")!["activations"]! > 0);
        Assert.Contains(process["methods"]!.AsArray(), method => (string)method!["method"]! == "IMarketGrain/OnQuotes" && (double)method["p50"]! <= (double)method["p99"]!);
        Assert.DoesNotContain(process["slowest"]!.AsArray(), call => ((string)call!["method"]!).EndsWith("GetViewAfter", StringComparison.Ordinal));

        JsonNode storage = Assert.Single((await PlayedMarket.GetAsync(system.Client, "system/storage"))["processes"]!.AsArray())!;
        Assert.Equal(("files", Path.GetFullPath(data.Path)), ((string)storage["kind"]!, (string)storage["location"]!));
        Assert.Contains(storage["parts"]!.AsArray(), part => (string)part!["name"]! == "market" && (long)part["bytes"]! > 0);
        JsonNode feeds = await UntilAsync(system, "system/feeds", each => each["symbols"]!.AsArray().Any(symbol => symbol!["ageSeconds"] is not null));
        Assert.True((bool)feeds["simulated"]!);

        foreach (int port in (int[])[8002, 8026])
        {
            using HttpResponseMessage there = await system.Client.GetAsync($"http://127.0.0.1:{port + system.Offset}/api/v1/system/grains", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        }
        using HttpResponseMessage elsewhere = await system.Client.GetAsync($"http://127.0.0.1:{8007 + system.Offset}/api/v1/services", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
        using HttpResponseMessage unknown = await system.Client.GetAsync("/api/v1/services/nobody/history", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);

        // It says good-bye, and is remembered by the next start.
        string first = (string)process["process"]!;
        (await system.Program.StopAsync()).Succeeded();
        await using LiveSystem again = await LiveSystem.StartAsync(data.Path);
        JsonNode both = await UntilAsync(again, "services/trading-engine/history", each => each["transitions"]!.AsArray().Count >= 3);
        Assert.Equal([(first, "stopped"), (first, "healthy")],
            both["transitions"]!.AsArray().Skip(1).Select(change => ((string)change!["process"]!, (string)change["to"]!)));
        (await again.Program.StopAsync()).Succeeded();
    }

    private static async Task<JsonNode> UntilAsync(LiveSystem system, string path, Func<JsonNode, bool> wanted)
    {
        JsonNode answer = await PlayedMarket.GetAsync(system.Client, path);
        for (int look = 0; look < 300 && !wanted(answer); look++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            answer = await PlayedMarket.GetAsync(system.Client, path);
        }
        Assert.True(wanted(answer), answer.ToString());
        return answer;
    }

    private static IEnumerable<string> DashboardExpressions(JsonNode node) => node switch
    {
        JsonArray list => list.OfType<JsonNode>().SelectMany(DashboardExpressions),
        JsonObject one => one.SelectMany(member => member is { Key: "expr" or "query", Value: JsonValue text } && text.TryGetValue(out string? expression)
            ? [expression]
            : member.Value is null ? [] : DashboardExpressions(member.Value)),
        _ => [],
    };

    /// <summary>The metrics that an expression names, without what Prometheus adds to a histogram's.</summary>
    private static IEnumerable<string> Names(string expression) => Metric().Matches(expression).Select(name => Series().Replace(name.Value, "")).Distinct();

    [GeneratedRegex(@"\b(hybridtrading|rpc_server|http_server|dotnet|target)_[a-z_]+\b(?=[\[{)\s=])")]
    private static partial Regex Metric();

    [GeneratedRegex("(?<=_(seconds|events))_(bucket|sum|count)$")]
    private static partial Regex Series();

    [GeneratedRegex("^# TYPE ([a-z0-9_]+) ", RegexOptions.Multiline)]
    private static partial Regex Family();
}
