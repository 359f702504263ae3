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

/// <summary>The highest or lowest of an operand's last n values. NaN while one of them is.</summary>
internal sealed class Extreme(Operand of, int period, bool highest) : Indicator
{
    // The lowest is the highest of the negated values.
    private readonly double _sign = highest ? 1 : -1;
    private SlidingMax<double> _window = new(Period(period));

    public override int WarmUp => of.WarmUp + _window.Length - 1;

    public override void Update(in Bar bar)
    {
        Value = double.NaN;
        if (double.IsNaN(of.Value))
        {
            _window.Clear();
            return;
        }
        double greatest = _window.Add(_sign * of.Value);
        if (_window.IsFull) Value = _sign * greatest;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        _window.Transfer(state);
    }
}

/// <summary>Arithmetic on two operands; NaN where one of them is.</summary>
internal sealed class Combination(Operand a, Operand b, Func<double, double, double> combine) : Indicator
{
    public override int WarmUp => Math.Max(a.WarmUp, b.WarmUp);

    public override void Update(in Bar bar) => Value = combine(a.Value, b.Value);
}
