using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Domain.Users;

/// <summary>Who a token speaks for. Names as RFC 7519 and RFC 9068 have them; ours are tid (tenant), roles, sid (session), ims.</summary>
/// <param name="Subject">The user's id, or the client's.</param>
/// <param name="Session">Of a user; of a client its id, so that revoking either is the same.</param>
/// <param name="IssuedAt">Seconds since 1970, as the other two.</param>
/// <param name="IssuedMilliseconds">The same to the millisecond: what is revoked and what is issued within one second are told apart by it.</param>
/// <param name="Scope">Of a client: names of permissions, a space between; null for a user, whose roles say what they may do.</param>
public sealed record AccessClaims(
    [property: JsonPropertyName("iss")] string Issuer,
    [property: JsonPropertyName("aud")] string Audience,
    [property: JsonPropertyName("sub")] string Subject,
    [property: JsonPropertyName("tid")] string Tenant,
    [property: JsonPropertyName("sid")] string Session,
    [property: JsonPropertyName("roles")] ImmutableArray<Role> Roles,
    [property: JsonPropertyName("iat")] long IssuedAt,
    [property: JsonPropertyName("nbf")] long NotBefore,
    [property: JsonPropertyName("exp")] long Expires,
    [property: JsonPropertyName("jti")] string Id,
    [property: JsonPropertyName("ims")] long IssuedMilliseconds,
    [property: JsonPropertyName("scope")] string? Scope = null);

/// <summary>Why a token was refused. All are 401 to a stranger; the log tells them apart.</summary>
public enum TokenFault : byte { Malformed, Algorithm, UnknownKey, Signature, Issuer, Audience, NotYetValid, Expired, Revoked, Party, Nonce, Unlinked }

/// <summary>
/// Access tokens: JWTs signed with ES256 (ECDSA on P-256, SHA-256), and nothing else. The header's algorithm chooses nothing: a token that names
/// another is refused before its key is looked for. RFC 7515, 7519, 9068; RFC 8725 on what goes wrong otherwise.
/// </summary>
public static class AccessToken
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>How far two machines' clocks may be apart.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>Characters; ours have about 500.</summary>
    public const int Longest = 4096;

    private const string Algorithm = "ES256", Type = "at+jwt";

    public static string Sign(AccessClaims claims, string keyId, ECDsa key)
    {
        string header = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new TokenHeader(Algorithm, keyId, Type), TokenJson.Default.TokenHeader));
        string signed = $"{header}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, TokenJson.Default.AccessClaims))}";
        byte[] signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Checks a token in this order: shape, algorithm, key, signature, issuer, audience, times.</summary>
    /// <param name="keyOf">The public key of an id; null for one that is not ours. A key is not thread-safe: each caller gives its own.</param>
    /// <returns>The claims, or what is wrong with it.</returns>
    public static (AccessClaims? Claims, TokenFault Fault) Verify(string token, string issuer, string audience, DateTime now, Func<string, ECDsa?> keyOf)
    {
        if (JsonWebToken.Read(token, Longest) is not { Header: { KeyId: { Length: > 0 } keyId } header } read) return (null, TokenFault.Malformed);
        if (header.Algorithm != Algorithm || header.Type != Type || header.Critical is not null) return (null, TokenFault.Algorithm);
        if (keyOf(keyId) is not { } key) return (null, TokenFault.UnknownKey);
        if (read.Signature.Length != 64
            || !key.VerifyData(read.Signed, read.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
        {
            return (null, TokenFault.Signature);
        }
        if (JsonWebToken.Part(read.Payload, TokenJson.Default.AccessClaims) is not { } claims
            || claims.Subject is null or "" || claims.Tenant is null || claims.Session is null || claims.Roles.IsDefault || claims.Expires == 0)
        {
            return (null, TokenFault.Malformed);
        }
        if (claims.Issuer != issuer) return (null, TokenFault.Issuer);
        if (claims.Audience != audience) return (null, TokenFault.Audience);
        long seconds = new DateTimeOffset(now, TimeSpan.Zero).ToUnixTimeSeconds(), skew = (long)Skew.TotalSeconds;
        if (seconds + skew < claims.NotBefore || seconds + skew < claims.IssuedAt) return (null, TokenFault.NotYetValid);
        return seconds >= claims.Expires ? (null, TokenFault.Expired) : (claims, default);
    }
}
