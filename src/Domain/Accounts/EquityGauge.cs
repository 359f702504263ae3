using System.Runtime.InteropServices;

namespace HybridTrading.Domain.Accounts;

/// <summary>
/// An account's equity as a whole number of 10^-<see cref="Digits"/> of its currency. Between two bookings of the account nothing but prices change, and
/// they are whole points: a mark then costs one product an instrument, and is still exact. Where that is not so (positions in other
/// currencies, too many digits) there is only <see cref="Equity"/>.
/// </summary>
public sealed class EquityGauge(AccountState state)
{
    private const int MostDigits = 18, MostPositions = 32;
    // Of one term: so many of them, two a position, stay within a long.
    private const long Most = long.MaxValue / (4 * MostPositions);

    private static readonly decimal[] Powers = [.. Enumerable.Range(0, MostDigits + 1).Select(digits => decimal.Parse($"1{new string('0', digits)}"))];
    private static readonly decimal[] LargestTerm = [.. Powers.Select(power => Most / power)];
    private static readonly decimal[] LargestSum = [.. Powers.Select(power => long.MaxValue / 2 / power)];

    private readonly List<Position> _positions = [];
    private long _bookings = -1, _booked;

    /// <summary>The equity as a decimal.</summary>
    public decimal Equity => state.Equity;

    /// <summary>Decimals that <see cref="Units"/> counted when they were last asked for; -1 where they cannot be counted.</summary>
    public int Digits { get; private set; } = -1;

    /// <summary>The equity in whole units, exactly; null where there is no such number.</summary>
    public long? Units
    {
        get
        {
            if (_bookings != state.Bookings) Adjust();
            if (Digits < 0) return null;
            long units = _booked;
            foreach (ref readonly Position position in CollectionsMarshal.AsSpan(_positions))
            {
                (long bid, long ask) = (position.Book.Mark.Bid, position.Book.Mark.Ask);
                if (ask > position.HighestAsk) return null;
                units += position.Longs * bid + position.Shorts * ask;
            }
            return units;
        }
    }

    /// <summary>The units next to an amount, below and above; for one that has no units, the furthest that there are.</summary>
    public (long Floor, long Ceiling) UnitsOf(decimal amount)
    {
        decimal largest = LargestSum[Digits], units = Math.Clamp(amount, -largest, largest) * Powers[Digits];
        return ((long)Math.Floor(units), (long)Math.Ceiling(units));
    }

    /// <summary>The amount of so many units.</summary>
    public decimal AmountOf(long units)
    {
        ulong whole = (ulong)Math.Abs(units);
        return new decimal((int)(uint)whole, (int)(uint)(whole >> 32), 0, units < 0, (byte)Digits);
    }

    /// <summary>Takes in what was booked.</summary>
    private void Adjust()
    {
        _bookings = state.Bookings;
        _positions.Clear();
        Digits = -1;
        decimal booked = state.Balance;
        int digits = Scale(booked);
        foreach (SymbolBook book in state.Books)
        {
            if (book.Holdings.Count == 0) continue;
            if (book.Mark.Bid == 0 || book.Instrument.QuoteCurrency != state.Settings!.Currency || _positions.Count == MostPositions) return;
            decimal longs = book.LongVolume * book.PointSize, shorts = book.ShortVolume * book.PointSize, cost = book.NetCost * book.PointSize;
            booked -= cost;
            digits = Math.Max(Math.Max(digits, Scale(cost)), Math.Max(Scale(longs), Scale(shorts)));
            _positions.Add(new Position(book, 0, 0, 0));
        }
        if (digits > MostDigits || Math.Abs(booked) > LargestTerm[digits]) return;
        foreach (ref Position position in CollectionsMarshal.AsSpan(_positions))
        {
            SymbolBook book = position.Book;
            decimal longs = book.LongVolume * book.PointSize, shorts = book.ShortVolume * book.PointSize;
            if (Math.Max(longs, -shorts) > LargestTerm[digits]) return;
            (long bids, long asks) = ((long)(longs * Powers[digits]), (long)(shorts * Powers[digits]));
            position = new Position(book, bids, asks, Most / Math.Max(1, Math.Max(bids, -asks)));
        }
        _booked = (long)(booked * Powers[digits]);
        Digits = digits;
    }

    /// <summary>Decimals of a number; without trailing zeros where it has more than are common.</summary>
    private static int Scale(decimal value)
    {
        const int common = 10;
        int scale = value.Scale;
        while (scale > common && decimal.Round(value, scale - 1) == value) scale--;
        return scale;
    }

    /// <param name="Longs">Units that a point of the bid is worth.</param>
    /// <param name="Shorts">Units that a point of the ask is worth; not above zero.</param>
    /// <param name="HighestAsk">Up to this price the products stay within bounds.</param>
    private readonly record struct Position(SymbolBook Book, long Longs, long Shorts, long HighestAsk);
}
