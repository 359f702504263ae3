namespace HybridTrading.Domain.Markets;

/// <summary>
/// Builds the bars of one time frame from quotes, or from bars of a shorter frame. A bar [open, end) closes when something says that its end has come:
/// the first event at or after it, a clock, or the source bar that ends with it. Where nothing happened there is no bar.
/// </summary>
public sealed class BarBuilder
{
    private readonly TimeFrame _source, _target;
    private Bar _forming;
    private DateTime _end;

    /// <param name="source">Tick for quotes, else the frame of the bars that come in.</param>
    /// <param name="target">At least as long as the source.</param>
    /// <exception cref="ArgumentException">The source is longer than the target.</exception>
    public BarBuilder(TimeFrame source, TimeFrame target)
    {
        if (source.CompareTo(target) > 0) throw new ArgumentException($"cannot build {target} bars from {source} bars", nameof(source));
        (_source, _target) = (source, target);
    }

    /// <summary>Goes on with a bar that was forming before a restart.</summary>
    public static BarBuilder Continue(TimeFrame source, TimeFrame target, Bar forming) => new(source, target)
    {
        _forming = forming,
        _end = target.End(forming.OpenTime),
        IsForming = true,
    };

    public bool IsForming { get; private set; }

    /// <summary>The bar so far, while <see cref="IsForming"/>.</summary>
    public Bar Forming => _forming;

    /// <summary>Closes the forming bar when it has ended by <paramref name="time"/>.</summary>
    public bool TryClose(DateTime time, out Bar closed)
    {
        if (IsForming && time >= _end)
        {
            closed = _forming;
            IsForming = false;
            return true;
        }
        closed = default;
        return false;
    }

    /// <summary>Takes a quote; call <see cref="TryClose"/> with its time first. Its volume is one tick.</summary>
    /// <returns>True when it makes a whole bar by itself (time frame tick).</returns>
    /// <exception cref="InvalidOperationException">The builder takes bars.</exception>
    public bool Add(in Quote quote, out Bar closed)
    {
        if (!_source.IsTick) throw new InvalidOperationException($"the builder takes {_source} bars, not quotes");
        if (_target.IsTick)
        {
            closed = new Bar(quote.Time, Flat(quote.Bid), Flat(quote.Ask), 1);
            return true;
        }
        closed = default;
        if (IsForming)
        {
            _forming = new Bar(_forming.OpenTime, Extend(_forming.Bid, quote.Bid), Extend(_forming.Ask, quote.Ask), _forming.Volume + 1);
        }
        else
        {
            Begin(quote.Time, new Bar(_target.Floor(quote.Time), Flat(quote.Bid), Flat(quote.Ask), 1));
        }
        return false;
    }

    /// <summary>Takes a closed bar of the source; call <see cref="TryClose"/> with its open time first.</summary>
    /// <returns>True when the target's bar ends with it.</returns>
    /// <exception cref="InvalidOperationException">The builder takes quotes.</exception>
    public bool Add(in Bar bar, out Bar closed)
    {
        if (_source.IsTick) throw new InvalidOperationException("the builder takes quotes, not bars");
        if (_target == _source)
        {
            closed = bar;
            return true;
        }
        if (IsForming)
        {
            _forming = new Bar(_forming.OpenTime, Extend(_forming.Bid, bar.Bid), Extend(_forming.Ask, bar.Ask), _forming.Volume + bar.Volume);
        }
        else
        {
            Begin(bar.OpenTime, bar with { OpenTime = _target.Floor(bar.OpenTime) });
        }
        return TryClose(_source.End(bar.OpenTime), out closed);
    }

    private void Begin(DateTime time, in Bar bar)
    {
        _forming = bar;
        _end = _target.End(_target.Floor(time));
        IsForming = true;
    }

    private static Ohlc Flat(long points) => new(points, points, points, points);

    private static Ohlc Extend(Ohlc bar, long points) => new(bar.Open, Math.Max(bar.High, points), Math.Min(bar.Low, points), points);

    private static Ohlc Extend(Ohlc bar, Ohlc next) => new(bar.Open, Math.Max(bar.High, next.High), Math.Min(bar.Low, next.Low), next.Close);
}
