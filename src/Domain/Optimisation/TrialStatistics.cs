using HybridTrading.Domain.Performance;

namespace HybridTrading.Domain.Optimisation;

/// <summary>What came of one trial. Figures that a run does not define (no trade, no loss, no spread) are null.</summary>
/// <param name="NetReturn">Net profit / opening deposits.</param>
/// <param name="MaxDrawdown">Largest fall from a peak at any mark, as a share of the peak.</param>
/// <param name="MaxDrawdownMoney">Largest fall between ends of trading days, in account currency.</param>
/// <param name="HoldingDays">Mean time from entry to exit of the closed trades, in days.</param>
/// <param name="Expectancy">Mean result of the closed trades / mean loss of those that lost.</param>
/// <param name="Sharpe">Of trades: mean / standard deviation of their results x sqrt(trades a year).</param>
/// <param name="Sortino">Of trades: mean / sqrt(mean squared loss) x sqrt(trades a year).</param>
/// <param name="SharpeDaily">Of daily returns, annualised, as in <see cref="ReturnMetrics"/>.</param>
/// <param name="SortinoDaily">Likewise.</param>
/// <param name="Calmar">Compound annual growth rate / largest fall between ends of days.</param>
[GenerateSerializer, Immutable, Alias("ht.TrialStatistics")]
public sealed record TrialStatistics(
    decimal FinalEquity, decimal NetProfit, double NetReturn, decimal Fees, decimal Swap, double MaxDrawdown, double MaxDrawdownMoney,
    int Orders, int ClosedTrades, int WonTrades, double? ProfitFactor, double? Expectancy, double? HoldingDays,
    double? Sharpe, double? Sortino, double? SharpeDaily, double? SortinoDaily, double? Calmar);

/// <summary>What a search wants to be high, and under which conditions.</summary>
/// <param name="Name">As <c>--objective</c> takes it.</param>
/// <param name="Value">Of a trial; null where it is not defined, which ranks last.</param>
public sealed record Objective(string Name, string Description, Func<TrialStatistics, double?> Value)
{
    /// <summary>All objectives: for each the higher is the better.</summary>
    public static readonly ImmutableArray<Objective> All =
    [
        new("sharpe-daily", "Sharpe ratio of daily returns, annualised", trial => trial.SharpeDaily),
        new("sharpe", "Sharpe ratio of the trades, annualised by their number", trial => trial.Sharpe),
        new("sortino-daily", "Sortino ratio of daily returns, annualised", trial => trial.SortinoDaily),
        new("sortino", "Sortino ratio of the trades, annualised by their number", trial => trial.Sortino),
        new("calmar", "annual growth by the largest drawdown of daily equity", trial => trial.Calmar),
        new("profit", "net profit", trial => (double)trial.NetProfit),
        new("profit-drawdown", "net profit less the largest fall of daily equity", trial => (double)trial.NetProfit - trial.MaxDrawdownMoney),
        new("max-drawdown", "the smallest fall of daily equity, in money", trial => trial.ClosedTrades == 0 ? null : -trial.MaxDrawdownMoney),
        new("max-drawdown-relative", "the smallest drawdown, as a share of the peak", trial => trial.ClosedTrades == 0 ? null : -trial.MaxDrawdown),
        new("short-trades", "net return by a day that a trade takes", trial => trial.HoldingDays is > 0 and { } days ? trial.NetReturn * (trial.NetReturn > 0 ? 1 / days : days) : null),
        new("multi", "net return x ln(1 + profit factor) x ln(1 + expectancy) x win rate x min(1, trades / 30) / (1 + drawdown); a loss stands as it is", Multi),
    ];

    /// <exception cref="ArgumentException">Unknown name; the message has all.</exception>
    public static Objective Find(string name) => All.FirstOrDefault(each => each.Name == name)
        ?? throw new ArgumentException($"objective is '{name}'; expected {string.Join(", ", All.Select(each => each.Name))}");

    private static double? Multi(TrialStatistics trial)
    {
        if (trial.ClosedTrades == 0) return null;
        if (trial.NetReturn <= 0) return trial.NetReturn;
        // Without a single loss both are without bound; a cap keeps such a trial comparable.
        const double cap = 10;
        double factor = Math.Min(trial.ProfitFactor ?? cap, cap), expectancy = Math.Clamp(trial.Expectancy ?? cap, 0, cap);
        return trial.NetReturn * Math.Log(1 + factor) * Math.Log(1 + expectancy) * ((double)trial.WonTrades / trial.ClosedTrades)
            * Math.Min(1, trial.ClosedTrades / 30.0) / (1 + trial.MaxDrawdown);
    }
}

/// <summary>What a trial must keep to.</summary>
/// <param name="MinTrades">Closed trades.</param>
/// <param name="MaxDrawdownPercent">Null for any.</param>
public sealed record TrialConstraints(int MinTrades = 1, double? MaxDrawdownPercent = null)
{
    /// <summary>What a trial does not keep to; null when it keeps to all.</summary>
    public string? Broken(TrialStatistics trial) =>
        trial.ClosedTrades < MinTrades ? $"{trial.ClosedTrades} trades"
        : trial.MaxDrawdown * 100 > MaxDrawdownPercent ? FormattableString.Invariant($"drawdown {trial.MaxDrawdown * 100:0.##} %") : null;
}
