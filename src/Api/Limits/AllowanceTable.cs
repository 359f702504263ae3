using System.Collections.Concurrent;

namespace HybridTrading.Api.Limits;

/// <summary>
/// The counters of many callers in bounded memory. When the table is full, those whose counters mean nothing any more leave; while it stays full (a flood from
/// millions of addresses) newcomers share counters by the hash of their key: they are limited together, and who was there before is not touched.
/// </summary>
internal sealed class AllowanceTable<TKey>(RateLimitOptions options) where TKey : notnull
{
    private const int SharedCounters = 256;

    private static readonly TimeSpan SweepPace = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TKey, Allowance> _own = new();
    private readonly Allowance[] _shared = [.. Enumerable.Range(0, SharedCounters).Select(_ => new Allowance())];
    private readonly Lock _sweeping = new();
    private DateTime _swept;
    private int _count;

    /// <summary>Callers that have counters of their own.</summary>
    public int Count => Volatile.Read(ref _count);

    public Allowance Of(TKey key, DateTime now)
    {
        if (_own.TryGetValue(key, out Allowance? known)) return known;
        if (Count >= options.MostPartitions) Sweep(now);
        if (Count >= options.MostPartitions) return _shared[(uint)EqualityComparer<TKey>.Default.GetHashCode(key) % SharedCounters];
        var fresh = new Allowance();
        if (!_own.TryAdd(key, fresh)) return _own.GetValueOrDefault(key) ?? fresh;
        Interlocked.Increment(ref _count);
        return fresh;
    }

    /// <summary>Takes out who is idle, at most once a second: a flood must not make it the work of every request.</summary>
    private void Sweep(DateTime now)
    {
        if (!_sweeping.TryEnter()) return;
        try
        {
            if (now - _swept < SweepPace) return;
            _swept = now;
            foreach ((TKey key, Allowance allowance) in _own)
            {
                if (allowance.IsIdle(options, now) && _own.TryRemove(key, out _)) Interlocked.Decrement(ref _count);
            }
        }
        finally
        {
            _sweeping.Exit();
        }
    }
}
