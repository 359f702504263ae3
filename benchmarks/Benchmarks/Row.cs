namespace HybridTrading.Benchmarks;

/// <summary>One measured path beside its target.</summary>
/// <param name="Workload">Name for <c>--filter</c>.</param>
/// <param name="Path">What is measured.</param>
/// <param name="Unit">Of <paramref name="Measured"/>, for example <c>bars/s</c> or <c>ms</c>.</param>
/// <param name="Measured">Null where it was not measured.</param>
/// <param name="Must">What must be reached, in <paramref name="Unit"/>; null for a row that is there for comparison.</param>
/// <param name="Aim">What is aimed at.</param>
/// <param name="Peers">What others reach: measured elsewhere unless it says otherwise.</param>
/// <param name="Note">How it was measured, or why it was not.</param>
internal sealed record Row(
    string Workload, string Path, string Unit, Sample? Measured, double? Must = null, double? Aim = null, string Peers = "", string Note = "")
{
    /// <summary>Rates are to be high; times are to be low.</summary>
    private bool HigherIsBetter => Unit.EndsWith("/s", StringComparison.Ordinal) || Unit == "share";

    /// <summary>Which target the median reaches; empty without a target.</summary>
    public string Reached => (Measured, Must) switch
    {
        (null, _) or (_, null) => "",
        _ when Aim is { } aim && Reaches(aim) => "aim",
        _ when Reaches(Must.Value) => "must",
        _ => "no",
    };

    private bool Reaches(double target) => HigherIsBetter ? Measured?.Median >= target : Measured?.Median <= target;
}

/// <summary>The runs of one measurement.</summary>
internal readonly record struct Sample(double Median, double Least, double Most)
{
    public static Sample Of(List<double> runs)
    {
        double[] sorted = [.. runs.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Sample(median, sorted[0], sorted[^1]);
    }

    // The runtime compiles what is called often a second and third time, on a thread of its own, some hundred milliseconds later.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    /// <summary>A warm-up, until the code of what runs in this process has settled; then the runs.</summary>
    public static Sample Measure(int runs, Func<double> once)
    {
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            once();
            if (Stopwatch.GetElapsedTime(start) > Settling) break;
        }
        List<double> measured = [];
        for (int i = 0; i < runs; i++) measured.Add(once());
        return Of(measured);
    }

    /// <summary>One warm-up, then the runs.</summary>
    public static async Task<Sample> MeasureAsync(int runs, Func<Task<double>> once)
    {
        await once();
        List<double> measured = [];
        for (int i = 0; i < runs; i++) measured.Add(await once());
        return Of(measured);
    }
}

/// <summary>Durations of single requests.</summary>
internal sealed class Latencies
{
    private readonly List<long> _ticks = [];
    private readonly Lock _adding = new();

    public int Count => _ticks.Count;

    public void Add(long since)
    {
        long took = Stopwatch.GetTimestamp() - since;
        lock (_adding) _ticks.Add(took);
    }

    /// <summary>Nearest rank, in milliseconds.</summary>
    public double Percentile(double percent)
    {
        if (_ticks.Count == 0) throw new InvalidOperationException("nothing was measured");
        long[] sorted = [.. _ticks.Order()];
        int rank = (int)Math.Ceiling(percent / 100 * sorted.Length);
        return sorted[Math.Clamp(rank, 1, sorted.Length) - 1] * 1000.0 / Stopwatch.Frequency;
    }
}
