using System.Text.Json.Serialization;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// Everything that can be said of a finished run: figures, tables and series, built from its recorded events and its market data. Money is in the
/// account
/// currency, shares are fractions (0.01 is one percent), losses are negative, times are UTC, null is undefined.
/// </summary>
/// <param name="Schema">"run-analysis v1".</param>
/// <param name="ShuffledTrades">Null for fewer than two trades.</param>
/// <param name="ResampledTrades">Null for fewer than two trades.</param>
/// <param name="Bootstrap">Null for fewer than two days.</param>
/// <param name="Drawdowns">The ten deepest falls of the daily equity, the deepest first.</param>
/// <param name="Prices">Closes of each instrument, at most some thousand.</param>
/// <param name="Curve">Equity at market events, at most some thousand.</param>
public sealed record RunAnalysis(
    string Schema, RunDescription Run, AnalysisConvention Convention, EquitySummary Equity, ReturnMetrics Returns, BenchmarkMetrics Benchmark,
    TradeMetrics Trades, TradeMetrics Long, TradeMetrics Short, ActivityMetrics Activity, CostBreakdown Costs, AttributionTables Attribution,
    ImmutableArray<PeriodReturn> Years, ImmutableArray<PeriodReturn> Months, ImmutableArray<DatedDrawdown> Drawdowns,
    MonteCarloResult? ShuffledTrades, MonteCarloResult? ResampledTrades, MonteCarloResult? Bootstrap,
    ImmutableArray<DayPoint> Daily, ImmutableArray<EquityMark> Curve, ImmutableArray<PriceLine> Prices, ImmutableArray<RunTrade> TradeList)
{
    public const string CurrentSchema = "run-analysis v1";

    /// <summary>The equity at every market event, or at every 2nd, 4th, ... of a long run; not part of the JSON.</summary>
    [JsonIgnore]
    public ImmutableArray<EquityMark> Marks { get; init; } = [];
}

/// <summary>Which run it was.</summary>
/// <param name="Title">What a reader calls it.</param>
/// <param name="Strategies">Each as "name symbol frame parameter=value ...", a rule with its text.</param>
public sealed record RunDescription(
    string Title, string Mode, string? RunId, DateTime From, DateTime To, string Currency, ImmutableArray<string> Accounts,
        ImmutableArray<string> Strategies,
    ImmutableArray<string> Symbols, long DataPoints, string OrderListHash);

/// <summary>How the figures were made.</summary>
/// <param name="PeriodsPerYear">Of the returns, for annualising.</param>
/// <param name="RiskFreeRate">A year.</param>
/// <param name="Years">Calendar length of the run in years of 365.25 days, for CAGR and turnover.</param>
/// <param name="Period">What a return covers.</param>
/// <param name="Benchmark">What the benchmark is.</param>
/// <param name="Trials">Variants tried, for the deflated Sharpe ratio.</param>
/// <param name="TrialVariance">Of their annualised Sharpe ratios.</param>
/// <param name="RollingWindow">Returns in a rolling figure.</param>
public sealed record AnalysisConvention(
    double PeriodsPerYear, double RiskFreeRate, double Years, string Period, string Benchmark, int Trials, double TrialVariance, int RollingWindow);

/// <summary>The equity of all accounts together.</summary>
/// <param name="Net">Profit: end less start, less what was paid in since.</param>
/// <param name="MaxDrawdown">Largest fall as a share of the peak, below 0, equity marked at every market event: deeper than that of daily
/// returns.</param>
public sealed record EquitySummary(
    decimal Start, decimal End, decimal Net, decimal Highest, DateTime HighestAt, decimal Lowest, DateTime LowestAt, double MaxDrawdown);

