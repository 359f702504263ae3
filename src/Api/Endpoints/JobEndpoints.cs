using System.Globalization;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Reports;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Trading;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;
using GrainJob = HybridTrading.Grains.Backtesting.JobView;

namespace HybridTrading.Api.Endpoints;

/// <summary>Back-tests and searches as jobs, and what came of them.</summary>
internal static class JobEndpoints
{
    private const string Json = "application/json", Csv = "text/csv; charset=utf-8", Html = "text/html; charset=utf-8";

    public static void Map(IEndpointRouteBuilder api)
    {
        Map(api.MapGroup("/backtests").WithTags("Back-tests"), "Backtest", searches: false);
        RouteGroupBuilder optimisations = api.MapGroup("/optimisations").WithTags("Back-tests");
        Map(optimisations, "Optimisation", searches: true);
        api.MapPost("/backtests", (Body<BacktestInput> body, HttpContext context, JobDesk desk) => desk.SubmitAsync(JobRequest.Of(body.Value), context))
            .WithTags("Back-tests").WithName("createBacktest").Weighs(20).WithSummary("Queues a back-test over data sets")
            .WithDescription("The caller's jobs run one after the other. Equal requests over equal data come to the same order list, here and on the command line. "
                + "Money, costs and limits that are not given are those of the command line. Progress and end are pushed by the hub as job.")
            .Mutation(Permission.Research, Status409Conflict);
        api.MapPost("/optimisations", (Body<SearchInput> body, HttpContext context, JobDesk desk) => desk.SubmitAsync(JobRequest.Of(body.Value), context))
            .WithTags("Back-tests").WithName("createOptimisation").Weighs(20).WithSummary("Queues a search over the parameters of one strategy, with walkForward its proof")
            .WithDescription("Every combination of vary (search grid), or N of them (random:N), is a trial: a back-test of its own. The best by objective among those that "
                + "keep to the constraints is run again and gets the report.")
            .Mutation(Permission.Research, Status409Conflict);
        optimisations.MapGet("/{id}/trials", TrialsAsync).WithName("listTrials").Weighs(5).WithSummary("All trials of a finished search, the best first")
            .WithDescription("sort is objective, trial, or the name of a parameter or statistic; -name turns it round. cursor is the next of the page before.").Query(Permission.ReadTrading, Status404NotFound);
        optimisations.MapGet("/{id}/walk-forward", (string id, JobDesk desk, CancellationToken cancellation) => desk.ContentAsync(id, true, JobBlobs.WalkForward, Json, cancellation))
            .WithName("getWalkForward").CacheableByContent().Weighs(5)
            .WithSummary("Windows, stitched equity, stability and verdict of a walk-forward").Produces(Status200OK, contentType: Json).Query(Permission.ReadTrading, Status404NotFound);
        api.MapGet("/reports", ReportsAsync).WithTags("Back-tests").WithName("listReports").Weighs(5).WithSummary("Finished jobs that have a report, the latest first").Query(Permission.ReadTrading);
        api.MapGet("/job-limits", LimitsAsync).WithTags("Back-tests").WithName("getJobLimits").WithSummary("How much the caller may do, and the objectives of searches").Query(Permission.ReadTrading);
    }

    private static void Map(RouteGroupBuilder jobs, string name, bool searches)
    {
        jobs.MapGet("/", async (JobDesk desk, ReadSide reads, CancellationToken cancellation, long? cursor = null, int? limit = null, long? minPosition = null) =>
            {
                await reads.WaitForAsync(JobProjection.ProjectionName, minPosition, cancellation);
                return TypedResults.Ok(await desk.ListAsync(searches, cursor, EndpointConventions.Limit(limit, 50)));
            })
            .WithName($"list{name}s").WithSummary("The caller's, the latest first").WithDescription("cursor is the next of the page before.").Query(Permission.ReadTrading);
        jobs.MapGet("/{id}", (string id, JobDesk desk) => desk.GetAsync(id, searches)).WithName($"get{name}").WithSummary("As it stands now").Query(Permission.ReadTrading, Status404NotFound);
        jobs.MapDelete("/{id}", (string id, HttpContext context, JobDesk desk) => desk.EndAsync(id, searches, context)).WithName($"delete{name}")
            .WithSummary("Cancels what waits or runs; removes what has ended, with its results").Mutation(Permission.Research, Status404NotFound);
        jobs.MapGet("/{id}/report", (string id, JobDesk desk, CancellationToken cancellation) => desk.ContentAsync(id, searches, JobBlobs.Analysis, Json, cancellation))
            .WithName($"get{name}Report").CacheableByContent().Weighs(5)
            .WithSummary("The analysis: the JSON that the command line's --report writes").Produces(Status200OK, contentType: Json).Query(Permission.ReadTrading, Status404NotFound);
        jobs.MapGet("/{id}/report.html", (string id, JobDesk desk, CancellationToken cancellation) => desk.RenderAsync(id, searches, TearSheet.Render, Html, cancellation))
            .WithName($"get{name}Page").CacheableByContent().Weighs(10)
            .WithSummary("The tear sheet: one self-contained page").Page().Produces(Status200OK, contentType: "text/html").Query(Permission.ReadTrading, Status404NotFound);
        jobs.MapGet("/{id}/trades.csv", (string id, JobDesk desk, CancellationToken cancellation) => desk.RenderAsync(id, searches, ReportFiles.Trades, Csv, cancellation))
            .WithName($"get{name}Trades").CacheableByContent().Weighs(5)
            .WithSummary("Every closed trade").Produces(Status200OK, contentType: "text/csv").Query(Permission.ReadTrading, Status404NotFound);
        jobs.MapGet("/{id}/equity.csv", (string id, JobDesk desk, CancellationToken cancellation) => desk.ContentAsync(id, searches, JobBlobs.Equity, Csv, cancellation))
            .WithName($"get{name}Equity").CacheableByContent().Weighs(5)
            .WithSummary("Equity and exposure along the run").Produces(Status200OK, contentType: "text/csv").Query(Permission.ReadTrading, Status404NotFound);
    }

