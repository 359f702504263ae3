using System.Diagnostics.Metrics;
using HybridTrading.Domain.Telemetry;

namespace HybridTrading.Storage.Journal;

/// <summary>What the journal of a process tells of its commits. One journal a process writes to it.</summary>
public sealed class JournalMetrics
{
    public const string MeterName = "HybridTrading.Storage";

    private static readonly InstrumentAdvice<double> DurationBuckets = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    };

    private static readonly InstrumentAdvice<long> SizeBuckets = new() { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000] };

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Histogram<long> _size;
    private long _commits, _events;
    private Func<long>? _durableSize, _pendingBytes;

    public JournalMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _duration = _meter.CreateHistogram("hybridtrading.journal.commit.duration", "s", "Time to make one batch of appends durable.", null, DurationBuckets);
        _size = _meter.CreateHistogram("hybridtrading.journal.commit.events", "{event}", "Events made durable by one commit.", null, SizeBuckets);
    }

    /// <summary>How long commits took.</summary>
    public LatencyHistogram Commits { get; } = new();

    /// <summary>Since the process started.</summary>
    public long CommitCount => Volatile.Read(ref _commits);

    /// <summary>Events that this process made durable since it started.</summary>
    public long EventCount => Volatile.Read(ref _events);

    /// <summary>Bytes of appends that are not durable yet.</summary>
    public long PendingBytes => _pendingBytes?.Invoke() ?? 0;

    /// <summary>Events in the journal.</summary>
    public long DurableSize => _durableSize?.Invoke() ?? 0;

    /// <summary>Shows a journal's size and what waits for it.</summary>
    internal void Observe(Func<long> durableSize, Func<long> pendingBytes)
    {
        (_durableSize, _pendingBytes) = (durableSize, pendingBytes);
        _meter.CreateObservableUpDownCounter("hybridtrading.journal.size", durableSize, "{event}", "Durable events of the journal, all processes' together.");
        _meter.CreateObservableUpDownCounter("hybridtrading.journal.pending", pendingBytes, "By", "Appends of this process that wait to become durable.");
    }

    internal void Committed(TimeSpan duration, int events)
    {
        Interlocked.Increment(ref _commits);
        Interlocked.Add(ref _events, events);
        Commits.Record(duration);
        _duration.Record(duration.TotalSeconds);
        _size.Record(events);
    }
}
