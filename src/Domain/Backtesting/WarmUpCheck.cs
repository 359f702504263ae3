using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>How far a feature is from its value with all history when it has seen only so many bars.</summary>
/// <param name="Bars">History given.</param>
/// <param name="Deviation">Largest over the places looked at, as a share of the largest value there; null where it is not ready.</param>
public readonly record struct WarmUpPoint(long Bars, double? Deviation);

/// <summary>A feature of a strategy, and what it makes of more or less history.</summary>
/// <param name="Ready">Bars after which it gives values.</param>
/// <param name="Given">At the history that the check was asked for.</param>
/// <param name="Settled">The least history tried from which on it stays within the tolerance; null for none.</param>
/// <param name="IsFault">Not ready, or beyond the tolerance, at the history given.</param>
public sealed record WarmUpFeature(
    string Strategy, string Feature, long Ready, WarmUpPoint Given, ImmutableArray<WarmUpPoint> Points, long? Settled, bool IsFault);

/// <summary>The decisions of a strategy from one time on, with all history before it and with only the history given.</summary>
/// <param name="From">UTC.</param>
/// <param name="Decisions">With all history.</param>
/// <param name="Different">Decisions that only one of the two made.</param>
/// <param name="Last">The last of them; null for none.</param>
public sealed record WarmUpDecisions(string Strategy, DateTime From, long Bars, int Decisions, int Different, DateTime? Last);

/// <summary>What the check saw.</summary>
public sealed record WarmUpResult(ImmutableArray<WarmUpFeature> Features, ImmutableArray<WarmUpDecisions> Decisions)
{
    public bool HasFault => Features.Any(each => each.IsFault) || Decisions.Any(each => each.Different > 0);
}

/// <summary>
/// Shows what depends on how much history was given: each feature's value at several places with little and with all history, and the decisions of the
/// strategy from several times on with the one and the other. Windows forget and come out equal; averages that reach back without end only come near.
/// </summary>
public static class WarmUpCheck
{
    private const int Places = 8;
    private static readonly int[] Multiples = [1, 2, 3, 5, 10, 20, 50];

    /// <param name="bars">History given; null: each strategy's own, after which all that it reads is ready.</param>
    /// <param name="tolerance">Share by which a feature may differ.</param>
    /// <param name="make">Makes a strategy; null: as the catalogue or the rule has it.</param>
    /// <exception cref="ArgumentException">The data have too few bars for the history and something after it.</exception>
    public static WarmUpResult Run(
        RunPlan plan, ImmutableArray<MarketSeries> data, int? bars, double tolerance, Func<StrategyPlan, Strategy>? make = null, CancellationToken cancellation = default)
    {
        make ??= strategy => StrategyCatalog.Find(strategy.Definition, strategy.Rule).Create(strategy.Parameters);
        ImmutableArray<WarmUpFeature>.Builder features = ImmutableArray.CreateBuilder<WarmUpFeature>();
        ImmutableArray<WarmUpDecisions>.Builder decisions = ImmutableArray.CreateBuilder<WarmUpDecisions>();
        foreach (StrategyPlan strategy in plan.Strategies)
        {
            MarketSeries series = data.Single(each => each.Instrument.Symbol == strategy.Symbol);
            List<Bar> all = BarsOf(series, strategy.TimeFrame);
            Strategy made = make(strategy);
            // One bar more than the values need: strategies also look one bar back.
            int own = new FeatureSet(series.Instrument, strategy.TimeFrame, made.Inputs).WarmUp + 1, given = Math.Max(1, bars ?? own);
            if (all.Count < 2 * given || all.Count < 4) throw new ArgumentException($"{strategy.Key} has {all.Count} bars of {strategy.TimeFrame}; expected {Math.Max(4, 2 * given)} or more for a history of {given}");
            foreach (FeatureSpec feature in made.Inputs)
            {
                cancellation.ThrowIfCancellationRequested();
                features.Add(Look(strategy, series.Instrument, feature, all, given, tolerance));
            }
            // Places at a quarter, the half and three quarters, as far as the history before them goes.
            foreach (int place in new SortedSet<int>([all.Count / 4, all.Count / 2, all.Count * 3 / 4]).Where(place => place >= given))
            {
                decisions.Add(Decide(plan, strategy, data, all[place - given].OpenTime, all[place].OpenTime, given, make, cancellation));
            }
        }
        return new WarmUpResult(features.ToImmutable(), decisions.ToImmutable());
    }

