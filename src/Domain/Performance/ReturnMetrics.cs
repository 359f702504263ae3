namespace HybridTrading.Domain.Performance;

/// <summary>How the figures of a return series are annualised.</summary>
/// <param name="PeriodsPerYear">Returns in a year: 252 for trading days of shares, 365 for days of a market that never closes.</param>
/// <param name="RiskFreeRate">A year, compounded: (1 + rate)^(1 / periods) - 1 is taken off every return. Default 0.</param>
/// <param name="Years">Length of the series for the CAGR; null: count / periods per year.</param>
public sealed record ReturnConvention(double PeriodsPerYear = 252, double RiskFreeRate = 0, double? Years = null)
{
    /// <summary>The risk-free return of one period.</summary>
    public double RiskFreePerPeriod => Math.Pow(1 + RiskFreeRate, 1 / PeriodsPerYear) - 1;

    internal void Require()
    {
        if (PeriodsPerYear is not (> 0 and <= 1e9)) throw new ArgumentOutOfRangeException(nameof(PeriodsPerYear), PeriodsPerYear, "expected more than 0");
        if (RiskFreeRate is not (> -1 and <= 10)) throw new ArgumentOutOfRangeException(nameof(RiskFreeRate), RiskFreeRate, "expected more than -1, a share a year");
        if (Years is not (null or > 0 and < 1e6)) throw new ArgumentOutOfRangeException(nameof(Years), Years, "expected more than 0");
    }
}

