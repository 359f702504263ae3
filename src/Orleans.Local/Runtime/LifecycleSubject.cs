using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>
/// Starts observers stage by stage upwards and stops, downwards, those whose stage began to start. One stage's observers go together.
/// </summary>
internal sealed class LifecycleSubject : IGrainLifecycle, ISiloLifecycle
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private int _started = int.MinValue;
    private bool _anyStarted;

    public int HighestCompletedStage { get; private set; } = int.MinValue;

    public int LowestStoppedStage { get; private set; } = int.MaxValue;

    public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        Entry entry = new(this, stage, observer);
        lock (_lock) _entries.Add(entry);
        return entry;
    }

    /// <summary>Starts the stages between two, the lower one included and the higher one not, unless it is the last of all.</summary>
    public async Task OnStart(int from, int to, CancellationToken cancellation)
    {
        IEnumerable<Entry> entries = Snapshot().Where(entry => entry.Stage >= from && (entry.Stage < to || to == int.MaxValue));
        foreach (IGrouping<int, Entry> stage in entries.OrderBy(entry => entry.Stage).GroupBy(entry => entry.Stage))
        {
            cancellation.ThrowIfCancellationRequested();
            _anyStarted = true;
            _started = Math.Max(_started, stage.Key);
            await Task.WhenAll(stage.Select(entry => entry.Observer.OnStart(cancellation)));
            HighestCompletedStage = stage.Key;
        }
    }

    /// <summary>Stops what was started. Every stage gets its chance: the first failure is thrown at the end.</summary>
    public async Task OnStop(CancellationToken cancellation)
    {
        if (!_anyStarted) return;
        List<Exception> failures = [];
        IEnumerable<Entry> entries = Snapshot().Where(entry => entry.Stage <= _started);
        foreach (IGrouping<int, Entry> stage in entries.OrderByDescending(entry => entry.Stage).GroupBy(entry => entry.Stage))
        {
            try
            {
                await Task.WhenAll(stage.Select(entry => entry.Observer.OnStop(cancellation)));
            }
            catch (Exception failure)
            {
                failures.Add(failure);
            }
            LowestStoppedStage = stage.Key;
        }
        _anyStarted = false;
        if (failures.Count > 0) throw new AggregateException("Stopping failed", failures);
    }

    private Entry[] Snapshot()
    {
        lock (_lock) return [.. _entries];
    }

    private sealed class Entry(LifecycleSubject subject, int stage, ILifecycleObserver observer) : IDisposable
    {
        public int Stage => stage;

        public ILifecycleObserver Observer => observer;

        public void Dispose()
        {
            lock (subject._lock) subject._entries.Remove(this);
        }
    }
}
