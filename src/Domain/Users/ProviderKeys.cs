using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace HybridTrading.Domain.Users;

/// <summary>Signing algorithms that are taken of a provider. None is symmetric and "none" is not among them, so no public key can be used as a secret.</summary>
public static class ProviderAlgorithms
{
    public const string Rs256 = "RS256", Ps256 = "PS256", Es256 = "ES256";

    public static readonly ImmutableArray<string> All = [Rs256, Ps256, Es256];
}

/// <summary>A public key of a provider: RSA of 2048 to 8192 bits, or ECDSA on P-256. Safe for concurrent use.</summary>
public sealed class ProviderKey
{
    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _curve;

    private ProviderKey(string? id, string? algorithm, RSAParameters? rsa, ECParameters? curve) => (Id, Algorithm, _rsa, _curve) = (id, algorithm, rsa, curve);

    public string? Id { get; }

    /// <summary>The one algorithm that it is for; null where the provider does not say.</summary>
    public string? Algorithm { get; }

    public bool Fits(string algorithm) =>
        (Algorithm is null || Algorithm == algorithm) && (algorithm == ProviderAlgorithms.Es256 ? _curve is not null : _rsa is not null);

    public bool Verifies(string algorithm, byte[] signed, byte[] signature)
    {
        if (!Fits(algorithm)) return false;
        if (algorithm == ProviderAlgorithms.Es256)
        {
            using ECDsa ecdsa = ECDsa.Create(_curve!.Value);
            return signature.Length == 64 && ecdsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        using RSA rsa = RSA.Create(_rsa!.Value);
        return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, algorithm == ProviderAlgorithms.Ps256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    /// <summary>Null for a key that is not ours to use: of another kind or curve, too short, or not for signatures.</summary>
    internal static ProviderKey? Of(JsonElement jwk)
    {
        if (jwk.ValueKind != JsonValueKind.Object || Text(jwk, "use") is not (null or "sig")) return null;
        string? id = Text(jwk, "kid"), algorithm = Text(jwk, "alg");
        try
        {
            switch (Text(jwk, "kty"))
            {
                case "RSA" when Bytes(jwk, "n") is { Length: >= 256 and <= 1024 } modulus && Bytes(jwk, "e") is { Length: >= 1 and <= 8 } exponent:
                    var rsa = new RSAParameters { Modulus = modulus, Exponent = exponent };
                    using (RSA.Create(rsa)) return new ProviderKey(id, algorithm, rsa, null);
                case "EC" when Text(jwk, "crv") == "P-256" && Bytes(jwk, "x") is { Length: 32 } x && Bytes(jwk, "y") is { Length: 32 } y:
                    var curve = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } };
                    using (ECDsa.Create(curve)) return new ProviderKey(id, algorithm, null, curve);
                default:
                    return null;
            }
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement jwk, string name) => Text(jwk, name) is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}

/// <summary>The keys that a provider signs with, as its JWK Set (RFC 7517) has them. Keys that cannot be used are left out. Immutable.</summary>
public sealed class ProviderKeys
{
    /// <summary>More than any provider has at a time.</summary>
    public const int Most = 100;

    public static readonly ProviderKeys None = new([]);

    private readonly ImmutableArray<ProviderKey> _keys;

    private ProviderKeys(ImmutableArray<ProviderKey> keys) => _keys = keys;

    public int Count => _keys.Length;

    /// <exception cref="FormatException">It is no key set.</exception>
    public static ProviderKeys Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("keys", out JsonElement keys) && keys.ValueKind == JsonValueKind.Array
                ? new ProviderKeys([.. keys.EnumerateArray().Take(Most).Select(ProviderKey.Of).OfType<ProviderKey>()])
                : throw new FormatException("the key set has no keys; expected an object with an array of that name");
        }
        catch (JsonException e)
        {
            throw new FormatException("the key set is not JSON", e);
        }
    }

    /// <summary>The key of that id; without an id the only one that fits the algorithm (OpenID Connect Core 1.0, section 10.1).</summary>
    public ProviderKey? Find(string? id, string algorithm)
    {
        ProviderKey[] fitting = [.. _keys.Where(key => (id is null || key.Id == id) && key.Fits(algorithm))];
        return fitting.Length == 1 ? fitting[0] : null;
    }
}
