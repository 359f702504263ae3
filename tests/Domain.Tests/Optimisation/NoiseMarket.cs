using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Tests;

/// <summary>
/// Days of a made-up market whose truth is known, to try the walk-forward verdict on: returns without memory whose volatility wanders, and if wished
/// trends of known strength. There are no costs, which would only make it harder to be deceived.
/// </summary>
internal static class NoiseMarket
{
    /// <summary>Mean length of a trend in days.</summary>
    public const double TrendDays = 60;

    /// <param name="trend">Drift a day in standard deviations, up or down: x sqrt(252) is the Sharpe ratio of who knew its direction. 0: noise.</param>
    public static MarketSeries Days(ulong seed, int count, double trend)
    {
        var random = new SplitMix64(seed);
        Instrument instrument = InstrumentCatalog.Get("GBPUSD");
        var bars = new Bar[count];
        var time = new DateTime(2000, 1, 3, 0, 0, 0, DateTimeKind.Utc);
        double price = 130_000, turbulence = 0;
        int direction = random.NextUniform() < 0.5 ? 1 : -1;
        for (int i = 0; i < count; i++, time = time.AddDays(time.DayOfWeek == DayOfWeek.Friday ? 3 : 1))
        {
            if (random.NextUniform() < 1 / TrendDays) direction = -direction;
            turbulence = 0.97 * turbulence + 0.1 * random.NextBell();
            double deviation = 0.006 * (1 + Math.Clamp(turbulence, -0.8, 2));
            double next = Math.Max(1_000, price * (1 + deviation * (random.NextBell() + direction * trend)));
            long open = (long)price, close = (long)next, reach = (long)(deviation * price / 2);
            var bid = new Ohlc(open, Math.Max(open, close) + reach, Math.Max(1, Math.Min(open, close) - reach), close);
            bars[i] = new Bar(time, bid, bid, 1);
            price = next;
        }
        return MarketSeries.OfBars(instrument, TimeFrame.D1, bars);
    }

    /// <summary>The plan of a moving average cross on these days, without costs and limits.</summary>
    public static RunPlan Plan(MarketSeries series)
    {
        var settings = new AccountSettings("USD", PositionMode.Netting, null, null, null, null, new ExecutionModel(), TradingCalendar.Forex, null);
        return new RunPlan(new InstrumentUniverse([series.Instrument]),
            [new StrategyPlan("test/run/cross", "sma-cross", SmaCross.Definition.Bind([]), series.Instrument.Symbol, series.TimeFrame)],
            [new AccountPlan("test/run/main", settings, RiskLimits.None, 100_000,
                ImmutableSortedDictionary<string, FollowTerms>.Empty.Add("test/run/cross", new FollowTerms(Sizing.AsTheStrategySays)))]);
    }

    public static WalkForward WalkForward(MarketSeries series, WalkForwardOptions options)
    {
        var space = new SearchSpace(SmaCross.Definition,
            [SearchDimension.Parse("fast=2,4,7,11", SmaCross.Definition), SearchDimension.Parse("slow=15,25,40,60", SmaCross.Definition)], []);
        return new WalkForward(Plan(series), [series], space, space.Grid(), Objective.Find("sharpe-daily"), new TrialConstraints(), options);
    }
}
