using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>The first thing that is wrong with a journal.</summary>
/// <param name="Position">Global position at which the walk stopped.</param>
/// <param name="Segment">File.</param>
/// <param name="Offset">Byte in the file at which the broken frame begins.</param>
public sealed record JournalFault(long Position, string Segment, long Offset, string What)
{
    public override string ToString() => $"position {Position}, {Segment} at byte {Offset}: {What}";
}

/// <summary>What a walk over the whole journal found.</summary>
/// <param name="Events">Events before the fault, or all.</param>
/// <param name="Erased">Of these, how many belong to a destroyed key and so were checked by hash only.</param>
/// <param name="TornBytes">A tail that never counted (a start will cut it): what a crash, or a writer at work, leaves.</param>
/// <param name="Tree">Size and root over the events.</param>
public sealed record JournalReport(
    long Events, long Streams, long Segments, long Bytes, long Erased, long TornBytes, TreeHead Tree, JournalFault? Fault)
{
    public bool IsSound => Fault is null;
}

/// <summary>Where a long walk is.</summary>
public readonly record struct StorageProgress(long Done, long Total);

/// <summary>
/// Reads every byte of a journal without changing any: framing, checksums, positions, stream versions, the encryption's tags where the key
/// still exists, leaf hashes and root, and the indices beside the segments. Runs beside a journal that is open.
/// </summary>
public sealed class JournalVerifier(string folder, IKeyProvider keys, IFileDoor? door = null)
{
    private readonly IFileDoor _door = door ?? new FileDoor();
    private readonly RecordDecoder _decoder = new(keys);
    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly MerkleFrontier _tree = new();
    private Action<RecordedEvent, byte[]>? _visit;
    private long _erased;
    private long _bytes;
    private long _torn;

    /// <exception cref="StorageException">The folder cannot be read, or a key is missing.</exception>
    public JournalReport Verify(IProgress<StorageProgress>? progress = null, CancellationToken cancellation = default) =>
        Verify(null, progress, cancellation);

    /// <param name="visit">Given each event that was found sound, with its record, in order.</param>
    internal JournalReport Verify(Action<RecordedEvent, byte[]>? visit, IProgress<StorageProgress>? progress, CancellationToken cancellation)
    {
        _visit = visit;
        try
        {
            List<string> segments = [.. _door.List(folder).Where(file => file.EndsWith(".log", StringComparison.Ordinal))];
            long total = segments.Sum(Length);
            Guid? journal = null;
            JournalFault? fault = null;
            for (int i = 0; i < segments.Count && fault is null; i++)
            {
                fault = Walk(segments[i], isLast: i == segments.Count - 1, ref journal, cancellation);
                progress?.Report(new StorageProgress(_bytes, total));
            }
            return new JournalReport(
                _tree.Size, _versions.Count, segments.Count, _bytes, _erased, _torn, new TreeHead(_tree.Size, _tree.Root()), fault);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read journal", folder);
        }
    }

    private long Length(string path)
    {
        using IDoorFile file = _door.OpenRead(path);
        return file.Length;
    }

    private JournalFault? Walk(string path, bool isLast, ref Guid? journal, CancellationToken cancellation)
    {
        // The index is read first: beside a journal at work it may grow, and the segment with it, but never shrink.
        SegmentIndex? index = SegmentIndex.TryRead(_door, path);
        using IDoorFile file = _door.OpenRead(path);
        using var reader = new FrameReader(_door.OpenRead(path), 1 << 20);
        long end = file.Length;
        if (!SegmentFormat.TryReadHeader(path, file, out Guid id, out long first))
        {
            if (!isLast || end > SegmentFormat.HeaderSize) return Fault(0, "its header is not one of a segment");
            _torn = end;
            return null;
        }
        if (journal is not null && journal != id) return Fault(0, "it belongs to another journal");
        if (first != _tree.Size) return Fault(0, $"it begins at position {first}: a segment before it is missing");
        journal = id;

        long offset = SegmentFormat.HeaderSize;
        long wholeEnd = offset;
        string appendStream = "";
        int remaining = 0;
        List<RecordedEvent> append = [];
        List<byte[]> records = [];
        List<TreeHash> leaves = [];
        while (offset < end)
        {
            cancellation.ThrowIfCancellationRequested();
            string? wrong = reader.Read(offset, end, out Frame frame);
            if (wrong is not null)
            {
                bool canBeTorn = isLast && wholeEnd >= (index?.CoveredLength ?? 0) && !reader.WasFlushedOnce(offset, offset + 1, end);
                if (!canBeTorn) return Fault(offset, wrong);
                break;
            }
            RecordedEvent record;
            try
            {
                record = _decoder.Decode(frame.Position, frame.Record);
            }
            catch (RecordFormatException malformed)
            {
                return Fault(offset, malformed.Message);
            }
            long position = _tree.Size + append.Count;
            if (frame.Position != position) return new JournalFault(position, path, offset, $"the record there says position {frame.Position}");
            long version = _versions.GetValueOrDefault(record.Stream) + append.Count + 1;
            if (record.Version != version)
            {
                return new JournalFault(position, path, offset, $"version {record.Version} of {record.Stream}, expected {version}");
            }
            if (append.Count > 0 && (record.Stream != appendStream || frame.Remaining != remaining - 1))
            {
                return new JournalFault(position, path, offset, "it does not continue the append of several records before it");
            }
            appendStream = record.Stream;
            remaining = frame.Remaining;
            append.Add(record);
            if (_visit is not null) records.Add(frame.Record.ToArray());
            leaves.Add(TreeHash.Sha256(frame.Leaf));
            offset += frame.Size;
            if (remaining != 0) continue;
            _versions[appendStream] = record.Version;
            foreach (TreeHash leaf in leaves) _tree.Append(leaf);
            foreach (RecordedEvent one in append) _erased += one.Erased ? 1 : 0;
            for (int i = 0; i < records.Count; i++) _visit!(append[i], records[i]);
            records.Clear();
            append.Clear();
            leaves.Clear();
            wholeEnd = offset;
            if (index is not null && _tree.Size == index.Tree.Size && _tree.Root() != index.Tree.Root())
            {
                return Fault(offset, "the tree over the records so far is not the one that its index had");
            }
        }
        if (!isLast && wholeEnd < end) return Fault(wholeEnd, "the segment ends inside an append of several records");
        if (wholeEnd < (index?.CoveredLength ?? 0)) return Fault(wholeEnd, $"it ends here, but had {index!.CoveredLength} bytes when it was closed");
        _torn = end - wholeEnd;
        _bytes += wholeEnd;
        return null;

        JournalFault Fault(long at, string what) => new(_tree.Size, path, at, what);
    }
}
