using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

public sealed class MarketGrainTests
{
    [Fact]
    public async Task Builds_bars_at_the_boundaries_of_their_time_frame()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        DateTime start = world.Now;
        await world.QuoteAsync("EURUSD", 110_000, 110_030, 109_990, 110_010);
        Assert.Empty(await BarsAsync(world));
        Bar forming = (await world.Market().GetView()).Frames.Single().Forming;
        Assert.Equal(new Ohlc(110_000, 110_030, 109_990, 110_010), forming.Bid);

        world.Time.Advance(TimeSpan.FromMinutes(1));
        await world.QuoteAsync("EURUSD", 110_500);
        Bar bar = Assert.Single(await BarsAsync(world));
        Assert.Equal(start, bar.OpenTime);
        Assert.Equal(forming.Bid, bar.Bid);
        Assert.Equal(forming.Ask, bar.Ask);
        Assert.Equal(4, bar.Volume);
    }

    [Fact]
    public async Task The_clock_closes_what_has_ended_and_nothing_before()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        DateTime start = world.Now;
        await world.QuoteAsync("EURUSD", 110_000);
        await world.Market().OnClock(start.AddMinutes(1).AddTicks(-1), false);
        Assert.Empty(await BarsAsync(world));
        await world.Market().OnClock(start.AddMinutes(1), false);
        Assert.Single(await BarsAsync(world));
        await world.Market().OnClock(start.AddMinutes(9), false);
        Assert.Single(await BarsAsync(world));
    }

    [Fact]
    public async Task What_it_has_seen_it_passes_over()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        ImmutableArray<PlacedQuote> quotes = await world.QuoteAsync("EURUSD", 110_000, 110_030, 109_990);
        MarketView before = await world.Market().GetView();
        await world.Market().OnQuotes(new QuoteBatch(quotes));
        await world.Market().OnQuotes(new QuoteBatch(quotes[..1]));
        MarketView after = await world.Market().GetView();
        Assert.Equal(before.Frames, after.Frames);
        Assert.Equal(before with { Frames = [] }, after with { Frames = [] });
        Assert.Equal(3, after.Frames.Single().Forming.Volume);
    }

    [Fact]
    public async Task In_warm_up_bars_are_built_and_nobody_trades()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await account.Place(TestWorld.MarketOrder("waits"));
        await world.RunStrategyAsync("acme/ann/turning", TestWorld.Account);
        foreach (long bid in (long[])[110_100, 110_050, 110_120, 110_040])
        {
            world.Time.Advance(TimeSpan.FromMinutes(1));
            await world.Market().OnQuotes(new QuoteBatch(await world.LogAsync("EURUSD", bid), WarmUp: true));
        }
        Assert.Equal(4, (await BarsAsync(world)).Length);
        Assert.Empty((await account.GetView())!.Positions);
        Assert.Equal(0, (await world.Strategy("acme/ann/turning").GetView())!.State.Decisions);
        await world.QuoteAsync("EURUSD", 110_000);
        Assert.Single((await account.GetView())!.Positions);
    }

    [Fact]
    public async Task An_account_that_asks_again_while_its_no_more_is_under_way_stays()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        for (int round = 0; round < 40; round++)
        {
            // The account has nothing left, so each quote brings a "no more"; an order that comes at that moment must see the next quote all the same.
            await world.QuoteAsync("EURUSD", 110_000);
            Task<ImmutableArray<PlacedQuote>> quoting = world.QuoteAsync("EURUSD", 110_000);
            Task<OrderAnswer> placing = account.Place(TestWorld.MarketOrder($"o{round}", round % 2 == 0 ? Domain.Orders.Side.Buy : Domain.Orders.Side.Sell));
            await quoting;
            Assert.Null((await placing).Result.Denial);
            await world.QuoteAsync("EURUSD", 110_000);
            AccountView view = (await account.GetView())!;
            Assert.Empty(view.WorkingOrders);
            Assert.Equal(round % 2 == 0 ? 1 : 0, view.Positions.Length);
        }
    }

    [Fact]
    public async Task Forming_bars_survive_a_restart_and_what_was_not_handed_out_is()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.Market().EnsureFrame(TimeFrame.M1);
        IAccountGrain account = await world.OpenAccountAsync();
        await world.QuoteAsync("EURUSD", 110_000, 110_030);
        await account.Place(TestWorld.LimitOrder("rests", 1.09m));
        ImmutableArray<PlacedQuote> lost = [];
        // Logged, and then the process went before anybody heard of it.
        await world.RestartAsync(async () => lost = await world.LogAsync("EURUSD", 108_000, 110_010));
        await world.Market().OnQuotes(new QuoteBatch(lost));
        Assert.Single((await world.AccountGrain().GetView())!.Positions);
        Bar forming = (await world.Market().GetView()).Frames.Single().Forming;
        Assert.Equal(new Ohlc(110_000, 110_030, 108_000, 110_010), forming.Bid);
        Assert.Equal(4, forming.Volume);
    }

    [Fact]
    public async Task A_market_has_one_source_and_a_symbol_that_exists()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await world.QuoteAsync("EURUSD", 110_000);
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.Market().OnBars(new BarBatch(TimeFrame.M1, [])));
        await Assert.ThrowsAsync<ArgumentException>(() => world.Market("NOSUCH").GetView());
    }

    private static Task<ImmutableArray<Bar>> BarsAsync(TestWorld world) => world.Bars.ReadLastAsync("EURUSD", TimeFrame.M1, 100, DateTime.MaxValue);
}
