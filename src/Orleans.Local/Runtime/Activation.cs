using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Local;

/// <summary>One life of a grain in memory: from its first request to its deactivation.</summary>
internal sealed class Activation : TurnTarget, IGrainContext
{
    private readonly GrainClass _class;
    private readonly StatelessWorkers? _workers;
    private readonly TaskCompletionSource _deactivated;
    private readonly HashSet<GrainTimer> _timers = [];
    private Phase _phase = Phase.Created;
    private DeactivationRequest? _deactivation;
    private AsyncServiceScope? _scope;
    private LifecycleSubject? _lifecycle;
    private long _lastUse;
    private long _keepUntil = long.MinValue;
    private int _load;
    private bool _gone;

    public Activation(LocalRuntime runtime, GrainId grainId, GrainClass grainClass, StatelessWorkers? workers) : base(runtime, grainId)
    {
        _class = grainClass;
        _workers = workers;
        _deactivated = new TaskCompletionSource(runtime.Scheduler.CompletionOptions);
        _lastUse = runtime.Now();
        ActivationId = runtime.NewActivationId();
        GrainReference = new GrainReference(runtime, grainId);
    }

    private enum Phase
    {
        Created,
        Activating,
        Active,
        Deactivating,
        Gone,
    }

    public ActivationId ActivationId { get; }

    public GrainReference GrainReference { get; }

    public object? GrainInstance { get; private set; }

    public IServiceProvider ActivationServices => _scope?.ServiceProvider ?? Runtime.Services;

    public IGrainLifecycle ObservableLifecycle => _lifecycle ??= new LifecycleSubject();

    public Task Deactivated => _deactivated.Task;

    public GrainClass GrainClass => _class;

    /// <summary>Requests of a stateless worker that are not finished; its pool gives work to the least loaded.</summary>
    public int Load => Volatile.Read(ref _load);

    public override bool IsGone => Volatile.Read(ref _gone);

    public override IGrainContext Context => this;

    public override object? Instance => GrainInstance;

    public override IIncomingGrainCallFilter[] IncomingFilters => Runtime.IncomingFilters;

    protected override bool IsOpen => _phase == Phase.Active && Volatile.Read(ref _deactivation) is null;

    protected override bool IsReentrant => _class.IsReentrant;

    protected override bool MayPassBlocker => base.MayPassBlocker || (_class.MayInterleave is not null && IsOpen);

    public override void Receive(Request request)
    {
        if (_workers is not null) Interlocked.Increment(ref _load);
        base.Receive(request);
    }

    public override void OnArrived(Request request)
    {
        switch (_phase)
        {
            case Phase.Created:
                Wait(request);
                _ = ActivateAsync(request as Call);
                break;
            case Phase.Gone:
                request.Redirect(Runtime);
                break;
            default:
                base.OnArrived(request);
                break;
        }
    }

    public override void AfterTurn()
    {
        if (_phase != Phase.Active) return;
        // What starts here may itself ask to deactivate, so that is looked at last.
        StartWaiting();
        if (Running == 0 && Volatile.Read(ref _deactivation) is { } deactivation) _ = DeactivateAsync(deactivation);
    }

    public override void OnCallFailed(Call call, Exception failure)
    {
        if (failure is not InconsistentStateException { IsSourceActivation: true } conflict) return;
        conflict.IsSourceActivation = false;
        Deactivate(new(DeactivationReasonCode.ApplicationError, conflict, "The state in storage is not the one that was read."));
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        // The first reason stays. It closes the activation at once; the deactivation itself is a turn.
        if (Interlocked.CompareExchange(ref _deactivation, new(deactivationReason, cancellationToken), null) is null && !Turns.IsCurrent)
        {
            Turns.Enqueue(new WakeItem());
        }
    }

    /// <summary>Keeps idle collection away for a time; infinite for ever, zero or less lets it come again.</summary>
    public void DelayDeactivation(TimeSpan time)
    {
        long until =
            time == Timeout.InfiniteTimeSpan || time == TimeSpan.MaxValue ? long.MaxValue
            : time <= TimeSpan.Zero ? long.MinValue
            : Runtime.Now() + Runtime.ToTicks(time);
        Volatile.Write(ref _keepUntil, until);
    }

    /// <summary>Ends the activation if it has been idle for the age of its class; a guess from outside is checked again in a turn.</summary>
    public void CollectIfIdle(long now)
    {
        if (_class.CollectionAge is not { } age || now - Volatile.Read(ref _lastUse) < Runtime.ToTicks(age)) return;
        Turns.Enqueue(new CollectItem(now));
    }

    public void Add(GrainTimer timer) => _timers.Add(timer);

    public void Remove(GrainTimer timer)
    {
        if (Turns.IsCurrent) _timers.Remove(timer);
        else Turns.Enqueue(new RemoveTimerItem(timer));
    }

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public override string ToString() => $"{GrainId}{ActivationId}";

    protected override bool MayInterleave(Request request, Request blocking) =>
        _class.MayInterleave is { } predicate && request is Call call
        && (predicate(GrainInstance!, call) || (blocking is Call running && predicate(GrainInstance!, running)));