    private static async Task<Ok<JobPage>> ReportsAsync(
        JobDesk desk, ReadSide reads, CancellationToken cancellation, long? cursor = null, int? limit = null, long? minPosition = null)
    {
        int size = EndpointConventions.Limit(limit, 50);
        await reads.WaitForAsync(JobProjection.ProjectionName, minPosition, cancellation);
        return TypedResults.Ok(desk.Reports(cursor, size));
    }

    private static async Task<Ok<JobLimits>> LimitsAsync(ICaller caller, IGrainFactory grains, BacktestingOptions limits) => TypedResults.Ok(new JobLimits(
        limits.MaxUploadBytes, limits.MaxStoredBytes, (await grains.DataSets(caller).List()).Sum(set => set.Bytes), limits.MaxDataSets, limits.MaxWaiting, limits.MaxTrials,
        limits.MaxWork, [.. Objective.All.Select(each => new ObjectiveView(each.Name, each.Description))]));

    private static async Task<Results<Ok<TrialPage>, ProblemHttpResult>> TrialsAsync(
        string id, JobDesk desk, CancellationToken cancellation, long? cursor = null, int? limit = null, string? sort = null)
    {
        int size = EndpointConventions.Limit(limit, 100);
        if (cursor is < 0 or > int.MaxValue) throw ApiException.Invalid("cursor", $"cursor is {cursor}; expected the next of the page before");
        if (await desk.ReadAsync(id, searches: true, JobBlobs.Trials, cancellation) is not { } json)
        {
            return Problems.NotFound(ApiReason.ReportUnknown, $"id is {ApiException.Quote(id)}; there are no trials of such a search");
        }
        TrialList all = JsonSerializer.Deserialize(json, SearchJson.Default.TrialList)!;
        ImmutableArray<KeptTrial> sorted = TrialOrder.Sort(all.Trials, sort);
        int from = (int)(cursor ?? 0);
        return TypedResults.Ok(new TrialPage([.. sorted.Skip(from).Take(size)], from + size < sorted.Length ? from + size : null));
    }
}

/// <summary>Orders trials by what a caller names.</summary>
internal static class TrialOrder
{
    private static readonly ImmutableSortedDictionary<string, PropertyInfo> Figures = typeof(TrialStatistics).GetProperties()
        .ToImmutableSortedDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name), property => property, StringComparer.Ordinal);

    /// <param name="sort">Null or <c>objective</c>: as they are kept, the best first.</param>
    /// <exception cref="ApiException">400: no such name.</exception>
    public static ImmutableArray<KeptTrial> Sort(ImmutableArray<KeptTrial> trials, string? sort)
    {
        bool down = sort is ['-', ..];
        string name = down ? sort![1..] : sort ?? "objective";
        Func<KeptTrial, double?>? of = name switch
        {
            "objective" => null,
            "trial" => trial => trial.Trial,
            _ when Figures.TryGetValue(name, out PropertyInfo? figure) => trial =>
                figure.GetValue(trial.Statistics) is { } value ? Convert.ToDouble(value, CultureInfo.InvariantCulture) : null,
            _ when trials.IsEmpty || trials[0].Parameters.ContainsKey(name) => trial => (double)trial.Parameters[name],
            _ => throw ApiException.Invalid("sort", $"sort is {ApiException.Quote(sort)}; expected objective, trial, "
                + $"{string.Join(", ", trials[0].Parameters.Keys)}, {string.Join(", ", Figures.Keys)}, or one with - before it"),
        };
        if (of is null) return down ? [.. trials.Reverse()] : trials;
        // What is undefined comes last, either way round.
        IOrderedEnumerable<KeptTrial> defined = trials.OrderBy(trial => of(trial) is null);
        return [.. (down ? defined.ThenByDescending(of) : defined.ThenBy(of)).ThenBy(trial => trial.Trial)];
    }
}

