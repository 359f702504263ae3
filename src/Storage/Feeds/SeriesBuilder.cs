using System.Buffers;
using System.Text;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>Where the rows of a series go as they are read, a block at a time.</summary>
internal interface IRowStore
{
    void Add(ReadOnlySpan<Quote> quotes);

    void Add(ReadOnlySpan<Bar> bars);
}

/// <summary>What was read, without its rows.</summary>
/// <param name="Instrument">With as many digits as the prices need.</param>
internal sealed record ParsedSeries(Instrument Instrument, TimeFrame TimeFrame, FeedQuality Quality, ImmutableArray<SourceFile> Sources);

/// <summary>Keeps the rows in memory.</summary>
internal sealed class RowsInMemory : IRowStore
{
    private readonly ArrayBufferWriter<Quote> _quotes = new();
    private readonly ArrayBufferWriter<Bar> _bars = new();

    public void Add(ReadOnlySpan<Quote> quotes) => _quotes.Write(quotes);

    public void Add(ReadOnlySpan<Bar> bars) => _bars.Write(bars);

    public MarketSeries Series(ParsedSeries parsed) => parsed.TimeFrame.IsTick
        ? MarketSeries.OfQuotes(parsed.Instrument, _quotes.WrittenMemory, parsed.Quality, parsed.Sources)
        : MarketSeries.OfBars(parsed.Instrument, parsed.TimeFrame, _bars.WrittenMemory, parsed.Quality, parsed.Sources);
}

/// <summary>Takes the rows of one or more files: keeps the period asked for, drops and counts what is out of order.</summary>
internal sealed class SeriesBuilder(Instrument instrument, TimeFrame timeFrame, FeedOptions options, IRowStore store)
{
    /// <summary>Rows that go to the store at once.</summary>
    public const int Block = 16_384;

    private readonly long _from = options.From?.Ticks ?? long.MinValue;
    private readonly long _to = options.To?.Ticks ?? long.MaxValue;
    private readonly Quote[] _quotes = timeFrame.IsTick ? new Quote[Block] : [];
    private readonly Bar[] _bars = timeFrame.IsTick ? [] : new Bar[Block];
    private FeedGuard _guard = new(instrument.Calendar);
    private int _count;

    public Instrument Instrument => instrument;

    public TimeFrame TimeFrame => timeFrame;

    public FeedOptions Options => options;

    public FeedQuality Quality => _guard.Quality;

    public void Add(in Quote quote)
    {
        if (quote.Time.Ticks < _from || quote.Time.Ticks >= _to || !_guard.Accept(quote)) return;
        _quotes[_count++] = quote;
        if (_count == Block) Flush();
    }

    public void Add(in Bar bar)
    {
        if (bar.OpenTime.Ticks < _from || bar.OpenTime.Ticks >= _to || !_guard.Accept(bar, timeFrame)) return;
        _bars[_count++] = bar;
        if (_count == Block) Flush();
    }

    /// <summary>Counts a row of which one side is empty.</summary>
    public void Reject() => _guard.Reject();

    /// <summary>Hands the last rows on.</summary>
    public void Flush()
    {
        if (timeFrame.IsTick) store.Add(_quotes.AsSpan(0, _count));
        else store.Add(_bars.AsSpan(0, _count));
        _count = 0;
    }
}

/// <summary>A price needs more decimals than the instrument has: the load starts again with more.</summary>
internal sealed class FinerPricesException(int decimals) : Exception
{
    public int Decimals => decimals;
}

/// <summary>Where a row stands and how its columns are called, for messages.</summary>
internal readonly struct RowPlace(string file, long line)
{
    public FeedException Fault(string column, ReadOnlySpan<byte> value, string expected)
    {
        string text = Encoding.UTF8.GetString(value.Length > 40 ? value[..40] : value);
        return new FeedException($"{file}, line {line}, column {column}: '{text}', expected {expected}");
    }

    public FeedException Fault(string fault) => new($"{file}, line {line}: {fault}");

    /// <summary>The price in points.</summary>
    /// <exception cref="FinerPricesException">It needs more decimals than <paramref name="digits"/>, and not more than ten.</exception>
    public long Price(string column, ReadOnlySpan<byte> text, int digits, int shift = 0)
    {
        PriceFault fault = FeedNumbers.TryPrice(text, digits, shift, out long points, out int decimals);
        if (fault == PriceFault.None) return points;
        throw fault switch
        {
            PriceFault.TooManyDecimals when decimals <= 10 => new FinerPricesException(decimals),
            PriceFault.TooManyDecimals => Fault(column, text, "a price of at most 10 decimals"),
            PriceFault.TooLarge => Fault(column, text, $"a price below {Instrument.MaxPricePoints:N0} points of {digits} decimals"),
            PriceFault.NotPositive => Fault(column, text, "a price above zero"),
            _ => Fault(column, text, "a price such as 1.23456"),
        };
    }

    public double Volume(string column, ReadOnlySpan<byte> text) =>
        FeedNumbers.TryVolume(text, out double volume) ? volume : throw Fault(column, text, "a volume, a number not below zero");

    public void CheckEnclosed(in Ohlc prices, Instrument instrument)
    {
        if (prices.IsValid) return;
        throw Fault($"open {instrument.ToPrice(prices.Open)}, high {instrument.ToPrice(prices.High)}, low {instrument.ToPrice(prices.Low)}, "
            + $"close {instrument.ToPrice(prices.Close)}: expected low <= open, close <= high");
    }
}
