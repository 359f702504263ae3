using HybridTrading.Api.Ports;
using HybridTrading.Domain.Telemetry;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Operations;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Storage;
using HybridTrading.Storage.Journal;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Observability;

/// <summary>Tells the central hub that this process lives, and how it does.</summary>
/// <param name="grains">Of a process without silo: a client of the cluster.</param>
/// <param name="calls">Null where the process runs no grains.</param>
public sealed partial class ProcessReporter(
    ProcessIdentity process, ServiceEndpoints plan, ServiceHealth health, IGrainFactory grains, TimeProvider clock, ILogger<ProcessReporter> log,
    JournalMetrics? journal = null, IStorageFigures? storage = null, GrainCallStatistics? calls = null) : BackgroundService
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly LatencyWindow _commits = new(GrainCallStatistics.Window);
    private readonly Queue<(DateTime Time, long Commits, long Events)> _past = new();
    private string? _refused;

    private ICentralHubGrain Hub => grains.GetGrain<ICentralHubGrain>(CentralHub.Key);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using Principal.Scope scope = Principal.OfHost();
        try
        {
            await Hub.Leave(process.Process).WaitAsync(Farewell, clock, cancellationToken);
        }
        catch (Exception away)
        {
            LogNotHeard(away.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(CentralHub.ReportInterval, clock);
        try
        {
            do
            {
                await ReportAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ReportAsync(CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfHost();
        try
        {
            var report = new ProcessReport(process.Process, process.Host, process.Version, process.Address, process.StartedAt,
                [.. (await health.ReadinessOfAllAsync(cancellation)).Select(one => ReportOf(one.Service, one.State))], calls?.Sample(), await StorageAsync(cancellation));
            await Hub.Report(report);
            _refused = null;
        }
        catch (Exception away) when (!cancellation.IsCancellationRequested)
        {
            // Said once: while the hub is away every report ends like this.
            if (_refused != away.Message) LogNotHeard(away.Message);
            _refused = away.Message;
        }
    }

    private ServiceReport ReportOf(HostedService service, Readiness state)
    {
        bool silo = process.Host != "Local";
        string[] faults =
        [
            .. state.Checks.Where(check => check.Status != "healthy").Select(check => check.Description is { } why ? $"{check.Name}: {why}" : $"{check.Name} is {check.Status}"),
            .. state.Dependencies.Where(each => each.Status is not ("healthy" or "elsewhere")).Select(each => $"{each.Service} is {each.Status}"),
        ];
        return new ServiceReport(service.Service, service.Port, service.WebSocketPort, silo ? plan.SiloPort : null, silo ? plan.GatewayPort : null,
            Enum.Parse<ServiceStatus>(state.Status, ignoreCase: true), faults.Length > 0 ? string.Join("; ", faults) : null);
    }

    private async Task<StorageReport?> StorageAsync(CancellationToken cancellation)
    {
        if (journal is null || storage is null) return null;
        StorageUse use = await storage.ReadAsync(cancellation);
        return new StorageReport(use.Kind, use.Location, Journal(journal), [.. use.Parts.Select(part => new StoragePartReport(part.Name, part.Bytes, part.Files))],
            use.FreeBytes);
    }

    private JournalFigures Journal(JournalMetrics metrics)
    {
        DateTime now = clock.GetUtcNow().UtcDateTime;
        (LatencyFigures figures, TimeSpan over) = _commits.Sample(metrics.Commits.Snapshot(), now);
        while (_past.Count > 1 && now - _past.Peek().Time > GrainCallStatistics.Window) _past.Dequeue();
        (_, long commitsBefore, long eventsBefore) = _past.Count > 0 ? _past.Peek() : default;
        (long allCommits, long allEvents) = (metrics.CommitCount, metrics.EventCount);
        _past.Enqueue((now, allCommits, allEvents));
        if (figures.Count == 0 || over <= TimeSpan.Zero) return new JournalFigures(metrics.DurableSize, metrics.PendingBytes, allCommits, null, null, null, null);
        return new JournalFigures(metrics.DurableSize, metrics.PendingBytes, allCommits, figures.Count / over.TotalSeconds,
            (allEvents - eventsBefore) / (double)Math.Max(1, allCommits - commitsBefore), figures.P50, figures.P99);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the central hub does not hear this process: {Why}")]
    private partial void LogNotHeard(string why);
}
