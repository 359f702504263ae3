using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Performance;

/// <summary>The last price of an instrument at a time.</summary>
public readonly record struct PriceMark(DateTime Time, string Symbol, Quote Quote);

/// <summary>What one strategy did for one account on one trading day.</summary>
/// <param name="Result">Change of what its holdings have brought: realised, commission, swap and open result, in account currency.</param>
/// <param name="Equity">Of the whole account when the day began.</param>
/// <param name="ClosedTrades">Its holdings that came to zero.</param>
public readonly record struct StrategyDay(DateOnly Date, decimal Result, decimal Equity, int ClosedTrades)
{
    /// <summary>Result / equity; 0 for an account that had nothing.</summary>
    public double Return => Equity > 0 ? (double)(Result / Equity) : 0;
}

/// <summary>Takes one strategy's part out of the life of an account that may follow several, and be traded by hand.</summary>
public static class StrategyDays
{
    /// <param name="strategy">tenant/user/name.</param>
    /// <param name="events">All that the account recorded, in order.</param>
    /// <param name="marks">Prices in order of time; days without one are no trading days.</param>
    /// <param name="from">Trading days that began before are left out.</param>
    public static ImmutableArray<StrategyDay> Of(
        string strategy, InstrumentUniverse universe, ImmutableArray<AccountEvent> events, IEnumerable<PriceMark> marks, DateTime from)
    {
        var state = new AccountState(universe);
        ImmutableArray<StrategyDay>.Builder days = ImmutableArray.CreateBuilder<StrategyDay>();
        DayTurns? turns = null;
        (DateTime Ends, DateOnly Date, decimal Result, decimal Equity, int Closed) day = default;
        decimal closed = 0;
        int trades = 0, next = 0;

        void Until(DateTime time)
        {
            for (; next < events.Length && events[next].Time <= time; next++)
            {
                state.Apply(events[next]);
                foreach (ClosedTrade trade in state.TakeClosedTrades())
                {
                    if (trade.Holding.Owner != strategy) continue;
                    closed += trade.Holding.Result;
                    trades++;
                }
            }
        }

        decimal Result() => closed + OpenOf(state, strategy);
        void End()
        {
            if (day.Ends != default) days.Add(new StrategyDay(day.Date, Result() - day.Result, day.Equity, trades - day.Closed));
        }

        foreach (PriceMark mark in marks)
        {
            if (turns is null)
            {
                Until(mark.Time);
                if (state.Settings is null) continue;
                turns = new DayTurns(state.Settings.Calendar);
            }
            if (mark.Time >= day.Ends && mark.Time >= from)
            {
                // What was recorded up to the turn still belongs to the day that ends there.
                if (day.Ends != default) Until(day.Ends.AddTicks(-1));
                End();
                day = (turns.After(mark.Time), turns.DateOf(mark.Time), Result(), state.Equity, trades);
            }
            Until(mark.Time);
            state.Book(mark.Symbol).SetMark(mark.Quote, 0);
        }
        Until(DateTime.MaxValue);
        End();
        return days.ToImmutable();
    }

    private static decimal OpenOf(AccountState state, string strategy)
    {
        decimal open = 0;
        foreach (SymbolBook book in state.Books)
        {
            if (book.Mark.Bid == 0) continue;
            decimal rate = state.Rate(book.Instrument.QuoteCurrency) ?? 0;
            foreach (Holding holding in book.Holdings)
            {
                if (holding.Owner != strategy) continue;
                open += holding.Result + (holding.Volume * (holding.Volume > 0 ? book.Mark.Bid : book.Mark.Ask) - holding.Cost) * book.PointSize * rate;
            }
        }
        return open;
    }
}
