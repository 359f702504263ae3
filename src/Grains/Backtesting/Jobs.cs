using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Backtesting;

public enum JobKind : byte { Backtest, Optimisation, WalkForward }

public enum JobStatus : byte { Queued, Running, Finished, Failed, Cancelled }

/// <summary>What a job is to do: one of the two, as its kind says.</summary>
/// <param name="Name">As lists show it.</param>
[GenerateSerializer, Immutable, Alias("ht.JobRequest")]
public sealed record JobRequest(JobKind Kind, string Name, BacktestInput? Backtest, SearchInput? Search)
{
    public static JobRequest Of(BacktestInput run) => new(JobKind.Backtest, NameOf(run), run, null);

    public static JobRequest Of(SearchInput search) => new(search.WalkForward is null ? JobKind.Optimisation : JobKind.WalkForward, NameOf(search), null, search);

    [JsonIgnore]
    public RunInput Run => (RunInput?)Backtest ?? Search!;

    private static string NameOf(RunInput run) => run.Name
        ?? $"{string.Join(", ", run.Strategies.Select(each => each?.Name ?? each?.Definition ?? "rule").Distinct().Take(3))} on {string.Join(", ", run.DataSets.Take(3))}";
}

/// <summary>The figures of a finished run. Money is in account currency.</summary>
/// <param name="MaxDrawdownPercent">Of the peak, equity marked at every market event.</param>
/// <param name="ProfitFactor">Null without a loss.</param>
/// <param name="Sharpe">Of daily returns, annualised; null where undefined.</param>
/// <param name="DataPoints">Quotes or bars that it saw.</param>
/// <param name="Seconds">First to last event.</param>
/// <param name="Equity">At most 300 points.</param>
[GenerateSerializer, Immutable, Alias("ht.RunSummary")]
public sealed record RunSummary(
    decimal FinalEquity, decimal NetProfit, double NetProfitPercent, double MaxDrawdownPercent, int Trades, double WinRatePercent, double? ProfitFactor,
    double? Sharpe, decimal Fees, decimal Swap, long DataPoints, double Seconds, string OrderListHash, ImmutableArray<EquityPoint> Equity);

/// <summary>The best trial of a search.</summary>
[GenerateSerializer, Immutable, Alias("ht.BestTrial")]
public sealed record BestTrial(int Trial, ImmutableSortedDictionary<string, decimal> Parameters, double? Objective);

[GenerateSerializer, Immutable, Alias("ht.VerdictEvidence")]
public sealed record VerdictEvidence(string Name, double? Value, bool? Passed, string Text);

/// <summary>What a walk-forward says of the strategy.</summary>
[GenerateSerializer, Immutable, Alias("ht.SearchVerdict")]
public sealed record SearchVerdict(WalkForwardFinding Finding, string Text, ImmutableArray<VerdictEvidence> Evidence);

/// <summary>What a search came to.</summary>
/// <param name="Points">Data points of all its runs.</param>
/// <param name="Best">Null when no trial keeps to the constraints.</param>
/// <param name="DeflatedSharpe">Probability that the best is better than the best of so many without skill; null where undefined.</param>
/// <param name="Verdict">Of a walk-forward.</param>
[GenerateSerializer, Immutable, Alias("ht.SearchSummary")]
public sealed record SearchSummary(int Trials, long Points, string Objective, BestTrial? Best, double? DeflatedSharpe, SearchVerdict? Verdict);

