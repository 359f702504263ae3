using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// Keeps one observer for each grain that some connection of this process looks at, however many look: makes it with the first, renews it every 30 s or
/// as soon as something is amiss, and drops it when nobody has looked for one renewal.
/// </summary>
public abstract partial class ObserverBoard<TView>(TimeProvider clock, ILogger log) : BackgroundService where TView : class
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Observation<TView>> _observations = new(StringComparer.Ordinal);

    /// <summary>Keys of the grains that connections look at now.</summary>
    protected abstract IEnumerable<string> Wanted();

    protected abstract Observation<TView> Make(string key, Func<TView?, TView, Task> show);

    /// <summary>Hands a view on to the connections that look.</summary>
    /// <param name="before">The view before it; null for the first.</param>
    protected abstract Task ShowAsync(string key, TView? before, TView now);

    /// <summary>Observes from now on, if it is not observed.</summary>
    /// <returns>The latest view; null when there is no such thing.</returns>
    public async Task<TView?> WatchAsync(string key)
    {
        Observation<TView>? observation;
        lock (_gate)
        {
            if (!_observations.TryGetValue(key, out observation))
            {
                observation = Make(key, (before, now) => TryShowAsync(key, before, now));
                _observations.Add(key, observation);
            }
            observation.Wanted = clock.GetTimestamp();
        }
        return observation.View ?? await observation.RenewAsync();
    }

    /// <summary>Something is known to have come to this version; if it is observed it must soon show that.</summary>
    public void Expect(string key, long version) => Find(key)?.Expect(version);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Round, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) LookAfter();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private Observation<TView>? Find(string key)
    {
        lock (_gate) return _observations.GetValueOrDefault(key);
    }

    private void LookAfter()
    {
        HashSet<string> wanted = [.. Wanted()];
        Observation<TView>[] all;
        List<Observation<TView>> left = [];
        lock (_gate)
        {
            foreach ((string key, Observation<TView> observation) in _observations)
            {
                if (wanted.Contains(key)) observation.Wanted = clock.GetTimestamp();
                else if (clock.GetElapsedTime(observation.Wanted) >= Grains.Views.Observing.Renewal) left.Add(observation);
            }
            foreach (Observation<TView> observation in left) _observations.Remove(observation.Key);
            all = [.. _observations.Values];
        }
        foreach (Observation<TView> observation in left) _ = TryAsync(observation.LeaveAsync, observation.Key);
        foreach (Observation<TView> observation in all)
        {
            if (observation.IsDue()) _ = TryAsync(observation.RenewAsync, observation.Key);
        }
    }

    private async Task TryShowAsync(string key, TView? before, TView now)
    {
        try
        {
            await ShowAsync(key, before, now);
        }
        catch (Exception failed)
        {
            LogNotShown(failed, key);
        }
    }

    private async Task TryAsync(Func<Task> call, string key)
    {
        try
        {
            await call();
        }
        catch (Exception failed)
        {
            // One grain in trouble is no reason to show the others no more; it is asked again.
            LogFailed(failed, key);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} is not to be observed")]
    private partial void LogFailed(Exception failure, string key);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Key} could not be shown")]
    private partial void LogNotShown(Exception failure, string key);
}
