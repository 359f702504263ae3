using System.Buffers;
using System.Runtime.InteropServices;

namespace HybridTrading.Domain.Markets;

/// <summary>A file that data came from.</summary>
/// <param name="Sha256">Of the file as it lies on disk, in lower-case hex.</param>
public sealed record SourceFile(string Path, string Sha256);

/// <summary>Quotes or bars of one instrument, decoded, in order of time.</summary>
public sealed class MarketSeries
{
    private readonly ReadOnlyMemory<Quote> _quotes;
    private readonly ReadOnlyMemory<Bar> _bars;

    private MarketSeries(Instrument instrument, TimeFrame timeFrame, ReadOnlyMemory<Quote> quotes, ReadOnlyMemory<Bar> bars)
    {
        Instrument = instrument;
        TimeFrame = timeFrame;
        _quotes = quotes;
        _bars = bars;
    }

    /// <summary>A series of quotes, ordered by time.</summary>
    public static MarketSeries OfQuotes(
        Instrument instrument, ReadOnlyMemory<Quote> quotes, FeedQuality quality = default, ImmutableArray<SourceFile> sources = default) =>
        new(instrument, TimeFrame.Tick, quotes, default) { Quality = quality, Sources = sources.IsDefault ? [] : sources };

    /// <summary>A series of bars, ordered by open time.</summary>
    /// <exception cref="ArgumentException">The time frame is tick.</exception>
    public static MarketSeries OfBars(
        Instrument instrument, TimeFrame timeFrame, ReadOnlyMemory<Bar> bars, FeedQuality quality = default,
        ImmutableArray<SourceFile> sources = default) => timeFrame.IsTick
        ? throw new ArgumentException("bars need a time frame other than tick", nameof(timeFrame))
        : new MarketSeries(instrument, timeFrame, default, bars) { Quality = quality, Sources = sources.IsDefault ? [] : sources };

    public Instrument Instrument { get; }

    /// <summary>Tick for quotes.</summary>
    public TimeFrame TimeFrame { get; }

    /// <summary>True when it holds quotes, false when bars.</summary>
    public bool IsTicks => TimeFrame.IsTick;

    /// <summary>Empty when it holds bars.</summary>
    public ReadOnlyMemory<Quote> Quotes => _quotes;

    /// <summary>Empty when it holds quotes.</summary>
    public ReadOnlyMemory<Bar> Bars => _bars;

    public int Count => _quotes.Length + _bars.Length;

    public FeedQuality Quality { get; private init; }

    public ImmutableArray<SourceFile> Sources { get; private init; } = [];

    /// <summary>When item <paramref name="index"/> happened: a quote's time, a bar's end.</summary>
    public DateTime EventTime(int index) => IsTicks ? _quotes.Span[index].Time : TimeFrame.End(_bars.Span[index].OpenTime);

    /// <summary>The same data of an instrument that is held at other terms.</summary>
    /// <exception cref="ArgumentException">Its prices are counted otherwise.</exception>
    public MarketSeries Of(Instrument instrument) => instrument.Symbol == Instrument.Symbol && instrument.Digits == Instrument.Digits
        ? new MarketSeries(instrument, TimeFrame, _quotes, _bars) { Quality = Quality, Sources = Sources }
        : throw new ArgumentException($"{instrument.Symbol} of {instrument.Digits} digits; expected {Instrument.Symbol} of {Instrument.Digits}", nameof(instrument));

    /// <summary>The part whose quotes lie in, or whose bars open in, [from, to); null is unbounded.</summary>
    public MarketSeries Between(DateTime? from, DateTime? to)
    {
        int start = from is { } f ? FirstAtOrAfter(f) : 0;
        int end = Math.Max(start, to is { } t ? FirstAtOrAfter(t) : Count);
        return new MarketSeries(
            Instrument, TimeFrame, IsTicks ? _quotes[start..end] : default, IsTicks ? default : _bars[start..end])
        {
            Quality = Quality,
            Sources = Sources,
        };
    }

    /// <summary>The part that has happened by <paramref name="time"/>: quotes up to it, bars that ended by it.</summary>
    public MarketSeries Until(DateTime time)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (EventTime(middle) <= time) low = middle + 1;
            else high = middle;
        }
        return new MarketSeries(Instrument, TimeFrame, IsTicks ? _quotes[..low] : default, IsTicks ? default : _bars[..low]) { Quality = Quality, Sources = Sources };
    }

    /// <summary>Items from <paramref name="from"/> up to <paramref name="to"/> were passed: where they lie in a file, they need not stay in memory.</summary>
    public void Release(int from, int to)
    {
        if (IsTicks) Release(_quotes, from, to);
        else Release(_bars, from, to);
    }

    private static void Release<T>(ReadOnlyMemory<T> rows, int from, int to)
    {
        if (MemoryMarshal.TryGetMemoryManager(rows, out MemoryManager<T>? manager, out int start, out _) && manager is IPagedRows paged)
        {
            paged.Release(start + from, start + to);
        }
    }

    private int FirstAtOrAfter(DateTime time)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            DateTime at = IsTicks ? _quotes.Span[middle].Time : _bars.Span[middle].OpenTime;
            if (at < time) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
