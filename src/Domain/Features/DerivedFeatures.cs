using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>What an operand was some bars ago. Operands are updated before.</summary>
internal sealed class Lagged : Indicator
{
    private readonly Operand _of;
    private readonly double[] _window;
    private int _next;

    public Lagged(Operand of, int bars)
    {
        _of = of;
        _window = new double[Period(bars) + 1];
        Array.Fill(_window, double.NaN);
    }

    public override int WarmUp => _of.WarmUp + _window.Length - 1;

    public override void Update(in Bar bar)
    {
        _window[_next] = _of.Value;
        if (++_next == _window.Length) _next = 0;
        Value = _window[_next];
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(_window);
        state.Of(ref _next);
    }
}

/// <summary>
/// The highest or lowest of an operand's last n values in constant amortised time (van Herk 1992, Gil and Werman 1993). NaN while one of them is.
/// </summary>
internal sealed class Extreme(Operand of, int period, bool highest) : Indicator
{
    // The lowest is the highest of the negated values. Slots as in SlidingMax.
    private readonly double _sign = highest ? 1 : -1;
    private readonly double[] _slots = new double[Period(period)];
    private double _front = double.NegativeInfinity;
    private int _next;
    private bool _full;

    public override int WarmUp => of.WarmUp + _slots.Length - 1;

    public override void Update(in Bar bar)
    {
        double value = _sign * of.Value;
        Value = double.IsNaN(value) ? StartAnew() : Add(value);
    }

    private double StartAnew()
    {
        (_front, _next, _full) = (double.NegativeInfinity, 0, false);
        return double.NaN;
    }

    private double Add(double value)
    {
        double[] slots = _slots;
        int next = _next;
        slots[next] = value;
        double front = Math.Max(_front, value);
        _next = ++next;
        if (next < slots.Length)
        {
            _front = front;
            return _full ? _sign * Math.Max(slots[next], front) : double.NaN;
        }
        for (int i = slots.Length - 2; i >= 0; i--) slots[i] = Math.Max(slots[i], slots[i + 1]);
        (_front, _next, _full) = (double.NegativeInfinity, 0, true);
        return _sign * front;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(_slots);
        state.Of(ref _front);
        state.Of(ref _next);
        state.Of(ref _full);
    }
}

/// <summary>Arithmetic on two operands; NaN where one of them is.</summary>
internal sealed class Combination(Operand a, Operand b, Func<double, double, double> combine) : Indicator
{
    public override int WarmUp => Math.Max(a.WarmUp, b.WarmUp);

    public override void Update(in Bar bar) => Value = combine(a.Value, b.Value);
}
