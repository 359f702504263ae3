namespace HybridTrading.Domain.Markets;

/// <summary>Open, high, low and close in whole points of the instrument.</summary>
[GenerateSerializer, Immutable, Alias("ht.Ohlc")]
public readonly record struct Ohlc(long Open, long High, long Low, long Close)
{
    public Ohlc Shift(long points) => new(Open + points, High + points, Low + points, Close + points);

    /// <summary>True when low is the lowest, high the highest and all are greater than zero.</summary>
    public bool IsValid => Low > 0 && Low <= Open && Low <= Close && High >= Open && High >= Close;
}

/// <summary>
/// One bar of an instrument. Features, charts and strategies read <see cref="Bid"/> (the MetaTrader convention);
/// executions read both sides.
/// </summary>
/// <param name="OpenTime">UTC; the bar covers [OpenTime, OpenTime + time frame).</param>
/// <param name="Bid">Bid prices in points.</param>
/// <param name="Ask">Ask prices in points; where the source has one side only, bid plus the spread model.</param>
/// <param name="Volume">Traded volume, or the count of ticks where the source knows no volume.</param>
[GenerateSerializer, Immutable, Alias("ht.Bar")]
public readonly record struct Bar(DateTime OpenTime, Ohlc Bid, Ohlc Ask, double Volume);
