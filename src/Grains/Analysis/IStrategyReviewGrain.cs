using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Analysis;

/// <summary>When a live strategy is looked at.</summary>
/// <param name="Every">An hour to 31 days; null: only when asked.</param>
/// <param name="Account">tenant/user/account whose trades are compared; null: the first that follows.</param>
/// <param name="Proposes">Whether other parameters are looked for, too.</param>
[GenerateSerializer, Immutable, Alias("ht.ReviewSchedule")]
public sealed record ReviewSchedule(TimeSpan? Every, string? Account = null, bool Proposes = true)
{
    public static readonly ReviewSchedule Daily = new(TimeSpan.FromDays(1));

    public static readonly TimeSpan Shortest = TimeSpan.FromHours(1), Longest = TimeSpan.FromDays(31);

    /// <summary>What is wrong; null when nothing is.</summary>
    public string? Fault() => Every < Shortest || Every > Longest ? $"every is {Every}; expected {Shortest} to {Longest}" : null;
}

/// <summary>What became of a proposal.</summary>
public enum ProposalState : byte { None, Open, Accepted, Declined, Outdated }

/// <summary>A review in the list of all.</summary>
/// <param name="Number">1 upwards.</param>
/// <param name="Fault">Why there was none; null when there was.</param>
[GenerateSerializer, Immutable, Alias("ht.ReviewLine")]
public sealed record ReviewLine(long Number, DateTime Time, LiveFinding? Finding, string? Text, ProposalState Proposal, string? Fault);

/// <summary>All that is known of the reviews of one strategy.</summary>
/// <param name="Progress">Of the one under way, 0 to 1; null for none.</param>
/// <param name="Last">The last that came to an end; null before the first.</param>
/// <param name="LastNumber">Its number: a proposal is answered by it.</param>
/// <param name="Lines">The last hundred, the newest first.</param>
[GenerateSerializer, Immutable, Alias("ht.ReviewView")]
public sealed record ReviewView(
    string Strategy, ReviewSchedule Schedule, double? Progress, StrategyReview? Last, long LastNumber, ProposalState Proposal, ImmutableArray<ReviewLine> Lines);

/// <summary>
/// Looks at one live strategy on a schedule: compares what it does with what its back-test leads one to expect, and proposes other parameters where a walk-forward
/// shows them to be better. It never changes the strategy; its owner does, by accepting. Key: that of the strategy.
/// </summary>
[Alias("ht.IStrategyReviewGrain")]
public interface IStrategyReviewGrain : IGrainWithStringKey
{
    /// <summary>Sets the schedule.</summary>
    [Alias("SetSchedule")] Task<CommandResult> SetSchedule(ReviewSchedule schedule);

    /// <summary>Sets the daily schedule where none was ever set: a strategy that goes live is looked at.</summary>
    [Alias("Keep")] Task Keep();

    /// <summary>Begins a review now, unless one is under way.</summary>
    [Alias("Begin")] Task<CommandResult> Begin();

    /// <summary>Takes the proposal of a review, or declines it. An accepted one stops the strategy, sets the parameters, and starts it if it was running.</summary>
    [Alias("Answer")] Task<CommandResult> Answer(long number, bool accept);

    [AlwaysInterleave, Alias("GetView")] Task<ReviewView> GetView();

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}
