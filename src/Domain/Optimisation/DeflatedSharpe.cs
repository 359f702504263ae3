using HybridTrading.Domain.Performance;

namespace HybridTrading.Domain.Optimisation;

/// <summary>The deflated Sharpe ratio of the best trial of a search (Bailey and Lopez de Prado 2014).</summary>
public static class DeflatedSharpe
{
    /// <param name="returns">Of the best trial, a period each.</param>
    /// <param name="sharpes">Of all trials that have one, a period each (not annualised).</param>
    /// <param name="trials">How many were made, 1 or more.</param>
    /// <returns>Probability 0 to 1; null where the returns define none.</returns>
    public static double? Of(double[] returns, double[] sharpes, int trials) =>
        Statistics.Mean(returns) / Statistics.StandardDeviation(returns) is { } sharpe && double.IsFinite(sharpe)
        && Statistics.Skewness(returns) is { } skew && Statistics.ExcessKurtosis(returns) is { } excess
            ? SharpeInference.Deflated(sharpe, returns.Length, skew, excess + 3, trials, Statistics.Variance(sharpes) ?? 0) : null;
}
