using HybridTrading.Grains.Telemetry;
using HybridTrading.Storage.Journal;
using Microsoft.Extensions.Configuration;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace HybridTrading.Api.Observability;

/// <summary>This run of the process among all.</summary>
/// <param name="Process">Machine and process id.</param>
/// <param name="Host">Local or Cluster.</param>
/// <param name="Address">The name of the machine.</param>
public sealed record ProcessIdentity(string Process, string Host, string Version, string Address, DateTime StartedAt)
{
    public static ProcessIdentity Here(string host, TimeProvider clock) => new(
        $"{Environment.MachineName}-{Environment.ProcessId}", host, HybridApi.Version, Environment.MachineName, clock.GetUtcNow().UtcDateTime);
}

/// <summary>
/// Collects what the meters and sources of the process tell: metrics for whoever scrapes <c>/metrics</c>; metrics and traces for a collector where the standard variables
/// name one (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its like, <c>OTEL_TRACES_EXPORTER</c> and <c>OTEL_METRICS_EXPORTER</c> to leave one out,
/// <c>OTEL_TRACES_SAMPLER</c>, <c>OTEL_SERVICE_NAME</c>, <c>OTEL_RESOURCE_ATTRIBUTES</c>). Without them nothing is sent, and no trace is made.
/// </summary>
public sealed class TelemetryProviders : IDisposable
{
    public const string SourceName = "HybridTrading.Api";

    private static readonly string[] Meters =
    [
        TradingMetrics.MeterName, JournalMetrics.MeterName, ApiMetrics.MeterName, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Http.Connections", "System.Runtime",
    ];

    private static readonly string[] Sources = ["Microsoft.AspNetCore", GrainTracing.SourceName, TracedJournal.SourceName, SourceName];

    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;

    public TelemetryProviders(IConfiguration configuration, ProcessIdentity process)
    {
        Resource resource = ResourceBuilder.CreateEmpty().AddService("hybridtrading", serviceVersion: process.Version, serviceInstanceId: process.Process)
            .AddEnvironmentVariableDetector().Build();
        Prometheus = new PrometheusExporter(resource.Attributes.Select(pair => KeyValuePair.Create(pair.Key, (object?)pair.Value)));
        MeterProviderBuilder meters = Sdk.CreateMeterProviderBuilder().ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(target => target.Clear().AddAttributes(resource.Attributes)).AddMeter(Meters).AddReader(new BaseExportingMetricReader(Prometheus));
        _meters = (IsSent(configuration, "METRICS") ? meters.AddOtlpExporter() : meters).Build();
        if (!IsSent(configuration, "TRACES")) return;
        _traces = Sdk.CreateTracerProviderBuilder().ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(target => target.Clear().AddAttributes(resource.Attributes)).AddSource(Sources).AddOtlpExporter().Build();
    }

    public PrometheusExporter Prometheus { get; }

    /// <summary>Sends what waits to be sent.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _meters.Dispose();
    }

    private static bool IsSent(IConfiguration configuration, string signal) =>
        (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]) is { Length: > 0 }
        && configuration[$"OTEL_{signal}_EXPORTER"] is not "none";
}
