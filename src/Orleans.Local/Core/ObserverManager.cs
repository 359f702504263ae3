using System.Collections;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Orleans.Utilities;

/// <summary>Keeps the observers of a grain by their own reference.</summary>
public class ObserverManager<TObserver>(TimeSpan expiration, ILogger log) : ObserverManager<IAddressable, TObserver>(expiration, log);

/// <summary>
/// Keeps the observers of a grain and notifies them. An observer stays as long as it subscribes again within the expiration and does not fail.
/// For use inside one grain: not safe for several threads, but notifications may be awaited while others subscribe.
/// </summary>
public partial class ObserverManager<TIdentity, TObserver> : IEnumerable<TObserver> where TIdentity : notnull
{
    private readonly ILogger _log;

    // Immutable, so that an awaiting notification walks the observers as they were when it began.
    private ImmutableDictionary<TIdentity, (TObserver Observer, DateTime LastSeen)> _observers =
        ImmutableDictionary<TIdentity, (TObserver, DateTime)>.Empty;

    /// <param name="expiration">How long an observer stays without subscribing again.</param>
    public ObserverManager(TimeSpan expiration, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(log);
        ExpirationDuration = expiration;
        _log = log;
    }

    /// <summary>The clock, in UTC.</summary>
    public Func<DateTime> GetDateTime { get; set; } = static () => DateTime.UtcNow;

    public TimeSpan ExpirationDuration { get; set; }

    public int Count => _observers.Count;

    public IReadOnlyDictionary<TIdentity, TObserver> Observers => _observers.ToDictionary(entry => entry.Key, entry => entry.Value.Observer);

    /// <summary>Adds an observer, or renews it.</summary>
    public void Subscribe(TIdentity id, TObserver observer) => _observers = _observers.SetItem(id, (observer, GetDateTime()));

    public void Unsubscribe(TIdentity id) => _observers = _observers.Remove(id);

    public void Clear() => _observers = _observers.Clear();

    /// <summary>Takes out the observers that did not subscribe again in time.</summary>
    public void ClearExpired()
    {
        DateTime now = GetDateTime();
        foreach (var (id, entry) in _observers)
        {
            if (IsExpired(entry.LastSeen, now)) RemoveIf(id, entry);
        }
    }

    /// <summary>Notifies the observers one after the other; those that fail or have expired are taken out.</summary>
    public async Task Notify(Func<TObserver, Task> notification, Func<TObserver, bool>? predicate = null)
    {
        DateTime now = GetDateTime();
        foreach (var (id, entry) in _observers)
        {
            if (IsExpired(entry.LastSeen, now))
            {
                RemoveIf(id, entry);
                continue;
            }
            if (predicate?.Invoke(entry.Observer) == false) continue;
            try
            {
                await notification(entry.Observer);
            }
            catch (Exception failure)
            {
                LogDefunct(_log, failure, id);
                RemoveIf(id, entry);
            }
        }
    }

    /// <inheritdoc cref="Notify(Func{TObserver, Task}, Func{TObserver, bool}?)"/>
    public void Notify(Action<TObserver> notification, Func<TObserver, bool>? predicate = null)
    {
        DateTime now = GetDateTime();
        foreach (var (id, entry) in _observers)
        {
            if (IsExpired(entry.LastSeen, now))
            {
                RemoveIf(id, entry);
                continue;
            }
            if (predicate?.Invoke(entry.Observer) == false) continue;
            try
            {
                notification(entry.Observer);
            }
            catch (Exception failure)
            {
                LogDefunct(_log, failure, id);
                RemoveIf(id, entry);
            }
        }
    }

    public IEnumerator<TObserver> GetEnumerator() => _observers.Values.Select(entry => entry.Observer).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private bool IsExpired(DateTime lastSeen, DateTime now) => lastSeen + ExpirationDuration < now;

    // An observer that subscribed again in the meantime stays.
    private void RemoveIf(TIdentity id, (TObserver Observer, DateTime LastSeen) entry)
    {
        if (_observers.TryGetValue(id, out var current) && current.LastSeen == entry.LastSeen) _observers = _observers.Remove(id);
    }

    [LoggerMessage(LogLevel.Debug, "Observer {Id} failed and is taken out")]
    private static partial void LogDefunct(ILogger logger, Exception failure, TIdentity id);
}
