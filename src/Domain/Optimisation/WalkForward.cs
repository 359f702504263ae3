using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Optimisation;

/// <summary>How a walk-forward is cut.</summary>
/// <param name="Windows">Out-of-sample windows, 2 to 200, of equal length, one after the other to the end of the data.</param>
/// <param name="Ratio">Length of the (first) in-sample window by that of an out-of-sample window, above 0.</param>
/// <param name="Anchored">Every in-sample window begins with the data; else it rolls, of equal length.</param>
/// <param name="WarmUp">Bars before a window that warm the features up at least; null: four times the longest warm-up of any trial.</param>
/// <param name="Seed">Of the bootstrap.</param>
public sealed record WalkForwardOptions(int Windows = 10, double Ratio = 3, bool Anchored = false, int? WarmUp = null, ulong Seed = 1)
{
    /// <summary>The first fault; null when all is well.</summary>
    public string? Fault() => Windows is < 2 or > 200 ? $"windows is {Windows}; expected 2 to 200"
        : Ratio is not (>= 0.1 and <= 100) ? FormattableString.Invariant($"ratio is {Ratio}; expected 0.1 to 100")
        : WarmUp is < 0 or > 1_000_000 ? $"warm-up is {WarmUp}; expected 0 to 1000000 bars" : null;
}

/// <summary>One window: the search in sample, and what its best did out of sample.</summary>
/// <param name="InFrom">Begin of the in-sample part, which ends where the out-of-sample part begins.</param>
/// <param name="Trial">Number of the best trial in sample; null where none kept to the constraints: the window stays flat.</param>
/// <param name="InSample">Of that trial.</param>
public sealed record WalkForwardWindow(
    int Number, DateTime InFrom, DateTime OutFrom, DateTime OutTo, int? Trial, ImmutableSortedDictionary<string, decimal>? Parameters,
    TrialStatistics? InSample, TrialStatistics? OutOfSample);

/// <summary>How a parameter was chosen over the windows.</summary>
/// <param name="Chosen">Value by value, window by window; windows without a choice are left out.</param>
/// <param name="Distinct">Different values among them.</param>
/// <param name="MeanMove">Mean step from window to window, as a share of the way from the first to the last value of the search: 0 never moved.</param>
public sealed record ParameterStability(string Name, ImmutableArray<decimal> Chosen, int Distinct, double? MeanMove);

/// <summary>The objective over two parameters, on all data; of further parameters the mean. Null where no trial stands.</summary>
/// <param name="Values">Row by row: [y][x].</param>
public sealed record HeatMap(string X, string Y, ImmutableArray<decimal> XValues, ImmutableArray<decimal> YValues, ImmutableArray<ImmutableArray<double?>> Values);

/// <summary>One finished trial of a walk-forward, as it is kept to go on with.</summary>
/// <param name="Returns">Its days, of a trial over all data; null of one in a window.</param>
public sealed record WalkForwardRun(TrialStatistics Statistics, double[]? Returns);

/// <summary>A day of the stitched out-of-sample equity.</summary>
public readonly record struct StitchedDay(DateOnly Date, double Return, double Equity);

/// <summary>What a walk-forward found.</summary>
/// <param name="Stitched">The out-of-sample days of all windows, compounded from 1; every window begins flat.</param>
/// <param name="InSharpe">Mean of the windows' daily Sharpe ratios in sample, annualised.</param>
/// <param name="OutSharpe">Of the stitched days, annualised.</param>
/// <param name="Retained">Out / in: what was left of what the search had promised; null where nothing was promised.</param>
/// <param name="Neighbourhood">Mean daily Sharpe ratio of the best trial's neighbours on all data (one step in one parameter), by its own.</param>
public sealed record WalkForwardResult(
    int Trials, ImmutableArray<WalkForwardWindow> Windows, ImmutableArray<StitchedDay> Stitched, double? InSharpe, double? OutSharpe, double? Retained,
    OverfittingResult? Overfitting, double? DeflatedSharpe, ImmutableArray<ParameterStability> Stability, double? Neighbourhood, ImmutableArray<HeatMap> HeatMaps,
    WalkForwardVerdict Verdict);

