using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;
using HybridTrading.Tests;

namespace HybridTrading.Grains.Tests;

public sealed class StrategyReviewGrainTests
{
    private const string Key = "acme/ann/trend", Symbol = "GBPUSD";

    [Fact]
    public async Task A_live_strategy_is_compared_with_its_band_and_nothing_is_changed()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await LiveAsync(world, trend: 0.1, history: 900, live: 100, fast: 5, slow: 30);
        IStrategyReviewGrain review = Review(world);
        Assert.Null((await review.SetSchedule(new ReviewSchedule(null, Proposes: false))).Fault);
        ReviewView view = await ReviewedAsync(world, review);

        // Nobody traded, so the live curve is flat: as good as anything within its band.
        Assert.Equal((LiveFinding.AsExpected, 0.0), (view.Last!.Live.Finding, view.Last.LiveTradesPerDay));
        Assert.InRange(view.Last.Live.Days.Length, 98, 101);
        Assert.True(view.Last.ExpectedTradesPerDay > 0 && view.Last.TestedDays > 850);
        Assert.Equal((1L, ProposalState.None), (view.LastNumber, view.Proposal));
        Assert.Null(view.Last.Proposal);
        Assert.Contains("no review of that number", (await review.Answer(1, true)).Fault);
        Assert.Single((await world.StrategyEventsAsync(Key)).OfType<StrategyStarted>());

