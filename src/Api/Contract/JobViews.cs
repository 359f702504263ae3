using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Grains.Backtesting;
using Jobs = HybridTrading.Grains.Backtesting;

namespace HybridTrading.Api;

/// <summary>Past data of one instrument that runs can be made over.</summary>
/// <param name="TimeFrame">tick for quotes.</param>
/// <param name="From">Begin of the first item.</param>
/// <param name="To">Time of the last event.</param>
/// <param name="Count">Quotes or bars.</param>
/// <param name="Bytes">Of the file that was uploaded; 0 for the market's own.</param>
/// <param name="Source">upload, or market: the bars that this market has recorded, which cannot be removed.</param>
/// <param name="Dropped">Rows of the file that were not used: repeated, late or invalid ones.</param>
public sealed record DataSetView(
    string Id, string Name, string Symbol, string TimeFrame, DateTime From, DateTime To, long Count, long Bytes, string Source, DateTime AddedAt, long Dropped)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Description("Journal position that contains the change; in answers of changes only")]
    public long? MinPosition { get; init; }

    public static DataSetView Of(DataSet set) => new(
        set.Id, set.Name, set.Instrument.Symbol, set.TimeFrame.ToString(), set.From, set.To, set.Count, set.Bytes, JobData.IsMarket(set.Id) ? "market" : "upload",
        set.AddedAt, set.Quality.Received - set.Quality.Accepted);
}

/// <summary>Data sets: the market's own first, then the caller's, the latest first.</summary>
public sealed record DataSetPage(ImmutableArray<DataSetView> Items);

/// <summary>A back-test or a search, as it stands.</summary>
/// <param name="Kind">backtest, optimisation or walkForward.</param>
/// <param name="Status">queued, running, finished, failed or cancelled.</param>
/// <param name="Progress">0 to 1.</param>
/// <param name="QueuePosition">1 for the next of the caller's jobs; null when it does not wait.</param>
/// <param name="SecondsLeft">While it runs, as far as one can tell.</param>
/// <param name="Fault">Why it failed.</param>
/// <param name="Attempts">How often it was begun: more than once when processes ended under it.</param>
/// <param name="HasReport">Its report can be read.</param>
/// <param name="Request">What was asked; null in lists and pushes.</param>
/// <param name="Summary">Of a finished run; of a search that of its best trial, run again.</param>
/// <param name="Search">What a finished search came to.</param>
/// <param name="Version">Grows with every change that is recorded.</param>
public sealed record JobView(
    string Id, string Kind, string Name, string Status, double Progress, int? QueuePosition, DateTime CreatedAt, DateTime? StartedAt, DateTime? EndedAt,
    double? SecondsLeft, string? Fault, int Attempts, bool HasReport, object? Request, RunSummaryView? Summary, SearchSummary? Search, long Version)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), Description("Journal position that contains the change; in answers of changes only")]
    public long? MinPosition { get; init; }

    /// <param name="whole">With the request.</param>
    public static JobView Of(Jobs.JobView job, int? queuePosition, bool whole) => new(
        job.Id, Camel(job.Request.Kind), job.Request.Name, Camel(job.Status), job.Progress, job.Status == JobStatus.Queued ? queuePosition : null, job.CreatedAt,
        job.StartedAt, job.EndedAt, job.SecondsLeft, job.Fault, job.Attempts, job.HasReport, whole ? job.Request.Run : null, RunSummaryView.Of(job.Summary), job.Search,
        job.Version);

    private static string Camel<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}

/// <summary>The figures of a finished run. Money is in account currency.</summary>
/// <param name="MaxDrawdownPercent">Of the peak, equity marked at every market event.</param>
/// <param name="ProfitFactor">Null without a loss.</param>
/// <param name="Sharpe">Of daily returns, annualised; null where undefined.</param>
/// <param name="DataPoints">Quotes or bars that it saw.</param>
/// <param name="Seconds">First to last event.</param>
/// <param name="OrderListHash">Equal for runs that traded alike, here and on the command line.</param>
/// <param name="Equity">At most 300 points, each [Unix time in milliseconds, equity].</param>
public sealed record RunSummaryView(
    decimal FinalEquity, decimal NetProfit, double NetProfitPercent, double MaxDrawdownPercent, int Trades, double WinRatePercent, double? ProfitFactor,
    double? Sharpe, decimal Fees, decimal Swap, long DataPoints, double Seconds, string OrderListHash, ImmutableArray<ImmutableArray<decimal>> Equity)
{
    public static RunSummaryView? Of(RunSummary? run) => run is null ? null : new(
        run.FinalEquity, run.NetProfit, run.NetProfitPercent, run.MaxDrawdownPercent, run.Trades, run.WinRatePercent, run.ProfitFactor, run.Sharpe, run.Fees, run.Swap,
        run.DataPoints, run.Seconds, run.OrderListHash,
        [.. run.Equity.Select(point => ImmutableArray.Create((decimal)new DateTimeOffset(point.Time).ToUnixTimeMilliseconds(), point.Equity))]);
}

/// <summary>Jobs, the latest first.</summary>
/// <param name="Next">What to give as <c>cursor</c> for the next page; null when this is the last.</param>
public sealed record JobPage(ImmutableArray<JobView> Items, long? Next);

/// <summary>Trials of a search.</summary>
/// <param name="Next">What to give as <c>cursor</c> for the next page; null when this is the last.</param>
public sealed record TrialPage(ImmutableArray<KeptTrial> Items, long? Next);

/// <summary>What an objective is called, and what it is.</summary>
public sealed record ObjectiveView(string Name, string Description);

/// <summary>How much a user may do.</summary>
/// <param name="MaxUploadBytes">Of one file.</param>
/// <param name="MaxStoredBytes">Of all data sets together.</param>
/// <param name="StoredBytes">Of the caller's now.</param>
/// <param name="MaxWaiting">Jobs that wait.</param>
/// <param name="MaxTrials">Of one search.</param>
/// <param name="MaxWork">Data points by trials (of a walk-forward by windows, too) of one job.</param>
public sealed record JobLimits(
    long MaxUploadBytes, long MaxStoredBytes, long StoredBytes, int MaxDataSets, int MaxWaiting, int MaxTrials, long MaxWork, ImmutableArray<ObjectiveView> Objectives);
