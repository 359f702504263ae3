using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// The figures of closed trades, in account currency, net of commission and swap unless said. A winner has a net result above 0, a loser below; a trade
/// of exactly 0 is neither. What is undefined (no trade, no loser, no spread) is null. Losses are negative.
/// </summary>
/// <param name="Count">Closed trades.</param>
/// <param name="WinRate">Winners / trades.</param>
/// <param name="LossRate">Losers / trades.</param>
/// <param name="WinLossRatio">Winners / losers.</param>
/// <param name="TotalProfit">Sum of the winners.</param>
/// <param name="TotalLoss">Sum of the losers.</param>
/// <param name="Average">Mean net result: the expectancy in money.</param>
/// <param name="ProfitLossRatio">Average profit / -average loss.</param>
/// <param name="ProfitFactor">Total profit / -total loss.</param>
/// <param name="Expectancy">Win rate x profit-loss ratio - loss rate: in units of an average loss.</param>
/// <param name="Kelly">Win rate - (1 - win rate) / profit-loss ratio, of the trades that are not 0.</param>
/// <param name="StandardDeviation">Sample standard deviation (n - 1) of the net results.</param>
/// <param name="DownsideDeviation">sqrt(sum of squared losses / n).</param>
/// <param name="Sharpe">Mean / standard deviation a trade, not annualised.</param>
/// <param name="Sortino">Mean / downside deviation a trade, not annualised.</param>
/// <param name="SystemQuality">Sharpe x sqrt(trades) (Tharp's SQN).</param>
/// <param name="AverageWinReturn">Mean of net / equity at entry of the winners.</param>
/// <param name="AverageLossReturn">The same of the losers.</param>
/// <param name="MaxConsecutiveWins">In order of closing; a trade of 0 ends a row.</param>
/// <param name="MaxConsecutiveLosses">The same.</param>
/// <param name="AverageAdverseExcursion">Mean MAE.</param>
/// <param name="LargestAdverseExcursion">Lowest MAE.</param>
/// <param name="AverageFavourableExcursion">Mean MFE.</param>
/// <param name="LargestFavourableExcursion">Highest MFE.</param>
/// <param name="AverageEndTradeDrawdown">Mean of gross - MFE: what was given back.</param>
/// <param name="MaxEndTradeDrawdown">Lowest gross - MFE.</param>
/// <param name="MaxClosedDrawdown">Largest fall of the sum of net results from its peak, in order of closing, at most 0.</param>
/// <param name="MaxIntraTradeDrawdown">The same, with the MAE of the next trade below the sum before it.</param>
/// <param name="MaxClosedDrawdownDuration">Longest time from a peak of that sum to the trade that passes it, or to the last trade.</param>
/// <param name="ProfitToMaxDrawdown">Net / -max closed drawdown.</param>
/// <param name="Best">Number of the trade with the highest net result.</param>
/// <param name="Worst">Number of the one with the lowest.</param>
public sealed record TradeMetrics(
    int Count, int Winners, int Losers, double? WinRate, double? LossRate, double? WinLossRatio,
    decimal Net, decimal Gross, decimal Commission, decimal Swap, decimal TotalProfit, decimal TotalLoss,
    double? Average, double? AverageProfit, double? AverageLoss, decimal? LargestProfit, decimal? LargestLoss,
    double? ProfitLossRatio, double? ProfitFactor, double? Expectancy, double? Kelly, double? StandardDeviation, double? DownsideDeviation,
    double? Sharpe, double? Sortino, double? SystemQuality, double? AverageWinReturn, double? AverageLossReturn,
    DurationMetrics Duration, DurationMetrics WinnerDuration, DurationMetrics LoserDuration, int MaxConsecutiveWins, int MaxConsecutiveLosses,
    double? AverageAdverseExcursion, decimal? LargestAdverseExcursion, double? AverageFavourableExcursion, decimal? LargestFavourableExcursion,
    double? AverageEndTradeDrawdown, decimal? MaxEndTradeDrawdown, decimal MaxClosedDrawdown, decimal MaxIntraTradeDrawdown,
    TimeSpan? MaxClosedDrawdownDuration, double? ProfitToMaxDrawdown, int? Best, int? Worst)
{
    /// <param name="trades">In order of closing.</param>
    public static TradeMetrics Of(IReadOnlyList<RunTrade> trades)
    {
        int n = trades.Count;
        RunTrade[] winners = [.. trades.Where(trade => trade.Net > 0)], losers = [.. trades.Where(trade => trade.Net < 0)];
        double[] results = [.. trades.Select(trade => (double)trade.Net)];
        decimal profit = winners.Sum(trade => trade.Net), loss = losers.Sum(trade => trade.Net), net = trades.Sum(trade => trade.Net);
        double? averageProfit = Mean(profit, winners.Length), averageLoss = Mean(loss, losers.Length), average = Mean(net, n);
        double? winRate = Ratio(winners.Length, n), lossRate = Ratio(losers.Length, n);
        double? ratio = averageProfit / -averageLoss;
        double? ofDecided = Ratio(winners.Length, winners.Length + losers.Length);
        double? deviation = Statistics.StandardDeviation(results) is > 0 and { } spread ? spread : null;
        double? downside = n == 0 ? null : Math.Sqrt(Statistics.Sum([.. results.Select(result => result < 0 ? result * result : 0)]) / n);
        Running running = Running.Over(trades);
        return new TradeMetrics(
            n, winners.Length, losers.Length, winRate, lossRate, Ratio(winners.Length, losers.Length),
            net, trades.Sum(trade => trade.Gross), trades.Sum(trade => trade.Commission), trades.Sum(trade => trade.Swap), profit, loss,
            average, averageProfit, averageLoss, winners.Length == 0 ? null : winners.Max(trade => trade.Net), losers.Length == 0 ? null : losers.Min(trade => trade.Net),
            ratio, losers.Length == 0 ? null : (double)(profit / -loss), winRate * ratio - lossRate,
            ratio is > 0 ? ofDecided - (1 - ofDecided) / ratio : null, Statistics.StandardDeviation(results), downside,
            average / deviation, downside > 0 ? average / downside : null, average / deviation * Math.Sqrt(n),
            MeanReturn(winners), MeanReturn(losers), DurationMetrics.Of(trades), DurationMetrics.Of(winners), DurationMetrics.Of(losers),
            Longest(trades, trade => trade.Net > 0), Longest(trades, trade => trade.Net < 0),
            Mean(trades.Sum(trade => trade.AdverseExcursion), n), n == 0 ? null : trades.Min(trade => trade.AdverseExcursion),
            Mean(trades.Sum(trade => trade.FavourableExcursion), n), n == 0 ? null : trades.Max(trade => trade.FavourableExcursion),
            Mean(trades.Sum(trade => trade.Gross - trade.FavourableExcursion), n), n == 0 ? null : trades.Min(trade => trade.Gross - trade.FavourableExcursion),
            running.Closed, running.Intra, running.Duration, running.Closed < 0 ? (double)(net / -running.Closed) : null,
            trades.MaxBy(trade => trade.Net)?.Number, trades.MinBy(trade => trade.Net)?.Number);
    }

    private static double? Mean(decimal sum, int count) => count == 0 ? null : (double)(sum / count);

    private static double? Ratio(int part, int whole) => whole == 0 ? null : (double)part / whole;

    private static double? MeanReturn(RunTrade[] trades) => Statistics.Mean([.. trades.Where(trade => trade.Return is not null).Select(trade => trade.Return!.Value)]);

    private static int Longest(IReadOnlyList<RunTrade> trades, Func<RunTrade, bool> counts)
    {
        int longest = 0, row = 0;
        foreach (RunTrade trade in trades)
        {
            row = counts(trade) ? row + 1 : 0;
            longest = Math.Max(longest, row);
        }
        return longest;
    }

    /// <summary>The sum of net results along the trades, from 0 at the first entry.</summary>
    private readonly record struct Running(decimal Closed, decimal Intra, TimeSpan? Duration)
    {
        public static Running Over(IReadOnlyList<RunTrade> trades)
        {
            decimal sum = 0, peak = 0, closed = 0, intra = 0;
            DateTime since = trades.Count == 0 ? default : trades[0].Entry;
            TimeSpan? longest = null;
            bool under = false;
            foreach (RunTrade trade in trades)
            {
                intra = Math.Min(intra, sum + trade.AdverseExcursion - peak);
                sum += trade.Net;
                closed = Math.Min(closed, sum - peak);
                // The trade that comes back to the peak still ends the fall before it.
                if ((under || sum < peak) && !(trade.Exit - since <= longest)) longest = trade.Exit - since;
                under = sum < peak;
                if (!under) (peak, since) = (sum, trade.Exit);
            }
            return new Running(closed, Math.Min(intra, closed), longest);
        }
    }
}

