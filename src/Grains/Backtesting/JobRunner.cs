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
/// Computes jobs by Domain alone, on threads of their own, and keeps the results. The same request over the same data comes to the same. It is no grain's
/// code: nothing here awaits a grain.
/// </summary>
public sealed class JobRunner(JobData data, IBlobStore blobs)
{
    private const int MostCurve = 300;
    private const long MostResult = 1L << 30;

    /// <summary>Share of a back-test's progress that the run takes; the rest is for the analysis.</summary>
    private const double OfRun = 0.7;

    /// <summary>Share of a search's progress that its trials take; the rest is for the best of them, run again.</summary>
    private const double OfTrials = 0.8;

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
        // Hours of computing must not take a thread from the pool that grains live on.
        Work work = await Task.Factory.StartNew(
            () => new Work(job, request, owner.Subject, all, threads, progress, cancellation).Compute(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        foreach ((string id, byte[] packed) in work.Kept)
        {
            using var content = new MemoryStream(packed);
            await blobs.PutAsync(owner, id, content, MostResult, cancellation);
        }
        return work.Result;
    }

    /// <summary>One run of one job, in one thread and those that its trials take.</summary>
    private sealed class Work(
        string job, JobRequest request, string person, ImmutableArray<MarketSeries> all, int threads, JobProgress progress, CancellationToken cancellation)
    {
        /// <summary>Contents by id, packed.</summary>
        public List<(string Id, byte[] Packed)> Kept { get; } = [];

        public JobResult Result { get; private set; } = new(null, null);

        public Work Compute()
        {
            try
            {
                RunPlan plan = request.Run.Plan([.. all.Select(RunData.Of)], person);
                var options = new AnalysisOptions(request.Run.Name, (request.Run.RiskFreePercent ?? 0) / 100);
                Result = request.Search is { } search ? Search(search, plan, options) : new JobResult(Backtest(plan, options, 0), null);
                return this;
            }
            catch (ArgumentException wrong)
            {
                throw new JobFaultException(wrong.Message, wrong);
            }
        }

        private RunSummary Backtest(RunPlan plan, AnalysisOptions options, double from)
        {
            Dictionary<string, ImmutableArray<AccountEvent>.Builder> events = plan.Accounts.ToDictionary(account => account.Key, _ => ImmutableArray.CreateBuilder<AccountEvent>());
            var backtest = new Backtest(plan, new RunSequence(all, plan)) { Recorded = (account, happened) => events[account].AddRange(happened) };
            RunReport report = backtest.Run(share => progress.Share = from + share * (1 - from) * OfRun, cancellation);
            Dictionary<string, ImmutableArray<AccountEvent>> recorded = events.ToDictionary(account => account.Key, account => account.Value.ToImmutable());
            RunAnalysis analysis = RunAnalyzer.Analyse(plan, recorded, new RunSequence(all, plan), report, options, cancellation);
            progress.Share = 0.95;
            Keep(JobBlobs.Analysis(job), Encoding.UTF8.GetBytes(ReportFiles.Json(analysis)));
            Keep(JobBlobs.Equity(job), Encoding.UTF8.GetBytes(ReportFiles.Equity(analysis)));
            return Summarise(report, analysis);
        }

        private JobResult Search(SearchInput search, RunPlan plan, AnalysisOptions options)
        {
            SearchSpace space = search.Space();
            ImmutableArray<StrategyParameters> parameters = search.Trials(space);
            var objective = Objective.Find(search.Objective);
            TrialConstraints constraints = search.Kept();
            RunPlan Of(StrategyParameters each) => plan with { Strategies = [.. plan.Strategies.Select(strategy => strategy with { Parameters = each })] };

            // Of a walk-forward the search over all data is the smaller part.
            double first = search.WalkForward is { } walking ? OfTrials / (walking.Windows + 2) : OfTrials;
            var runner = new TrialRunner(plan, all);
            int done = 0;
            ImmutableArray<TrialStatistics> statistics = Domain.Optimisation.Search.Run(parameters, each => runner.Run(each, cancellation).Statistics, threads, null,
                (_, _) => progress.Share = first * ++done / parameters.Length, cancellation);
            ImmutableArray<Trial> trials = [.. statistics.Select((each, number) => new Trial(number, parameters[number], each))];
            ImmutableArray<Trial> ranked = Domain.Optimisation.Search.Rank(trials, objective, constraints);
            Keep(JobBlobs.Trials(job), JsonSerializer.SerializeToUtf8Bytes(ListOf(trials, ranked, objective), SearchJson.Default.TrialList));

            SearchVerdict? verdict = search.WalkForward is { } cut
                ? Walk(new WalkForward(Of(parameters[0]), all, space, parameters, objective, constraints, cut.Options()), first) : null;
            progress.Share = OfTrials;
            long points = all.Sum(series => (long)series.Count) * parameters.Length;
            if (ranked.IsEmpty) return new JobResult(null, new SearchSummary(trials.Length, points, objective.Name, null, null, verdict));

            Trial best = ranked[0];
            TrialOutcome outcome = runner.Run(best.Parameters, cancellation);
            double[] yearly = [.. trials.Select(trial => trial.Statistics.SharpeDaily).OfType<double>()];
            double[] daily = [.. yearly.Select(sharpe => sharpe / Math.Sqrt(outcome.PeriodsPerYear))];
            // The analysis of the best is told how many were tried, so that its own deflated Sharpe ratio says the same.
            AnalysisOptions told = Statistics.Variance(yearly) is > 0 and { } variance ? options with { Trials = trials.Length, TrialVariance = variance } : options;
            RunSummary summary = Backtest(Of(best.Parameters), told, OfTrials);
            return new JobResult(summary, new SearchSummary(trials.Length, points, objective.Name,
                new BestTrial(best.Number, best.Parameters.Values, objective.Value(best.Statistics)), DeflatedSharpe.Of(outcome.Returns, daily, trials.Length), verdict));
        }

        private SearchVerdict Walk(WalkForward walk, double from)
        {
            WalkForwardResult result = walk.Run(threads, share => progress.Share = from + share * (OfTrials - from), cancellation);
            Keep(JobBlobs.WalkForward(job), JsonSerializer.SerializeToUtf8Bytes(result, SearchJson.Default.WalkForwardResult));
            return new SearchVerdict(result.Verdict.Finding, result.Verdict.Text,
                [.. result.Verdict.Evidence.Select(each => new VerdictEvidence(each.Name, each.Value, each.Passed, each.Text))]);
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

        private void Keep(string id, byte[] content)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
            Kept.Add((id, packed.ToArray()));
        }
    }
}
