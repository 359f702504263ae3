using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;

namespace Orleans.Local;

/// <summary>
/// Runs the whole silo on one thread in virtual time: of everything that is ready it picks the next by a seeded random generator, and when
/// nothing is ready it moves the clock to the next timer. So a seed is a schedule: the same seed repeats a run exactly, other seeds try other
/// interleavings, and an hour passes in no time.
/// Register it as <see cref="GrainWorkScheduler"/> and its <see cref="TimeProvider"/> as the clock, and do everything inside <see cref="Run"/>.
/// Code that leaves the thread (Task.Run, ConfigureAwait(false) on unfinished work, real I/O) leaves the simulation, which says so.
/// </summary>
public sealed class Simulation : GrainWorkScheduler
{
    private readonly List<Action> _ready = [];
    private readonly PriorityQueue<(VirtualTimer Timer, long Version), (long Due, long Order)> _timers = new();
    private readonly VirtualTime _time;
    private readonly Context _context;
    private readonly Random _order;
    private Thread? _thread;
    private long _timerOrder;
    private volatile string? _escape;

    /// <param name="seed">Decides every choice.</param>
    /// <param name="start">The virtual time at the beginning.</param>
    public Simulation(int seed, DateTimeOffset start)
    {
        _order = new Random(seed);
        Random = new Random(unchecked((seed * 31) + 17));
        _time = new VirtualTime(this, start);
        _context = new Context(this);
    }

    public override TimeProvider TimeProvider => _time;

    /// <summary>One: between any two work items another grain may run.</summary>
    public override int ItemsPerRun => 1;

    // "Asynchronously" would mean the thread pool, for example for Task.WhenAll over calls.
    internal override TaskCreationOptions CompletionOptions => TaskCreationOptions.None;

    /// <summary>The source of randomness of the code under test, apart from that of the schedule.</summary>
    public Random Random { get; }

    /// <summary>How many steps ran so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Runs before every step, with its number; faults are injected here.</summary>
    public Action<long>? BeforeStep { get; set; }

    public override void Schedule(IThreadPoolWorkItem work, bool yielding) => Add(() =>
    {
        // Grain code finds its own scheduler, not the context of the code around the simulation.
        SynchronizationContext.SetSynchronizationContext(null);
        work.Execute();
    });

    /// <summary>Runs <paramref name="body"/> and everything that it sets going, until its task has ended; throws what the task throws.</summary>
    /// <exception cref="InvalidOperationException">Nothing is ready and no timer is set, but the body waits; or work left the simulation.</exception>
    public void Run(Func<Task> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (_thread is not null) throw new InvalidOperationException("The simulation runs already");
        SynchronizationContext? outer = SynchronizationContext.Current;
        _thread = Thread.CurrentThread;
        try
        {
            SynchronizationContext.SetSynchronizationContext(_context);
            Task running = body();
            while (!running.IsCompleted) Step();
            running.GetAwaiter().GetResult();
        }
        finally
        {
            _thread = null;
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    /// <summary>
    /// Starts the hosted services of a container, the silo among them, one after the other. For use inside <see cref="Run"/>, where a host
    /// cannot be started: its own code leaves the thread.
    /// </summary>
    public static async Task StartAsync(IServiceProvider services)
    {
        foreach (IHostedService service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
    }

    /// <summary>Stops what <see cref="StartAsync"/> started, the last first.</summary>
    public static async Task StopAsync(IServiceProvider services)
    {
        foreach (IHostedService service in services.GetServices<IHostedService>().Reverse()) await service.StopAsync(CancellationToken.None);
    }

    private void Step()
    {
        if (_escape is not null) throw new InvalidOperationException($"Work came from another thread: something left the simulation. {_escape}");
        while (_ready.Count == 0)
        {
            if (!_time.AdvanceToNextTimer()) throw new InvalidOperationException("Nothing is ready and no timer is set, but the body still waits");
        }
        int chosen = _order.Next(_ready.Count);
        Action work = _ready[chosen];
        // The order of the rest stays, so that a choice depends on nothing but the seed and what happened.
        _ready.RemoveAt(chosen);
        BeforeStep?.Invoke(Steps);
        Steps++;
        SynchronizationContext.SetSynchronizationContext(_context);
        work();
    }

    private void Add(Action work)
    {
        if (IsInside()) _ready.Add(work);
    }

    // Another thread only leaves word; the run itself ends with it, at its next step.
    private bool IsInside()
    {
        if (_thread is null || ReferenceEquals(Thread.CurrentThread, _thread)) return true;
        _escape ??= Environment.StackTrace;
        return false;
    }

    private sealed class Context(Simulation simulation) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => simulation.Add(() => d(state));

        public override void Send(SendOrPostCallback d, object? state) => d(state);

        public override SynchronizationContext CreateCopy() => this;
    }

    private sealed class VirtualTime(Simulation simulation, DateTimeOffset start) : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => start.AddTicks(_now);

        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            VirtualTimer timer = new(simulation, this, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }

        /// <returns>False when no timer is set.</returns>
        public bool AdvanceToNextTimer()
        {
            while (simulation._timers.TryDequeue(out var entry, out var place))
            {
                if (entry.Timer.Version != entry.Version) continue;
                _now = Math.Max(_now, place.Due);
                entry.Timer.Fire();
                // All of one moment are ready together.
                while (simulation._timers.TryPeek(out var next, out var nextPlace) && nextPlace.Due <= _now)
                {
                    simulation._timers.Dequeue();
                    if (next.Timer.Version == next.Version) next.Timer.Fire();
                }
                return true;
            }
            return false;
        }
    }

    private sealed class VirtualTimer(Simulation simulation, VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        private bool _disposed;

        /// <summary>Counts the changes; what was set before the last one is void.</summary>
        public long Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_disposed) return false;
            Version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan) Set(dueTime);
            return true;
        }

        public void Fire()
        {
            long version = Version;
            if (_period > TimeSpan.Zero) Set(_period);
            simulation.Add(() =>
            {
                if (!_disposed && Version == version) callback(state);
            });
        }

        public void Dispose()
        {
            _disposed = true;
            Version++;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(TimeSpan wait)
        {
            if (simulation.IsInside()) simulation._timers.Enqueue((this, Version), (time.GetTimestamp() + wait.Ticks, simulation._timerOrder++));
        }
    }
}

/// <summary>Puts a silo into a simulation.</summary>
public static class SimulationSiloBuilderExtensions
{
    /// <summary>Makes the silo run on the simulation's thread and clock.</summary>
    public static ISiloBuilder UseSimulation(this ISiloBuilder builder, Simulation simulation)
    {
        ArgumentNullException.ThrowIfNull(simulation);
        builder.Services.AddSingleton<GrainWorkScheduler>(simulation);
        builder.Services.AddSingleton(simulation.TimeProvider);
        return builder;
    }
}
