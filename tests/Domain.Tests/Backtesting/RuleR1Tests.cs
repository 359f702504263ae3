using System.Collections.Immutable;
using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>
/// Rule R1: the moving averages of 20 and 50 closes; on a cross, at the next open close and turn, 10,000 units, fee 0.00002 of the notional a fill,
/// start 100,000, marked at closes, the last position left open.
/// </summary>
public sealed class RuleR1Tests
{
    [Fact]
    public void Gbpusd_hours_give_the_published_figures_to_every_digit()
    {
        RunReport report = Run(MarketFiles.Mt5("gbpusd_h1"));
        Assert.Equal("101045.539314", Text(report.FinalEquity));
        Assert.Equal("679.660686", Text(report.Fees));
        Assert.Equal((1210, 1211, 57_600L), (report.ClosedTrades, report.Orders, report.DataPoints));
        Assert.Equal(3.0931327863250720581m, Math.Round(report.MaxDrawdownPercent!.Value, 19));
        Assert.Equal("d0e390f137048438", report.OrderListHash[..16]);
    }

    [Fact]
    public void Usdjpy_hours_in_yen_need_no_conversion()
    {
        RunReport report = Run(MarketFiles.Mt5("usdjpy_h1"));
        Assert.Equal("316086.2686", Text(report.FinalEquity));
        Assert.Equal("57063.7314", Text(report.Fees));
        Assert.Equal((1310, 1311), (report.ClosedTrades, report.Orders));
        Assert.Equal("452c4c7b4f42aca1", report.OrderListHash[..16]);
    }

    [Theory]
    [InlineData("gbpusd_h1")]
    [InlineData("usdjpy_h1")]
    [InlineData("eurusd_h4")]
    [InlineData("eurusd_d1")]
    [InlineData("gbpusd_d1")]
    [InlineData("usdjpy_d1")]
    [InlineData("xauusd_d1")]
    public void Every_file_gives_what_the_rule_written_down_plainly_gives(string name)
    {
        MarketSeries series = MarketFiles.Mt5(name);
        // Gold in ounces, as everything else: 10,000 of them are two thousand lots' worth, so ten.
        decimal units = name.StartsWith("xau", StringComparison.Ordinal) ? 10 : 10_000;
        NaiveResult naive = NaiveCross.Run(series, 20, 50, units);
        RunReport report = Run(series, units);
        Assert.Equal(naive.Equity, report.FinalEquity);
        Assert.Equal(naive.Fees, report.Fees);
        Assert.Equal(naive.ClosedTrades, report.ClosedTrades);
        Assert.Equal(naive.MaxDrawdown * 100m, report.MaxDrawdownPercent);
        Assert.True(naive.ClosedTrades > 20);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 200)]
    [InlineData(5, 7)]
    public void Other_periods_too(int fast, int slow)
    {
        MarketSeries series = MarketFiles.Mt5("eurusd_h4");
        NaiveResult naive = NaiveCross.Run(series, fast, slow, 10_000);
        RunReport report = Run(series, 10_000, fast, slow);
        Assert.Equal((naive.Equity, naive.ClosedTrades, naive.MaxDrawdown * 100m), (report.FinalEquity, report.ClosedTrades, report.MaxDrawdownPercent));
    }

    private static RunReport Run(MarketSeries series, decimal units = 10_000, int fast = 20, int slow = 50)
    {
        StrategyParameters parameters = SmaCross.Definition.Bind([new("fast", fast), new("slow", slow), new("units", units)]);
        var settings = new AccountSettings(series.Instrument.QuoteCurrency, PositionMode.Netting, null, null, null, null,
            new ExecutionModel(CommissionRate: 0.00002m), TradingCalendar.Forex, null);
        var plan = new RunPlan(new InstrumentUniverse([series.Instrument]),
            [new StrategyPlan("test/run/cross", "sma-cross", parameters, series.Instrument.Symbol, series.TimeFrame)],
            [new AccountPlan("test/run/main", settings, RiskLimits.None, 100_000, ImmutableSortedDictionary<string, FollowTerms>.Empty.Add("test/run/cross", new FollowTerms(Sizing.AsTheStrategySays)))]);
        return new Backtest(plan, new RunSequence([series], plan)).Run();
    }

    private static string Text(decimal? value) => value!.Value.ToString("0.##########", CultureInfo.InvariantCulture);
}

internal sealed record NaiveResult(decimal Equity, int ClosedTrades, decimal Fees, decimal MaxDrawdown);

/// <summary>The rule in thirty lines of plain decimals, sharing nothing with the engine but the bars.</summary>
internal static class NaiveCross
{
    public static NaiveResult Run(MarketSeries series, int fast, int slow, decimal units)
    {
        decimal point = 1m;
        for (int i = 0; i < series.Instrument.Digits; i++) point /= 10m;
        decimal[] opens = [.. series.Bars.ToArray().Select(bar => bar.Bid.Open * point)], closes = [.. series.Bars.ToArray().Select(bar => bar.Bid.Close * point)];
        decimal cash = 100_000, position = 0, fees = 0, peak = cash, drawdown = 0, equity = cash;
        int closed = 0, side = 0, wanted = 0;
        for (int i = 0; i < closes.Length; i++)
        {
            if (wanted != 0)
            {
                decimal traded = wanted * units - position, fee = Math.Abs(traded) * opens[i] * 0.00002m;
                if (position != 0) closed++;
                cash -= traded * opens[i] + fee;
                fees += fee;
                position = wanted * units;
                wanted = 0;
            }
            equity = cash + position * closes[i];
            peak = Math.Max(peak, equity);
            drawdown = Math.Max(drawdown, (peak - equity) / peak);
            if (i + 1 < slow) continue;
            // Averages compared without dividing: fast sum times slow against slow sum times fast.
            int sign = Math.Sign(closes[(i - fast + 1)..(i + 1)].Sum() * slow - closes[(i - slow + 1)..(i + 1)].Sum() * fast);
            if (sign * side < 0) wanted = sign;
            if (sign != 0) side = sign;
        }
        return new NaiveResult(equity, closed, fees, drawdown);
    }
}
