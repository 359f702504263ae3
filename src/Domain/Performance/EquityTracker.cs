using HybridTrading.Domain.Accounts;

namespace HybridTrading.Domain.Performance;

/// <summary>Peak and drawdown of an equity that is marked again and again, and a curve thinned to a bounded number of points.</summary>
public sealed class EquityTracker(decimal start)
{
    private const int MaximumPoints = 4096;
    // What the division of a drawdown can be off by, and more: marks at least so much above the deepest fall need no division (80 ns of a mark's 100).
    private const decimal Margin = 0.000_000_1m;

    private readonly List<EquityPoint> _curve = [];
    private int _stride = 1, _skipped;
    private decimal _deepest = start + Margin;
    // The peak and the deepest fall in the units of a gauge that counts so many digits.
    private long _peakUnits, _deepestUnits;
    private int _unitDigits = -1;

    public decimal Peak { get; private set; } = start;

    /// <summary>Largest fall from a peak, as a share of that peak (0 to 1, more when the account goes below zero).</summary>
    public decimal MaxDrawdown { get; private set; }

    /// <summary>Every mark at first, then every 2nd, 4th, ... as it grows: never more than some thousand points.</summary>
    public IReadOnlyList<EquityPoint> Curve => _curve;

    /// <summary>Marks what a gauge shows (always the same one). Its decimal is only worked out where it may be the highest or the deepest.</summary>
    public void Mark(DateTime time, EquityGauge gauge)
    {
        if (gauge.Units is { } units)
        {
            if (_unitDigits != gauge.Digits)
            {
                _peakUnits = gauge.UnitsOf(Peak).Floor;
                _deepestUnits = gauge.UnitsOf(_deepest).Ceiling;
                _unitDigits = gauge.Digits;
            }
            if (units <= _peakUnits && units >= _deepestUnits)
            {
                if (++_skipped >= _stride) Keep(time, gauge.AmountOf(units));
                return;
            }
        }
        Mark(time, gauge.Equity);
    }

    public void Mark(DateTime time, decimal equity)
    {
        if (equity > Peak) SetPeak(equity);
        else if (equity < _deepest && Peak > 0 && (Peak - equity) / Peak is var drawdown && drawdown > MaxDrawdown) SetDrawdown(drawdown);
        if (++_skipped >= _stride) Keep(time, equity);
    }

    private void Keep(DateTime time, decimal equity)
    {
        _skipped = 0;
        _curve.Add(new EquityPoint(time, equity));
        if (_curve.Count < MaximumPoints) return;
        for (int i = 1; i < MaximumPoints / 2; i++) _curve[i] = _curve[2 * i];
        _curve.RemoveRange(MaximumPoints / 2, MaximumPoints / 2);
        // The last point kept lies one old stride back.
        _skipped = _stride;
        _stride *= 2;
    }

    private void SetPeak(decimal equity)
    {
        Peak = equity;
        _deepest = Peak - Peak * MaxDrawdown + Margin;
        _unitDigits = -1;
    }

    private void SetDrawdown(decimal drawdown)
    {
        MaxDrawdown = drawdown;
        _deepest = Peak - Peak * drawdown + Margin;
        _unitDigits = -1;
    }
}

/// <summary>Equity at a time, in account currency.</summary>
[GenerateSerializer, Immutable, Alias("ht.EquityPoint")]
public readonly record struct EquityPoint(DateTime Time, decimal Equity);
