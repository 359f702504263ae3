using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Local;

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
internal sealed class GrainTimer : IGrainTimer
{
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _disposal = new();
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

    private void Fire()
    {
        Volatile.Write(ref _firing, true);
        _activation.Receive(new Tick(this));
    }

    private Task Call()
    {
        _changed = false;
        return _disposal.IsCancellationRequested ? Task.CompletedTask : _callback(_disposal.Token);
    }

    private void OnCalled(Task outcome)
    {
        if (!outcome.IsCompletedSuccessfully) _activation.Runtime.OnTimerFailed(_activation.GrainId, Orleans.Local.Call.FailureOf(outcome));
        Volatile.Write(ref _firing, false);
        if (!_disposal.IsCancellationRequested) _timer.Change(_changed ? _dueTime : _period, Timeout.InfiniteTimeSpan);
    }

    private sealed class Tick(GrainTimer timer) : Request
    {
        public override bool IsAlwaysInterleave => timer._options.Interleave;

        public override bool IsKeepAlive => timer._options.KeepAlive;

        public override bool IsAbandoned => timer._disposal.IsCancellationRequested;

        public override Task Invoke(TurnTarget target)
        {
            CallFrame.Current = null;
            return timer.Call();
        }

        public override void OnCompleted(TurnTarget target, Task outcome) => timer.OnCalled(outcome);

        // A timer ends with its activation.
        public override void Refuse(Exception reason) { }

        public override void Redirect(LocalRuntime runtime) { }
    }
}
