using HybridTrading.Domain.Markets.Simulation;

namespace HybridTrading.Domain.Performance;

/// <summary>Where a curve that begins at 1 is expected after so many days.</summary>
/// <param name="Day">1 upwards.</param>
public readonly record struct ExpectedDay(int Day, double Lower, double Median, double Upper);

/// <summary>
/// What the days of a back-test lead one to expect of the days that follow. The band is simultaneous: with the probability <paramref name="Confidence"/> a curve of
/// the same strategy in the same market stays inside it on all of its days, so that leaving it once says something.
/// </summary>
/// <param name="Days">Day by day, each growth of 1.</param>
/// <param name="History">Days of the back-test it was made of.</param>
/// <param name="MeanBlock">Mean length of the blocks drawn, in days.</param>
public sealed record ExpectedCurve(double Confidence, int History, int Paths, ulong Seed, double MeanBlock, ImmutableArray<ExpectedDay> Days)
{
    public const double DefaultConfidence = 0.95;
    public const int LeastHistory = 60, MostDays = 5_000;
    private const int DefaultPaths = 2_000;
    private const double WorstReturn = -0.99;

    /// <summary>
    /// Paths by the stationary bootstrap (Politis and Romano 1994). Each path has a mean of its own, that of a further resample of the whole history: how well
    /// the back-test knows its own mean is part of the doubt. The band is the median path and so many standard deviations of the log growth on either side that
    /// the share <paramref name="confidence"/> of the paths never leaves it (sup-t band, Montiel Olea and Plagborg-Moller 2019).
    /// </summary>
    /// <param name="returns">Simple daily returns of the back-test.</param>
    /// <param name="days">How far to look ahead, 1 to <see cref="MostDays"/>.</param>
    /// <returns>Null for fewer than <see cref="LeastHistory"/> returns, or such as never differ.</returns>
    public static ExpectedCurve? Of(ReadOnlySpan<double> returns, int days, double confidence = DefaultConfidence, ulong seed = 1, int paths = DefaultPaths)
    {
        if (days is < 1 or > MostDays) throw new ArgumentOutOfRangeException(nameof(days), days, $"expected 1 to {MostDays}");
        if (confidence is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "expected between 0 and 1");
        if (paths is < 100 or > MonteCarlo.MostPaths) throw new ArgumentOutOfRangeException(nameof(paths), paths, $"expected 100 to {MonteCarlo.MostPaths}");
        double[] history = returns.ToArray();
        if (history.Length < LeastHistory || !(Statistics.StandardDeviation(history) > 0)) return null;
        double mean = Statistics.Mean(history)!.Value, block = Math.Max(1, Math.Ceiling(Math.Cbrt(history.Length)));

        var random = new SplitMix64(seed);
        double[][] growth = [.. Enumerable.Range(0, days).Select(_ => new double[paths])];
        for (int path = 0; path < paths; path++)
        {
            var blocks = new Blocks(history, block);
            double sum = 0;
            for (int i = 0; i < history.Length; i++) sum += blocks.Next(ref random);
            double shift = sum / history.Length - mean, log = 0;
            blocks = new Blocks(history, block);
            for (int day = 0; day < days; day++)
            {
                log += Math.Log(1 + Math.Max(WorstReturn, blocks.Next(ref random) + shift));
                growth[day][path] = log;
            }
        }
        double[] centre = new double[days], spread = new double[days], furthest = new double[paths];
        for (int day = 0; day < days; day++)
        {
            centre[day] = Statistics.Quantile([.. growth[day].Order()], 0.5)!.Value;
            spread[day] = Statistics.StandardDeviation(growth[day])!.Value;
            for (int path = 0; path < paths; path++)
            {
                furthest[path] = Math.Max(furthest[path], spread[day] > 0 ? Math.Abs(growth[day][path] - centre[day]) / spread[day] : 0);
            }
        }
        Array.Sort(furthest);
        double width = Statistics.Quantile(furthest, confidence)!.Value;
        return new ExpectedCurve(confidence, history.Length, paths, seed, block, [.. Enumerable.Range(0, days).Select(day => new ExpectedDay(
            day + 1, Math.Exp(centre[day] - width * spread[day]), Math.Exp(centre[day]), Math.Exp(centre[day] + width * spread[day])))]);
    }

