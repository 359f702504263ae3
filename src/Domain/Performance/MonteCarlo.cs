using HybridTrading.Domain.Markets.Simulation;

namespace HybridTrading.Domain.Performance;

/// <summary>Where the paths stand after a share of the steps: quantiles over the paths.</summary>
/// <param name="Step">Steps taken (trades or returns).</param>
public readonly record struct Band(int Step, double P5, double P25, double P50, double P75, double P95);

/// <summary>Quantiles of one figure over the paths.</summary>
public sealed record Spread(double P5, double P25, double P50, double P75, double P95)
{
    internal static Spread Of(double[] values)
    {
        Array.Sort(values);
        double At(double share) => Statistics.Quantile(values, share)!.Value;
        return new Spread(At(0.05), At(0.25), At(0.5), At(0.75), At(0.95));
    }
}

/// <summary>Simulated paths of an equity.</summary>
/// <param name="Method">How the paths are drawn.</param>
/// <param name="MeanBlock">Mean length of the blocks drawn, in returns; null where none are.</param>
/// <param name="Bands">Equity along the way, the start included, at 120 steps or fewer.</param>
/// <param name="Final">Equity at the end.</param>
/// <param name="MaxDrawdown">Largest fall from a peak, as a share of the peak, below 0.</param>
/// <param name="LossProbability">Share of the paths that end below the start.</param>
public sealed record MonteCarloResult(
    string Method, int Paths, ulong Seed, double? MeanBlock, ImmutableArray<Band> Bands, Spread Final, Spread MaxDrawdown, double LossProbability);

/// <summary>
/// What else could have come of the same trades or returns. The generator is SplitMix64 from a seed: the same seed draws the same paths on every machine.
/// </summary>
public static class MonteCarlo
{
    public const int DefaultPaths = 1000, MostPaths = 100_000;
    private const int MostBands = 120;

    /// <summary>The trades in other orders (Fisher-Yates): the end is the same on each path, the way there is not.</summary>
    /// <param name="results">Net results of the closed trades, in money.</param>
    /// <param name="start">Equity before the first, above 0.</param>
    /// <returns>Null for fewer than two trades.</returns>
    public static MonteCarloResult? ShuffleTrades(ReadOnlySpan<double> results, double start, ulong seed = 1, int paths = DefaultPaths)
    {
        double[] order = results.ToArray();
        return Simulate("shuffled trades", null, order, compound: false, start, seed, paths, (ref random) =>
        {
            for (int i = order.Length - 1; i > 0; i--)
            {
                int other = Below(ref random, i + 1);
                (order[i], order[other]) = (order[other], order[i]);
            }
        });
    }

    /// <summary>Trades drawn with replacement: as many, any of them more than once.</summary>
    /// <inheritdoc cref="ShuffleTrades"/>
    public static MonteCarloResult? ResampleTrades(ReadOnlySpan<double> results, double start, ulong seed = 1, int paths = DefaultPaths)
    {
        double[] all = results.ToArray(), drawn = new double[all.Length];
        return Simulate("resampled trades", null, drawn, compound: false, start, seed, paths, (ref random) =>
        {
            for (int i = 0; i < drawn.Length; i++) drawn[i] = all[Below(ref random, all.Length)];
        });
    }

    /// <summary>
    /// Stationary bootstrap (Politis and Romano 1994): blocks of returns of geometric length, from uniform places of the series bent to a circle, so that
    /// what hangs together in time stays together.
    /// </summary>
    /// <param name="returns">Simple returns, compounded.</param>
    /// <param name="start">Equity before the first, above 0.</param>
    /// <param name="meanBlock">1 or more; null: the cube root of the count, the rate at which the optimal length grows.</param>
    /// <returns>Null for fewer than two returns.</returns>
    public static MonteCarloResult? Bootstrap(ReadOnlySpan<double> returns, double start, ulong seed = 1, int paths = DefaultPaths, double? meanBlock = null)
    {
        double[] all = returns.ToArray(), drawn = new double[all.Length];
        double mean = meanBlock ?? Math.Max(1, Math.Ceiling(Math.Cbrt(all.Length)));
        if (mean is not (>= 1 and <= 1e9)) throw new ArgumentOutOfRangeException(nameof(meanBlock), meanBlock, "expected 1 or more");
        return Simulate("stationary bootstrap of daily returns", mean, drawn, compound: true, start, seed, paths, (ref random) =>
        {
            int place = Below(ref random, all.Length);
            drawn[0] = all[place];
            for (int i = 1; i < drawn.Length; i++)
            {
                place = random.NextUniform() < 1 / mean ? Below(ref random, all.Length) : (place + 1) % all.Length;
                drawn[i] = all[place];
            }
        });
    }

    private delegate void Draw(ref SplitMix64 random);

    /// <param name="steps">Where <paramref name="draw"/> leaves the steps of a path.</param>
    /// <param name="compound">Steps are returns; else they are amounts.</param>
    private static MonteCarloResult? Simulate(
        string method, double? meanBlock, double[] steps, bool compound, double start, ulong seed, int paths, Draw draw)
    {
        if (start is not (> 0 and < double.PositiveInfinity)) throw new ArgumentOutOfRangeException(nameof(start), start, "expected more than 0");
        if (paths is < 1 or > MostPaths) throw new ArgumentOutOfRangeException(nameof(paths), paths, $"expected 1 to {MostPaths}");
        if (steps.Length < 2) return null;
        int bands = Math.Min(MostBands, steps.Length);
        int[] stepOf = [.. Enumerable.Range(0, bands + 1).Select(band => (int)((long)band * steps.Length / bands))];
        double[][] at = [.. stepOf.Select(_ => new double[paths])];
        double[] drawdowns = new double[paths];
        var random = new SplitMix64(seed);
        int lost = 0;
        for (int path = 0; path < paths; path++)
        {
            draw(ref random);
            double equity = start, peak = start, deepest = 0;
            for (int step = 0, band = 0; ; step++)
            {
                if (step == stepOf[band]) at[band++][path] = equity;
                if (step == steps.Length) break;
                equity = compound ? equity * (1 + steps[step]) : equity + steps[step];
                if (equity > peak) peak = equity;
                else deepest = Math.Min(deepest, equity / peak - 1);
            }
            drawdowns[path] = deepest;
            if (equity < start) lost++;
        }
        ImmutableArray<Band> all = [.. stepOf.Zip(at, (step, values) =>
        {
            Spread spread = Spread.Of(values);
            return new Band(step, spread.P5, spread.P25, spread.P50, spread.P75, spread.P95);
        })];
        return new MonteCarloResult(method, paths, seed, meanBlock, all, Spread.Of(at[^1]), Spread.Of(drawdowns), (double)lost / paths);
    }

    private static int Below(ref SplitMix64 random, int bound) => (int)(random.NextUniform() * bound);
}
