using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace HybridTrading.Grains.Backtesting;

/// <summary>
/// A job and its run. The run is computed off the grain's turn, by <see cref="JobRunner"/>; here is recorded that it began and what came of it. A run whose
/// process ended is begun again from the same request over the same data, so it comes to the same.
/// </summary>
[HostedBy("backtesting-engine")]
public sealed partial class JobGrain : Grain, IJobGrain
{
    /// <summary>Between two views of a running job.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    /// <summary>A run that is over before that need not tell the journal how far it is.</summary>
    private static readonly TimeSpan LongRun = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan QueuePause = TimeSpan.FromSeconds(1);

    private readonly IJournal _journal;
    private readonly IBlobStore _blobs;
    private readonly JobRunner _runner;
    private readonly JobSlots _slots;
    private readonly BacktestingOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<JobGrain> _log;
    private readonly ObserverManager<IJobObserver> _observers;
    private readonly CancellationTokenSource _leaving = new();
    private EventStream<JobEvent> _stream = null!;
    private StreamOwner _owner;
    private JobView? _job, _shown;
    private CancellationTokenSource? _stop;
    private JobProgress _progress = new();
    private Task? _run;
    private IGrainTimer? _timer;
    private long _started;

    public JobGrain(
        IJournal journal, IBlobStore blobs, JobRunner runner, JobSlots slots, BacktestingOptions options, TimeProvider clock, ILogger<JobGrain> log)
    {
        (_journal, _blobs, _runner, _slots, _options, _clock, _log) = (journal, blobs, runner, slots, options, clock, log);
        _observers = new ObserverManager<IJobObserver>(Observing.Expiration, log) { GetDateTime = () => clock.GetUtcNow().UtcDateTime };
    }

    private string Key => this.GetPrimaryKeyString();

