using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Tests;

/// <summary>Past data as the live market, through the live grains.</summary>
public sealed class RecordedFeedTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Accounts = ["acme/ann/full", "acme/ann/half"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_played_trades_as_the_back_test_does_also_over_a_restart(bool restart)
    {
        MarketSeries series = Ticks(4000);
        RunPlan plan = Plan(series);
        await using TestWorld world = World(series);
        await world.StartAsync();
        foreach (AccountPlan account in plan.Accounts)
        {
            Assert.Null((await world.AccountGrain(account.Key).Open(account.Settings, account.Limits, account.Deposit)).Fault);
        }
        foreach (StrategyPlan strategy in plan.Strategies)
        {
            IStrategyGrain grain = world.Strategy(strategy.Key);
            Assert.Null((await grain.Create(new StrategySetup(strategy.Definition, strategy.Parameters.Values, strategy.Symbol, strategy.TimeFrame))).Fault);
            foreach (AccountPlan account in plan.Accounts)
            {
                Assert.Null((await world.AccountGrain(account.Key).SetFollow(strategy.Key, account.Follows[strategy.Key])).Fault);
                Assert.Null((await grain.SetFollower(account.Key, true)).Fault);
            }
            Assert.Null((await grain.Start()).Fault);
        }
        await Feed(world).Start();
        await Feed(world).Play(true, restart ? 3600 : null);
        if (restart)
        {
            await PlayedAsync(world, series.Count / 3);
            await world.RestartAsync();
            foreach (AccountPlan account in plan.Accounts) await world.AccountGrain(account.Key).Wake();
            foreach (StrategyPlan strategy in plan.Strategies) await world.Strategy(strategy.Key).Wake();
            await Feed(world).Start();
            PlaybackView playback = (await Feed(world).GetView()).Playback!;
            Assert.True(playback is { Running: true, Speed: 3600 } && playback.Done < series.Count);
            await Feed(world).Play(true, null);
        }
        await PlayedAsync(world, series.Count);

        var backtest = new Backtest(plan, new RunSequence([series], plan));
        RunReport tested = backtest.Run();
        Assert.True(tested.Orders > 20, $"{tested.Orders} orders");
        List<KeyValuePair<string, OrderList>> played = [];
        foreach (AccountPlan account in plan.Accounts)
        {
            var orders = new OrderList(plan.Universe);
            foreach (AccountEvent happened in await world.AccountEventsAsync(account.Key)) orders.Apply(happened);
            played.Add(new(account.Key[(account.Key.LastIndexOf('/') + 1)..], orders));
        }
        Assert.Equal(tested.OrderListHash, OrderList.Hash(played));
    }

    [Fact]
    public async Task It_waits_to_be_played_halts_and_keeps_its_pace_over_a_restart()
    {
        MarketSeries series = Ticks(2000);
        await using TestWorld world = World(series);
        await world.StartAsync();
        await Feed(world).Start();
        for (int turn = 0; turn < 20; turn++) world.Time.Advance(Step);
        Assert.Equal(new PlaybackView(false, null, 0, series.Count), (await Feed(world).GetView()).Playback);

        await Feed(world).Play(true, 60);
        await PlayedAsync(world, 100);
        PlaybackView halted = (await Feed(world).Play(false, 60))!;
        Assert.InRange(halted.Done, 100, series.Count - 1);
        await world.RestartAsync();
        await Feed(world).Start();
        for (int turn = 0; turn < 20; turn++) world.Time.Advance(Step);
        Assert.Equal(halted, (await Feed(world).GetView()).Playback);
        await Feed(world).Play(true, null);
        await PlayedAsync(world, series.Count);

        List<MarketEvent> logged = [];
        await foreach (MarketEvent happened in world.MarketLog.ReadAsync()) logged.Add(happened);
        Assert.Equal(series.Quotes.ToArray(), logged.Select(happened => happened.Quote));
    }

    [Fact]
    public async Task Bars_are_played_and_shorter_ones_are_refused_by_name()
    {
        (_, ImmutableArray<MarketSeries> history) = SimulatedMarket.WithHistory(
            5, new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc), TimeFrame.M15, 300, new SimulationOptions());
        MarketSeries series = history.First(each => each.Instrument.Symbol == "EURUSD");
        await using TestWorld world = World(series);
        await world.StartAsync();
        await Feed(world).Start();
        CommandResult minutes = await world.Strategy("acme/ann/s").Create(TestWorld.Turning());
        Assert.Equal("timeFrame is M1; the data of EURUSD are bars of M15, expected that or longer", minutes.Fault);
        await Feed(world).Play(true, null);
        await PlayedAsync(world, series.Count);

        Assert.Equal(series.Bars.ToArray(), await world.Bars.ReadLastAsync("EURUSD", TimeFrame.M15, 1000, DateTime.MaxValue));
        var hours = new BarBuilder(TimeFrame.M15, TimeFrame.H1);
        List<Bar> expected = [];
        foreach (Bar bar in series.Bars.ToArray())
        {
            if (hours.TryClose(bar.OpenTime, out Bar ended)) expected.Add(ended);
            if (hours.Add(bar, out Bar whole)) expected.Add(whole);
        }
        Assert.Equal(expected, await world.Bars.ReadLastAsync("EURUSD", TimeFrame.H1, 1000, DateTime.MaxValue));
    }

    [Fact]
    public async Task Another_market_in_the_same_storage_is_refused()
    {
        await using TestWorld world = World(Ticks(500));
        await world.StartAsync();
        await Feed(world).Start();
        await Feed(world).Play(false, null);
        world.Feed = new SimulatedFeedOptions(7, new SimulationOptions());
        await world.RestartAsync();
        Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => Feed(world).Start());
        Assert.Contains("the market is simulated, but what is stored here is EURUSD tick, 500 from", refused.ToString(), StringComparison.Ordinal);
        world.Feed = Options(Ticks(600));
        await world.RestartAsync();
        refused = await Assert.ThrowsAnyAsync<Exception>(() => Feed(world).Start());
        Assert.Contains("expected the same, or a new data folder or database", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_simulated_market_goes_by_the_clock()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        Assert.Null(await Feed(world).Play(false, null));
        Assert.Null((await Feed(world).GetView()).Playback);
    }

    [Theory]
    [InlineData(MarketLogTrouble.NothingWritten)]
    [InlineData(MarketLogTrouble.AnswerLost)]
    public async Task While_the_log_cannot_be_written_screens_go_on_accounts_wait_and_nothing_is_logged_twice(MarketLogTrouble trouble)
    {
        MarketSeries series = Ticks(3000);
        await using TestWorld world = World(series);
        await world.StartAsync();
        IAccountGrain account = await world.OpenAccountAsync();
        await Feed(world).Start();
        await Feed(world).Play(true, 60);
        await PlayedAsync(world, 200);
        Assert.Null((await account.Place(TestWorld.MarketOrder("in"))).Result.Denial);
        await world.UntilAsync(async () => (await account.GetView())!.Positions.Length == 1, Step, "the order fills");

        world.FallibleMarketLog.Trouble = trouble;
        await world.UntilAsync(() => Task.FromResult(world.FallibleMarketLog.Failures > 0), Step, "an append fails");
        MarketView before = await world.Market().GetView();
        await world.UntilAsync(async () => (await world.Market().GetView()).Quote.Time > before.Quote.Time.AddSeconds(30), Step, "screens go on");
        Assert.Equal(before.Position, (await world.Market().GetView()).Position);
        Assert.True((await account.GetView())!.Time <= before.Quote.Time.AddSeconds(30));

        world.FallibleMarketLog.Trouble = MarketLogTrouble.None;
        await Feed(world).Play(true, null);
        await PlayedAsync(world, series.Count);
        List<Quote> logged = [];
        await foreach (MarketEvent happened in world.MarketLog.ReadAsync()) logged.Add(happened.Quote);
        Assert.Equal(series.Quotes.ToArray(), logged);
        Assert.Equal(series.Quotes.Span[^1].Time, (await account.GetView())!.Time);
    }

    private static IFeedGrain Feed(TestWorld world) => world.Grains.GetGrain<IFeedGrain>(Keys.Feed);

    /// <summary>Waits until so many have been handed out, with all that follows from them.</summary>
    private static Task PlayedAsync(TestWorld world, int count) => world.UntilAsync(async () =>
        await Feed(world).GetView() is { Position: var position, Playback.Done: var done } && done >= count && position >= world.MarketLog.NextPosition - 1, Step, $"{count} are played");

    private static TestWorld World(MarketSeries series) => TestWorld.Create(new TradingOptions
    {
        Universe = new InstrumentUniverse([series.Instrument]),
        WarmUpBars = 500,
        SnapshotEvery = 5,
        EventStart = RunSequence.StartOf(series, 0),
        DataFrames = ImmutableDictionary<string, TimeFrame>.Empty.Add(series.Instrument.Symbol, series.TimeFrame),
    }, Options(series));

    private static RecordedFeedOptions Options(MarketSeries series) => new([series], Running: false, Speed: null);

    /// <summary>Seeded quotes a second apart.</summary>
    private static MarketSeries Ticks(int count)
    {
        var random = new Random(11);
        var time = new DateTime(2026, 1, 7, 9, 0, 0, DateTimeKind.Utc);
        var quotes = new Quote[count];
        long bid = 108_500;
        for (int i = 0; i < count; i++)
        {
            bid += random.Next(-4, 5);
            quotes[i] = new Quote(time = time.AddSeconds(1), bid, bid + random.Next(1, 4));
        }
        return MarketSeries.OfQuotes(InstrumentCatalog.Get("EURUSD"), quotes);
    }

    private static RunPlan Plan(MarketSeries series)
    {
        ImmutableArray<StrategyPlan> strategies =
        [
            new("acme/ann/break", "donchian-breakout",
                StrategyCatalog.Find("donchian-breakout").Bind(new Dictionary<string, decimal> { ["stop"] = 1m }), series.Instrument.Symbol, TimeFrame.M1),
            new("acme/ann/cross", "sma-cross",
                StrategyCatalog.Find("sma-cross").Bind(new Dictionary<string, decimal> { ["fast"] = 2, ["slow"] = 5 }), series.Instrument.Symbol, TimeFrame.M1),
        ];
        var settings = new AccountSettings("USD", PositionMode.Netting, null, null, null, null,
            new ExecutionModel(TimeSpan.FromMilliseconds(1500), 1, 2, 0.00003m, 0m, 0, BarFill.NextOpen, 9), TradingCalendar.Forex, null);
        AccountPlan Plan(string key, decimal times) => new(key, settings, RiskLimits.None, 100_000m,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => new FollowTerms(new Sizing(SizingKind.StrategyUnits, times)), StringComparer.Ordinal));
        return new RunPlan(new InstrumentUniverse([series.Instrument]), strategies, [Plan(Accounts[0], 1m), Plan(Accounts[1], 0.5m)]);
    }
}
