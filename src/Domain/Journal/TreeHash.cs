using System.Buffers.Binary;
using System.Security.Cryptography;

namespace HybridTrading.Domain.Journal;

/// <summary>A SHA-256 digest: a leaf, an inner node or the root of the journal's Merkle tree.</summary>
public readonly record struct TreeHash
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a, _b, _c, _d;

    /// <param name="bytes">Exactly 32 bytes.</param>
    /// <exception cref="ArgumentException">Another count of bytes.</exception>
    public TreeHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"a SHA-256 hash has {Size} bytes, not {bytes.Length}", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The root of the empty tree: SHA-256 of nothing (RFC 6962, 2.1).</summary>
    public static TreeHash Empty { get; } = Sha256([]);

    /// <summary>SHA-256 of <paramref name="data"/> as it lies, without a prefix.</summary>
    public static TreeHash Sha256(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(data, digest);
        return new TreeHash(digest);
    }

    /// <summary>The hash of a leaf: SHA-256(0x00 || data) (RFC 6962, 2.1).</summary>
    public static TreeHash Leaf(ReadOnlySpan<byte> data)
    {
        Span<byte> prefixed = data.Length < 1024 ? stackalloc byte[data.Length + 1] : new byte[data.Length + 1];
        prefixed[0] = 0x00;
        data.CopyTo(prefixed[1..]);
        return Sha256(prefixed);
    }

    /// <summary>The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, 2.1).</summary>
    public static TreeHash Node(TreeHash left, TreeHash right)
    {
        Span<byte> joined = stackalloc byte[1 + 2 * Size];
        joined[0] = 0x01;
        left.CopyTo(joined[1..]);
        right.CopyTo(joined[(1 + Size)..]);
        return Sha256(joined);
    }

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x16}{_d:x16}";
}
