using HybridTrading.Domain.Journal;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HybridTrading.Api.Projections;

/// <summary>
/// Not ready until the views of this process hold what was in the journal when it was first asked: a new process reads the whole journal once.
/// How far they lag later is each query's own matter (<c>minPosition</c>).
/// </summary>
public sealed class ViewsCheck(ReadSide reads, IJournal journal, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task? _first;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Task first;
        lock (_gate)
        {
            if (_first is null or { IsFaulted: true }) _first = reads.CatchUpAsync(CancellationToken.None);
            first = _first;
        }
        try
        {
            await first.WaitAsync(Patience, clock, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (TimeoutException)
        {
            return HealthCheckResult.Unhealthy($"the views are being made from a journal of {journal.DurableSize} events");
        }
    }
}
