using HybridTrading.Api.Projections;
using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// Sets going what must not wait for a caller: the feed, accounts with positions or orders, running strategies, queues of jobs, a first start's demonstration, the
/// outbox. In this order, so that prices are there for the accounts, and the accounts for the strategies' open decisions.
/// </summary>
internal sealed class TradingStart(IGrainFactory grains, IStartupQueries queries, Demonstration demonstration) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using Principal.Scope scope = Principal.OfHost();
        await queries.CatchUpAsync(cancellationToken);
        await grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        foreach (string account in queries.AccountsToWake()) await grains.GetGrain<IAccountGrain>(account).Wake();
        foreach (string strategy in queries.RunningStrategies()) await grains.GetGrain<IStrategyGrain>(strategy).Wake();
        await JobStart.WakeAsync(grains, queries);
        await ErasureStart.WakeAsync(grains, queries);
        await demonstration.MakeAsync(grains);
        await grains.GetGrain<IOutboxGrain>(Keys.Outbox).Start();
        await grains.GetGrain<IFeedWatchGrain>(Keys.FeedWatch).Start();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>
/// The same in a cluster, where a process may start before the others and outlive them: it is tried until it is done, and from then on the feed and the
/// outbox are asked again and again to be at work, which costs a call and starts them anew within two seconds when the silo that had them is gone.
/// </summary>
/// <param name="queries">Null in a process that keeps no views: it leaves it to others to wake accounts and strategies.</param>
internal sealed partial class ClusterStart(IGrainFactory grains, TimeProvider clock, ILogger<ClusterStart> log, IStartupQueries? queries = null) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private bool _awake = queries is null;
    private string? _waiting;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                await TryAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TryAsync(CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfHost();
        try
        {
            await grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
            if (!_awake) await WakeAsync(queries!, cancellation);
            await grains.GetGrain<IOutboxGrain>(Keys.Outbox).Start();
            await grains.GetGrain<IFeedWatchGrain>(Keys.FeedWatch).Start();
            _waiting = null;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // Said once: while the cluster forms, or a part of it is away, every try ends like this.
            if (_waiting != e.Message) LogWaiting(e.Message);
            _waiting = e.Message;
        }
    }

    private async Task WakeAsync(IStartupQueries known, CancellationToken cancellation)
    {
        await known.CatchUpAsync(cancellation);
        foreach (string account in known.AccountsToWake()) await grains.GetGrain<IAccountGrain>(account).Wake();
        foreach (string strategy in known.RunningStrategies()) await grains.GetGrain<IStrategyGrain>(strategy).Wake();
        await JobStart.WakeAsync(grains, known);
        await ErasureStart.WakeAsync(grains, known);
        _awake = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "not everything is at work yet: {Why}")]
    private partial void LogWaiting(string why);
}

internal static class ErasureStart
{
    /// <summary>Goes on with erasures that were cut off, and begins those that have come due.</summary>
    public static async Task WakeAsync(IGrainFactory grains, IStartupQueries queries)
    {
        foreach (string user in queries.UnfinishedErasures()) await grains.GetGrain<IErasureGrain>(user).Wake();
    }
}

internal static class JobStart
{
    /// <summary>Sets going the queues of everybody whose jobs have not ended.</summary>
    public static async Task WakeAsync(IGrainFactory grains, IStartupQueries queries)
    {
        foreach (IGrouping<string, string> person in queries.UnfinishedJobs().GroupBy(Keys.PersonOf, StringComparer.Ordinal))
        {
            await grains.GetGrain<IJobQueueGrain>(Keys.JobQueue(person.Key)).Wake([.. person.Select(key => key[(key.LastIndexOf('/') + 1)..])]);
        }
    }
}
