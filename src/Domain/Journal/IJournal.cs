namespace HybridTrading.Domain.Journal;

/// <summary>
/// The append-only record of truth. Appends of one stream commit in the order of the calls; a call is atomic (all of its events or none).
/// Implementations batch across callers; nothing retries a flush: after a failed one every append fails.
/// </summary>
public interface IJournal
{
    /// <summary>Enqueues events; the task completes when they are durable.</summary>
    /// <param name="expectedVersion">The stream's version before this append (0 = the stream is new). Versions of appends that are
    /// enqueued but not yet durable count, so that a writer can pipeline.</param>
    /// <exception cref="JournalConflictException">The stream is at another version: somebody else wrote it.</exception>
    /// <exception cref="NotRecordedException">The events could not be made durable; the caller must discard what it derived from them.</exception>
    Task<Appended> AppendAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation = default);

    /// <summary>Reads a stream's durable events in version order, from <paramref name="fromVersion"/> (inclusive, 1 = the first).</summary>
    IAsyncEnumerable<RecordedEvent> ReadAsync(string stream, long fromVersion = 1, CancellationToken cancellation = default);

    /// <summary>Reads every durable event in global order, from <paramref name="fromPosition"/> (inclusive) to the end as of now.</summary>
    IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition = 0, CancellationToken cancellation = default);

    /// <summary>Reads every durable event in global order from <paramref name="fromPosition"/> on and then waits for new ones, without end.</summary>
    IAsyncEnumerable<RecordedEvent> SubscribeAsync(long fromPosition, CancellationToken cancellation = default);

    /// <summary>The position after the last durable event (0 = empty): the size of the log.</summary>
    long DurableSize { get; }
}

/// <summary>Disposable short cuts to a stream's state. A snapshot is encrypted with its subject's key.</summary>
public interface ISnapshotStore
{
    /// <param name="shape">Version of the payload's shape; a reader that knows another shape ignores the snapshot.</param>
    Task SaveAsync(string stream, StreamOwner owner, long version, int shape, ReadOnlyMemory<byte> payload, CancellationToken cancellation = default);

    /// <returns>Null where there is none.</returns>
    Task<Snapshot?> LoadAsync(string stream, CancellationToken cancellation = default);

    /// <summary>Without one this does nothing.</summary>
    Task DeleteAsync(string stream, CancellationToken cancellation = default);
}

public sealed record Snapshot(long Version, int Shape, ReadOnlyMemory<byte> Payload);

/// <summary>Another writer moved the stream.</summary>
public sealed class JournalConflictException(string stream, long expected, long actual)
    : Exception($"stream {stream} is at version {actual}, expected {expected}")
{
    public string Stream => stream;
    public long Expected => expected;
    public long Actual => actual;
}

/// <summary>The events were not recorded, so what they describe did not happen.</summary>
public class NotRecordedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The stream's owner was erased: there is nothing to read, and nothing is written any more.</summary>
public sealed class StreamErasedException(string stream) : NotRecordedException($"the owner of {stream} was erased");
