using System.Globalization;

namespace HybridTrading.Api.Limits;

/// <summary>The limits at an endpoint: the headers that say how much is used, and the refusal.</summary>
public static class RateLimiting
{
    public const string WeightUsedHeader = "X-Weight-Used-1m";
    public const string WeightLimitHeader = "X-Weight-Limit-1m";
    public const string OrdersUsedHeader = "X-Orders-Used-10s";
    public const string OrdersLimitHeader = "X-Orders-Limit-10s";

    /// <summary>Counts the request against its caller's budget. Nothing of it has been read yet.</summary>
    /// <exception cref="ApiException">429, with Retry-After: the budget is used up, or the caller is banned.</exception>
    public static void Admit(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteCost>() is not { } cost) return;
        ICaller caller = context.RequestServices.GetRequiredService<ICaller>();
        Admission said = context.RequestServices.GetRequiredService<RateLimiter>()
            .Admit(caller.Actor, context.Connection.RemoteIpAddress, cost);
        Show(said, context.Response.Headers);
        if (said.IsAdmitted) return;
        int seconds = Math.Max(1, (int)Math.Ceiling(said.RetryAfter.TotalSeconds));
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        throw said.IsBanned
            ? new ApiException(StatusCodes.Status429TooManyRequests, ApiReason.Banned,
                $"too many requests after refusals; expected none for {seconds} s, the kill switch excepted")
            : new ApiException(StatusCodes.Status429TooManyRequests, ApiReason.RateLimited,
                $"{Name(said.Class)} used is {said.Used} of {said.Limit}, and this takes {cost.Weight}; expected the next try in {seconds} s");
    }

    /// <summary>An endpoint outside of the API's own group is limited, too.</summary>
    public static TBuilder RateLimited<TBuilder>(this TBuilder endpoints, int weight) where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Weighs(weight);
        endpoints.Finally(builder =>
        {
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = async context =>
            {
                try
                {
                    Admit(context);
                }
                catch (ApiException refused)
                {
                    await Problems.Known(refused)!.ExecuteAsync(context);
                    return;
                }
                await inner(context);
            };
        });
        return endpoints;
    }

    private static void Show(in Admission said, IHeaderDictionary headers)
    {
        (string? used, string? limit) = said.Class switch
        {
            RouteClass.General => (WeightUsedHeader, WeightLimitHeader),
            RouteClass.Order => (OrdersUsedHeader, OrdersLimitHeader),
            _ => (null, (string?)null),
        };
        if (used is null) return;
        headers[used] = said.Used.ToString(CultureInfo.InvariantCulture);
        headers[limit!] = said.Limit.ToString(CultureInfo.InvariantCulture);
    }

    private static string Name(RouteClass routes) => routes switch
    {
        RouteClass.Order => "the number of orders in ten seconds",
        RouteClass.Safety => "the number of kill switch requests in this minute",
        _ => "the weight in this minute",
    };
}
