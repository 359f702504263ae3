using System.Net;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Primitives;

namespace HybridTrading.Api.Gateway;

/// <summary>
/// Who may talk to which port, before anything else is looked at. Loopback alone does not stop a web page in the user's own browser, so the Host header must name this
/// machine or one of the gateway's public names (else 421; a page of a name rebound to 127.0.0.1 carries its own name there), and an Origin, where a browser sends
/// one, must be our own or allowed (else 403). Who comes from elsewhere must come by a public name, over TLS, and when there is somebody to sign in.
/// </summary>
public sealed class HostAccess(ServiceEndpoints plan, GatewayAccess access, IPublicAccess open) : IStartupFilter
{
    private static readonly object ForwardedItem = new();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        if (!access.Proxies.IsEmpty) UseProxies(app);
        app.Use(Admit);
        next(app);
    };

    /// <summary>What a declared proxy says of the client counts, and nobody else's word does.</summary>
    private void UseProxies(IApplicationBuilder app)
    {
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (System.Net.IPNetwork proxy in access.Proxies) forwarded.KnownIPNetworks.Add(proxy);
        app.Use((context, next) =>
        {
            context.Items[ForwardedItem] = context.Connection.RemoteIpAddress;
            return next(context);
        });
        app.UseForwardedHeaders(forwarded);
    }

    private Task Admit(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (!request.Host.HasValue)
        {
            return Refuse(context, StatusCodes.Status400BadRequest, "host-missing", "Host is missing, expected localhost or a loopback address.");
        }
        bool fromHere = context.Connection.RemoteIpAddress is null || IPAddress.IsLoopback(context.Connection.RemoteIpAddress);
        bool isPublic = IsPublic(request.Host.Host) && plan.PortsOf(ServiceEndpoints.Gateway).Contains(context.Connection.LocalPort);
        // On the compliance network the name says nothing: nothing is done there by cookie, and no page has the token that is asked for.
        bool isCompliance = access.Compliance.IsReachable && plan.OwnerOf(context.Connection.LocalPort)?.Network == ServiceNetwork.Compliance;
        if (!isPublic && !isCompliance && !(fromHere && IsLocal(request.Host.Host)))
        {
            return access.PublicHosts.IsEmpty
                ? Refuse(context, StatusCodes.Status421MisdirectedRequest, "host-not-local",
                    "Host names another machine, expected localhost or a loopback address: only this machine is served.")
                : Refuse(context, StatusCodes.Status421MisdirectedRequest, "host-unknown", "Host is none of the names by which this service is called.");
        }
        if (isPublic && !access.Proxies.IsEmpty && access.Certificate is null
            && ReferenceEquals(context.Items[ForwardedItem], context.Connection.RemoteIpAddress))
        {
            return Refuse(context, StatusCodes.Status403Forbidden, "proxy-missing",
                "The request came round the proxy, or the proxy does not say for whom: expected it with X-Forwarded-For and X-Forwarded-Proto.");
        }
        if (!fromHere && !request.IsHttps) return Refuse(context, StatusCodes.Status403Forbidden, "https-required", "The connection is not encrypted, expected https.");
        if (!fromHere && !open.IsOpen)
        {
            return Refuse(context, StatusCodes.Status503ServiceUnavailable, "not-open", "Nobody can sign in here yet: only this machine is served until there is an owner.");
        }
        if (request.Headers.Origin is { Count: > 0 } origin && !IsOwn(origin, request) && !IsAllowed(origin))
        {
            return Refuse(context, StatusCodes.Status403Forbidden, "origin-not-own", "Origin is another site, expected a page that this process served, or none.");
        }
        if (request.IsHttps && isPublic) context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
        return next(context);
    }

    private bool IsOwn(StringValues origin, HttpRequest request) =>
        origin.Count == 1
        && Uri.TryCreate(origin[0], UriKind.Absolute, out Uri? site)
        && site.Scheme == request.Scheme
        && site.AbsolutePath == "/" && site.UserInfo.Length == 0
        && (IsLocal(site.Host) && (plan.OwnerOf(site.Port) is not null || IsSameAuthority(site, request)) || IsPublic(site.Host) && IsSameAuthority(site, request));

    private bool IsAllowed(StringValues origin) => origin is [{ } site] && access.CorsOrigins.Contains(site, StringComparer.OrdinalIgnoreCase);

    /// <summary>A page that came through a forwarded port has that port in both headers.</summary>
    private static bool IsSameAuthority(Uri site, HttpRequest request) =>
        string.Equals(site.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase)
        && site.Port == (request.Host.Port ?? (request.IsHttps ? 443 : 80));

    private bool IsPublic(string host) => access.PublicHosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool IsLocal(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static Task Refuse(HttpContext context, int status, string reason, string detail) =>
        TypedResults.Problem(statusCode: status, detail: detail, extensions: new Dictionary<string, object?> { ["reason"] = reason })
            .ExecuteAsync(context);
}
