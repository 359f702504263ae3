using System.Net;
using HybridTrading.Api.Ports;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;
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

    /// <summary>
    /// Maps <c>GET /metrics</c> on every port of the process: open to this machine, where a collector sits beside the process, and to tokens with
    /// <see cref="Permission.ReadMetrics"/> from elsewhere.
    /// </summary>
    public static IEndpointRouteBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        // Made now, so that nothing is missed.
        PrometheusExporter metrics = routes.ServiceProvider.GetRequiredService<TelemetryProviders>().Prometheus;
        routes.MapGet("/metrics", IResult (HttpContext context) =>
        {
            if (!IsFromHere(context) && Refusal(context) is { } refusal) return refusal;
            return TypedResults.Text(metrics.Scrape(), PrometheusExporter.ContentType);
        }).OnEveryPort().ExcludeFromDescription();
        return routes;
    }

    private static bool IsFromHere(HttpContext context) => context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);

    /// <summary>Null for who may read them.</summary>
    private static ProblemHttpResult? Refusal(HttpContext context)
    {
        try
        {
            return context.RequestServices.GetService<ICaller>()?.Has(Permission.ReadMetrics) == true ? null
                : Problems.Of(
                    StatusCodes.Status403Forbidden, ApiReason.PermissionMissing, $"from another machine this needs the permission {Permission.ReadMetrics}");
        }
        catch (ApiException nobody)
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer scope=\"{Permission.ReadMetrics}\"";
            return Problems.Known(nobody);
        }
    }
}
