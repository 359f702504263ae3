namespace HybridTrading.Domain.Markets;

/// <summary>
/// Builds bars from quotes or from smaller bars. A bar is closed by what comes after it: by the first event, or clock, at or after its end, before
/// that event is applied; a bar built from bars closes with the source bar that reaches its end. Times without events make no bars. What
/// comes out of order or twice is dropped and counted. Not thread-safe.
/// </summary>
public sealed class BarBuilder
{
    private readonly TimeFrame _timeFrame;
    private readonly TimeFrame _source;
    private readonly Bar[] _closed = new Bar[2];
    private FeedGuard _guard;
    private Bar _open;
    private DateTime _end;
    private bool _isOpen;

    /// <param name="timeFrame">Of the bars to build.</param>
    /// <param name="source">Tick for quotes, else the time frame of the source bars, not longer than <paramref name="timeFrame"/>.</param>
    /// <exception cref="ArgumentException">Source bars are longer than the bars to build.</exception>
    public BarBuilder(Instrument instrument, TimeFrame timeFrame, TimeFrame source = default)
    {
        if (source.CompareTo(timeFrame) > 0) throw new ArgumentException($"cannot build {timeFrame} bars from {source} bars", nameof(source));
        Instrument = instrument;
        _timeFrame = timeFrame;
        _source = source;
        _guard = new FeedGuard(instrument.Calendar);
    }

    public Instrument Instrument { get; }

    public TimeFrame TimeFrame => _timeFrame;

    /// <summary>What came in and what was dropped.</summary>
    public FeedQuality Quality => _guard.Quality;

    /// <summary>The bar being built; null between bars.</summary>
    public Bar? Current => _isOpen ? _open : null;

    /// <summary>Takes a quote; its volume counts as one tick.</summary>
    /// <returns>What closed, oldest first (0 or 1 bar); overwritten by the next call.</returns>
    /// <exception cref="InvalidOperationException">The builder takes bars.</exception>
    public ReadOnlySpan<Bar> Add(in Quote quote)
    {
        if (!_source.IsTick) throw new InvalidOperationException($"the builder takes {_source} bars, not quotes");
        if (!_guard.Accept(quote)) return [];
        var bid = new Ohlc(quote.Bid, quote.Bid, quote.Bid, quote.Bid);
        var ask = new Ohlc(quote.Ask, quote.Ask, quote.Ask, quote.Ask);
        if (_timeFrame.IsTick)
        {
            _closed[0] = new Bar(quote.Time, bid, ask, 1);
            return _closed.AsSpan(0, 1);
        }
        int closed = CloseUpTo(quote.Time);
        Include(new Bar(quote.Time, bid, ask, 1));
        return _closed.AsSpan(0, closed);
    }

    /// <summary>Takes a closed bar of the source's time frame.</summary>
    /// <returns>What closed, oldest first (0 to 2 bars); overwritten by the next call.</returns>
    /// <exception cref="InvalidOperationException">The builder takes quotes.</exception>
    public ReadOnlySpan<Bar> Add(in Bar bar)
    {
        if (_source.IsTick) throw new InvalidOperationException("the builder takes quotes, not bars");
        if (!_guard.Accept(bar, _source)) return [];
        if (_source == _timeFrame)
        {
            // Passed on as it is: a broker's day need not begin where ours does.
            _closed[0] = bar;
            return _closed.AsSpan(0, 1);
        }
        int closed = CloseUpTo(bar.OpenTime);
        Include(bar);
        if (_source.End(bar.OpenTime) >= _end) Close(closed++);
        return _closed.AsSpan(0, closed);
    }

    /// <summary>Lets time pass: closes the open bar when <paramref name="utc"/> has reached its end. Earlier quotes are late from then on.</summary>
    /// <returns>What closed (0 or 1 bar); overwritten by the next call.</returns>
    public ReadOnlySpan<Bar> AdvanceTo(DateTime utc)
    {
        int closed = CloseUpTo(utc);
        if (closed > 0) _guard.AdvanceTo(_end);
        return _closed.AsSpan(0, closed);
    }

    private int CloseUpTo(DateTime time)
    {
        if (!_isOpen || time < _end) return 0;
        Close(0);
        return 1;
    }

    private void Close(int index)
    {
        _closed[index] = _open;
        _isOpen = false;
    }

    private void Include(in Bar part)
    {
        if (_isOpen)
        {
            _open = new Bar(_open.OpenTime, Join(_open.Bid, part.Bid), Join(_open.Ask, part.Ask), _open.Volume + part.Volume);
            return;
        }
        DateTime openTime = _timeFrame.Floor(part.OpenTime);
        _open = part with { OpenTime = openTime };
        _end = _timeFrame.End(openTime);
        _isOpen = true;
    }

    private static Ohlc Join(in Ohlc first, in Ohlc next) =>
        new(first.Open, Math.Max(first.High, next.High), Math.Min(first.Low, next.Low), next.Close);
}
