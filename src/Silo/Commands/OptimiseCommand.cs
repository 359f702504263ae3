using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Feeds;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

/// <summary>A trial as it is printed.</summary>
/// <param name="Value">Of the objective.</param>
public sealed record TrialReport(int Trial, ImmutableSortedDictionary<string, decimal> Parameters, double? Value, TrialStatistics Statistics);

/// <summary>What a search came to.</summary>
/// <param name="Kept">Trials that keep to the constraints.</param>
/// <param name="DeflatedSharpe">
/// Probability that the best trial's true daily Sharpe ratio is above that of the best of as many trials without skill; null where undefined.
/// </param>
/// <param name="OrderListHash">Of the best trial, run again by <c>backtest</c>.</param>
/// <param name="Seconds">Of this process; trials that were known are not made again.</param>
public sealed record SearchReport(
    string Strategy, string Search, ulong Seed, string Objective, int Trials, int Known, int Kept, double? DeflatedSharpe, string? OrderListHash,
    long DataPoints, double Seconds, ImmutableArray<TrialReport> Best);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SearchReport))]
public sealed partial class SearchReportJson : JsonSerializerContext;

/// <summary><c>optimise</c>: many back-tests over the same data, with other parameters each.</summary>
public static class OptimiseCommand
{
    public static Command Create()
    {
        var options = new SearchOptions();
        var top = new Option<int>("--top") { Description = "how many of the best trials are printed", DefaultValueFactory = _ => 10 };
        var csv = new Option<string?>("--csv") { Description = "write all trials into this file, too" };
        var file = new Option<string?>("--trials") { Description = "keep the finished trials in this file; one of the same search is gone on with" };
        var command = new Command("optimise", """
            Try many settings of a strategy over the same data and rank them. The best of many trials is lucky as well as good: prove it by walkforward.

            Examples:
              optimise gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross --vary fast=5..50/5 --vary slow=20..200/10 --min-trades 50
              optimise gbpusd_h1.zip --symbol GBPUSD --vary fast=1..100 --vary slow=2..500 --search random:2000 --search-seed 7 --objective calmar
              optimise gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --vary fast --vary slow --max-drawdown 20 --csv trials.csv
              optimise gbpusd_h1.zip --symbol GBPUSD --vary fast=1..100 --vary slow=101..200 --trials search.jsonl     (Ctrl+C, and again to go on)
            """) { top, csv, file };
        options.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            int shown = parsed.GetValue(top);
            if (shown is < 0 or > 100_000) throw new UsageException($"--top is {shown}; expected 0 to 100000");
            string? table = parsed.GetValue(csv);
            if (table is not null && Path.GetDirectoryName(Path.GetFullPath(table)) is { } folder && !Directory.Exists(folder)) throw new UsageException($"--csv {table}: there is no such folder");
            using SeriesCache? cache = options.OpenCache(parsed);
            SearchPlan plan = options.Read(parsed, cache);
            bool json = parsed.GetValue(options.Json);
            using TrialFile? kept = parsed.GetValue(file) is { } path ? TrialFile.Open("--trials", path, plan, null, plan.Trials.Length) : null;
            long clock = Stopwatch.GetTimestamp();
            // All cores are busy with trials: a collector beside them would only take turns with them.
            System.Runtime.GCSettings.LatencyMode = System.Runtime.GCLatencyMode.Batch;
            ImmutableArray<Trial> trials = await RunOutput.WithProgress($"{plan.Trials.Length:N0} trials", json, progress => Task.Run(() => Run(plan, kept, progress, cancellation), cancellation));
            double seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            ImmutableArray<Trial> ranked = Search.Rank(trials, plan.Objective, plan.Constraints);
            if (table is not null) WriteCsv(table, plan, trials);
            (double? deflated, string? hash) = ranked.IsEmpty ? default : Judge(plan, ranked[0], trials);
            var report = new SearchReport(plan.Plan.Strategies[0].Key.Split('/')[^1], plan.Random ? "random" : "grid", plan.Seed, plan.Objective.Name, trials.Length, kept?.Known.Count ?? 0,
                ranked.Length, deflated, hash, plan.Data.Sum(series => (long)series.Count), seconds,
                [.. ranked.Take(shown).Select(trial => new TrialReport(trial.Number, trial.Parameters.Values, plan.Objective.Value(trial.Statistics), trial.Statistics))]);
            if (json) Console.Out.WriteLine(JsonSerializer.Serialize(report, SearchReportJson.Default.SearchReport));
            else Print(plan, report);
            return 0;
        });
        return command;
    }

    private static ImmutableArray<Trial> Run(SearchPlan plan, TrialFile? kept, Action<double> progress, CancellationToken cancellation)
    {
        var runner = new TrialRunner(plan.Plan, plan.Data);
        int done = 0, open = Math.Max(1, plan.Trials.Length - (kept?.Known.Count ?? 0));
        ImmutableArray<TrialStatistics> results = Search.Run(plan.Trials, parameters => runner.Run(parameters, cancellation).Statistics, plan.Threads, kept?.Known.ToDictionary(line => line.Key, line => line.Value.Statistics), (trial, statistics) =>
        {
            kept?.Add(new TrialLine(trial, statistics));
            progress((double)++done / open);
        }, cancellation);
        return [.. results.Select((statistics, i) => new Trial(i, plan.Trials[i], statistics))];
    }

    /// <summary>Runs the best trial once more, as a back-test: its figures must be the same, and its order list gets its hash.</summary>
    private static (double? Deflated, string Hash) Judge(SearchPlan plan, Trial best, ImmutableArray<Trial> trials)
    {
        RunPlan run = plan.Plan with { Strategies = [.. plan.Plan.Strategies.Select(strategy => strategy with { Parameters = best.Parameters })] };
        RunReport report = new Backtest(run, new RunSequence(plan.Data, run)).Run();
        if (report.FinalEquity != best.Statistics.FinalEquity || report.ClosedTrades != best.Statistics.ClosedTrades)
        {
            throw new InvalidOperationException($"trial {best.Number} ended at {best.Statistics.FinalEquity}, the back-test of its settings at {report.FinalEquity}");
        }
        TrialOutcome outcome = new TrialRunner(plan.Plan, plan.Data).Run(best.Parameters);
        double[] sharpes = [.. trials.Select(trial => trial.Statistics.SharpeDaily).OfType<double>().Select(sharpe => sharpe / Math.Sqrt(outcome.PeriodsPerYear))];
        return (DeflatedSharpe.Of(outcome.Returns, sharpes, trials.Length), report.OrderListHash);
    }

    private static void Print(SearchPlan plan, SearchReport report)
    {
        static string Text(FormattableString value) => Markup.Escape(value.ToString(CultureInfo.InvariantCulture));
        var table = new Table().Border(TableBorder.Rounded).AddColumns(
            "settings", plan.Objective.Name, "net profit", "drawdown", "trades", "won", "profit factor", "Sharpe (daily)", "Calmar");
        foreach (TrialReport trial in report.Best)
        {
            TrialStatistics each = trial.Statistics;
            table.AddRow(Text($"{plan.Describe(plan.Trials[trial.Trial])}"), Text($"{trial.Value:N4}"), Text($"{each.NetProfit:N2}"), Text($"{each.MaxDrawdown * 100:N2} %"),
                Text($"{each.ClosedTrades:N0}"), Text($"{each.WonTrades:N0}"), Text($"{each.ProfitFactor:N2}"), Text($"{each.SharpeDaily:N2}"), Text($"{each.Calmar:N2}"));
        }
        Tables.Print(table);
        double points = (double)report.DataPoints * (report.Trials - report.Known);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{report.Trials:N0} trials ({report.Search}), {report.Known:N0} of them known, in {report.Seconds:N1} s ({points / Math.Max(report.Seconds, 1e-9):N0} points a second); {report.Kept:N0} keep to the constraints"));
        if (report.OrderListHash is { } hash) Console.Out.WriteLine($"best trial run again as a back-test: same figures, order list {hash}");
        if (report.DeflatedSharpe is { } deflated)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"deflated Sharpe {deflated:0.000}: the probability that the best trial is better than the best of {report.Trials:N0} trials without skill would be"));
        }
    }

    private static void WriteCsv(string path, SearchPlan plan, ImmutableArray<Trial> trials)
    {
        using var writer = new StreamWriter(path);
        writer.WriteLine(string.Join(',', (string[])["trial", .. plan.Space.Dimensions.Select(each => each.Name), "kept", "objective", "finalEquity", "netProfit", "fees", "swap",
            "maxDrawdownPercent", "maxDrawdownMoney", "orders", "closedTrades", "wonTrades", "profitFactor", "expectancy", "holdingDays", "sharpe", "sortino", "sharpeDaily", "sortinoDaily", "calmar"]));
        foreach (Trial trial in trials)
        {
            TrialStatistics each = trial.Statistics;
            object?[] cells = [trial.Number, .. plan.Space.Dimensions.Select(dimension => (object)trial.Parameters[dimension.Name]), plan.Constraints.Broken(each) is null ? 1 : 0, plan.Objective.Value(each),
                each.FinalEquity, each.NetProfit, each.Fees, each.Swap, each.MaxDrawdown * 100, each.MaxDrawdownMoney, each.Orders, each.ClosedTrades, each.WonTrades, each.ProfitFactor,
                each.Expectancy, each.HoldingDays, each.Sharpe, each.Sortino, each.SharpeDaily, each.SortinoDaily, each.Calmar];
            writer.WriteLine(string.Join(',', cells.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture))));
        }
    }
}
