using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// Rebuilds the accounts of a run from nothing but their recorded events and the market data, marking them at every event as the back-test does.
/// What a replay prints comes from here, so it is what the journal says.
/// </summary>
public sealed class RunHistory
{
    private readonly (AccountPlayback Playback, AccountRecord Record)[] _accounts;

    public RunHistory(RunPlan plan, IReadOnlyDictionary<string, ImmutableArray<AccountEvent>> events)
    {
        var records = new Dictionary<string, AccountRecord>(StringComparer.Ordinal);
        _accounts = [.. plan.Accounts.OrderBy(account => account.Key, StringComparer.Ordinal).Select(account =>
        {
            var playback = new AccountPlayback(account.Key, plan.Universe, events[account.Key], null, (of, happened) => records[of.Key].Take([happened]));
            return (playback, records[account.Key] = new AccountRecord(account.Key, playback.State, plan.Universe));
        })];
    }

    /// <param name="seconds">Duration of the run itself, for the report.</param>
    public RunReport Report(string mode, string runId, RunSequence sequence, double seconds)
    {
        foreach ((AccountPlayback playback, AccountRecord record) in _accounts)
        {
            playback.Open();
            record.Start();
        }
        bool oneCurrency = _accounts.Select(account => account.Playback.State.Settings!.Currency).Distinct().Count() <= 1;
        var total = new EquityTracker(_accounts.Sum(account => account.Playback.State.Balance));
        while (sequence.MoveNext())
        {
            RunEvent happened = sequence.Current;
            MarketSeries series = sequence.Series[happened.Series];
            Quote? mark = AccountPlayback.MarkOf(happened, series);
            decimal sum = 0;
            foreach ((AccountPlayback playback, AccountRecord record) in _accounts)
            {
                playback.Advance(happened, series.Instrument.Symbol, mark);
                decimal equity = playback.State.Equity;
                if (mark is not null) record.Equity.Mark(happened.Time, equity);
                sum += equity;
            }
            if (mark is not null) total.Mark(happened.Time, sum);
        }
        foreach ((AccountPlayback playback, _) in _accounts) playback.Finish();
        return RunReporter.Report(mode, runId, [.. _accounts.Select(account => account.Record)], oneCurrency ? total : null, sequence, seconds);
    }
}
