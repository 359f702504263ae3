using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Identity.Provider;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Tests.Host;

/// <summary>
/// An OpenID Connect provider on a loopback port: discovery, authorization with PKCE, tokens, keys. Whoever comes is <see cref="Person"/> and agrees. It can
/// take another key, fail, and say what it should not.
/// </summary>
internal sealed class LocalProvider : IAsyncDisposable
{
    public const string ClientId = "hybrid-console", ClientSecret = "a secret + with: signs", Audience = "hybrid-api";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, JsonObject> _codes = new(StringComparer.Ordinal);
    private int _keyNumber, _keysAsked;

    private LocalProvider(WebApplication app) => _app = app;

    public string Issuer { get; private set; } = "";

    /// <summary>Claims of whoever signs in next.</summary>
    public JsonObject Person { get; set; } = new() { ["sub"] = "ann-7", ["email"] = "ann@example.org", ["email_verified"] = true, ["name"] = "Ann Other" };

    /// <summary>Changes the claims of the next tokens before they are signed.</summary>
    public Action<JsonObject> Twist { get; set; } = _ => { };

    /// <summary>Makes the token of the claims; null: signed as it should be.</summary>
    public Func<JsonObject, string>? Forge { get; set; }

    /// <summary>Everything answers 503.</summary>
    public bool IsDown { get; set; }

    /// <summary>Names its issuer in redirects (RFC 9207), and says so.</summary>
    public bool NamesIssuer { get; set; }

    /// <summary>How often the keys were fetched.</summary>
    public int KeysAsked => Volatile.Read(ref _keysAsked);

    public RSA Key { get; private set; } = RSA.Create(2048);

    public string KeyId => $"key-{_keyNumber}";

    /// <summary>As a host is told of it.</summary>
    public ProviderOptions Options => new()
    {
        Issuer = Issuer, Name = "Example Login", ClientId = ClientId, ClientSecret = ClientSecret, Audience = Audience, SecondFactorContexts = ["high"],
    };

    public static async Task<LocalProvider> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        var provider = new LocalProvider(app);
        app.Use((context, next) =>
        {
            if (!provider.IsDown) return next(context);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        app.MapGet("/realm/.well-known/openid-configuration", () => Results.Json(new JsonObject
        {
            ["issuer"] = provider.Issuer, ["authorization_endpoint"] = $"{provider.Issuer}/authorize", ["token_endpoint"] = $"{provider.Issuer}/token",
            ["jwks_uri"] = $"{provider.Issuer}/keys", ["authorization_response_iss_parameter_supported"] = provider.NamesIssuer,
        }));
        app.MapGet("/realm/keys", provider.Keys);
        app.MapGet("/realm/authorize", (HttpContext context) => provider.Authorize(context));
        app.MapPost("/realm/token", (Delegate)provider.TokenAsync);
        await app.StartAsync();
        provider.Issuer = $"{app.Urls.Single()}/realm";
        return provider;
    }

    /// <summary>Signs with another key from now on; the one before is no longer told.</summary>
    public void Rotate()
    {
        Key = RSA.Create(2048);
        _keyNumber++;
    }

    /// <summary>What a service adds so that a host uses this provider.</summary>
    public Action<IServiceCollection> Configure(TimeProvider? clock = null, Func<ProviderOptions, ProviderOptions>? change = null, bool signUp = false) => services =>
    {
        if (clock is not null) services.AddSingleton(clock);
        services.AddSingleton(new IdentityOptions { SignUp = signUp, Provider = change is null ? Options : change(Options) });
    };

    /// <summary>Times and issuer as they should be, for an audience.</summary>
    public JsonObject Claims(string audience, DateTimeOffset? now = null)
    {
        long seconds = (now ?? DateTimeOffset.UtcNow).ToUnixTimeSeconds();
        var claims = (JsonObject)Person.DeepClone();
        (claims["iss"], claims["aud"], claims["iat"], claims["exp"]) = (Issuer, audience, seconds, seconds + 300);
        return claims;
    }

    /// <summary>An access token for the API.</summary>
    public string AccessToken(Action<JsonObject>? change = null, DateTimeOffset? now = null)
    {
        JsonObject claims = Claims(Audience, now);
        change?.Invoke(claims);
        return Sign(claims);
    }

    public string Sign(JsonObject claims, string? keyId = null)
    {
        string signed = Unsigned(new JsonObject { ["alg"] = "RS256", ["kid"] = keyId ?? KeyId, ["typ"] = "JWT" }, claims);
        return $"{signed}.{Base64Url.EncodeToString(Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    public static string Unsigned(JsonObject header, JsonObject claims) =>
        $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Key.Dispose();
    }

    private IResult Keys()
    {
        Interlocked.Increment(ref _keysAsked);
        RSAParameters key = Key.ExportParameters(false);
        return Results.Json(new JsonObject
        {
            ["keys"] = new JsonArray(
                new JsonObject { ["kty"] = "oct", ["k"] = "AAAA", ["kid"] = "shared" },
                new JsonObject
                {
                    ["kty"] = "RSA", ["use"] = "sig", ["kid"] = KeyId, ["n"] = Base64Url.EncodeToString(key.Modulus), ["e"] = Base64Url.EncodeToString(key.Exponent),
                }),
        });
    }

    private IResult Authorize(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        if (query["response_type"] != "code" || query["client_id"] != ClientId || query["code_challenge_method"] != "S256" || !query["scope"].ToString().Split(' ').Contains("openid"))
        {
            return Results.BadRequest();
        }
        string code = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        _codes[code] = new JsonObject { ["challenge"] = query["code_challenge"].ToString(), ["nonce"] = query["nonce"].ToString(), ["redirect"] = query["redirect_uri"].ToString() };
        string issuer = NamesIssuer ? $"&iss={Uri.EscapeDataString(Issuer)}" : "";
        return Results.Redirect($"{query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(query["state"]!)}{issuer}");
    }

    private async Task<IResult> TokenAsync(HttpContext context)
    {
        IFormCollection form = await context.Request.ReadFormAsync();
        string expected = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(ClientId)}:{Uri.EscapeDataString(ClientSecret)}"));
        if (context.Request.Headers.Authorization != $"Basic {expected}") return Fault("invalid_client", 401);
        // A code counts once, for the address that it went to and for whoever knows what its challenge was made of.
        if (form["grant_type"] != "authorization_code" || !_codes.TryRemove(form["code"].ToString(), out JsonObject? asked)
            || (string)asked["redirect"]! != form["redirect_uri"]
            || (string)asked["challenge"]! != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))))
        {
            return Fault("invalid_grant", 400);
        }
        JsonObject claims = Claims(ClientId);
        claims["nonce"] = (string)asked["nonce"]!;
        Twist(claims);
        return Results.Json(new JsonObject { ["access_token"] = "opaque", ["token_type"] = "Bearer", ["id_token"] = Forge?.Invoke(claims) ?? Sign(claims) });
    }

    private static IResult Fault(string error, int status) => Results.Json(new JsonObject { ["error"] = error }, statusCode: status);
}
