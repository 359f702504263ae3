using System.Numerics;

namespace HybridTrading.Domain.Telemetry;

/// <summary>
/// Counts durations in buckets of which each is an eighth of its octave wide, so that a quantile is within 7 % of the true value. Recording takes one atomic
/// increment; counts wrap around, and only differences of two <see cref="Snapshot"/>s mean anything.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 3;
    private const int SubBuckets = 1 << SubBits;

    /// <summary>Longer ones (107 s) count as this long.</summary>
    private const long Longest = (1L << 30) - 1;

    private static readonly int Buckets = IndexOf(Longest) + 1;

    private readonly uint[] _counts = new uint[Buckets];

    /// <param name="duration">Below zero counts as zero.</param>
    public void Record(TimeSpan duration) => Interlocked.Increment(ref _counts[IndexOf(duration.Ticks)]);

    /// <summary>The counts as of now, one element a bucket.</summary>
    public ImmutableArray<uint> Snapshot() => [.. _counts];

    /// <summary>Several histograms' snapshots as those of one that recorded everything.</summary>
    public static ImmutableArray<uint> Sum(IEnumerable<ImmutableArray<uint>> snapshots)
    {
        uint[] sum = new uint[Buckets];
        foreach (ImmutableArray<uint> counts in snapshots)
        {
            for (int i = 0; i < sum.Length; i++) sum[i] = unchecked(sum[i] + counts[i]);
        }
        return [.. sum];
    }

    /// <summary>What was recorded between two snapshots of one histogram.</summary>
    /// <param name="before">Default for the histogram's beginning.</param>
    public static LatencyFigures Between(ImmutableArray<uint> before, ImmutableArray<uint> now)
    {
        Span<uint> counts = stackalloc uint[Buckets];
        long count = 0;
        int last = 0;
        for (int i = 0; i < Buckets; i++)
        {
            counts[i] = unchecked(now[i] - (before.IsDefault ? 0 : before[i]));
            count += counts[i];
            if (counts[i] > 0) last = i;
        }
        return count == 0 ? default : new LatencyFigures(count, Quantile(counts, count, 0.5), Quantile(counts, count, 0.99), MiddleOf(last));
    }

    private static TimeSpan Quantile(ReadOnlySpan<uint> counts, long count, double share)
    {
        // The nearest rank: the smallest value that at least this share of all does not exceed.
        long rank = (long)Math.Ceiling(count * share), seen = 0;
        for (int i = 0; ; i++)
        {
            seen += counts[i];
            if (seen >= rank) return MiddleOf(i);
        }
    }

    private static int IndexOf(long ticks)
    {
        ulong value = (ulong)Math.Clamp(ticks, 0, Longest);
        if (value < SubBuckets) return (int)value;
        int octave = BitOperations.Log2(value);
        return ((octave - SubBits + 1) << SubBits) + (int)((value >> (octave - SubBits)) & (SubBuckets - 1));
    }

    private static TimeSpan MiddleOf(int index)
    {
        if (index < SubBuckets) return TimeSpan.FromTicks(index);
        int shift = (index >> SubBits) - 1;
        long low = (long)(SubBuckets + (index & (SubBuckets - 1))) << shift;
        return TimeSpan.FromTicks(low + ((1L << shift) - 1) / 2);
    }
}

/// <summary>Durations recorded in some span of time; all zero where there were none.</summary>
public readonly record struct LatencyFigures(long Count, TimeSpan P50, TimeSpan P99, TimeSpan Max);

/// <summary>The figures of a histogram over the time just past. Sampling is for one caller at a time.</summary>
/// <param name="length">How far it looks back.</param>
public sealed class LatencyWindow(TimeSpan length)
{
    private readonly Queue<(DateTime Time, ImmutableArray<uint> Counts)> _past = new();

    /// <summary>Takes in a snapshot; what lies further back than the length is forgotten.</summary>
    /// <param name="counts">Of the histogram as of now, always the same one.</param>
    /// <param name="now">UTC, not before that of the last call.</param>
    /// <returns>Of the time since the oldest snapshot that is still in the window, and how long that is; since the histogram's beginning on the first call.</returns>
    public (LatencyFigures Figures, TimeSpan Over) Sample(ImmutableArray<uint> counts, DateTime now)
    {
        while (_past.Count > 1 && now - _past.Peek().Time > length) _past.Dequeue();
        (DateTime since, ImmutableArray<uint> before) = _past.Count > 0 ? _past.Peek() : (now, default);
        _past.Enqueue((now, counts));
        return (LatencyHistogram.Between(before, counts), now - since);
    }
}
