namespace HybridTrading.Api.Limits;

/// <summary>
/// What a route is counted as. Each class has a budget of its own, so that what is read much never stands in the way of an order, nor either of the kill switch.
/// </summary>
public enum RouteClass : byte
{
    /// <summary>By weight, a minute.</summary>
    General,

    /// <summary>Orders: each counts one, in ten seconds.</summary>
    Order,

    /// <summary>The kill switch: open also to who is banned from everything else.</summary>
    Safety,
}

/// <summary>Metadata of an endpoint: what a request to it takes of its caller's budget.</summary>
/// <param name="Weight">1 to <see cref="Heaviest"/>; what a request costs the service, by the order of magnitude.</param>
public sealed record RouteCost(RouteClass Class, int Weight)
{
    public const int Heaviest = 100;

    public static readonly RouteCost Usual = new(RouteClass.General, 1);

    public static readonly RouteCost Order = new(RouteClass.Order, 1);

    public static readonly RouteCost Safety = new(RouteClass.Safety, 1);
}

public static class RouteCosts
{
    /// <summary>A request to it takes more than the usual 1 of its caller's budget.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 to <see cref="RouteCost.Heaviest"/>.</exception>
    public static TBuilder Weighs<TBuilder>(this TBuilder endpoint, int weight) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(weight, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(weight, RouteCost.Heaviest);
        return endpoint.WithMetadata(new RouteCost(RouteClass.General, weight));
    }

    /// <summary>A request to it takes 1, unless another word says otherwise.</summary>
    public static TBuilder WithUsualCost<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Finally(static builder =>
        {
            if (!builder.Metadata.OfType<RouteCost>().Any()) builder.Metadata.Add(RouteCost.Usual);
        });
        return endpoint;
    }

    /// <summary>It is counted with orders.</summary>
    public static TBuilder CountsAsOrder<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(RouteCost.Order);

    /// <summary>It works when everything else is throttled.</summary>
    public static TBuilder CountsAsSafety<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(RouteCost.Safety);
}