        // What was found is in the journal: it is there when the silos have gone and come.
        await world.RestartAsync();
        ReviewView again = await Review(world).GetView();
        Assert.Equal(view.Last.Live.Days.AsEnumerable(), again.Last!.Live.Days.AsEnumerable());
        Assert.Equal(view.Lines.AsEnumerable(), again.Lines.AsEnumerable());
        Assert.Null(again.Progress);
    }

    [Fact]
    public async Task A_proposal_changes_the_strategy_only_when_its_owner_accepts_it()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await LiveAsync(world, trend: 0.35, history: 2900, live: 100, fast: 9, slow: 40);
        IStrategyReviewGrain review = Review(world);
        ReviewView view = await ReviewedAsync(world, review);
        ParameterProposal proposal = Assert.IsType<ParameterProposal>(view.Last!.Proposal);
        Assert.Equal(ProposalState.Open, view.Proposal);
        Assert.Equal(WalkForwardFinding.EdgeShown, proposal.Verdict.Finding);
        Assert.Equal(9, (await world.Strategy(Key).GetView())!.Setup.Parameters["fast"]);

        world.Time.Advance(TimeSpan.FromDays(150));
        Assert.Null((await review.Answer(view.LastNumber, accept: true)).Fault);
        StrategyView changed = (await world.Strategy(Key).GetView())!;
        Assert.Equal(proposal.To.AsEnumerable(), changed.Setup.Parameters.AsEnumerable());
        Assert.Equal(StrategyStatus.Running, changed.Status);
        Assert.Equal(ProposalState.Accepted, (await review.GetView()).Proposal);
        Assert.Contains("is accepted", (await review.Answer(view.LastNumber, accept: false)).Fault);
        Assert.Collection((await world.StrategyEventsAsync(Key)).TakeLast(3),
            e => Assert.IsType<StrategyStopped>(e), e => Assert.IsType<StrategyParametersChanged>(e), e => Assert.IsType<StrategyStarted>(e));

        // A later review begins a life of its own: with the parameters of now, since now.
        ReviewView next = await ReviewedAsync(world, review);
        Assert.Equal((2L, LiveFinding.TooEarly), (next.LastNumber, next.Last!.Live.Finding));
        Assert.Equal([2L, 1L], next.Lines.Select(line => line.Number));
    }

    [Fact]
    public async Task What_cannot_be_reviewed_says_why()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IStrategyReviewGrain review = Review(world);
        Assert.Contains("does not exist", (await review.Begin()).Fault);
        Assert.Contains("does not exist", (await review.SetSchedule(ReviewSchedule.Daily)).Fault);
        Assert.Contains("every is 00:30:00", (await review.SetSchedule(new ReviewSchedule(TimeSpan.FromMinutes(30)))).Fault);
        Assert.Contains("expected one of tenant acme", (await review.SetSchedule(new ReviewSchedule(null, "beta/bob/main"))).Fault);

        Assert.Null((await world.Strategy(Key).Create(Setup(5, 30))).Fault);
        await FailsAsync("no account follows it");
        await world.OpenAccountAsync();
        Assert.Null((await world.Strategy(Key).SetFollower(TestWorld.Account, true)).Fault);
        await FailsAsync("never started");
        Assert.Null((await world.Strategy(Key).Start()).Fault);
        await FailsAsync("does not follow it");
        Assert.Null((await world.AccountGrain().SetFollow(Key, new FollowTerms(Sizing.AsTheStrategySays))).Fault);
        await FailsAsync("there are no D1 bars of GBPUSD");

        async Task FailsAsync(string why)
        {
            int before = (await review.GetView()).Lines.Length;
            Assert.Null((await review.Begin()).Fault);
            await world.UntilAsync(async () => (await review.GetView()).Lines.Length > before, TimeSpan.Zero, why);
            Assert.Contains(why, (await review.GetView()).Lines[0].Fault);
        }
    }

    [Fact]
    public async Task Who_has_a_schedule_keeps_it()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await LiveAsync(world, trend: 0.1, history: 200, live: 30, fast: 5, slow: 30);
        IStrategyReviewGrain review = Review(world);
        await review.Keep();
        Assert.Equal(ReviewSchedule.Daily, (await review.GetView()).Schedule);
        Assert.Null((await review.SetSchedule(new ReviewSchedule(TimeSpan.FromDays(7)))).Fault);
        await review.Keep();
        Assert.Equal(TimeSpan.FromDays(7), (await review.GetView()).Schedule.Every);
    }

    [Fact]
    public async Task Nobody_of_another_tenant_sees_or_asks_for_a_review()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await LiveAsync(world, trend: 0.1, history: 100, live: 5, fast: 5, slow: 30);
        using Principal.Scope other = Principal.Of("beta");
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Review(world).GetView());
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Review(world).Begin());
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Review(world).Answer(1, true));
    }

    internal static IStrategyReviewGrain Review(TestWorld world) => world.Grains.GetGrain<IStrategyReviewGrain>(Key);

    private static StrategySetup Setup(decimal fast, decimal slow) => new(
        "sma-cross", ImmutableSortedDictionary<string, decimal>.Empty.Add("fast", fast).Add("slow", slow).Add("units", 10_000), Symbol, TimeFrame.D1);

    private static async Task<ReviewView> ReviewedAsync(TestWorld world, IStrategyReviewGrain review)
    {
        long before = (await review.GetView()).LastNumber;
        Assert.Null((await review.Begin()).Fault);
        return await MadeAsync(review, before);
    }

    /// <summary>A review is work, not time: the clock stands while it runs.</summary>
    internal static async Task<ReviewView> MadeAsync(IStrategyReviewGrain review, long before)
    {
        for (int look = 0; look < 6_000; look++)
        {
            ReviewView view = await review.GetView();
            if (view.LastNumber > before) return view;
            Assert.True(view.Progress is not null || view.LastNumber > before || view.Lines.FirstOrDefault()?.Fault is null, view.Lines.FirstOrDefault()?.Fault);
            await Task.Delay(20);
        }
        throw new TimeoutException("no review");
    }

    /// <summary>A strategy that was started after so many days of history and has been live for some more; the bars of all of them are stored.</summary>
    internal static async Task LiveAsync(TestWorld world, double trend, int history, int live, decimal fast, decimal slow)
    {
        MarketSeries series = NoiseMarket.Days(33, history + live, trend);
        // By whole weeks, so that week-ends stay week-ends.
        TimeSpan shift = TimeSpan.FromDays(7 * Math.Round((world.Now - series.EventTime(history)).TotalDays / 7));
        Bar[] bars = [.. series.Bars.ToArray().Select(bar => bar with { OpenTime = bar.OpenTime + shift })];
        await world.Bars.AppendAsync(Symbol, TimeFrame.D1, bars);
        await world.OpenAccountAsync();
        Assert.Null((await world.Strategy(Key).Create(Setup(fast, slow))).Fault);
        Assert.Null((await world.AccountGrain().SetFollow(Key, new FollowTerms(Sizing.AsTheStrategySays))).Fault);
        Assert.Null((await world.Strategy(Key).SetFollower(TestWorld.Account, true)).Fault);
        Assert.Null((await world.Strategy(Key).Start()).Fault);
    }
}
