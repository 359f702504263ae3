using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies;

/// <summary>
/// Always in the market once started: long when the fast average of the closes crosses above the slow one, short when it crosses below.
/// </summary>
public sealed class SmaCross : Strategy
{
    public static readonly StrategyDefinition Definition = new(
        "sma-cross", "Moving average cross",
        "Long when the fast simple moving average crosses above the slow one, short on the opposite cross.",
        [
            new("fast", "bars in the fast average", 20, 1, 1000, true),
            new("slow", "bars in the slow average", 50, 2, 5000, true),
        ],
        parameters => parameters["fast"] < parameters["slow"] ? null : $"fast is {parameters["fast"]}; expected less than slow ({parameters["slow"]})",
        parameters => new SmaCross(parameters.Whole("fast"), parameters.Whole("slow")));

    private readonly FeatureInput _fast, _slow, _cross;

    public SmaCross(int fast, int slow)
    {
        _fast = Use(Feature.Sma(fast));
        _slow = Use(Feature.Sma(slow));
        _cross = Use(Feature.Cross(Feature.Sma(fast), Feature.Sma(slow)));
    }

    public override Intent? Evaluate(in StrategyContext context) => context[_cross] switch
    {
        > 0 => Intent.Long($"fast average {context[_fast]:G7} crossed above the slow {context[_slow]:G7}"),
        < 0 => Intent.Short($"fast average {context[_fast]:G7} crossed below the slow {context[_slow]:G7}"),
        _ => null,
    };
}
