namespace HybridTrading.Domain.Performance;

/// <summary>Peak and drawdown of an equity that is marked again and again, and a curve thinned to a bounded number of points.</summary>
public sealed class EquityTracker(decimal start)
{
    private const int MaximumPoints = 4096;
    private readonly List<EquityPoint> _curve = [];
    private int _stride = 1, _skipped;

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
            if (equity > Peak) Peak = equity;
            else if (Peak > 0 && (Peak - equity) / Peak is var drawdown && drawdown > MaxDrawdown) MaxDrawdown = drawdown;
        }
        if (++_skipped < _stride) return;
        _skipped = 0;
        _curve.Add(new EquityPoint(time, equity));
        if (_curve.Count < MaximumPoints) return;
        for (int i = 1; i < MaximumPoints / 2; i++) _curve[i] = _curve[2 * i];
        _curve.RemoveRange(MaximumPoints / 2, MaximumPoints / 2);
        _stride *= 2;
    }
}

/// <summary>Equity at a time, in account currency.</summary>
[GenerateSerializer, Immutable, Alias("ht.EquityPoint")]
public readonly record struct EquityPoint(DateTime Time, decimal Equity);
