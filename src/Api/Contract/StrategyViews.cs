using System.Text.Json.Serialization;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using Trading = HybridTrading.Grains.Trading;

namespace HybridTrading.Api;

/// <summary>A kind of strategy that can be made.</summary>
public sealed record StrategyDefinitionView(string Name, string Title, string Description, ImmutableArray<ParameterView> Parameters)
{
    public static StrategyDefinitionView Of(StrategyDefinition definition) => new(
        definition.Name, definition.Title, definition.Description,
        [.. definition.AllParameters.Select(p => new ParameterView(p.Name, p.Description, p.Default, p.Minimum, p.Maximum, p.Whole, p.Step))]);
}

/// <param name="Whole">Only whole numbers.</param>
/// <param name="Step">How far apart the values are that are worth trying; null where nothing was said.</param>
public sealed record ParameterView(string Name, string Description, decimal Default, decimal Minimum, decimal Maximum, bool Whole, decimal? Step = null);

/// <summary>A user's strategy as it stands now.</summary>
/// <param name="Name">As its owner calls it.</param>
/// <param name="Key">tenant/user/name.</param>
/// <param name="Decisions">How many it has made.</param>
/// <param name="Since">When it took its stance; null before the first decision.</param>
/// <param name="Accounts">Names of the accounts that follow it.</param>
/// <param name="Version">Count of events in its stream.</param>
/// <param name="Rule">Canonical text of the rule that it is; null for one of a definition.</param>
public sealed record StrategyView(
    string Name, string Key, string Definition, ImmutableSortedDictionary<string, decimal> Parameters, string Symbol, string TimeFrame,
    Trading.StrategyStatus Status, Stance Stance, long Decisions, DateTime? Since, ImmutableArray<string> Accounts, DecisionView? LastDecision,
    long Version, string? Rule = null)
{
    public static StrategyView Of(Trading.StrategyView view, ICaller caller, InstrumentUniverse universe) => new(
        caller.NameOf(view.Key), view.Key, view.Setup.Definition, view.Setup.Parameters, view.Setup.Symbol, view.Setup.TimeFrame.ToString(),
        view.Status,
        view.State.Stance, view.State.Decisions, view.State.Decisions == 0 ? null : view.State.Since, [.. view.Accounts.Select(caller.NameOf)],
        view.LastDecision is { } last ? DecisionView.Of(last, view.LastVerdicts, caller, universe) : null, view.Version, view.Setup.Rule);
}

public sealed record StrategyChanged(long MinPosition, StrategyView Strategy);

/// <summary>A strategy evaluation that wanted something, with all that it saw. Prices in price.</summary>
/// <param name="Id">Strategy, '#', ordinal.</param>
/// <param name="MarketPosition">Place in the market log of the event that closed the bar.</param>
/// <param name="Before">Where the strategy stood before.</param>
/// <param name="Units">The strategy's own size; 0 where the intent says it.</param>
/// <param name="Verdicts">What each account made of it; empty until all have answered.</param>
public sealed record DecisionView(
    string Id, string Strategy, string Symbol, string TimeFrame, DateTime Time, long MarketPosition, DecisionBar Bar,
    ImmutableArray<FeatureValue> Features, Stance Before, IntentView Intent, decimal Units, ImmutableArray<VerdictView> Verdicts)
{
    /// <summary>Journal position at which it was made; where it is known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Position { get; init; }

    public static DecisionView Of(Decision decision, ImmutableArray<DecisionVerdict> verdicts, ICaller caller, InstrumentUniverse universe)
    {
        decimal point = universe.PointSize(decision.Symbol);
        Ohlc bar = decision.Bar.Bid;
        return new DecisionView(
            caller.NameOf(decision.Id), caller.NameOf(decision.Strategy), decision.Symbol, decision.TimeFrame.ToString(), decision.Time,
            decision.MarketPosition, new DecisionBar(decision.Bar.OpenTime, bar.Open * point, bar.High * point, bar.Low * point, bar.Close * point),
            [.. decision.Features.Select(reading => new FeatureValue(reading.Feature, Number(reading.Value)))], decision.Before,
            new IntentView(decision.Intent.Stance, decision.Intent.Why, decision.Intent.StopDistance, decision.Intent.TakeDistance,
                decision.Intent.TrailDistance, decision.Intent.Size),
            decision.Units,
            [.. verdicts.Select(verdict =>
                new VerdictView(caller.NameOf(verdict.Account), verdict.Reason, verdict.Detail, verdict.Orders, verdict.Volume))]);
    }

    public static DecisionView Of(DecisionRow row, ICaller caller, InstrumentUniverse universe) =>
        Of(row.Decision, row.Verdicts, caller, universe) with { Position = row.Position };

    /// <summary>JSON has no word for what is not a number.</summary>
    internal static double? Number(double value) => double.IsFinite(value) ? value : null;
}

public sealed record DecisionBar(DateTime Time, decimal Open, decimal High, decimal Low, decimal Close);

/// <param name="Value">Null while the feature is not ready.</param>
public sealed record FeatureValue(string Feature, double? Value);

/// <summary>Distances in price.</summary>
/// <param name="Size">The strategy's own size where it says more than its units.</param>
public sealed record IntentView(Stance Stance, string Why, decimal? StopDistance, decimal? TakeDistance, decimal? TrailDistance, Sizing? Size);

/// <param name="Account">Name of the account.</param>
/// <param name="Reason">None when it was ordered, else why not (or why less).</param>
/// <param name="Orders">Ordinals of the orders made.</param>
/// <param name="Volume">Units ordered, signed by side.</param>
public sealed record VerdictView(string Account, Reason Reason, string Detail, ImmutableArray<long> Orders, decimal Volume);

/// <summary>Decisions, the latest first.</summary>
/// <param name="Next">What to give as <c>before</c> for the next page; null when this is the last.</param>
public sealed record DecisionPage(ImmutableArray<DecisionView> Decisions, long? Next);
