using System.Runtime.InteropServices;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Writes the state of indicators to bytes or reads it back, by one method an indicator for both ways, so that the two cannot differ.
/// Numbers go bit for bit, little-endian.
/// </summary>
internal sealed class StateTransfer
{
    private readonly MemoryStream _stream;
    private readonly BinaryWriter? _writer;
    private readonly BinaryReader? _reader;

    private StateTransfer(MemoryStream stream, bool write)
    {
        _stream = stream;
        if (write) _writer = new BinaryWriter(stream);
        else _reader = new BinaryReader(stream);
    }

    public static StateTransfer Writing() => new(new MemoryStream(), write: true);

    public static StateTransfer Reading(ImmutableArray<byte> bytes) =>
        new(new MemoryStream(ImmutableCollectionsMarshal.AsArray(bytes) ?? [], writable: false), write: false);

    public ImmutableArray<byte> ToBytes()
    {
        _writer!.Flush();
        return ImmutableCollectionsMarshal.AsImmutableArray(_stream.ToArray());
    }

    /// <summary>True when everything was read.</summary>
    public bool AtEnd => _stream.Position == _stream.Length;

    public void Of(ref bool value)
    {
        if (_writer is not null) _writer.Write(value);
        else value = _reader!.ReadBoolean();
    }

    public void Of(ref int value)
    {
        if (_writer is not null) _writer.Write(value);
        else value = _reader!.ReadInt32();
    }

    public void Of(ref long value)
    {
        if (_writer is not null) _writer.Write(value);
        else value = _reader!.ReadInt64();
    }

    public void Of(ref double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        Of(ref bits);
        value = BitConverter.Int64BitsToDouble(bits);
    }

    public void Of(ref Int128 value)
    {
        long upper = (long)(value >> 64);
        long lower = (long)(ulong)(value & ulong.MaxValue);
        Of(ref upper);
        Of(ref lower);
        value = new Int128((ulong)upper, (ulong)lower);
    }

    public void Of(ref DateTime value)
    {
        long ticks = value.Ticks;
        Of(ref ticks);
        value = new DateTime(ticks, DateTimeKind.Utc);
    }

    /// <summary>The elements; the length is given by the indicator's parameters and does not change.</summary>
    public void Of(Span<long> values)
    {
        foreach (ref long value in values) Of(ref value);
    }

    /// <inheritdoc cref="Of(Span{long})"/>
    public void Of(Span<double> values) => Of(MemoryMarshal.Cast<double, long>(values));
}
