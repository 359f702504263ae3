using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Silo;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Tests;

namespace HybridTrading.Grains.Tests;

public sealed class ReplayTests
{
    [Fact]
    public async Task The_reference_run_is_the_back_test_to_the_last_digit()
    {
        var request = new RunRequest
        {
            Files = [SharedData.Path("data/mt5-history/gbpusd_h1.zip")],
            Symbols = ["GBPUSD"],
            TimeFrame = TimeFrame.H1,
            Strategies = ["sma-cross"],
            Set = ["fast=20", "slow=50", "units=10000"],
            Accounts = ["main"],
            Cash = 100_000m,
            Spread = 0,
            Execution = new ExecutionModel(TimeSpan.Zero, 0, 0, 0.00002m, 0m, 0, BarFill.NextOpen, 1),
        };
        ImmutableArray<MarketSeries> data = request.Load();
        RunReport replayed = await EqualAsync(request.Plan(data, "run-r1"), data);
        Assert.Equal(101_045.539314m, replayed.FinalEquity);
        Assert.Equal(1210, replayed.ClosedTrades);
        Assert.Equal(679.66069m, Math.Round(replayed.Fees!.Value, 5));
        Assert.Equal(3.093133m, Math.Round(replayed.MaxDrawdownPercent!.Value, 6));
    }

    [Fact]
    public async Task Several_symbols_strategies_and_accounts_trade_as_in_the_back_test()
    {
        (_, ImmutableArray<MarketSeries> all) = SimulatedMarket.WithHistory(3, new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc), TimeFrame.M1, 2000, new SimulationOptions());
        ImmutableArray<MarketSeries> data = [.. all.Where(series => series.Instrument.Symbol is "EURUSD" or "USDJPY" or "XAUUSD")
            .OrderBy(series => series.Instrument.Symbol, StringComparer.Ordinal)];
        ImmutableArray<StrategyPlan> strategies =
        [
            .. from series in data
               from definition in (string[])["bollinger-reversion", "donchian-breakout"]
               select new StrategyPlan($"run-many/run/{definition}-{series.Instrument.Symbol.ToLowerInvariant()}", definition,
                   StrategyCatalog.Find(definition).Bind(new Dictionary<string, decimal>()), series.Instrument.Symbol, TimeFrame.M5),
        ];
        strategies = [.. strategies.OrderBy(strategy => strategy.Key, StringComparer.Ordinal)];
        var settings = new AccountSettings("USD", PositionMode.Netting, 2, 30m, 100m, 50m,
            new ExecutionModel(TimeSpan.FromMilliseconds(80), 1, 2, 0.00003m, 0m, 0, BarFill.NextOpen, 9), TradingCalendar.Forex, null);
        AccountPlan Plan(string name, Sizing sizing) => new($"run-many/run/{name}", settings, RiskLimits.Default, 50_000m,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => new FollowTerms(sizing), StringComparer.Ordinal));
        var plan = new RunPlan(new InstrumentUniverse(data.Select(series => series.Instrument)), strategies,
            [Plan("large", new Sizing(SizingKind.PercentOfEquity, 20m)), Plan("small", new Sizing(SizingKind.PercentOfEquity, 5m))]);
        RunReport replayed = await EqualAsync(plan, data);
        Assert.InRange(replayed.Fills, 100, int.MaxValue);
    }

    private static async Task<RunReport> EqualAsync(RunPlan plan, ImmutableArray<MarketSeries> data)
    {
        var backtest = new Backtest(plan, new RunSequence(data, plan));
        RunReport tested = backtest.Run();
        DirectoryInfo root = Directory.CreateTempSubdirectory("ht-replay-");
        try
        {
            using RunFolder folder = RunFolder.Open(root.FullName, "test", exists: false);
            var run = new StoredRun("test", new RunRequest(), [], false, 0);
            folder.Save(run);
            RunReport replayed = await new Replay(folder, run, plan, data).RunAsync(null, _ => { }, TestContext.Current.CancellationToken);
            foreach (AccountRecord record in backtest.Accounts)
            {
                List<Order> orders = [.. record.Orders.Orders], played = [.. (await OrdersAsync(folder, plan, record.Account)).Orders];
                foreach ((Order expected, Order actual) in orders.Zip(played)) Assert.Equal(expected, actual);
                Assert.Equal(orders.Count, played.Count);
            }
            Assert.Equal(tested.OrderListHash, replayed.OrderListHash);
            Assert.Equal(tested.FinalEquity, replayed.FinalEquity);
            Assert.Equal(tested.MaxDrawdownPercent, replayed.MaxDrawdownPercent);
            Assert.Equal(tested.Accounts, replayed.Accounts);
            return replayed;
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static async Task<OrderList> OrdersAsync(RunFolder folder, RunPlan plan, string account)
    {
        await using SegmentJournal journal = SegmentJournal.Open(folder.Data.Journal, FileKeyProvider.Open(folder.Data.Keys));
        var orders = new OrderList(plan.Universe);
        await foreach (RecordedEvent recorded in journal.ReadAsync(Keys.AccountStream(account))) orders.Apply(AccountEventCatalog.Events.Decode(recorded));
        return orders;
    }
}
