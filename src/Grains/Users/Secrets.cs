using System.Buffers.Text;
using System.Security.Cryptography;

namespace HybridTrading.Grains.Users;

/// <summary>Text that must not be seen where a message is printed: a password, a token, a code.</summary>
[GenerateSerializer, Immutable, Alias("ht.Secret")]
public sealed record Secret(string Value)
{
    public override string ToString() => "(secret)";
}

/// <summary>Chance that nobody can foresee. Thread-safe; replaced where a run must repeat.</summary>
public class SecretSource
{
    public virtual void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }

    /// <summary>256 bits as 43 characters that need no quoting anywhere.</summary>
    public string Token() => Base64Url.EncodeToString(Bytes(32));

    /// <summary>A name for a key: 80 bits in lower case, after a letter.</summary>
    public string Name(char first) => first + Domain.Users.Base32.Encode(Bytes(10)).ToLowerInvariant();
}
