using System.Text.Json.Serialization;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Performance;

/// <summary>What a back-test or replay prints. Money is in the account's currency, full precision.</summary>
/// <param name="FinalEquity">Sum over the accounts; null (as all sums of money) when their currencies differ.</param>
/// <param name="ClosedTrades">Holdings that came back to zero.</param>
/// <param name="Fees">Commissions paid.</param>
/// <param name="MaxDrawdownPercent">Largest fall of the (summed) equity from its peak, in percent of the peak; equity is marked at every market event.</param>
/// <param name="Denied">Orders denied before they reached the venue, by reason.</param>
/// <param name="DataPoints">Market events fed.</param>
/// <param name="Seconds">First to last event, data decoded beforehand.</param>
/// <param name="WallSeconds">Since the process started.</param>
public sealed record RunReport(
    string Mode, string? RunId, decimal? FinalEquity, int ClosedTrades, decimal? Fees, decimal? Swap, decimal? NetProfit, decimal? MaxDrawdownPercent,
    int Orders, int Fills, ImmutableSortedDictionary<Reason, int> Denied, string OrderListHash, long DataPoints, double Seconds, double WallSeconds,
    DateTime? From, DateTime? To, ImmutableArray<AccountReport> Accounts);

/// <summary>One account of a run.</summary>
/// <param name="Account">Its name.</param>
/// <param name="Denied">Orders denied, by reason.</param>
public sealed record AccountReport(
    string Account, string Currency, decimal StartBalance, decimal FinalBalance, decimal FinalEquity, int ClosedTrades, int WonTrades, decimal Fees, decimal Swap,
    decimal MaxDrawdownPercent, int Orders, int Fills, ImmutableSortedDictionary<Reason, int> Denied);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunReport))]
public sealed partial class RunReportJson : JsonSerializerContext;
