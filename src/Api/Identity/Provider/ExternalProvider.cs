using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HybridTrading.Domain.Users;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Identity.Provider;

/// <summary>
/// The external OpenID Connect provider: where to send a browser, what a code brings, whether a token is good. Its metadata and keys are kept as
/// <see cref="KeptDocument{T}"/> says, so tokens of known keys are checked while it is away. Thread-safe.
/// </summary>
public sealed partial class ExternalProvider : IDisposable
{
    private const int LongestDocument = 512 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), Fresh = TimeSpan.FromHours(1);

    /// <summary>Least time between two looks at the keys: a token of an unknown key, which anybody can make up, is a reason for one.</summary>
    public static readonly TimeSpan Floor = TimeSpan.FromSeconds(15);

    private readonly ProviderOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly KeptDocument<ProviderMetadata> _metadata;
    private readonly KeptDocument<ProviderKeys> _keys;
    private readonly ILogger _log;

    public ExternalProvider(ProviderOptions options, TimeProvider clock, ILogger<ExternalProvider> log)
    {
        (_options, _clock, _log) = (options, clock, log);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = Patience, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = Patience, MaxResponseContentBufferSize = LongestDocument,
        };
        _metadata = new KeptDocument<ProviderMetadata>(FetchMetadataAsync, Fresh, Floor, clock, failure => LogNotFetched("metadata", failure.Message));
        _keys = new KeptDocument<ProviderKeys>(FetchKeysAsync, Fresh, Floor, clock, failure => LogNotFetched("keys", failure.Message));
    }

    public ProviderOptions Options => _options;

    /// <summary>Where a browser signs in.</summary>
    /// <exception cref="ApiException">503: the provider cannot be asked.</exception>
    public async Task<Uri> AuthorizationAsync(ProviderFlow flow, Uri redirect, CancellationToken cancellation)
    {
        ProviderMetadata metadata = await MetadataAsync(cancellation);
        string query = Form(
            ("response_type", "code"), ("client_id", _options.ClientId), ("redirect_uri", redirect.AbsoluteUri), ("scope", _options.Scopes),
            ("state", flow.State), ("nonce", flow.Nonce), ("code_challenge", flow.Challenge), ("code_challenge_method", "S256"));
        return new Uri($"{metadata.Authorization.AbsoluteUri}{(metadata.Authorization.Query.Length > 0 ? '&' : '?')}{query}");
    }

    /// <summary>Redeems a code and proves who has signed in.</summary>
    /// <param name="issuer">As the redirect named it (RFC 9207); null where it did not.</param>
    /// <exception cref="ApiException">401: it proves nobody; 503: the provider cannot be asked.</exception>
    public async Task<ProviderClaims> RedeemAsync(string code, string? issuer, ProviderFlow flow, Uri redirect, CancellationToken cancellation)
    {
        ProviderMetadata metadata = await MetadataAsync(cancellation);
        // Else a code of another provider, one that answers to somebody else, could be brought here.
        if (issuer is null ? metadata.NamesIssuer : issuer != _options.Issuer) throw Refused("the answer is of another issuer");
        string token = await TokenAsync(metadata, code, flow, redirect, cancellation);
        var expected = new ProviderExpectation(_options.Issuer, _options.ClientId, _options.Algorithms, flow.Nonce);
        (ProviderClaims? claims, TokenFault fault) = await VerifyAsync(token, expected, cancellation);
        if (claims is not null) return claims;
        throw fault == TokenFault.UnknownKey && await _keys.GetAsync(cancellation) is null ? Unavailable() : Refused($"the id_token is not good: {fault}");
    }

    /// <summary>An access token of the provider for this API.</summary>
    public async Task<(ProviderClaims? Claims, TokenFault Fault)> VerifyAccessAsync(string token, CancellationToken cancellation) =>
        _options.Audience is { } audience ? await VerifyAsync(token, new ProviderExpectation(_options.Issuer, audience, _options.Algorithms, null), cancellation)
        : (null, TokenFault.Audience);

    /// <summary>Has the provider asked for a second factor, and does its word count?</summary>
    public bool VouchesForSecondFactor(ProviderClaims claims) => _options.TrustsSecondFactor
        && (claims.Methods.Contains("mfa") || (claims.Context is { } context && _options.SecondFactorContexts.Contains(context)));

    public void Dispose() => _http.Dispose();

    private async Task<(ProviderClaims? Claims, TokenFault Fault)> VerifyAsync(string token, ProviderExpectation expected, CancellationToken cancellation)
    {
        if (await _keys.GetAsync(cancellation) is not { } keys) return (null, TokenFault.UnknownKey);
        (ProviderClaims? Claims, TokenFault Fault) said = ProviderToken.Verify(token, expected, _clock.GetUtcNow().UtcDateTime, keys.Find);
        // The provider has another key by now, maybe.
        if (said is not (null, TokenFault.UnknownKey) || await _keys.NewerAsync(cancellation) is not { } newer || ReferenceEquals(newer, keys)) return said;
        return ProviderToken.Verify(token, expected, _clock.GetUtcNow().UtcDateTime, newer.Find);
    }

    private async Task<string> TokenAsync(ProviderMetadata metadata, string code, ProviderFlow flow, Uri redirect, CancellationToken cancellation)
    {
        (string, string)[] asked =
        [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect.AbsoluteUri), ("code_verifier", flow.Verifier),
        ];
        using var request = new HttpRequestMessage(HttpMethod.Post, metadata.Token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (_options.ClientSecret is null) asked = [.. asked, ("client_id", _options.ClientId)];
        else if (metadata.TakesBasic)
        {
            // RFC 6749, section 2.3.1: each is form-encoded before they are joined.
            string pair = $"{Uri.EscapeDataString(_options.ClientId)}:{Uri.EscapeDataString(_options.ClientSecret)}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }
        else asked = [.. asked, ("client_id", _options.ClientId), ("client_secret", _options.ClientSecret)];
        request.Content = new StringContent(Form(asked), Encoding.ASCII, "application/x-www-form-urlencoded");
        try
        {
            using HttpResponseMessage answer = await _http.SendAsync(request, cancellation);
            if ((int)answer.StatusCode >= 500) throw Unavailable();
            using JsonDocument document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellation));
            JsonElement root = document.RootElement;
            if (answer.IsSuccessStatusCode && root.ValueKind == JsonValueKind.Object && Text(root, "id_token") is { } token) return token;
            string? error = root.ValueKind == JsonValueKind.Object ? Text(root, "error") : null;
            throw Refused(error is null ? "it gives no id_token" : $"it answers {ApiException.Quote(error)}");
        }
        catch (JsonException)
        {
            throw Refused("its answer is not JSON");
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            LogNotFetched("tokens", failure.Message);
            throw Unavailable();
        }
    }

    private async Task<ProviderMetadata> MetadataAsync(CancellationToken cancellation) => await _metadata.GetAsync(cancellation) ?? throw Unavailable();

    private async Task<ProviderMetadata> FetchMetadataAsync(CancellationToken cancellation)
    {
        var address = new Uri($"{_options.Issuer.TrimEnd('/')}/.well-known/openid-configuration");
        return ProviderMetadata.Parse(await _http.GetByteArrayAsync(address, cancellation), _options.Issuer);
    }

    private async Task<ProviderKeys> FetchKeysAsync(CancellationToken cancellation)
    {
        ProviderMetadata metadata = await _metadata.GetAsync(cancellation) ?? throw new InvalidDataException("the provider's metadata is not there");
        ProviderKeys keys = ProviderKeys.Parse(await _http.GetByteArrayAsync(metadata.Keys, cancellation));
        // A set without any is a fault on the other side; with it nobody would get in any more.
        return keys.Count > 0 ? keys : throw new InvalidDataException("the provider's key set has no key that can be used");
    }

    private ApiException Refused(string why)
    {
        LogRefused(why);
        return new ApiException(Status401Unauthorized, ApiReason.ProviderRefused, $"{_options.Name} has not proven who you are: begin again");
    }

    private ApiException Unavailable() => new(
        Status503ServiceUnavailable, ApiReason.ProviderUnavailable, $"{_options.Name} cannot be reached now: try again, or sign in by password")
    {
        RetryAfter = Floor,
    };

    private static string Form(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in fields) text.Append(text.Length > 0 ? "&" : "").Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return text.ToString();
    }

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "the identity provider's {What} could not be had: {Why}")]
    private partial void LogNotFetched(string what, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "a sign-in by the identity provider was refused: {Why}")]
    private partial void LogRefused(string why);
}
