using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>One thing to do in a turn of an activation.</summary>
internal abstract class WorkItem
{
    internal WorkItem? Next;

    /// <summary>Runs inside a turn of <paramref name="target"/>.</summary>
    internal abstract void Run(TurnTarget target);
}

/// <summary>
/// Runs the work of one activation, one item after the other, on whatever thread the scheduler gives. As a task scheduler it also runs every
/// continuation of the activation's awaits, so that grain code is single-threaded without a lock.
/// Items are pushed on a lock-free stack; the one running worker takes the whole stack and reverses it.
/// </summary>
internal sealed class TurnQueue(GrainWorkScheduler door, TurnTarget owner) : TaskScheduler, IThreadPoolWorkItem
{
    private const long QuantumMilliseconds = 50;

    private static readonly WorkItem Idle = new IdleMark();

    [ThreadStatic]
    private static TurnQueue? _current;

    private WorkItem? _incoming = Idle;
    private WorkItem? _batch;
    private ExecutionContext? _clean;

    /// <summary>Whether the calling code runs in a turn of this queue.</summary>
    public bool IsCurrent => ReferenceEquals(_current, this);

    public override int MaximumConcurrencyLevel => 1;

    public void Enqueue(WorkItem item)
    {
        WorkItem? head = Volatile.Read(ref _incoming);
        while (true)
        {
            item.Next = ReferenceEquals(head, Idle) ? null : head;
            WorkItem? seen = Interlocked.CompareExchange(ref _incoming, item, head);
            if (ReferenceEquals(seen, head)) break;
            head = seen;
        }
        if (ReferenceEquals(head, Idle)) door.Schedule(this, yielding: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        TurnQueue? outerQueue = _current;
        IGrainContext? outerContext = RuntimeContext.Current;
        _current = this;
        RuntimeContext.Current = owner.Context;
        try
        {
            // Inside a task of this scheduler TaskScheduler.Current is this scheduler, which is what await captures.
            new Task(static queue => ((TurnQueue)queue!).Drain(), this, CancellationToken.None, TaskCreationOptions.DenyChildAttach)
                .RunSynchronously(this);
        }
        finally
        {
            _current = outerQueue;
            RuntimeContext.Current = outerContext;
        }
    }

    protected override void QueueTask(Task task) => Enqueue(new TaskItem(task));

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && IsCurrent && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    private void Drain()
    {
        _clean = ExecutionContext.Capture()!;
        long start = Environment.TickCount64;
        for (int done = 0; ; done++)
        {
            WorkItem? item = _batch ?? TakeIncoming();
            if (item is null) return;
            _batch = item;
            if (done > 0 && (done >= door.ItemsPerRun || Environment.TickCount64 - start >= QuantumMilliseconds))
            {
                door.Schedule(this, yielding: true);
                return;
            }
            _batch = item.Next;
            item.Next = null;
            try
            {
                item.Run(owner);
                owner.AfterTurn();
            }
            catch (Exception fault)
            {
                owner.Runtime.OnFault(owner.GrainId, fault);
            }
            RestoreContext();
        }
    }

    /// <summary>Takes away what grain code left in the ambient context, so that nothing flows from one request into another.</summary>
    public void RestoreContext() => ExecutionContext.Restore(_clean!);

    /// <returns>The oldest of the items that came in, linked to the younger ones; null when there are none and the queue went idle.</returns>
    private WorkItem? TakeIncoming()
    {
        if (Volatile.Read(ref _incoming) is null && Interlocked.CompareExchange(ref _incoming, Idle, null) is null) return null;
        WorkItem? newest = Interlocked.Exchange(ref _incoming, null);
        WorkItem? oldest = null;
        while (newest is not null)
        {
            WorkItem? next = newest.Next;
            newest.Next = oldest;
            oldest = newest;
            newest = next;
        }
        return oldest;
    }

    private void Execute(Task task) => TryExecuteTask(task);

    private sealed class TaskItem(Task task) : WorkItem
    {
        internal override void Run(TurnTarget target) => target.Turns.Execute(task);
    }

    private sealed class IdleMark : WorkItem
    {
        internal override void Run(TurnTarget target) { }
    }
}
