using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Grains.Trading;

/// <summary>Something that happened to a strategy instance.</summary>
public abstract record StrategyEvent(DateTime Time);

public sealed record StrategyCreated(DateTime Time, StrategySetup Setup) : StrategyEvent(Time);

public sealed record StrategyParametersChanged(DateTime Time, ImmutableSortedDictionary<string, decimal> Parameters) : StrategyEvent(Time);

public sealed record StrategyFollowerChanged(DateTime Time, string Account, bool Follows) : StrategyEvent(Time);

public sealed record StrategyStarted(DateTime Time) : StrategyEvent(Time);

public sealed record StrategyStopped(DateTime Time) : StrategyEvent(Time);

/// <summary>It wanted something. The event is the effect that the followers have yet to hear of, until <see cref="DecisionSettled"/>.</summary>
public sealed record DecisionMade(DateTime Time, Decision Decision, ImmutableArray<string> Accounts) : StrategyEvent(Time);

/// <summary>Every follower has answered.</summary>
public sealed record DecisionSettled(DateTime Time, string Decision, ImmutableArray<DecisionVerdict> Verdicts) : StrategyEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StrategyCreated))]
[JsonSerializable(typeof(StrategyParametersChanged))]
[JsonSerializable(typeof(StrategyFollowerChanged))]
[JsonSerializable(typeof(StrategyStarted))]
[JsonSerializable(typeof(StrategyStopped))]
[JsonSerializable(typeof(DecisionMade))]
[JsonSerializable(typeof(DecisionSettled))]
public sealed partial class StrategyJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a strategy's stream.</summary>
public static class StrategyEventCatalog
{
    public static readonly EventCatalog<StrategyEvent> Events = new EventCatalog<StrategyEvent>()
        .Add("strategy-created", 1, StrategyJson.Default.StrategyCreated)
        .Add("strategy-parameters-changed", 1, StrategyJson.Default.StrategyParametersChanged)
        .Add("strategy-follower-changed", 1, StrategyJson.Default.StrategyFollowerChanged)
        .Add("strategy-started", 1, StrategyJson.Default.StrategyStarted)
        .Add("strategy-stopped", 1, StrategyJson.Default.StrategyStopped)
        .Add("decision-made", 1, StrategyJson.Default.DecisionMade)
        .Add("decision-settled", 1, StrategyJson.Default.DecisionSettled);
}
