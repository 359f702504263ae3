using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Grains.Backtesting;

/// <summary>How much back-testing a user and a process may do.</summary>
public sealed record BacktestingOptions
{
    /// <summary>Jobs of one user that wait, at most.</summary>
    public int MaxWaiting { get; init; } = 20;

    /// <summary>Threads of this process that runs may take; a search leaves one of them to others' runs.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Times that a job is begun when processes end under it.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Data points by trials of one job, at most.</summary>
    public long MaxWork { get; init; } = 20_000_000_000;

    /// <summary>Trials of one search, at most.</summary>
    public int MaxTrials { get; init; } = 100_000;

    /// <summary>Bytes of one uploaded file, at most.</summary>
    public long MaxUploadBytes { get; init; } = 256L << 20;

    /// <summary>Bytes that a zip may unpack to, at most.</summary>
    public long MaxUnpackedBytes { get; init; } = 1L << 30;

    /// <summary>Bytes of all data sets of one user, at most.</summary>
    public long MaxStoredBytes { get; init; } = 2L << 30;

    /// <summary>Data sets of one user, at most.</summary>
    public int MaxDataSets { get; init; } = 200;

    /// <summary>The latest bars of the market's own that a run is given, at most.</summary>
    public int MaxMarketBars { get; init; } = 2_000_000;
}

public static class BacktestingHosting
{
    /// <summary>What the grains of back-testing need beside <see cref="IBlobStore"/>, <see cref="IJournal"/> and the data set reader.</summary>
    public static IServiceCollection AddBacktesting(this IServiceCollection services, BacktestingOptions? options = null)
    {
        options ??= new BacktestingOptions();
        services.AddSingleton(options);
        services.AddSingleton(new JobSlots(options.Threads));
        services.AddSingleton<JobData>();
        services.AddSingleton<JobRunner>();
        return services;
    }
}

/// <summary>The threads that the runs of a process share, first come, first served.</summary>
public sealed class JobSlots(int count)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private readonly int _count = count;
    private int _free = count;

    /// <summary>Threads at work.</summary>
    public int Busy
    {
        get
        {
            lock (_gate) return _count - _free;
        }
    }

    /// <summary>Runs whose turn has not come.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Takes one thread when its turn comes, and, where nobody else waits, of the free ones as many more as are wanted.</summary>
    /// <param name="most">Less than 1 counts as 1.</param>
    public async Task<Lease> EnterAsync(int most, CancellationToken cancellation)
    {
        LinkedListNode<TaskCompletionSource>? turn = null;
        lock (_gate)
        {
            if (_free > 0 && _waiting.Count == 0) return Take(Math.Max(1, most));
            turn = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        await using (cancellation.Register(() => GiveUp(turn, cancellation)))
        {
            await turn.Value.Task;
        }
        return new Lease(this, 1);
    }

    private Lease Take(int most)
    {
        int taken = Math.Clamp(most, 1, _free);
        _free -= taken;
        return new Lease(this, taken);
    }

    private void GiveUp(LinkedListNode<TaskCompletionSource> turn, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (turn.List is not null) _waiting.Remove(turn);
            else return;
        }
        turn.Value.TrySetCanceled(cancellation);
    }

    private void Return(int threads)
    {
        lock (_gate)
        {
            _free += threads;
            while (_free > 0 && _waiting.First is { } next)
            {
                _waiting.Remove(next);
                _free--;
                next.Value.SetResult();
            }
        }
    }

    /// <summary>Threads that a run has until it is disposed of.</summary>
    public sealed class Lease(JobSlots slots, int threads) : IDisposable
    {
        private int _threads = threads;

        public int Threads => _threads;

        public void Dispose() => slots.Return(Interlocked.Exchange(ref _threads, 0));
    }
}
