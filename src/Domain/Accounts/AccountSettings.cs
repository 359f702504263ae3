using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Accounts;

/// <summary>Netting: one net position an instrument. Hedging: every entry is a position of its own.</summary>
public enum PositionMode : byte { Netting, Hedging }

/// <summary>What kind of account it is; set when it is opened.</summary>
/// <param name="Currency">Upper-case code of the currency that balance and P&amp;L are counted in.</param>
/// <param name="MoneyDigits">Decimals to which booked amounts are rounded, half away from zero; null keeps them exact.</param>
/// <param name="Leverage">At least this much margin is asked: notional / leverage; null leaves it to the instrument alone.</param>
/// <param name="MarginCallPercent">Margin level (equity / used margin) below which a margin call is recorded; null for none.</param>
/// <param name="StopOutPercent">Margin level below which positions are closed, the largest loss first; null for none.</param>
/// <param name="Execution">The paper venue's ways.</param>
/// <param name="Calendar">When the account's day turns (daily limits, high-water mark).</param>
/// <param name="EquitySampling">How often the equity of an account with open positions is recorded; null for never.</param>
[GenerateSerializer, Immutable, Alias("ht.AccountSettings")]
public sealed record AccountSettings(
    string Currency, PositionMode Mode, int? MoneyDigits, decimal? Leverage, decimal? MarginCallPercent, decimal? StopOutPercent,
    ExecutionModel Execution, TradingCalendar Calendar, TimeSpan? EquitySampling)
{
    /// <summary>The greatest amount that is paid in or out at once, in account currency.</summary>
    public const decimal MaxAmount = 1_000_000_000_000_000m;

    private const int MostDigits = 10;

    /// <summary>What is wrong with an amount that is paid in or out: too large, or finer than the account counts; null when nothing is.</summary>
    public string? AmountFault(string field, decimal amount) =>
        Math.Abs(amount) > MaxAmount ? $"{field} is {amount}; expected at most {MaxAmount}"
        : Math.Round(amount, MoneyDigits ?? MostDigits) != amount ? $"{field} is {amount}; expected at most {MoneyDigits ?? MostDigits} decimals"
        : null;

    public static AccountSettings Paper(string currency) => new(
        currency, PositionMode.Netting, 2, 30m, 100m, 50m, new ExecutionModel(), TradingCalendar.Forex, TimeSpan.FromMinutes(1));
}

public enum SizingKind : byte
{
    /// <summary>The strategy's own units times the value.</summary>
    StrategyUnits,

    /// <summary>The value in units of the base.</summary>
    FixedUnits,

    /// <summary>Notional of the value in percent of equity.</summary>
    PercentOfEquity,

    /// <summary>A loss of the value in percent of equity when the stop is hit; needs an intent with a stop.</summary>
    PercentRisk,

    /// <summary>Notional of the value in account currency.</summary>
    Notional,
}

/// <summary>How much an account trades on a strategy's word.</summary>
[GenerateSerializer, Immutable, Alias("ht.Sizing")]
public sealed record Sizing(SizingKind Kind, decimal Value)
{
    public static readonly Sizing AsTheStrategySays = new(SizingKind.StrategyUnits, 1m);
}

/// <summary>An account's terms for one strategy that it follows.</summary>
/// <param name="Paused">New entries are not taken; exits are.</param>
/// <param name="MaxUnits">Cap on the units held for this strategy; null for none.</param>
[GenerateSerializer, Immutable, Alias("ht.FollowTerms")]
public sealed record FollowTerms(Sizing Sizing, bool Paused = false, decimal? MaxUnits = null)
{
    private const decimal MaxPercent = 100_000m, MaxSize = 1_000_000_000_000m;

    /// <summary>The first thing wrong, naming field, value and expectation; null when all is well.</summary>
    public string? Fault()
    {
        decimal most = Sizing.Kind is SizingKind.PercentOfEquity or SizingKind.PercentRisk ? MaxPercent : MaxSize;
        return !Enum.IsDefined(Sizing.Kind) ? $"sizing kind is {Sizing.Kind}; expected {string.Join(", ", Enum.GetNames<SizingKind>())}"
            : Sizing.Value <= 0 || Sizing.Value > most ? $"sizing value is {Sizing.Value}; expected more than 0, at most {most}"
            : MaxUnits <= 0 ? $"maxUnits is {MaxUnits}; expected more than 0"
            : null;
    }
}