    private static WarmUpFeature Look(StrategyPlan strategy, Instrument instrument, FeatureSpec feature, List<Bar> all, int given, double tolerance)
    {
        int ready = new FeatureSet(instrument, strategy.TimeFrame, [feature]).WarmUp;
        int[] places = [.. Enumerable.Range(1, Places).Select(i => all.Count / 2 + (int)((long)i * (all.Count - all.Count / 2 - 1) / Places)).Distinct()];
        double[] whole = new double[places.Length];
        var set = new FeatureSet(instrument, strategy.TimeFrame, [feature]);
        for (int bar = 0, next = 0; bar < all.Count && next < places.Length; bar++)
        {
            set.Update(all[bar]);
            if (bar == places[next]) whole[next++] = set.Values[0];
        }
        double scale = whole.Where(value => !double.IsNaN(value)).Select(Math.Abs).DefaultIfEmpty(0).Max();
        WarmUpPoint With(long history)
        {
            double deviation = 0;
            for (int i = 0; i < places.Length; i++)
            {
                // What the whole history does not define, less cannot.
                if (double.IsNaN(whole[i])) continue;
                var fresh = new FeatureSet(instrument, strategy.TimeFrame, [feature]);
                for (int bar = (int)Math.Max(0, places[i] + 1 - history); bar <= places[i]; bar++) fresh.Update(all[bar]);
                if (double.IsNaN(fresh.Values[0])) return new WarmUpPoint(history, null);
                deviation = Math.Max(deviation, scale == 0 ? Math.Abs(fresh.Values[0]) : Math.Abs(fresh.Values[0] - whole[i]) / scale);
            }
            return new WarmUpPoint(history, deviation);
        }
        WarmUpPoint at = With(given);
        ImmutableArray<WarmUpPoint> points = [.. Multiples.Select(times => Math.Max(1L, ready) * times).Where(history => history <= places[0]).Select(With)];
        long? settled = null;
        foreach (WarmUpPoint point in points.Add(at).OrderByDescending(point => point.Bars).TakeWhile(point => point.Deviation <= tolerance)) settled = point.Bars;
        return new WarmUpFeature(strategy.Key, feature.ToString(), ready, at, points, settled, !(at.Deviation <= tolerance));
    }

    private static WarmUpDecisions Decide(
        RunPlan plan, StrategyPlan strategy, ImmutableArray<MarketSeries> data, DateTime historyFrom, DateTime from, int given, Func<StrategyPlan, Strategy> make,
        CancellationToken cancellation)
    {
        HashSet<(DateTime, Stance)> Made(ImmutableArray<MarketSeries> series)
        {
            HashSet<(DateTime, Stance)> made = [];
            RunPlan alone = plan with { Strategies = [strategy] };
            var backtest = new Backtest(alone, new RunSequence(series, alone), make, keepsOrders: false)
            {
                TradesFrom = from,
                Decided = decision => made.Add((decision.Time, decision.Intent.Stance)),
            };
            backtest.Play(null, cancellation);
            return made;
        }
        HashSet<(DateTime Time, Stance)> whole = Made(data), little = Made([.. data.Select(series => series.Between(historyFrom, null))]);
        (DateTime Time, Stance)[] different = [.. whole.Except(little).Concat(little.Except(whole)).Order()];
        return new WarmUpDecisions(strategy.Key, from, given, whole.Count, different.Length, different.Length == 0 ? null : different[^1].Time);
    }

    private static List<Bar> BarsOf(MarketSeries series, TimeFrame frame)
    {
        if (!series.IsTicks && frame == series.TimeFrame) return [.. series.Bars.Span];
        var builder = new BarBuilder(series.TimeFrame, frame);
        List<Bar> bars = [];
        for (int i = 0; i < series.Count; i++)
        {
            if (builder.IsForming && builder.TryClose(RunSequence.StartOf(series, i), out Bar ended)) bars.Add(ended);
            if (series.IsTicks ? builder.Add(series.Quotes.Span[i], out Bar closed) : builder.Add(series.Bars.Span[i], out closed)) bars.Add(closed);
        }
        return bars;
    }
}
