using System.Diagnostics;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Postgres;

/// <summary>A stream with appends under way in this process. Once one fails, those that were built on it fail too.</summary>
internal sealed class PendingStream(string name, long version)
{
    public string Name => name;

    /// <summary>After all appends under way.</summary>
    public long Version { get; set; } = version;

    /// <summary>Appends not committed yet.</summary>
    public int Count { get; set; }

    public bool IsBroken { get; set; }
}

/// <summary>An append on its way to the database.</summary>
internal sealed class PendingAppend(string stream, StreamOwner owner, int keyNumber, long expected, byte[][] records)
{
    private readonly long _enqueued = Stopwatch.GetTimestamp();

    public string StreamName => stream;
    public StreamOwner Owner => owner;
    public int KeyNumber => keyNumber;
    public long Expected => expected;
    public long Version => expected + records.Length;
    public byte[][] Records => records;
    public long Bytes { get; } = records.Sum(record => (long)record.Length);
    public TimeSpan Age => Stopwatch.GetElapsedTime(_enqueued);
    public PendingStream? Stream { get; set; }
    public TaskCompletionSource<Appended> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Refuse(string why, Exception? cause = null) =>
        Done.TrySetException(new NotRecordedException($"{stream} is not recorded: {why}", cause));
}

/// <summary>A committed transaction whose events have no positions yet.</summary>
/// <param name="Appends">In the order of their events.</param>
internal sealed record CommittedBatch(long Xid, IReadOnlyList<PendingAppend> Appends)
{
    public void Place(long firstPosition)
    {
        foreach (PendingAppend append in Appends)
        {
            long next = firstPosition + append.Records.Length;
            append.Done.TrySetResult(new Appended(firstPosition, next - 1, append.Version));
            firstPosition = next;
        }
    }
}
