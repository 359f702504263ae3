using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// A streaming indicator: takes closed bars in order, one at a time, in constant time and without allocating. It reads bid prices.
/// Until enough bars were seen every output is NaN. Prices go out in units of price, not in points.
/// </summary>
public abstract class Indicator
{
    private double _value = double.NaN;

    private protected Indicator()
    {
    }

    /// <summary>The first output; NaN until ready.</summary>
    public double Value
    {
        get => _value;
        private protected set => _value = value;
    }

    /// <summary>Bars until every output is ready.</summary>
    public abstract int WarmUp { get; }

    /// <summary>Takes the next closed bar.</summary>
    public abstract void Update(in Bar bar);

    /// <summary>Output <paramref name="index"/> in the order that <see cref="FeatureDefinition.Outputs"/> names.</summary>
    internal virtual double Output(int index) => _value;

    /// <summary>Writes or reads all that the next values depend on.</summary>
    internal virtual void Transfer(StateTransfer state) => state.Of(ref _value);

    private protected static int Period(int period, int minimum = 1, int maximum = MaxPeriod) =>
        period >= minimum && period <= maximum
            ? period
            : throw new ArgumentOutOfRangeException(nameof(period), period, $"expected {minimum} to {maximum}");

    /// <summary>Longest window: with it, sums of prices below <see cref="Instrument.MaxPricePoints"/> stay within a long.</summary>
    internal const int MaxPeriod = 10_000;
}
