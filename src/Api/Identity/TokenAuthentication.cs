using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace HybridTrading.Api.Identity;

/// <summary>
/// Who calls: by <c>Authorization: Bearer</c>, on the hub by <c>access_token</c> in the query (a browser can set no header on a WebSocket), or by a
/// program's signature. A request without any, or with a wrong one, goes on as nobody's: sign-in is open to holders of worn-out tokens, too.
/// </summary>
public sealed partial class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenVerifier tokens, IGrainFactory grains)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Hybrid";
    public const string KeyHeader = "X-HT-Key", TimestampHeader = "X-HT-Timestamp", NonceHeader = "X-HT-Nonce", SignatureHeader = "X-HT-Signature";

    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.ContainsKey(SignatureHeader)) return await SignatureAsync();
        string? token = Request.Headers.Authorization is { Count: 1 } header && header[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[0]![Bearer.Length..].Trim()
            : Request.Path.StartsWithSegments(HybridApi.HubPath) && Request.Query["access_token"] is { Count: 1 } query ? query[0]
            : null;
        if (token is null) return AuthenticateResult.NoResult();
        (CallerIdentity? identity, TokenFault fault) = await tokens.VerifyAsync(token);
        if (identity is not null) return Admit(identity);
        LogRefused(Logger, fault, Request.HttpContext.Connection.RemoteIpAddress?.ToString());
        return Refuse(fault == TokenFault.Expired ? "the token has run out" : "the token is not good");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Task.CompletedTask;

    private async Task<AuthenticateResult> SignatureAsync()
    {
        IHeaderDictionary headers = Request.Headers;
        if (headers[KeyHeader] is not { Count: 1 } key || !long.TryParse(headers[TimestampHeader], out long timestamp) || headers[NonceHeader] is not { Count: 1 } nonce
            || headers[SignatureHeader] is not { Count: 1 } signature || UserOf(key[0]!) is not { } user)
        {
            return Refuse($"a signed request needs each of {KeyHeader}, {TimestampHeader}, {NonceHeader} and {SignatureHeader} once");
        }
        // Read whole, and once more by whoever reads it next: the signature is over these bytes.
        Request.EnableBuffering();
        string body = Convert.ToHexStringLower(await SHA256.HashDataAsync(Request.Body, Context.RequestAborted));
        Request.Body.Position = 0;
        var signed = new SignedRequest(key[0]!, Request.Method, Request.Path + Request.QueryString, timestamp, nonce[0]!, body, signature[0]!);
        SignatureAnswer answer;
        Member? member = null;
        UserView? view = null;
        using (Principal.OfGateway())
        {
            IUserGrain grain = grains.GetGrain<IUserGrain>(user);
            answer = await grain.Admit(signed);
            if (answer.Fault is null)
            {
                member = await grains.GetGrain<ITenantGrain>(Grains.Keys.Tenant(answer.Tenant)).GetMember(user);
                view = await grain.GetView();
            }
        }
        if (answer.Fault is not null || member is null || view is null) return Refuse(answer.Fault ?? "key or signature is wrong");
        ImmutableArray<Role> roles = view.Administrator ? member.Roles.Add(Role.Administrator) : member.Roles;
        return Admit(new CallerIdentity(
            user, answer.Tenant, key[0]!, roles, System.Collections.Frozen.FrozenSet.ToFrozenSet(RolePermissions.Of(roles).Intersect(answer.Scopes)),
            TimeProvider.GetUtcNow().UtcDateTime, null, CallerIdentity.SignatureScheme));
    }

    private AuthenticateResult Refuse(string detail)
    {
        Context.Features.Set(new CredentialFault(detail));
        return AuthenticateResult.Fail(detail);
    }

    private AuthenticateResult Admit(CallerIdentity identity) => AuthenticateResult.Success(new AuthenticationTicket(
        new ClaimsPrincipal(identity), new AuthenticationProperties { ExpiresUtc = identity.Expires }, SchemeName));

    /// <summary>A key's id begins with its user's; null where it does not.</summary>
    private static string? UserOf(string key)
    {
        int dot = key.IndexOf('.');
        return dot > 0 && Grains.Keys.IsName(key[..dot]) ? key[..dot] : null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "a token was refused: {Fault}, from {Address}")]
    private static partial void LogRefused(ILogger log, TokenFault fault, string? address);
}

/// <summary>What was wrong with the token or the signature of a request; it goes on as nobody's, and where somebody is needed this is told.</summary>
internal sealed record CredentialFault(string Detail);

/// <summary>Metadata of an endpoint that needs no permission: sign-in, health, what is public anyway.</summary>
public sealed class OpenToAll;
