using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace Orleans.Runtime
{
    /// <summary>A timer of a grain.</summary>
    public interface IGrainTimer : IDisposable
    {
        /// <param name="dueTime">Until the next callback; <see cref="Timeout.InfiniteTimeSpan"/> stops the timer.</param>
        /// <param name="period">Between callbacks; <see cref="Timeout.InfiniteTimeSpan"/> for one callback only.</param>
        /// <exception cref="ArgumentOutOfRangeException">Less than -1 ms or more than 4294967294 ms.</exception>
        void Change(TimeSpan dueTime, TimeSpan period);
    }

    /// <summary>How a grain timer behaves.</summary>
    public readonly struct GrainTimerCreationOptions()
    {
        [SetsRequiredMembers]
        public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period) : this()
        {
            DueTime = dueTime;
            Period = period;
        }

        /// <summary>Until the first callback; <see cref="Timeout.InfiniteTimeSpan"/> does not start the timer.</summary>
        public required TimeSpan DueTime { get; init; }

        /// <summary>From the end of a callback to the next one; <see cref="Timeout.InfiniteTimeSpan"/> for one callback only.</summary>
        public required TimeSpan Period { get; init; }

        /// <summary>Whether a callback may run between the awaits of a request; otherwise it waits its turn like a request.</summary>
        public bool Interleave { get; init; }

        /// <summary>Whether callbacks keep the activation from idle collection.</summary>
        public bool KeepAlive { get; init; }
    }
}

namespace Orleans.Timers
{
    public interface ITimerRegistry
    {
        IGrainTimer RegisterGrainTimer<TState>(
            IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options);
    }
}
