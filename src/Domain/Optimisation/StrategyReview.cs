using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Optimisation;

/// <summary>Other parameters for a live strategy, and why. Nobody takes them but its owner.</summary>
/// <param name="Verdict">Of the walk-forward that chose among the neighbours of the present parameters.</param>
/// <param name="Trials">Settings that were tried.</param>
/// <param name="Present">The present parameters over the last in-sample window.</param>
/// <param name="Proposed">The proposed ones over the same days.</param>
public sealed record ParameterProposal(
    ImmutableSortedDictionary<string, decimal> From, ImmutableSortedDictionary<string, decimal> To, WalkForwardVerdict Verdict, int Trials,
    TrialStatistics Present, TrialStatistics Proposed);

/// <summary>What a look at a live strategy found.</summary>
/// <param name="Made">The time of the last event it saw.</param>
/// <param name="LiveFrom">When the strategy began to trade with its present parameters.</param>
/// <param name="Tested">The back-test before that, from which the expectation is made; null where there were no days.</param>
/// <param name="ExpectedTradesPerDay">In that back-test.</param>
/// <param name="LiveTradesPerDay">Since.</param>
/// <param name="Proposal">Null: no search was asked for, or it found nothing that is more than chance.</param>
public sealed record StrategyReview(
    DateTime Made, DateTime LiveFrom, LiveComparison Live, TrialStatistics? Tested, int TestedDays, double? ExpectedTradesPerDay, double? LiveTradesPerDay,
    ParameterProposal? Proposal);

/// <summary>How a review looks for other parameters.</summary>
/// <param name="Windows">Of the walk-forward; 0: none are looked for.</param>
/// <param name="MostTrials">Settings tried in each window at most.</param>
public sealed record ReviewOptions(int Windows = 6, int MostTrials = 200, double Confidence = ExpectedCurve.DefaultConfidence, ulong Seed = 1);

/// <summary>
/// Compares a live strategy with what its own back-test leads one to expect, and looks among the neighbours of its parameters for better ones. It changes
/// nothing: it proposes, and only what a walk-forward shows to be more than chance.
/// </summary>
public static class StrategyReviewer
{
    // To either side of the present value.
    private const int MostSteps = 3;
    private const decimal Reach = 0.1m;

    /// <param name="plan">The strategy as it is live, one account that follows nothing else.</param>
    /// <param name="data">From long before <paramref name="liveFrom"/> to now.</param>
    /// <param name="live">What it did on its account since.</param>
    /// <param name="progress">Called with the share done (0 to 1).</param>
    /// <exception cref="ArgumentException">The plan is not of one strategy, or there are no data.</exception>
    public static StrategyReview Review(
        RunPlan plan, ImmutableArray<MarketSeries> data, DateTime liveFrom, ImmutableArray<StrategyDay> live, ReviewOptions options, int threads,
        Action<double>? progress = null, CancellationToken cancellation = default)
    {
        if (plan.Strategies.Length != 1) throw new ArgumentException($"{plan.Strategies.Length} strategies; expected one");
        if (data.All(series => series.Count == 0)) throw new ArgumentException("there are no data");
        StrategyParameters present = plan.Strategies[0].Parameters;
        DateTime now = data.Where(series => series.Count > 0).Max(series => series.EventTime(series.Count - 1));

        ImmutableArray<MarketSeries> before = [.. data.Select(series => series.Between(null, liveFrom))];
        TrialOutcome? tested = before.All(series => series.Count == 0) ? null : new TrialRunner(plan, before).Run(present, cancellation);
        ExpectedCurve? expected = tested is null ? null
            : ExpectedCurve.Of(tested.Returns, Math.Clamp(live.Length, LiveComparison.LeastDays, ExpectedCurve.MostDays), options.Confidence, options.Seed);
        LiveComparison comparison = LiveComparison.Of(expected, [.. live.Select(day => (day.Date, day.Return))]);

        ParameterProposal? proposal = options.Windows == 0 ? null : Propose(plan, data, present, options, threads, progress, cancellation);
        progress?.Invoke(1);
        return new StrategyReview(now, liveFrom, comparison, tested?.Statistics, tested?.Dates.Length ?? 0,
            tested is { Dates.Length: > 0 } ? (double)tested.Statistics.ClosedTrades / tested.Dates.Length : null,
            live.IsEmpty ? null : live.Average(day => (double)day.ClosedTrades), proposal);
    }

