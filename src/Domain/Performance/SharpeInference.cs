namespace HybridTrading.Domain.Performance;

/// <summary>
/// What a measured Sharpe ratio proves. Sharpe ratios here are those of one period (not annualised); kurtosis is the whole one (3 for a normal
/// distribution). Sources: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012) and "The Deflated Sharpe Ratio" (2014).
/// </summary>
public static class SharpeInference
{
    private const double EulerMascheroni = 0.577215664901532860606512090082;

    /// <summary>sqrt((1 - skew SR + (kurtosis - 1)/4 SR^2) / (n - 1)); null for fewer than two returns, or moments that no distribution has.</summary>
    public static double? StandardError(double sharpe, int count, double skew, double kurtosis)
    {
        double variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe;
        return count < 2 || variance <= 0 ? null : Statistics.Finite(Math.Sqrt(variance / (count - 1)));
    }

    /// <summary>Probability that the true Sharpe ratio is above <paramref name="benchmark"/>: Phi((SR - benchmark) / standard error).</summary>
    public static double? Probabilistic(double sharpe, int count, double skew, double kurtosis, double benchmark = 0) =>
        StandardError(sharpe, count, skew, kurtosis) is { } error ? Statistics.NormalCdf((sharpe - benchmark) / error) : null;

    /// <summary>Returns needed until <see cref="Probabilistic"/> reaches the confidence; null where the ratio is not above the benchmark.</summary>
    /// <param name="confidence">Between 0 and 1, exclusively.</param>
    public static double? MinimumTrackRecordLength(double sharpe, double skew, double kurtosis, double benchmark = 0, double confidence = 0.95)
    {
        double variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe;
        if (sharpe <= benchmark || variance <= 0) return null;
        double z = Statistics.NormalQuantile(confidence) / (sharpe - benchmark);
        return Statistics.Finite(1 + variance * z * z);
    }

    /// <summary>
    /// The best Sharpe ratio to be expected of so many independent trials without any skill:
    /// sqrt(V) ((1 - gamma) Phi^-1(1 - 1/N) + gamma Phi^-1(1 - 1/(N e))). One trial: 0.
    /// </summary>
    /// <param name="trials">1 or more.</param>
    /// <param name="variance">Of the trials' Sharpe ratios (per period).</param>
    public static double ExpectedMaximum(int trials, double variance)
    {
        if (trials < 1) throw new ArgumentOutOfRangeException(nameof(trials), trials, "expected 1 or more");
        if (variance is not (>= 0 and < double.PositiveInfinity)) throw new ArgumentOutOfRangeException(nameof(variance), variance, "expected 0 or more");
        return trials == 1 ? 0
            : Math.Sqrt(variance) * ((1 - EulerMascheroni) * Statistics.NormalQuantile(1 - 1.0 / trials)
                + EulerMascheroni * Statistics.NormalQuantile(1 - 1 / (trials * Math.E)));
    }

    /// <summary>The probabilistic Sharpe ratio against <see cref="ExpectedMaximum"/>: what is left after so many trials.</summary>
    public static double? Deflated(double sharpe, int count, double skew, double kurtosis, int trials, double variance) =>
        Probabilistic(sharpe, count, skew, kurtosis, ExpectedMaximum(trials, variance));
}
