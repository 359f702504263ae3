using System.Collections.Immutable;
using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>The shipped strategies written as rules make the same orders on real data, to the hash.</summary>
public sealed class RuleGoldenTests
{
    private const string SmaCross = """
        param fast = 20 from 1 to 1000;
        param slow = 50 from 2 to 5000;
        require fast < slow;
        enter long when crosses_above(sma(fast), sma(slow));
        enter short when crosses_below(sma(fast), sma(slow));
        """;

    private const string RsiReversion = """
        param period = 14 from 2 to 500;
        param lower = 30 from 1 to 49 step 0.5;
        param upper = 70 from 51 to 99 step 0.5;
        enter long when position == flat and rsi(period) < lower;
        enter short when position == flat and rsi(period) > upper;
        exit long when rsi(period) >= 50;
        exit short when rsi(period) <= 50;
        """;

    private const string DonchianBreakout = """
        param entry = 20 from 2 to 1000;
        param leave = 10 from 1 to 1000;
        enter long when close > donchian.upper(entry)[1];
        enter short when close < donchian.lower(entry)[1];
        exit long when close < donchian.lower(leave)[1];
        exit short when close > donchian.upper(leave)[1];
        stop atr(20) * 2;
        reentry after exit;
        """;

    private const string BollingerReversion = """
        let middle = bollinger.middle(20, 2);
        enter long when position == flat and close < bollinger.lower(20, 2);
        enter short when position == flat and close > bollinger.upper(20, 2);
        exit long when close >= middle;
        exit short when close <= middle;
        """;

    [Fact]
    public void R1_as_a_rule_gives_the_published_figures_to_every_digit()
    {
        RunReport report = Run(MarketFiles.Mt5("gbpusd_h1"), Of(SmaCross), 10_000);
        Assert.Equal("101045.539314", report.FinalEquity!.Value.ToString("0.##########", CultureInfo.InvariantCulture));
        Assert.Equal("679.660686", report.Fees!.Value.ToString("0.##########", CultureInfo.InvariantCulture));
        Assert.Equal((1210, 1211, 57_600L), (report.ClosedTrades, report.Orders, report.DataPoints));
        Assert.Equal("d0e390f137048438", report.OrderListHash[..16]);
    }

    public static TheoryData<string, string, string> Pairs()
    {
        var pairs = new TheoryData<string, string, string>();
        foreach (string data in (string[])["gbpusd_h1", "usdjpy_h1", "eurusd_h4", "xauusd_d1"])
        {
            pairs.Add(data, "sma-cross", SmaCross);
            pairs.Add(data, "rsi-reversion", RsiReversion);
            pairs.Add(data, "donchian-breakout", DonchianBreakout);
            pairs.Add(data, "bollinger-reversion", BollingerReversion);
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_rule_makes_the_orders_of_the_strategy_in_code(string data, string definition, string rule)
    {
        MarketSeries series = MarketFiles.Mt5(data);
        decimal units = data.StartsWith("xau", StringComparison.Ordinal) ? 10 : 10_000;
        RunReport code = Run(series, (definition, null), units), ruled = Run(series, Of(rule), units);
        Assert.Equal(code.OrderListHash, ruled.OrderListHash);
        Assert.Equal((code.FinalEquity, code.ClosedTrades, code.Orders), (ruled.FinalEquity, ruled.ClosedTrades, ruled.Orders));
        Assert.True(code.Orders > 20);
    }

    private static (string, string?) Of(string rule) => (RuleLanguage.DefinitionName, RuleLanguage.Define(rule).Rule);

    private static RunReport Run(MarketSeries series, (string Name, string? Rule) strategy, decimal units)
    {
        StrategyParameters parameters = StrategyCatalog.Find(strategy.Name, strategy.Rule).Bind([new("units", units)]);
        var settings = new AccountSettings(series.Instrument.QuoteCurrency, PositionMode.Netting, null, null, null, null,
            new ExecutionModel(CommissionRate: 0.00002m), TradingCalendar.Forex, null);
        var plan = new RunPlan(new InstrumentUniverse([series.Instrument]),
            [new StrategyPlan("test/run/cross", strategy.Name, parameters, series.Instrument.Symbol, series.TimeFrame, strategy.Rule)],
            [new AccountPlan("test/run/main", settings, RiskLimits.None, 100_000,
                ImmutableSortedDictionary<string, FollowTerms>.Empty.Add("test/run/cross", new FollowTerms(Sizing.AsTheStrategySays)))]);
        return new Backtest(plan, new RunSequence([series], plan)).Run();
    }
}
