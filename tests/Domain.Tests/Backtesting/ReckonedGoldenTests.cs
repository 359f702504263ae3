using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Tests.Backtesting;

/// <summary>
/// Years of real bars with a stop and a target at every entry, reckoned a second time in whole points by a loop that shares nothing with the engine but the
/// bars: every fill must be the same.
/// </summary>
public sealed class ReckonedGoldenTests
{
    private const int Period = 20, Stop = 400, Target = 600, Units = 10_000;

    [Theory]
    [InlineData("gbpusd_h1", 5_000, true)]
    [InlineData("usdjpy_h1", 5_000, true)]
    [InlineData("eurusd_h4", 1_000, true)]
    [InlineData("eurusd_d1", 100, false)]
    public void Every_fill_of_stops_targets_and_turns_is_the_reckoner_s(string data, int least, bool jumps)
    {
        MarketSeries series = MarketFiles.Mt5(data);
        (List<Fill> expected, decimal equity, int gaps) = Reckon(series);
        Assert.True(expected.Count > least, $"{expected.Count} fills");
        Assert.Equal(jumps, gaps > 0);

        List<Fill> fills = [];
        RunReport report = Run(series, fills);
        for (int i = 0; i < Math.Min(fills.Count, expected.Count); i++) Assert.Equal((i, expected[i]), (i, fills[i]));
        Assert.Equal(expected.Count, fills.Count);
        Assert.Equal(equity, report.FinalEquity);
    }

    /// <summary>
    /// At the open: a stop that it lies beyond goes there, a target that it has reached at its own price, then the market order. In the bar: the stop at its
    /// level (of a position that opened beyond it, at the open), else the target.
    /// </summary>
    private static (List<Fill> Fills, decimal Equity, int Gaps) Reckon(MarketSeries series)
    {
        ReadOnlySpan<Bar> bars = series.Bars.Span;
        List<Fill> fills = [];
        long position = 0, stop = 0, target = 0, order = 0, wantedStop = 0, wantedTarget = 0, cash = 0;
        int stance = 0, gaps = 0;
        for (int i = 0; i < bars.Length; i++)
        {
            Ohlc bar = bars[i].Bid;
            if (position != 0)
            {
                int sign = Math.Sign(position);
                if (sign * bar.Open <= sign * stop)
                {
                    gaps++;
                    Trade(i, -position, bar.Open);
                }
                else if (sign * bar.Open >= sign * target) Trade(i, -position, target);
            }
            if (order != 0)
            {
                Trade(i, order, bar.Open);
                (stop, target, order) = (wantedStop, wantedTarget, 0);
            }
            if (position != 0)
            {
                int sign = Math.Sign(position);
                long worst = sign > 0 ? bar.Low : bar.High, best = sign > 0 ? bar.High : bar.Low;
                if (sign * worst <= sign * stop)
                {
                    if (sign * bar.Open < sign * stop) gaps++;
                    Trade(i, -position, sign * Math.Min(sign * stop, sign * bar.Open));
                }
                else if (sign * best >= sign * target) Trade(i, -position, target);
            }
            // The mean must be known at this bar and at the one before.
            if (i < Period) continue;
            long sum = 0;
            for (int back = 0; back < Period; back++) sum += bars[i - back].Bid.Close;
            int now = Math.Sign(bar.Close * Period - sum);
            if (now == 0 || now == stance) continue;
            stance = now;
            order = now * Units - position;
            (wantedStop, wantedTarget) = (bar.Close - now * Stop, bar.Close + now * Target);
        }
        decimal equity = 100_000 + (cash + position * bars[^1].Bid.Close) * series.Instrument.PointSize;
        return (fills, equity, gaps);

        void Trade(int at, long volume, long points)
        {
            fills.Add(new Fill(at, volume, points));
            position += volume;
            cash -= volume * points;
        }
    }

    private static RunReport Run(MarketSeries series, List<Fill> fills)
    {
        var settings = new AccountSettings(series.Instrument.QuoteCurrency, PositionMode.Netting, null, null, null, null, new ExecutionModel(), TradingCalendar.Forex, null);
        var plan = new RunPlan(new InstrumentUniverse([series.Instrument]),
            [new StrategyPlan("test/run/side", "sma-cross", SmaCross.Definition.Bind([new("units", Units)]), series.Instrument.Symbol, series.TimeFrame)],
            [new AccountPlan("test/run/main", settings, RiskLimits.None, 100_000,
                ImmutableSortedDictionary<string, FollowTerms>.Empty.Add("test/run/side", new FollowTerms(Sizing.AsTheStrategySays)))]);
        Dictionary<long, int> sides = [];
        return new Backtest(plan, new RunSequence([series], plan), _ => new SideOfTheMean(series.Instrument))
        {
            Recorded = (_, happened) =>
            {
                foreach (AccountEvent each in happened)
                {
                    if (each is OrderAccepted accepted) sides[accepted.Order.Ordinal] = (int)accepted.Order.Side;
                    if (each is OrderFilled fill) fills.Add(new Fill((int)fill.MarketPosition, sides[fill.Ordinal] * (long)fill.Volume, fill.Points));
                }
            },
        }.Run();
    }

    /// <param name="Bar">Number of the bar.</param>
    /// <param name="Volume">Signed by side.</param>
    private sealed record Fill(int Bar, long Volume, long Points);

    /// <summary>Long above the mean of the closes, short below it.</summary>
    private sealed class SideOfTheMean : Strategy
    {
        private readonly Instrument _instrument;
        private readonly FeatureInput _mean;

        public SideOfTheMean(Instrument instrument) => (_instrument, _mean) = (instrument, Use(Feature.Sma(Period)));

        public override Intent? Evaluate(in StrategyContext context)
        {
            double close = context.Close, mean = context[_mean];
            if (close == mean) return null;
            return (close > mean ? Intent.Long("above") : Intent.Short("below")) with
            {
                StopDistance = Stop * _instrument.PointSize,
                TakeDistance = Target * _instrument.PointSize,
            };
        }
    }
}
