using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Host;

internal static class ApiEndpoints
{
    /// <summary>Every endpoint of the API by method and path, such as <c>GET accounts/{account}</c>.</summary>
    public static IEnumerable<(string Name, RouteEndpoint Endpoint)> Of(ApiHost host)
    {
        foreach (RouteEndpoint endpoint in host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = endpoint.RoutePattern.RawText!.TrimStart('/');
            if (!path.StartsWith("api/v1/", StringComparison.Ordinal)) continue;
            foreach (string method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods) yield return ($"{method} {path["api/v1/".Length..].TrimEnd('/')}", endpoint);
        }
    }
}
