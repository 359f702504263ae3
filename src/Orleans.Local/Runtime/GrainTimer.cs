using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Local;

/// <summary>What a tick of a grain timer looks like to filters.</summary>
[Alias("IGrainTimerInvoker")]
internal interface IGrainTimerInvoker : IAddressable
{
    Task InvokeCallbackAsync();
}

internal sealed class TimerRegistry : ITimerRegistry
{
    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        ArgumentNullException.ThrowIfNull(callback);
        if (grainContext is not Activation activation || !activation.Turns.IsCurrent)
        {
            throw new InvalidOperationException("A grain timer can only be registered by the code of its grain, inside a turn");
        }
        return new GrainTimer(activation, token => callback(state, token), options);
    }
}

/// <summary>A one-shot timer that is set again after every callback, so callbacks never overlap.</summary>
internal sealed class GrainTimer : IGrainTimer, IGrainTimerInvoker
{
    private static readonly GrainMethod Invoker =
        GrainInterface.Of(typeof(IGrainTimerInvoker)).Method(typeof(IGrainTimerInvoker).GetMethod(nameof(IGrainTimerInvoker.InvokeCallbackAsync))!);

    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _disposal = new();
    private readonly GrainProxy _self;
    private readonly ITimer _timer;
    private TimeSpan _dueTime;
    private TimeSpan _period;
    private bool _firing;
    private bool _changed;

    public GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        Validate(options.DueTime, options.Period);
        _activation = activation;
        _callback = callback;
        _options = options;
        _dueTime = options.DueTime;
        _period = options.Period;
        _self = GrainInterface.Of(typeof(IGrainTimerInvoker)).CreateProxy(activation.Runtime, activation.GrainId);
        activation.Add(this);
        _timer = activation.Runtime.Scheduler.CreateTimer(static timer => ((GrainTimer)timer!).Fire(), this, _dueTime, Timeout.InfiniteTimeSpan);
    }

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        Validate(dueTime, period);
        _changed = true;
        _dueTime = dueTime;
        _period = period;
        // While a callback is under way its end sets the timer.
        if (!Volatile.Read(ref _firing) && !_disposal.IsCancellationRequested) _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        if (_disposal.IsCancellationRequested) return;
        _disposal.Cancel();
        _timer.Dispose();
        _activation.Remove(this);
    }

    private static void Validate(TimeSpan dueTime, TimeSpan period)
    {
        const long Longest = 0xfffffffe;
        foreach ((TimeSpan time, string name) in ((ReadOnlySpan<(TimeSpan, string)>)[(dueTime, nameof(dueTime)), (period, nameof(period))]))
        {
            long milliseconds = (long)time.TotalMilliseconds;
            ArgumentOutOfRangeException.ThrowIfLessThan(milliseconds, -1, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, Longest, name);
        }
    }

    Task IGrainTimerInvoker.InvokeCallbackAsync()
    {
        _changed = false;
        return _disposal.IsCancellationRequested ? Task.CompletedTask : _callback(_disposal.Token);
    }

    private void Fire()
    {
        Volatile.Write(ref _firing, true);
        _activation.Receive(new Tick(this));
    }

    private void OnTicked(Tick tick, Task outcome)
    {
        if (!outcome.IsCompletedSuccessfully)
        {
            Exception failure = Call.FailureOf(outcome);
            _activation.Runtime.OnTimerFailed(_activation.GrainId, failure);
            _activation.OnCallFailed(tick, failure);
        }
        Volatile.Write(ref _firing, false);
        if (!_disposal.IsCancellationRequested) _timer.Change(_changed ? _dueTime : _period, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A call of the grain to itself, without a caller that waits: filters see it like any other.</summary>
    private sealed class Tick : Call<VoidResult>
    {
        private readonly GrainTimer _owner;

        public Tick(GrainTimer owner) : base(owner._self, Invoker, [])
        {
            _owner = owner;
            ComeFrom(owner._activation);
        }

        public override bool IsAlwaysInterleave => _owner._options.Interleave;

        public override bool IsKeepAlive => _owner._options.KeepAlive;

        public override bool IsAbandoned => _owner._disposal.IsCancellationRequested;

        public override void OnCompleted(TurnTarget target, Task outcome) => _owner.OnTicked(this, outcome);

        // A timer ends with its activation.
        public override void Refuse(Exception reason) { }

        public override void Redirect(LocalRuntime runtime) { }

        protected override object Receiver(object grain) => _owner;
    }
}