    protected override void OnRequestFinished(Request request)
    {
        if (_workers is not null) Interlocked.Decrement(ref _load);
        if (request.IsKeepAlive) Volatile.Write(ref _lastUse, Runtime.Now());
    }

    protected override void OnRequestDropped()
    {
        if (_workers is not null) Interlocked.Decrement(ref _load);
    }

    private async Task ActivateAsync(Call? first)
    {
        _phase = Phase.Activating;
        _class.CountActivated();
        CallFrame.Current = new CallFrame(first, first?.Values);
        using CancellationTokenSource timeout = new(Runtime.CollectionOptions.ActivationTimeout, Runtime.Scheduler.TimeProvider);
        try
        {
            _scope = Runtime.Services.CreateAsyncScope();
            GrainInstance = _class.Create(this);
            if (_lifecycle is not null) await _lifecycle.OnStart(GrainLifecycleStage.First, GrainLifecycleStage.Activate, timeout.Token);
            if (GrainInstance is IGrainBase grain) await grain.OnActivateAsync(timeout.Token).WaitAsync(timeout.Token);
            if (_lifecycle is not null) await _lifecycle.OnStart(GrainLifecycleStage.Activate, GrainLifecycleStage.Last, timeout.Token);
            _phase = Phase.Active;
        }
        catch (Exception failure)
        {
            if (failure is OperationCanceledException && timeout.IsCancellationRequested)
            {
                failure = new TimeoutException($"{GrainId} did not activate within {Runtime.CollectionOptions.ActivationTimeout}.", failure);
            }
            Runtime.OnActivationFailed(GrainId, failure);
            StopTimers();
            if (_lifecycle is not null) await IgnoreFailure(_lifecycle.OnStop(CancellationToken.None));
            await LeaveAsync(failure);
        }
    }

    private async Task DeactivateAsync(DeactivationRequest request)
    {
        _phase = Phase.Deactivating;
        CallFrame.Current = null;
        StopTimers();
        using CancellationTokenSource timeout = new(Runtime.CollectionOptions.DeactivationTimeout, Runtime.Scheduler.TimeProvider);
        using CancellationTokenSource hurry = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, request.Cancellation);
        if (GrainInstance is IGrainBase grain)
        {
            try
            {
                await grain.OnDeactivateAsync(request.Reason, hurry.Token).WaitAsync(hurry.Token);
            }
            catch (Exception failure)
            {
                Runtime.OnDeactivationFailed(GrainId, failure);
            }
        }
        if (_lifecycle is not null) await IgnoreFailure(_lifecycle.OnStop(hurry.Token).WaitAsync(hurry.Token));
        await LeaveAsync(failure: null);
    }

    /// <summary>Leaves the directory; requests that wait fail with the activation, or go to the next one.</summary>
    private async Task LeaveAsync(Exception? failure)
    {
        try
        {
            if (GrainInstance is IAsyncDisposable disposable) await disposable.DisposeAsync();
            else (GrainInstance as IDisposable)?.Dispose();
            if (_scope is { } scope) await scope.DisposeAsync();
        }
        catch (Exception disposal)
        {
            Runtime.OnDeactivationFailed(GrainId, disposal);
        }
        if (_phase != Phase.Created) _class.CountDeactivated(Finished);
        _phase = Phase.Gone;
        Volatile.Write(ref _gone, true);
        if (_workers is not null) _workers.Remove(this);
        else Runtime.Remove(this);
        foreach (Request waiting in TakeWaiting())
        {
            if (failure is null) waiting.Redirect(Runtime);
            else waiting.Refuse(failure);
        }
        _deactivated.TrySetResult();
    }

    private void StopTimers()
    {
        foreach (GrainTimer timer in _timers.ToArray()) timer.Dispose();
    }

    private async Task IgnoreFailure(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception failure)
        {
            Runtime.OnDeactivationFailed(GrainId, failure);
        }
    }

    private sealed record DeactivationRequest(DeactivationReason Reason, CancellationToken Cancellation);

    /// <summary>Only makes the turn queue look after its waiting work.</summary>
    private sealed class WakeItem : WorkItem
    {
        internal override void Run(TurnTarget target)
        {
            Activation activation = (Activation)target;
            // Nobody ever called it: it has nothing to say good-bye to.
            if (activation._phase == Phase.Created) _ = activation.LeaveAsync(failure: null);
        }
    }

    private sealed class CollectItem(long now) : WorkItem
    {
        internal override void Run(TurnTarget target)
        {
            Activation activation = (Activation)target;
            bool idle = activation._phase == Phase.Active && activation.Running == 0 && !activation.HasWaiting
                && now - Volatile.Read(ref activation._lastUse) >= activation.Runtime.ToTicks(activation._class.CollectionAge!.Value)
                && now >= Volatile.Read(ref activation._keepUntil);
            if (idle) activation.Deactivate(new(DeactivationReasonCode.ActivationIdle, $"Idle for {activation._class.CollectionAge}."));
        }
    }

    private sealed class RemoveTimerItem(GrainTimer timer) : WorkItem
    {
        internal override void Run(TurnTarget target) => ((Activation)target)._timers.Remove(timer);
    }
}
