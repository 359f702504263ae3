using HybridTrading.Domain.Orders;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// A trade from the first unit to the last: a holding that left zero and came back to it. Prices are in units of price, amounts in account currency.
/// </summary>
/// <param name="Number">1 upwards in order of closing.</param>
/// <param name="Account">The account's own name.</param>
/// <param name="Strategy">The strategy's own name; empty for a person.</param>
/// <param name="Side">Buy for long.</param>
/// <param name="Volume">The most units held.</param>
/// <param name="Entry">Time of the first fill, UTC.</param>
/// <param name="Exit">Time of the last fill.</param>
/// <param name="EntryPrice">Mean of the fills that opened and added, by volume.</param>
/// <param name="ExitPrice">Mean of the fills that took off.</param>
/// <param name="Gross">Realised before costs other than those in the prices.</param>
/// <param name="Commission">Paid, 0 or more.</param>
/// <param name="Swap">Booked; negative is paid.</param>
/// <param name="Net">Gross - commission + swap.</param>
/// <param name="SpreadCost">Estimate, contained in gross: half the spread of the market at each fill that took it.</param>
/// <param name="SlippageCost">Contained in gross: slippage of the fills.</param>
/// <param name="AdverseExcursion">MAE: the worst of the open result while held, before costs, at most 0.</param>
/// <param name="FavourableExcursion">MFE: the best, at least 0.</param>
/// <param name="EquityAtEntry">Of all accounts of the run before the trade.</param>
/// <param name="Bars">Market events of its instrument while it was held.</param>
public sealed record RunTrade(
    int Number, string Account, string Strategy, string Symbol, Side Side, decimal Volume, DateTime Entry, DateTime Exit, decimal EntryPrice, decimal ExitPrice,
    decimal Gross, decimal Commission, decimal Swap, decimal Net, decimal SpreadCost, decimal SlippageCost, decimal AdverseExcursion, decimal FavourableExcursion,
    decimal EquityAtEntry, int Bars)
{
    public TimeSpan Duration => Exit - Entry;

    /// <summary>Net / equity at entry; null where that is not above 0.</summary>
    public double? Return => EquityAtEntry > 0 ? (double)(Net / EquityAtEntry) : null;
}
