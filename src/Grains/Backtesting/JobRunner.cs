using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Grains.Backtesting;

/// <summary>What a run came to; the rest lies in the blob store.</summary>
public sealed record JobResult(RunSummary? Summary, SearchSummary? Search);

/// <summary>Ids of what a job keeps in the blob store, each compressed (gzip).</summary>
public static class JobBlobs
{
    /// <summary>The analysis as the command line's <c>--report FILE.json</c> has it.</summary>
    public static string Analysis(string job) => $"{job}-report.json.gz";

    /// <summary>Equity at every market event, or at every 2nd, 4th, ... of a long run.</summary>
    public static string Equity(string job) => $"{job}-equity.csv.gz";

    /// <summary>All trials of a search: a <see cref="TrialList"/>.</summary>
    public static string Trials(string job) => $"{job}-trials.json.gz";

    /// <summary>The result of a walk-forward.</summary>
    public static string WalkForward(string job) => $"{job}-walk-forward.json.gz";

    public static ImmutableArray<string> All(string job) => [Analysis(job), Equity(job), Trials(job), WalkForward(job)];
}

/// <summary>A trial of a search as it is kept.</summary>
/// <param name="Objective">Null where it is not defined.</param>
/// <param name="Kept">It keeps to the constraints.</param>
public sealed record KeptTrial(int Trial, ImmutableSortedDictionary<string, decimal> Parameters, double? Objective, bool Kept, TrialStatistics Statistics);

/// <summary>All trials of a search, the best first; those that do not keep to the constraints last.</summary>
public sealed record TrialList(string Objective, ImmutableArray<KeptTrial> Trials);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TrialList))]
[JsonSerializable(typeof(WalkForwardResult))]
public sealed partial class SearchJson : JsonSerializerContext;

/// <summary>
/// Computes jobs by Domain alone, on the threads that it is given, and keeps the results. The same request over the same data comes to the same. It is no
/// grain's code: nothing here awaits a grain.
/// </summary>
public sealed class JobRunner(JobData data, IBlobStore blobs)
{
    private const int MostCurve = 300;
    private const long MostResult = 1L << 30;

    /// <summary>Share of a job's progress that its runs take; the rest is for the analysis.</summary>
    private const double OfRuns = 0.7;

