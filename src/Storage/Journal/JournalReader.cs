using System.Runtime.CompilerServices;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Reads a journal from its files without opening it, so that another process may be writing to it: the events that are whole and durable when
/// the reading begins. It changes nothing; a torn tail is left to the next start.
/// </summary>
public sealed class JournalReader(string folder, IKeyProvider keys, IFileDoor? door = null)
{
    private const int Window = 1 << 20;

    private readonly IFileDoor _door = door ?? new FileDoor();
    private readonly RecordDecoder _decoder = new(keys);

    /// <summary>The events from a position on, in order.</summary>
    /// <exception cref="DamagedDataException">The journal is damaged there; <c>journal verify</c> says where.</exception>
    /// <exception cref="StorageException">The folder cannot be read, or a key is missing.</exception>
    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        long from = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        List<(string Path, long First, long End)> segments = Segments();
        for (int i = 0; i < segments.Count; i++)
        {
            (string path, long first, long end) = segments[i];
            bool last = i == segments.Count - 1;
            if (!last && segments[i + 1].First <= from) continue;
            // Reading is a matter of memory and disk, and an export may be long: the caller's thread is not held.
            await Task.Yield();
            foreach (RecordedEvent one in Read(path, first, end, last, from, cancellation)) yield return one;
        }
    }

    private List<(string Path, long First, long End)> Segments()
    {
        try
        {
            List<(string Path, long First, long End)> segments = [];
            string[] files = [.. _door.List(folder).Where(file => file.EndsWith(".log", StringComparison.Ordinal))];
            foreach (string path in files)
            {
                bool last = path == files[^1];
                using IDoorFile file = Open(path, last);
                long end = file.Length;
                if (!SegmentFormat.TryReadHeader(path, file, out _, out long first))
                {
                    if (last && end <= SegmentFormat.HeaderSize) break;
                    throw new DamagedDataException(path, 0, null, "its header is not one of a segment");
                }
                // What a process at work has written and not yet flushed becomes durable here, or is not exported.
                if (last) file.Flush();
                segments.Add((path, first, end));
            }
            return segments;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read journal", folder);
        }
    }

    /// <summary>Flushing asks for a handle that could write on Windows; elsewhere any will do.</summary>
    private IDoorFile Open(string path, bool flush) => flush && OperatingSystem.IsWindows() ? _door.OpenWrite(path) : _door.OpenRead(path);

    private IEnumerable<RecordedEvent> Read(string path, long position, long end, bool last, long from, CancellationToken cancellation)
    {
        // Read before the segment: beside a journal at work both may grow, but never shrink.
        long covered = last ? SegmentIndex.TryRead(_door, path)?.CoveredLength ?? 0 : end;
        using var reader = new FrameReader(_door.OpenRead(path), Window);
        List<RecordedEvent> append = [];
        long offset = SegmentFormat.HeaderSize, whole = offset;
        while (offset < end)
        {
            cancellation.ThrowIfCancellationRequested();
            (string? wrong, RecordedEvent? one, int size, int remaining) = Next(path, reader, offset, end, position, isWanted: position >= from);
            if (wrong is not null)
            {
                if (whole < covered || reader.WasFlushedOnce(offset, offset + 1, end)) throw new DamagedDataException(path, offset, position, wrong);
                yield break;
            }
            if (one is not null) append.Add(one);
            position++;
            offset += size;
            if (remaining > 0) continue;
            whole = offset;
            foreach (RecordedEvent complete in append) yield return complete;
            append.Clear();
        }
        if (whole < covered) throw new DamagedDataException(path, whole, position, "the segment ends inside an append of several records");
    }

    private (string? Wrong, RecordedEvent? Event, int Size, int Remaining) Next(
        string path, FrameReader reader, long offset, long end, long position, bool isWanted)
    {
        try
        {
            if (reader.Read(offset, end, out Frame frame) is { } wrong) return (wrong, null, 0, 0);
            if (frame.Position != position)
            {
                throw new DamagedDataException(path, offset, position, $"the record there says position {frame.Position}");
            }
            return (null, isWanted ? _decoder.Decode(position, frame.Record) : null, frame.Size, frame.Remaining);
        }
        catch (RecordFormatException malformed)
        {
            throw new DamagedDataException(path, offset, position, malformed.Message);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read journal", path);
        }
    }
}
