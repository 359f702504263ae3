using System.Globalization;
using System.Text;
using HybridTrading.Api.Contract;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.Features;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Identity;

/// <summary>Tokens of services: the client credentials grant (RFC 6749, sections 2.3.1, 4.4, 5). Failures have that document's form.</summary>
public sealed class ClientTokens(IGrainFactory grains, IdentityOptions options, TimeProvider clock)
{
    private const string Basic = "Basic ", Grant = "client_credentials", FormType = "application/x-www-form-urlencoded";
    private const int LongestForm = 8 * 1024, LongestValue = 2048;

    private static readonly string[] Known = ["grant_type", "client_id", "client_secret", "scope"];

    public async Task<IResult> IssueAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        context.Response.Headers.Pragma = "no-cache";
        if (await ReadAsync(request) is not { } form) return Fault("invalid_request", $"expected a body of {FormType}, of at most {LongestForm} bytes");
        if (Known.FirstOrDefault(name => form.TryGetValue(name, out var values) && values.Count > 1) is { } repeated)
        {
            return Fault("invalid_request", $"{repeated} stands there twice; expected once");
        }
        if (!form.TryGetValue("grant_type", out var grant)) return Fault("invalid_request", $"grant_type is missing; expected {Grant}");
        if (grant != Grant) return Fault("unsupported_grant_type", $"expected {Grant}");
        bool isBasic = request.Headers.Authorization is { Count: 1 } header && header[0]!.StartsWith(Basic, StringComparison.OrdinalIgnoreCase);
        if (isBasic && (form.ContainsKey("client_secret") || form.ContainsKey("client_id")))
        {
            return Fault("invalid_request", "expected the client in the Authorization header or in the body, not in both");
        }
        (string Id, string Secret)? pair = isBasic ? Pair(request.Headers.Authorization[0]![Basic.Length..])
            : form.TryGetValue("client_id", out var id) && form.TryGetValue("client_secret", out var secret) ? (id.ToString(), secret.ToString())
            : null;
        if (pair is not var (client, shown) || TenantOf(client) is not { } tenant || shown.Length is 0 or > LongestValue) return Unknown(context, isBasic);
        string? scope = form.TryGetValue("scope", out var wanted) && wanted.ToString().Length > 0 ? wanted.ToString() : null;

        using Principal.Scope gateway = Principal.OfGateway();
        ClientAnswer answer = await grains.GetGrain<IClientsGrain>(Keys.Clients(tenant)).Admit(
            new ClientAttempt(client, new Secret(shown), scope, context.Connection.RemoteIpAddress?.ToString() ?? ""));
        if (answer.Until is { } until)
        {
            double seconds = Math.Max(1, (until - clock.GetUtcNow().UtcDateTime).TotalSeconds);
            context.Response.Headers.RetryAfter = Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture);
        }
        switch (answer.Outcome)
        {
            case ClientOutcome.Admitted:
                string text = ServiceClient.ScopeText(answer.Scopes);
                Secret token = await grains.GetGrain<ISigningKeysGrain>(Keys.SigningKeys).Sign(
                    new TokenRequest(options.Issuer, options.Audience, client, tenant, client, [], text));
                return TypedResults.Ok(new ClientToken(token.Value, "Bearer", (int)AccessToken.Life.TotalSeconds, text));
            case ClientOutcome.ScopeInvalid:
                return Fault("invalid_scope", "expected names that the client was given, each once, a space between");
            case ClientOutcome.TooMany:
                return Fault("invalid_client", "too many tries: wait as Retry-After says", Status429TooManyRequests);
            default:
                return Unknown(context, isBasic);
        }
    }

    private static async Task<IFormCollection?> ReadAsync(HttpRequest request)
    {
        bool isForm = request.HasFormContentType && request.ContentType!.StartsWith(FormType, StringComparison.OrdinalIgnoreCase);
        if (!isForm || request.ContentLength > LongestForm) return null;
        // One that does not say how long it is ends there at the latest.
        var bound = request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (request.ContentLength is null && bound is { IsReadOnly: false }) bound.MaxRequestBodySize = LongestForm;
        try
        {
            var limits = new FormOptions { ValueCountLimit = 20, KeyLengthLimit = 100, ValueLengthLimit = LongestValue };
            return await request.ReadFormAsync(limits, request.HttpContext.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Name and secret, each form-encoded before they were joined.</summary>
    private static (string Id, string Secret)? Pair(string encoded)
    {
        try
        {
            string text = Encoding.UTF8.GetString(Convert.FromBase64String(encoded.Trim()));
            int colon = text.IndexOf(':');
            return colon < 0 ? null : (Decoded(text[..colon]), Decoded(text[(colon + 1)..]));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string Decoded(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    /// <summary>A client's id begins with its tenant; null where it does not.</summary>
    private static string? TenantOf(string client)
    {
        int dot = client.LastIndexOf('.');
        return Keys.IsName(client) && dot > 0 && Keys.IsName(client[..dot]) ? client[..dot] : null;
    }

    private static IResult Unknown(HttpContext context, bool isBasic)
    {
        if (isBasic) context.Response.Headers.WWWAuthenticate = "Basic realm=\"clients\"";
        return Fault("invalid_client", "the client is not known, or its secret is not the right one", Status401Unauthorized);
    }

    private static IResult Fault(string error, string description, int status = Status400BadRequest) =>
        TypedResults.Json(new ClientTokenFault(error, description), statusCode: status);
}
