using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Optimisation;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Feeds;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WalkForwardResult))]
public sealed partial class WalkForwardJson : JsonSerializerContext;

/// <summary><c>walkforward</c>: search in a window, trade the next one, again and again; then a verdict.</summary>
public static class WalkForwardCommand
{
    public static Command Create()
    {
        var options = new SearchOptions();
        var windows = new Option<int>("--windows") { Description = "out-of-sample windows, one after the other to the end of the data", DefaultValueFactory = _ => 10 };
        var ratio = new Option<double>("--ratio") { Description = "length of the (first) in-sample window by that of an out-of-sample window", DefaultValueFactory = _ => 3 };
        var anchored = new Option<bool>("--anchored") { Description = "every in-sample window begins with the data; default: it rolls" };
        var warmUp = new Option<int?>("--warmup") { Description = "bars before a window that at least warm the features up; default: four times what the slowest trial needs" };
        var bootstrap = new Option<ulong>("--bootstrap-seed") { Description = "of the test on the out-of-sample days", DefaultValueFactory = _ => 1 };
        var file = new Option<string?>("--trials") { Description = "keep the finished trials in this file; one of the same walk-forward is gone on with" };
        var command = new Command("walkforward", """
            Search in a window, trade the best settings in the next one, again and again; then say with evidence whether an edge is shown.

            Examples:
              walkforward gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross --vary fast=5..50/5 --vary slow=60..200/20
              walkforward gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --vary fast --vary slow --windows 12 --ratio 4 --anchored --json
              walkforward gbpusd_h1.zip --symbol GBPUSD --vary fast=1..100 --vary slow=101..200 --trials walk.jsonl     (Ctrl+C, and again to go on)
            """) { windows, ratio, anchored, warmUp, bootstrap, file };
        options.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            var cut = new WalkForwardOptions(parsed.GetValue(windows), parsed.GetValue(ratio), parsed.GetValue(anchored), parsed.GetValue(warmUp), parsed.GetValue(bootstrap));
            if (cut.Fault() is { } fault) throw new UsageException($"--{fault.Replace("warm-up", "warmup", StringComparison.Ordinal)}");
            using SeriesCache? cache = options.OpenCache(parsed);
            SearchPlan plan = options.Read(parsed, cache);
            bool json = parsed.GetValue(options.Json);
            System.Runtime.GCSettings.LatencyMode = System.Runtime.GCLatencyMode.Batch;
            var walk = new WalkForward(plan.Plan, plan.Data, plan.Space, plan.Trials, plan.Objective, plan.Constraints, cut);
            using TrialFile? kept = parsed.GetValue(file) is { } path ? TrialFile.Open("--trials", path, plan, cut, walk.Runs) : null;
            WalkForwardResult result = await RunOutput.WithProgress($"{plan.Trials.Length:N0} trials, {cut.Windows} windows", json,
                progress => Task.Run(() => Run(walk, kept, plan.Threads, progress, cancellation), cancellation));
            if (json) Console.Out.WriteLine(JsonSerializer.Serialize(result, WalkForwardJson.Default.WalkForwardResult));
            else Print(plan, result);
            return 0;
        });
        return command;
    }

    private static WalkForwardResult Run(WalkForward walk, TrialFile? kept, int threads, Action<double> progress, CancellationToken cancellation)
    {
        if (kept is null) return walk.Run(threads, progress, cancellation);
        Dictionary<int, WalkForwardRun> known = kept.Known.ToDictionary(line => line.Key,
            line => new WalkForwardRun(line.Value.Statistics, line.Value.Returns is { } days ? MemoryMarshal.Cast<byte, double>(days).ToArray() : null));
        return walk.Run(threads, progress, cancellation, known, (trial, run) =>
            kept.Add(new TrialLine(trial, run.Statistics, run.Returns is { } days ? MemoryMarshal.AsBytes<double>(days).ToArray() : null)));
    }

    private static void Print(SearchPlan plan, WalkForwardResult result)
    {
        static string Text(FormattableString value) => Markup.Escape(value.ToString(CultureInfo.InvariantCulture));
        static void Line(FormattableString value) => Console.Out.WriteLine(value.ToString(CultureInfo.InvariantCulture));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("window", "in sample from", "out of sample", "settings", "Sharpe in", "Sharpe out", "net profit out", "trades out");
        foreach (WalkForwardWindow each in result.Windows)
        {
            table.AddRow(Text($"{each.Number}"), Text($"{each.InFrom:yyyy-MM-dd}"), Text($"{each.OutFrom:yyyy-MM-dd} to {each.OutTo:yyyy-MM-dd}"),
                each.Trial is { } trial ? Text($"{plan.Describe(plan.Trials[trial])}") : "none keeps to the constraints: flat",
                Text($"{each.InSample?.SharpeDaily:N2}"), Text($"{each.OutOfSample?.SharpeDaily:N2}"), Text($"{each.OutOfSample?.NetProfit:N2}"), Text($"{each.OutOfSample?.ClosedTrades}"));
        }
        Tables.Print(table);
        double total = result.Stitched.IsEmpty ? 0 : result.Stitched[^1].Equity - 1;
        Line($"out of sample, stitched: {total * 100:N2} % in {result.Stitched.Length:N0} days, Sharpe {result.OutSharpe:N2} (in sample {result.InSharpe:N2}, retained {result.Retained * 100:N0} %)");
        foreach (ParameterStability each in result.Stability)
        {
            Line($"{each.Name}: {each.Distinct} values chosen, mean move {each.MeanMove * 100:N0} % of its range: {string.Join(" ", each.Chosen.Select(value => value.ToString("0.####", CultureInfo.InvariantCulture)))}");
        }
        if (result.Neighbourhood is { } neighbours) Line($"neighbours of the best settings keep {neighbours * 100:N0} % of their Sharpe ratio");
        foreach (HeatMap map in result.HeatMaps.Where(map => map.XValues.Length <= 16 && map.YValues.Length <= 40)) Print(plan, map);
        Console.Out.WriteLine();
        Line($"{result.Verdict.Text}");
        foreach (WalkForwardEvidence each in result.Verdict.Evidence) Line($"  [{each.Passed switch { true => "pass", false => "FAIL", null => "    " }}] {each.Text}");
    }

    private static void Print(SearchPlan plan, HeatMap map)
    {
        double[] all = [.. map.Values.SelectMany(row => row).OfType<double>()];
        if (all.Length == 0) return;
        double least = all.Min(), most = all.Max();
        Table table = new Table().Border(TableBorder.Rounded).AddColumn(Markup.Escape($"{map.Y} \\ {map.X}"));
        foreach (decimal x in map.XValues) table.AddColumn(new TableColumn(x.ToString("0.####", CultureInfo.InvariantCulture)).RightAligned());
        for (int y = 0; y < map.YValues.Length; y++)
        {
            table.AddRow([map.YValues[y].ToString("0.####", CultureInfo.InvariantCulture), .. map.Values[y].Select(value =>
            {
                if (value is not { } number) return "";
                if (Console.IsOutputRedirected) return number.ToString("0.00", CultureInfo.InvariantCulture);
                int green = most > least ? (int)((number - least) / (most - least) * 160) : 80;
                return $"[rgb({160 - green},{green},40)]{number.ToString("0.00", CultureInfo.InvariantCulture)}[/]";
            })]);
        }
        Console.Out.WriteLine($"{plan.Objective.Name} on all data:");
        Tables.Print(table);
    }
}