/// <summary>
/// The figures of a series of simple returns (0.01 is one percent), compounded, each of one period. Losses are negative. A figure that the series does
/// not define (no return, no loss to divide by, no spread) is null.
/// </summary>
/// <param name="Count">Returns.</param>
/// <param name="Total">Product of (1 + r) - 1.</param>
/// <param name="Cagr">(1 + total)^(1 / years) - 1; -1 when everything is lost.</param>
/// <param name="AnnualMean">Arithmetic mean x periods a year.</param>
/// <param name="Volatility">Sample standard deviation (n - 1) x sqrt(periods).</param>
/// <param name="AnnualVariance">Volatility squared.</param>
/// <param name="Sharpe">Mean / standard deviation of excess returns x sqrt(periods) (Sharpe 1994).</param>
/// <param name="SmartSharpe">
/// Sharpe / sqrt(1 + 2 sum over k = 1..n-1 of (n - k)/n |rho|^k), rho the correlation of neighbouring returns: as if neighbours were independent.
/// </param>
/// <param name="ProbabilisticSharpe">Probability that the true Sharpe ratio is above 0 (Bailey and Lopez de Prado 2012), with whole kurtosis.</param>
/// <param name="DeflatedSharpe">The same against the best of the trials told (2014); one trial: the probabilistic one.</param>
/// <param name="MinimumTrackRecord">Returns needed for a probability of 95 %; null when the Sharpe ratio is not above 0.</param>
/// <param name="Sortino">Mean excess / sqrt(sum of squared negative excess / n) x sqrt(periods) (Sortino and Price 1994, target the risk-free rate).</param>
/// <param name="SmartSortino">Sortino with the same penalty.</param>
/// <param name="Omega">Sum of positive excess / sum of negative excess (Keating and Shadwick 2002, threshold the risk-free rate).</param>
/// <param name="Calmar">CAGR / depth of the largest drawdown, over the whole series.</param>
/// <param name="MaxDrawdown">Lowest value / highest before - 1.</param>
/// <param name="Deepest">The fall that the largest drawdown is of.</param>
/// <param name="AverageDrawdown">Mean depth of all falls.</param>
/// <param name="LongestDrawdown">Returns under water in the longest fall.</param>
/// <param name="UnderwaterShare">Share of returns that end below an earlier peak.</param>
/// <param name="UlcerIndex">sqrt(sum of squared drawdowns / (n - 1)) (Martin 1987; the divisor as in quantstats).</param>
/// <param name="RecoveryFactor">Total / depth of the largest drawdown.</param>
/// <param name="ValueAtRisk95">Normal: mean + standard deviation x Phi^-1(0.05).</param>
/// <param name="ValueAtRisk99">Normal, 1 %.</param>
/// <param name="HistoricalValueAtRisk95">5 % quantile of the returns themselves, linear.</param>
/// <param name="HistoricalValueAtRisk99">1 % quantile.</param>
/// <param name="ExpectedShortfall95">Mean of the returns below <see cref="ValueAtRisk95"/>; null for none.</param>
/// <param name="ExpectedShortfall99">Mean of the returns below <see cref="ValueAtRisk99"/>; null for none.</param>
/// <param name="TailRatio">|95 % quantile / 5 % quantile|.</param>
/// <param name="Skew">Adjusted Fisher-Pearson G1.</param>
/// <param name="ExcessKurtosis">G2, 0 for a normal distribution.</param>
/// <param name="WinRate">Positive returns / returns other than 0.</param>
/// <param name="Payoff">Average win / -average loss.</param>
/// <param name="ProfitFactor">Sum of gains / -sum of losses.</param>
/// <param name="GainToPain">Sum of returns / -sum of losses (Schwager).</param>
/// <param name="Kelly">Win rate - (1 - win rate) / payoff: the share of capital to bet.</param>
/// <param name="Autocorrelation">Correlation of each return with the one before.</param>
public sealed record ReturnMetrics(
    int Count, double? Total, double? Cagr, double? AnnualMean, double? Volatility, double? AnnualVariance,
    double? Sharpe, double? SmartSharpe, double? ProbabilisticSharpe, double? DeflatedSharpe, double? MinimumTrackRecord,
    double? Sortino, double? SmartSortino, double? Omega, double? Calmar,
    double? MaxDrawdown, Drawdown? Deepest, double? AverageDrawdown, int? LongestDrawdown, double? UnderwaterShare, double? UlcerIndex, double? RecoveryFactor,
    double? ValueAtRisk95, double? ValueAtRisk99, double? HistoricalValueAtRisk95, double? HistoricalValueAtRisk99,
    double? ExpectedShortfall95, double? ExpectedShortfall99, double? TailRatio, double? Skew, double? ExcessKurtosis,
    double? Best, double? Worst, double? WinRate, double? AverageWin, double? AverageLoss, double? Payoff, double? ProfitFactor,
    double? GainToPain, double? Kelly, double? Autocorrelation)
{
    /// <param name="returns">Finite, -1 or above.</param>
    /// <param name="trials">How many variants were tried before this one was chosen, itself included.</param>
    /// <param name="trialVariance">Variance of their Sharpe ratios, annualised.</param>
    /// <exception cref="ArgumentException">A return is below -1 or no number.</exception>
    public static ReturnMetrics Of(ReadOnlySpan<double> returns, ReturnConvention convention, int trials = 1, double trialVariance = 0)
    {
        convention.Require();
        foreach (double value in returns)
        {
            if (value is not (>= -1 and < double.PositiveInfinity)) throw new ArgumentException($"a return is {value}; expected -1 or above", nameof(returns));
        }
        int n = returns.Length;
        double root = Math.Sqrt(convention.PeriodsPerYear);
        double[] excess = new double[n];
        double riskFree = convention.RiskFreePerPeriod;
        for (int i = 0; i < n; i++) excess[i] = returns[i] - riskFree;

        double? mean = Statistics.Mean(returns), deviation = Statistics.StandardDeviation(returns), meanExcess = Statistics.Mean(excess);
        double? perPeriod = meanExcess / Positive(deviation);
        double? skew = Statistics.Skewness(returns), kurtosis = Statistics.ExcessKurtosis(returns);
        double? autocorrelation = n < 3 ? null : Statistics.Correlation(returns[..^1], returns[1..]);
        double? penalty = autocorrelation is { } rho ? AutocorrelationPenalty(rho, n) : null;
        double? downside = n == 0 ? null : Positive(Math.Sqrt(SumOf(excess, value => value < 0 ? value * value : 0) / n));
        double? sharpe = perPeriod * root, sortino = meanExcess / downside * root;

        double? total = n == 0 ? null : Statistics.Finite(Compound(returns) - 1);
        double years = convention.Years ?? n / convention.PeriodsPerYear;
        double? cagr = total is { } all && years > 0 ? Statistics.Finite(Math.Pow(1 + all, 1 / years) - 1) : null;

        ImmutableArray<Drawdown> falls = Drawdowns.All(returns);
        Drawdown? deepest = falls.IsEmpty ? null : falls.MinBy(fall => fall.Depth);
        double? maxDrawdown = n == 0 ? null : deepest?.Depth ?? 0;
        double? depth = Positive(-maxDrawdown);
        double[] underwater = Drawdowns.Underwater(returns);

        double? var95 = mean + deviation * Statistics.NormalQuantile(0.05), var99 = mean + deviation * Statistics.NormalQuantile(0.01);
        double[] ascending = Statistics.Ascending(returns);
        double? low = Statistics.Quantile(ascending, 0.05), high = Statistics.Quantile(ascending, 0.95);

        double gains = SumOf(returns, value => Math.Max(value, 0)), losses = -SumOf(returns, value => Math.Min(value, 0));
        int wins = CountOf(returns, value => value > 0), defeats = CountOf(returns, value => value < 0);
        double? winRate = Ratio(wins, wins + defeats), averageWin = Ratio(gains, wins), averageLoss = Ratio(-losses, defeats);
        double? payoff = averageWin / Positive(-averageLoss);

        return new ReturnMetrics(
            n, total, cagr, mean * convention.PeriodsPerYear, deviation * root, deviation * deviation * convention.PeriodsPerYear,
            sharpe, sharpe / penalty,
            Inference((ratio, s, k) => SharpeInference.Probabilistic(ratio, n, s, k)),
            Inference((ratio, s, k) => SharpeInference.Deflated(ratio, n, s, k, trials, trialVariance / convention.PeriodsPerYear)),
            Inference((ratio, s, k) => SharpeInference.MinimumTrackRecordLength(ratio, s, k)),
            sortino, sortino / penalty,
            Ratio(SumOf(excess, value => Math.Max(value, 0)), -SumOf(excess, value => Math.Min(value, 0))), cagr / depth,
            maxDrawdown, deepest, falls.IsEmpty ? maxDrawdown : falls.Average(fall => fall.Depth), n == 0 ? null : falls.IsEmpty ? 0 : falls.Max(fall => fall.Periods),
            Ratio(CountOf(underwater, value => value < 0), n), n < 2 ? null : Math.Sqrt(SumOf(underwater, value => value * value) / (n - 1)), total / depth,
            var95, var99, low, Statistics.Quantile(ascending, 0.01), MeanBelow(returns, var95), MeanBelow(returns, var99),
            high is { } upper && low is { } lower && lower != 0 ? Statistics.Finite(Math.Abs(upper / lower)) : null, skew, kurtosis,
            n == 0 ? null : ascending[^1], n == 0 ? null : ascending[0], winRate, averageWin, averageLoss, payoff, Ratio(gains, losses),
            Ratio(Statistics.Sum(returns), losses), winRate - (1 - winRate) / Positive(payoff), autocorrelation);

        double? Inference(Func<double, double, double, double?> of) =>
            perPeriod is { } ratio && skew is { } s && kurtosis is { } k ? of(ratio, s, k + 3) : null;
    }

    /// <summary>sqrt(1 + 2 sum of (n - k)/n |rho|^k): by how much neighbours that move together make the yearly spread larger.</summary>
    private static double AutocorrelationPenalty(double rho, int count)
    {
        double weight = Math.Abs(rho), power = 1;
        var sum = new CompensatedSum();
        for (int k = 1; k < count && power > 0; k++)
        {
            power *= weight;
            sum.Add((double)(count - k) / count * power);
        }
        return Math.Sqrt(1 + 2 * sum.Value);
    }

    private static double Compound(ReadOnlySpan<double> returns)
    {
        double value = 1;
        foreach (double each in returns) value *= 1 + each;
        return value;
    }

    private static double? MeanBelow(ReadOnlySpan<double> returns, double? bound)
    {
        if (bound is not { } most) return null;
        int count = CountOf(returns, value => value < most);
        return Ratio(SumOf(returns, value => value < most ? value : 0), count);
    }

    private static double SumOf(ReadOnlySpan<double> values, Func<double, double> of)
    {
        var sum = new CompensatedSum();
        foreach (double value in values) sum.Add(of(value));
        return sum.Value;
    }

    private static int CountOf(ReadOnlySpan<double> values, Predicate<double> counts)
    {
        int count = 0;
        foreach (double value in values)
        {
            if (counts(value)) count++;
        }
        return count;
    }

    private static double? Positive(double? value) => value > 0 ? value : null;

    private static double? Ratio(double part, double whole) => whole > 0 ? Statistics.Finite(part / whole) : null;
}

