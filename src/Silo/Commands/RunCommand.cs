using System.CommandLine;
using System.CommandLine.Parsing;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Market;
using HybridTrading.Silo.Hosting;
using HybridTrading.Storage.MarketLog;

namespace HybridTrading.Silo.Commands;

/// <summary><c>run</c>, and no command at all: the live system.</summary>
public static class RunCommand
{
    private static readonly Option<string?> Data = DataOption.Create();
    private static readonly PlanOptions Plan = new();
    private static readonly Option<ulong> Seed = new("--seed") { Description = "of the simulated market", DefaultValueFactory = _ => 20260101 };
    private static readonly Option<double> Ticks = new("--ticks-per-second") { Description = "mean quotes a second of each simulated instrument, up to 1000", DefaultValueFactory = _ => 2 };
    private static readonly Option<string[]> Market = new("--market") { Description = "files of past data to be played as the live market, in place of the simulated one; may be repeated; the same for every process of a cluster" };
    private static readonly Option<double?> Speed = new("--market-speed") { Description = "times real time at which past data are played; default: as fast as the system goes" };
    private static readonly Option<bool> Play = new("--market-play") { Description = "past data begin at once; default: they wait for Play on the page, or PUT /api/v1/feed" };
    private static readonly DataOptions MarketData = new();
    private static readonly CacheOptions Cache = new();
    private static readonly Option<int> LogDays = new("--market-log-days") { Description = "how long market data is kept", DefaultValueFactory = _ => 30 };
    private static readonly Option<long> LogQuota = new("--market-log-quota") { Description = "megabytes that market data may take; the oldest goes first", DefaultValueFactory = _ => 4096 };

    private static readonly Option<int> Jobs = new("--jobs") { Description = "back-tests and searches of one user that may wait", DefaultValueFactory = _ => new BacktestingOptions().MaxWaiting };
    private static readonly Option<int?> JobThreads = new("--job-threads") { Description = "threads that back-tests and searches of this process take; default: as many as there are cores" };
    private static readonly Option<long> Upload = new("--upload") { Description = "megabytes of one uploaded file of past data", DefaultValueFactory = _ => new BacktestingOptions().MaxUploadBytes >> 20 };
    private static readonly Option<long> Stored = new("--upload-quota") { Description = "megabytes of all that one user has uploaded", DefaultValueFactory = _ => new BacktestingOptions().MaxStoredBytes >> 20 };

    private static readonly Option<bool> NoDemo = new("--no-demo")
    {
        Description = "leave out what a first start makes in a new data folder: the account demo and two strategies on the simulated market "
            + "(also: environment variable Demo=false)",
    };

    private static readonly Option<LogFormat?> Log = new("--log-format")
    {
        Description = "how log lines are written: console for people, json for machines (also: environment variable Logging__Format)",
    };

    private static readonly GatewayOptions Gateway = new();

    private static readonly ClusterOptions Cluster = new();

    private static readonly Option[] All = [Data, .. Plan.All, Seed, Ticks, Market, Speed, Play, .. MarketData.All, .. Cache.All, LogDays, LogQuota, Jobs, JobThreads, Upload, Stored, NoDemo, Log, .. Gateway.All, .. Cluster.All];

    public static Command Create()
    {
        var command = new Command("run", """
            Run the system (what happens without a command, too).

            Examples:
              run
              run --data /srv/hybrid --port-offset 100
              run --data /srv/hybrid --no-demo
              run --port-map deltran
              run --listen 0.0.0.0 --public-host trade.example.com --cert fullchain.pem --cert-key privkey.pem
              run --public-host trade.example.com --behind-proxy 127.0.0.1
              run --log-format json
              run --data /srv/practice --market EURUSD_H1_202001020000_202412312300.csv --market-speed 3600
            """);
        foreach (Option option in All) command.Add(option);
        command.Handle(RunAsync);
        return command;
    }

    /// <summary>The same without the word: <c>dotnet run --project src/Silo</c>.</summary>
    public static void MakeDefault(RootCommand root)
    {
        foreach (Option option in All) root.Add(option);
        root.Handle(RunAsync);
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        double ticks = parsed.GetValue(Ticks);
        if (ticks is not (> 0 and <= 1000)) throw new UsageException($"--ticks-per-second is {ticks}; expected more than 0, at most 1000");
        if (parsed.GetValue(LogDays) is < 1 or > 36500) throw new UsageException($"--market-log-days is {parsed.GetValue(LogDays)}; expected 1 to 36500");
        if (parsed.GetValue(LogQuota) is < 64 or > 1 << 30) throw new UsageException($"--market-log-quota is {parsed.GetValue(LogQuota)}; expected 64 to {1 << 30} megabytes");
        if (parsed.GetValue(Speed) is { } speed && speed is not (>= RecordedFeedOptions.Slowest and <= RecordedFeedOptions.Fastest))
        {
            throw new UsageException($"--market-speed is {speed}; expected {RecordedFeedOptions.Slowest} to {RecordedFeedOptions.Fastest}");
        }
        return LiveHost.RunAsync(new LiveOptions(
            DataOption.Path(parsed.GetValue(Data)), Plan.Read(parsed), Feed(parsed, ticks),
            new MarketLogOptions { MaxAge = TimeSpan.FromDays(parsed.GetValue(LogDays)), QuotaBytes = parsed.GetValue(LogQuota) << 20 },
            Limits(parsed), !parsed.GetValue(NoDemo), Cluster.Read(parsed), Gateway.Read(parsed), parsed.GetValue(Log)), cancellation);
    }

    private static BacktestingOptions Limits(ParseResult parsed)
    {
        int waiting = parsed.GetValue(Jobs), threads = parsed.GetValue(JobThreads) ?? Environment.ProcessorCount;
        long upload = parsed.GetValue(Upload), stored = parsed.GetValue(Stored);
        if (waiting is < 1 or > 10_000) throw new UsageException($"--jobs is {waiting}; expected 1 to 10000");
        if (threads is < 1 or > 1024) throw new UsageException($"--job-threads is {threads}; expected 1 to 1024");
        if (upload is < 1 or > 2000) throw new UsageException($"--upload is {upload}; expected 1 to 2000 megabytes");
        if (stored is < 1 or > 1 << 20) throw new UsageException($"--upload-quota is {stored}; expected 1 to {1 << 20} megabytes");
        return new BacktestingOptions { MaxWaiting = waiting, Threads = threads, MaxUploadBytes = upload << 20, MaxStoredBytes = stored << 20 };
    }

    private static LiveFeedOptions Feed(ParseResult parsed, double ticks)
    {
        if (parsed.GetValue(Market) is { Length: > 0 } files)
        {
            Option[] simulation = [Seed, Ticks];
            if (simulation.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
            {
                throw new UsageException($"{other.Name} is of the simulated market, --market plays past data; expected one of the two");
            }
            // Never disposed: a feed that outlives the host's patience may still be reading when the process ends.
            return new RecordedFeedOptions(MarketData.Read(parsed, files).Load(Cache.Open(parsed)), parsed.GetValue(Play), parsed.GetValue(Speed));
        }
        Option[] playback = [Speed, Play, .. MarketData.All];
        if (playback.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } alone)
        {
            throw new UsageException($"{alone.Name} is of past data; expected --market FILE with it");
        }
        return new SimulatedFeedOptions(parsed.GetValue(Seed), new SimulationOptions(ticks));
    }
}
