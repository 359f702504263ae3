namespace HybridTrading.Domain.Performance;

/// <summary>How a figure is written.</summary>
public enum MetricFormat { Ratio, Percent, Money, Count, Duration, Days }

/// <summary>One figure of a <see cref="RunAnalysis"/>.</summary>
/// <param name="Path">Where it stands in the JSON, for example <c>returns.sharpe</c>.</param>
/// <param name="Convention">Formula, unit, annualisation and source in a line.</param>
public sealed record Metric(string Path, string Title, MetricFormat Format, string Convention);

/// <summary>Figures that are read together.</summary>
public sealed record MetricGroup(string Title, ImmutableArray<Metric> Metrics);

/// <summary>
/// The figures of an analysis with the convention of each: one list for the tear sheet, the comparison and the documentation.
/// P is periods a year, r a return, rf the risk-free return of a period.
/// </summary>
public static class MetricCatalog
{
    public static readonly ImmutableArray<MetricGroup> Groups =
    [
        new("Result",
        [
            new("equity.start", "Start equity", MetricFormat.Money, "account currency, all accounts together"),
            new("equity.end", "End equity", MetricFormat.Money, "at the last market event, open positions marked: longs at the bid, shorts at the ask"),
            new("equity.net", "Net profit", MetricFormat.Money, "end less start, after all costs"),
            new("returns.total", "Total return", MetricFormat.Percent, "product of (1 + r) - 1, over trading days"),
            new("returns.cagr", "CAGR", MetricFormat.Percent, "(1 + total)^(1 / calendar years of 365.25 days) - 1"),
            new("benchmark.total", "Benchmark return", MetricFormat.Percent, "buy and hold over the same days: the market change"),
            new("equity.highest", "Highest equity", MetricFormat.Money, "marked at every market event"),
            new("equity.lowest", "Lowest equity", MetricFormat.Money, "marked at every market event"),
            new("activity.winningDays", "Winning days", MetricFormat.Count, "daily returns above 0"),
            new("activity.losingDays", "Losing days", MetricFormat.Count, "daily returns below 0"),
            new("activity.flatDays", "Flat days", MetricFormat.Count, "daily returns of exactly 0"),
            new("activity.winningMonths", "Winning months", MetricFormat.Count, "calendar months whose compounded return is above 0"),
        ]),
        new("Risk-adjusted",
        [
            new("returns.sharpe", "Sharpe ratio", MetricFormat.Ratio, "mean (r - rf) / sample standard deviation x sqrt(P) (Sharpe 1994)"),
            new("returns.smartSharpe", "Smart Sharpe", MetricFormat.Ratio, "Sharpe / sqrt(1 + 2 sum over k of (n - k)/n |rho|^k), rho the autocorrelation of lag 1"),
            new("returns.probabilisticSharpe", "Probabilistic Sharpe", MetricFormat.Percent, "probability that the true ratio is above 0; skew and whole kurtosis counted (Bailey, Lopez de Prado 2012)"),
            new("returns.deflatedSharpe", "Deflated Sharpe", MetricFormat.Percent, "the same against the best of the trials told (2014); one trial: the probabilistic one"),
            new("returns.minimumTrackRecord", "Minimum track record", MetricFormat.Count, "returns needed for 95 % probability that the ratio is above 0; none where it is not (2012)"),
            new("returns.sortino", "Sortino ratio", MetricFormat.Ratio, "mean (r - rf) / sqrt(sum of squared negative (r - rf) / n) x sqrt(P)"),
            new("returns.smartSortino", "Smart Sortino", MetricFormat.Ratio, "Sortino with the penalty of the smart Sharpe"),
            new("returns.omega", "Omega", MetricFormat.Ratio, "sum of positive (r - rf) / sum of negative (Keating, Shadwick 2002)"),
            new("returns.calmar", "Calmar", MetricFormat.Ratio, "CAGR / largest drawdown of daily equity, over the whole run"),
            new("returns.gainToPain", "Gain to pain", MetricFormat.Ratio, "sum of returns / sum of losses (Schwager)"),
            new("returns.kelly", "Kelly share", MetricFormat.Percent, "win rate - (1 - win rate) / payoff, of daily returns"),
            new("returns.recoveryFactor", "Recovery factor", MetricFormat.Ratio, "total return / largest drawdown of daily equity"),
        ]),
        new("Risk",
        [
            new("returns.volatility", "Volatility", MetricFormat.Percent, "sample standard deviation (n - 1) x sqrt(P)"),
            new("returns.annualVariance", "Annual variance", MetricFormat.Ratio, "volatility squared"),
            new("returns.maxDrawdown", "Max drawdown, daily", MetricFormat.Percent, "lowest daily equity / highest before - 1; the start is a peak"),
            new("equity.maxDrawdown", "Max drawdown, marked", MetricFormat.Percent, "the same with equity marked at every market event"),
            new("returns.averageDrawdown", "Average drawdown", MetricFormat.Percent, "mean depth of all falls of daily equity"),
            new("returns.longestDrawdown", "Longest drawdown", MetricFormat.Days, "returns under water in the longest fall: the recovery time"),
            new("returns.underwaterShare", "Time under water", MetricFormat.Percent, "share of days that end below an earlier one"),
            new("returns.ulcerIndex", "Ulcer index", MetricFormat.Percent, "sqrt(sum of squared drawdowns / (n - 1)) (Martin 1987)"),
            new("returns.valueAtRisk95", "VaR 95 %", MetricFormat.Percent, "one day, normal: mean + standard deviation x Phi^-1(0.05)"),
            new("returns.valueAtRisk99", "VaR 99 %", MetricFormat.Percent, "one day, normal, 1 %"),
            new("returns.historicalValueAtRisk95", "Historical VaR 95 %", MetricFormat.Percent, "5 % quantile of the days, linear"),
            new("returns.historicalValueAtRisk99", "Historical VaR 99 %", MetricFormat.Percent, "1 % quantile"),
            new("returns.expectedShortfall95", "CVaR 95 %", MetricFormat.Percent, "mean of the days below the normal VaR 95 %"),
            new("returns.expectedShortfall99", "CVaR 99 %", MetricFormat.Percent, "mean of the days below the normal VaR 99 %"),
        ]),
        new("Daily returns",
        [
            new("returns.count", "Returns", MetricFormat.Count, "trading days (weeks, months) with market events"),
            new("returns.annualMean", "Annual mean", MetricFormat.Percent, "arithmetic mean x P"),
            new("returns.best", "Best day", MetricFormat.Percent, "highest return"),
            new("returns.worst", "Worst day", MetricFormat.Percent, "lowest return"),
            new("returns.winRate", "Win rate, days", MetricFormat.Percent, "positive / all other than 0"),
            new("returns.averageWin", "Average win, days", MetricFormat.Percent, "mean of the positive"),
            new("returns.averageLoss", "Average loss, days", MetricFormat.Percent, "mean of the negative"),
            new("returns.payoff", "Payoff, days", MetricFormat.Ratio, "average win / average loss"),
            new("returns.profitFactor", "Profit factor, days", MetricFormat.Ratio, "sum of gains / sum of losses"),
            new("returns.tailRatio", "Tail ratio", MetricFormat.Ratio, "|95 % quantile / 5 % quantile|"),
            new("returns.skew", "Skew", MetricFormat.Ratio, "adjusted Fisher-Pearson G1"),
            new("returns.excessKurtosis", "Excess kurtosis", MetricFormat.Ratio, "G2, 0 for a normal distribution"),
            new("returns.autocorrelation", "Autocorrelation", MetricFormat.Ratio, "of neighbouring returns"),
        ]),
        new("Against the benchmark",
        [
            new("benchmark.beta", "Beta", MetricFormat.Ratio, "covariance / variance of the benchmark, daily"),
            new("benchmark.alpha", "Alpha", MetricFormat.Percent, "Jensen 1968: mean (r - rf) x P - beta x that of the benchmark"),
            new("benchmark.correlation", "Correlation", MetricFormat.Ratio, "Pearson, daily"),
            new("benchmark.trackingError", "Tracking error", MetricFormat.Percent, "standard deviation of the differences x sqrt(P)"),
            new("benchmark.informationRatio", "Information ratio", MetricFormat.Ratio, "mean difference x P / tracking error"),
            new("benchmark.treynor", "Treynor ratio", MetricFormat.Ratio, "mean (r - rf) x P / beta"),
        ]),
        new("Activity",
        [
            new("activity.timeInMarket", "Time in market", MetricFormat.Percent, "share of market events at which something was held"),
            new("activity.longShare", "Long", MetricFormat.Percent, "share at which net exposure was above 0"),
            new("activity.shortShare", "Short", MetricFormat.Percent, "share at which it was below 0"),
            new("activity.averageGrossExposure", "Average gross exposure", MetricFormat.Percent, "mean of notional / equity: the average leverage"),
            new("activity.maxGrossExposure", "Max gross exposure", MetricFormat.Percent, "highest notional / equity"),
            new("activity.averageNetExposure", "Average net exposure", MetricFormat.Percent, "mean of (long - short) / equity"),
            new("activity.tradedNotional", "Traded notional", MetricFormat.Money, "of all fills, both sides"),
            new("activity.annualTurnover", "Annual turnover", MetricFormat.Ratio, "traded notional / mean daily equity / years, both sides"),
            new("activity.dailyTurnover", "Daily turnover", MetricFormat.Percent, "traded notional / mean daily equity / days (LEAN's portfolio turnover)"),
            new("activity.tradesPerYear", "Trades a year", MetricFormat.Ratio, "closed trades / calendar years"),
            new("activity.orders", "Orders", MetricFormat.Count, "accepted and denied"),
            new("activity.fills", "Fills", MetricFormat.Count, "executions"),
            new("activity.deniedOrders", "Denied orders", MetricFormat.Count, "refused by risk before the venue: rejected signals"),
            new("activity.expiredOrders", "Expired orders", MetricFormat.Count, "ended by their time"),
            new("activity.openTrades", "Open at the end", MetricFormat.Count, "in the equity, not among the closed trades"),
        ]),
        new("Costs",
        [
            new("costs.commission", "Commission", MetricFormat.Money, "paid, all fills"),
            new("costs.swap", "Swap", MetricFormat.Money, "booked; negative is paid"),
            new("costs.spread", "Spread, estimate", MetricFormat.Money, "in the prices: half the spread at each fill that took the market"),
            new("costs.slippage", "Slippage", MetricFormat.Money, "in the prices: adverse points of the fills"),
            new("costs.total", "Total cost", MetricFormat.Money, "commission - swap + spread + slippage"),
            new("costs.perMillion", "Cost a million", MetricFormat.Money, "total / traded notional x 1,000,000"),
            new("costs.shareOfGross", "Share of gross", MetricFormat.Percent, "total / profit before these costs, where that is above 0"),
        ]),
    ];

