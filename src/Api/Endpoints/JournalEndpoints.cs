using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Storage.Projections;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

/// <summary>The record of truth, as far as it is the caller's own.</summary>
internal static class JournalEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/journal", ListAsync).WithTags("Journal").WithName("listJournal").Weighs(10)
            .WithSummary("The caller's own events in the order of the journal")
            .WithDescription("from is a journal position (inclusive); next is where the following page begins.").Query(Permission.ReadJournal);

    private static async Task<Ok<JournalPage>> ListAsync(
        ICaller caller, JournalQueries journal, ReadSide reads, CancellationToken cancellation, long from = 0, int? limit = null,
        long? minPosition = null)
    {
        if (from < 0) throw ApiException.Invalid("from", $"from is {from}; expected 0 or more");
        int size = EndpointConventions.Limit(limit, 100);
        await reads.WaitForAsync(JournalIndexProjection.ProjectionName, minPosition, cancellation);
        ImmutableArray<RecordedEvent> events = await journal.ReadAsync(caller.Person(), from, size, cancellation);
        return TypedResults.Ok(new JournalPage([.. events.Select(JournalEntry.Of)], events.Length == size ? events[^1].Position + 1 : null));
    }
}