/// <summary>How long trades were held; null for none.</summary>
public sealed record DurationMetrics(TimeSpan? Mean, TimeSpan? Median, TimeSpan? Shortest, TimeSpan? Longest)
{
    public static DurationMetrics Of(IReadOnlyList<RunTrade> trades)
    {
        if (trades.Count == 0) return new DurationMetrics(null, null, null, null);
        long[] ticks = [.. trades.Select(trade => trade.Duration.Ticks).Order()];
        long median = ticks.Length % 2 == 1 ? ticks[ticks.Length / 2] : (ticks[ticks.Length / 2 - 1] + ticks[ticks.Length / 2]) / 2;
        return new DurationMetrics(TimeSpan.FromTicks((long)ticks.Average()), TimeSpan.FromTicks(median), TimeSpan.FromTicks(ticks[0]), TimeSpan.FromTicks(ticks[^1]));
    }
}

/// <summary>One part of the result: the trades that share something.</summary>
/// <param name="Name">What they share.</param>
/// <param name="Share">Net / net of all trades; null where that is 0.</param>
/// <param name="WinRate">Winners / trades.</param>
public sealed record Contribution(
    string Name, int Trades, double? WinRate, decimal Gross, decimal Commission, decimal Swap, decimal SpreadCost, decimal SlippageCost, decimal Net,
    double? Average, double? ProfitFactor, double? Share);

