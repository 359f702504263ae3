using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans.Local;

/// <summary>The result of a method without one.</summary>
internal readonly struct VoidResult;

/// <summary>One call of a grain or observer method, from the caller to the answer.</summary>
internal abstract class Call(GrainProxy proxy, GrainMethod method, object?[] arguments) : Request, IInvokable
{
    private CancellationTokenSource? _cancellation;
    private CancellationTokenRegistration _callerCancellation;
    private TurnTarget? _target;

    // Links of OutstandingCalls.
    internal Call? Earlier;
    internal Call? Later;
    internal int Stripe = -1;

    public GrainProxy Proxy => proxy;

    public GrainMethod Method => method;

    public object?[] Arguments => arguments;

    /// <summary>The activation that calls; null for code outside of grains.</summary>
    public IGrainContext? Source { get; private set; }

    /// <summary>The call inside which this one was made, while it waits for this one.</summary>
    public Call? Parent { get; private set; }

    public Dictionary<string, object>? Values { get; private set; }

    /// <summary>Timestamp of the silo's clock after which the caller stops waiting.</summary>
    public long Deadline { get; private set; }

    public TimeSpan Timeout { get; private set; }

    public bool WasSent { get; private set; }

    /// <summary>Whether the caller has its answer, whatever it is.</summary>
    public abstract bool IsAnswered { get; }

    /// <summary>The result as filters see it.</summary>
    public abstract object? Result { get; set; }

    /// <summary>Whether filters stood around it: the result is then <see cref="Result"/>, not that of the method's task.</summary>
    protected bool Filtered { get; private set; }

    /// <summary>What the caller awaits.</summary>
    public abstract Task Answer { get; }

    public override bool IsAlwaysInterleave => method.IsAlwaysInterleave;

    public override bool IsReadOnly => method.IsReadOnly;

    public override bool IsAbandoned => IsAnswered && !method.IsOneWay;

    /// <summary>Hands the call to the runtime; from here on it cannot be sent again.</summary>
    /// <param name="source">The activation that calls; null for code outside of grains.</param>
    public void Send(LocalRuntime runtime, IGrainContext? source)
    {
        WasSent = true;
        Source = source;
        CallFrame? frame = CallFrame.Current;
        Values = frame?.Values;

        int tokenAt = method.CancellationTokenIndex;
        if (tokenAt >= 0 && arguments[tokenAt] is CancellationToken { CanBeCanceled: true } token)
        {
            if (token.IsCancellationRequested)
            {
                TryCancel(token);
                return;
            }
            // The callee gets a token of its own, which is cancelled in a turn of the callee.
            _cancellation = new CancellationTokenSource();
            arguments[tokenAt] = _cancellation.Token;
            _callerCancellation = token.UnsafeRegister(static (call, canceled) => ((Call)call!).OnCallerCancelled(canceled), this);
        }
        if (!method.IsOneWay)
        {
            Parent = frame?.Call;
            Timeout = method.ResponseTimeout ?? runtime.ResponseTimeout;
            if (Timeout != System.Threading.Timeout.InfiniteTimeSpan)
            {
                Deadline = runtime.Now() + runtime.ToTicks(Timeout);
                runtime.Outstanding.Add(this);
            }
        }
        Deliver();
    }

    public override Task Invoke(TurnTarget target)
    {
        object grain = target.Instance ?? throw new ClientNotAvailableException(target.GrainId);
        _target = target;
        CallFrame.Current = new CallFrame(this, Values);
        IIncomingGrainCallFilter[] filters = target.IncomingFilters;
        object receiver = Receiver(grain);
        if (filters.Length == 0 && grain is not IIncomingGrainCallFilter) return method.Invoke(receiver, arguments);
        Filtered = true;
        return new IncomingCallContext(this, target, grain, receiver, filters).Invoke();
    }

    public override void OnCompleted(TurnTarget target, Task outcome)
    {
        if (outcome.IsCompletedSuccessfully)
        {
            Release(target.Runtime);
            TrySucceed(outcome);
            return;
        }
        Exception failure = FailureOf(outcome);
        target.OnCallFailed(this, failure);
        Refuse(failure, target.Runtime);
    }

    public override void Refuse(Exception reason) => Refuse(reason, proxy.Runtime);

    public override void Redirect(LocalRuntime runtime)
    {
        if (!IsAbandoned) Deliver();
    }

