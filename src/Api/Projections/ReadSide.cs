using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>How a list is made to show what its reader has just written.</summary>
public sealed class ReadSide(ProjectionRunner projections, IJournal journal, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly ImmutableArray<string> All =
        [AccountProjection.ProjectionName, StrategyProjection.ProjectionName, JobProjection.ProjectionName,
         JournalIndexProjection.ProjectionName, UserProjection.ProjectionName, AlertProjection.ProjectionName];

    /// <summary>Waits until a projection holds the event at <paramref name="minPosition"/>, for 5 s at most; null does not wait.</summary>
    /// <exception cref="ApiException">400 for a negative position; 503 when the projection does not get there in time, or never will.</exception>
    public async Task WaitForAsync(string projection, long? minPosition, CancellationToken cancellation)
    {
        if (minPosition is not { } position) return;
        if (position < 0) throw ApiException.Invalid("minPosition", $"minPosition is {position}; expected 0 or more");
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            await projections.WaitForAsync(projection, position, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, ApiReason.ProjectionBehind,
                $"minPosition is {position}; the list {projection} stands at {projections.Position(projection)} of {journal.DurableSize}: try again");
        }
    }

    /// <summary>Waits until the projections hold everything that is in the journal now.</summary>
    public async Task CatchUpAsync(CancellationToken cancellation)
    {
        long last = journal.DurableSize - 1;
        foreach (string projection in All) await projections.WaitForAsync(projection, last, cancellation);
    }
}
