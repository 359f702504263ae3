using System.CommandLine;
using System.Text.Json;
using HybridTrading.Api.Reports;
using HybridTrading.Domain.Performance;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary><c>report</c>: the tear sheet of a replay that is done; <c>compare</c>: several reports on one page.</summary>
public static class ReportCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("run") { Description = "the id of a replay" };
        var options = new ReportOptions("--out", "FILE.html, FILE.json, or a folder for all files; default: ID.html in this folder");
        Option<string?> dataFolder = DataOption.Create();
        var cache = new CacheOptions();
        var command = new Command("report", """
            The tear sheet of a finished replay, from its journal and its data files: every metric, attribution, costs, Monte Carlo, charts.

            Examples:
              report 20261121-101500-3f2a
              report 20261121-101500-3f2a --out reports/monday
              report 20261121-101500-3f2a --out monday.html --title "Cross, second try" --trials 40 --trial-variance 0.3
            """) { id, dataFolder };
        options.AddTo(command);
        foreach (Option option in cache.All) command.Add(option);
        command.Handle(async (parsed, cancellation) =>
        {
            string run = parsed.GetValue(id)!;
            using RunFolder folder = RunFolder.Open(DataOption.Path(parsed.GetValue(dataFolder)), run, exists: true);
            using SeriesCache? open = cache.Open(parsed);
            ReportTarget target = options.Target(parsed) ?? ReportTarget.Of("--out", $"{run}.html");
            (StoredRun stored, var plan, var data) = ReplayCommand.Prepare(folder.Load(), open);
            if (!stored.Finished) throw new UsageException($"run {run} is not finished; go on with it by replay --resume {run}");
            var replay = new Replay(folder, stored, plan, data);
            Tell(target.Write(await replay.AnalyseAsync(options.Read(parsed), cancellation)));
            return 0;
        });
        return command;
    }

    public static Command CreateCompare()
    {
        var files = new Argument<string[]>("reports")
        {
            Description = "two or more files that --report FILE.json wrote",
            Arity = ArgumentArity.ZeroOrMore
        };
        var output = new Option<string?>("--out") { Description = "the page to write, FILE.html" };
        var command = new Command("compare", """
            Several reports on one page: curves, figures side by side, correlations, deflated Sharpe ratio and probability of overfitting of the best.

            Examples:
              backtest eurusd_h1.zip --strategy sma-cross --set fast=10 --report a.json
              backtest eurusd_h1.zip --strategy sma-cross --set fast=20 --report b.json
              compare a.json b.json --out page.html
            """) { files, output };
        command.Handle((parsed, cancellation) =>
        {
            string[] paths = parsed.GetValue(files) ?? [];
            if (paths.Length is < 2 or > Comparison.Most) throw new UsageException($"{paths.Length} reports given; expected 2 to {Comparison.Most}");
            if (parsed.GetValue(output) is not { } page) throw new UsageException("--out is missing; expected FILE.html");
            string target = ReportTarget.Page("--out", page);
            Tell(ReportTarget.Place([(target, Comparison.Render([.. paths.Select(Read)]))]));
            return Task.FromResult(0);
        });
        return command;
    }

    /// <exception cref="UsageException">Not there, or not a report's JSON.</exception>
    private static RunAnalysis Read(string path)
    {
        try
        {
            return ReportFiles.Parse(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path} is no report: expected a file that --report FILE.json wrote: {e.Message}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"{path}: no such file");
        }
    }

    /// <summary>On standard error, so that --json stays one object.</summary>
    public static void Tell(ImmutableArray<string> written)
    {
        foreach (string path in written) Console.Error.WriteLine($"wrote {path}");
    }
}
