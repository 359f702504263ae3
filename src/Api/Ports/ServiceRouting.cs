using System.Collections.Frozen;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Api.Ports;

/// <summary>
/// Ties endpoints to the ports of their services. An endpoint answers only on connections accepted by a port of its service (the
/// connection's local port, never the Host header); an endpoint that names no service belongs to the gateway.
/// </summary>
public static class ServiceRouting
{
    /// <summary>Keeps endpoints to the ports of a plan.</summary>
    internal static IServiceCollection AddServicePorts(this IServiceCollection services, ServiceEndpoints plan)
    {
        services.AddSingleton(plan);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ServicePortPolicy>());
        services.AddSingleton<ServiceHealth>();
        services.AddHealthChecks();
        return services;
    }

    /// <summary>The endpoint answers on the ports of this service only. Without it: on the gateway's.</summary>
    /// <param name="service">A service of the default map.</param>
    /// <exception cref="ArgumentException">There is no such service.</exception>
    public static TBuilder OnService<TBuilder>(this TBuilder endpoints, string service) where TBuilder : IEndpointConventionBuilder
    {
        if (!PortMap.Default.Services.Any(s => s.Name == service))
        {
            throw new ArgumentException($"service is '{service}', expected one of the map '{PortMap.DefaultName}'", nameof(service));
        }
        return endpoints.WithMetadata(new PortsOfEndpoint(plan => plan.PortsOf(service)));
    }

    /// <summary>The endpoint answers on the ports of each of these services.</summary>
    public static TBuilder OnServices<TBuilder>(this TBuilder endpoints, params string[] services) where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(new PortsOfEndpoint(plan => services.SelectMany(plan.PortsOf).ToFrozenSet()));

    /// <summary>The endpoint answers wherever the trading hub may: on the gateway's ports and on every WebSocket port of the map.</summary>
    public static TBuilder OnHubPorts<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(new PortsOfEndpoint(plan => plan.HubPorts));

    /// <summary>The endpoint answers on every port.</summary>
    public static TBuilder OnEveryPort<TBuilder>(this TBuilder endpoints) where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(new PortsOfEndpoint(plan => plan.ListenPorts.ToFrozenSet()));

    /// <summary>Middleware for one service's ports only, for what is no endpoint (static files, pages).</summary>
    public static IApplicationBuilder UseOnService(this IApplicationBuilder app, string service, Action<IApplicationBuilder> branch)
    {
        IReadOnlySet<int> ports = app.ApplicationServices.GetRequiredService<ServiceEndpoints>().PortsOf(service);
        return app.UseWhen(context => ports.Contains(context.Connection.LocalPort), branch);
    }
}

/// <summary>Which ports of a plan an endpoint answers on.</summary>
internal sealed record PortsOfEndpoint(Func<ServiceEndpoints, IReadOnlySet<int>> In);

/// <summary>Splits the route table by local port before anything else is matched, so that another port gives 404 and not even 405.</summary>
internal sealed class ServicePortPolicy(ServiceEndpoints plan) : MatcherPolicy, INodeBuilderPolicy
{
    /// <summary>Before the HTTP method (-1000): the methods of an endpoint are nobody's business on another port.</summary>
    public override int Order => -10_000;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => true;

    public IReadOnlyList<PolicyNodeEdge> GetEdges(IReadOnlyList<Endpoint> endpoints) =>
    [
        .. endpoints
            .SelectMany(e => PortsOf(e).Select(port => (port, e)))
            .GroupBy(pair => pair.port, pair => pair.e)
            .Select(port => new PolicyNodeEdge(port.Key, [.. port])),
    ];

    public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges) =>
        new JumpByPort(exitDestination, edges.ToFrozenDictionary(e => (int)e.State, e => e.Destination));

    private IReadOnlySet<int> PortsOf(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<PortsOfEndpoint>()?.In(plan) ?? plan.PortsOf(ServiceEndpoints.Gateway);

    private sealed class JumpByPort(int otherwise, FrozenDictionary<int, int> destinations) : PolicyJumpTable
    {
        public override int GetDestination(HttpContext httpContext) =>
            destinations.GetValueOrDefault(httpContext.Connection.LocalPort, otherwise);
    }
}
