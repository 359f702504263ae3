namespace HybridTrading.Storage.Postgres;

/// <summary>How far the journal is known to reach, and who waits for more. Thread-safe.</summary>
internal sealed class JournalTail
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _size;
    private bool _closed;

    public long Size => Volatile.Read(ref _size);

    /// <summary>What is told late, by a slower way, changes nothing.</summary>
    public void Advance(long size)
    {
        TaskCompletionSource more;
        lock (_gate)
        {
            if (size <= _size) return;
            Volatile.Write(ref _size, size);
            more = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        more.SetResult();
    }

    /// <summary>Waits until the event at a position is there.</summary>
    /// <exception cref="ObjectDisposedException">The journal was closed.</exception>
    public async Task WaitForAsync(long position, CancellationToken cancellation)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_size > position) return;
                ObjectDisposedException.ThrowIf(_closed, typeof(PostgresJournal));
                more = _more.Task;
            }
            await more.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    public void Close()
    {
        lock (_gate) _closed = true;
        _more.TrySetResult();
    }
}