/// <summary>Where the result comes from: the same trades, taken apart in several ways; each way adds up to the whole.</summary>
public static class Attribution
{
    /// <summary>The trades by what they share, in the order of the keys.</summary>
    public static ImmutableArray<Contribution> By<TKey>(IReadOnlyCollection<RunTrade> trades, Func<RunTrade, TKey> key, Func<TKey, string> name)
        where TKey : notnull
    {
        decimal total = trades.Sum(trade => trade.Net);
        return [.. trades.GroupBy(key).OrderBy(group => group.Key).Select(group =>
        {
            RunTrade[] of = [.. group];
            decimal net = of.Sum(trade => trade.Net), profit = of.Sum(trade => Math.Max(trade.Net, 0)), loss = -of.Sum(trade => Math.Min(trade.Net, 0));
            return new Contribution(
                name(group.Key), of.Length, (double)of.Count(trade => trade.Net > 0) / of.Length, of.Sum(trade => trade.Gross), of.Sum(trade => trade.Commission),
                of.Sum(trade => trade.Swap), of.Sum(trade => trade.SpreadCost), of.Sum(trade => trade.SlippageCost), net, (double)(net / of.Length),
                loss > 0 ? (double)(profit / loss) : null, total == 0 ? null : (double)(net / total));
        })];
    }
}

/// <summary>What trading cost, over all fills of the run, in account currency; 0 or more is paid unless said.</summary>
/// <param name="Commission">Booked.</param>
/// <param name="Swap">Booked; negative is paid.</param>
/// <param name="Spread">Estimate, already in the prices: half the spread at each fill that took the market.</param>
/// <param name="Slippage">Already in the prices.</param>
/// <param name="Total">Commission - swap + spread + slippage.</param>
/// <param name="PerMillion">Total for a million of traded notional; null without one.</param>
/// <param name="ShareOfGross">Total / net result before all these costs, where that is above 0.</param>
public sealed record CostBreakdown(decimal Commission, decimal Swap, decimal Spread, decimal Slippage, decimal Total, double? PerMillion, double? ShareOfGross);
