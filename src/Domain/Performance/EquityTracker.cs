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

    public decimal Last { get; private set; } = start;
    public decimal Peak { get; private set; } = start;

    /// <summary>Largest fall from a peak, as a share of that peak (0 to 1, more when the account goes below zero).</summary>
    public decimal MaxDrawdown { get; private set; }

    /// <summary>Every mark at first, then every 2nd, 4th, ... as it grows: never more than some thousand points.</summary>
    public IReadOnlyList<EquityPoint> Curve => _curve;

    public void Mark(DateTime time, decimal equity)
    {
        if (equity != Last)
        {
            Last = equity;
            if (equity > Peak) SetPeak(equity);
            else if (equity < _deepest && Peak > 0 && (Peak - equity) / Peak is var drawdown && drawdown > MaxDrawdown) SetDrawdown(drawdown);
        }
        if (++_skipped < _stride) return;
        _skipped = 0;
        _curve.Add(new EquityPoint(time, equity));
        if (_curve.Count < MaximumPoints) return;
        for (int i = 1; i < MaximumPoints / 2; i++) _curve[i] = _curve[2 * i];
        _curve.RemoveRange(MaximumPoints / 2, MaximumPoints / 2);
        _stride *= 2;
    }

    private void SetPeak(decimal equity)
    {
        Peak = equity;
        _deepest = Peak - Peak * MaxDrawdown + Margin;
    }

    private void SetDrawdown(decimal drawdown)
    {
        MaxDrawdown = drawdown;
        _deepest = Peak - Peak * drawdown + Margin;
    }
}

/// <summary>Equity at a time, in account currency.</summary>
[GenerateSerializer, Immutable, Alias("ht.EquityPoint")]
public readonly record struct EquityPoint(DateTime Time, decimal Equity);
