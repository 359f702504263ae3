using System.Security.Cryptography;

namespace HybridTrading.Storage.Journal;

public sealed record JournalOptions
{
    /// <summary>Length at which a segment is full and the next begins, in bytes; 4 KiB to 1 GiB.</summary>
    public long SegmentBytes { get; init; } = 64 << 20;

    /// <summary>The most that one write to the disk carries, in bytes; a longer append is written alone.</summary>
    public int BatchBytes { get; init; } = 1 << 20;

    /// <summary>
    /// The most that may wait to be written, in bytes. An append beyond it is refused with NotRecordedException and leaves its stream as
    /// it was: the disk does not keep up, and waiting without a bound would end the process and with it what waits.
    /// </summary>
    public long PendingBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Null (the default): every batch is flushed before its appends are acknowledged. A span, for replays that can be run again: appends
    /// are acknowledged once written to the operating system, and flushed this long after; a power cut may lose the last span,
    /// a crash of the process loses nothing.
    /// </summary>
    public TimeSpan? FlushInterval { get; init; }

    /// <summary>False where the caller writes what waits by <see cref="SegmentJournal.CommitPending"/> (tests, simulation).</summary>
    public bool OwnThread { get; init; } = true;

    /// <summary>Source of nonces and of the journal's id.</summary>
    public Action<byte[], int, int> FillRandom { get; init; } =
        static (bytes, offset, count) => RandomNumberGenerator.Fill(bytes.AsSpan(offset, count));

    internal void Check()
    {
        if (SegmentBytes is < 4096 or > 1 << 30)
        {
            throw new ArgumentException($"SegmentBytes is {SegmentBytes}; expected 4096 to {1 << 30}");
        }
        if (BatchBytes < 4096) throw new ArgumentException($"BatchBytes is {BatchBytes}; expected 4096 or more");
        if (PendingBytes < BatchBytes) throw new ArgumentException($"PendingBytes is {PendingBytes}; expected at least BatchBytes, {BatchBytes}");
        if (FlushInterval is { } interval && interval <= TimeSpan.Zero)
        {
            throw new ArgumentException($"FlushInterval is {interval}; expected more than zero, or null to flush every batch");
        }
    }
}

/// <summary>What opening the journal found.</summary>
/// <param name="Events">Count of events.</param>
/// <param name="Scanned">How many of them had to be read.</param>
/// <param name="CutBytes">Length of the torn tail that was cut: bytes of appends that nobody was told of.</param>
public sealed record JournalRecovery(long Events, int Segments, int Streams, long Scanned, long CutBytes);
