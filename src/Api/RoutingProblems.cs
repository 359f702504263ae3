using Microsoft.AspNetCore.Hosting;

namespace HybridTrading.Api;

/// <summary>Gives a body to what routing refuses before any endpoint of the API is reached: no such path, method or media type.</summary>
internal sealed class RoutingProblems : IStartupFilter
{
    public const string ApiPath = "/api/v1";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (context, inner) =>
        {
            await inner(context);
            if (context.Response.HasStarted || context.Response.ContentLength is not null
                || !context.Request.Path.StartsWithSegments(ApiPath)) return;
            HttpRequest request = context.Request;
            IResult? problem = context.Response.StatusCode switch
            {
                StatusCodes.Status404NotFound => Problems.NotFound(
                    ApiReason.RouteUnknown, $"path is {ApiException.Quote(request.Path)}; no such route, expected one of /openapi/v1.json"),
                StatusCodes.Status405MethodNotAllowed => Problems.Of(
                    StatusCodes.Status405MethodNotAllowed, ApiReason.MethodNotAllowed,
                    $"method is {request.Method}; expected {context.Response.Headers.Allow}"),
                StatusCodes.Status415UnsupportedMediaType => Problems.Of(
                    StatusCodes.Status415UnsupportedMediaType, ApiReason.MediaTypeUnsupported,
                    $"Content-Type is {ApiException.Quote(request.ContentType)}; expected application/json"),
                _ => null,
            };
            if (problem is not null) await problem.ExecuteAsync(context);
        });
        next(app);
    };
}
