using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Finds the state of a journal on disk: full segments by their index, the last one by reading it. Only a tail of the last segment that can
/// have been torn is cut; all other damage is an error.
/// </summary>
internal sealed class SegmentRecovery(IFileDoor door, string folder)
{
    private const int Window = 1 << 20;

    private long _scanned;
    private long _cut;

    public List<Segment> Segments { get; } = [];

    public Dictionary<string, StreamState> Streams { get; } = new(StringComparer.Ordinal);

    /// <summary>Streams with records in the last segment, in the order of the first.</summary>
    public List<StreamState> Recent { get; } = [];

    public MerkleFrontier Tree { get; private set; } = new();

    /// <summary>Null in an empty folder.</summary>
    public Guid? Journal { get; private set; }

    public JournalRecovery Report => new(Tree.Size, Segments.Count, Streams.Count, _scanned, _cut);

    public void Run()
    {
        List<string> files = [];
        foreach (string file in door.List(folder))
        {
            if (file.EndsWith(".tmp", StringComparison.Ordinal)) door.Delete(file);
            else if (file.EndsWith(".log", StringComparison.Ordinal)) files.Add(file);
        }
        RemoveTornCreation(files);
        for (int i = 0; i < files.Count; i++)
        {
            bool last = i == files.Count - 1;
            using IDoorFile file = last ? door.OpenWrite(files[i]) : door.OpenRead(files[i]);
            CheckHeader(files[i], file);
            Segment segment = new(files[i], Tree.Size);
            Segments.Add(segment);
            if (last) ReadLast(segment, file);
            else ReadFull(segment, file);
        }
    }

    // A segment whose header never reached the medium whole holds nothing that anybody was told of.
    private void RemoveTornCreation(List<string> files)
    {
        if (files.Count == 0) return;
        string path = files[^1];
        using (IDoorFile file = door.OpenRead(path))
        {
            if (file.Length > SegmentFormat.HeaderSize || SegmentFormat.TryReadHeader(path, file, out _, out _)) return;
        }
        door.Delete(path);
        door.FlushFolder(folder);
        files.RemoveAt(files.Count - 1);
    }

    private void CheckHeader(string path, IDoorFile file)
    {
        if (!SegmentFormat.TryReadHeader(path, file, out Guid journal, out long firstPosition))
        {
            throw new DamagedDataException(path, 0, Tree.Size, "its header is not one of a segment");
        }
        if (Journal is { } known && journal != known)
        {
            throw new StorageException($"{path} belongs to another journal ({journal}, not {known}); the folder holds files of two");
        }
        Journal = journal;
        if (firstPosition != Tree.Size || Path.GetFileName(path) != SegmentFormat.FileName(firstPosition))
        {
            throw new StorageException(
                $"{path} begins at position {firstPosition}, expected {Tree.Size}: a segment file before it is missing; restore it from a backup");
        }
    }

    private void ReadFull(Segment segment, IDoorFile file)
    {
        SegmentIndex? index = SegmentIndex.TryRead(door, segment.Path);
        if (index is not null && (index.FirstPosition != segment.FirstPosition || index.CoveredLength > file.Length))
        {
            throw new DamagedDataException(
                segment.Path, file.Length, null,
                $"it has {file.Length} bytes where its index, from position {index.FirstPosition}, covers {index.CoveredLength}");
        }
        if (index is null || index.CoveredLength < file.Length)
        {
            index = Rebuild(segment, file);
        }
        else
        {
            segment.Count = index.Count;
            segment.Length = index.CoveredLength;
            segment.SeekPoints.AddRange(index.SeekPoints);
            foreach (SegmentIndex.Entry entry in index.Streams)
            {
                StreamState stream = Stream(entry.Stream);
                if (stream.DurableVersion + 1 != entry.FirstVersion)
                {
                    throw WrongVersion(segment, 0, segment.FirstPosition, stream, entry.FirstVersion);
                }
                stream.DurableVersion += entry.Count;
            }
            Tree = index.Tree;
        }
        foreach (SegmentIndex.Entry entry in index.Streams)
        {
            StreamState stream = Streams[entry.Stream];
            stream.Version = stream.DurableVersion;
            stream.Seal(new SealedPart(segment, entry.FirstVersion, entry.Count, entry.ListAt));
        }
    }

