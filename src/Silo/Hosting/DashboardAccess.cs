using System.Security.Cryptography;
using System.Text;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// Orleans' dashboard on the port of performance-analytics, for an operator with the token: HTTP Basic (RFC 7617), any user name, the token as
/// password.
/// </summary>
public sealed class DashboardAccess
{
    public const string Path = "/dashboard", Service = "performance-analytics";

    /// <summary>The configuration key of the token (in the environment <c>DASHBOARD__TOKEN</c>); without it every start makes one and prints it.</summary>
    public const string TokenKey = "Dashboard:Token";

    private const int MinLength = 16;

    private readonly byte[] _hash;

    /// <exception cref="ArgumentException">The configured token is too short to be one.</exception>
    public DashboardAccess(IConfiguration configuration)
    {
        string? configured = configuration[TokenKey];
        if (configured is { Length: < MinLength }) throw new ArgumentException($"{TokenKey} has {configured.Length} characters; expected at least {MinLength}");
        Generated = configured is null ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) : null;
        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(configured ?? Generated!));
    }

    /// <summary>The token that this start made; null when one is configured, which is nobody's to print.</summary>
    public string? Generated { get; }

    /// <summary>Puts the guard before the dashboard's endpoints and them on their port.</summary>
    public void Guard(IEndpointConventionBuilder dashboard)
    {
        dashboard.OnService(Service);
        dashboard.AddEndpointFilterFactory((_, next) => async context =>
        {
            if (Admits(context.HttpContext.Request.Headers.Authorization)) return await next(context);
            context.HttpContext.Response.Headers.WWWAuthenticate = "Basic realm=\"dashboard\", charset=\"UTF-8\"";
            return TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, detail: "The operator's token is expected as password.");
        });
    }

    /// <param name="authorization">The header's value.</param>
    public bool Admits(string? authorization)
    {
        const string Scheme = "Basic ";
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return false;
        byte[] decoded = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization[Scheme.Length..].Trim(), decoded, out int length)) return false;
        int colon = Array.IndexOf(decoded, (byte)':', 0, length);
        // Hashes of equal length, so that the time of the comparison says nothing of the token.
        return colon >= 0 && CryptographicOperations.FixedTimeEquals(SHA256.HashData(decoded.AsSpan(colon + 1, length - colon - 1)), _hash);
    }
}
