using HybridTrading.Api.Projections;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Hosting;
using GrainJob = HybridTrading.Grains.Backtesting.JobView;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// Shows how far jobs are to their owners. That one began or ended is the journal's to tell (<see cref="JournalBoard"/>); in between each job that has not
/// ended and whose owner is connected pushes its view, five times a second at most.
/// </summary>
public sealed partial class JobBoard(
    IGrainFactory grains, HubConnections connections, JobQueries jobs, TimeProvider clock, ILogger<JobBoard> log) : ObserverBoard<GrainJob>(clock, log)
{
    private readonly TimeProvider _clock = clock;

    /// <summary>Tells connections of one person how a job stands by the journal, and goes on looking at one that has not ended.</summary>
    public void Tell(JobRow row, ImmutableArray<HubConnection> person)
    {
        foreach (HubConnection connection in person) connection.Push(JobView.Of(row.Job, null, whole: false));
        if (!row.Job.HasEnded) _ = WatchSafelyAsync(row.Job.Key);
    }

    /// <summary>Somebody has connected: looks at what is under way for them.</summary>
    public void Join(ICaller caller)
    {
        foreach (JobRow row in jobs.Unfinished(caller.Person())) _ = WatchSafelyAsync(row.Job.Key);
    }

    protected override IEnumerable<string> Wanted() => connections.Subscribed.Select(one => one.Caller.Person()).Distinct(StringComparer.Ordinal)
        .SelectMany(person => jobs.Unfinished(person).Select(row => row.Job.Key));

    protected override Observation<GrainJob> Make(string key, Func<GrainJob?, GrainJob, Task> show) => new Observer(key, show, _clock, grains);

    protected override Task ShowAsync(string key, GrainJob? before, GrainJob now)
    {
        // The end is told by the journal alone, when the lists have it.
        if (now.HasEnded) return Task.CompletedTask;
        string owner = Grains.Keys.PersonOf(key);
        foreach (HubConnection connection in connections.Subscribed.Where(one => one.Caller.Person() == owner)) connection.Push(JobView.Of(now, null, whole: false));
        return Task.CompletedTask;
    }

    private async Task WatchSafelyAsync(string key)
    {
        try
        {
            await WatchAsync(key);
        }
        catch (Exception away)
        {
            // The board goes on asking.
            LogAway(away, key);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "job {Key} is not to be observed yet")]
    private partial void LogAway(Exception failure, string key);

    private sealed class Observer : Observation<GrainJob>, IJobObserver
    {
        private readonly IGrainFactory _grains;
        private readonly IJobObserver _reference;

        public Observer(string key, Func<GrainJob?, GrainJob, Task> show, TimeProvider clock, IGrainFactory grains) : base(key, show, clock)
        {
            _grains = grains;
            _reference = grains.CreateObjectReference<IJobObserver>(this);
        }

        private IJobGrain Job => _grains.GetGrain<IJobGrain>(Key);

        public void Show(GrainJob job) => Hear(job);

        public override async Task LeaveAsync()
        {
            using Principal.Scope scope = Principal.Of(Grains.Keys.TenantOf(Key));
            try
            {
                await Job.Forget(_reference);
            }
            finally
            {
                _grains.DeleteObjectReference<IJobObserver>(_reference);
            }
        }

        /// <remarks>The key is one that the journal has as its owner's.</remarks>
        protected override async Task<GrainJob?> ObserveAsync()
        {
            using Principal.Scope scope = Principal.Of(Grains.Keys.TenantOf(Key));
            return await Job.Observe(_reference);
        }

        protected override bool IsNews(GrainJob view, GrainJob known) => (view.Version, view.Progress).CompareTo((known.Version, known.Progress)) > 0;

        protected override bool IsLively(GrainJob view) => view.Status == JobStatus.Running;

        protected override long VersionOf(GrainJob view) => view.Version;
    }
}