    private SegmentIndex Rebuild(Segment segment, IDoorFile file)
    {
        string? fault = Scan(segment, file);
        if (fault is not null) throw new DamagedDataException(segment.Path, segment.Length, Tree.Size, fault);
        SegmentIndex index = SegmentIndex.Write(door, segment, segment.Length, Tree, Recent);
        Recent.Clear();
        return index;
    }

    private void ReadLast(Segment segment, IDoorFile file)
    {
        SegmentIndex? index = SegmentIndex.TryRead(door, segment.Path);
        long flushed = index is not null && index.FirstPosition == segment.FirstPosition ? index.CoveredLength : 0;
        string? fault = Scan(segment, file);
        foreach (StreamState stream in Streams.Values) stream.Version = stream.DurableVersion;
        if (file.Length < flushed)
        {
            throw new DamagedDataException(segment.Path, file.Length, Tree.Size, $"it ends here, but had {flushed} bytes when it was closed");
        }
        if (fault is null) return;

        using var reader = new FrameReader(door.OpenRead(segment.Path), Window);
        if (segment.Length < flushed || reader.WasFlushedOnce(segment.Length, segment.Length + 1, file.Length))
        {
            throw new DamagedDataException(segment.Path, segment.Length, Tree.Size, fault);
        }
        _cut = file.Length - segment.Length;
        file.SetLength(segment.Length);
        file.Flush();
    }

    // Reads whole appends up to the first fault; what is taken up ends with the last whole append.
    private string? Scan(Segment segment, IDoorFile file)
    {
        long end = file.Length;
        long offset = SegmentFormat.HeaderSize;
        using var reader = new FrameReader(door.OpenRead(segment.Path), Window);
        List<(StreamState Stream, long Offset, int Size, TreeHash Leaf)> append = [];
        int remaining = 0;
        while (offset < end)
        {
            string? fault = reader.Read(offset, end, out Frame frame);
            if (fault is not null) return fault;
            long position = Tree.Size + append.Count;
            if (frame.Position != position)
            {
                throw new DamagedDataException(segment.Path, offset, position, $"the record there says position {frame.Position}");
            }
            RecordView record;
            try
            {
                record = RecordCodec.Parse(frame.Record);
            }
            catch (RecordFormatException wrong)
            {
                throw new DamagedDataException(segment.Path, offset, position, wrong.Message);
            }
            StreamState stream = Stream(Encoding.UTF8.GetString(record.Stream));
            long version = stream.DurableVersion + append.Count + 1;
            if (record.Version != version) throw WrongVersion(segment, offset, position, stream, record.Version);
            if (append.Count > 0 && (append[0].Stream != stream || frame.Remaining != remaining - 1))
            {
                throw new DamagedDataException(segment.Path, offset, position, "it does not continue the append of several records before it");
            }
            remaining = frame.Remaining;
            append.Add((stream, offset, frame.Size, TreeHash.Sha256(frame.Leaf)));
            offset += frame.Size;
            if (remaining != 0) continue;
            foreach ((StreamState Stream, long Offset, int Size, TreeHash Leaf) one in append)
            {
                if (one.Stream.Recent.Count == 0) Recent.Add(one.Stream);
                segment.Add(one.Offset, one.Size);
                one.Stream.Add(one.Offset);
                Tree.Append(one.Leaf);
            }
            _scanned += append.Count;
            append.Clear();
        }
        return append.Count == 0 ? null : "the segment ends inside an append of several records";
    }

    private StreamState Stream(string name)
    {
        if (!Streams.TryGetValue(name, out StreamState? stream)) Streams.Add(name, stream = new StreamState(name));
        return stream;
    }

    private static DamagedDataException WrongVersion(Segment segment, long offset, long position, StreamState stream, long version) =>
        new(segment.Path, offset, position, $"version {version} of stream {stream.Name} follows version {stream.DurableVersion}");
}
