using System.Security.Cryptography;
using System.Text;

namespace HybridTrading.Domain.Users;

/// <summary>How a program signs.</summary>
public enum ApiKeyKind : byte
{
    /// <summary>HMAC-SHA-256 with a secret that both sides know; it is kept encrypted.</summary>
    Hmac,

    /// <summary>ECDSA on P-256 with SHA-256, in the fixed-size form of IEEE P1363: only the public key is known here.</summary>
    Ecdsa,
}

/// <summary>A key of a program, for one tenant of its user.</summary>
/// <param name="Material">HMAC: the secret; ECDSA: the public key (SubjectPublicKeyInfo). Base 64.</param>
/// <param name="Scopes">It may do what these allow and its user may do, no more.</param>
public sealed record ApiKey(
    string Id, string Name, string Tenant, ApiKeyKind Kind, string Material, ImmutableArray<Permission> Scopes, DateTime Created, DateTime Expires)
{
    public const int Most = 20, LongestDays = 366;

    /// <summary>Bytes of a shared secret.</summary>
    public const int SecretSize = 32;

    /// <summary>Does the signature fit what was signed?</summary>
    /// <param name="signature">Base64url.</param>
    public bool IsSigned(string canonical, string signature)
    {
        byte[] message = Encoding.UTF8.GetBytes(canonical), given;
        try
        {
            given = System.Buffers.Text.Base64Url.DecodeFromChars(signature);
        }
        catch (FormatException)
        {
            return false;
        }
        if (Kind == ApiKeyKind.Hmac) return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Convert.FromBase64String(Material), message), given);
        using ECDsa key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(Material), out _);
        return given.Length == 64 && key.VerifyData(message, given, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>What is wrong with a public key; null when nothing is.</summary>
    /// <param name="material">SubjectPublicKeyInfo, base 64 or PEM.</param>
    /// <param name="normal">The same in base 64.</param>
    public static string? PublicKeyFault(string? material, out string normal)
    {
        normal = "";
        const string expected = "expected the public key of ECDSA on P-256: SubjectPublicKeyInfo in PEM or base 64";
        if (material is null or { Length: > 1000 }) return $"publicKey is {(material is null ? "missing" : "too long")}; {expected}";
        try
        {
            using ECDsa key = ECDsa.Create();
            if (material.Contains("-----BEGIN", StringComparison.Ordinal)) key.ImportFromPem(material);
            else key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(material.Trim()), out _);
            if (key.KeySize != 256 || key.ExportParameters(false).Curve.Oid.Value is not ("1.2.840.10045.3.1.7" or null)) return $"publicKey is on another curve; {expected}";
            normal = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
            return null;
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException)
        {
            return $"publicKey cannot be read; {expected}";
        }
    }
}

/// <summary>A request as a program signed it.</summary>
/// <param name="Timestamp">Milliseconds since 1970, by the program's clock.</param>
/// <param name="Nonce">16 to 64 characters that the key has not used within the window.</param>
/// <param name="BodyHash">SHA-256 of the body, hexadecimal; of nothing for none.</param>
[GenerateSerializer, Immutable, Alias("ht.SignedRequest")]
public sealed record SignedRequest(string KeyId, string Method, string Target, long Timestamp, string Nonce, string BodyHash, string Signature)
{
    /// <summary>What is signed: method, path with query, time, nonce and hash of the body, a line each.</summary>
    public string Canonical => $"{Method}\n{Target}\n{Timestamp}\n{Nonce}\n{BodyHash}";
}

/// <summary>
/// Which signed requests of one key were seen: each nonce counts once within the window, and what is older than the window is refused by its time. Over a
/// restart no nonce is remembered, so a mark is kept ahead of what was taken, and nothing up to the mark is taken again.
/// </summary>
public sealed class NonceWindow
{
    /// <summary>To either side of this service's clock.</summary>
    public static readonly TimeSpan Width = TimeSpan.FromSeconds(5);

    /// <summary>How far ahead the mark is set, so that it is stored only now and then.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Queue<(long Timestamp, string Nonce)> _order = new();
    private readonly long _floor;

    /// <param name="mark">As it was stored: nothing up to it is taken. Milliseconds since 1970.</param>
    public NonceWindow(long mark) => (_floor, Mark, Latest) = (mark, mark, mark);

    /// <summary>The latest time of what was taken: the mark to store when nothing more comes.</summary>
    public long Latest { get; private set; }

    /// <summary>Must be stored before a request beyond it is answered.</summary>
    public long Mark { get; private set; }

    /// <summary>Takes a request once.</summary>
    /// <returns>What is wrong with it; null when it is taken.</returns>
    public string? Take(long timestamp, string nonce, DateTime now)
    {
        long clock = new DateTimeOffset(now, TimeSpan.Zero).ToUnixTimeMilliseconds(), width = (long)Width.TotalMilliseconds;
        if (nonce.Length is < 16 or > 64 || !nonce.All(char.IsAsciiLetterOrDigit)) return "nonce; expected 16 to 64 letters and digits";
        if (Math.Abs(clock - timestamp) > width) return $"timestamp is {timestamp}, {clock - timestamp} ms before this service's clock; expected at most {width} ms to either side";
        if (timestamp <= _floor) return $"timestamp is {timestamp}; after a restart expected more than {_floor}: try again";
        while (_order.TryPeek(out (long Timestamp, string Nonce) oldest) && oldest.Timestamp < clock - 2 * width) _seen.Remove(_order.Dequeue().Nonce);
        if (!_seen.Add(nonce)) return "nonce was used before; expected a new one for every request";
        _order.Enqueue((timestamp, nonce));
        Latest = Math.Max(Latest, timestamp);
        if (timestamp > Mark) Mark = timestamp + (long)Ahead.TotalMilliseconds;
        return null;
    }
}