    private static ParameterProposal? Propose(
        RunPlan plan, ImmutableArray<MarketSeries> data, StrategyParameters present, ReviewOptions options, int threads, Action<double>? progress, CancellationToken cancellation)
    {
        StrategyPlan strategy = plan.Strategies[0];
        StrategyDefinition definition = StrategyCatalog.Find(strategy.Definition, strategy.Rule);
        if (Neighbourhood(definition, present, options.MostTrials) is not { } space) return null;
        ImmutableArray<StrategyParameters> trials = space.Combinations > options.MostTrials ? space.Random(options.MostTrials, options.Seed) : space.Grid();
        if (!trials.Contains(present)) trials = trials.Add(present);
        Objective objective = Objective.Find("sharpe-daily");
        var constraints = new TrialConstraints();
        var cut = new WalkForwardOptions(options.Windows, Seed: options.Seed);
        WalkForwardResult walked;
        try
        {
            walked = new WalkForward(plan, data, space, trials, objective, constraints, cut).Run(threads, progress, cancellation);
        }
        catch (ArgumentException)
        {
            // Too short for the windows: nothing can be shown, so nothing is proposed.
            return null;
        }
        if (walked.Verdict.Finding != WalkForwardFinding.EdgeShown) return null;

        // What the walk-forward would trade next: the best of the last in-sample window, which ends with the data.
        WalkForwardWindow last = walked.Windows[^1];
        TimeSpan window = last.OutFrom - last.InFrom;
        var runner = new TrialRunner(plan, [.. data.Select(series => series.Between(last.OutTo - 2 * window, null))], last.OutTo - window);
        ImmutableArray<TrialStatistics> recent = Search.Run(trials, parameters => runner.Run(parameters, cancellation).Statistics, threads, cancellation: cancellation);
        Trial? best = Search.Rank(recent.Select((statistics, i) => new Trial(i, trials[i], statistics)), objective, constraints).FirstOrDefault();
        if (best is null || best.Parameters.Equals(present)) return null;
        return new ParameterProposal(present.Values, best.Parameters.Values, walked.Verdict, trials.Length, recent[trials.IndexOf(present)], best.Statistics);
    }

    /// <summary>Each parameter but the size, a few steps up and down: its own step, or a tenth of its value. Null where there is nothing to vary.</summary>
    private static SearchSpace? Neighbourhood(StrategyDefinition definition, StrategyParameters present, int mostTrials)
    {
        ParameterDefinition[] varied = [.. definition.Parameters.Where(parameter => parameter.Minimum < parameter.Maximum)];
        if (varied.Length == 0) return null;
        int steps = Math.Clamp((int)(Math.Pow(mostTrials, 1.0 / varied.Length) - 1) / 2, 1, MostSteps);
        ImmutableArray<SearchDimension> dimensions = [.. varied.Select(parameter => new SearchDimension(parameter.Name,
            [.. Enumerable.Range(-steps, 2 * steps + 1).Select(i => present[parameter.Name] + i * StepOf(parameter, present[parameter.Name]))
                .Where(value => value >= parameter.Minimum && value <= parameter.Maximum)]))];
        return new SearchSpace(definition, dimensions, present.Values.Where(value => varied.All(parameter => parameter.Name != value.Key)));
    }

    private static decimal StepOf(ParameterDefinition parameter, decimal value)
    {
        decimal step = Math.Max(parameter.Step ?? 0, Math.Abs(value) * Reach);
        if (parameter.Whole) step = Math.Max(1, Math.Round(step));
        return step > 0 ? step : (parameter.Maximum - parameter.Minimum) * Reach;
    }
}