/// <summary>The figures of a return series against a benchmark's returns of the same periods; null where undefined.</summary>
/// <param name="Total">Compounded return of the benchmark.</param>
/// <param name="Beta">Covariance / variance of the benchmark, of excess returns.</param>
/// <param name="Alpha">Jensen's (1968): annualised mean excess - beta x that of the benchmark (arithmetic, x periods).</param>
/// <param name="Correlation">Pearson's.</param>
/// <param name="TrackingError">Standard deviation of the differences x sqrt(periods).</param>
/// <param name="InformationRatio">Mean difference x periods / tracking error.</param>
/// <param name="Treynor">Annualised mean excess / beta.</param>
public sealed record BenchmarkMetrics(
    double? Total, double? Beta, double? Alpha, double? Correlation, double? TrackingError, double? InformationRatio, double? Treynor)
{
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static BenchmarkMetrics Of(ReadOnlySpan<double> returns, ReadOnlySpan<double> benchmark, ReturnConvention convention)
    {
        convention.Require();
        double? covariance = Statistics.Covariance(returns, benchmark);
        double? variance = Statistics.Variance(benchmark) is > 0 and { } spread ? spread : null;
        double? beta = covariance / variance;
        double riskFree = convention.RiskFreePerPeriod, periods = convention.PeriodsPerYear;
        double? excess = (Statistics.Mean(returns) - riskFree) * periods, market = (Statistics.Mean(benchmark) - riskFree) * periods;
        double[] differences = new double[returns.Length];
        double value = 1;
        for (int i = 0; i < differences.Length; i++)
        {
            differences[i] = returns[i] - benchmark[i];
            value *= 1 + benchmark[i];
        }
        double? error = Statistics.StandardDeviation(differences) * Math.Sqrt(periods);
        return new BenchmarkMetrics(
            benchmark.IsEmpty ? null : Statistics.Finite(value - 1), beta, excess - beta * market, Statistics.Correlation(returns, benchmark), error,
            error is > 0 ? Statistics.Mean(differences) * periods / error : null, beta is { } slope && slope != 0 ? Statistics.Finite((excess / slope)!.Value) : null);
    }
}
