using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>Whatever a call can be sent to.</summary>
internal abstract class CallTarget
{
    /// <summary>Gone for good: senders look for its successor.</summary>
    public abstract bool IsGone { get; }

    /// <summary>Accepts a request from any thread.</summary>
    public abstract void Receive(Request request);
}

/// <summary>A request to a grain or observer: a call or a timer tick.</summary>
internal abstract class Request : WorkItem
{
    public virtual bool IsAlwaysInterleave => false;

    public virtual bool IsReadOnly => false;

    /// <summary>Whether it keeps an activation from idle collection.</summary>
    public virtual bool IsKeepAlive => true;

    /// <summary>Nobody waits for it any more: it is dropped instead of started.</summary>
    public virtual bool IsAbandoned => false;

    /// <summary>Runs the code; called inside a turn of <paramref name="target"/>.</summary>
    public abstract Task Invoke(TurnTarget target);

    /// <summary>The code has finished, well or badly.</summary>
    public abstract void OnCompleted(TurnTarget target, Task outcome);

    /// <summary>The target could not take it (its activation failed).</summary>
    public abstract void Refuse(Exception reason);

    /// <summary>The target is gone before the request began.</summary>
    public abstract void Redirect(LocalRuntime runtime);

    internal sealed override void Run(TurnTarget target) => target.OnArrived(this);

    private TurnTarget? _target;
    private Task? _task;

    /// <summary>Calls <see cref="TurnTarget.Finish"/> in a turn of the target once the task is done.</summary>
    internal void FinishAfter(TurnTarget target, Task task)
    {
        _target = target;
        _task = task;
        task.GetAwaiter().UnsafeOnCompleted(Continue);
    }

    private void Continue() => _target!.Finish(this, _task!);
}

/// <summary>
/// Takes requests in turns and admits them: one at a time, unless they may interleave. All of its state is touched inside its own turns only.
/// </summary>
internal abstract class TurnTarget : CallTarget
{
    private WorkItem? _firstWaiting;
    private WorkItem? _lastWaiting;
    private int _waitingInterleaved;

    // What was let in beside the blocking request; the oldest of it blocks when that one ends.
    private List<Request>? _nextBlocking;

    protected TurnTarget(LocalRuntime runtime, GrainId grainId)
    {
        Runtime = runtime;
        GrainId = grainId;
        Turns = new TurnQueue(runtime.Scheduler, this);
    }

    public LocalRuntime Runtime { get; }

    public GrainId GrainId { get; }

    public TurnQueue Turns { get; }

    /// <summary>The grain context of its turns; null for observers.</summary>
    public virtual IGrainContext? Context => null;

    /// <summary>The object that calls run on.</summary>
    public abstract object? Instance { get; }

    /// <summary>The silo's filters around calls of <see cref="Instance"/>.</summary>
    public virtual IIncomingGrainCallFilter[] IncomingFilters => [];

    /// <summary>Requests started and not finished.</summary>
    public int Running { get; private set; }

    /// <summary>The running request that others must wait for.</summary>
    public Request? Blocking { get; private set; }

    /// <summary>Requests finished so far.</summary>
    public long Finished { get; private set; }

    protected bool HasWaiting => _firstWaiting is not null;

    public override void Receive(Request request) => Turns.Enqueue(request);

    /// <summary>A request came to the head of the turn queue.</summary>
    public virtual void OnArrived(Request request)
    {
        if (MayStart(request)) Start(request);
        else Wait(request);
    }

    /// <summary>Runs after every work item, when no grain code is on the stack.</summary>
    public virtual void AfterTurn() => StartWaiting();

    /// <summary>A call ended with an exception.</summary>
    public virtual void OnCallFailed(Call call, Exception failure) { }

    protected virtual bool MayInterleave(Request request, Request blocking) => false;

    protected void Wait(Request request)
    {
        if (_lastWaiting is null) _firstWaiting = request;
        else _lastWaiting.Next = request;
        _lastWaiting = request;
        if (request.IsAlwaysInterleave) _waitingInterleaved++;
    }

    /// <summary>Takes all waiting requests out.</summary>
    protected IEnumerable<Request> TakeWaiting()
    {
        WorkItem? item = _firstWaiting;
        _firstWaiting = _lastWaiting = null;
        _waitingInterleaved = 0;
        while (item is not null)
        {
            WorkItem? next = item.Next;
            item.Next = null;
            yield return (Request)item;
            item = next;
        }
    }

    /// <summary>Starts every waiting request that may start now, oldest first.</summary>
    protected void StartWaiting()
    {
        // With one blocker and nothing that may pass it, only the head of the queue is worth a look.
        WorkItem? previous = null;
        for (WorkItem? item = _firstWaiting; item is not null;)
        {
            Request request = (Request)item;
            WorkItem? next = item.Next;
            if (MayStart(request))
            {
                if (previous is null) _firstWaiting = next;
                else previous.Next = next;
                if (ReferenceEquals(_lastWaiting, item)) _lastWaiting = previous;
                item.Next = null;
                if (request.IsAlwaysInterleave) _waitingInterleaved--;
                Start(request);
                Turns.RestoreContext();
                next = previous is null ? _firstWaiting : previous.Next;
            }
            else
            {
                if (!MayPassBlocker) return;
                previous = item;
            }
            item = next;
        }
    }

    /// <summary>Whether a younger request may start although an older one must wait.</summary>
    protected virtual bool MayPassBlocker => IsOpen && (_waitingInterleaved > 0 || Blocking is { IsReadOnly: true });

    /// <summary>Whether requests may start at all.</summary>
    protected virtual bool IsOpen => true;

    /// <summary>Whether all requests may interleave.</summary>
    protected virtual bool IsReentrant => false;

    protected virtual void OnRequestFinished(Request request) { }

    protected virtual void OnRequestDropped() { }

    private bool MayStart(Request request) =>
        IsOpen
        && (Blocking is not { } blocking
            || request.IsAlwaysInterleave
            || (request.IsReadOnly && blocking.IsReadOnly)
            || MayInterleave(request, blocking));

    private void Start(Request request)
    {
        if (request.IsAbandoned)
        {
            OnRequestDropped();
            return;
        }
        Running++;
        if (!request.IsAlwaysInterleave && !IsReentrant)
        {
            if (Blocking is null) Blocking = request;
            else (_nextBlocking ??= []).Add(request);
        }
        Task task;
        try
        {
            task = request.Invoke(this);
        }
        catch (Exception fault)
        {
            task = Task.FromException(fault);
        }
        if (task.IsCompleted) Finish(request, task);
        else request.FinishAfter(this, task);
    }

    private Request? TakeNextBlocking()
    {
        if (_nextBlocking is not { Count: > 0 }) return null;
        Request next = _nextBlocking[0];
        _nextBlocking.RemoveAt(0);
        return next;
    }

    internal void Finish(Request request, Task task)
    {
        Running--;
        Finished++;
        if (ReferenceEquals(Blocking, request)) Blocking = TakeNextBlocking();
        else _nextBlocking?.Remove(request);
        request.OnCompleted(this, task);
        OnRequestFinished(request);
    }
}
