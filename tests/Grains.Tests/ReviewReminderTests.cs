using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Tests.Worlds;

namespace HybridTrading.Grains.Tests;

/// <summary>On Local alone: reminders of genuine Orleans go by the machine's clock, which no test can put forward.</summary>
public sealed class ReviewReminderTests
{
    [Fact(Skip = "fails every other time since 2026-11-21, the cause is not found yet: the review does not begin by its reminder within 600 hours of the test's clock")]
    public async Task The_reminder_reviews_what_runs()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await StrategyReviewGrainTests.LiveAsync(world, trend: 0.1, history: 200, live: 30, fast: 5, slow: 30);
        IStrategyReviewGrain review = StrategyReviewGrainTests.Review(world);
        await review.Keep();
        await world.UntilAsync(async () => await review.GetView() is { Progress: not null } or { LastNumber: > 0 }, TimeSpan.FromHours(1), "a review begins by itself");
        await StrategyReviewGrainTests.MadeAsync(review, 0);
    }
}
