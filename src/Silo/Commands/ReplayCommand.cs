using System.CommandLine;
using System.Globalization;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Silo.Runs;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary><c>replay</c>: past data through the grains, the journal and the paper venue, as live, in a folder and tenant of its own.</summary>
public static class ReplayCommand
{
    public static Command Create()
    {
        var options = new RunOptions();
        var speed = new Option<string>("--speed") { Description = "max, or times real time: 1, 60, 3600", DefaultValueFactory = _ => "max" };
        var resume = new Option<string?>("--resume") { Description = "go on with the run of this id, from where it was cut off" };
        Option<string?> dataFolder = DataOption.Create();
        var reporting = new ReportOptions("--report", "write a report, too: FILE.html, FILE.json, or a folder for all files");
        var command = new Command("replay", """
            Play past data through the grains, exactly as live, into a journal of its own. The same options make the same orders as backtest.

            Examples:
              replay gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross --set fast=20 --set slow=50 --set units=10000
              replay gbpusd_h1.zip --symbol GBPUSD --rule trend.rule --set fast=10
              replay data/forex/oanda/tick/eurusd --timeframe M1 --speed 60
              replay --resume 20261121-101500-3f2a
              replay gbpusd_h1.zip --symbol GBPUSD --report tearsheet.html
            """) { speed, resume, dataFolder };
        options.AddTo(command);
        reporting.AddTo(command);
        command.Handle(async (parsed, cancellation) =>
        {
            bool json = parsed.GetValue(options.Json);
            double? times = Speed(parsed.GetValue(speed)!);
            string root = DataOption.Path(parsed.GetValue(dataFolder));
            ReportTarget? target = reporting.Target(parsed);
            AnalysisOptions analysis = reporting.Read(parsed);
            string? resumed = parsed.GetValue(resume);
            string id = resumed ?? NewId();
            // A new run that is refused leaves no folder behind; one to go on with is read under its lock.
            using SeriesCache? cache = options.OpenCache(parsed);
            Prepared? fresh = resumed is null ? Prepare(new StoredRun(id, options.Read(parsed), [], false, 0), cache) : null;
            using RunFolder folder = RunFolder.Open(root, id, resumed is not null);
            (StoredRun run, RunPlan plan, ImmutableArray<MarketSeries> data) = fresh ?? Prepare(folder.Load(), cache);
            var replay = new Replay(folder, run, plan, data);
            folder.Save(run);
            if (!json || Console.IsErrorRedirected)
            {
                string where = parsed.GetValue(dataFolder) is { } named ? $" --data {named}" : "";
                Console.Error.WriteLine($"run {id} in {System.IO.Path.Combine(root, "runs", id)}; if it is cut off: replay --resume {id}{where}");
            }
            RunReport report = run.Finished
                ? await replay.ReportAsync(cancellation)
                : await RunOutput.WithProgress("replay", json, progress => replay.RunAsync(times, progress, cancellation));
            if (target is not null) ReportCommand.Tell(target.Write(await replay.AnalyseAsync(analysis, cancellation)));
            RunOutput.Print(report, json);
            return 0;
        });
        return command;
    }

    internal sealed record Prepared(StoredRun Run, RunPlan Plan, ImmutableArray<MarketSeries> Data);

    internal static Prepared Prepare(StoredRun run, SeriesCache? cache)
    {
        ImmutableArray<MarketSeries> data = run.Request.Load(cache);
        ImmutableArray<SourceFile> sources = [.. data.SelectMany(series => series.Sources)];
        if (run.Sources.IsEmpty) run = run with { Sources = sources };
        foreach ((SourceFile then, SourceFile now) in run.Sources.Zip(sources))
        {
            if (then.Sha256 != now.Sha256) throw new UsageException($"{now.Path} has changed since run {run.Id} began; a run goes on with the same data only");
        }
        if (run.Sources.Length != sources.Length) throw new UsageException($"run {run.Id} began with {run.Sources.Length} files, now there are {sources.Length}");
        return new Prepared(run, run.Request.Plan(data, $"run-{run.Id.ToLowerInvariant()}"), data);
    }

    private static double? Speed(string text) => text == "max" ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double times) && times is > 0 and <= 1_000_000 ? times
        : throw new UsageException($"--speed is '{text}'; expected max or a number of times real time, up to 1000000");

    private static string NewId() => $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Guid.NewGuid().ToString("N")[..4]}";
}
