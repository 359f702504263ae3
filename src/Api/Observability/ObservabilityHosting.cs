using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Api.Observability;

public static class ObservabilityHosting
{
    /// <summary>Collects the metrics of the process, sends them and its traces where that is asked for, and reports the process to the central hub.</summary>
    public static IServiceCollection AddObservability(this IServiceCollection services, ProcessIdentity process)
    {
        services.AddMetrics();
        services.AddSingleton(process);
        services.AddSingleton<TelemetryProviders>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RequestTelemetry>());
        return services;
    }

    /// <summary>Maps <c>GET /metrics</c> on every port of the process.</summary>
    public static IEndpointRouteBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        // Made now, so that nothing is missed.
        PrometheusExporter metrics = routes.ServiceProvider.GetRequiredService<TelemetryProviders>().Prometheus;
        routes.MapGet("/metrics", () => TypedResults.Text(metrics.Scrape(), PrometheusExporter.ContentType)).OnEveryPort().ExcludeFromDescription();
        return routes;
    }
}