/// <summary>Ids that are made of the caller's key, so that a request that is repeated after a crash finds what it had made.</summary>
internal static class JobIds
{
    public static string Of(ICaller caller, string key) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{caller.Person()}\n{key}")).AsSpan(0, 12));
}

/// <summary>What the endpoints of back-tests and searches have in common.</summary>
internal sealed class JobDesk(
    ICaller caller, IGrainFactory grains, JobQueries jobs, JobData data, IBlobStore blobs, BacktestingOptions limits)
{
    public async Task<Results<Accepted<JobView>, ProblemHttpResult>> SubmitAsync(JobRequest request, HttpContext context)
    {
        var faults = new Faults();
        foreach (InputFault fault in request.Run.Faults()) faults.Say(fault.Field, fault.Detail);
        LimitChecks.Check(request.Run.Limits, "limits.", faults);
        faults.ThrowIfAny();
        ImmutableArray<DataSet> sets = await ResolveAsync(request.Run, context.RequestAborted);
        if (TooMuch(request, sets) is { } much) return Problems.Of(Status422UnprocessableEntity, ApiReason.JobTooLarge, much);
        try
        {
            _ = request.Run.Plan([.. sets.Select(set => new RunData(set.Instrument, set.TimeFrame))], caller.Person());
        }
        catch (RunPlanException wrong)
        {
            throw ApiException.Invalid(wrong.Field, wrong.Message);
        }

        string id = JobIds.Of(caller, $"{(request.Search is null ? "backtest" : "search")} {context.IdempotencyKey()}");
        CommandResult done = await grains.JobQueue(caller).Submit(id, Pinned(request, sets));
        if (done.Fault is { } full) return Problems.Conflict(ApiReason.JobQueueFull, $"{full}: wait for one, or cancel one");
        GrainJob job = (await grains.Job(caller, id).GetView())!;
        string path = request.Search is null ? "backtests" : "optimisations";
        return TypedResults.Accepted($"/api/v1/{path}/{id}", await ViewAsync(job, context, done.MinPosition));
    }

    public async Task<JobPage> ListAsync(bool searches, long? cursor, int size)
    {
        ImmutableArray<JobRow> rows = jobs.Jobs(caller.Person(), searches, cursor, size);
        ImmutableArray<string> waiting = await grains.JobQueue(caller).GetWaiting();
        // The journal does not know how far a run is.
        JobView[] items = await Task.WhenAll(rows.Select(async row =>
            JobView.Of(row.Job.HasEnded ? row.Job : await grains.Job(caller, row.Job.Id).GetView() ?? row.Job, Place(waiting, row.Job.Id), whole: false)));
        return new JobPage([.. items], rows.Length == size ? rows[^1].Position : null);
    }

    public JobPage Reports(long? cursor, int size)
    {
        ImmutableArray<JobRow> rows = jobs.Reports(caller.Person(), cursor, size);
        return new JobPage([.. rows.Select(row => JobView.Of(row.Job, null, whole: false))], rows.Length == size ? rows[^1].Position : null);
    }

    public async Task<Results<Ok<JobView>, ProblemHttpResult>> GetAsync(string id, bool searches) =>
        await FindAsync(id, searches) is { } job ? TypedResults.Ok(await ViewAsync(job)) : NoJob(id);

    public async Task<Results<Accepted<JobView>, NoContent, ProblemHttpResult>> EndAsync(string id, bool searches, HttpContext context)
    {
        if (await FindAsync(id, searches) is not { } job) return NoJob(id);
        IJobGrain grain = grains.Job(caller, id);
        if (job.HasEnded)
        {
            context.SetMinPosition((await grain.Remove()).MinPosition);
            return TypedResults.NoContent();
        }
        CommandResult done = await grain.Cancel();
        return await grain.GetView() is { } now ? TypedResults.Accepted((string?)null, await ViewAsync(now, context, done.MinPosition)) : NoJob(id);
    }

    /// <summary>Streams what a job keeps, unpacked.</summary>
    public async Task<IResult> ContentAsync(string id, bool searches, Func<string, string> blob, string type, CancellationToken cancellation) =>
        await OpenAsync(id, searches, blob, cancellation) is { } content ? TypedResults.Stream(content, type) : NoReport(id);

    /// <summary>Makes something of the analysis that a job keeps.</summary>
    public async Task<IResult> RenderAsync(string id, bool searches, Func<RunAnalysis, string> render, string type, CancellationToken cancellation) =>
        await ReadAsync(id, searches, JobBlobs.Analysis, cancellation) is { } json ? TypedResults.Text(render(ReportFiles.Parse(json)), type) : NoReport(id);

    public async Task<byte[]?> ReadAsync(string id, bool searches, Func<string, string> blob, CancellationToken cancellation)
    {
        await using Stream? content = await OpenAsync(id, searches, blob, cancellation);
        if (content is null) return null;
        using var whole = new MemoryStream();
        await content.CopyToAsync(whole, cancellation);
        return whole.ToArray();
    }

    private async Task<Stream?> OpenAsync(string id, bool searches, Func<string, string> blob, CancellationToken cancellation)
    {
        if (await FindAsync(id, searches) is not { HasEnded: true }) return null;
        Stream? packed = await blobs.OpenAsync(new StreamOwner(caller.Tenant, caller.Person()), blob(id), cancellation);
        return packed is null ? null : new GZipStream(packed, CompressionMode.Decompress);
    }

    private async Task<GrainJob?> FindAsync(string id, bool searches) =>
        Keys.IsName(id) && await grains.Job(caller, id).GetView() is { } job && job.Request.Kind == JobKind.Backtest != searches ? job : null;

    private async Task<JobView> ViewAsync(GrainJob job, HttpContext? changed = null, long position = -1)
    {
        int? place = job.Status == JobStatus.Queued ? Place(await grains.JobQueue(caller).GetWaiting(), job.Id) : null;
        JobView view = JobView.Of(job, place, whole: true);
        return changed is null ? view : view with { MinPosition = changed.SetMinPosition(position) };
    }

    private static int? Place(ImmutableArray<string> waiting, string id) => waiting.IndexOf(id) is >= 0 and var at ? at + 1 : null;

    private async Task<ImmutableArray<DataSet>> ResolveAsync(RunInput run, CancellationToken cancellation)
    {
        ImmutableArray<DataSet> market = run.DataSets.Any(JobData.IsMarket) ? await data.MarketSetsAsync(cancellation) : [];
        ImmutableArray<DataSet> own = run.DataSets.All(JobData.IsMarket) ? [] : await grains.DataSets(caller).List();
        var sets = ImmutableArray.CreateBuilder<DataSet>();
        for (int i = 0; i < run.DataSets.Length; i++)
        {
            string id = run.DataSets[i];
            DataSet set = market.Concat(own).FirstOrDefault(each => each.Id == id) ?? throw ApiException.Invalid($"dataSets.{i}", $"dataSets.{i} is {ApiException.Quote(id)}; no such data set");
            if (sets.Any(other => other.Instrument.Symbol == set.Instrument.Symbol))
            {
                throw ApiException.Invalid($"dataSets.{i}", $"dataSets.{i} is of {set.Instrument.Symbol}, of which there is one before it; expected each of another symbol");
            }
            if (run.From >= set.To || run.To <= set.From) throw ApiException.Invalid("from", $"from is {run.From:u}, to is {run.To:u}; {id} has data from {set.From:u} to {set.To:u}");
            sets.Add(set);
        }
        return [.. sets.OrderBy(set => set.Instrument.Symbol, StringComparer.Ordinal)];
    }

    private string? TooMuch(JobRequest request, ImmutableArray<DataSet> sets)
    {
        decimal points = sets.Sum(set => set.Count), runs = 1;
        if (request.Search is { } search)
        {
            decimal trials;
            try
            {
                trials = search.TrialsOf(search.Space());
            }
            catch (RunPlanException wrong)
            {
                throw ApiException.Invalid(wrong.Field, wrong.Message);
            }
            if (trials > limits.MaxTrials) return $"the search has {trials:0} combinations; expected at most {limits.MaxTrials}, or random:N";
            // Every trial sees a window's data in sample, and all data once more.
            runs = trials * (search.WalkForward is { } walk ? 2 + walk.Windows : 1);
        }
        return points * runs > limits.MaxWork ? $"{points:0} data points by {runs:0} runs are {points * runs:0}; expected at most {limits.MaxWork}: fewer trials, or less data" : null;
    }

    /// <summary>The market goes on recording: a run that is begun again must see what it saw.</summary>
    private static JobRequest Pinned(JobRequest request, ImmutableArray<DataSet> sets)
    {
        if (request.Run.To is not null || !sets.Any(set => JobData.IsMarket(set.Id))) return request;
        DateTime end = sets.Max(set => set.To);
        return request.Search is { } search ? request with { Search = search with { To = end } } : request with { Backtest = request.Backtest! with { To = end } };
    }

    private static ProblemHttpResult NoJob(string id) => Problems.NotFound(ApiReason.JobUnknown, $"id is {ApiException.Quote(id)}; no such job");

    private static ProblemHttpResult NoReport(string id) => Problems.NotFound(ApiReason.ReportUnknown, $"id is {ApiException.Quote(id)}; no such job has a report");
}
