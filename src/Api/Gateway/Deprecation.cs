using System.Globalization;

namespace HybridTrading.Api.Gateway;

/// <summary>Metadata of an endpoint that will go: since when it should not be used, when it goes, and what takes its place.</summary>
/// <param name="Since">Told as Deprecation (RFC 9745).</param>
/// <param name="Sunset">Told as Sunset (RFC 8594); later than <paramref name="Since"/>.</param>
/// <param name="Successor">Path of what takes its place; null for nothing.</param>
public sealed record Deprecation(DateTimeOffset Since, DateTimeOffset Sunset, string? Successor)
{
    public void Show(IHeaderDictionary headers)
    {
        headers["Deprecation"] = string.Create(CultureInfo.InvariantCulture, $"@{Since.ToUnixTimeSeconds()}");
        headers["Sunset"] = Sunset.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        if (Successor is not null) headers.Append("Link", $"<{Successor}>; rel=\"successor-version\"");
    }
}

public static class Deprecations
{
    /// <summary>The endpoint will go; until then each of its answers says so.</summary>
    /// <exception cref="ArgumentException">It would go before it is deprecated.</exception>
    public static TBuilder Deprecated<TBuilder>(this TBuilder endpoint, DateTimeOffset since, DateTimeOffset sunset, string? successor = null)
        where TBuilder : IEndpointConventionBuilder => sunset > since
            ? endpoint.WithMetadata(new Deprecation(since, sunset, successor))
            : throw new ArgumentException($"sunset is {sunset:O}; expected later than {since:O}", nameof(sunset));
}
