using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.MarketLog;

public sealed record MarketLogOptions
{
    /// <summary>Length at which a segment is full and the next begins, in bytes. Retention drops whole segments.</summary>
    public long SegmentBytes { get; init; } = 64 << 20;

    /// <summary>How long after a write it is flushed: what a power cut may lose. A crash of the process loses nothing.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Segments last written longer ago are dropped; null keeps them.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>The oldest segments are dropped while the log takes more bytes than this; null sets no bound.</summary>
    public long? QuotaBytes { get; init; }

    internal void Check()
    {
        if (SegmentBytes is < 4096 or > 1 << 30) throw new ArgumentException($"SegmentBytes is {SegmentBytes}; expected 4096 to {1 << 30}");
        if (FlushInterval <= TimeSpan.Zero) throw new ArgumentException($"FlushInterval is {FlushInterval}; expected more than zero");
        if (MaxAge is { } age && age <= TimeSpan.Zero) throw new ArgumentException($"MaxAge is {age}; expected more than zero, or null");
        if (QuotaBytes is { } quota && quota < 2 * SegmentBytes)
        {
            throw new ArgumentException($"QuotaBytes is {quota}; expected at least two segments, {2 * SegmentBytes}");
        }
    }
}

/// <summary>
/// The log of one feed on the local disk; see <see cref="MarketLogFormat"/> for the bytes. One writer at a time is the rule (the feed's
/// grain), any number of readers. After a write or flush that failed the log refuses every further append.
/// <para>
/// A position is never given to two events, although a power cut may take the last of them while the journal already names their positions:
/// positions are reserved ahead by the name of a file that outlives the cut, and after an end that was not orderly the log goes on behind the
/// reservation.
/// </para>
/// </summary>
public sealed class SegmentMarketLog : IMarketLog, IAsyncDisposable
{
    private const int BlockEvents = 4096;
    private const long ReservedAhead = 1 << 20;
    private const string ReservationSuffix = ".reserved";

    private readonly IFileDoor _door;
    private readonly string _folder;
    private readonly MarketLogOptions _options;
    private readonly TimeProvider _time;
    private readonly FolderLock _folderLock;
    private readonly ITimer _flusher;

    // Guards everything below.
    private readonly Lock _gate = new();
    private readonly Lock _flushing = new();
    private readonly Dictionary<Series, int> _series = [];
    private volatile Segment[] _segments = [];
    private IDoorFile? _file;
    private byte[] _buffer = new byte[1 << 20];
    private long _nextPosition;
    private long _reserved;
    private bool _dirty;
    private StorageException? _stopped;

    private SegmentMarketLog(string folder, MarketLogOptions options, IFileDoor door, TimeProvider time, FolderLock folderLock)
    {
        _folder = folder;
        _options = options;
        _door = door;
        _time = time;
        _folderLock = folderLock;
        Recover();
        _flusher = time.CreateTimer(_ => Flush(), null, options.FlushInterval, options.FlushInterval);
    }

    public long FirstPosition => _segments is [var oldest, ..] ? oldest.FirstPosition : 0;

    public long NextPosition => Volatile.Read(ref _nextPosition);

    /// <summary>Length of a torn tail that opening cut: events of the last flush interval before a power cut.</summary>
    public long CutBytes { get; private set; }

    /// <summary>Bytes on disk.</summary>
    public long Bytes => _segments.Sum(segment => segment.Length);

