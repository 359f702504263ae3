using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Average directional index with +DI and -DI (Wilder 1978). +DM = high - last high when that is positive and greater than last low - low,
/// -DM the mirror image. DI = 100 x Wilder average of DM / Wilder average of the true range, both from the second bar on;
/// DX = 100 |+DI - -DI| / (+DI + -DI); ADX = Wilder average of DX. Averages are seeded with the mean of their first n; a ratio without a
/// denominator counts as 0. DI are ready at bar n + 1, ADX at bar 2 n.
/// </summary>
public sealed class Adx(int period = 14) : Indicator
{
    private EmaState _range = new(Period(period), 1.0 / period);
    private EmaState _plus = new(period, 1.0 / period);
    private EmaState _minus = new(period, 1.0 / period);
    private EmaState _adx = new(period, 1.0 / period);
    private TrueRange _trueRange = new();
    private long _lastHigh = long.MinValue;
    private long _lastLow;

    public override int WarmUp => 2 * period;

    /// <summary>+DI, 0 to 100.</summary>
    public double PlusDi => Share(_plus);

    /// <summary>-DI, 0 to 100.</summary>
    public double MinusDi => Share(_minus);

    public override void Update(in Bar bar)
    {
        long range = _trueRange.Next(bar);
        long high = bar.Bid.High;
        long low = bar.Bid.Low;
        if (_lastHigh != long.MinValue)
        {
            long up = high - _lastHigh;
            long down = _lastLow - low;
            _range.Add(range);
            _plus.Add(up > down ? Math.Max(up, 0) : 0);
            _minus.Add(down > up ? Math.Max(down, 0) : 0);
            if (_range.IsReady)
            {
                // The true range cancels out of DX, so it is formed from the averages at once.
                double total = _plus.Value + _minus.Value;
                _adx.Add(total > 0 ? 100 * Math.Abs(_plus.Value - _minus.Value) / total : 0);
                if (_adx.IsReady) Value = _adx.Value;
            }
        }
        _lastHigh = high;
        _lastLow = low;
    }

    private double Share(in EmaState movement)
    {
        if (!_range.IsReady) return double.NaN;
        return _range.Value > 0 ? 100 * movement.Value / _range.Value : 0;
    }

    internal override double Output(int index) => index switch { 0 => Value, 1 => PlusDi, _ => MinusDi };

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _range.Transfer(state);
        _plus.Transfer(state);
        _minus.Transfer(state);
        _adx.Transfer(state);
        _trueRange.Transfer(state);
        state.Of(ref _lastHigh);
        state.Of(ref _lastLow);
    }
}
