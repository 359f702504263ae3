using System.Text;

namespace Orleans.Runtime;

/// <summary>
/// A part of an identity: immutable text with a hash that is the same in every process, so that what depends on it
/// (the range of a reminder, the order of a simulated run) repeats.
/// </summary>
public readonly struct IdSpan : IEquatable<IdSpan>, IComparable<IdSpan>
{
    private readonly string? _value;
    private readonly int _hash;

    private IdSpan(string value)
    {
        _value = value;
        _hash = (int)StableHash(value);
    }

    /// <summary>Whether it holds no text.</summary>
    public bool IsDefault => string.IsNullOrEmpty(_value);

    public static IdSpan Create(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new IdSpan(id);
    }

    public bool Equals(IdSpan obj) => _hash == obj._hash && string.Equals(_value ?? "", obj._value ?? "", StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is IdSpan other && Equals(other);

    public override int GetHashCode() => _hash;

    /// <summary>A hash that is the same in every process.</summary>
    public uint GetUniformHashCode() => (uint)_hash;

    /// <summary>Ordinal comparison.</summary>
    public int CompareTo(IdSpan other) => string.CompareOrdinal(_value ?? "", other._value ?? "");

    public override string ToString() => _value ?? "";

    // FNV-1a over the UTF-8 bytes, then the finaliser of MurmurHash3 so that short keys fill the whole range.
    private static uint StableHash(string value)
    {
        Span<byte> buffer = stackalloc byte[256];
        int length = Encoding.UTF8.GetMaxByteCount(value.Length) <= buffer.Length ? Encoding.UTF8.GetBytes(value, buffer) : -1;
        ReadOnlySpan<byte> bytes = length >= 0 ? buffer[..length] : Encoding.UTF8.GetBytes(value);

        uint hash = 2166136261;
        foreach (byte b in bytes) hash = (hash ^ b) * 16777619;
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }
}
