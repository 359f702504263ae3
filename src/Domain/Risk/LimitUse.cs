using HybridTrading.Domain.Accounts;

namespace HybridTrading.Domain.Risk;

/// <summary>How much of one limit an account has used.</summary>
/// <param name="Limit">The name of the limit; of a loss limit with its period.</param>
/// <param name="Used">In the limit's own unit: account currency or a count; 0 or more.</param>
/// <param name="Most">The limit in that unit; more than 0.</param>
[GenerateSerializer, Immutable, Alias("ht.LimitUse")]
public sealed record LimitUse(string Limit, decimal Used, decimal Most)
{
    /// <summary>0 for nothing used, 1 at the limit.</summary>
    public decimal Share => Used / Most;

    /// <summary>The use of every limit of an open account that fills up; those of single orders, single instruments and rates do not.</summary>
    public static ImmutableArray<LimitUse> Of(AccountState account)
    {
        RiskLimits limits = account.Limits;
        ImmutableArray<LimitUse>.Builder uses = ImmutableArray.CreateBuilder<LimitUse>();
        decimal equity = account.Equity;
        if (limits.MaxExposure is not null || limits.MaxExposurePercent is not null)
        {
            decimal exposure = PreTradeRisk.ExposureOf(account);
            Add(nameof(limits.MaxExposure), exposure, limits.MaxExposure);
            Add(nameof(limits.MaxExposurePercent), exposure, equity * limits.MaxExposurePercent / 100m);
        }
        Add(nameof(limits.MaxOpenPositions), PreTradeRisk.PositionsOf(account), limits.MaxOpenPositions);
        Add(nameof(limits.MaxWorkingOrders), PreTradeRisk.WorkingOf(account), limits.MaxWorkingOrders);
        foreach (LossLimit limit in limits.LossLimits.IsDefault ? [] : limits.LossLimits)
        {
            decimal start = account.EquityAtStartOf(limit.Period);
            Add($"{limit.Period}Loss", start - equity, limit.MostOf(start));
        }
        Add(nameof(limits.MaxDrawdownPercent), account.HighWater - equity, account.HighWater * limits.MaxDrawdownPercent / 100m);
        return uses.ToImmutable();

        void Add(string limit, decimal used, decimal? most)
        {
            // Of an account without money nothing can be used.
            if (most > 0) uses.Add(new LimitUse(limit, Math.Max(0, used), most.Value));
        }
    }
}
