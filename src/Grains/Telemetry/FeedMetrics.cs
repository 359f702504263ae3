using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace HybridTrading.Grains.Telemetry;

/// <summary>When each instrument's latest event was handed out, in the process that has the feed.</summary>
public sealed class FeedMetrics
{
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private readonly Counter<long> _events;

    public FeedMetrics(IMeterFactory meters, TimeProvider clock)
    {
        _clock = clock;
        Meter meter = meters.Create(TradingMetrics.MeterName);
        _events = meter.CreateCounter<long>("hybridtrading.feed.events", "{event}", "Quotes and bars handed out, by instrument.");
        meter.CreateObservableGauge("hybridtrading.feed.age", Ages, "s", "Since the latest quote or bar of an instrument was handed out. A market that is closed grows old.");
    }

    /// <summary>Events of an instrument have been worked off.</summary>
    public void HandedOut(string symbol, int events)
    {
        Seen seen = _seen.GetOrAdd(symbol, static name => new Seen([KeyValuePair.Create<string, object?>("symbol", name)]));
        seen.At = _clock.GetTimestamp();
        _events.Add(events, seen.Tags);
    }

    /// <summary>The feed goes on elsewhere, or not at all: this process knows no more of it.</summary>
    public void Leave() => _seen.Clear();

    private IEnumerable<Measurement<double>> Ages() =>
        _seen.Values.Select(seen => new Measurement<double>(_clock.GetElapsedTime(seen.At).TotalSeconds, seen.Tags));

    private sealed class Seen(KeyValuePair<string, object?>[] tags)
    {
        private long _at;

        public KeyValuePair<string, object?>[] Tags => tags;

        public long At
        {
            get => Volatile.Read(ref _at);
            set => Volatile.Write(ref _at, value);
        }
    }
}
