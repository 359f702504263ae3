using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Strategies;

/// <summary>Where a strategy stands, whatever the accounts that follow it hold.</summary>
public enum Stance : sbyte { Short = -1, Flat = 0, Long = 1 }

/// <summary>
/// What a strategy wants, free of any account: to be long, short or flat, how to get in, and how to protect it.
/// Each account that follows turns it into orders of its own size. Distances and prices are in price units.
/// </summary>
/// <param name="Stance">Where it wants to be; <see cref="Strategies.Stance.Flat"/> leaves.</param>
/// <param name="Why">One sentence for the trader.</param>
/// <param name="StopDistance">Protective stop, away from the entry; null for none.</param>
/// <param name="TakeDistance">Profit target, away from the entry; null for none.</param>
/// <param name="TrailDistance">Trailing stop, away from the market; null for none.</param>
/// <param name="EntryLimit">Enter by a limit order at this price instead of the market.</param>
/// <param name="EntryStop">Enter by a stop order at this price instead of the market.</param>
/// <param name="Size">The strategy's own size where it says more than its units; an account whose terms say another takes its own.</param>
[GenerateSerializer, Immutable, Alias("ht.Intent")]
public sealed record Intent(
    Stance Stance, string Why, decimal? StopDistance = null, decimal? TakeDistance = null, decimal? TrailDistance = null,
    decimal? EntryLimit = null, decimal? EntryStop = null, Sizing? Size = null)
{
    public static Intent Long(string why) => new(Stance.Long, why);

    public static Intent Short(string why) => new(Stance.Short, why);

    public static Intent Exit(string why) => new(Stance.Flat, why);
}

/// <summary>A feature as it stood when a decision was made.</summary>
[GenerateSerializer, Immutable, Alias("ht.FeatureReading")]
public sealed record FeatureReading(string Feature, double Value);

/// <summary>What one account made of a decision.</summary>
/// <param name="Account">Its key.</param>
/// <param name="Reason"><see cref="Risk.Reason.None"/> when it was ordered, else why not (or why less).</param>
/// <param name="Orders">Ordinals of the orders made.</param>
/// <param name="Volume">Units ordered, signed by side.</param>
[GenerateSerializer, Immutable, Alias("ht.DecisionVerdict")]
public sealed record DecisionVerdict(string Account, Reason Reason, string Detail, ImmutableArray<long> Orders, decimal Volume);

/// <summary>A strategy evaluation that wanted something, with all that it saw.</summary>
/// <param name="Id">Strategy key, '#', ordinal.</param>
/// <param name="MarketPosition">Position in the market log of the event that closed the bar.</param>
/// <param name="Bar">The bar that closed.</param>
/// <param name="Before">Where the strategy stood before.</param>
/// <param name="Units">The strategy's own size in units; 0 where the intent says it.</param>
/// <param name="BarNumber">The bar's place among its strategy's bars, from 1; 0 in decisions from before bars were counted.</param>
[GenerateSerializer, Immutable, Alias("ht.Decision")]
public sealed record Decision(
    string Id, string Strategy, string Symbol, TimeFrame TimeFrame, DateTime Time, long MarketPosition, Bar Bar,
    ImmutableArray<FeatureReading> Features, Stance Before, Intent Intent, decimal Units, long BarNumber = 0);