    /// <exception cref="StorageException">The folder is in use, cannot be written, holds a newer format, or is damaged.</exception>
    public static SegmentMarketLog Open(string folder, MarketLogOptions? options = null, TimeProvider? time = null, IFileDoor? door = null)
    {
        options ??= new MarketLogOptions();
        options.Check();
        door ??= new FileDoor();
        FolderLock? folderLock = null;
        try
        {
            door.CreateFolder(folder);
            folderLock = FolderLock.Take(door, folder);
            return new SegmentMarketLog(folder, options, door, time ?? TimeProvider.System, folderLock);
        }
        catch (Exception refused)
        {
            folderLock?.Dispose();
            if (refused is IOException or UnauthorizedAccessException) throw StorageException.From(refused, "open market log", folder);
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An event has no symbol, a time that is not UTC, or an unknown kind; none is appended.</exception>
    /// <exception cref="StorageException">The disk refused; the log takes nothing more.</exception>
    public ValueTask<long> AppendAsync(ReadOnlyMemory<MarketEvent> events, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        foreach (ref readonly MarketEvent one in events.Span) Check(one);
        lock (_gate)
        {
            if (_stopped is not null) throw new StorageException(_stopped.Message, _stopped);
            long first = _nextPosition;
            try
            {
                ReadOnlySpan<MarketEvent> left = events.Span;
                while (!left.IsEmpty)
                {
                    int count = RunLength(left);
                    AppendRun(left[..count]);
                    left = left[count..];
                }
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                _stopped = StorageException.From(refused, "write market log", _segments is [.., var last] ? last.Path : _folder);
                throw _stopped;
            }
            return ValueTask.FromResult(first);
        }
    }

    public async IAsyncEnumerable<MarketEvent> ReadAsync(long fromPosition = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (ReadOnlyMemory<MarketEvent> batch in ReadBatchesAsync(fromPosition, cancellation).ConfigureAwait(false))
        {
            for (int i = 0; i < batch.Length; i++) yield return batch.Span[i];
        }
    }

    /// <summary>As <see cref="ReadAsync"/>, a block at a time; a batch is the reader's to keep.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<MarketEvent>> ReadBatchesAsync(
        long fromPosition = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        long end = NextPosition;
        long position = Math.Max(fromPosition, FirstPosition);
        while (position < end)
        {
            Segment segment = _segments.LastOrDefault(one => one.FirstPosition <= position) ?? _segments[0];
            position = Math.Max(position, segment.FirstPosition);
            BlockReader? reader = TryOpen(segment);
            if (reader is null)
            {
                // Retention dropped it in the meantime.
                position = Math.Max(position, FirstPosition);
                continue;
            }
            using (reader)
            {
                while (position < end && reader.Next() is { } block)
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (block.Kind == MarketLogFormat.Gap) position = Math.Max(position, Math.Min(reader.Position, end));
                    if (block.Kind >= MarketLogFormat.Gap || block.FirstPosition + block.Count <= position) continue;
                    MarketEvent[] events = reader.Events(block, position, end);
                    position += events.Length;
                    yield return events;
                }
                Segment? next = _segments.FirstOrDefault(one => one.FirstPosition > segment.FirstPosition);
                bool continues = next is not null && (next.FirstPosition == position || !_segments.Contains(segment));
                if (position < end && !continues)
                {
                    throw new DamagedDataException(segment.Path, reader.Offset, position, "it ends before its last event");
                }
            }
        }
        await Task.CompletedTask.ConfigureAwait(false);
    }

    /// <summary>Drops what is too old or beyond the quota, always whole segments and never the one that is written; runs by itself with
    /// every new segment.</summary>
    /// <returns>Count of segments dropped.</returns>
    public int DropExpired()
    {
        lock (_gate)
        {
            DateTime oldest = _options.MaxAge is { } age ? _time.GetUtcNow().UtcDateTime - age : DateTime.MinValue;
            Segment[] kept = _segments;
            int before = kept.Length;
            while (kept.Length > 1 && (kept[0].LastWritten < oldest || kept.Sum(one => one.Length) > (_options.QuotaBytes ?? long.MaxValue)))
            {
                // Out of the list first: a reader that finds the file gone looks at the list again.
                Segment dropped = kept[0];
                _segments = kept = kept[1..];
                _door.Delete(dropped.Path);
            }
            return before - kept.Length;
        }
    }

