using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Performance;

/// <summary>Makes the report of a finished run; the host, which knows when the process started, adds the wall time.</summary>
public static class RunReporter
{
    /// <param name="total">The accounts' equity together; null when their currencies differ.</param>
    /// <param name="seconds">First to last event.</param>
    public static RunReport Report(
        string mode, string? runId, IReadOnlyList<AccountRecord> records, EquityTracker? total, RunSequence sequence, double seconds)
    {
        ImmutableArray<AccountReport> accounts = [.. records.Select(record => record.Report())];
        decimal? Sum(Func<AccountReport, decimal> of) => total is null ? null : accounts.Sum(of);
        decimal? start = Sum(account => account.StartBalance), final = Sum(account => account.FinalEquity);
        ImmutableSortedDictionary<Reason, int> denied = accounts.SelectMany(account => account.Denied)
            .GroupBy(denial => denial.Key).ToImmutableSortedDictionary(reason => reason.Key, reason => reason.Sum(denial => denial.Value));
        return new RunReport(
            mode, runId, final, accounts.Sum(account => account.ClosedTrades), Sum(account => account.Fees), Sum(account => account.Swap), final - start,
            total is null ? null : total.MaxDrawdown * 100m, accounts.Sum(account => account.Orders), accounts.Sum(account => account.Fills), denied,
            OrderList.Hash(records.Select(record => KeyValuePair.Create(record.Name, record.Orders))), sequence.DataPoints, seconds, 0,
            sequence.Start, sequence.End, accounts);
    }
}
