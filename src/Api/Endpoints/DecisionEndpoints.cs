using HybridTrading.Api.Gateway;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>What strategies decided, on what they saw, and what came of it.</summary>
internal static class DecisionEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder decisions = api.MapGroup("/decisions").WithTags("Decisions");
        decisions.MapGet("/", ListAsync).WithName("listDecisions").Weighs(5).WithSummary("The caller's decisions, the latest first")
            .WithDescription("strategy is a strategy's name; before is the next of the page before.").Query(Permission.ReadTrading);
        decisions.MapGet("/{**id}", GetAsync).WithName("getDecision").CacheableByContent().WithSummary("One decision")
            .WithDescription("The # of an id must be escaped as %23.")
            .Query(Permission.ReadTrading, Status404NotFound);
    }

    private static async Task<Ok<DecisionPage>> ListAsync(
        ICaller caller, StrategyQueries strategies, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        string? strategy = null, int? limit = null, long? before = null, long? minPosition = null)
    {
        int size = EndpointConventions.Limit(limit, 50);
        string? key = strategy is null ? null : caller.Key(strategy, "strategy");
        await reads.WaitForAsync(StrategyProjection.ProjectionName, minPosition, cancellation);
        ImmutableArray<DecisionRow> rows = strategies.Decisions(caller.Person(), key, before, size);
        return TypedResults.Ok(new DecisionPage(
            [.. rows.Select(row => DecisionView.Of(row, caller, options.Universe))], rows.Length == size ? rows[^1].Position : null));
    }

    private static async Task<Results<Ok<DecisionView>, ProblemHttpResult>> GetAsync(
        string id, ICaller caller, StrategyQueries strategies, ReadSide reads, ApiOptions options, CancellationToken cancellation,
        long? minPosition = null)
    {
        await reads.WaitForAsync(StrategyProjection.ProjectionName, minPosition, cancellation);
        string own = caller.Person() + "/";
        string whole = id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        DecisionRow? row = strategies.Decision(whole.StartsWith(own, StringComparison.Ordinal) ? whole : own + whole);
        return row is null
            ? Problems.NotFound(ApiReason.DecisionUnknown, $"id is {ApiException.Quote(id)}; no such decision, expected strategy#number")
            : TypedResults.Ok(DecisionView.Of(row, caller, options.Universe));
    }
}
