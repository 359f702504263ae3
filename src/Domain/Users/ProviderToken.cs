using System.Text.Json;

namespace HybridTrading.Domain.Users;

/// <summary>What a provider has proven of somebody.</summary>
/// <param name="Subject">Never given to another within the issuer.</param>
/// <param name="Email">As the provider has it; <paramref name="EmailVerified"/> says whether it vouches for it.</param>
/// <param name="Context">acr: how the sign-in was done, in the provider's words; null where it does not say.</param>
/// <param name="Methods">amr (RFC 8176), such as pwd, otp, mfa.</param>
/// <param name="Expires">UTC.</param>
public sealed record ProviderClaims(
    string Issuer, string Subject, string? Email, bool EmailVerified, string? Name, string? Context, ImmutableArray<string> Methods, DateTime Expires);

/// <summary>What a token of a provider must be to count here.</summary>
/// <param name="Audience">Of an id_token our client id; of an access token the name of this API.</param>
/// <param name="Nonce">Of an id_token: that of the sign-in under way. Null for an access token.</param>
public sealed record ProviderExpectation(string Issuer, string Audience, ImmutableArray<string> Algorithms, string? Nonce);

/// <summary>
/// Tokens of an external OpenID Connect provider: id_tokens (OpenID Connect Core 1.0, section 3.1.3.7) and access tokens in the form of a JWT (RFC 9068).
/// The algorithm must be one that is expected, and the key must be one for it: a token chooses nothing (RFC 8725).
/// </summary>
public static class ProviderToken
{
    /// <summary>Characters. Providers put groups and more into theirs.</summary>
    public const int Longest = 16_384;

    private const int LongestSubject = 255;

    /// <summary>The issuer that a token names, unproven: it tells only who is to check it. Null where none is named.</summary>
    public static string? IssuerOf(string token)
    {
        if (JsonWebToken.Read(token, Longest) is not { } read) return null;
        try
        {
            using JsonDocument payload = JsonDocument.Parse(read.Payload);
            return payload.RootElement.ValueKind == JsonValueKind.Object ? Text(payload.RootElement, "iss") : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Checks a token in this order: shape, algorithm, key, signature, issuer, audience, authorized party, times, nonce.</summary>
    /// <param name="keyOf">The key of an id (null: the token names none) and an algorithm; null where there is none.</param>
    /// <returns>The claims, or what is wrong with it.</returns>
    public static (ProviderClaims? Claims, TokenFault Fault) Verify(string token, ProviderExpectation expected, DateTime now, Func<string?, string, ProviderKey?> keyOf)
    {
        if (JsonWebToken.Read(token, Longest) is not { } read) return (null, TokenFault.Malformed);
        if (read.Header.Algorithm is not { } algorithm || !expected.Algorithms.Contains(algorithm) || !ProviderAlgorithms.All.Contains(algorithm)
            || read.Header.Critical is not null)
        {
            return (null, TokenFault.Algorithm);
        }
        if (keyOf(read.Header.KeyId, algorithm) is not { } key) return (null, TokenFault.UnknownKey);
        if (!key.Verifies(algorithm, read.Signed, read.Signature)) return (null, TokenFault.Signature);
        try
        {
            // A claim that stands there twice could mean one thing here and another where the token was made.
            using JsonDocument payload = JsonDocument.Parse(read.Payload, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return payload.RootElement.ValueKind == JsonValueKind.Object ? Check(payload.RootElement, expected, now) : (null, TokenFault.Malformed);
        }
        catch (JsonException)
        {
            return (null, TokenFault.Malformed);
        }
    }

    private static (ProviderClaims? Claims, TokenFault Fault) Check(JsonElement payload, ProviderExpectation expected, DateTime now)
    {
        bool isIdToken = expected.Nonce is not null;
        if (Text(payload, "iss") != expected.Issuer) return (null, TokenFault.Issuer);
        ImmutableArray<string> audiences = Texts(payload, "aud");
        if (!audiences.Contains(expected.Audience)) return (null, TokenFault.Audience);
        if (isIdToken && (Text(payload, "azp") ?? (audiences.Length == 1 ? expected.Audience : null)) != expected.Audience) return (null, TokenFault.Party);
        if (Text(payload, "sub") is not { Length: > 0 and <= LongestSubject } subject || Seconds(payload, "exp") is not { } expires) return (null, TokenFault.Malformed);
        if (isIdToken && Seconds(payload, "iat") is null) return (null, TokenFault.Malformed);
        double seconds = (now - DateTime.UnixEpoch).TotalSeconds, skew = AccessToken.Skew.TotalSeconds;
        if (seconds + skew < Seconds(payload, "nbf") || seconds + skew < Seconds(payload, "iat")) return (null, TokenFault.NotYetValid);
        if (seconds >= expires) return (null, TokenFault.Expired);
        if (isIdToken && Text(payload, "nonce") != expected.Nonce) return (null, TokenFault.Nonce);
        bool verified = payload.TryGetProperty("email_verified", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        return (new ProviderClaims(
            expected.Issuer, subject, Text(payload, "email"), verified, Text(payload, "name"), Text(payload, "acr"), Texts(payload, "amr"),
            DateTime.UnixEpoch.AddSeconds(Math.Min(expires, LatestSecond))), default);
    }

    private static double LatestSecond => (DateTime.MaxValue - DateTime.UnixEpoch).TotalSeconds - 1;

    private static string? Text(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ImmutableArray<string> Texts(JsonElement payload, string name) => !payload.TryGetProperty(name, out JsonElement value) ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)]
        : [];

    /// <summary>NumericDate of RFC 7519: seconds since 1970, maybe with a fraction.</summary>
    private static double? Seconds(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double seconds) && double.IsFinite(seconds) ? seconds : null;
}
