namespace HybridTrading.Domain.Execution;

/// <summary>At which price of a bar a market order fills when only bars are known.</summary>
public enum BarFill : byte { NextOpen, NextClose }

/// <summary>
/// How the paper venue executes. Everything here is a pure function of the market and of the order's ordinal, so that a run repeats exactly.
/// </summary>
/// <param name="Latency">From acceptance to the venue; also of changes and cancels.</param>
/// <param name="SlippagePoints">Adverse points on what takes the market.</param>
/// <param name="RandomSlippagePoints">Further adverse points, uniform in 0..this, drawn from the seed, the order and the fill.</param>
/// <param name="CommissionRate">Share of the notional a fill.</param>
/// <param name="CommissionPerLot">Account currency a lot a fill.</param>
/// <param name="CommissionMinimum">Account currency a fill at least.</param>
/// <param name="BarFill">Where in the next bar a market order fills.</param>
/// <param name="Seed">Of the random slippage.</param>
[GenerateSerializer, Immutable, Alias("ht.ExecutionModel")]
public sealed record ExecutionModel(
    TimeSpan Latency = default, long SlippagePoints = 0, long RandomSlippagePoints = 0,
    decimal CommissionRate = 0, decimal CommissionPerLot = 0, decimal CommissionMinimum = 0,
    BarFill BarFill = BarFill.NextOpen, ulong Seed = 1)
{
    private const decimal MaxCommission = 1_000_000_000m;

    /// <summary>The first thing wrong, naming field, value and expectation; null when all is well.</summary>
    public string? Fault() =>
        Latency < TimeSpan.Zero || Latency > TimeSpan.FromDays(1) ? $"latency is {Latency}; expected 0 to a day"
        : SlippagePoints is < 0 or > 1_000_000 ? $"slippagePoints is {SlippagePoints}; expected 0 to 1000000"
        : RandomSlippagePoints is < 0 or > 1_000_000 ? $"randomSlippagePoints is {RandomSlippagePoints}; expected 0 to 1000000"
        : CommissionRate is < 0 or >= 1 ? $"commissionRate is {CommissionRate}; expected 0 to less than 1"
        : CommissionPerLot is < 0 or > MaxCommission ? $"commissionPerLot is {CommissionPerLot}; expected 0 to {MaxCommission}"
        : CommissionMinimum is < 0 or > MaxCommission ? $"commissionMinimum is {CommissionMinimum}; expected 0 to {MaxCommission}"
        : null;

    /// <summary>Adverse points for fill number <paramref name="fill"/> of order <paramref name="order"/>.</summary>
    public long Slippage(long order, long fill)
    {
        if (RandomSlippagePoints == 0) return SlippagePoints;
        // splitmix64 (Steele, Lea and Flood 2014) of the three numbers.
        ulong z = Seed + 0x9E3779B97F4A7C15UL * ((ulong)order * 1_000_003 + (ulong)fill + 1);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        z ^= z >> 31;
        return SlippagePoints + (long)(z % (ulong)(RandomSlippagePoints + 1));
    }

    /// <summary>Adverse points that a fill slips in the mean.</summary>
    public decimal MeanSlippage => SlippagePoints + RandomSlippagePoints / 2m;

    /// <summary>Commission in account currency, before rounding.</summary>
    /// <param name="notional">In account currency.</param>
    /// <param name="lots">Filled volume in lots.</param>
    public decimal Commission(decimal notional, decimal lots) =>
        Math.Max(notional * CommissionRate + lots * CommissionPerLot, CommissionMinimum);
}
