namespace HybridTrading.Domain.Markets;

public enum MarketEventKind : byte { Quote, Bar, Clock }

/// <summary>
/// One event of a feed, at its place in the feed's total order. Which of <see cref="Quote"/> and <see cref="Bar"/> counts, <see cref="Kind"/> says;
/// a clock event only lets time pass.
/// </summary>
/// <param name="Position">Place in the market log, 0 upwards without a gap.</param>
/// <param name="Time">UTC; the quote's time, the bar's close, or the clock's.</param>
/// <param name="Symbol">Empty for a clock event.</param>
public readonly record struct MarketEvent(
    long Position, DateTime Time, string Symbol, MarketEventKind Kind, Quote Quote, Bar Bar, TimeFrame TimeFrame);

/// <summary>The append-only, totally ordered log of one feed: not personal, not encrypted, with a retention of its own.</summary>
public interface IMarketLog
{
    /// <summary>Appends events whose <see cref="MarketEvent.Position"/> is ignored and given by the log, in order; completes when written
    /// (durable within the log's flush interval: market data is re-obtainable, orders are not).</summary>
    /// <returns>Position of the first.</returns>
    /// <exception cref="IOException">It cannot be written now; whether the events are in it, a look into it says.</exception>
    ValueTask<long> AppendAsync(ReadOnlyMemory<MarketEvent> events, CancellationToken cancellation = default);

    /// <summary>Reads from <paramref name="fromPosition"/> (or the oldest kept) to the end as of now.</summary>
    IAsyncEnumerable<MarketEvent> ReadAsync(long fromPosition = 0, CancellationToken cancellation = default);

    /// <summary>The oldest position still kept.</summary>
    long FirstPosition { get; }

    /// <summary>The position that the next event will get.</summary>
    long NextPosition { get; }
}

/// <summary>What is kept of one instrument's bars of one time frame.</summary>
public readonly record struct BarStock(string Symbol, TimeFrame TimeFrame, DateTime FirstOpen, DateTime LastOpen, long Count);

/// <summary>Bars built from a market log, kept for charts, warm-up and restarts.</summary>
public interface IBarStore
{
    Task AppendAsync(string symbol, TimeFrame timeFrame, ReadOnlyMemory<Bar> bars, CancellationToken cancellation = default);

    /// <summary>The last <paramref name="count"/> bars that opened before <paramref name="before"/>, oldest first.</summary>
    Task<ImmutableArray<Bar>> ReadLastAsync(string symbol, TimeFrame timeFrame, int count, DateTime before, CancellationToken cancellation = default);

    /// <summary>What there is, by symbol and time frame. It counts, so it takes as long as there are bars.</summary>
    Task<ImmutableArray<BarStock>> ListAsync(CancellationToken cancellation = default);
}
