using HybridTrading.Api.Identity;
using HybridTrading.Api.Ports;
using HybridTrading.Domain.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Gateway;

/// <summary>
/// The ports of the compliance services take requests with a token that has the scope <see cref="Permission.Compliance"/>, which no role gives, and no
/// others. Whether the process lives (<c>GET /health</c>) anybody may ask. It stands before every endpoint, so one that is added later is behind it, too.
/// </summary>
public sealed class ComplianceGuard(ServiceEndpoints plan) : IStartupFilter
{
    private const string Alive = "/health";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(AdmitAsync);
        next(app);
    };

    private async Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        if (plan.OwnerOf(context.Connection.LocalPort)?.Network != ServiceNetwork.Compliance
            || (HttpMethods.IsGet(context.Request.Method) && context.Request.Path == Alive))
        {
            await next(context);
            return;
        }
        if (await RefusalAsync(context) is { } refusal) await refusal.ExecuteAsync(context);
        else await next(context);
    }

    /// <summary>Null for who may pass.</summary>
    private static async Task<ProblemHttpResult?> RefusalAsync(HttpContext context)
    {
        // Without anybody who can check tokens nobody passes.
        if (context.RequestServices.GetService<IAuthenticationService>() is null)
        {
            return Problems.Of(
                StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, "tokens cannot be checked in this process: nobody is served here");
        }
        CallerIdentity? caller;
        try
        {
            caller = (await context.AuthenticateAsync(TokenAuthentication.SchemeName)).Principal?.Identity as CallerIdentity;
        }
        catch (TimeoutException)
        {
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, ApiReason.Unavailable, "tokens cannot be checked now: try again");
        }
        if (caller is null)
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer scope=\"{Permission.Compliance}\"";
            return Problems.Of(
                StatusCodes.Status401Unauthorized, ApiReason.SignInNeeded, $"expected Authorization: Bearer with the token of a client that has the scope {Permission.Compliance}");
        }
        return caller.Permissions.Contains(Permission.Compliance) ? null
            : Problems.Of(
                StatusCodes.Status403Forbidden, ApiReason.PermissionMissing, $"this needs the scope {Permission.Compliance}, which the caller's token does not have");
    }
}
