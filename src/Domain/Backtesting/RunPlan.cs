using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>One strategy of a run.</summary>
/// <param name="Key">tenant/user/name: strategies run in the ordinal order of their keys.</param>
/// <param name="Rule">Canonical text of the rule that it is; null for a definition of the catalogue.</param>
public sealed record StrategyPlan(string Key, string Definition, StrategyParameters Parameters, string Symbol, TimeFrame TimeFrame, string? Rule = null)
{
    public decimal Units => StrategyDefinition.UnitsOf(Parameters.Values, Rule);
}

/// <summary>From a time on a strategy ran with these parameters.</summary>
/// <param name="From">UTC; bars that close later are judged so.</param>
/// <param name="Parameters">Null: it was stopped.</param>
public sealed record StrategyPhase(DateTime From, StrategyParameters? Parameters);

/// <summary>Something that a person does to an account while a run goes on.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Symbol">The instrument whose prices the account must see for it; null for none.</param>
public sealed record AccountCommand(DateTime Time, string Account, string? Symbol, Action<Account> Do);

/// <summary>One account of a run, and what it follows.</summary>
/// <param name="Key">tenant/user/name.</param>
public sealed record AccountPlan(
    string Key, AccountSettings Settings, RiskLimits Limits, decimal Deposit, ImmutableSortedDictionary<string, FollowTerms> Follows);

/// <summary>What a back-test or a replay runs: the same plan gives the same orders in both.</summary>
public sealed record RunPlan(InstrumentUniverse Universe, ImmutableArray<StrategyPlan> Strategies, ImmutableArray<AccountPlan> Accounts)
{
    /// <summary>The time frames that the strategies need of an instrument, the shortest first.</summary>
    public ImmutableArray<TimeFrame> FramesOf(string symbol) =>
        [.. Strategies.Where(strategy => strategy.Symbol == symbol).Select(strategy => strategy.TimeFrame).Distinct().Order()];
}
