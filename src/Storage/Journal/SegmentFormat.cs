using System.Buffers.Binary;
using System.Globalization;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// A segment file of the journal: a header and then frames, one a record. Integers are little-endian.
/// <code>
/// header  0   8  magic "HTJOURNL"
///         8   2  format version, 1
///         10  2  size of this header, 64
///         12  16 id of the journal, the same in all of its segments
///         28  8  global position of the first record
///         36  24 zero
///         60  4  CRC-32C of the 60 bytes before
/// frame   0   4  CRC-32C of the frame from here + 4 to its end
///         4   4  length of the record
///         8   8  global position
///         16  4  how many records of the same append follow: an append counts when its frame with 0 is there
///         20  4  length of the segment that was known to be on the medium when the frame was written
///         24  1  0x00, the prefix of a leaf (RFC 6962): the leaf hash is taken over the bytes from here to the end as they lie
///         25  n  the record (RecordCodec)
/// </code>
/// The field at 20 tells a torn tail from damage: bytes that fail below it in any later frame had been durable.
/// A file is named by its first position in 20 digits, <c>.log</c>; beside it lies <c>.index</c> (<see cref="SegmentIndex"/>).
/// </summary>
internal static class SegmentFormat
{
    public const ushort FormatVersion = 1;
    public const int HeaderSize = 64;
    public const int FrameHeaderSize = 25;
    public const int MaxRecord = 64 << 20;

    private const int LeafPrefixAt = 24;

    private static ReadOnlySpan<byte> Magic => "HTJOURNL"u8;

    public static string FileName(long firstPosition) => firstPosition.ToString("D20", CultureInfo.InvariantCulture) + ".log";

    public static string IndexPath(string segmentPath) => Path.ChangeExtension(segmentPath, ".index");

    public static byte[] Header(Guid journal, long firstPosition)
    {
        byte[] header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), HeaderSize);
        journal.TryWriteBytes(header.AsSpan(12));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(28), firstPosition);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(60), Crc32C.Compute(header.AsSpan(0, 60)));
        return header;
    }

    /// <returns>False when the file is shorter than a header or not one: on the last segment that is a torn creation.</returns>
    /// <exception cref="StorageException">A newer format.</exception>
    public static bool TryReadHeader(string path, IDoorFile file, out Guid journal, out long firstPosition)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        journal = default;
        firstPosition = 0;
        if (file.Read(header, 0) < HeaderSize || !header[..8].SequenceEqual(Magic)) return false;
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (version > FormatVersion)
        {
            throw new StorageException(
                $"{path} has journal format {version}; this program reads format {FormatVersion}: use the newer program that wrote it");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[60..]) != Crc32C.Compute(header[..60])) return false;
        journal = new Guid(header.Slice(12, 16));
        firstPosition = BinaryPrimitives.ReadInt64LittleEndian(header[28..]);
        return version == FormatVersion;
    }

    /// <summary>Fills in what is known before the frame has its place; the record already lies behind it.</summary>
    public static void PrepareFrame(Span<byte> frame, int recordLength, int remaining)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], recordLength);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], remaining);
        frame[LeafPrefixAt] = 0x00;
    }

    /// <summary>Gives the frame its place and its checksum.</summary>
    /// <returns>The frame's size: where the next one begins.</returns>
    public static int SealFrame(Span<byte> frames, long position, long flushed)
    {
        int size = FrameHeaderSize + BinaryPrimitives.ReadInt32LittleEndian(frames[4..]);
        BinaryPrimitives.WriteInt64LittleEndian(frames[8..], position);
        BinaryPrimitives.WriteUInt32LittleEndian(frames[20..], checked((uint)flushed));
        BinaryPrimitives.WriteUInt32LittleEndian(frames, Crc32C.Compute(frames[4..size]));
        return size;
    }

    /// <summary>The bytes that the leaf hash is taken over: the prefix and the record.</summary>
    public static ReadOnlySpan<byte> Leaf(ReadOnlySpan<byte> frame) => frame[LeafPrefixAt..];
}

/// <summary>One frame where it lies in a reader's buffer; valid until the next read.</summary>
internal readonly ref struct Frame(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Size => _bytes.Length;
    public long Position => BinaryPrimitives.ReadInt64LittleEndian(_bytes[8..]);
    public int Remaining => BinaryPrimitives.ReadInt32LittleEndian(_bytes[16..]);
    public long Flushed => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[20..]);
    public ReadOnlySpan<byte> Leaf => SegmentFormat.Leaf(_bytes);
    public ReadOnlySpan<byte> Record => _bytes[SegmentFormat.FrameHeaderSize..];
}
