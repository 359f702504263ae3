namespace HybridTrading.Domain.Performance;

/// <summary>A fall from a peak of compounded returns, until the peak is reached again.</summary>
/// <param name="Peak">How many returns lie before the fall: 0 when it begins with the first.</param>
/// <param name="Trough">Index of the return that ends at the lowest value.</param>
/// <param name="Recovery">Index of the return that reaches the peak again; null while under water.</param>
/// <param name="Depth">Lowest value / peak - 1, below 0.</param>
/// <param name="Periods">Returns under water.</param>
public readonly record struct Drawdown(int Peak, int Trough, int? Recovery, double Depth, int Periods);

/// <summary>Falls of a series of simple returns, compounded from 1; the start counts as the first peak.</summary>
public static class Drawdowns
{
    /// <summary>Value / highest value so far - 1, after each return.</summary>
    public static double[] Underwater(ReadOnlySpan<double> returns)
    {
        double[] depths = new double[returns.Length];
        double value = 1, peak = 1;
        for (int i = 0; i < returns.Length; i++)
        {
            value *= 1 + returns[i];
            peak = Math.Max(peak, value);
            depths[i] = value / peak - 1;
        }
        return depths;
    }

    /// <summary>All falls in order of time.</summary>
    public static ImmutableArray<Drawdown> All(ReadOnlySpan<double> returns)
    {
        double[] depths = Underwater(returns);
        ImmutableArray<Drawdown>.Builder all = ImmutableArray.CreateBuilder<Drawdown>();
        for (int i = 0; i < depths.Length; i++)
        {
            if (depths[i] >= 0) continue;
            int start = i, trough = i;
            for (; i < depths.Length && depths[i] < 0; i++)
            {
                if (depths[i] < depths[trough]) trough = i;
            }
            all.Add(new Drawdown(start, trough, i < depths.Length ? i : null, depths[trough], i - start));
        }
        return all.ToImmutable();
    }
}