/// <summary>
/// Walk-forward analysis (Pardo 1992): search in a window, trade its best in the next one, and judge only what was traded. Every run begins flat, with
/// features warmed up by the bars before its window; nothing after a window's end takes part in what is chosen for it.
/// </summary>
public sealed class WalkForward(
    RunPlan plan, ImmutableArray<MarketSeries> data, SearchSpace space, ImmutableArray<StrategyParameters> trials, Objective objective, TrialConstraints constraints,
    WalkForwardOptions options, Func<StrategyPlan, Strategy>? make = null)
{
    private const int OverfittingBlocks = 16, MostHeatCells = 10_000;

    /// <summary>Trials in all: those of every window's search, then those over all data.</summary>
    public int Runs => (options.Windows + 1) * trials.Length;

    /// <param name="progress">Called with the share done (0 to 1).</param>
    /// <param name="known">What an earlier life finished, by its number (0 to <see cref="Runs"/> - 1); not made again. Null for none.</param>
    /// <param name="finished">Called for each trial as it is made, by one thread at a time.</param>
    /// <exception cref="ArgumentException">The options are wrong, or the data too short for the windows.</exception>
    public WalkForwardResult Run(
        int threads, Action<double>? progress = null, CancellationToken cancellation = default, IReadOnlyDictionary<int, WalkForwardRun>? known = null,
        Action<int, WalkForwardRun>? finished = null)
    {
        if (options.Fault() is { } fault) throw new ArgumentException(fault);
        (DateTime start, DateTime end, TimeSpan window) = Cut();
        TimeSpan warmUp = WarmUp();
        DateTime Before(DateTime from) => from - start <= warmUp ? start : from - warmUp;
        int done = known?.Count ?? 0;
        ImmutableArray<WalkForwardRun> RunAll(int round, DateTime from, DateTime to)
        {
            var runner = new TrialRunner(plan, Slice(Before(from), to), from, make);
            int first = round * trials.Length;
            Dictionary<int, WalkForwardRun> there = [];
            for (int i = 0; i < trials.Length; i++)
            {
                if (known?.TryGetValue(first + i, out WalkForwardRun? run) == true) there.Add(i, run);
            }
            return Search.Run(trials, parameters =>
            {
                TrialOutcome outcome = runner.Run(parameters, cancellation);
                return new WalkForwardRun(outcome.Statistics, round == options.Windows ? outcome.Returns : null);
            }, threads, there, (i, run) =>
            {
                finished?.Invoke(first + i, run);
                progress?.Invoke((double)++done / Runs);
            }, cancellation);
        }

        ImmutableArray<WalkForwardWindow>.Builder windows = ImmutableArray.CreateBuilder<WalkForwardWindow>();
        List<(DateOnly Date, double Return)> days = [];
        double periods = 252;
        for (int i = 0; i < options.Windows; i++)
        {
            DateTime outFrom = start + (options.Ratio + i) * window, outTo = i == options.Windows - 1 ? DateTime.MaxValue : outFrom + window;
            DateTime inFrom = options.Anchored ? start : outFrom - options.Ratio * window;
            ImmutableArray<WalkForwardRun> outcomes = RunAll(i, inFrom, outFrom);
            Trial? best = Search.Rank(outcomes.Select((outcome, number) => new Trial(number, trials[number], outcome.Statistics)), objective, constraints).FirstOrDefault();
            // Without a choice nothing is traded: the days are there all the same, any trial has them.
            TrialOutcome traded = new TrialRunner(plan, Slice(Before(outFrom), outTo), outFrom, make).Run(best?.Parameters ?? trials[0], cancellation);
            days.AddRange(traded.Dates.Select((date, day) => (date, best is null ? 0 : traded.Returns[day])));
            periods = traded.PeriodsPerYear;
            windows.Add(new WalkForwardWindow(i + 1, inFrom, outFrom, i == options.Windows - 1 ? end : outTo, best?.Number, best?.Parameters.Values, best?.Statistics,
                best is null ? null : traded.Statistics));
        }
        ImmutableArray<WalkForwardRun> whole = RunAll(options.Windows, start, DateTime.MaxValue);
        return Judge(windows.ToImmutable(), days, periods, whole);
    }

    private WalkForwardResult Judge(ImmutableArray<WalkForwardWindow> windows, List<(DateOnly Date, double Return)> days, double periods, ImmutableArray<WalkForwardRun> whole)
    {
        double[] returns = [.. days.Select(day => day.Return)];
        double equity = 1;
        ImmutableArray<StitchedDay> stitched = [.. days.Select(day => new StitchedDay(day.Date, day.Return, equity *= 1 + day.Return))];
        double[] inSharpes = [.. windows.Select(window => window.InSample?.SharpeDaily).OfType<double>()];
        double? inSharpe = Statistics.Mean(inSharpes), outSharpe = Sharpe(returns) * Math.Sqrt(periods);

        double[][] variants = [.. whole.Select(outcome => outcome.Returns!).Where(each => Sharpe(each) is not null)];
        OverfittingResult? overfitting = variants.Length >= 2 && variants[0].Length >= 2 * OverfittingBlocks ? Overfitting.Assess(variants, OverfittingBlocks) : null;
        double[] sharpes = [.. variants.Select(each => Sharpe(each)!.Value)];
        int best = Enumerable.Range(0, whole.Length).MaxBy(i => whole[i].Statistics.SharpeDaily ?? double.NegativeInfinity);
        double? deflated = DeflatedSharpe.Of(whole[best].Returns!, sharpes, trials.Length);

        int trades = windows.Sum(window => window.OutOfSample?.ClosedTrades ?? 0);
        double? retained = inSharpe > 0 ? outSharpe / inSharpe : null;
        var verdict = WalkForwardVerdict.Of(returns, periods, trades, trials.Length, inSharpe, deflated, overfitting, options.Seed);
        return new WalkForwardResult(trials.Length, windows, stitched, inSharpe, outSharpe, retained, overfitting, deflated, Stability(windows), Neighbourhood(whole, best), HeatMaps(whole), verdict);
    }

    private static double? Sharpe(double[] returns) => Statistics.StandardDeviation(returns) is > 0 and { } deviation ? Statistics.Mean(returns) / deviation : null;

    private (DateTime Start, DateTime End, TimeSpan Window) Cut()
    {
        ImmutableArray<MarketSeries> filled = [.. data.Where(series => series.Count > 0)];
        if (filled.IsEmpty) throw new ArgumentException("there are no data");
        DateTime start = filled.Min(series => RunSequence.StartOf(series, 0)), end = filled.Max(series => series.EventTime(series.Count - 1));
        TimeSpan window = (end - start) / (options.Ratio + options.Windows);
        if (window < TimeSpan.FromDays(1)) throw new ArgumentException($"the data span {(end - start).TotalDays:0.#} days; {options.Windows} windows would be shorter than a day each");
        return (start, end, window);
    }

    private ImmutableArray<MarketSeries> Slice(DateTime from, DateTime to) => [.. data.Select(series => series.Between(from, to == DateTime.MaxValue ? null : to))];

    /// <summary>Long enough for the bars that warm up, nights and week-ends included.</summary>
    private TimeSpan WarmUp()
    {
        TimeSpan longest = TimeSpan.Zero;
        foreach (StrategyPlan strategy in plan.Strategies)
        {
            Instrument instrument = plan.Universe.Find(strategy.Symbol)!;
            long bars = options.WarmUp ?? trials.Max(parameters =>
            {
                Strategy each = make?.Invoke(strategy with { Parameters = parameters }) ?? StrategyCatalog.Find(strategy.Definition, strategy.Rule).Create(parameters);
                return 4L * new FeatureSet(instrument, strategy.TimeFrame, each.Inputs).WarmUp;
            });
            var epoch = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            TimeSpan bar = strategy.TimeFrame.IsTick ? TimeSpan.Zero : strategy.TimeFrame.End(epoch) - epoch;
            TimeSpan span = bars == 0 ? TimeSpan.Zero : 2 * bars * bar + TimeSpan.FromDays(7);
            if (span > longest) longest = span;
        }
        return longest;
    }

    private ImmutableArray<ParameterStability> Stability(ImmutableArray<WalkForwardWindow> windows) => [.. space.Dimensions.Select(dimension =>
    {
        ImmutableArray<decimal> chosen = [.. windows.Where(window => window.Parameters is not null).Select(window => window.Parameters![dimension.Name])];
        decimal reach = dimension.Values.Max() - dimension.Values.Min();
        double[] moves = [.. chosen.Zip(chosen.Skip(1), (a, b) => reach == 0 ? 0 : (double)(Math.Abs(a - b) / reach))];
        return new ParameterStability(dimension.Name, chosen, chosen.Distinct().Count(), Statistics.Mean(moves));
    })];

    private double? Neighbourhood(ImmutableArray<WalkForwardRun> whole, int best)
    {
        Dictionary<StrategyParameters, double?> known = [];
        for (int i = 0; i < trials.Length; i++) known[trials[i]] = whole[i].Statistics.SharpeDaily;
        List<double> neighbours = [];
        foreach (SearchDimension dimension in space.Dimensions)
        {
            int at = dimension.Values.IndexOf(trials[best][dimension.Name]);
            foreach (int next in (int[])[at - 1, at + 1])
            {
                if (next < 0 || next >= dimension.Values.Length) continue;
                if (known.GetValueOrDefault(trials[best].With(dimension.Name, dimension.Values[next])) is { } sharpe) neighbours.Add(sharpe);
            }
        }
        return whole[best].Statistics.SharpeDaily is > 0 and { } own ? Statistics.Mean([.. neighbours]) / own : null;
    }

    private ImmutableArray<HeatMap> HeatMaps(ImmutableArray<WalkForwardRun> whole)
    {
        ImmutableArray<HeatMap>.Builder maps = ImmutableArray.CreateBuilder<HeatMap>();
        for (int x = 0; x < space.Dimensions.Length; x++)
        {
            for (int y = x + 1; y < space.Dimensions.Length; y++)
            {
                (SearchDimension across, SearchDimension down) = (space.Dimensions[x], space.Dimensions[y]);
                if ((long)across.Values.Length * down.Values.Length > MostHeatCells) continue;
                ILookup<(decimal, decimal), double?> cells = Enumerable.Range(0, trials.Length)
                    .ToLookup(i => (trials[i][across.Name], trials[i][down.Name]), i => objective.Value(whole[i].Statistics));
                maps.Add(new HeatMap(across.Name, down.Name, across.Values, down.Values,
                    [.. down.Values.Select(row => across.Values.Select(column => Statistics.Mean([.. cells[(column, row)].OfType<double>()])).ToImmutableArray())]));
            }
        }
        return maps.ToImmutable();
    }
}
