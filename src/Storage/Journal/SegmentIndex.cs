using System.Buffers.Binary;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// What a start needs of a segment without reading it: which streams have which versions in it, where every 256th record begins, and the
/// right edge of the Merkle tree at its end. Written when a segment is full and when the journal closes; made anew from the segment when it
/// is missing or fails its checksum.
/// <code>
/// 0   8  magic "HTJINDEX"
/// 8   2  format version, 1
/// 10  2  zero
/// 12  4  count of streams, s
/// 16  8  position of the segment's first record
/// 24  8  count of records
/// 32  8  length of the segment that this covers; all of it was on the medium when this was written
/// 40  4  count of peaks, p
/// 44  4  count of seek points, k
///     32 * p  peaks of the tree over all records up to here
///     4 * k   offset of every 256th record
///     s times: 2 + n stream, 8 version of its first record here, 4 count of its records here
///     s times: 4 * count, the offsets of its records
///     4  CRC-32C of what precedes
/// </code>
/// </summary>
internal sealed record SegmentIndex(
    long FirstPosition, long Count, long CoveredLength, MerkleFrontier Tree, List<uint> SeekPoints, List<SegmentIndex.Entry> Streams)
{
    private const ushort FormatVersion = 1;
    private const int FixedSize = 48;

    /// <param name="ListAt">Where in the index file the offsets of the stream's records lie.</param>
    internal readonly record struct Entry(string Stream, long FirstVersion, int Count, long ListAt);

    private static ReadOnlySpan<byte> Magic => "HTJINDEX"u8;

    /// <summary>Writes the index of a segment.</summary>
    /// <returns>What reading it would give.</returns>
    public static SegmentIndex Write(
        IFileDoor door, Segment segment, long coveredLength, MerkleFrontier tree, IReadOnlyCollection<StreamState> streams)
    {
        int size = FixedSize + TreeHash.Size * tree.Peaks.Count + 4 * segment.SeekPoints.Count + 4;
        foreach (StreamState stream in streams) size += 2 + Encoding.UTF8.GetByteCount(stream.Name) + 12 + 4 * stream.Recent.Count;
        byte[] file = new byte[size];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), streams.Count);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(16), segment.FirstPosition);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(24), segment.Count);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(32), coveredLength);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), tree.Peaks.Count);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(44), segment.SeekPoints.Count);
        int at = FixedSize;
        foreach (TreeHash peak in tree.Peaks)
        {
            peak.CopyTo(file.AsSpan(at));
            at += TreeHash.Size;
        }
        WriteOffsets(segment.SeekPoints);

        var entries = new List<Entry>(streams.Count);
        foreach (StreamState stream in streams)
        {
            int length = Encoding.UTF8.GetBytes(stream.Name, file.AsSpan(at + 2));
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)length);
            at += 2 + length;
            BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(at), stream.RecentFirstVersion);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at + 8), stream.Recent.Count);
            at += 12;
        }
        foreach (StreamState stream in streams)
        {
            entries.Add(new Entry(stream.Name, stream.RecentFirstVersion, stream.Recent.Count, at));
            WriteOffsets(stream.Recent);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), Crc32C.Compute(file.AsSpan(0, at)));
        door.WriteWhole(SegmentFormat.IndexPath(segment.Path), file);
        return new SegmentIndex(segment.FirstPosition, segment.Count, coveredLength, tree.Copy(), segment.SeekPoints, entries);

        void WriteOffsets(List<uint> offsets)
        {
            foreach (uint offset in offsets)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), offset);
                at += 4;
            }
        }
    }

    /// <returns>Null where there is no usable index.</returns>
    public static SegmentIndex? TryRead(IFileDoor door, string segmentPath)
    {
        string path = SegmentFormat.IndexPath(segmentPath);
        if (!door.Exists(path)) return null;
        byte[] file = door.ReadWhole(path);
        if (file.Length < FixedSize + 4 || !file.AsSpan(0, 8).SequenceEqual(Magic)) return null;
        if (BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)) != FormatVersion) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(file.Length - 4)) != Crc32C.Compute(file.AsSpan(0, file.Length - 4))) return null;

        // The checksum holds, so the counts are those that were written.
        int streams = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12));
        long firstPosition = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(16));
        long count = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(24));
        long covered = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(32));
        var peaks = new TreeHash[BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(40))];
        var seekPoints = new List<uint>(BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(44)));
        int at = FixedSize;
        for (int i = 0; i < peaks.Length; i++, at += TreeHash.Size) peaks[i] = new TreeHash(file.AsSpan(at, TreeHash.Size));
        for (int i = 0; i < seekPoints.Capacity; i++, at += 4) seekPoints.Add(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at)));
        var entries = new List<Entry>(streams);
        for (int i = 0; i < streams; i++)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));
            string stream = Encoding.UTF8.GetString(file.AsSpan(at + 2, length));
            at += 2 + length;
            entries.Add(new Entry(
                stream, BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at)), BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at + 8)), 0));
            at += 12;
        }
        for (int i = 0; i < streams; i++)
        {
            entries[i] = entries[i] with { ListAt = at };
            at += 4 * entries[i].Count;
        }
        return new SegmentIndex(firstPosition, count, covered, new MerkleFrontier(firstPosition + count, peaks), seekPoints, entries);
    }

    /// <summary>The offsets of a stream's records in a segment.</summary>
    /// <param name="skip">How many of them to leave out at the beginning.</param>
    public static uint[] ReadOffsets(IFileDoor door, in SealedPart part, int skip)
    {
        using IDoorFile file = door.OpenRead(SegmentFormat.IndexPath(part.Segment.Path));
        byte[] bytes = new byte[4 * (part.Count - skip)];
        file.Read(bytes, part.ListAt + 4L * skip);
        uint[] offsets = new uint[part.Count - skip];
        for (int i = 0; i < offsets.Length; i++) offsets[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4 * i));
        return offsets;
    }
}