/// <summary>A job as it stands.</summary>
/// <param name="Key">tenant/user/id.</param>
/// <param name="Progress">0 to 1.</param>
/// <param name="SecondsLeft">While it runs, as far as one can tell.</param>
/// <param name="Attempts">How often it was begun; more than once when processes ended under it.</param>
/// <param name="HasReport">The analysis of a run is kept.</param>
/// <param name="Version">Count of events in its stream.</param>
[GenerateSerializer, Immutable, Alias("ht.JobView")]
public sealed record JobView(
    string Key, JobRequest Request, JobStatus Status, double Progress, DateTime CreatedAt, DateTime? StartedAt, DateTime? EndedAt, double? SecondsLeft,
    string? Fault, int Attempts, bool HasReport, RunSummary? Summary, SearchSummary? Search, long Version)
{
    [JsonIgnore]
    public bool HasEnded => Status is JobStatus.Finished or JobStatus.Failed or JobStatus.Cancelled;

    /// <summary>Its own name in its key.</summary>
    [JsonIgnore]
    public string Id => Key[(Key.LastIndexOf('/') + 1)..];
}

/// <summary>One job of a user: remembers what was asked and what came of it, and runs it when its queue says so.</summary>
[Alias("ht.IJobGrain")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Takes the request in. A job that is known stays what it is.</summary>
    [Alias("Enqueue")] Task<CommandResult> Enqueue(JobRequest request);

    /// <summary>For the queue: begins the run, if it is not under way.</summary>
    /// <returns>False when there is nothing to run: unknown, or it has ended.</returns>
    [Alias("Start")] Task<bool> Start();

    /// <summary>Ends what waits or runs; the answer does not wait for the run to stop. What has ended stays as it is.</summary>
    [Alias("Cancel")] Task<CommandResult> Cancel();

    /// <summary>Forgets a job that has ended, and its results.</summary>
    [Alias("Remove")] Task<CommandResult> Remove();

    /// <summary>Null when it was never asked for, or was removed.</summary>
    [Alias("GetView")] Task<JobView?> GetView();

    /// <summary>Shows the job to an observer when it changes, five times a second at most and never ahead of the journal.</summary>
    /// <returns>How it stands now; null, and nobody observes, when there is none.</returns>
    [Alias("Observe")] Task<JobView?> Observe(IJobObserver observer);

    [Alias("Forget")] Task Forget(IJobObserver observer);

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}

/// <summary>Somebody outside of grains who looks at a job for its owner.</summary>
[Alias("ht.IJobObserver")]
public interface IJobObserver : IGrainObserver
{
    [Alias("Show")] void Show(JobView job);
}

/// <summary>The jobs of one user that have not ended, in their order.</summary>
[Alias("ht.IJobQueueGrain")]
public interface IJobQueueGrain : IGrainWithStringKey
{
    /// <summary>Takes a job in. Asking again for the same id answers as the first time.</summary>
    /// <param name="id">Its own name in its key.</param>
    /// <returns>A fault when the queue is full.</returns>
    [Alias("Submit")] Task<CommandResult> Submit(string id, JobRequest request);

    /// <summary>For the job: its run is over, or it will not be run.</summary>
    [Alias("Ended")] Task Ended(string id);

    /// <summary>Sets going what waits, whoever had it before.</summary>
    /// <param name="unfinished">Ids of jobs that the journal has and that have not ended, the oldest first; those that the queue does not know it takes in.</param>
    [Alias("Wake")] Task Wake(ImmutableArray<string> unfinished);

    /// <summary>Ids of those that wait, the next one first.</summary>
    [AlwaysInterleave, Alias("GetWaiting")] Task<ImmutableArray<string>> GetWaiting();

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}

/// <summary>The data sets that one user has uploaded.</summary>
[Alias("ht.IDataSetsGrain")]
public interface IDataSetsGrain : IGrainWithStringKey
{
    /// <summary>Takes a set in whose content is stored. A set that is known stays what it is.</summary>
    /// <returns>A fault when there is no room for it.</returns>
    [Alias("Add")] Task<CommandResult> Add(DataSet set);

    /// <returns>Null when there is none.</returns>
    [Alias("Remove")] Task<CommandResult?> Remove(string id);

    /// <summary>All of them, the latest first.</summary>
    [Alias("List")] Task<ImmutableArray<DataSet>> List();

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}
