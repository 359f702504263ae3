using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Optimisation;

namespace HybridTrading.Grains.Analysis;

/// <summary>Something that happened to the reviews of a strategy.</summary>
public abstract record ReviewEvent(DateTime Time);

public sealed record ReviewScheduled(DateTime Time, ReviewSchedule Schedule) : ReviewEvent(Time);

/// <param name="Account">Whose trades were compared.</param>
public sealed record ReviewMade(DateTime Time, string Account, StrategyReview Review) : ReviewEvent(Time);

/// <summary>It could not be made.</summary>
public sealed record ReviewFailed(DateTime Time, string Fault) : ReviewEvent(Time);

/// <param name="Number">Of the review.</param>
public sealed record ProposalAnswered(DateTime Time, long Number, bool Accepted) : ReviewEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ReviewScheduled))]
[JsonSerializable(typeof(ReviewMade))]
[JsonSerializable(typeof(ReviewFailed))]
[JsonSerializable(typeof(ProposalAnswered))]
public sealed partial class ReviewJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a strategy's review stream.</summary>
public static class ReviewEventCatalog
{
    public static readonly EventCatalog<ReviewEvent> Events = new EventCatalog<ReviewEvent>()
        .Add("review-scheduled", 1, ReviewJson.Default.ReviewScheduled)
        .Add("review-made", 1, ReviewJson.Default.ReviewMade)
        .Add("review-failed", 1, ReviewJson.Default.ReviewFailed)
        .Add("proposal-answered", 1, ReviewJson.Default.ProposalAnswered);
}
