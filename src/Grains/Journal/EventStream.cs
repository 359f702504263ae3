using HybridTrading.Domain.Journal;

namespace HybridTrading.Grains.Journal;

/// <summary>
/// A grain's own stream in the journal: memory changes at once, events are enqueued in the same turn, and whatever leaves the grain waits for
/// <see cref="Durable"/>. When an append fails, the memory that was built on it is worth nothing: the grain deactivates and every waiting caller
/// gets <see cref="NotRecordedException"/>.
/// </summary>
public sealed class EventStream<TEvent>(IJournal journal, EventCatalog<TEvent> catalog, string stream, StreamOwner owner, Action discard)
    where TEvent : class
{
    private Task<Appended> _last = Task.FromResult(new Appended(-1, -1, 0));

    /// <summary>The stream's version, events under way included.</summary>
    public long Version { get; private set; }

    /// <summary>The stream's owner was erased: to its grain there is nothing, and nothing more can be recorded.</summary>
    public bool IsErased { get; private set; }

    /// <summary>Completes when everything enqueued so far is durable.</summary>
    /// <returns>The global position of the last event of it; -1 when there is none.</returns>
    public async Task<long> Durable()
    {
        try
        {
            return (await _last).LastPosition;
        }
        catch (Exception e) when (e is not NotRecordedException)
        {
            throw new NotRecordedException($"not recorded: {e.Message}", e);
        }
    }

    /// <summary>Enqueues the events of one turn; they commit together and after all enqueued before. Of an erased stream they never do.</summary>
    public void Append(ImmutableArray<TEvent> events, Func<TEvent, DateTime> time, Func<TEvent, string> causation)
    {
        if (events.IsEmpty) return;
        var encoded = new NewEvent[events.Length];
        for (int i = 0; i < events.Length; i++) encoded[i] = catalog.Encode(events[i], time(events[i]), causation(events[i]));
        _last = AppendAfter(_last, encoded, Version);
        Version += events.Length;
    }

    private async Task<Appended> AppendAfter(Task<Appended> before, NewEvent[] events, long expected)
    {
        // The journal keeps the order of calls; a failure before this one must fail this one too.
        Task<Appended> append = IsErased
            ? Task.FromException<Appended>(new StreamErasedException(stream))
            : before.IsFaulted
            ? Task.FromException<Appended>(new NotRecordedException("an earlier event of the stream was not recorded"))
            : journal.AppendAsync(stream, owner, expected, events);
        try
        {
            Appended appended = await append;
            await before;
            return appended;
        }
        catch
        {
            discard();
            throw;
        }
    }

    /// <summary>Reads the stream after <paramref name="version"/> and folds it in. Of an erased one there is nothing to fold in.</summary>
    public async Task Replay(long version, Action<TEvent, RecordedEvent> apply, CancellationToken cancellation)
    {
        Version = version;
        await foreach (RecordedEvent recorded in journal.ReadAsync(stream, version + 1, cancellation))
        {
            if (recorded.Erased)
            {
                // What was read before would live on in memory: the next activation reads nothing.
                if (!IsErased && recorded.Version > 1) throw new StreamErasedException(stream);
                IsErased = true;
            }
            else
            {
                apply(catalog.Decode(recorded), recorded);
            }
            Version = recorded.Version;
        }
    }
}