    /// <summary>Blocks of geometric length from uniform places of a history bent to a circle.</summary>
    private struct Blocks(double[] history, double mean)
    {
        private int _place = -1;

        public double Next(ref SplitMix64 random)
        {
            if (_place < 0 || random.NextUniform() < 1 / mean) _place = (int)(random.NextUniform() * history.Length);
            else if (++_place == history.Length) _place = 0;
            return history[_place];
        }
    }
}

/// <summary>How a live curve stands to what was expected of it.</summary>
public enum LiveFinding
{
    /// <summary>Too few days to say anything, or no back-test that says what to expect.</summary>
    TooEarly,

    /// <summary>Inside the band on every day.</summary>
    AsExpected,

    /// <summary>It left the band downwards: what the back-test showed is not there any more, or never was.</summary>
    Below,

    /// <summary>It left the band upwards: as little the strategy that was tested, although more welcome.</summary>
    Above,
}

/// <summary>One live day beside what was expected; growth of 1.</summary>
public readonly record struct LiveDay(DateOnly Date, double Growth, double Lower, double Median, double Upper);

/// <summary>A live curve against its expectation.</summary>
/// <param name="LeftOn">The first day outside of the band; null for none.</param>
/// <param name="OutsideNow">Whether the last day is outside of it.</param>
public sealed record LiveComparison(LiveFinding Finding, string Text, DateOnly? LeftOn, bool OutsideNow, ImmutableArray<LiveDay> Days)
{
    /// <summary>Fewer live days than this say nothing.</summary>
    public const int LeastDays = 20;

    /// <param name="expected">Null where the back-test is too short to expect anything.</param>
    /// <param name="live">Simple daily returns, from the first live day on; what goes beyond the expectation's days is not compared.</param>
    public static LiveComparison Of(ExpectedCurve? expected, IReadOnlyList<(DateOnly Date, double Return)> live)
    {
        if (expected is null) return new LiveComparison(LiveFinding.TooEarly, $"The back-test has fewer than {ExpectedCurve.LeastHistory} days or never moved: nothing is to be expected of it.", null, false, []);
        ImmutableArray<LiveDay>.Builder days = ImmutableArray.CreateBuilder<LiveDay>();
        LiveDay? left = null;
        double growth = 1;
        foreach ((DateOnly date, double change) in live.Take(expected.Days.Length))
        {
            growth *= 1 + change;
            ExpectedDay day = expected.Days[days.Count];
            var stood = new LiveDay(date, growth, day.Lower, day.Median, day.Upper);
            if (IsOutside(stood)) left ??= stood;
            days.Add(stood);
        }
        string share = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{expected.Confidence * 100:0.##} %");
        if (days.Count < LeastDays) return new LiveComparison(LiveFinding.TooEarly, $"{days.Count} live days; {LeastDays} are needed before they say anything.", null, false, days.ToImmutable());
        bool outside = IsOutside(days[^1]);
        if (left is not { } first) return new LiveComparison(LiveFinding.AsExpected, $"Inside the {share} band of its back-test on all of {days.Count} live days.", null, false, days.ToImmutable());
        bool below = first.Growth < first.Lower;
        string text = string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"It left the {share} band of its back-test {(below ? "downwards" : "upwards")} on {first.Date:yyyy-MM-dd}{(outside ? "" : " and has come back")}: "
            + $"{(first.Growth - 1) * 100:0.00} % where {(first.Lower - 1) * 100:0.00} to {(first.Upper - 1) * 100:0.00} % were expected.");
        return new LiveComparison(below ? LiveFinding.Below : LiveFinding.Above, text, first.Date, outside, days.ToImmutable());
    }

    private static bool IsOutside(in LiveDay day) => day.Growth < day.Lower || day.Growth > day.Upper;
}
