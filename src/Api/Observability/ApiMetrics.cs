using System.Diagnostics.Metrics;
using HybridTrading.Api.Hubs;
using HybridTrading.Grains.Backtesting;

namespace HybridTrading.Api.Observability;

/// <summary>What waits in this process to be sent to screens, or to be computed.</summary>
public sealed class ApiMetrics
{
    public const string MeterName = "HybridTrading.Api";

    public ApiMetrics(IMeterFactory meters, HubConnections connections, JobSlots? jobs = null)
    {
        Meter meter = meters.Create(MeterName);
        meter.CreateObservableUpDownCounter("hybridtrading.hub.connections", () => connections.Count, "{connection}", "Connections of the trading hub.");
        meter.CreateObservableUpDownCounter("hybridtrading.hub.pending", () => connections.Waiting, "{message}",
            "Decisions, orders and fills that wait to be pushed, of all connections.");
        if (jobs is null) return;
        meter.CreateObservableUpDownCounter("hybridtrading.jobs.threads", () => jobs.Busy, "{thread}", "Threads that back-tests and searches have.");
        meter.CreateObservableUpDownCounter("hybridtrading.jobs.pending", () => jobs.Waiting, "{job}", "Back-tests and searches that wait for a thread.");
    }
}
