using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies;

/// <summary>
/// The breakout of Donchian and of the Turtles: in when the close leaves the channel of the bars before, out when it crosses a shorter one
/// on the other side; protected by a stop of a multiple of the average true range.
/// </summary>
public sealed class DonchianBreakout : Strategy
{
    public static readonly StrategyDefinition Definition = new(
        "donchian-breakout", "Donchian breakout",
        "Long above the highest high of the entry channel, short below its lowest low; out at the opposite side of the exit channel or at the stop.",
        [
            new("entry", "bars of the entry channel", 20, 2, 1000, true),
            new("exit", "bars of the exit channel", 10, 1, 1000, true),
            new("stop", "protective stop in average true ranges; 0 for none", 2, 0, 100, false),
        ],
        parameters => parameters["exit"] <= parameters["entry"] ? null : $"exit is {parameters["exit"]}; expected at most entry ({parameters["entry"]})",
        parameters => new DonchianBreakout(parameters.Whole("entry"), parameters.Whole("exit"), parameters["stop"]));

    private readonly FeatureInput _high, _low, _exitHigh, _exitLow, _range;
    private readonly decimal _stop;

    public DonchianBreakout(int entry, int exit, decimal stop)
    {
        _high = Use(Feature.DonchianUpper(entry));
        _low = Use(Feature.DonchianLower(entry));
        _exitHigh = Use(Feature.DonchianUpper(exit));
        _exitLow = Use(Feature.DonchianLower(exit));
        _range = Use(Feature.Atr(20));
        _stop = stop;
    }

    public override Intent? Evaluate(in StrategyContext context)
    {
        // The channel includes the bar that closed, so a breakout is measured against the channel of one bar ago.
        double close = context.Close;
        decimal? distance = _stop == 0 ? null : _stop * (decimal)context[_range];
        if (context.State.Stance != Stance.Long && close > context.Previous(_high))
            return Intent.Long($"close {close:G7} broke the high {context.Previous(_high):G7}") with { StopDistance = distance };
        if (context.State.Stance != Stance.Short && close < context.Previous(_low))
            return Intent.Short($"close {close:G7} broke the low {context.Previous(_low):G7}") with { StopDistance = distance };
        if (context.State.Stance == Stance.Long && close < context.Previous(_exitLow)) return Intent.Exit($"close {close:G7} fell out of the exit channel");
        if (context.State.Stance == Stance.Short && close > context.Previous(_exitHigh)) return Intent.Exit($"close {close:G7} rose out of the exit channel");
        return null;
    }
}
