using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Average true range (Wilder 1978): Wilder average (smoothing 1 / n, seeded with the mean of the first n) of the true range
/// max(high, last close) - min(low, last close); the first bar's true range is high - low.
/// </summary>
public sealed class Atr(Instrument instrument, int period = 14) : Indicator
{
    private readonly double _divisor = instrument.PointsPerUnit;
    private EmaState _average = new(Period(period), 1.0 / period);
    private TrueRange _range = new();

    public override int WarmUp => period;

    public override void Update(in Bar bar)
    {
        _average.Add(_range.Next(bar));
        if (_average.IsReady) Value = _average.Value / _divisor;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _average.Transfer(state);
        _range.Transfer(state);
    }
}

/// <summary>The true range of each bar, in points.</summary>
internal struct TrueRange()
{
    private long _lastClose = long.MinValue;

    public long Next(in Bar bar)
    {
        long last = _lastClose;
        _lastClose = bar.Bid.Close;
        return last == long.MinValue ? bar.Bid.High - bar.Bid.Low : Math.Max(bar.Bid.High, last) - Math.Min(bar.Bid.Low, last);
    }

    public void Transfer(StateTransfer state) => state.Of(ref _lastClose);
}

/// <summary>
/// Bollinger bands (Bollinger 2001): middle = simple average of n, upper and lower = middle +- k population standard deviations,
/// width = (upper - lower) / middle, percent-b = (price - lower) / (upper - lower), which is 0.5 when the bands have no width.
/// </summary>
public sealed class Bollinger(Instrument instrument, int period = 20, double deviations = 2, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly double _scale = source.Divisor() * instrument.PointsPerUnit;
    private readonly double _divisor = (double)period * source.Divisor() * instrument.PointsPerUnit;
    private SlidingMoments _moments = new(Period(period, minimum: 2));
    private double _halfWidth = double.NaN;
    private long _last;

    public override int WarmUp => period;

    public double Middle => Value;

    public double Upper => Value + _halfWidth;

    public double Lower => Value - _halfWidth;

    public double Width => 2 * _halfWidth / Value;

    public double PercentB => _halfWidth == 0 ? 0.5 : ((_last / _scale) - Lower) / (2 * _halfWidth);

    public override void Update(in Bar bar)
    {
        _last = source.Select(bar);
        _moments.Add(_last);
        if (!_moments.IsFull) return;
        Value = _moments.Sum / _divisor;
        _halfWidth = deviations * _moments.Deviation / _scale;
    }

    internal override double Output(int index) => index switch { 0 => Middle, 1 => Upper, 2 => Lower, 3 => Width, _ => PercentB };

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _moments.Transfer(state);
        state.Of(ref _halfWidth);
        state.Of(ref _last);
    }
}

/// <summary>Population standard deviation of the last n prices, in units of price, from exact whole-number sums.</summary>
public sealed class StandardDeviation(Instrument instrument, int period = 20, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly double _scale = source.Divisor() * instrument.PointsPerUnit;
    private SlidingMoments _moments = new(Period(period, minimum: 2));

    public override int WarmUp => period;

    public override void Update(in Bar bar)
    {
        _moments.Add(source.Select(bar));
        if (_moments.IsFull) Value = _moments.Deviation / _scale;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _moments.Transfer(state);
    }
}

/// <summary>Z-score: (price - mean of the last n) / their population standard deviation; 0 when the window is flat.</summary>
public sealed class ZScore(int period = 20, PriceSource source = PriceSource.Close) : Indicator
{
    private SlidingMoments _moments = new(Period(period, minimum: 2));

    public override int WarmUp => period;

    public override void Update(in Bar bar)
    {
        long price = source.Select(bar);
        _moments.Add(price);
        if (!_moments.IsFull) return;
        double deviation = _moments.Deviation;
        Value = deviation == 0 ? 0 : ((period * price) - _moments.Sum) / (period * deviation);
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _moments.Transfer(state);
    }
}

/// <summary>
/// Realised volatility (Andersen, Bollerslev 1998): square root of the mean of the last n squared log returns of the close, times the square
/// root of <c>periodsPerYear</c> (1 = per bar). No mean is subtracted.
/// </summary>
public sealed class RealisedVolatility(int period = 20, double periodsPerYear = 1) : Indicator
{
    private readonly double _factor = periodsPerYear / period;
    private SlidingSum _squares = new(Period(period));
    private long _last = long.MinValue;

    public override int WarmUp => period + 1;

    public override void Update(in Bar bar)
    {
        long close = bar.Bid.Close;
        if (_last != long.MinValue)
        {
            double change = LogRatio(close, _last);
            double sum = _squares.Add(change * change);
            if (_squares.IsFull) Value = Math.Sqrt(sum * _factor);
        }
        _last = close;
    }

    /// <summary>
    /// ln(a / b) = 2 artanh(z), z = (a - b) / (a + b): its series needs only the operations that IEEE 754 fixes, so it is the same on every
    /// machine (a library's logarithm is not), and it loses no digits for small changes. Beyond 10 % the library answers.
    /// </summary>
    internal static double LogRatio(long a, long b)
    {
        double z = (double)(a - b) / (a + b);
        double square = z * z;
        if (square > 0.0025) return Math.Log((double)a / b);
        double series = 1 / 13.0;
        series = (series * square) + (1 / 11.0);
        series = (series * square) + (1 / 9.0);
        series = (series * square) + (1 / 7.0);
        series = (series * square) + (1 / 5.0);
        series = (series * square) + (1 / 3.0);
        return 2 * z * (1 + (series * square));
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _squares.Transfer(state);
        state.Of(ref _last);
    }
}

/// <summary>
/// Donchian channel: upper = highest high, lower = lowest low of the last n bars, the newest included, middle = their mean.
/// A break-out compares the close with the channel of the bar before.
/// </summary>
public sealed class Donchian(Instrument instrument, int period = 20) : Indicator
{
    private readonly double _scale = instrument.PointsPerUnit;
    private SlidingMax<long> _highest = new(Period(period));
    private SlidingMax<long> _lowest = new(period);
    private double _lower = double.NaN;
    private double _middle = double.NaN;

    public override int WarmUp => period;

    public double Upper => Value;

    public double Lower => _lower;

    public double Middle => _middle;

    public override void Update(in Bar bar)
    {
        long high = _highest.Add(bar.Bid.High);
        long low = -_lowest.Add(-bar.Bid.Low);
        if (!_highest.IsFull) return;
        Value = high / _scale;
        _lower = low / _scale;
        _middle = (high + low) / (2 * _scale);
    }

    internal override double Output(int index) => index switch { 0 => Upper, 1 => Lower, _ => Middle };

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _highest.Transfer(state);
        _lowest.Transfer(state);
        state.Of(ref _lower);
        state.Of(ref _middle);
    }
}
