namespace HybridTrading.Domain.Markets;

/// <summary>The best bid and ask of an instrument at one instant.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Bid">Whole points of the instrument, greater than zero.</param>
/// <param name="Ask">Whole points of the instrument, not less than <paramref name="Bid"/>.</param>
/// <param name="BidSize">Available at the bid in volume steps of the instrument; 0 when the source does not say.</param>
/// <param name="AskSize">Available at the ask in volume steps of the instrument; 0 when the source does not say.</param>
[GenerateSerializer, Immutable, Alias("ht.Quote")]
public readonly record struct Quote(DateTime Time, long Bid, long Ask, long BidSize = 0, long AskSize = 0)
{
    /// <summary>Ask less bid, in points.</summary>
    public long Spread => Ask - Bid;
}
