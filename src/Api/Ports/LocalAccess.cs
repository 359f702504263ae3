using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Primitives;

namespace HybridTrading.Api.Ports;

/// <summary>
/// Stands in for sign-in until there is one: loopback alone does not stop a web page in the user's own browser, so the Host header must
/// name this machine (else 421; a page of a name rebound to 127.0.0.1 carries its own name there) and an Origin, where a browser sends one,
/// must be our own (else 403). It is the first middleware of every pipeline.
/// </summary>
public sealed class LocalAccess(ServiceEndpoints plan) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(Admit);
        next(app);
    };

    private Task Admit(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (!request.Host.HasValue)
        {
            return Refuse(context, StatusCodes.Status400BadRequest, "host-missing", "Host is missing, expected localhost or a loopback address.");
        }
        if (!IsLocal(request.Host.Host))
        {
            return Refuse(
                context,
                StatusCodes.Status421MisdirectedRequest,
                "host-not-local",
                "Host names another machine, expected localhost or a loopback address: until sign-in exists only this machine is served.");
        }
        if (request.Headers.Origin is { Count: > 0 } origin && !IsOwn(origin, request))
        {
            return Refuse(
                context,
                StatusCodes.Status403Forbidden,
                "origin-not-own",
                "Origin is another site, expected a page that this process served, or none.");
        }
        return next(context);
    }

    private bool IsOwn(StringValues origin, HttpRequest request) =>
        origin.Count == 1
        && Uri.TryCreate(origin[0], UriKind.Absolute, out Uri? site)
        && site.Scheme == request.Scheme
        && site.AbsolutePath == "/" && site.UserInfo.Length == 0
        && IsLocal(site.Host)
        && (plan.OwnerOf(site.Port) is not null || IsSameAuthority(site, request));

    /// <summary>A page that came through a forwarded port has that port in both headers.</summary>
    private static bool IsSameAuthority(Uri site, HttpRequest request) =>
        string.Equals(site.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase)
        && site.Port == (request.Host.Port ?? (request.IsHttps ? 443 : 80));

    private static bool IsLocal(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static Task Refuse(HttpContext context, int status, string reason, string detail) =>
        TypedResults.Problem(statusCode: status, detail: detail, extensions: new Dictionary<string, object?> { ["reason"] = reason })
            .ExecuteAsync(context);
}
