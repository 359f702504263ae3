using System.Buffers.Binary;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Journal;

/// <summary>Reads frames of one segment through a window, at any offset; neighbours come from memory.</summary>
internal sealed class FrameReader(IDoorFile file, int window) : IDisposable
{
    private byte[] _buffer = [];
    private long _start;
    private int _filled;

    /// <summary>Reads the frame at an offset of a segment whose bytes count up to <paramref name="end"/>.</summary>
    /// <returns>Null and the frame, or what is wrong with the bytes there.</returns>
    public string? Read(long offset, long end, out Frame frame)
    {
        frame = default;
        if (offset + SegmentFormat.FrameHeaderSize > end) return "the segment ends inside the header of a frame";
        int length = BinaryPrimitives.ReadInt32LittleEndian(Bytes(offset, SegmentFormat.FrameHeaderSize, end)[4..]);
        if (length is <= 0 or > SegmentFormat.MaxRecord) return $"a record of {length} bytes is out of range";
        int size = SegmentFormat.FrameHeaderSize + length;
        if (offset + size > end) return "the segment ends inside a record";
        ReadOnlySpan<byte> bytes = Bytes(offset, size, end);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Compute(bytes[4..])) return "the checksum of the frame does not match";
        frame = new Frame(bytes);
        return null;
    }

    /// <summary>
    /// Looks in [<paramref name="from"/>, <paramref name="end"/>) for a whole frame that says that byte <paramref name="broken"/> had been
    /// on the medium when it was written.
    /// </summary>
    public bool WasFlushedOnce(long broken, long from, long end)
    {
        for (long offset = from; offset + SegmentFormat.FrameHeaderSize < end; offset++)
        {
            ReadOnlySpan<byte> header = Bytes(offset, SegmentFormat.FrameHeaderSize, end);
            int length = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
            if (length <= 0 || length > end - offset - SegmentFormat.FrameHeaderSize) continue;
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[20..]) <= broken) continue;
            if (Read(offset, end, out _) is null) return true;
        }
        return false;
    }

    public void Dispose() => file.Dispose();

    private ReadOnlySpan<byte> Bytes(long offset, int size, long end)
    {
        if (offset < _start || offset + size > _start + _filled)
        {
            int wanted = (int)Math.Min(Math.Max(window, size), end - offset);
            if (_buffer.Length < wanted) _buffer = new byte[wanted];
            _filled = file.Read(_buffer.AsSpan(0, wanted), offset);
            _start = offset;
            if (_filled < size) throw new EndOfStreamException($"the segment ends at byte {offset + _filled}");
        }
        return _buffer.AsSpan((int)(offset - _start), size);
    }
}
