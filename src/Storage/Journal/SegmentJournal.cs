using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>Size and root of the journal's Merkle tree (RFC 6962).</summary>
public readonly record struct TreeHead(long Size, TreeHash Root);

/// <summary>
/// The journal on the local disk: a log of segments written by one thread. Callers encode, encrypt and hash in parallel; while one batch is
/// being flushed the next one gathers. See <see cref="SegmentFormat"/> for the bytes.
/// </summary>
public sealed class SegmentJournal : IJournal, IAsyncDisposable
{
    private const int ScanWindow = 256 << 10;
    private const int StreamWindow = 16 << 10;

    private readonly IFileDoor _door;
    private readonly string _folder;
    private readonly IKeyProvider _keys;
    private readonly JournalOptions _options;
    private readonly JournalMetrics? _metrics;
    private readonly FolderLock _folderLock;
    private readonly Guid _journal;
    private readonly Thread? _writer;

    // Guards everything below. What the writer alone touches is marked so.
    private readonly object _gate = new();
    private readonly Dictionary<string, StreamState> _streams;
    private readonly MerkleFrontier _tree;
    private readonly Queue<Pending> _pending = new();
    private volatile Segment[] _segments;
    private List<StreamState> _recent;
    private long _pendingBytes;
    private long _nextPosition;
    private long _durableSize;
    private NotRecordedException? _stopped;
    private bool _closing;
    private TaskCompletionSource? _more;

    // The writer's own.
    private readonly List<Pending> _batch = [];
    private byte[] _buffer;
    private IDoorFile? _file;
    private long _flushedLength;
    private long _writtenLength;
    private long _unflushedSince;

    private SegmentJournal(
        string folder, IKeyProvider keys, JournalOptions options, IFileDoor door, FolderLock folderLock, SegmentRecovery recovered,
        JournalMetrics? metrics)
    {
        _folder = folder;
        _keys = keys;
        _options = options;
        _door = door;
        _folderLock = folderLock;
        _metrics = metrics;
        _buffer = new byte[options.BatchBytes];
        _streams = recovered.Streams;
        _recent = recovered.Recent;
        _tree = recovered.Tree;
        _segments = [.. recovered.Segments];
        _nextPosition = _durableSize = recovered.Tree.Size;
        Recovery = recovered.Report;
        if (recovered.Journal is { } journal)
        {
            _journal = journal;
        }
        else
        {
            byte[] id = new byte[16];
            options.FillRandom(id, 0, id.Length);
            _journal = new Guid(id);
        }
        if (_segments.Length > 0)
        {
            Segment last = _segments[^1];
            _file = door.OpenWrite(last.Path);
            // What an earlier process wrote may still be in the page cache only; from here on it counts as recorded.
            _file.Flush();
            _flushedLength = _writtenLength = last.Length;
        }
        metrics?.Observe(() => DurableSize, () => Volatile.Read(ref _pendingBytes));
        if (options.OwnThread)
        {
            _writer = new Thread(Write) { IsBackground = true, Name = "journal writer" };
            _writer.Start();
        }
    }

    /// <summary>What opening found.</summary>
    public JournalRecovery Recovery { get; }

    /// <summary>The folder of the segments.</summary>
    public string Folder => _folder;

    public long DurableSize => Volatile.Read(ref _durableSize);

    /// <summary>The tree over all durable events.</summary>
    public TreeHead TreeHead
    {
        get
        {
            lock (_gate) return new TreeHead(_tree.Size, _tree.Root());
        }
    }

    /// <summary>Opens the journal of a folder, which is made if there is none, and recovers it.</summary>
    /// <exception cref="StorageException">The folder is in use, cannot be written, holds a newer format, or is damaged.</exception>
    public static SegmentJournal Open(
        string folder, IKeyProvider keys, JournalOptions? options = null, IFileDoor? door = null, JournalMetrics? metrics = null)
    {
        options ??= new JournalOptions();
        options.Check();
        door ??= new FileDoor();
        FolderLock? folderLock = null;
        try
        {
            door.CreateFolder(folder);
            folderLock = FolderLock.Take(door, folder);
            var recovery = new SegmentRecovery(door, folder);
            recovery.Run();
            return new SegmentJournal(folder, keys, options, door, folderLock, recovery, metrics);
        }
        catch (Exception refused)
        {
            folderLock?.Dispose();
            if (refused is IOException or UnauthorizedAccessException) throw StorageException.From(refused, "open journal", folder);
            throw;
        }
    }

