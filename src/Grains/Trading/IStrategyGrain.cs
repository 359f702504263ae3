using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Grains.Trading;

public enum StrategyStatus : byte { Stopped, Running }

/// <summary>What a strategy instance is.</summary>
/// <param name="Definition">Name in the strategy catalogue, or that of rules.</param>
/// <param name="Rule">Text of the rule that it is, canonical once it is created; null for one of the catalogue.</param>
[GenerateSerializer, Immutable, Alias("ht.StrategySetup")]
public sealed record StrategySetup(
    string Definition, ImmutableSortedDictionary<string, decimal> Parameters, string Symbol, TimeFrame TimeFrame, string? Rule = null);

[GenerateSerializer, Immutable, Alias("ht.StrategyView")]
public sealed record StrategyView(
    string Key, StrategySetup Setup, StrategyStatus Status, StrategyState State, ImmutableArray<string> Accounts, Decision? LastDecision,
    ImmutableArray<DecisionVerdict> LastVerdicts, long Version);

/// <summary>One strategy of a user: remembers its stance, makes decisions of evaluations, and hands them to the accounts that follow it.</summary>
[Alias("ht.IStrategyGrain")]
public interface IStrategyGrain : IGrainWithStringKey
{
    /// <summary>Creates it (stopped). Creating it again with the same set-up does nothing.</summary>
    [Alias("Create")] Task<CommandResult> Create(StrategySetup setup);

    /// <summary>Changes the parameters; it must be stopped.</summary>
    [Alias("SetParameters")] Task<CommandResult> SetParameters(ImmutableSortedDictionary<string, decimal> parameters);

    /// <summary>An account of the same tenant follows (or, with <paramref name="follows"/> false, leaves).</summary>
    [Alias("SetFollower")] Task<CommandResult> SetFollower(string account, bool follows);

    [Alias("Start")] Task<CommandResult> Start();

    [Alias("Stop")] Task<CommandResult> Stop();

    /// <summary>From its shard: what the strategy wants at a bar's close.</summary>
    /// <returns>Its state after it; unchanged for an evaluation that it has already decided.</returns>
    [Alias("Decide")] Task<StrategyState> Decide(Evaluation evaluation);

    [AlwaysInterleave, Alias("GetState")] Task<StrategyState> GetState();

    /// <summary>Null when it was never created.</summary>
    [Alias("GetView")] Task<StrategyView?> GetView();

    /// <summary>Activates it: a running one joins its shard again and sends what was left open.</summary>
    [Alias("Wake")] Task Wake();

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}
