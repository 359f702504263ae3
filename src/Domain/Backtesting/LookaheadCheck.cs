using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Backtesting;

/// <summary>A place where what happened by a time depends on data from after it.</summary>
/// <param name="Cut">The run with data up to this time (UTC) differs from the one with all data.</param>
/// <param name="Before">What it has there; null for nothing.</param>
/// <param name="After">What the run with all data has there; null for nothing.</param>
public sealed record LookaheadDifference(DateTime Cut, string? Before, string? After);

/// <summary>What the check saw.</summary>
/// <param name="Cuts">Times at which the data were cut off.</param>
/// <param name="Decisions">Of the run with all data.</param>
/// <param name="Events">Account events of the run with all data.</param>
/// <param name="Differences">The first one of each cut that has one.</param>
public sealed record LookaheadResult(int Cuts, int Decisions, int Events, ImmutableArray<LookaheadDifference> Differences);

/// <summary>
/// Proves by truncation that nothing looks ahead: for each of many times T, the decisions and account events of a run over the data up to T must be
/// those that the run over all data had by T. Half of the cuts are right after decisions, where a look at the next bar shows; the others are spread evenly.
/// It proves it for these data and cuts: what looks ahead only in between stays unseen.
/// </summary>
public static class LookaheadCheck
{
    public const int MostCuts = 10_000;

    /// <param name="cuts">2 to <see cref="MostCuts"/>; each is a run over the data up to it.</param>
    /// <param name="make">Makes a strategy given the data of its run; null: as the catalogue or the rule has it.</param>
    /// <param name="progress">Called with the share done (0 to 1).</param>
    public static LookaheadResult Run(
        RunPlan plan, ImmutableArray<MarketSeries> data, int cuts, Func<ImmutableArray<MarketSeries>, StrategyPlan, Strategy>? make = null,
        Action<double>? progress = null, CancellationToken cancellation = default)
    {
        if (cuts is < 2 or > MostCuts) throw new ArgumentOutOfRangeException(nameof(cuts), cuts, $"expected 2 to {MostCuts}");
        Trace whole = Trace.Of(plan, data, make, cancellation);
        ImmutableArray<DateTime> times = Times(whole, data, cuts);
        ImmutableArray<LookaheadDifference>.Builder differences = ImmutableArray.CreateBuilder<LookaheadDifference>();
        for (int i = 0; i < times.Length; i++)
        {
            Trace cut = Trace.Of(plan, [.. data.Select(series => series.Until(times[i]))], make, cancellation);
            if (Compare(times[i], cut, whole) is { } difference) differences.Add(difference);
            progress?.Invoke((i + 1.0) / times.Length);
        }
        return new LookaheadResult(times.Length, whole.Decisions.Count, whole.Entries.Count - whole.Decisions.Count, differences.ToImmutable());
    }

    private static ImmutableArray<DateTime> Times(Trace whole, ImmutableArray<MarketSeries> data, int cuts)
    {
        var times = new SortedSet<DateTime>();
        int atDecisions = Math.Min(cuts / 2, whole.Decisions.Count);
        for (int i = 0; i < atDecisions; i++) times.Add(whole.Decisions[(int)((long)i * whole.Decisions.Count / atDecisions)]);
        int even = cuts - atDecisions;
        MarketSeries longest = data.MaxBy(series => series.Count)!;
        for (int i = 1; i <= even && longest.Count > 0; i++) times.Add(longest.EventTime((int)((long)i * longest.Count / (even + 1))));
        return [.. times];
    }

    private static LookaheadDifference? Compare(DateTime time, Trace cut, Trace whole)
    {
        for (int i = 0; ; i++)
        {
            string? before = i < cut.Entries.Count ? cut.Entries[i].Text : null;
            // What the run with all data did at events that the other has seen, too.
            string? after = i < whole.Entries.Count && whole.Entries[i].Position < cut.Events ? whole.Entries[i].Text : null;
            if (before != after) return new LookaheadDifference(time, before, after);
            if (before is null) return null;
        }
    }

    /// <summary>All that a run did, in order.</summary>
    private sealed class Trace
    {
        public List<(long Position, string Text)> Entries { get; } = [];
        public List<DateTime> Decisions { get; } = [];

        /// <summary>Market events of the run.</summary>
        public long Events { get; private set; }

        public static Trace Of(
            RunPlan plan, ImmutableArray<MarketSeries> data, Func<ImmutableArray<MarketSeries>, StrategyPlan, Strategy>? make, CancellationToken cancellation)
        {
            var trace = new Trace();
            var sequence = new RunSequence(data, plan);
            Backtest? backtest = null;
            // Accounts open at the beginning of the data, which a cut does not move.
            long At() => Math.Max(0, backtest!.Position);
            backtest = new Backtest(plan, sequence, make is null ? null : strategy => make(data, strategy), keepsOrders: false)
            {
                Decided = decision =>
                {
                    trace.Decisions.Add(decision.Time);
                    trace.Entries.Add((At(), Text(decision)));
                },
                Recorded = (account, events) =>
                {
                    foreach (AccountEvent happened in events) trace.Entries.Add((At(), $"{account}: {happened}"));
                },
            };
            backtest.Play(null, cancellation);
            trace.Events = sequence.Length;
            return trace;
        }

        private static string Text(Decision decision) => string.Create(CultureInfo.InvariantCulture,
            $"{decision.Time:yyyy-MM-dd HH:mm:ss} {decision.Strategy} decides {decision.Intent.Stance}: {decision.Intent.Why} ({decision.Intent with { Why = "" }}; {string.Join(", ", decision.Features.Select(each => $"{each.Feature}={each.Value:R}"))})");
    }
}
