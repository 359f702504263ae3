using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>Which bid price of a bar a feature reads. Median is (high + low) / 2, typical is (high + low + close) / 3.</summary>
public enum PriceSource { Close, Open, High, Low, Median, Typical }

internal static class PriceSources
{
    /// <summary>What <see cref="Select"/> must be divided by: means stay exact because the division happens once, at the end.</summary>
    public static int Divisor(this PriceSource source) => source switch
    {
        PriceSource.Median => 2,
        PriceSource.Typical => 3,
        _ => 1,
    };

    /// <summary>The price in points, times <see cref="Divisor"/>.</summary>
    public static long Select(this PriceSource source, in Bar bar) => source == PriceSource.Close ? bar.Bid.Close : SelectOther(source, bar);

    private static long SelectOther(PriceSource source, in Bar bar) => source switch
    {
        PriceSource.Open => bar.Bid.Open,
        PriceSource.High => bar.Bid.High,
        PriceSource.Low => bar.Bid.Low,
        PriceSource.Median => bar.Bid.High + bar.Bid.Low,
        PriceSource.Typical => bar.Bid.High + bar.Bid.Low + bar.Bid.Close,
        _ => bar.Bid.Close,
    };
}
