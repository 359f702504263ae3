using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains.Analysis;

namespace HybridTrading.Api;

/// <summary>When a strategy is looked at.</summary>
/// <param name="EveryHours">1 to 744; null: only when asked.</param>
/// <param name="Account">Whose trades are compared; null: the first that follows.</param>
/// <param name="Proposes">Whether other parameters are looked for.</param>
public sealed record ReviewScheduleView(double? EveryHours, string? Account, bool Proposes);

/// <summary>The reviews of one strategy.</summary>
/// <param name="Progress">Of the one under way, 0 to 1; null for none.</param>
/// <param name="Number">Of <paramref name="Last"/>; 0 before the first.</param>
/// <param name="Last">The last that came to an end: live curve and band day by day, and the proposal.</param>
/// <param name="Proposal">What became of its proposal.</param>
/// <param name="Reviews">The last hundred, the newest first.</param>
public sealed record StrategyReviewView(
    string Strategy, ReviewScheduleView Schedule, double? Progress, long Number, StrategyReview? Last, ProposalState Proposal, ImmutableArray<ReviewLineView> Reviews)
{
    public static StrategyReviewView Of(ReviewView view, ICaller caller) => new(
        caller.NameOf(view.Strategy),
        new ReviewScheduleView(view.Schedule.Every?.TotalHours, view.Schedule.Account is { } account ? caller.NameOf(account) : null, view.Schedule.Proposes),
        view.Progress, view.LastNumber, view.Last, view.Proposal,
        [.. view.Lines.Select(line => new ReviewLineView(line.Number, line.Time, line.Finding, line.Text, line.Proposal, line.Fault))]);
}

/// <param name="Finding">Null where there was no review.</param>
/// <param name="Fault">Why there was none.</param>
public sealed record ReviewLineView(long Number, DateTime Time, LiveFinding? Finding, string? Text, ProposalState Proposal, string? Fault);

public sealed record ReviewChanged(long MinPosition, StrategyReviewView Review);