    /// <summary>Figures of closed trades: under <c>trades</c>, <c>long</c> and <c>short</c> of the JSON.</summary>
    public static readonly ImmutableArray<Metric> Trades =
    [
        new("count", "Closed trades", MetricFormat.Count, "holdings that left zero and came back to it"),
        new("winners", "Winners", MetricFormat.Count, "net result above 0"),
        new("losers", "Losers", MetricFormat.Count, "net result below 0"),
        new("winRate", "Win rate", MetricFormat.Percent, "winners / trades"),
        new("lossRate", "Loss rate", MetricFormat.Percent, "losers / trades"),
        new("winLossRatio", "Win/loss ratio", MetricFormat.Ratio, "winners / losers"),
        new("net", "Net result", MetricFormat.Money, "gross - commission + swap"),
        new("gross", "Gross result", MetricFormat.Money, "realised, before commission and swap"),
        new("commission", "Fees", MetricFormat.Money, "commission of the closed trades"),
        new("swap", "Swap", MetricFormat.Money, "booked on the closed trades; negative is paid"),
        new("totalProfit", "Total profit", MetricFormat.Money, "sum of the winners"),
        new("totalLoss", "Total loss", MetricFormat.Money, "sum of the losers"),
        new("average", "Average trade", MetricFormat.Money, "mean net result: the expectancy in money"),
        new("averageProfit", "Average profit", MetricFormat.Money, "mean of the winners"),
        new("averageLoss", "Average loss", MetricFormat.Money, "mean of the losers"),
        new("averageWinReturn", "Average win rate of return", MetricFormat.Percent, "mean of net / equity at entry, winners"),
        new("averageLossReturn", "Average loss rate of return", MetricFormat.Percent, "mean of net / equity at entry, losers"),
        new("largestProfit", "Largest profit", MetricFormat.Money, "best net result"),
        new("largestLoss", "Largest loss", MetricFormat.Money, "worst net result"),
        new("profitLossRatio", "Profit-loss ratio", MetricFormat.Ratio, "average profit / average loss"),
        new("profitFactor", "Profit factor", MetricFormat.Ratio, "total profit / total loss"),
        new("expectancy", "Expectancy", MetricFormat.Ratio, "win rate x profit-loss ratio - loss rate: in average losses a trade"),
        new("kelly", "Kelly share", MetricFormat.Percent, "win rate - (1 - win rate) / profit-loss ratio"),
        new("standardDeviation", "Standard deviation", MetricFormat.Money, "of net results, n - 1"),
        new("downsideDeviation", "Downside deviation", MetricFormat.Money, "sqrt(sum of squared losses / n)"),
        new("sharpe", "Sharpe a trade", MetricFormat.Ratio, "mean / standard deviation, not annualised"),
        new("sortino", "Sortino a trade", MetricFormat.Ratio, "mean / downside deviation, not annualised"),
        new("systemQuality", "System quality", MetricFormat.Ratio, "Sharpe a trade x sqrt(trades) (Tharp's SQN)"),
        new("duration.mean", "Mean duration", MetricFormat.Duration, "first fill to last fill, calendar time"),
        new("duration.median", "Median duration", MetricFormat.Duration, "all trades"),
        new("winnerDuration.mean", "Mean duration, winners", MetricFormat.Duration, "winners"),
        new("winnerDuration.median", "Median duration, winners", MetricFormat.Duration, "winners"),
        new("loserDuration.mean", "Mean duration, losers", MetricFormat.Duration, "losers"),
        new("loserDuration.median", "Median duration, losers", MetricFormat.Duration, "losers"),
        new("maxConsecutiveWins", "Max consecutive wins", MetricFormat.Count, "in order of closing"),
        new("maxConsecutiveLosses", "Max consecutive losses", MetricFormat.Count, "in order of closing"),
        new("averageAdverseExcursion", "Average MAE", MetricFormat.Money, "worst open result of a trade, before costs"),
        new("largestAdverseExcursion", "Largest MAE", MetricFormat.Money, "the worst of all"),
        new("averageFavourableExcursion", "Average MFE", MetricFormat.Money, "best open result of a trade, before costs"),
        new("largestFavourableExcursion", "Largest MFE", MetricFormat.Money, "the best of all"),
        new("averageEndTradeDrawdown", "Average end-trade drawdown", MetricFormat.Money, "mean of gross - MFE: given back"),
        new("maxEndTradeDrawdown", "Max end-trade drawdown", MetricFormat.Money, "lowest gross - MFE"),
        new("maxClosedDrawdown", "Max closed-trade drawdown", MetricFormat.Money, "fall of the sum of net results from its peak"),
        new("maxIntraTradeDrawdown", "Max intra-trade drawdown", MetricFormat.Money, "the same with the MAE of the trade at work"),
        new("maxClosedDrawdownDuration", "Max drawdown duration", MetricFormat.Duration, "from a peak of that sum to the trade that reaches it again, or the last"),
        new("profitToMaxDrawdown", "Profit to max drawdown", MetricFormat.Ratio, "net / max closed-trade drawdown"),
    ];
}
