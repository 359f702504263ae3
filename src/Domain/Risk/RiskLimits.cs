namespace HybridTrading.Domain.Risk;

/// <summary>What an account may do. <see cref="Halted"/>: only what reduces; additions at work are cancelled and a person must release it.
/// <see cref="Reducing"/>: only what reduces.</summary>
public enum TradingState : byte { Active, Reducing, Halted }

public enum LossPeriod : byte { Day, Week, Month }

/// <summary>What a breached loss or drawdown limit does. Flatten is never the default.</summary>
public enum BreachAction : byte { StopTrading, DenyAdds, Flatten }

/// <summary>A cap on the loss, realised and open together, since the period began.</summary>
/// <param name="Amount">In account currency, greater than zero; or null.</param>
/// <param name="Percent">Of the equity at the period's start, 0 to 100; or null.</param>
[GenerateSerializer, Immutable, Alias("ht.LossLimit")]
public sealed record LossLimit(LossPeriod Period, decimal? Amount = null, decimal? Percent = null, BreachAction Action = BreachAction.StopTrading)
{
    /// <summary>The loss at which it acts, in account currency.</summary>
    /// <param name="start">The equity at the period's start.</param>
    public decimal MostOf(decimal start) => Amount ?? start * Percent!.Value / 100m;
}

/// <summary>At most <paramref name="Count"/> within <paramref name="Window"/>.</summary>
[GenerateSerializer, Immutable, Alias("ht.RateLimit")]
public sealed record RateLimit(int Count, TimeSpan Window);

/// <summary>Pre-trade limits of an account; null means no limit. Amounts are in account currency.</summary>
/// <param name="MaxOrderVolume">Units an order.</param>
/// <param name="PriceCollarPercent">How far a limit or stop price may lie from the market, in percent of it.</param>
/// <param name="MaxExposure">Sum of the notional of all positions and of the orders at work that add.</param>
/// <param name="MaxExposurePercent">The same in percent of equity.</param>
/// <param name="MaxDrawdownPercent">Fall from the high-water mark (the highest equity at a day turn), in percent.</param>
[GenerateSerializer, Immutable, Alias("ht.RiskLimits")]
public sealed record RiskLimits
{
    public static readonly RiskLimits None = new();

    /// <summary>What a new live or paper account starts with.</summary>
    public static readonly RiskLimits Default = new()
    {
        MaxExposurePercent = 2000m,
        MaxOpenPositions = 100,
        MaxWorkingOrders = 200,
        PriceCollarPercent = 20m,
        SubmitRate = new RateLimit(600, TimeSpan.FromMinutes(1)),
        ModifyRate = new RateLimit(600, TimeSpan.FromMinutes(1)),
        LossLimits = [new LossLimit(LossPeriod.Day, Percent: 10m)],
        MaxDrawdownPercent = 30m,
    };

    [Id(0)] public decimal? MaxOrderVolume { get; init; }
    [Id(1)] public decimal? MinOrderNotional { get; init; }
    [Id(2)] public decimal? MaxOrderNotional { get; init; }
    [Id(3)] public decimal? PriceCollarPercent { get; init; }
    [Id(4)] public decimal? MaxExposure { get; init; }
    [Id(5)] public decimal? MaxExposurePercent { get; init; }
    [Id(6)] public decimal? MaxInstrumentExposure { get; init; }
    [Id(7)] public int? MaxOpenPositions { get; init; }
    [Id(8)] public int? MaxInstrumentPositions { get; init; }
    [Id(9)] public int? MaxWorkingOrders { get; init; }
    [Id(10)] public int? MaxInstrumentWorkingOrders { get; init; }
    [Id(11)] public RateLimit? SubmitRate { get; init; }
    [Id(12)] public RateLimit? ModifyRate { get; init; }
    [Id(13)] public ImmutableArray<LossLimit> LossLimits { get; init; } = [];
    [Id(14)] public decimal? MaxDrawdownPercent { get; init; }
    [Id(15)] public BreachAction DrawdownAction { get; init; } = BreachAction.StopTrading;
    [Id(16)] public ImmutableArray<string> AllowedInstruments { get; init; } = [];

    /// <summary>Equal, lists compared by what they hold.</summary>
    public bool SameAs(RiskLimits other) =>
        this with { LossLimits = other.LossLimits, AllowedInstruments = other.AllowedInstruments } == other
        && LossLimits.SequenceEqual(other.LossLimits) && AllowedInstruments.SequenceEqual(other.AllowedInstruments);

    /// <summary>The first thing wrong with these limits, naming field, value and expectation; null when all is well.</summary>
    public string? Fault()
    {
        // So far from the end of a decimal that the sums and products of a check stay within it.
        const decimal mostAmount = 1_000_000_000_000_000_000m, mostPercent = 1_000_000m;
        static string? Within(string field, decimal? value, decimal most) =>
            value <= 0 || value > most ? $"{field} is {value}; expected more than 0, at most {most}" : null;
        static string? Positive(string field, decimal? value) => Within(field, value, mostAmount);
        static string? Percent(string field, decimal? value) => Within(field, value, mostPercent);
        static string? Rate(string field, RateLimit? rate) => rate is not null
            && (rate.Count is < 1 or > 100_000 || rate.Window <= TimeSpan.Zero || rate.Window > TimeSpan.FromDays(366))
            ? $"{field} is {rate.Count} in {rate.Window}; expected 1 to 100000 in more than no time, at most 366 days" : null;
        return Positive(nameof(MaxOrderVolume), MaxOrderVolume) ?? Positive(nameof(MinOrderNotional), MinOrderNotional)
            ?? Positive(nameof(MaxOrderNotional), MaxOrderNotional) ?? Percent(nameof(PriceCollarPercent), PriceCollarPercent)
            ?? Positive(nameof(MaxExposure), MaxExposure) ?? Percent(nameof(MaxExposurePercent), MaxExposurePercent)
            ?? Positive(nameof(MaxInstrumentExposure), MaxInstrumentExposure) ?? Positive(nameof(MaxOpenPositions), MaxOpenPositions)
            ?? Positive(nameof(MaxInstrumentPositions), MaxInstrumentPositions) ?? Positive(nameof(MaxWorkingOrders), MaxWorkingOrders)
            ?? Positive(nameof(MaxInstrumentWorkingOrders), MaxInstrumentWorkingOrders) ?? Percent(nameof(MaxDrawdownPercent), MaxDrawdownPercent)
            ?? Rate(nameof(SubmitRate), SubmitRate) ?? Rate(nameof(ModifyRate), ModifyRate)
            ?? LossLimits.Select(limit => limit.Amount is null == limit.Percent is null
                ? $"{nameof(LossLimits)}: a {limit.Period} limit needs either an amount or a percentage"
                : Positive($"{nameof(LossLimits)}.{limit.Period}", limit.Amount) ?? Percent($"{nameof(LossLimits)}.{limit.Period}", limit.Percent)).FirstOrDefault(fault => fault is not null);
    }
}
