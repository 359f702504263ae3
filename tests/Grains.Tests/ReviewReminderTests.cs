using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Tests.Worlds;

namespace HybridTrading.Grains.Tests;

/// <summary>On Local alone: reminders of genuine Orleans go by the machine's clock, which no test can put forward.</summary>
public sealed class ReviewReminderTests
{
    [Fact]
    public async Task The_reminder_reviews_what_runs()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await StrategyReviewGrainTests.LiveAsync(world, trend: 0.1, history: 200, live: 30, fast: 5, slow: 30);
        IStrategyReviewGrain review = StrategyReviewGrainTests.Review(world);
        await review.Keep();
        // To the millisecond in which it comes, where the clock stands: the calls that the reminder makes run out of time when it goes on.
        ReminderEntry reminder = Assert.IsType<ReminderEntry>(await world.Reminders.ReadRow(review.GetGrainId(), "review"));
        world.Time.Advance(reminder.StartAt - world.Now + TimeSpan.FromMilliseconds(1));
        await world.UntilAsync(async () => await review.GetView() is { Progress: not null } or { LastNumber: > 0 }, TimeSpan.Zero, "a review begins by itself");
        await StrategyReviewGrainTests.MadeAsync(review, 0);
    }
}
