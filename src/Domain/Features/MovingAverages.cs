using System.Runtime.CompilerServices;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>A price of the bar itself.</summary>
public sealed class Price(Instrument instrument, PriceSource source) : Indicator
{
    private readonly double _divisor = source.Divisor() * instrument.PointsPerUnit;

    public override int WarmUp => 1;

    public override void Update(in Bar bar) => Value = source.Select(bar) / _divisor;
}

/// <summary>The bar's volume.</summary>
public sealed class Volume : Indicator
{
    public override int WarmUp => 1;

    public override void Update(in Bar bar) => Value = bar.Volume;
}

/// <summary>Closing ask less closing bid.</summary>
public sealed class Spread(Instrument instrument) : Indicator
{
    private readonly double _pointsPerUnit = instrument.PointsPerUnit;

    public override int WarmUp => 1;

    public override void Update(in Bar bar) => Value = (bar.Ask.Close - bar.Bid.Close) / _pointsPerUnit;
}

/// <summary>Simple moving average: the sum of the last n prices, kept in whole points, divided once. Equal means compare equal.</summary>
public sealed class Sma(Instrument instrument, int period, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly long[] _window = new long[Period(period)];
    private readonly double _divisor = (double)period * source.Divisor() * instrument.PointsPerUnit;
    private int _next;
    private bool _full;
    private long _sum;

    public override int WarmUp => _window.Length;

    public override void Update(in Bar bar)
    {
        long price = source.Select(bar);
        long[] window = _window;
        int next = _next;
        _sum += price - window[next];
        window[next] = price;
        if (++next == window.Length)
        {
            next = 0;
            _full = true;
        }
        _next = next;
        if (_full) Value = _sum / _divisor;
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

/// <summary>
/// Exponential moving average with smoothing 2 / (n + 1), seeded with the simple average of the first n prices (the convention of TA-Lib and
/// LEAN; others seed with the first price, which differs only until the seed has faded).
/// </summary>
public sealed class Ema(Instrument instrument, int period, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly double _divisor = source.Divisor() * instrument.PointsPerUnit;
    private EmaState _ema = new(Period(period), 2.0 / (period + 1));

    public override int WarmUp => period;

    public override void Update(in Bar bar)
    {
        if (_ema.Add(source.Select(bar))) Value = _ema.Value / _divisor;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _ema.Transfer(state);
    }
}

/// <summary>Linearly weighted moving average: weights 1 to n, the newest heaviest; sums in whole points, divided once.</summary>
public sealed class Wma(Instrument instrument, int period, PriceSource source = PriceSource.Close) : Indicator
{
    private readonly long[] _window = new long[Period(period)];
    private readonly double _divisor = period * (period + 1L) / 2 * source.Divisor() * instrument.PointsPerUnit;
    private int _next;
    private bool _full;
    private long _sum;
    private Int128 _weighted;

    public override int WarmUp => _window.Length;

    public override void Update(in Bar bar)
    {
        // Each price in the window loses one weight, the newest enters with n; while the window fills, its empty slots are zeros.
        long price = source.Select(bar);
        long[] window = _window;
        int next = _next;
        _weighted += (window.Length * price) - _sum;
        _sum += price - window[next];
        window[next] = price;
        if (++next == window.Length)
        {
            next = 0;
            _full = true;
        }
        _next = next;
        if (_full) Value = ToDouble(_weighted) / _divisor;
    }

    private static double ToDouble(Int128 value) => (long)value == value ? (long)value : (double)value;

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(_window);
        state.Of(ref _next);
        state.Of(ref _full);
        state.Of(ref _sum);
        state.Of(ref _weighted);
    }
}

/// <summary>
/// Moving average convergence/divergence (Appel 1979): line = EMA(fast) - EMA(slow), signal = EMA(signal) of the line, histogram = line - signal.
/// Every EMA has smoothing 2 / (n + 1) and is seeded with the simple average of its own first n inputs, as in LEAN; libraries that
/// hard-wire Appel's 0.15 and 0.075 for 12 and 26 (Tulip) give other values.
/// </summary>
public sealed class Macd : Indicator
{
    private readonly PriceSource _source;
    private readonly double _divisor;
    private EmaState _fast;
    private EmaState _slow;
    private EmaState _signal;

    public Macd(Instrument instrument, int fast = 12, int slow = 26, int signal = 9, PriceSource source = PriceSource.Close)
    {
        if (fast >= slow) throw new ArgumentOutOfRangeException(nameof(fast), fast, $"expected less than slow ({slow})");
        _fast = new EmaState(Period(fast), 2.0 / (fast + 1));
        _slow = new EmaState(Period(slow), 2.0 / (slow + 1));
        _signal = new EmaState(Period(signal), 2.0 / (signal + 1));
        _divisor = source.Divisor() * instrument.PointsPerUnit;
        WarmUp = slow + signal - 1;
        _source = source;
    }

    public override int WarmUp { get; }

    public double Line => Value;

    public double Signal { get; private set; } = double.NaN;

    public double Histogram => Value - Signal;

    public override void Update(in Bar bar)
    {
        long price = _source.Select(bar);
        _fast.Add(price);
        _slow.Add(price);
        if (!_slow.IsReady) return;

        double line = _fast.Value - _slow.Value;
        _signal.Add(line);
        Value = line / _divisor;
        if (_signal.IsReady) Signal = _signal.Value / _divisor;
    }

    internal override double Output(int index) => index switch { 0 => Line, 1 => Signal, _ => Histogram };

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _fast.Transfer(state);
        _slow.Transfer(state);
        _signal.Transfer(state);
        double signal = Signal;
        state.Of(ref signal);
        Signal = signal;
    }
}

/// <summary>An exponential average seeded with the mean of its first n inputs.</summary>
internal struct EmaState(int period, double smoothing)
{
    private readonly double _kept = 1 - smoothing;
    private readonly double _taken = smoothing;
    private readonly int _period = period;
    private int _seeding = period;
    private double _value = 0;

    public readonly bool IsReady => _seeding == 0;

    /// <summary>Meaningful once ready.</summary>
    public readonly double Value => _value;

    /// <returns>True once ready.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Add(double input)
    {
        if (_seeding != 0) return Seed(input);
        // Two independent products and one addition: shorter dependency chain than value + k (input - value).
        _value = (_value * _kept) + (input * _taken);
        return true;
    }

    private bool Seed(double input)
    {
        _value += input;
        if (--_seeding != 0) return false;
        _value /= _period;
        return true;
    }

    public void Transfer(StateTransfer state)
    {
        state.Of(ref _seeding);
        state.Of(ref _value);
    }
}