    /// <summary>Names of the streams that have durable events.</summary>
    internal ImmutableArray<string> Streams()
    {
        lock (_gate) return [.. _streams.Values.Where(stream => stream.DurableVersion > 0).Select(stream => stream.Name)];
    }

    /// <summary>Version of a stream after its last durable event; 0 where there is none.</summary>
    public long DurableVersion(string stream)
    {
        lock (_gate) return _streams.TryGetValue(stream, out StreamState? state) ? state.DurableVersion : 0;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The order of calls is the order of events: the call enqueues before it returns. Once enqueued an append cannot be withdrawn, so the
    /// token counts before that only. Beyond <see cref="JournalOptions.PendingBytes"/> the append is refused with NotRecordedException.
    /// </remarks>
    public Task<Appended> AppendAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expectedVersion);
        if (events.IsEmpty) throw new ArgumentException($"an append to {stream} without events");
        if (cancellation.IsCancellationRequested) return Task.FromCanceled<Appended>(cancellation);

        Pending append;
        try
        {
            append = Encode(stream, owner, expectedVersion, events.Span);
        }
        catch (Exception noKey) when (noKey is StorageException or ObjectDisposedException)
        {
            return Task.FromException<Appended>(new NotRecordedException($"{stream} is not recorded: {noKey.Message}", noKey));
        }
        lock (_gate)
        {
            Exception? refused = Enqueue(stream, expectedVersion, append);
            if (refused is not null)
            {
                append.Release();
                return Task.FromException<Appended>(refused);
            }
            Monitor.Pulse(_gate);
        }
        return append.Done.Task;
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        string stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromVersion, 1);
        List<SealedPart> parts = [];
        uint[] recent;
        Segment? active;
        long activeEnd;
        long version = fromVersion;
        lock (_gate)
        {
            if (!_streams.TryGetValue(stream, out StreamState? state) || state.DurableVersion < fromVersion) yield break;
            foreach (SealedPart part in state.Sealed)
            {
                if (part.FirstVersion + part.Count > fromVersion) parts.Add(part);
            }
            int skip = (int)Math.Max(0, fromVersion - state.RecentFirstVersion);
            recent = [.. state.Recent.Skip(skip)];
            active = _segments.LastOrDefault();
            activeEnd = active?.Length ?? 0;
        }
        var decoder = new RecordDecoder(_keys);
        foreach (SealedPart part in parts)
        {
            uint[] offsets = SegmentIndex.ReadOffsets(_door, part, (int)Math.Max(0, version - part.FirstVersion));
            using FrameReader reader = OpenReader(part.Segment, StreamWindow);
            foreach (uint offset in offsets)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return ReadVersion(reader, decoder, part.Segment, part.Segment.Length, offset, stream, version++);
            }
        }
        if (recent.Length == 0) yield break;
        using FrameReader last = OpenReader(active!, StreamWindow);
        foreach (uint offset in recent)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return ReadVersion(last, decoder, active!, activeEnd, offset, stream, version++);
        }
        await Task.CompletedTask.ConfigureAwait(false);
    }

    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        long fromPosition = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        long end = DurableSize;
        using var cursor = new Cursor(this, fromPosition);
        while (cursor.Position < end)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return cursor.Next();
        }
        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>The subscriber pulls: a slow one reads from the disk what it has not seen, and nothing is queued for it.</remarks>
    /// <exception cref="ObjectDisposedException">The journal was closed.</exception>
    public async IAsyncEnumerable<RecordedEvent> SubscribeAsync(
        long fromPosition, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        using var cursor = new Cursor(this, fromPosition);
        while (true)
        {
            await WaitForAsync(cursor.Position, cancellation).ConfigureAwait(false);
            for (long end = DurableSize; cursor.Position < end;)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return cursor.Next();
            }
        }
    }

    /// <summary>Waits until the event at a position is durable.</summary>
    public Task WaitForAsync(long position, CancellationToken cancellation = default)
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            if (_durableSize > position) return Task.CompletedTask;
            ObjectDisposedException.ThrowIf(_closing, this);
            next = _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return WaitAgain(next.Task);

        async Task WaitAgain(Task more)
        {
            await more.WaitAsync(cancellation).ConfigureAwait(false);
            await WaitForAsync(position, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Writes and flushes all that waits, on the calling thread; only where the journal has no thread of its own.</summary>
    public void CommitPending()
    {
        if (_writer is not null) throw new InvalidOperationException("the journal commits on its own thread");
        Commit();
    }

    /// <summary>Writes what waits, flushes, and lets go of the folder. After a failure there is nothing left to write.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closing) return ValueTask.CompletedTask;
            _closing = true;
            Monitor.Pulse(_gate);
        }
        if (_writer is not null) _writer.Join();
        else Commit();
        TaskCompletionSource? more;
        lock (_gate)
        {
            more = _more;
            _more = null;
        }
        Close();
        more?.TrySetException(new ObjectDisposedException(nameof(SegmentJournal)));
        return ValueTask.CompletedTask;
    }

    private Pending Encode(string stream, StreamOwner owner, long expectedVersion, ReadOnlySpan<NewEvent> events)
    {
        SubjectKey key = _keys.GetOrCreate(owner.Subject);
        int size = 0;
        for (int i = 0; i < events.Length; i++)
        {
            int record = RecordEncoder.MaxSize(Header(events[i], i), events[i].Payload.Length);
            size = checked(size + SegmentFormat.FrameHeaderSize + record);
        }

        byte[] frames = ArrayPool<byte>.Shared.Rent(size);
        var leaves = new TreeHash[events.Length];
        int at = 0;
        for (int i = 0; i < events.Length; i++)
        {
            int length = RecordEncoder.Write(
                frames, at + SegmentFormat.FrameHeaderSize, Header(events[i], i), events[i].Payload.Span, key, _options.FillRandom);
            Span<byte> frame = frames.AsSpan(at);
            SegmentFormat.PrepareFrame(frame, length, events.Length - 1 - i);
            leaves[i] = TreeHash.Sha256(SegmentFormat.Leaf(frame[..(SegmentFormat.FrameHeaderSize + length)]));
            at += SegmentFormat.FrameHeaderSize + length;
        }
        return new Pending(frames, at, leaves);

        RecordHeader Header(in NewEvent one, int i) => new(
            stream, expectedVersion + 1 + i, one.Name, one.Schema, one.Time, one.Causation, owner.Tenant, owner.Subject, key.Number);
    }

    private Exception? Enqueue(string stream, long expectedVersion, Pending append)
    {
        if (_stopped is not null) return new NotRecordedException(_stopped.Message, _stopped.InnerException);
        if (_closing) return new NotRecordedException($"{stream} is not recorded: the journal is closed");
        long version = _streams.TryGetValue(stream, out StreamState? state) ? state.Version : 0;
        if (version != expectedVersion) return new JournalConflictException(stream, expectedVersion, version);
        if (_pendingBytes + append.Length > _options.PendingBytes && _pendingBytes > 0)
        {
            return new NotRecordedException(
                $"{stream} is not recorded: {_pendingBytes} bytes wait for the disk, which does not keep up (bound {_options.PendingBytes})");
        }
        if (state is null) _streams.Add(stream, state = new StreamState(stream));
        append.Stream = state;
        append.FirstPosition = _nextPosition;
        append.Version = state.Version += append.Leaves.Length;
        _nextPosition += append.Leaves.Length;
        _pendingBytes += append.Length;
        _pending.Enqueue(append);
        return null;
    }

    private void Write()
    {
        while (WaitForWork()) Commit();
        Commit();
    }

    private bool WaitForWork()
    {
        lock (_gate)
        {
            while (_pending.Count == 0 && !_closing)
            {
                if (_flushedLength == _writtenLength || _stopped is not null)
                {
                    Monitor.Wait(_gate);
                    continue;
                }
                TimeSpan left = _options.FlushInterval.GetValueOrDefault() - TimeSpan.FromMilliseconds(Environment.TickCount64 - _unflushedSince);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_gate, left)) return true;
            }
            return !_closing;
        }
    }

    private void Commit()
    {
        try
        {
            while (TakeBatch())
            {
                long began = Stopwatch.GetTimestamp();
                WriteBatch();
                if (FlushIsDue()) Flush();
                _metrics?.Committed(Stopwatch.GetElapsedTime(began), _batch.Sum(append => append.Leaves.Length));
                Acknowledge();
            }
            if (FlushIsDue()) Flush();
        }
        catch (Exception failed)
        {
            Stop(failed);
        }
    }

    // Appends that fit one write and the active segment; an append never crosses segments.
    private bool TakeBatch()
    {
        long first;
        lock (_gate)
        {
            if (_stopped is not null || !_pending.TryPeek(out Pending? next)) return false;
            first = next.Length;
        }
        if (_file is null || (_writtenLength > SegmentFormat.HeaderSize && _writtenLength + first > _options.SegmentBytes)) Roll();
        long room = Math.Min(_options.BatchBytes, _options.SegmentBytes - _writtenLength);
        long size = 0;
        lock (_gate)
        {
            while (_pending.TryPeek(out Pending? append) && (size == 0 || size + append.Length <= room))
            {
                size += append.Length;
                _batch.Add(_pending.Dequeue());
            }
        }
        if (_buffer.Length < size) _buffer = new byte[size];
        return true;
    }

    private void WriteBatch()
    {
        int at = 0;
        foreach (Pending append in _batch)
        {
            append.Frames.AsSpan(0, append.Length).CopyTo(_buffer.AsSpan(at));
            append.Offset = _writtenLength + at;
            int end = at + append.Length;
            for (long position = append.FirstPosition; at < end; position++)
            {
                at += SegmentFormat.SealFrame(_buffer.AsSpan(at), position, _flushedLength);
            }
        }
        _file!.Write(_buffer.AsSpan(0, at), _writtenLength);
        if (_flushedLength == _writtenLength) _unflushedSince = Environment.TickCount64;
        _writtenLength += at;
    }

    private bool FlushIsDue() => _flushedLength < _writtenLength
        && (_options.FlushInterval is not { } interval || _closing || Environment.TickCount64 - _unflushedSince >= interval.TotalMilliseconds);

    private void Flush()
    {
        if (_file is null || _flushedLength == _writtenLength) return;
        _file.Flush();
        _flushedLength = _writtenLength;
    }

    private void Acknowledge()
    {
        TaskCompletionSource? more;
        lock (_gate)
        {
            Segment active = _segments[^1];
            foreach (Pending append in _batch)
            {
                StreamState stream = append.Stream!;
                if (stream.Recent.Count == 0) _recent.Add(stream);
                int at = 0;
                foreach (TreeHash leaf in append.Leaves)
                {
                    int size = SegmentFormat.FrameHeaderSize + BinaryPrimitives.ReadInt32LittleEndian(append.Frames.AsSpan(at + 4));
                    active.Add(append.Offset + at, size);
                    stream.Add(append.Offset + at);
                    _tree.Append(leaf);
                    at += size;
                }
                _pendingBytes -= append.Length;
            }
            Volatile.Write(ref _durableSize, _tree.Size);
            more = _more;
            _more = null;
        }
        foreach (Pending append in _batch)
        {
            append.Release();
            append.Done.SetResult(new Appended(append.FirstPosition, append.FirstPosition + append.Leaves.Length - 1, append.Version));
        }
        _batch.Clear();
        more?.SetResult();
    }

    private void Roll()
    {
        if (_file is not null)
        {
            Flush();
            SealActive();
            _file.Dispose();
            _file = null;
        }
        long position = DurableSize;
        var segment = new Segment(Path.Combine(_folder, SegmentFormat.FileName(position)), position);
        IDoorFile file = _door.Create(segment.Path);
        try
        {
            file.Write(SegmentFormat.Header(_journal, position), 0);
            file.Flush();
            _door.FlushFolder(_folder);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file = file;
        _flushedLength = _writtenLength = SegmentFormat.HeaderSize;
        lock (_gate) _segments = [.. _segments, segment];
    }

    private void SealActive()
    {
        Segment active = _segments[^1];
        // Only the writer changes what the index is made of, so reading it needs no lock; readers need one to see it change.
        SegmentIndex index = SegmentIndex.Write(_door, active, active.Length, _tree, _recent);
        lock (_gate)
        {
            for (int i = 0; i < _recent.Count; i++)
            {
                SegmentIndex.Entry entry = index.Streams[i];
                _recent[i].Seal(new SealedPart(active, entry.FirstVersion, entry.Count, entry.ListAt));
            }
            _recent = [];
        }
    }

    private void Stop(Exception failed)
    {
        string path = _segments.Length == 0 ? _folder : _segments[^1].Path;
        StorageException cause = StorageException.From(failed, "write", path);
        var stopped = new NotRecordedException($"the journal has stopped writing: {cause.Message}", cause);
        List<Pending> lost = [.. _batch];
        _batch.Clear();
        lock (_gate)
        {
            _stopped = stopped;
            lost.AddRange(_pending);
            _pending.Clear();
            _pendingBytes = 0;
        }
        try
        {
            // What nobody was told of should not come back with the next start. It may all the same if this fails too:
            // a writer that was told "not recorded" reads its stream again before it goes on.
            _file?.SetLength(_segments[^1].Length);
        }
        catch (Exception again) when (again is IOException or UnauthorizedAccessException)
        {
        }
        foreach (Pending append in lost)
        {
            append.Release();
            append.Done.TrySetException(new NotRecordedException(stopped.Message, cause));
        }
    }

    private void Close()
    {
        try
        {
            if (_stopped is null && _file is not null && _segments[^1].Count > 0)
            {
                SegmentIndex.Write(_door, _segments[^1], _segments[^1].Length, _tree, _recent);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // The index only spares the next start some doubt; every event is durable without it.
        }
        finally
        {
            _file?.Dispose();
            _folderLock.Dispose();
        }
    }

    private FrameReader OpenReader(Segment segment, int window) => new(_door.OpenRead(segment.Path), window);

    private static RecordedEvent ReadVersion(
        FrameReader reader, RecordDecoder decoder, Segment segment, long end, long offset, string stream, long version)
    {
        string? fault = reader.Read(offset, end, out Frame frame);
        if (fault is not null) throw new DamagedDataException(segment.Path, offset, null, fault);
        RecordedEvent read = Decode(decoder, segment, offset, frame);
        if (read.Stream == stream && read.Version == version) return read;
        throw new DamagedDataException(
            segment.Path, offset, read.Position, $"version {read.Version} of {read.Stream} lies where version {version} of {stream} should");
    }

    private static RecordedEvent Decode(RecordDecoder decoder, Segment segment, long offset, Frame frame)
    {
        try
        {
            return decoder.Decode(frame.Position, frame.Record);
        }
        catch (RecordFormatException wrong)
        {
            throw new DamagedDataException(segment.Path, offset, frame.Position, wrong.Message);
        }
    }

    /// <summary>Walks the log in global order; the caller does not go beyond the durable size.</summary>
    private sealed class Cursor(SegmentJournal journal, long position) : IDisposable
    {
        private readonly RecordDecoder _decoder = new(journal._keys);
        private Segment? _segment;
        private FrameReader? _reader;
        private long _offset;
        private long _end;

        public long Position { get; private set; } = position;

        public RecordedEvent Next()
        {
            if (_segment is null || _offset == _end) Advance();
            while (true)
            {
                string? fault = _reader!.Read(_offset, _end, out Frame frame);
                if (fault is not null) throw new DamagedDataException(_segment!.Path, _offset, Position, fault);
                long offset = _offset;
                _offset += frame.Size;
                if (frame.Position < Position) continue;
                if (frame.Position > Position)
                {
                    throw new DamagedDataException(_segment!.Path, offset, Position, $"the record there says position {frame.Position}");
                }
                RecordedEvent read = Decode(_decoder, _segment!, offset, frame);
                Position++;
                return read;
            }
        }

        public void Dispose() => _reader?.Dispose();

        private void Advance()
        {
            lock (journal._gate)
            {
                if (_segment is not null && _end < _segment.Length)
                {
                    _end = _segment.Length;
                    return;
                }
                _reader?.Dispose();
                _reader = null;
                _segment = journal._segments.Last(segment => segment.FirstPosition <= Position && segment.Count > 0);
                long ordinal = Position - _segment.FirstPosition;
                _offset = _segment.SeekPoints[(int)(ordinal / Segment.SeekInterval)];
                _end = _segment.Length;
            }
            _reader = journal.OpenReader(_segment, ScanWindow);
        }
    }

    private sealed class Pending(byte[] frames, int length, TreeHash[] leaves)
    {
        public byte[] Frames => frames;
        public int Length => length;
        public TreeHash[] Leaves => leaves;
        public TaskCompletionSource<Appended> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public StreamState? Stream { get; set; }
        public long FirstPosition { get; set; }
        public long Version { get; set; }
        public long Offset { get; set; }

        public void Release() => ArrayPool<byte>.Shared.Return(frames);
    }
}
