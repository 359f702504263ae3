using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Domain.Optimisation;

/// <summary>What a walk-forward says of a strategy.</summary>
public enum WalkForwardFinding
{
    /// <summary>Too few days or trades out of sample to say anything.</summary>
    NotEnoughData,

    /// <summary>What was seen can well be chance.</summary>
    NoEdgeShown,

    /// <summary>More than chance, by every test that decides.</summary>
    EdgeShown,
}

/// <summary>One piece of evidence.</summary>
/// <param name="Passed">Null for what is told and decides nothing.</param>
/// <param name="Text">A sentence with figure and bound.</param>
[GenerateSerializer, Immutable, Alias("ht.WalkForwardEvidence")]
public sealed record WalkForwardEvidence(string Name, double? Value, bool? Passed, string Text);

/// <summary>The finding with its evidence. An edge is shown only where all that decides passes.</summary>
[GenerateSerializer, Immutable, Alias("ht.WalkForwardVerdict")]
public sealed record WalkForwardVerdict(WalkForwardFinding Finding, string Text, ImmutableArray<WalkForwardEvidence> Evidence)
{
    /// <summary>
    /// Level of the test on the stitched days: of strategies without an edge at most this share passes it, and fewer pass the rest as well. Half of the
    /// 1 % that is promised; the other half is for what the bootstrap approximates.
    /// </summary>
    public const double Level = 0.005;

    public const double DeflatedAtLeast = 0.95;
    public const int LeastDays = 250, LeastTrades = 30;
    private const int Resamples = 4999;

    /// <param name="returns">The stitched out-of-sample days.</param>
    /// <param name="trades">Closed out of sample.</param>
    internal static WalkForwardVerdict Of(
        double[] returns, double periods, int trades, int trials, double? inSharpe, double? deflated, OverfittingResult? overfitting, ulong seed)
    {
        double? sharpe = Statistics.StandardDeviation(returns) is > 0 and { } deviation ? Statistics.Mean(returns) / deviation * Math.Sqrt(periods) : null;
        bool enough = returns.Length >= LeastDays && trades >= LeastTrades;
        double? chance = sharpe is null ? null : Chance(returns, seed);
        static string N(double? value, string format = "0.00") => value is { } number ? number.ToString(format, System.Globalization.CultureInfo.InvariantCulture) : "undefined";
        ImmutableArray<WalkForwardEvidence> evidence =
        [
            new("data", returns.Length, enough, $"{returns.Length} days and {trades} trades out of sample; {LeastDays} and {LeastTrades} are needed"),
            new("chance", chance, chance <= Level, $"days without an edge would reach the out-of-sample Sharpe ratio of {N(sharpe)} with a probability of {N(chance, "0.0000")} (block bootstrap); at most {Level} passes"),
            new("deflatedSharpe", deflated, deflated >= DeflatedAtLeast, $"the best of {trials} trials is better than the best of so many without skill with a probability of {N(deflated, "0.000")} (deflated Sharpe ratio); {DeflatedAtLeast} or more passes"),
            new("overfitting", overfitting?.Probability, null, $"probability of overfitting {N(overfitting?.Probability)}: how often the best of one half of the days is no better than the median trial in the other; near 0.5 also where all trials are alike"),
            new("lossOutOfSample", overfitting?.LossProbability, null, $"in {N(overfitting?.LossProbability)} of those splits what was best in one half lost in the other"),
            new("retained", inSharpe > 0 ? sharpe / inSharpe : null, null, $"Sharpe ratio {N(inSharpe)} in sample, {N(sharpe)} out of sample"),
        ];
        WalkForwardFinding finding = !enough ? WalkForwardFinding.NotEnoughData
            : evidence.All(each => each.Passed != false) && chance is not null && deflated is not null ? WalkForwardFinding.EdgeShown : WalkForwardFinding.NoEdgeShown;
        string text = finding switch
        {
            WalkForwardFinding.NotEnoughData => "Not enough data out of sample to tell skill from chance.",
            WalkForwardFinding.EdgeShown => "An edge is shown: out of sample it is more than chance, and more than the best of so many trials would be by luck. It says nothing of the future of the market.",
            _ => $"No edge is shown: {string.Join("; ", evidence.Where(each => each.Passed == false).Select(each => each.Text))}.",
        };
        return new WalkForwardVerdict(finding, text, evidence);
    }

    /// <summary>
    /// Probability that days with the same distribution and dependence, but a mean of 0, come to as high a Sharpe ratio: stationary bootstrap (Politis and
    /// Romano 1994) of the centred returns, blocks of a mean length of the cube root of their number; (1 + as high) / (1 + resamples).
    /// </summary>
    internal static double Chance(double[] returns, ulong seed)
    {
        int n = returns.Length;
        double mean = Statistics.Mean(returns)!.Value;
        double[] centred = [.. returns.Select(each => each - mean)];
        double seen = Ratio(mean * n, returns.Sum(each => each * each), n), renew = 1 / Math.Max(1, Math.Ceiling(Math.Cbrt(n)));
        var random = new SplitMix64(seed);
        int asHigh = 0;
        for (int resample = 0; resample < Resamples; resample++)
        {
            double sum = 0, squares = 0;
            int place = 0;
            for (int i = 0; i < n; i++)
            {
                if (i == 0 || random.NextUniform() < renew) place = (int)(random.NextUniform() * n);
                else if (++place == n) place = 0;
                double value = centred[place];
                sum += value;
                squares += value * value;
            }
            if (Ratio(sum, squares, n) >= seen) asHigh++;
        }
        return (1.0 + asHigh) / (1 + Resamples);
    }

    private static double Ratio(double sum, double squares, int n) =>
        squares - sum * sum / n is > 0 and var spread ? sum / n / Math.Sqrt(spread / (n - 1)) : 0;
}
