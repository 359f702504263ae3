using System.Diagnostics;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace HybridTrading.Api.Observability;

/// <summary>Names the service and the route of each request in its metrics and its span.</summary>
public sealed class RequestTelemetry(IServiceProvider services) : IStartupFilter
{
    private readonly ServiceEndpoints? _plan = services.GetService<ServiceEndpoints>();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(NameAsync);
        next(app);
    };

    private async Task NameAsync(HttpContext context, RequestDelegate next)
    {
        string? service = _plan?.OwnerOf(context.Connection.LocalPort)?.Name;
        if (service is not null) context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(KeyValuePair.Create<string, object?>("service", service));
        // Taken before others begin spans of their own.
        Activity? request = context.Features.Get<IHttpActivityFeature>()?.Activity;
        await next(context);
        if (request is not { IsAllDataRequested: true }) return;
        string? route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        request.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} /{route.TrimStart('/')}";
        request.SetTag("http.request.method", context.Request.Method).SetTag("http.route", route).SetTag("http.response.status_code", context.Response.StatusCode)
            .SetTag("server.port", context.Connection.LocalPort).SetTag("hybridtrading.service", service);
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError) request.SetStatus(ActivityStatusCode.Error);
    }
}
