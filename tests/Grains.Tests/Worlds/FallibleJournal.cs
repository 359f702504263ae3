using HybridTrading.Domain.Journal;

namespace HybridTrading.Grains.Tests.Worlds;

/// <summary>A journal whose disk can be made to refuse: what is refused never reaches the journal behind it.</summary>
public sealed class FallibleJournal(IJournal journal) : IJournal
{
    private Func<string, NewEvent, bool> _refuses = (_, _) => false;

    public long DurableSize => journal.DurableSize;

    /// <summary>Refuses appends to which the rule applies, until the scope ends.</summary>
    public IDisposable Refuse(Func<string, NewEvent, bool> rule)
    {
        _refuses = rule;
        return new Scope(() => _refuses = (_, _) => false);
    }

    public Task<Appended> AppendAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation = default)
    {
        foreach (NewEvent happened in events.Span)
        {
            if (_refuses(stream, happened)) return Task.FromException<Appended>(new NotRecordedException("the disk refuses"));
        }
        return journal.AppendAsync(stream, owner, expectedVersion, events, cancellation);
    }

    public IAsyncEnumerable<RecordedEvent> ReadAsync(string stream, long fromVersion = 1, CancellationToken cancellation = default) =>
        journal.ReadAsync(stream, fromVersion, cancellation);

    public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition = 0, CancellationToken cancellation = default) =>
        journal.ReadAllAsync(fromPosition, cancellation);

    public IAsyncEnumerable<RecordedEvent> SubscribeAsync(long fromPosition, CancellationToken cancellation = default) =>
        journal.SubscribeAsync(fromPosition, cancellation);

    private sealed class Scope(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
