namespace HybridTrading.Domain.Performance;

/// <summary>What combinatorially symmetric cross-validation says of a choice among variants.</summary>
/// <param name="Probability">Share of the splits in which the best variant in sample is no better than the median out of sample, 0 to 1.</param>
/// <param name="Combinations">Splits, S over S/2.</param>
/// <param name="MedianLogit">Median of the logits of the relative rank out of sample; below 0 is worse than the median variant.</param>
/// <param name="LossProbability">Share of the splits in which the chosen variant's Sharpe ratio out of sample is below 0.</param>
/// <param name="DegradationSlope">Of the regression of its Sharpe ratio out of sample on that in sample; null without spread.</param>
public sealed record OverfittingResult(double Probability, int Combinations, double MedianLogit, double LossProbability, double? DegradationSlope);

/// <summary>
/// Probability of back-test overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado and Zhu 2015): the rows are cut into
/// S blocks of equal length; for each half of the blocks the variant with the highest Sharpe ratio is chosen, and its rank in the other half is looked up.
/// </summary>
public static class Overfitting
{
    public const int MostBlocks = 20;

    /// <param name="variants">The returns of each variant over the same periods.</param>
    /// <param name="blocks">S, even, 2 to <see cref="MostBlocks"/>; what does not fill a block is left out at the beginning.</param>
    /// <exception cref="ArgumentException">Fewer than two variants, different lengths, fewer than two returns a block, S out of range.</exception>
    public static OverfittingResult Assess(IReadOnlyList<double[]> variants, int blocks = 16)
    {
        if (variants.Count < 2) throw new ArgumentException($"{variants.Count} variants; expected 2 or more", nameof(variants));
        if (blocks is < 2 or > MostBlocks || blocks % 2 != 0) throw new ArgumentException($"blocks is {blocks}; expected an even number from 2 to {MostBlocks}", nameof(blocks));
        int rows = variants[0].Length;
        if (variants.FirstOrDefault(variant => variant.Length != rows) is { } other) throw new ArgumentException($"variants of {rows} and {other.Length} returns; expected as many each", nameof(variants));
        int length = rows / blocks;
        if (length < 2) throw new ArgumentException($"{rows} returns for {blocks} blocks; expected {2 * blocks} or more", nameof(variants));

        Moments[,] moments = new Moments[variants.Count, blocks];
        for (int v = 0; v < variants.Count; v++)
        {
            for (int b = 0; b < blocks; b++) moments[v, b] = Moments.Of(variants[v].AsSpan(rows - (blocks - b) * length, length));
        }

        List<double> logits = [], inSample = [], outOfSample = [];
        double[] there = new double[variants.Count];
        for (uint chosen = 0; chosen < 1u << blocks; chosen++)
        {
            if (System.Numerics.BitOperations.PopCount(chosen) != blocks / 2) continue;
            int best = 0;
            double highest = double.NegativeInfinity;
            for (int v = 0; v < variants.Count; v++)
            {
                double here = Sharpe(moments, v, chosen, length);
                there[v] = Sharpe(moments, v, ~chosen & ((1u << blocks) - 1), length);
                if (here > highest) (best, highest) = (v, here);
            }
            // Equal variants share their ranks.
            double rank = there.Count(value => value < there[best]) + (there.Count(value => value == there[best]) + 1) / 2.0;
            double relative = rank / (variants.Count + 1);
            logits.Add(Math.Log(relative / (1 - relative)));
            inSample.Add(highest);
            outOfSample.Add(there[best]);
        }
        double[] ordered = [.. logits.Order()];
        double[] x = [.. inSample], y = [.. outOfSample];
        double? slope = Statistics.Variance(x) is > 0 and { } spread ? Statistics.Covariance(x, y) / spread : null;
        return new OverfittingResult(
            (double)ordered.Count(logit => logit <= 0) / ordered.Length, ordered.Length, Statistics.Quantile(ordered, 0.5)!.Value,
            (double)y.Count(sharpe => sharpe < 0) / y.Length, slope);
    }

    /// <summary>Mean / standard deviation over the chosen blocks; without spread 0 has no say, a gain or loss all of it.</summary>
    private static double Sharpe(Moments[,] moments, int variant, uint chosen, int length)
    {
        double sum = 0, squares = 0;
        int count = 0;
        for (int b = 0; b < moments.GetLength(1); b++)
        {
            if ((chosen >> b & 1) == 0) continue;
            sum += moments[variant, b].Sum;
            count += length;
        }
        double mean = sum / count;
        for (int b = 0; b < moments.GetLength(1); b++)
        {
            if ((chosen >> b & 1) == 0) continue;
            // Squares around the common mean from those around the block's own: nothing cancels.
            double shift = moments[variant, b].Sum / length - mean;
            squares += moments[variant, b].Squares + length * shift * shift;
        }
        return squares > 0 ? mean / Math.Sqrt(squares / (count - 1)) : mean == 0 ? 0 : Math.Sign(mean) * double.MaxValue;
    }

    /// <param name="Squares">Sum of squared deviations from the block's mean.</param>
    private readonly record struct Moments(double Sum, double Squares)
    {
        public static Moments Of(ReadOnlySpan<double> values) =>
            new(Statistics.Sum(values), Statistics.Variance(values)!.Value * (values.Length - 1));
    }
}