/// <summary>What the run did in the market.</summary>
/// <param name="TimeInMarket">Share of the market events at which something was held.</param>
/// <param name="LongShare">Share at which the net exposure was above 0.</param>
/// <param name="ShortShare">Share at which it was below 0.</param>
/// <param name="AverageGrossExposure">Mean over the market events of the notional of all positions / equity: the average leverage.</param>
/// <param name="MaxGrossExposure">Highest leverage.</param>
/// <param name="AverageNetExposure">Mean of long less short notional / equity.</param>
/// <param name="TradedNotional">Of all fills.</param>
/// <param name="AnnualTurnover">Traded notional / mean daily equity / years, both sides counted.</param>
/// <param name="DailyTurnover">Traded notional / mean daily equity / days.</param>
/// <param name="TradesPerYear">Closed trades / years.</param>
/// <param name="ExpiredOrders">Orders that ended by their time.</param>
/// <param name="Denied">Orders that risk refused, by reason.</param>
/// <param name="OpenTrades">Trades not closed at the end; their result is in the equity and not in the trades.</param>
public sealed record ActivityMetrics(
    double? TimeInMarket, double? LongShare, double? ShortShare, double? AverageGrossExposure, double? MaxGrossExposure, double? AverageNetExposure,
    decimal TradedNotional, double? AnnualTurnover, double? DailyTurnover, double? TradesPerYear, int Orders, int Fills, int ExpiredOrders,
        int DeniedOrders,
    ImmutableSortedDictionary<Reason, int> Denied, int OpenTrades, int Days, int WinningDays, int LosingDays, int FlatDays, DayFigure? BestDay,
        DayFigure? WorstDay,
    int Months, int WinningMonths);

public sealed record DayFigure(DateOnly Date, double Return);

/// <summary>The closed trades taken apart; each table adds up to all of them. Hour, weekday and regime are those of the entry, months of the
/// exit.</summary>
/// <param name="Regime">
/// By the volatility of the benchmark over the 20 days before the entry's day: terciles of the run itself, so they describe and do not predict.
/// </param>
public sealed record AttributionTables(
    ImmutableArray<Contribution> Symbol, ImmutableArray<Contribution> Strategy, ImmutableArray<Contribution> Account,
        ImmutableArray<Contribution> Side,
    ImmutableArray<Contribution> Hour, ImmutableArray<Contribution> Weekday, ImmutableArray<Contribution> Month, ImmutableArray<Contribution> Regime);

/// <summary>Compounded return of a calendar month or (<see cref="Month"/> null) year.</summary>
public sealed record PeriodReturn(int Year, int? Month, double Return, double Benchmark);

/// <summary>A fall of the daily equity.</summary>
/// <param name="Peak">The last day at the peak; for a fall from the start the day before the first.</param>
/// <param name="Recovered">Null while it lasts.</param>
public sealed record DatedDrawdown(DateOnly Peak, DateOnly Trough, DateOnly? Recovered, double Depth, int Days);

/// <summary>The end of a trading day.</summary>
/// <param name="Equity">At the day's last market event.</param>
/// <param name="Drawdown">Below the highest daily equity so far.</param>
/// <param name="RollingSharpe">Annualised, over the window that ends here; null before it is full.</param>
/// <param name="RollingBeta">Against the benchmark.</param>
public sealed record DayPoint(
    DateOnly Date, decimal Equity, double Return, double BenchmarkReturn, double Drawdown, double? RollingSharpe, double? RollingBeta);

/// <summary>The equity at a market event.</summary>
/// <param name="Gross">Notional of all positions, account currency.</param>
/// <param name="Net">Long less short.</param>
public readonly record struct EquityMark(DateTime Time, decimal Equity, decimal Gross, decimal Net);

/// <summary>Prices of an instrument along the run.</summary>
public sealed record PriceLine(string Symbol, int Digits, ImmutableArray<PricePoint> Points);

public readonly record struct PricePoint(DateTime Time, decimal Close);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = false, UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunAnalysis))]
public sealed partial class RunAnalysisJson : JsonSerializerContext;
