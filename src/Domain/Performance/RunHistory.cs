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
    private readonly InstrumentUniverse _universe;
    private readonly Shadow[] _shadows;

    public RunHistory(RunPlan plan, IReadOnlyDictionary<string, ImmutableArray<AccountEvent>> events)
    {
        _universe = plan.Universe;
        _shadows = [.. plan.Accounts.OrderBy(account => account.Key, StringComparer.Ordinal).Select(account => new Shadow(account.Key, _universe, events[account.Key]))];
    }

    /// <param name="seconds">Duration of the run itself, for the report.</param>
    public RunReport Report(string mode, string runId, RunSequence sequence, double seconds)
    {
        foreach (Shadow shadow in _shadows) shadow.Open();
        bool oneCurrency = _shadows.Select(shadow => shadow.State.Settings!.Currency).Distinct().Count() <= 1;
        var total = new EquityTracker(_shadows.Sum(shadow => shadow.State.Balance));
        while (sequence.MoveNext())
        {
            RunEvent happened = sequence.Current;
            MarketSeries series = sequence.Series[happened.Series];
            Quote? mark = happened.Index < 0 ? null
                : series.IsTicks ? series.Quotes.Span[happened.Index]
                : new Quote(happened.Time, series.Bars.Span[happened.Index].Bid.Close, series.Bars.Span[happened.Index].Ask.Close);
            decimal sum = 0;
            foreach (Shadow shadow in _shadows)
            {
                shadow.Advance(happened, series.Instrument.Symbol, mark);
                sum += shadow.State.Equity;
            }
            if (mark is not null) total.Mark(happened.Time, sum);
        }
        foreach (Shadow shadow in _shadows) shadow.Finish();
        return RunReporter.Report(mode, runId, [.. _shadows.Select(shadow => shadow.Record)], oneCurrency ? total : null, sequence, seconds);
    }

    private sealed class Shadow
    {
        private readonly ImmutableArray<AccountEvent> _events;
        private int _next;

        public Shadow(string key, InstrumentUniverse universe, ImmutableArray<AccountEvent> events)
        {
            _events = events;
            State = new AccountState(universe);
            Record = new AccountRecord(key, State, universe);
        }

        public AccountState State { get; }
        public AccountRecord Record { get; }

        public void Open()
        {
            while (_next < _events.Length && _events[_next] is AccountOpened or BalanceAdjusted { MarketPosition: < 0 }) Take();
            Record.Start();
        }

        public void Advance(in RunEvent happened, string symbol, Quote? mark)
        {
            // Events that name no place in the market log (a day's turn) lie among those that do: time orders them.
            while (_next < _events.Length && (_events[_next].MarketPosition <= happened.Position && _events[_next].Time <= happened.Time)) Take();
            if (mark is { } quote) State.Book(symbol).SetMark(quote, happened.Position);
            if (mark is not null) Record.Equity.Mark(happened.Time, State.Equity);
        }

        public void Finish()
        {
            while (_next < _events.Length) Take();
        }

        private void Take()
        {
            AccountEvent next = _events[_next++];
            State.Apply(next);
            Record.Take([next]);
        }
    }
}