    /// <summary>Flushes what was written; runs by itself at the interval.</summary>
    public void Flush()
    {
        // Not under the lock of the writers: appends go on while the disk works.
        lock (_flushing)
        {
            IDoorFile? file;
            lock (_gate)
            {
                if (!_dirty || _stopped is not null) return;
                _dirty = false;
                file = _file;
            }
            try
            {
                file?.Flush();
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                lock (_gate) _stopped = StorageException.From(refused, "flush market log", _folder);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _flusher.DisposeAsync().ConfigureAwait(false);
        Flush();
        lock (_flushing)
        {
            lock (_gate)
            {
                if (_file is null && _stopped is not null) return;
                // Everything is on disk: nothing needs the reservation any more.
                if (_stopped is null && !_dirty) DropReservations();
                _stopped ??= new StorageException($"the market log {_folder} is closed");
                _file?.Dispose();
                _file = null;
                _folderLock.Dispose();
            }
        }
    }

    private static void Check(in MarketEvent one)
    {
        if (one.Time.Kind != DateTimeKind.Utc) throw new ArgumentException($"time {one.Time:O} of {one.Symbol} is {one.Time.Kind}; expected UTC");
        if (one.Kind > MarketEventKind.Clock) throw new ArgumentException($"kind {(int)one.Kind} of {one.Symbol}; expected quote, bar or clock");
        if (one.Kind == MarketEventKind.Clock) return;
        if (string.IsNullOrEmpty(one.Symbol)) throw new ArgumentException($"a {one.Kind} at {one.Time:O} has no symbol");
        if (one.Symbol.Length * 3 > MarketLogFormat.MaxSymbol && Encoding.UTF8.GetByteCount(one.Symbol) > MarketLogFormat.MaxSymbol)
        {
            throw new ArgumentException($"symbol {one.Symbol} is too long; expected at most {MarketLogFormat.MaxSymbol} bytes");
        }
    }

    private static int RunLength(ReadOnlySpan<MarketEvent> events)
    {
        int count = 1;
        while (count < events.Length && count < BlockEvents && events[count].Kind == events[0].Kind) count++;
        return count;
    }

    private void AppendRun(ReadOnlySpan<MarketEvent> run)
    {
        if (_nextPosition + run.Length > _reserved) Reserve(_nextPosition + run.Length + ReservedAhead);
        if (_file is null || _segments[^1].Length >= _options.SegmentBytes) Roll();
        int at = AppendTable(run);
        int recordSize = MarketLogFormat.RecordSize(run[0].Kind);
        int size = MarketLogFormat.BlockHeaderSize + run.Length * recordSize;
        EnsureBuffer(at + size);
        Span<byte> block = _buffer.AsSpan(at, size);
        Span<byte> record = block[MarketLogFormat.BlockHeaderSize..];
        Series last = default;
        int number = -1;
        foreach (ref readonly MarketEvent one in run)
        {
            if (one.Kind != MarketEventKind.Clock)
            {
                if (number < 0 || !ReferenceEquals(one.Symbol, last.Symbol) || one.TimeFrame != last.TimeFrame)
                {
                    last = new Series(one.Symbol, one.TimeFrame);
                    number = _series[last];
                }
            }
            MarketLogFormat.Write(record, one, number);
            record = record[recordSize..];
        }
        DateTime now = _time.GetUtcNow().UtcDateTime;
        MarketLogFormat.SealBlock(block, _nextPosition, run.Length, (byte)run[0].Kind, now);
        Segment active = _segments[^1];
        _file!.Write(_buffer.AsSpan(0, at + size), active.Length);
        active.Length += at + size;
        active.LastWritten = now;
        _dirty = true;
        Volatile.Write(ref _nextPosition, _nextPosition + run.Length);
    }

    // Puts a block with the series that this segment has not seen at the front of the buffer.
    private int AppendTable(ReadOnlySpan<MarketEvent> run)
    {
        if (run[0].Kind == MarketEventKind.Clock) return 0;
        int at = MarketLogFormat.BlockHeaderSize;
        int added = 0;
        Series last = default;
        foreach (ref readonly MarketEvent one in run)
        {
            if (ReferenceEquals(one.Symbol, last.Symbol) && one.TimeFrame == last.TimeFrame) continue;
            last = new Series(one.Symbol, one.TimeFrame);
            if (!_series.TryAdd(last, _series.Count)) continue;
            EnsureBuffer(at + MarketLogFormat.MaxSymbol + 32);
            at += MarketLogFormat.WriteSeries(_buffer.AsSpan(at), last);
            added++;
        }
        if (added == 0) return 0;
        MarketLogFormat.SealBlock(_buffer.AsSpan(0, at), _nextPosition, added, MarketLogFormat.Table, _time.GetUtcNow().UtcDateTime);
        return at;
    }

    private void EnsureBuffer(int size)
    {
        if (_buffer.Length < size) Array.Resize(ref _buffer, Math.Max(size, 2 * _buffer.Length));
    }

    private string ReservationPath(long position) => Path.Combine(_folder, position.ToString("D20", CultureInfo.InvariantCulture) + ReservationSuffix);

    private IEnumerable<(string Path, long Position)> Reservations() =>
        from file in _door.List(_folder)
        where file.EndsWith(ReservationSuffix, StringComparison.Ordinal)
        let name = Path.GetFileNameWithoutExtension(file)
        where long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        select (file, long.Parse(name, CultureInfo.InvariantCulture));

    /// <summary>Positions before this one may be given out from now on. The name is the content, so it cannot be torn.</summary>
    private void Reserve(long position)
    {
        _door.Create(ReservationPath(position)).Dispose();
        _door.FlushFolder(_folder);
        _reserved = position;
        DropReservations(except: position);
    }

    private void DropReservations(long except = -1)
    {
        foreach ((string path, long position) in Reservations().ToArray())
        {
            if (position != except) _door.Delete(path);
        }
    }

    private void Roll()
    {
        if (_file is not null)
        {
            _file.Flush();
            _file.Dispose();
            _file = null;
        }
        var segment = new Segment(Path.Combine(_folder, MarketLogFormat.FileName(_nextPosition)), _nextPosition)
        {
            Length = MarketLogFormat.HeaderSize,
            LastWritten = _time.GetUtcNow().UtcDateTime,
        };
        IDoorFile file = _door.Create(segment.Path);
        try
        {
            file.Write(MarketLogFormat.Header(_nextPosition), 0);
            file.Flush();
            _door.FlushFolder(_folder);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _file = file;
        _series.Clear();
        _segments = [.. _segments, segment];
        DropExpired();
    }

    private void Recover()
    {
        List<string> files = [.. _door.List(_folder).Where(file => file.EndsWith(".market", StringComparison.Ordinal))];
        List<Segment> segments = [];
        for (int i = 0; i < files.Count; i++)
        {
            bool last = i == files.Count - 1;
            IDoorFile file = last ? _door.OpenWrite(files[i]) : _door.OpenRead(files[i]);
            long? first = MarketLogFormat.TryReadHeader(files[i], file);
            if (first is null)
            {
                file.Dispose();
                if (!last) throw new DamagedDataException(files[i], 0, null, "its header is not one of a market log");
                // A creation that was torn holds no event.
                _door.Delete(files[i]);
                break;
            }
            var segment = new Segment(files[i], first.Value) { Length = file.Length };
            segments.Add(segment);
            if (!last)
            {
                file.Dispose();
                continue;
            }
            RecoverLast(segment, file);
        }
        // No earlier than the last write of a full segment is the first write of the one behind it.
        for (int i = 0; i < segments.Count - 1; i++) segments[i].LastWritten = FirstWritten(segments[i + 1]) ?? DateTime.MaxValue;
        _segments = [.. segments];
        _reserved = Reservations().Select(one => one.Position).DefaultIfEmpty(0).Max();
        if (_reserved > _nextPosition) SkipTo(_reserved);
    }

    /// <summary>Positions up to here may have been given to events that a power cut took.</summary>
    private void SkipTo(long position)
    {
        if (_file is null) Roll();
        byte[] gap = new byte[MarketLogFormat.BlockHeaderSize + sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(gap.AsSpan(MarketLogFormat.BlockHeaderSize), position);
        DateTime now = _time.GetUtcNow().UtcDateTime;
        MarketLogFormat.SealBlock(gap, _nextPosition, 0, MarketLogFormat.Gap, now);
        Segment active = _segments[^1];
        _file!.Write(gap, active.Length);
        _file.Flush();
        active.Length += gap.Length;
        active.LastWritten = now;
        _nextPosition = position;
    }

    private void RecoverLast(Segment segment, IDoorFile file)
    {
        using var reader = new BlockReader(_door.OpenRead(segment.Path), segment, tolerant: true);
        while (reader.Next() is { } block) segment.LastWritten = block.Written;
        _nextPosition = reader.Position;
        for (int i = 0; i < reader.Table.Count; i++) _series[reader.Table[i]] = i;
        if (reader.Offset < file.Length)
        {
            CutBytes = file.Length - reader.Offset;
            file.SetLength(reader.Offset);
            file.Flush();
        }
        segment.Length = reader.Offset;
        _file = file;
    }

    private DateTime? FirstWritten(Segment segment)
    {
        using var reader = new BlockReader(_door.OpenRead(segment.Path), segment, tolerant: true);
        return reader.Next()?.Written;
    }

    private BlockReader? TryOpen(Segment segment)
    {
        try
        {
            return new BlockReader(_door.OpenRead(segment.Path), segment, tolerant: false);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    internal sealed class Segment(string path, long firstPosition)
    {
        private long _length;

        public string Path => path;
        public long FirstPosition => firstPosition;
        public DateTime LastWritten { get; set; }

        public long Length
        {
            get => Volatile.Read(ref _length);
            set => Volatile.Write(ref _length, value);
        }
    }

    internal readonly record struct Block(byte Kind, long FirstPosition, int Count, DateTime Written);

    /// <summary>Walks the blocks of a segment.</summary>
    /// <param name="tolerant">Whether bytes that are no block end the walk, or are an error.</param>
    private sealed class BlockReader(IDoorFile file, Segment segment, bool tolerant) : IDisposable
    {
        private readonly long _end = segment.Length;
        private byte[] _window = new byte[256 << 10];
        private long _start;
        private int _filled;
        private int _bodyAt;

        /// <summary>Of the event behind the last good block.</summary>
        public long Position { get; private set; } = segment.FirstPosition;

        public List<Series> Table { get; } = [];

        /// <summary>End of the last good block.</summary>
        public long Offset { get; private set; } = MarketLogFormat.HeaderSize;

        public Block? Next()
        {
            if (Offset == _end) return null;
            string? fault = Load(out Block block, out int size);
            if (fault is not null)
            {
                if (tolerant) return null;
                throw new DamagedDataException(segment.Path, Offset, Position, fault);
            }
            Offset += size;
            switch (block.Kind)
            {
                case MarketLogFormat.Table:
                    MarketLogFormat.ReadSeries(_window.AsSpan(_bodyAt, size - MarketLogFormat.BlockHeaderSize), block.Count, Table);
                    break;
                case MarketLogFormat.Gap:
                    Position = BinaryPrimitives.ReadInt64LittleEndian(_window.AsSpan(_bodyAt));
                    break;
                default:
                    Position += block.Count;
                    break;
            }
            return block;
        }

        /// <summary>The events of the block read last, from a position to before another.</summary>
        public MarketEvent[] Events(in Block block, long from, long end)
        {
            var kind = (MarketEventKind)block.Kind;
            int recordSize = MarketLogFormat.RecordSize(kind);
            int skip = (int)Math.Max(0, from - block.FirstPosition);
            var events = new MarketEvent[(int)Math.Min(block.Count, end - block.FirstPosition) - skip];
            for (int i = 0; i < events.Length; i++)
            {
                ReadOnlySpan<byte> record = _window.AsSpan(_bodyAt + (skip + i) * recordSize, recordSize);
                events[i] = MarketLogFormat.Read(record, kind, block.FirstPosition + skip + i, Table);
            }
            return events;
        }

        public void Dispose() => file.Dispose();

        private string? Load(out Block block, out int size)
        {
            block = default;
            size = 0;
            if (_end - Offset < MarketLogFormat.BlockHeaderSize) return "the log ends inside the header of a block";
            int length = BinaryPrimitives.ReadInt32LittleEndian(Bytes(MarketLogFormat.BlockHeaderSize)[4..]);
            if (length is <= 0 or > MarketLogFormat.MaxBlock) return $"a block of {length} bytes is out of range";
            size = MarketLogFormat.BlockHeaderSize + length;
            if (_end - Offset < size) return "the log ends inside a block";
            ReadOnlySpan<byte> bytes = Bytes(size);
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Compute(bytes[4..])) return "the checksum of a block does not match";
            block = new Block(
                bytes[20], BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]),
                new DateTime(BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]), DateTimeKind.Utc));
            if (block.FirstPosition != Position) return $"a block says position {block.FirstPosition}, expected {Position}";
            if (block.Kind == MarketLogFormat.Gap && length != sizeof(long)) return "a gap does not say where the log goes on";
            if (block.Kind < MarketLogFormat.Gap && block.Count * (long)MarketLogFormat.RecordSize((MarketEventKind)block.Kind) != length)
            {
                return "the length of a block does not fit its count of events";
            }
            return null;
        }

        private ReadOnlySpan<byte> Bytes(int count)
        {
            if (Offset < _start || Offset + count > _start + _filled)
            {
                int wanted = (int)Math.Min(Math.Max(_window.Length, count), _end - Offset);
                if (_window.Length < wanted) _window = new byte[wanted];
                _filled = file.Read(_window.AsSpan(0, wanted), Offset);
                _start = Offset;
                if (_filled < count) throw new EndOfStreamException($"{segment.Path} ends at byte {Offset + _filled}");
            }
            _bodyAt = (int)(Offset - _start) + MarketLogFormat.BlockHeaderSize;
            return _window.AsSpan((int)(Offset - _start), count);
        }
    }
}