    /// <summary>Answers the caller with a time-out; the callee is not disturbed.</summary>
    public void TimeOut(string message)
    {
        Release(proxy.Runtime);
        TryFail(new TimeoutException(message));
    }

    /// <summary>Takes over the result of the task of a method, for filters.</summary>
    public abstract void TakeResult(Task outcome);

    /// <summary>The same call, not sent yet, for a filter that tries again.</summary>
    public abstract Call Renew();

    /// <summary>The object whose method runs: the grain itself, or a part of it.</summary>
    protected virtual object Receiver(object grain) => grain;

    /// <summary>For a call that a grain makes of itself without sending it.</summary>
    protected void ComeFrom(IGrainContext source) => Source = source;

    protected abstract void TrySucceed(Task outcome);

    protected abstract bool TryFail(Exception failure);

    protected abstract bool TryCancel(CancellationToken token);

    internal static Exception FailureOf(Task task)
    {
        if (task.Exception is { } aggregate) return aggregate.InnerException!;
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException cancelled)
        {
            return cancelled;
        }
        throw new InvalidOperationException("a task that succeeded has no failure");
    }

    private void Deliver()
    {
        CallTarget target;
        try
        {
            target = proxy.Target;
        }
        catch (Exception unreachable)
        {
            Refuse(unreachable);
            return;
        }
        target.Receive(this);
    }

    private void Refuse(Exception reason, LocalRuntime runtime)
    {
        Release(runtime);
        if (method.IsOneWay) runtime.OnOneWayFailed(this, reason);
        else TryFail(reason);
    }

    private void Release(LocalRuntime runtime)
    {
        runtime.Outstanding.Remove(this);
        _callerCancellation.Dispose();
        Parent = null;
    }

    private void OnCallerCancelled(CancellationToken token)
    {
        if (!TryCancel(token)) return;
        proxy.Runtime.Outstanding.Remove(this);
        _target?.Turns.Enqueue(new CancelItem(_cancellation!));
    }

    object? IInvokable.GetTarget() => _target?.Instance is { } grain ? Receiver(grain) : null;

    int IInvokable.GetArgumentCount() => arguments.Length;

    object? IInvokable.GetArgument(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)arguments.Length, nameof(index));
        return arguments[index];
    }

    void IInvokable.SetArgument(int index, object value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)arguments.Length, nameof(index));
        arguments[index] = value;
    }

    string IInvokable.GetMethodName() => method.Info.Name;

    string IInvokable.GetInterfaceName() => method.InterfaceName;

    MethodInfo IInvokable.GetMethod() => method.Info;

    Type IInvokable.GetInterfaceType() => method.Info.DeclaringType!;

    TimeSpan? IInvokable.GetDefaultResponseTimeout() => method.ResponseTimeout;

    CancellationToken IInvokable.GetCancellationToken() =>
        method.CancellationTokenIndex >= 0 ? (CancellationToken)arguments[method.CancellationTokenIndex]! : default;

    bool IInvokable.IsCancellable => method.CancellationTokenIndex >= 0;

    private sealed class CancelItem(CancellationTokenSource cancellation) : WorkItem
    {
        internal override void Run(TurnTarget target) => cancellation.Cancel();
    }
}

internal class Call<TResult>(GrainProxy proxy, GrainMethod method, object?[] arguments) : Call(proxy, method, arguments)
{
    private readonly TaskCompletionSource<TResult> _answer = new(proxy.Runtime.Scheduler.CompletionOptions);

    // Only filters and the code between them and the method use it.
    private TResult? _result;

    public override bool IsAnswered => _answer.Task.IsCompleted;

    public override Task Answer => _answer.Task;

    public override object? Result
    {
        get => typeof(TResult) == typeof(VoidResult) ? null : _result;
        set => _result = value is null ? default : (TResult)value;
    }

    public TResult? TypedResult => _result;

    public override void TakeResult(Task outcome) => _result = ResultOf(outcome);

    public override Call Renew() => new Call<TResult>(Proxy, Method, Arguments);

    protected override void TrySucceed(Task outcome)
    {
        if (Method.IsOneWay) return;
        _answer.TrySetResult(Filtered ? _result! : ResultOf(outcome));
    }

    protected override bool TryFail(Exception failure) => _answer.TrySetException(failure);

    protected override bool TryCancel(CancellationToken token) => _answer.TrySetCanceled(token);

    private static TResult ResultOf(Task outcome) => typeof(TResult) == typeof(VoidResult) ? default! : ((Task<TResult>)outcome).Result;
}
