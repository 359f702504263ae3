using System.Diagnostics.Metrics;
using HybridTrading.Api.Observability;
using HybridTrading.Tests.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Observability;

[Collection(nameof(MetricsTests))]
public sealed class MetricsTests
{
    [Fact]
    public async Task WhatIsTradedIsCounted()
    {
        await using ApiHost host = await ApiHost.StartAsync(services => services.AddObservability(ProcessIdentity.Here("Local", TimeProvider.System)));
        PrometheusExporter metrics = host.Services.GetRequiredService<TelemetryProviders>().Prometheus;
        await host.OpenAsync("main");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        double accepted = Value(metrics, "hybridtrading_orders_accepted_total{origin=\"manual\"}"), fills = Value(metrics, "hybridtrading_fills_total");
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(10_000))).Expect(201);
        await host.QuoteAsync("EURUSD", 1.2m, 1.2002m);
        (await host.PostAsync("accounts/main/orders", OrderApiTests.Market(10_000_000_000m))).Expect(422);

        Assert.Equal(accepted + 1, Value(metrics, "hybridtrading_orders_accepted_total{origin=\"manual\"}"));
        Assert.Equal(fills + 1, Value(metrics, "hybridtrading_fills_total"));
        string text = metrics.Scrape();
        Assert.Matches("hybridtrading_orders_denied_total\\{reason=\"\\w+\"\\} [1-9]", text);
        Assert.Matches("hybridtrading_order_duration_seconds_count [1-9]", text);
        Assert.Matches("hybridtrading_journal_commit_duration_seconds_count [1-9]", text);
        // What is looked at and not counted is the last host's that was asked, which may be another test's.
        foreach (string name in (string[])["hybridtrading_journal_size", "hybridtrading_journal_pending_bytes", "hybridtrading_hub_connections", "hybridtrading_jobs_pending"])
        {
            Assert.Matches($"(?m)^{name} [0-9]", text);
        }
        Assert.Matches("rpc_server_call_duration_seconds_count\\{rpc_method=\"IAccountGrain/Place\",rpc_system_name=\"orleans\"\\} [1-9]|"
            + "rpc_server_call_duration_seconds_count\\{rpc_system_name=\"orleans\",rpc_method=\"IAccountGrain/Place\"\\} [1-9]", text);
        Assert.Matches("hybridtrading_grain_activations\\{grain_type=\"AccountGrain\"\\} [0-9]", text);
        Assert.Matches("http_server_request_duration_seconds_count\\{[^}]*http_route=\"[^\"]*orders[^\"]*\"", text);
    }

    [Fact]
    public void TheTextIsWhatPrometheusReads()
    {
        using var meter = new Meter("HybridTrading.Api");
        using var providers = new TelemetryProviders(new ConfigurationBuilder().Build(), new ProcessIdentity("one", "Local", "1.2", "machine", DateTime.UnixEpoch));
        meter.CreateCounter<long>("test.things", "{thing}", "Things \\ seen.\nTwice.").Add(3, KeyValuePair.Create<string, object?>("some.kind", "a\"b\\c\nd"));
        Histogram<double> histogram = meter.CreateHistogram("test.duration", "s", "How long.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (double value in (double[])[0.05, 0.5, 0.5, 7]) histogram.Record(value);
        meter.CreateObservableGauge("test.thread.count", () => 5, "{thread}", "Threads.");
        meter.CreateObservableGauge("test.size", () => 2.5, "By", "Size.");
        string[] lines = providers.Prometheus.Scrape().Split('\n');

        Assert.Equal("target_info{service_name=\"hybridtrading\",service_version=\"1.2\",service_instance_id=\"one\"} 1",
            Assert.Single(lines, line => line.StartsWith("target_info{", StringComparison.Ordinal)));
        Assert.Equal(["# HELP test_things_total Things \\\\ seen.\\nTwice.", "# TYPE test_things_total counter", "test_things_total{some_kind=\"a\\\"b\\\\c\\nd\"} 3"],
            lines.Where(line => line.Contains("test_things", StringComparison.Ordinal)));
        Assert.Equal(
        [
            "# HELP test_duration_seconds How long.", "# TYPE test_duration_seconds histogram", "test_duration_seconds_bucket{le=\"0.1\"} 1",
            "test_duration_seconds_bucket{le=\"1\"} 3", "test_duration_seconds_bucket{le=\"+Inf\"} 4", "test_duration_seconds_sum 8.05", "test_duration_seconds_count 4",
        ], lines.Where(line => line.Contains("test_duration", StringComparison.Ordinal)));
        Assert.Contains("test_thread 5", lines);
        Assert.Contains("test_size_bytes 2.5", lines);
    }

    private static double Value(PrometheusExporter metrics, string series) =>
        metrics.Scrape().Split('\n').Where(line => line.StartsWith(series + " ", StringComparison.Ordinal))
            .Select(line => double.Parse(line[(series.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture)).DefaultIfEmpty(0).Single();
}

/// <summary>Meters are the process's: what other hosts count, or take with them when they end, would be told, too.</summary>
[CollectionDefinition(nameof(MetricsTests), DisableParallelization = true)]
public sealed class MetricsAlone;
