namespace HybridTrading.Api.Gateway;

/// <summary>Metadata of an endpoint that may take longer, or must end sooner, than others.</summary>
public sealed record TimeLimit(TimeSpan Longest)
{
    /// <summary>Longer than the patience of any grain call (30 s), so that the call's own fault is told where there is one.</summary>
    public static readonly TimeLimit Usual = new(TimeSpan.FromSeconds(60));
}

public static class TimeLimits
{
    /// <summary>A request may take this long, its body included.</summary>
    public static TBuilder EndsWithin<TBuilder>(this TBuilder endpoint, TimeSpan longest) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new TimeLimit(longest));
}
