using System.Collections.Immutable;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;
using HybridTrading.Domain.Tests.Backtesting;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class RunAnalyzerTests
{
    private static readonly DateTime Monday = new(2024, 1, 8, 8, 0, 0, DateTimeKind.Utc);

    /// <summary>One long trade by hand: bought at an open at the ask, its worst and best inside the bars, sold at an open at the bid.</summary>
    [Fact]
    public void A_trade_has_its_prices_excursions_and_costs()
    {
        // Closes 1.00, 0.99, 1.01: the mean of one crosses that of two upwards, and downwards at 1.00.
        Bar[] bars =
        [
            Hour(0, 1.00m, 1.00m, 1.00m, 1.00m), Hour(1, 1.00m, 1.00m, 0.99m, 0.99m), Hour(2, 0.99m, 1.01m, 0.99m, 1.01m),
            Hour(3, 1.01m, 1.03m, 1.005m, 1.02m), Hour(4, 1.02m, 1.025m, 0.99m, 1.00m), Hour(5, 0.995m, 1.00m, 0.95m, 0.98m),
        ];
        (RunAnalysis analysis, RunReport report) = Analyse([MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, bars)], Cross());

        RunTrade trade = Assert.Single(analysis.TradeList);
        Assert.Equal((Side.Buy, 10_000m, 1.0102m, 0.995m), (trade.Side, trade.Volume, trade.EntryPrice, trade.ExitPrice));
        Assert.Equal((Monday.AddHours(3), Monday.AddHours(5), 2), (trade.Entry, trade.Exit, trade.Bars));
        Assert.Equal(-152m, trade.Gross);
        Assert.Equal((-202m, 198m), (trade.AdverseExcursion, trade.FavourableExcursion));
        Assert.Equal(2m, trade.SpreadCost);
        Assert.Equal(0.00002m * 10_000m * (1.0102m + 0.995m), trade.Commission);
        Assert.Equal(trade.Gross - trade.Commission, trade.Net);
        Assert.Equal((100_000m, 1), (trade.EquityAtEntry, analysis.Activity.OpenTrades));
        Assert.Equal(trade.Net, analysis.Trades.Net);
        Assert.Equal(-152m - 198m, analysis.Trades.MaxEndTradeDrawdown);
        Assert.Equal(report.FinalEquity, analysis.Equity.End);
        // Of six bars the first three hold nothing.
        Assert.Equal((0.5, 2.0 / 6, 1.0 / 6), (analysis.Activity.TimeInMarket, analysis.Activity.LongShare, analysis.Activity.ShortShare));
    }

    [Fact]
    public void A_run_of_many_trades_adds_up_whichever_way_it_is_taken_apart()
    {
        ImmutableArray<MarketSeries> series = GoldenBacktestTests.Three();
        RunPlan plan = GoldenBacktestTests.Plan(series, GoldenBacktestTests.ThreeStrategies(), "a", "b");
        (RunAnalysis analysis, RunReport report) = Analyse(series, plan);

        Assert.Equal((report.FinalEquity, report.NetProfit, report.OrderListHash),
            (analysis.Equity.End, analysis.Equity.Net, analysis.Run.OrderListHash));
        Assert.Equal((report.ClosedTrades, report.Fees, report.Swap), (analysis.Trades.Count, analysis.Costs.Commission, analysis.Costs.Swap));
        Assert.Equal(report.Accounts.Sum(account => account.WonTrades), analysis.Trades.Winners);
        Assert.Equal((double)report.MaxDrawdownPercent!, -100 * analysis.Equity.MaxDrawdown, 1e-9);
        Assert.Equal((report.Fills, report.Orders, report.Denied), (analysis.Activity.Fills, analysis.Activity.Orders, analysis.Activity.Denied));
        Assert.Equal((double)(analysis.Equity.End / analysis.Equity.Start) - 1, analysis.Returns.Total!.Value, 1e-12);
        Assert.Equal(analysis.Equity.End, analysis.Daily[^1].Equity);
        Assert.Equal(analysis.Returns.Total!.Value, analysis.Months.Aggregate(1.0, (value, month) => value * (1 + month.Return)) - 1, 1e-12);

        AttributionTables of = analysis.Attribution;
        foreach (ImmutableArray<Contribution> table in (ImmutableArray<Contribution>[])[of.Symbol, of.Strategy, of.Account, of.Side, of.Hour,
            of.Weekday, of.Month, of.Regime])
        {
            Assert.Equal((analysis.Trades.Count, analysis.Trades.Net), (table.Sum(part => part.Trades), table.Sum(part => part.Net)));
            Assert.Equal(1, table.Sum(part => part.Share!.Value), 1e-9);
        }
        Assert.Equal(analysis.Trades.Net, analysis.Long.Net + analysis.Short.Net);
        Assert.All(analysis.TradeList, trade =>
        {
            Assert.Equal(trade.Net, trade.Gross - trade.Commission + trade.Swap);
            // What the account rounds on booking may lie a cent beyond.
            Assert.True(trade.AdverseExcursion <= Math.Min(0, trade.Gross + 0.01m) && trade.FavourableExcursion >= Math.Max(0, trade.Gross - 0.01m),
                $"{trade}");
            Assert.True(trade.Entry <= trade.Exit && trade.SpreadCost >= 0 && trade.SlippageCost >= 0 && trade.Commission >= 0);
        });
        Assert.Contains(analysis.TradeList, trade => trade.SlippageCost > 0);
    }

    [Fact]
    public void The_same_events_give_the_same_json_and_it_reads_back()
    {
        ImmutableArray<MarketSeries> series = GoldenBacktestTests.Three();
        RunPlan plan = GoldenBacktestTests.Plan(series, GoldenBacktestTests.ThreeStrategies(), "a");
        string once = Json(Analyse(series, plan).Analysis), again = Json(Analyse(series, plan).Analysis);
        Assert.Equal(once, again);
        Assert.Equal(once, Json(JsonSerializer.Deserialize(once, RunAnalysisJson.Default.RunAnalysis)!));
    }

    [Fact]
    public void A_run_without_a_trade_has_null_where_nothing_is_defined()
    {
        Bar[] still = [.. Enumerable.Range(0, 10).Select(hour => Hour(hour, 1m, 1m, 1m, 1m))];
        (RunAnalysis analysis, _) = Analyse([MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, still)], Cross());
        Assert.Equal((0, null, null, null), (analysis.Trades.Count, analysis.Trades.WinRate, analysis.Trades.ProfitFactor,
            analysis.Trades.Duration.Mean));
        Assert.Equal((0.0, null, null), (analysis.Returns.Total, analysis.Returns.Sharpe, analysis.Benchmark.Beta));
        Assert.Null(analysis.ResampledTrades);
        Assert.Equal(0m, analysis.Costs.Total);
        string json = Json(analysis);
        Assert.DoesNotContain("NaN", json, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_data_is_analysed_too()
    {
        (RunAnalysis analysis, _) = Analyse([MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, Array.Empty<Bar>())], Cross());
        Assert.Equal((100_000m, 0, null), (analysis.Equity.End, analysis.Returns.Count, analysis.Returns.Total));
        Assert.NotEmpty(Json(analysis));
    }

    [Fact]
    public void Several_currencies_have_no_sum()
    {
        RunPlan plan = Cross();
        RunPlan two = plan with
        {
            Accounts = [plan.Accounts[0], plan.Accounts[0] with { Key = "test/run/eur",
            Settings = plan.Accounts[0].Settings with { Currency = "EUR" } }]
        };
        MarketSeries series = MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, new[] { Hour(0, 1, 1, 1, 1) });
        Assert.Throws<ArgumentException>(() => Analyse([series], two));
    }

    [Fact]
    public void Every_figure_of_the_catalogue_is_in_the_json_once()
    {
        JsonElement json = JsonDocument.Parse(Json(Analyse([MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, new[] { Hour(0, 1, 1, 1, 1) })],
            Cross()).Analysis)).RootElement;
        string[] paths = [.. MetricCatalog.Groups.SelectMany(group => group.Metrics).Select(metric => metric.Path),
            .. MetricCatalog.Trades.Select(metric => $"trades.{metric.Path}")];
        Assert.Equal(paths.Length, paths.Distinct().Count());
        Assert.All(paths, path =>
        {
            JsonElement at = json;
            foreach (string name in path.Split('.')) Assert.True(at.TryGetProperty(name, out at), path);
        });
    }

    [Fact]
    public void Every_figure_of_the_catalogue_is_documented()
    {
        string documentation = File.ReadAllText(Path.Combine(HybridTrading.Tests.SharedData.RepositoryRoot, "docs", "metrics.md"));
        Assert.All(MetricCatalog.Groups.SelectMany(group => group.Metrics).Concat(MetricCatalog.Trades),
            metric => Assert.Contains($"| {metric.Title} | `{metric.Path}` | {metric.Convention.Replace("|", "\\|", StringComparison.Ordinal)} |",
                documentation, StringComparison.Ordinal));
    }

    private static string Json(RunAnalysis analysis) => JsonSerializer.Serialize(analysis, RunAnalysisJson.Default.RunAnalysis);

    /// <summary>The means of one and two hours, ten thousand units, a fee of 0.00002, no risk limits.</summary>
    private static RunPlan Cross()
    {
        var strategy = new StrategyPlan("test/run/cross", "sma-cross", StrategyCatalog.Find("sma-cross").Bind([new("fast", 1), new("slow", 2),
            new("units", 10_000)]), "EURUSD", TimeFrame.H1);
        return GoldenBacktestTests.Plan([MarketSeries.OfBars(Desk.Eurusd, TimeFrame.H1, Array.Empty<Bar>())], [strategy], "a");
    }

    private static (RunAnalysis Analysis, RunReport Report) Analyse(ImmutableArray<MarketSeries> series, RunPlan plan)
    {
        Dictionary<string, List<AccountEvent>> events = plan.Accounts.ToDictionary(account => account.Key, _ => new List<AccountEvent>());
        RunReport report = new Backtest(plan, new RunSequence(series, plan))
        {
            Recorded = (account, happened) =>
            events[account].AddRange(happened)
        }.Run();
        return (RunAnalyzer.Analyse(plan, events.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutableArray()),
            new RunSequence(series, plan), report,
            new AnalysisOptions(Paths: 50)), report);
    }

    /// <summary>A bar of bid prices with a spread of two pips.</summary>
    private static Bar Hour(int hour, decimal open, decimal high, decimal low, decimal close)
    {
        long Points(decimal price) => Desk.Eurusd.ToPoints(price);
        var bid = new Ohlc(Points(open), Points(high), Points(low), Points(close));
        return new Bar(Monday.AddHours(hour), bid, bid.Shift(20), 1);
    }
}