    /// <param name="sets">The user's data sets.</param>
    /// <exception cref="JobFaultException">The data are gone, or the run cannot be made of them.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<JobResult> RunAsync(
        StreamOwner owner, string job, JobRequest request, ImmutableArray<DataSet> sets, int threads, JobProgress progress, CancellationToken cancellation)
    {
        var read = ImmutableArray.CreateBuilder<MarketSeries>();
        foreach (string id in request.Run.DataSets)
        {
            MarketSeries series = request.Run.Cut(await data.ReadAsync(owner, id, sets, cancellation));
            if (series.Count > 0) read.Add(series);
        }
        if (read.Count == 0) throw new JobFaultException("the data have nothing in the period from .. to");
        ImmutableArray<MarketSeries> all = [.. read.OrderBy(series => series.Instrument.Symbol, StringComparer.Ordinal)];
        try
        {
            RunPlan plan = request.Run.Plan([.. all.Select(RunData.Of)], owner.Subject);
            var options = new AnalysisOptions(request.Run.Name, (request.Run.RiskFreePercent ?? 0) / 100);
            if (request.Search is { } search) return await SearchAsync(owner, job, search, plan, all, threads, options, progress, cancellation);
            return new JobResult(await BacktestAsync(owner, job, plan, all, options, (progress, 0), cancellation), null);
        }
        catch (ArgumentException wrong)
        {
            throw new JobFaultException(wrong.Message, wrong);
        }
    }

    private async Task<RunSummary> BacktestAsync(
        StreamOwner owner, string job, RunPlan plan, ImmutableArray<MarketSeries> all, AnalysisOptions options, (JobProgress Of, double From) progress,
        CancellationToken cancellation)
    {
        Dictionary<string, ImmutableArray<AccountEvent>.Builder> events = plan.Accounts.ToDictionary(account => account.Key, _ => ImmutableArray.CreateBuilder<AccountEvent>());
        double run = (1 - progress.From) * OfRuns;
        var backtest = new Backtest(plan, new RunSequence(all, plan)) { Recorded = (account, happened) => events[account].AddRange(happened) };
        RunReport report = backtest.Run(share => progress.Of.Share = progress.From + share * run, cancellation);
        Dictionary<string, ImmutableArray<AccountEvent>> recorded = events.ToDictionary(account => account.Key, account => account.Value.ToImmutable());
        RunAnalysis analysis = RunAnalyzer.Analyse(plan, recorded, new RunSequence(all, plan), report, options, cancellation);
        progress.Of.Share = 0.95;
        await KeepAsync(owner, JobBlobs.Analysis(job), Encoding.UTF8.GetBytes(ReportFiles.Json(analysis)), cancellation);
        await KeepAsync(owner, JobBlobs.Equity(job), Encoding.UTF8.GetBytes(ReportFiles.Equity(analysis)), cancellation);
        return Summarise(report, analysis);
    }

    private async Task<JobResult> SearchAsync(
        StreamOwner owner, string job, SearchInput search, RunPlan plan, ImmutableArray<MarketSeries> all, int threads, AnalysisOptions options, JobProgress progress,
        CancellationToken cancellation)
    {
        SearchSpace space = search.Space();
        ImmutableArray<StrategyParameters> parameters = search.Trials(space);
        var objective = Objective.Find(search.Objective);
        TrialConstraints constraints = search.Kept();
        RunPlan Of(StrategyParameters each) => plan with { Strategies = [.. plan.Strategies.Select(strategy => strategy with { Parameters = each })] };

        // Of a walk-forward the search over all data is the smaller part.
        double first = search.WalkForward is { } walking ? 0.8 / (walking.Windows + 2) : 0.8;
        var runner = new TrialRunner(plan, all);
        int done = 0;
        ImmutableArray<TrialStatistics> statistics = Search.Run(parameters, each => runner.Run(each, cancellation).Statistics, threads, null,
            (_, _) => progress.Share = first * ++done / parameters.Length, cancellation);
        ImmutableArray<Trial> trials = [.. statistics.Select((each, number) => new Trial(number, parameters[number], each))];
        ImmutableArray<Trial> ranked = Search.Rank(trials, objective, constraints);
        await KeepAsync(owner, JobBlobs.Trials(job), JsonSerializer.SerializeToUtf8Bytes(ListOf(trials, ranked, objective), SearchJson.Default.TrialList), cancellation);

        long points = all.Sum(series => (long)series.Count) * parameters.Length;
        SearchVerdict? verdict = null;
        if (search.WalkForward is { } cut)
        {
            var walk = new WalkForward(Of(parameters[0]), all, space, parameters, objective, constraints, cut.Options());
            WalkForwardResult result = walk.Run(threads, share => progress.Share = first + share * (0.8 - first), cancellation);
            await KeepAsync(owner, JobBlobs.WalkForward(job), JsonSerializer.SerializeToUtf8Bytes(result, SearchJson.Default.WalkForwardResult), cancellation);
            verdict = new SearchVerdict(result.Verdict.Finding, result.Verdict.Text,
                [.. result.Verdict.Evidence.Select(each => new VerdictEvidence(each.Name, each.Value, each.Passed, each.Text))]);
        }
        progress.Share = 0.8;
        if (ranked.IsEmpty) return new JobResult(null, new SearchSummary(trials.Length, points, objective.Name, null, null, verdict));

        Trial best = ranked[0];
        TrialOutcome outcome = runner.Run(best.Parameters, cancellation);
        double[] sharpes = [.. trials.Select(trial => trial.Statistics.SharpeDaily).OfType<double>().Select(sharpe => sharpe / Math.Sqrt(outcome.PeriodsPerYear))];
        double[] yearly = [.. trials.Select(trial => trial.Statistics.SharpeDaily).OfType<double>()];
        // The analysis of the best is told how many were tried, so that its own deflated Sharpe ratio says the same.
        AnalysisOptions told = Statistics.Variance(yearly) is > 0 and { } variance ? options with { Trials = trials.Length, TrialVariance = variance } : options;
        RunSummary summary = await BacktestAsync(owner, job, Of(best.Parameters), all, told, (progress, 0.8), cancellation);
        return new JobResult(summary, new SearchSummary(trials.Length, points, objective.Name,
            new BestTrial(best.Number, best.Parameters.Values, objective.Value(best.Statistics)), DeflatedSharpe.Of(outcome.Returns, sharpes, trials.Length), verdict));
    }

    private static TrialList ListOf(ImmutableArray<Trial> trials, ImmutableArray<Trial> ranked, Objective objective)
    {
        HashSet<int> kept = [.. ranked.Select(trial => trial.Number)];
        return new TrialList(objective.Name, [.. ranked.Concat(trials.Where(trial => !kept.Contains(trial.Number))).Select(trial =>
            new KeptTrial(trial.Number, trial.Parameters.Values, objective.Value(trial.Statistics), kept.Contains(trial.Number), trial.Statistics))]);
    }

    private static RunSummary Summarise(RunReport report, RunAnalysis analysis)
    {
        int step = Math.Max(1, (analysis.Curve.Length + MostCurve - 2) / (MostCurve - 1));
        ImmutableArray<EquityPoint> curve =
            [.. analysis.Curve.Where((_, i) => i % step == 0 || i == analysis.Curve.Length - 1).Select(mark => new EquityPoint(mark.Time, mark.Equity))];
        decimal start = analysis.Equity.Start;
        return new RunSummary(
            report.FinalEquity!.Value, report.NetProfit!.Value, start == 0 ? 0 : (double)(report.NetProfit.Value / start * 100m), (double)report.MaxDrawdownPercent!.Value,
            report.ClosedTrades, (analysis.Trades.WinRate ?? 0) * 100, analysis.Trades.ProfitFactor, analysis.Returns.Sharpe, report.Fees!.Value, report.Swap!.Value,
            report.DataPoints, report.Seconds, report.OrderListHash, curve);
    }

    private async Task KeepAsync(StreamOwner owner, string id, byte[] content, CancellationToken cancellation)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) await gzip.WriteAsync(content, cancellation);
        packed.Position = 0;
        await blobs.PutAsync(owner, id, packed, MostResult, cancellation);
    }
}
