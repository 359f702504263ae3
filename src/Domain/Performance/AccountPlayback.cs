using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Performance;

/// <summary>One account of a run, rebuilt from nothing but its recorded events as the run's market events pass.</summary>
/// <param name="before">Told of each event before the account takes it.</param>
/// <param name="after">Told of each event after.</param>
internal sealed class AccountPlayback(
    string key, InstrumentUniverse universe, ImmutableArray<AccountEvent> events, Action<AccountPlayback, AccountEvent>? before, Action<AccountPlayback, AccountEvent>? after)
{
    private int _next;

    public string Key { get; } = key;
    public AccountState State { get; } = new(universe);

    /// <summary>Takes what lies before the run's first market event: the opening and the deposit.</summary>
    public void Open()
    {
        while (_next < events.Length && events[_next] is AccountOpened or BalanceAdjusted { MarketPosition: < 0 }) Take();
    }

    /// <summary>Takes what came of a market event, then its mark.</summary>
    public void Advance(in RunEvent happened, string symbol, Quote? mark)
    {
        // Events that name no place in the market log (a day's turn) lie among those that do: time orders them.
        while (_next < events.Length && events[_next].MarketPosition <= happened.Position && events[_next].Time <= happened.Time) Take();
        if (mark is { } quote) State.Book(symbol).SetMark(quote, happened.Position);
    }

    public void Finish()
    {
        while (_next < events.Length) Take();
    }

    private void Take()
    {
        AccountEvent next = events[_next++];
        before?.Invoke(this, next);
        State.Apply(next);
        after?.Invoke(this, next);
    }

    /// <summary>What a market event says of an instrument's price at its end; null for a clock event.</summary>
    public static Quote? MarkOf(in RunEvent happened, MarketSeries series) => happened.Index < 0 ? null
        : series.IsTicks ? series.Quotes.Span[happened.Index]
        : new Quote(happened.Time, series.Bars.Span[happened.Index].Bid.Close, series.Bars.Span[happened.Index].Ask.Close);
}
