using System.Globalization;

namespace Orleans.Runtime;

/// <summary>Names a stream: a namespace and a key in it, written <c>namespace/key</c>.</summary>
public readonly struct StreamId : IEquatable<StreamId>, IComparable<StreamId>
{
    private readonly IdSpan _namespace;
    private readonly IdSpan _key;

    private StreamId(string? ns, string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _namespace = ns is null ? default : IdSpan.Create(ns);
        _key = IdSpan.Create(key);
    }

    public static StreamId Create(string? ns, string key) => new(ns, key);

    public static StreamId Create(string? ns, Guid key) => new(ns, key.ToString("N"));

    public static StreamId Create(string? ns, long key) => new(ns, key.ToString(CultureInfo.InvariantCulture));

    public string GetKeyAsString() => _key.ToString();

    /// <returns>Null for a stream without a namespace.</returns>
    public string? GetNamespace() => _namespace.IsDefault ? null : _namespace.ToString();

    public bool Equals(StreamId other) => _key.Equals(other._key) && _namespace.Equals(other._namespace);

    public override bool Equals(object? obj) => obj is StreamId other && Equals(other);

    public override int GetHashCode() => (_namespace.GetHashCode() * 31) + _key.GetHashCode();

    public int CompareTo(StreamId other)
    {
        int byNamespace = _namespace.CompareTo(other._namespace);
        return byNamespace != 0 ? byNamespace : _key.CompareTo(other._key);
    }

    public override string ToString() => $"{(_namespace.IsDefault ? "null" : _namespace.ToString())}/{_key}";

    public static bool operator ==(StreamId s1, StreamId s2) => s1.Equals(s2);

    public static bool operator !=(StreamId s1, StreamId s2) => !s1.Equals(s2);
}
