using HybridTrading.Domain.Backtesting;

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
        return new RunReport(
            mode, runId, final, accounts.Sum(account => account.ClosedTrades), Sum(account => account.Fees), Sum(account => account.Swap), final - start,
            total is null ? null : total.MaxDrawdown * 100m, accounts.Sum(account => account.Orders), accounts.Sum(account => account.Fills),
            OrderList.Hash(records.Select(record => KeyValuePair.Create(NameOf(record.Account), record.Orders))), sequence.DataPoints, seconds, 0, sequence.Start, sequence.End, accounts);
    }

    /// <summary>The account's own name: two runs in different tenants hash alike.</summary>
    private static string NameOf(string key) => key[(key.LastIndexOf('/') + 1)..];
}
