namespace Orleans.Local;

/// <summary>
/// The one door that all work of grains passes: turns, timers, reminders, stream deliveries, time-outs. Replacing it (see
/// <see cref="Simulation"/>) decides when everything runs.
/// </summary>
public abstract class GrainWorkScheduler
{
    /// <summary>The clock of the silo; every timer and time-out comes from it.</summary>
    public abstract TimeProvider TimeProvider { get; }

    /// <summary>How many work items an activation may run before it lets others run.</summary>
    public virtual int ItemsPerRun => int.MaxValue;

    /// <summary>
    /// How tasks complete that others await: never with their continuations on the completing stack, unless one thread does it all.
    /// </summary>
    internal virtual TaskCreationOptions CompletionOptions => TaskCreationOptions.RunContinuationsAsynchronously;

    /// <summary>Makes <paramref name="work"/> execute soon, once, and never on the caller's stack.</summary>
    /// <param name="yielding">The work ran just now, has more to do and lets others go first.</param>
    public abstract void Schedule(IThreadPoolWorkItem work, bool yielding);

    /// <summary>Makes a timer that carries no ambient context of its creator.</summary>
    public ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        using AsyncFlowControl? suppressed = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return TimeProvider.CreateTimer(callback, state, dueTime, period);
    }
}

/// <summary>Runs grains on the thread pool in real time (or in the time of the given clock).</summary>
public sealed class ThreadPoolGrainWorkScheduler(TimeProvider timeProvider) : GrainWorkScheduler
{
    public override TimeProvider TimeProvider => timeProvider;

    public override void Schedule(IThreadPoolWorkItem work, bool yielding) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: !yielding);
}
