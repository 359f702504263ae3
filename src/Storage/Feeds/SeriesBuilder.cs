using System.Text;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>Collects the rows of one or more files into a series: keeps the period asked for, drops and counts what is out of order.</summary>
internal sealed class SeriesBuilder(Instrument instrument, TimeFrame timeFrame, FeedOptions options)
{
    private readonly long _from = options.From?.Ticks ?? long.MinValue;
    private readonly long _to = options.To?.Ticks ?? long.MaxValue;
    private FeedGuard _guard = new(instrument.Calendar);
    private Quote[] _quotes = [];
    private Bar[] _bars = [];
    private int _count;

    public Instrument Instrument => instrument;

    public TimeFrame TimeFrame => timeFrame;

    public FeedOptions Options => options;

    public FeedQuality Quality => _guard.Quality;

    /// <summary>Makes room for the rows of one more file.</summary>
    public void Reserve(ReadOnlySpan<byte> content)
    {
        int needed = _count + content.Count((byte)'\n') + 1;
        if (timeFrame.IsTick && needed > _quotes.Length) Array.Resize(ref _quotes, Math.Max(needed, _quotes.Length * 2));
        if (!timeFrame.IsTick && needed > _bars.Length) Array.Resize(ref _bars, Math.Max(needed, _bars.Length * 2));
    }

    /// <summary>Takes a row; room for it was reserved.</summary>
    public void Add(in Quote quote)
    {
        if (quote.Time.Ticks < _from || quote.Time.Ticks >= _to || !_guard.Accept(quote)) return;
        _quotes[_count++] = quote;
    }

    /// <inheritdoc cref="Add(in Quote)"/>
    public void Add(in Bar bar)
    {
        if (bar.OpenTime.Ticks < _from || bar.OpenTime.Ticks >= _to || !_guard.Accept(bar, timeFrame)) return;
        _bars[_count++] = bar;
    }

    /// <summary>Counts a row of which one side is empty.</summary>
    public void Reject() => _guard.Reject();

    public MarketSeries Build(ImmutableArray<SourceFile> sources)
    {
        return timeFrame.IsTick
            ? MarketSeries.OfQuotes(instrument, _quotes.AsMemory(0, _count), Quality, sources)
            : MarketSeries.OfBars(instrument, timeFrame, _bars.AsMemory(0, _count), Quality, sources);
    }
}

/// <summary>A price needs more decimals than the instrument has: the load starts again with more.</summary>
internal sealed class FinerPricesException(int decimals) : Exception
{
    public int Decimals => decimals;
}

/// <summary>Where a row stands and how its columns are called, for messages.</summary>
internal readonly struct RowPlace(string file, int line)
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
