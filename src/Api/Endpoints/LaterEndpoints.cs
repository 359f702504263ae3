using HybridTrading.Api.Limits;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

/// <summary>A path of the documents that this system was planned by, whose service does not answer here yet.</summary>
/// <param name="Service">Of the port map.</param>
/// <param name="Instead">What there is now, in one sentence.</param>
/// <param name="Link">Path of it; null where there is nothing alike.</param>
internal sealed record LaterEndpoint(string Method, string Path, string Service, string Instead, string? Link)
{
    /// <summary>laterPostUserFeatures.</summary>
    public string Name => "later" + string.Concat($"{Method.ToLowerInvariant()}/{Path}".Split('/', '-', '{', '}').Where(word => word.Length > 0)
        .Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}

/// <summary>Paths that programs written by those documents will try: each answers 501 and points to what there is.</summary>
internal static class LaterEndpoints
{
    public static readonly ImmutableArray<LaterEndpoint> All =
    [
        new("POST", "/user-features", "feature-engineering", "features of one's own are written inside a rule", "/api/v1/rules/check"),
        new("GET", "/feature-sets/{userId}", "feature-engineering", "the features of an instrument at its last bar are at /api/v1/features/{symbol}/{timeFrame}", "/api/v1/features"),
        new("POST", "/validation/pattern", "pattern-validator", "rules can ask for shapes of bars", "/api/v1/rules/words"),
        new("GET", "/patterns/{userId}", "pattern-validator", "rules can ask for shapes of bars", "/api/v1/rules/words"),
        new("POST", "/user-patterns", "pattern-validator", "a shape of one's own can be written as a rule", "/api/v1/rules/check"),
        new("POST", "/coordination/register", "multi-agent-coordinator", "strategies decide each for themselves", "/api/v1/strategies"),
        new("GET", "/agents/status", "multi-agent-coordinator", "what decides is a strategy", "/api/v1/strategies"),
        new("POST", "/consensus/request", "multi-agent-coordinator", "strategies decide each for themselves", "/api/v1/strategies"),
        new("POST", "/decisions/make", "decision-engine", "decisions are made by running strategies, at each close of a bar, and listed", "/api/v1/decisions"),
        new("GET", "/models/status", "decision-engine", "there are no models; strategies are rules and definitions", "/api/v1/strategy-definitions"),
        new("POST", "/consensus/aggregate", "decision-engine", "what each account made of a decision is in the decision", "/api/v1/decisions"),
    ];

    public static void Map(IEndpointRouteBuilder api)
    {
        foreach (LaterEndpoint later in All)
        {
            api.MapMethods(later.Path, [later.Method], (HttpContext context) => Answer(context, later)).WithTags("Not available yet").WithName(later.Name)
                .WithSummary($"{later.Service} does not answer here yet").WithUsualCost().Query(Permission.ReadSystem, StatusCodes.Status501NotImplemented);
        }
    }

    private static ProblemHttpResult Answer(HttpContext context, LaterEndpoint later)
    {
        if (later.Link is not null) context.Response.Headers.Append("Link", $"<{later.Link}>; rel=\"alternate\"");
        return Problems.Of(StatusCodes.Status501NotImplemented, ApiReason.ServiceNotAvailable,
            $"the service {later.Service} does not answer {later.Method} {RoutingProblems.ApiPath}{later.Path} yet: {later.Instead}", null,
            ("service", later.Service), ("instead", later.Link));
    }
}
