using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies;

/// <summary>Buys what fell too fast and sells what rose too fast by the relative strength index, and leaves when it is back in the middle.</summary>
public sealed class RsiReversion : Strategy
{
    public static readonly StrategyDefinition Definition = new(
        "rsi-reversion", "RSI mean reversion",
        "Long when the RSI falls below the lower bound, short when it rises above the upper one, out when it is back at 50.",
        [
            new("period", "bars of the RSI", 14, 2, 500, true),
            new("lower", "oversold below this", 30, 1, 49, false),
            new("upper", "overbought above this", 70, 51, 99, false),
        ],
        _ => null,
        parameters => new RsiReversion(parameters.Whole("period"), (double)parameters["lower"], (double)parameters["upper"]));

    private readonly FeatureInput _rsi;
    private readonly double _lower, _upper;

    public RsiReversion(int period, double lower, double upper)
    {
        _rsi = Use(Feature.Rsi(period));
        (_lower, _upper) = (lower, upper);
    }

    public override Intent? Evaluate(in StrategyContext context)
    {
        double rsi = context[_rsi];
        return context.State.Stance switch
        {
            Stance.Flat when rsi < _lower => Intent.Long($"RSI {rsi:F1} is below {_lower}"),
            Stance.Flat when rsi > _upper => Intent.Short($"RSI {rsi:F1} is above {_upper}"),
            Stance.Long when rsi >= 50 => Intent.Exit($"RSI {rsi:F1} is back at 50"),
            Stance.Short when rsi <= 50 => Intent.Exit($"RSI {rsi:F1} is back at 50"),
            _ => null,
        };
    }
}
