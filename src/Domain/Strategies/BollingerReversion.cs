using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies;

/// <summary>Trades back to the mean: in when the close leaves the Bollinger bands, out when it is back at the middle one.</summary>
public sealed class BollingerReversion : Strategy
{
    public static readonly StrategyDefinition Definition = new(
        "bollinger-reversion", "Bollinger reversion",
        "Long below the lower band, short above the upper one, out at the middle band; an optional stop in average true ranges.",
        [
            new("period", "bars of the bands", 20, 2, 1000, true),
            new("width", "standard deviations to the bands", 2, 0.1m, 10, false),
            new("stop", "protective stop in average true ranges; 0 for none", 0, 0, 100, false),
        ],
        _ => null,
        parameters => new BollingerReversion(parameters.Whole("period"), (double)parameters["width"], parameters["stop"]));

    private readonly FeatureInput _upper, _middle, _lower, _range;
    private readonly decimal _stop;

    public BollingerReversion(int period, double width, decimal stop)
    {
        _upper = Use(Feature.BollingerUpper(period, width));
        _middle = Use(Feature.BollingerMiddle(period, width));
        _lower = Use(Feature.BollingerLower(period, width));
        _range = Use(Feature.Atr(period));
        _stop = stop;
    }

    public override Intent? Evaluate(in StrategyContext context)
    {
        double close = context.Close;
        decimal? distance = _stop == 0 ? null : _stop * (decimal)context[_range];
        return context.State.Stance switch
        {
            Stance.Flat when close < context[_lower] => Intent.Long($"close {close:G7} is below the lower band {context[_lower]:G7}") with { StopDistance = distance },
            Stance.Flat when close > context[_upper] => Intent.Short($"close {close:G7} is above the upper band {context[_upper]:G7}") with { StopDistance = distance },
            Stance.Long when close >= context[_middle] => Intent.Exit($"close {close:G7} is back at the middle band {context[_middle]:G7}"),
            Stance.Short when close <= context[_middle] => Intent.Exit($"close {close:G7} is back at the middle band {context[_middle]:G7}"),
            _ => null,
        };
    }
}
