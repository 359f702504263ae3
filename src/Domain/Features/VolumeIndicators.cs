using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// On-balance volume (Granville 1963): adds the volume of a bar that closes higher, subtracts that of one that closes lower; 0 at the first bar.
/// </summary>
public sealed class Obv : Indicator
{
    private long _last = long.MinValue;

    public override int WarmUp => 1;

    public override void Update(in Bar bar)
    {
        long close = bar.Bid.Close;
        Value = _last == long.MinValue ? 0 : Value + (Math.Sign(close - _last) * bar.Volume);
        _last = close;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(ref _last);
    }
}

/// <summary>
/// Volume-weighted average of the typical price since the trading day turned (by the instrument's calendar); a bar belongs to the day in which it
/// opens. NaN while the day has no volume.
/// </summary>
public sealed class SessionVwap(Instrument instrument) : Indicator
{
    private readonly double _scale = PriceSource.Typical.Divisor() * instrument.PointsPerUnit;
    private DateTime _dayEnds = DateTime.MinValue;
    private double _turnover;
    private double _volume;

    public override int WarmUp => 1;

    public override void Update(in Bar bar)
    {
        if (bar.OpenTime >= _dayEnds)
        {
            _dayEnds = instrument.Calendar.NextDayTurn(bar.OpenTime);
            _turnover = 0;
            _volume = 0;
        }
        _turnover += PriceSource.Typical.Select(bar) * bar.Volume;
        _volume += bar.Volume;
        Value = _volume > 0 ? _turnover / (_volume * _scale) : double.NaN;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(ref _dayEnds);
        state.Of(ref _turnover);
        state.Of(ref _volume);
    }
}

/// <summary>Volume-weighted average of the typical price over the last n bars; NaN while they have no volume.</summary>
public sealed class RollingVwap(Instrument instrument, int period = 20) : Indicator
{
    private readonly double _scale = PriceSource.Typical.Divisor() * instrument.PointsPerUnit;
    private SlidingSum _turnover = new(Period(period));
    private SlidingSum _volume = new(period);

    public override int WarmUp => period;

    public override void Update(in Bar bar)
    {
        double turnover = _turnover.Add(PriceSource.Typical.Select(bar) * bar.Volume);
        double volume = _volume.Add(bar.Volume);
        if (_volume.IsFull) Value = volume > 0 ? turnover / (volume * _scale) : double.NaN;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _turnover.Transfer(state);
        _volume.Transfer(state);
    }
}