    private DateTime Now => _clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _owner = new StreamOwner(Keys.TenantOf(Key), Keys.PersonOf(Key));
        _stream = new EventStream<JobEvent>(_journal, JobEventCatalog.Events, Keys.JobStream(Key), _owner, Discard);
        await _stream.Replay(0, (happened, recorded) => _job = _job.After(happened, Key, recorded.Version), cancellationToken);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        bool runs = _run is not null && !_leaving.IsCancellationRequested && _job is { HasEnded: false };
        await _leaving.CancelAsync();
        if (!runs || _job!.Status != JobStatus.Running) return;
        try
        {
            Raise(new JobInterrupted(Now));
            await _stream.Durable();
        }
        catch (NotRecordedException e)
        {
            // Then it counts as an attempt, as after a crash.
            LogNotRecorded(e, Key);
        }
    }

    public async Task<CommandResult> Enqueue(JobRequest request)
    {
        if (_job is null)
        {
            if (_stream.Version > 0) return new CommandResult(await _stream.Durable(), $"job '{Key}' was removed");
            Raise(new JobQueued(Now, request));
        }
        return new CommandResult(await _stream.Durable());
    }

    public async Task<bool> Start()
    {
        if (_job is null or { HasEnded: true }) return false;
        if (_run is { IsCompleted: false }) return true;
        if (_job.Attempts >= _options.MaxAttempts)
        {
            Raise(new JobFailed(Now, $"the process ended {_job.Attempts} times while it ran; it is not tried again"));
            await _stream.Durable();
            Show();
            return false;
        }
        _stop = CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token);
        _progress = new JobProgress();
        // A run that goes on must not be taken for an idle grain.
        _timer ??= this.RegisterGrainTimer(static (self, _) => self.LookAsync(), this, new GrainTimerCreationOptions(Pace, Pace) { KeepAlive = true });
        _run = RunAsync(_job.Request, _stop);
        return true;
    }

    public async Task<CommandResult> Cancel()
    {
        if (_job is null) return new CommandResult(-1, $"job '{Key}' does not exist");
        if (!_job.HasEnded)
        {
            Raise(new JobCancelled(Now));
            if (_stop is not null) await _stop.CancelAsync();
        }
        CommandResult done = new(await _stream.Durable());
        Show();
        if (_run is null or { IsCompleted: true }) _ = TellQueueAsync();
        return done;
    }

    public async Task<CommandResult> Remove()
    {
        if (_job is null) return new CommandResult(-1, $"job '{Key}' does not exist");
        if (!_job.HasEnded) return new CommandResult(-1, $"job '{Key}' has not ended; cancel it first");
        // First the contents: what is broken off here is asked again, and nothing is left that nobody knows.
        foreach (string blob in JobBlobs.All(_job.Id)) await _blobs.DeleteAsync(_owner, blob);
        if (_job is not null) Raise(new JobRemoved(Now));
        return new CommandResult(await _stream.Durable());
    }

    public async Task<JobView?> GetView()
    {
        await _stream.Durable();
        return View();
    }

    public async Task<JobView?> Observe(IJobObserver observer)
    {
        if (_job is null) return null;
        _observers.Subscribe(observer, observer);
        return await GetView();
    }

    public Task Forget(IJobObserver observer)
    {
        _observers.Unsubscribe(observer);
        return Task.CompletedTask;
    }

    public Task Leave()
    {
        Discard();
        return Task.CompletedTask;
    }

    /// <summary>The whole life of a run, between other turns of the grain.</summary>
    private async Task RunAsync(JobRequest request, CancellationTokenSource stop)
    {
        CancellationToken cancelled = stop.Token;
        JobEvent? end = null;
        // The answer to who started it does not wait.
        await Task.Yield();
        try
        {
            using JobSlots.Lease slot = await _slots.EnterAsync(request.Search is null ? 1 : _options.Threads - 1, cancelled);
            cancelled.ThrowIfCancellationRequested();
            _started = _clock.GetTimestamp();
            Raise(new JobStarted(Now, _job!.Attempts + 1));
            await _stream.Durable();
            Show();
            ImmutableArray<DataSet> sets = request.Run.DataSets.All(JobData.IsMarket) ? []
                : await GrainFactory.GetGrain<IDataSetsGrain>(Keys.DataSets(_owner.Subject)).List();
            string id = _job!.Id;
            JobResult result = await Task.Run(() => _runner.RunAsync(_owner, id, request, sets, slot.Threads, _progress, cancelled), CancellationToken.None);
            end = new JobFinished(Now, result.Summary, result.Search);
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
        }
        catch (JobFaultException fault)
        {
            end = new JobFailed(Now, fault.Message);
        }
        catch (NotRecordedException e)
        {
            // The activation goes; the queue asks the next one.
            LogNotRecorded(e, Key);
        }
        catch (Exception e)
        {
            LogFailed(e, Key);
            end = new JobFailed(Now, $"the service failed at it ({e.GetType().Name}); its log has the cause");
        }
        _stop = null;
        stop.Dispose();
        if (_leaving.IsCancellationRequested) return;
        try
        {
            if (end is not null && !_job!.HasEnded) Raise(end);
            await _stream.Durable();
            Show();
        }
        catch (NotRecordedException e)
        {
            LogNotRecorded(e, Key);
            return;
        }
        finally
        {
            _timer?.Dispose();
            _timer = null;
        }
        await TellQueueAsync();
    }

    /// <summary>Until it has heard, or this activation leaves: then the queue's reminder finds out.</summary>
    private async Task TellQueueAsync()
    {
        string id = Key[(Key.LastIndexOf('/') + 1)..];
        while (!_leaving.IsCancellationRequested)
        {
            try
            {
                await GrainFactory.GetGrain<IJobQueueGrain>(Keys.JobQueue(_owner.Subject)).Ended(id);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogQueueAway(e, Key);
            }
            await Task.Delay(QueuePause, _clock, _leaving.Token).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync()
    {
        if (_job is { Status: JobStatus.Running } job && _progress.Share is var share && share - job.Progress >= 0.25 && _clock.GetElapsedTime(_started) >= LongRun)
        {
            Raise(new JobProgressed(Now, Math.Round(share, 2)));
            await _stream.Durable();
        }
        Show();
    }

    private void Show()
    {
        _observers.ClearExpired();
        if (_observers.Count == 0 || View() is not { } view || view == _shown) return;
        _shown = view;
        _observers.Notify(observer => observer.Show(view));
    }

    private JobView? View()
    {
        if (_job is not { Status: JobStatus.Running } job) return _job;
        // What a process that is gone had begun waits to be begun again.
        if (_run is null or { IsCompleted: true }) return job with { Status = JobStatus.Queued, StartedAt = null, Progress = 0 };
        double share = _progress.Share, seconds = _clock.GetElapsedTime(_started).TotalSeconds;
        return job with { Progress = Math.Round(share, 3), SecondsLeft = share > 0.01 ? Math.Round(seconds * (1 - share) / share, 1) : null };
    }

    private void Discard()
    {
        _leaving.Cancel();
        DeactivateOnIdle();
    }

    private void Raise(JobEvent happened)
    {
        _job = _job.After(happened, Key, _stream.Version + 1);
        _stream.Append([happened], e => e.Time, _ => "");
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "job {Job} failed")]
    private partial void LogFailed(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "what happened to job {Job} was not recorded")]
    private partial void LogNotRecorded(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the queue of job {Job} does not answer; it is told again")]
    private partial void LogQueueAway(Exception exception, string job);
}

/// <summary>How far a run is: written by its threads, read by the grain.</summary>
public sealed class JobProgress
{
    private double _share;

    /// <summary>0 to 1.</summary>
    public double Share
    {
        get => Volatile.Read(ref _share);
        set => Volatile.Write(ref _share, value);
    }
}
