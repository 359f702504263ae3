namespace HybridTrading.Domain.Performance;

/// <summary>A sum of doubles with the rounding errors carried along (Neumaier 1974): exact to the last digits however many are added.</summary>
public struct CompensatedSum
{
    private double _sum, _lost;

    public void Add(double value)
    {
        double next = _sum + value;
        _lost += Math.Abs(_sum) >= Math.Abs(value) ? _sum - next + value : value - next + _sum;
        _sum = next;
    }

    public readonly double Value => _sum + _lost;
}

/// <summary>Sample statistics in double precision. What is undefined for a sample (too few values, no spread) is null, never NaN.</summary>
public static class Statistics
{
    public static double Sum(ReadOnlySpan<double> values)
    {
        var sum = new CompensatedSum();
        foreach (double value in values) sum.Add(value);
        return sum.Value;
    }

    public static double? Mean(ReadOnlySpan<double> values) => values.IsEmpty ? null : Sum(values) / values.Length;

    /// <summary>Sum of (x - mean)^2 / (n - 1); null for fewer than two values.</summary>
    public static double? Variance(ReadOnlySpan<double> values)
    {
        if (values.Length < 2) return null;
        // Equal values have no spread, whatever the rounding of their mean says.
        return IsConstant(values) ? 0 : CentralSum(values, 2) / (values.Length - 1);
    }

    public static double? StandardDeviation(ReadOnlySpan<double> values) => Variance(values) is { } variance ? Math.Sqrt(variance) : null;

    /// <summary>Adjusted Fisher-Pearson skewness G1 (Joanes and Gill 1998); null for fewer than three values or no spread.</summary>
    public static double? Skewness(ReadOnlySpan<double> values)
    {
        double n = values.Length;
        if (n < 3 || IsConstant(values)) return null;
        double second = CentralSum(values, 2) / n, third = CentralSum(values, 3) / n;
        return Finite(third / Math.Pow(second, 1.5) * Math.Sqrt(n * (n - 1)) / (n - 2));
    }

    /// <summary>Excess kurtosis G2 (Joanes and Gill 1998; 0 for a normal distribution); null for fewer than four values or no spread.</summary>
    public static double? ExcessKurtosis(ReadOnlySpan<double> values)
    {
        double n = values.Length;
        if (n < 4 || IsConstant(values)) return null;
        double second = CentralSum(values, 2) / n, fourth = CentralSum(values, 4) / n;
        return Finite((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth / (second * second) - 3) + 6));
    }

    /// <summary>Pearson's correlation; null for fewer than two pairs or where one side has no spread.</summary>
    public static double? Correlation(ReadOnlySpan<double> x, ReadOnlySpan<double> y) =>
        Covariance(x, y) is { } covariance && Variance(x) is > 0 and { } ofX && Variance(y) is > 0 and { } ofY
            ? Finite(covariance / Math.Sqrt(ofX * ofY)) : null;

    /// <summary>Sum of (x - mean x)(y - mean y) / (n - 1); null for fewer than two pairs.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? Covariance(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length) throw new ArgumentException($"{y.Length} values for {x.Length}; expected as many", nameof(y));
        if (x.Length < 2) return null;
        double meanX = Sum(x) / x.Length, meanY = Sum(y) / y.Length;
        var sum = new CompensatedSum();
        for (int i = 0; i < x.Length; i++) sum.Add((x[i] - meanX) * (y[i] - meanY));
        return sum.Value / (x.Length - 1);
    }

    /// <summary>Quantile of ascending values with linear interpolation at (n - 1) p (Hyndman and Fan 1996, type 7); null for none.</summary>
    /// <param name="share">0 to 1.</param>
    public static double? Quantile(ReadOnlySpan<double> ascending, double share)
    {
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "expected 0 to 1");
        if (ascending.IsEmpty) return null;
        double place = (ascending.Length - 1) * share;
        int below = (int)place, above = Math.Min(below + 1, ascending.Length - 1);
        return ascending[below] + (place - below) * (ascending[above] - ascending[below]);
    }

    public static double[] Ascending(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray();
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>Standard normal distribution function: Marsaglia's series (2004), in the tails the continued fraction of Mills' ratio.</summary>
    public static double NormalCdf(double x)
    {
        const double tail = 6;
        double density = NormalDensity(x);
        if (Math.Abs(x) > tail)
        {
            double fraction = Math.Abs(x);
            for (int k = 60; k > 0; k--) fraction = Math.Abs(x) + k / fraction;
            return x < 0 ? density / fraction : 1 - density / fraction;
        }
        double term = x, sum = x, before = 0;
        for (int k = 3; sum != before; k += 2)
        {
            before = sum;
            term *= x * x / k;
            sum += term;
        }
        return 0.5 + sum * density;
    }

    /// <summary>Inverse of <see cref="NormalCdf"/>: the rational approximation 26.2.23 of Abramowitz and Stegun, improved by Halley's method.</summary>
    /// <param name="p">Between 0 and 1, exclusively.</param>
    public static double NormalQuantile(double p)
    {
        if (p is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(p), p, "expected more than 0 and less than 1");
        if (p == 0.5) return 0;
        if (p > 0.5) return -NormalQuantile(1 - p);
        double t = Math.Sqrt(-2 * Math.Log(p));
        double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
        for (int step = 0; step < 3; step++)
        {
            double error = (NormalCdf(x) - p) / NormalDensity(x);
            x -= error / (1 + x * error / 2);
        }
        return x;
    }

    /// <summary>The value, or null where it is infinite or no number: JSON has neither.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;

    internal static bool IsConstant(ReadOnlySpan<double> values) => values.IsEmpty || values.IndexOfAnyExcept(values[0]) < 0;

    private static double NormalDensity(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    private static double CentralSum(ReadOnlySpan<double> values, int power)
    {
        double mean = Sum(values) / values.Length;
        var sum = new CompensatedSum();
        foreach (double value in values)
        {
            double deviation = value - mean, square = deviation * deviation;
            sum.Add(power switch { 2 => square, 3 => square * deviation, _ => square * square });
        }
        return sum.Value;
    }
}
