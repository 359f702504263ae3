namespace HybridTrading.Domain.Accounts;

/// <summary>
/// What is held of one instrument for one owner. A netting account has at most one an owner and instrument (its net position is their sum);
/// a hedging account has one an entry.
/// </summary>
/// <param name="Id">Symbol, or symbol and owner; in a hedging account "P" and the ordinal of the order that opened it.</param>
/// <param name="Owner">Strategy key; empty for a person.</param>
/// <param name="Volume">Units, signed: positive is long.</param>
/// <param name="Cost">Sum of signed volume times price in points: the mean entry price is Cost / Volume.</param>
/// <param name="Opened">When it left zero.</param>
/// <param name="Order">Ordinal of the order that opened it.</param>
/// <param name="Result">Account currency booked since it was opened: realised, commission and swap together.</param>
[GenerateSerializer, Immutable, Alias("ht.Holding")]
public sealed record Holding(
    string Id, string Symbol, string Owner, decimal Volume, decimal Cost, DateTime Opened, long Order, decimal Result)
{
    public decimal AverageEntryPoints => Cost / Volume;
}

/// <summary>A part of a fill, as it falls on one holding.</summary>
/// <param name="Before">Null when the part opens the holding.</param>
/// <param name="After">Null when the part closes it.</param>
/// <param name="Volume">Signed units of this part.</param>
/// <param name="RealisedPoints">Units times points, realised by this part.</param>
public readonly record struct FillPart(Holding? Before, Holding? After, decimal Volume, decimal RealisedPoints);
