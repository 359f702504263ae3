using System.Collections.Concurrent;
using System.Diagnostics;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Which trace wrote an event of the journal, for whoever tells of the event later: the last few thousand traced events that this process wrote. The journal itself
/// holds nothing of it, so another process that reads the event does not know.
/// </summary>
public sealed class JournalTraces
{
    private const int Most = 4096;

    private readonly ConcurrentDictionary<(string Stream, long Version), ActivityContext> _byPlace = new();
    private readonly ConcurrentQueue<(string Stream, long Version)> _order = new();

    /// <returns>Default where the event was not traced, or long ago.</returns>
    public ActivityContext Of(RecordedEvent recorded) => _byPlace.IsEmpty ? default : _byPlace.GetValueOrDefault((recorded.Stream, recorded.Version));

    internal void Remember(string stream, long firstVersion, int events, ActivityContext context)
    {
        for (int i = 0; i < events; i++)
        {
            // A version that was refused before is given again.
            _byPlace[(stream, firstVersion + i)] = context;
            _order.Enqueue((stream, firstVersion + i));
        }
        while (_order.Count > Most && _order.TryDequeue(out (string, long) oldest)) _byPlace.TryRemove(oldest, out _);
    }
}

/// <summary>A journal whose appends are spans of the traces that make them.</summary>
public sealed class TracedJournal(IJournal journal, JournalTraces traces) : IJournal
{
    public const string SourceName = "HybridTrading.Storage";

    private static readonly ActivitySource Source = new(SourceName);

    public long DurableSize => journal.DurableSize;

    public Task<Appended> AppendAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation = default) =>
        Activity.Current is { Recorded: true } && Source.HasListeners()
            ? TraceAsync(stream, owner, expectedVersion, events, cancellation)
            : journal.AppendAsync(stream, owner, expectedVersion, events, cancellation);

    public IAsyncEnumerable<RecordedEvent> ReadAsync(string stream, long fromVersion = 1, CancellationToken cancellation = default) =>
        journal.ReadAsync(stream, fromVersion, cancellation);

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition = 0, CancellationToken cancellation = default) =>
        journal.ReadAllAsync(fromPosition, cancellation);

    public IAsyncEnumerable<RecordedEvent> SubscribeAsync(long fromPosition, CancellationToken cancellation = default) =>
        journal.SubscribeAsync(fromPosition, cancellation);

    // The journal keeps the order of calls, so nothing is awaited before it is called.
    private async Task<Appended> TraceAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation)
    {
        using Activity? append = Source.StartActivity("journal append", ActivityKind.Client);
        append?.SetTag("hybridtrading.journal.events", string.Join(',', events.ToArray().Select(one => one.Name)));
        // Before the event can be read.
        if (append is { Recorded: true }) traces.Remember(stream, expectedVersion + 1, events.Length, append.Context);
        try
        {
            Appended appended = await journal.AppendAsync(stream, owner, expectedVersion, events, cancellation).ConfigureAwait(false);
            append?.SetTag("hybridtrading.journal.position", appended.FirstPosition);
            return appended;
        }
        catch (Exception failure)
        {
            append?.SetTag("error.type", failure.GetType().FullName).SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }
}
