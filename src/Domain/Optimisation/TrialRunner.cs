using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Optimisation;

/// <summary>A trial with its days.</summary>
/// <param name="Returns">Simple returns of <paramref name="Dates"/>.</param>
/// <param name="PeriodsPerYear">How many of them make a year.</param>
public sealed record TrialOutcome(TrialStatistics Statistics, ImmutableArray<DateOnly> Dates, double[] Returns, double PeriodsPerYear);

/// <summary>
/// Runs a plan again and again with other parameters over the same data, each time as <see cref="Backtest"/> does: a trial's figures are those of a back-test
/// with its parameters. Thread-safe: trials share only data that nobody changes.
/// </summary>
public sealed class TrialRunner
{
    private const double DaysPerYear = 365.25;
    private readonly RunPlan _plan;
    private readonly ImmutableArray<MarketSeries> _data;
    private readonly DateTime? _tradesFrom;
    private readonly Func<StrategyPlan, Strategy>? _make;

    /// <param name="data">What is before <paramref name="tradesFrom"/> warms the features up.</param>
    /// <param name="make">As of <see cref="Backtest"/>.</param>
    /// <exception cref="ArgumentException">The strategies are of several definitions, or the accounts in several currencies.</exception>
    public TrialRunner(RunPlan plan, ImmutableArray<MarketSeries> data, DateTime? tradesFrom = null, Func<StrategyPlan, Strategy>? make = null)
    {
        if (plan.Strategies.Select(strategy => (strategy.Definition, strategy.Rule)).Distinct().Count() != 1) throw new ArgumentException("several strategies; a search varies one");
        if (plan.Accounts.Select(account => account.Settings.Currency).Distinct().Count() != 1) throw new ArgumentException("the accounts are in several currencies; a search needs one");
        _plan = plan;
        _data = data;
        _tradesFrom = tradesFrom;
        _make = make;
    }

    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public TrialOutcome Run(StrategyParameters parameters, CancellationToken cancellation = default)
    {
        RunPlan plan = _plan with { Strategies = [.. _plan.Strategies.Select(strategy => strategy with { Parameters = parameters })] };
        var sequence = new RunSequence(_data, plan);
        decimal start = plan.Accounts.Sum(account => account.Deposit);
        var days = new EquityDays(plan.Accounts[0].Settings.Calendar, start, _tradesFrom ?? default);
        List<double> results = [];
        double held = 0;
        var backtest = new Backtest(plan, sequence, _make, keepsOrders: false)
        {
            Days = days,
            TradesFrom = _tradesFrom,
            Closed = trade =>
            {
                results.Add((double)trade.Holding.Result);
                held += (trade.Closed - trade.Holding.Opened).TotalDays;
            },
        };
        backtest.Play(null, cancellation);
        double[] returns = days.Returns();
        double years = Math.Max((sequence.End - (_tradesFrom ?? sequence.Start)).TotalDays, 1) / DaysPerYear;
        bool neverCloses = plan.Universe.Instruments.Any(instrument => instrument.Calendar.Sessions.IsEmpty);
        double periods = EquityDays.PeriodsPerYear(days.Dates, neverCloses);
        return new TrialOutcome(Describe(backtest, days, returns, results, held, years, periods), [.. days.Dates], returns, periods);
    }

    private static TrialStatistics Describe(
        Backtest backtest, EquityDays days, double[] returns, List<double> results, double held, double years, double periods)
    {
        IReadOnlyList<AccountRecord> accounts = backtest.Accounts;
        decimal final = accounts.Sum(account => account.State.Equity);
        double gains = 0, losses = 0, squares = 0;
        int lost = 0;
        foreach (double result in results)
        {
            if (result > 0) gains += result;
            if (result >= 0) continue;
            losses -= result;
            squares += result * result;
            lost++;
        }
        double[] all = [.. results];
        double? mean = Statistics.Mean(all), deviation = Statistics.StandardDeviation(all);
        double perYear = Math.Sqrt(all.Length / years);
        double? growth = final <= 0 ? -1 : Statistics.Finite(Math.Pow((double)(final / days.Start), 1 / years) - 1);
        double? dayMean = Statistics.Mean(returns), dayDeviation = Statistics.StandardDeviation(returns);
        double downside = Math.Sqrt(returns.Sum(each => each < 0 ? each * each : 0) / Math.Max(1, returns.Length));
        (double money, double share) = Falls(days);
        return new TrialStatistics(
            final, final - days.Start, (double)((final - days.Start) / days.Start), accounts.Sum(account => account.State.Commissions), accounts.Sum(account => account.State.Swaps),
            (double)backtest.Total.MaxDrawdown, money, accounts.Sum(account => (int)account.State.NextOrdinal - 1), accounts.Sum(account => account.ClosedTrades), accounts.Sum(account => account.WonTrades),
            losses > 0 ? gains / losses : null, losses > 0 ? mean / (losses / lost) : null, all.Length == 0 ? null : held / all.Length,
            deviation > 0 ? mean / deviation * perYear : null, lost > 0 ? mean / Math.Sqrt(squares / all.Length) * perYear : null,
            dayDeviation > 0 ? dayMean / dayDeviation * Math.Sqrt(periods) : null, downside > 0 ? dayMean / downside * Math.Sqrt(periods) : null,
            share > 0 ? growth / share : null);
    }

    /// <summary>The largest falls between ends of days, in money and as a share of the peak.</summary>
    private static (double Money, double Share) Falls(EquityDays days)
    {
        decimal peak = days.Start, money = 0, share = 0;
        foreach (decimal equity in days.Equity)
        {
            peak = Math.Max(peak, equity);
            money = Math.Max(money, peak - equity);
            if (peak > 0) share = Math.Max(share, (peak - equity) / peak);
        }
        return ((double)money, (double)share);
    }
}
