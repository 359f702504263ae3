using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// The equity at the end of each trading day, a day being that of the calendar in which an item of data began. The days are those of a report's daily returns.
/// </summary>
/// <param name="from">What began before is no day of this series.</param>
public sealed class EquityDays(TradingCalendar calendar, decimal start, DateTime from = default)
{
    private readonly DayTurns _turns = new(calendar);
    private readonly List<DateOnly> _dates = [];
    private readonly List<decimal> _equity = [];

    public decimal Start { get; } = start;

    public IReadOnlyList<DateOnly> Dates => _dates;

    /// <summary>The equity at the end of each of <see cref="Dates"/>; complete after <see cref="Finish"/>.</summary>
    public IReadOnlyList<decimal> Equity => _equity;

    /// <summary>An item of data that begins here or later begins another day.</summary>
    public DateTime Turn { get; private set; } = from;

    /// <summary>A day begins, and the one before ends with this equity.</summary>
    public void Next(DateTime time, decimal equity)
    {
        Finish(equity);
        _dates.Add(_turns.DateOf(time));
        Turn = _turns.After(time);
    }

    /// <summary>The last day ends with this equity.</summary>
    public void Finish(decimal equity)
    {
        if (_equity.Count < _dates.Count) _equity.Add(equity);
    }

    /// <summary>Simple returns, day by day; an account at or below zero has lost all there was, and what follows is no return any more.</summary>
    public double[] Returns()
    {
        double[] returns = new double[_equity.Count];
        double equity = (double)Start;
        for (int i = 0; i < returns.Length; i++)
        {
            double next = Math.Max(0, (double)_equity[i]);
            returns[i] = equity > 0 ? next / equity - 1 : 0;
            equity = next;
        }
        return returns;
    }

    /// <summary>Returns in a year: 252, of a market that never closes 365; 52 and 12 where the days of data lie weeks or months apart.</summary>
    public static double PeriodsPerYear(IReadOnlyList<DateOnly> dates, bool neverCloses)
    {
        int[] gaps = [.. dates.Zip(dates.Skip(1), (a, b) => b.DayNumber - a.DayNumber).Order()];
        return (gaps.Length == 0 ? 1 : gaps[gaps.Length / 2]) switch { > 20 => 12, > 4 => 52, _ => neverCloses ? 365 : 252 };
    }
}
