using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Relative strength index (Wilder 1978, New Concepts in Technical Trading Systems): 100 G / (G + L), where G and L are Wilder averages
/// (smoothing 1 / n, seeded with the mean of the first n) of the gains and losses from bar to bar. 50 when nothing has moved.
/// </summary>
public sealed class Rsi(int period = 14, PriceSource source = PriceSource.Close) : Indicator
{
    private EmaState _gain = new(Period(period), 1.0 / period);
    private EmaState _loss = new(period, 1.0 / period);
    private long _last = long.MinValue;

    public override int WarmUp => period + 1;

    public override void Update(in Bar bar)
    {
        long price = source.Select(bar);
        if (_last != long.MinValue)
        {
            long change = price - _last;
            _gain.Add(Math.Max(change, 0));
            _loss.Add(Math.Max(-change, 0));
            if (_gain.IsReady)
            {
                double total = _gain.Value + _loss.Value;
                Value = total > 0 ? 100 * _gain.Value / total : 50;
            }
        }
        _last = price;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _gain.Transfer(state);
        _loss.Transfer(state);
        state.Of(ref _last);
    }
}

/// <summary>
/// Stochastic oscillator (Lane): raw = 100 (close - lowest low) / (highest high - lowest low) over n bars, 50 when the range is empty;
/// %K = simple average of the last <c>smooth</c> raw values (1 = fast), %D = simple average of the last <c>d</c> values of %K.
/// </summary>
public sealed class Stochastic : Indicator
{
    private readonly int _smooth;
    private readonly int _d;
    private SlidingMax<long> _highest;
    private SlidingMax<long> _lowest;
    private SlidingSum _rawSum;
    private SlidingSum _kSum;

    public Stochastic(int period = 14, int smooth = 3, int d = 3)
    {
        _highest = new SlidingMax<long>(Period(period));
        _lowest = new SlidingMax<long>(period);
        _rawSum = new SlidingSum(Period(smooth));
        _kSum = new SlidingSum(Period(d));
        (_smooth, _d) = (smooth, d);
        WarmUp = period + smooth + d - 2;
    }

    public override int WarmUp { get; }

    public double K => Value;

    public double D { get; private set; } = double.NaN;

    public override void Update(in Bar bar)
    {
        long high = _highest.Add(bar.Bid.High);
        long low = -_lowest.Add(-bar.Bid.Low);
        if (!_highest.IsFull) return;

        double raw = high > low ? 100.0 * (bar.Bid.Close - low) / (high - low) : 50;
        double k = _rawSum.Add(raw) / _smooth;
        if (!_rawSum.IsFull) return;

        Value = k;
        double sum = _kSum.Add(k);
        if (_kSum.IsFull) D = sum / _d;
    }

    internal override double Output(int index) => index == 0 ? K : D;

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _highest.Transfer(state);
        _lowest.Transfer(state);
        _rawSum.Transfer(state);
        _kSum.Transfer(state);
        double d = D;
        state.Of(ref d);
        D = d;
    }
}

/// <summary>
/// Commodity channel index (Lambert 1980): (typical price - its simple average) / (0.015 x mean absolute deviation); 0 when the window is flat.
/// The mean absolute deviation has no recurrence: the window is walked once a bar, in whole numbers.
/// </summary>
public sealed class Cci(int period = 20) : Indicator
{
    private readonly long[] _window = new long[Period(period, maximum: 1000)];
    private int _next;
    private bool _full;
    private long _sum;

    public override int WarmUp => _window.Length;

    public override void Update(in Bar bar)
    {
        long price = PriceSource.Typical.Select(bar);
        long[] window = _window;
        _sum += price - window[_next];
        window[_next] = price;
        if (++_next == window.Length)
        {
            _next = 0;
            _full = true;
        }
        if (!_full) return;

        int n = window.Length;
        long deviations = 0;
        foreach (long other in window) deviations += Math.Abs((n * other) - _sum);
        Value = deviations == 0 ? 0 : (double)((n * price) - _sum) * n / (0.015 * deviations);
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(_window);
        state.Of(ref _next);
        state.Of(ref _full);
        state.Of(ref _sum);
    }
}

/// <summary>Rate of change in percent: 100 (price - price n bars ago) / price n bars ago.</summary>
public sealed class Roc(int period = 10, PriceSource source = PriceSource.Close) : Indicator
{
    private Lag _lag = new(Period(period));

    public override int WarmUp => period + 1;

    public override void Update(in Bar bar)
    {
        long price = source.Select(bar);
        if (_lag.Exchange(price, out long before)) Value = 100.0 * (price - before) / before;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _lag.Transfer(state);
    }
}

/// <summary>Momentum: price - price n bars ago, in units of price.</summary>
public sealed class Momentum(Instrument instrument, int period = 10, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly double _divisor = source.Divisor() * instrument.PointsPerUnit;
    private Lag _lag = new(Period(period));

    public override int WarmUp => period + 1;

    public override void Update(in Bar bar)
    {
        long price = source.Select(bar);
        if (_lag.Exchange(price, out long before)) Value = (price - before) / _divisor;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _lag.Transfer(state);
    }
}

/// <summary>The value of n steps ago.</summary>
internal struct Lag(int length)
{
    private readonly long[] _window = new long[length];
    private int _next;
    private bool _full;

    /// <summary>Takes the newest and gives the one of n steps ago; false while there is none.</summary>
    public bool Exchange(long newest, out long before)
    {
        bool was = _full;
        before = _window[_next];
        _window[_next] = newest;
        if (++_next == _window.Length)
        {
            _next = 0;
            _full = true;
        }
        return was;
    }

    public void Transfer(StateTransfer state)
    {
        state.Of(_window);
        state.Of(ref _next);
        state.Of(ref _full);
    }
}
