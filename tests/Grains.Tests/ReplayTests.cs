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
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Grains.Trading;
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

    [Fact]
    public async Task Rules_with_stops_targets_trails_sizes_and_facts_of_the_trade_trade_as_in_the_back_test()
    {
        (_, ImmutableArray<MarketSeries> all) = SimulatedMarket.WithHistory(11, new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc), TimeFrame.M1, 3000, new SimulationOptions());
        ImmutableArray<MarketSeries> data = [.. all.Where(series => series.Instrument.Symbol is "EURUSD" or "USDJPY").OrderBy(series => series.Instrument.Symbol, StringComparer.Ordinal)];
        string[] rules =
        [
            """
            enter long when crosses_above(close, sma(20)); enter short when crosses_below(close, sma(20)) and position == flat;
            exit when bars_in_trade > 12 or profit > 300; stop atr(14) * 2; target 0.1%; size risk 0.5%;
            """,
            """
            param look = 10 from 2 to 50;
            session 06:00-22:00 Europe/London on weekdays;
            enter long when close > highest(high, look)[1]; exit when close < lowest(low, look)[1] or time_in_trade > 90m;
            trail 150 points; size notional 25000;
            """,
            "enter short when rising(rsi(14), 2) and rsi(14) > 60; exit when rsi(14) < 50; stop 80 ticks; reentry after exit; size lots 0.05;",
        ];
        ImmutableArray<StrategyPlan> strategies =
        [
            .. from series in data
               from index in Enumerable.Range(0, rules.Length)
               let definition = RuleLanguage.Define(rules[index])
               select new StrategyPlan($"run-rules/run/rule{index}-{series.Instrument.Symbol.ToLowerInvariant()}", definition.Name,
                   definition.Bind(new Dictionary<string, decimal>()), series.Instrument.Symbol, TimeFrame.M5, definition.Rule),
        ];
        strategies = [.. strategies.OrderBy(strategy => strategy.Key, StringComparer.Ordinal)];
        var settings = new AccountSettings("USD", PositionMode.Hedging, 2, 30m, 100m, 50m,
            new ExecutionModel(TimeSpan.FromMilliseconds(80), 1, 2, 0.00003m, 0m, 0, BarFill.NextOpen, 9), TradingCalendar.Forex, null);
        AccountPlan Plan(string name, Sizing sizing) => new($"run-rules/run/{name}", settings, RiskLimits.None, 50_000m,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => new FollowTerms(sizing), StringComparer.Ordinal));
        var plan = new RunPlan(new InstrumentUniverse(data.Select(series => series.Instrument)), strategies,
            [Plan("own", Sizing.AsTheStrategySays), Plan("half", new Sizing(SizingKind.StrategyUnits, 0.5m)), Plan("terms", new Sizing(SizingKind.FixedUnits, 3000m))]);
        RunReport replayed = await EqualAsync(plan, data);
        Assert.InRange(replayed.Fills, 200, int.MaxValue);
    }

    /// <summary>
    /// The journal of a run as a process leaves it that ends right after a decision was recorded: no follower has heard of it. Resumed from before
    /// the deciding event (as far back as the start), the run makes the orders that it would have made.
    /// </summary>
    [Fact]
    public async Task A_run_cut_off_between_a_decision_and_its_followers_ends_as_the_uninterrupted_one()
    {
        (_, ImmutableArray<MarketSeries> all) = SimulatedMarket.WithHistory(5, new DateTime(2026, 1, 9, 12, 0, 0, DateTimeKind.Utc), TimeFrame.M1, 400, new SimulationOptions());
        ImmutableArray<MarketSeries> data = [all.Single(series => series.Instrument.Symbol == "EURUSD")];
        RunPlan plan = Breakouts(data);
        DirectoryInfo root = Directory.CreateTempSubdirectory("ht-replay-");
        try
        {
            List<RecordedEvent> recorded = [];
            RunReport whole;
            using (RunFolder folder = RunFolder.Open(root.FullName, "whole", exists: false))
            {
                whole = await PlayAsync(folder, plan, data);
                await using SegmentJournal journal = SegmentJournal.Open(folder.Data.Journal, FileKeyProvider.Open(folder.Data.Keys));
                await foreach (RecordedEvent each in journal.ReadAllAsync()) recorded.Add(each);
            }
            int[] decisions = [.. Enumerable.Range(0, recorded.Count).Where(index => recorded[index].Name == "decision-made")];
            Assert.InRange(decisions.Length, 10, int.MaxValue);
            int[] cuts = [decisions[0], decisions[1], decisions[decisions.Length / 2], decisions[^2], decisions[^1]];
            foreach (int cut in cuts)
            {
                long at = ((DecisionMade)StrategyEventCatalog.Events.Decode(recorded[cut])).Decision.MarketPosition;
                foreach (long progress in (long[])[-1, at - 1])
                {
                    using RunFolder folder = RunFolder.Open(root.FullName, $"cut-{cut}-{progress + 1}", exists: false);
                    await using (SegmentJournal journal = SegmentJournal.Open(folder.Data.Journal, FileKeyProvider.Open(folder.Data.Keys)))
                    {
                        foreach (RecordedEvent each in recorded.Take(cut + 1))
                        {
                            var again = new NewEvent(each.Name, each.Schema, each.Time, each.Causation, each.Payload);
                            await journal.AppendAsync(each.Stream, new StreamOwner(each.Tenant, each.Subject), each.Version - 1, new[] { again });
                        }
                    }
                    if (progress >= 0) folder.Progress = progress;
                    RunReport resumed = await PlayAsync(folder, plan, data);
                    foreach (AccountPlan account in plan.Accounts)
                    {
                        List<Order> expected = [.. Orders(plan, account.Key, recorded).Orders], actual = [.. (await OrdersAsync(folder, plan, account.Key)).Orders];
                        foreach ((Order one, Order other) in expected.Zip(actual)) Assert.Equal(one, other);
                        Assert.Equal(expected.Count, actual.Count);
                    }
                    Assert.Equal(whole.OrderListHash, resumed.OrderListHash);
                    Assert.Equal(whole.Accounts, resumed.Accounts);
                }
            }
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    /// <summary>Two strategies with protective stops and two accounts of different size, with latency and random slippage.</summary>
    private static RunPlan Breakouts(ImmutableArray<MarketSeries> data)
    {
        ImmutableArray<StrategyPlan> strategies =
        [
            .. from stop in (decimal[])[1m, 2m]
               select new StrategyPlan($"run-cut/run/breakout-{stop}", "donchian-breakout",
                   StrategyCatalog.Find("donchian-breakout").Bind(new Dictionary<string, decimal> { ["stop"] = stop }), data[0].Instrument.Symbol, TimeFrame.M1),
        ];
        var settings = new AccountSettings("USD", PositionMode.Netting, null, null, null, null,
            new ExecutionModel(TimeSpan.FromMilliseconds(80), 1, 2, 0.00003m, 0m, 0, BarFill.NextOpen, 9), TradingCalendar.Forex, null);
        AccountPlan Plan(string name, decimal times) => new($"run-cut/run/{name}", settings, RiskLimits.None, 100_000m,
            strategies.ToImmutableSortedDictionary(strategy => strategy.Key, _ => new FollowTerms(new Sizing(SizingKind.StrategyUnits, times)), StringComparer.Ordinal));
        return new RunPlan(new InstrumentUniverse(data.Select(series => series.Instrument)), strategies, [Plan("full", 1m), Plan("half", 0.5m)]);
    }

    private static Task<RunReport> PlayAsync(RunFolder folder, RunPlan plan, ImmutableArray<MarketSeries> data)
    {
        var run = new StoredRun("cut", new RunRequest(), [], false, 0);
        folder.Save(run);
        return new Replay(folder, run, plan, data).RunAsync(null, _ => { }, TestContext.Current.CancellationToken);
    }

    private static OrderList Orders(RunPlan plan, string account, IEnumerable<RecordedEvent> recorded)
    {
        var orders = new OrderList(plan.Universe);
        foreach (RecordedEvent each in recorded.Where(each => each.Stream == Keys.AccountStream(account))) orders.Apply(AccountEventCatalog.Events.Decode(each));
        return orders;
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
