namespace HybridTrading.Domain.Features;

/// <summary>One output of an indicator, or a constant.</summary>
internal readonly struct Operand
{
    private readonly Indicator? _indicator;
    private readonly int _output;
    private readonly double _constant;

    public Operand(Indicator indicator, int output) => (_indicator, _output) = (indicator, output);

    public Operand(double constant) => _constant = constant;

    public double Value => _indicator is null ? _constant : _output == 0 ? _indicator.Value : _indicator.Output(_output);

    public int WarmUp => _indicator?.WarmUp ?? 0;
}
