using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// +1 on the bar at which a comes to lie above b, -1 on the bar at which it comes to lie below, else 0. With d = a - b, a cross needs the last
/// non-zero d to have the other sign: touching is not crossing, and a touch in between does not hide one.
/// NaN while an operand is NaN. Operands are updated before.
/// </summary>
internal sealed class Cross(Operand a, Operand b) : Indicator
{
    private int _side;

    public override int WarmUp => Math.Max(a.WarmUp, b.WarmUp);

    public override void Update(in Bar bar)
    {
        double difference = a.Value - b.Value;
        if (double.IsNaN(difference))
        {
            Value = double.NaN;
            return;
        }
        int side = Math.Sign(difference);
        Value = side * _side < 0 ? side : 0;
        if (side != 0) _side = side;
    }

    internal override void Transfer(StateTransfer state)
    {
        base.Transfer(state);
        state.Of(ref _side);
    }
}
