using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Silo;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>Back-test over 2.5 million ticks without an order.</summary>
internal sealed class BacktestTicks() : Workload("backtest-ticks")
{
    private const int Points = 2_500_000;
    private const string Lean = "LEAN 297 k points/s (259 k wall)";

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        MarketSeries ticks = Repeated(context.Ticks, Points);
        // Bounds that no RSI reaches: bars are built, the feature is updated and the strategy asked at each, but nothing is ever wanted.
        RunRequest request = new() { Strategies = ["rsi-reversion"], Set = ["lower=1", "upper=99"], TimeFrame = TimeFrame.M1, Accounts = ["main"], Cash = 100_000 };
        RunReport last = null!;
        Sample speed = Sample.Measure(context.Runs, () =>
        {
            last = InProcess(request, ticks);
            return last.DataPoints / last.Seconds;
        });
        if (last.Orders != 0) throw new InvalidOperationException($"a run that was to make no order made {last.Orders}");
        add(new Row(Name, "back-test, ticks, no orders", "points/s", speed, 3e6, 10e6, Lean,
            $"{last.DataPoints:N0} points, M1 bars and one strategy; first to last event, data decoded"));

        string file = Path.Combine(context.WorkFolder, "eurusd_ticks.csv");
        WriteCsv(file, ticks);
        Task<Sample> WallAsync(params string[] cached) => Sample.MeasureAsync(context.Runs, async () =>
        {
            using JsonDocument report = await Process.BacktestAsync(
                [file, "--symbol", "EURUSD", "--timeframe", "M1", "--strategy", "rsi-reversion", "--set", "lower=1", "--set", "upper=99", .. cached], cancellation);
            return ticks.Count / report.RootElement.GetProperty("wallSeconds").GetDouble();
        });
        string text = $"{new FileInfo(file).Length / 1e6:0} MB of text";
        add(new Row(Name, "the same on wall: a process of its own that reads a CSV", "points/s", await WallAsync("--no-cache"), Peers: Lean, Note: text));
        add(new Row(Name, "the same on wall: the CSV was parsed before", "points/s", await WallAsync("--cache", context.NewFolder("cache")), Peers: Lean, Note: $"{text}, hashed and taken from the cache"));
        File.Delete(file);
    }

    internal static RunReport InProcess(RunRequest request, MarketSeries data)
    {
        RunPlan plan = request.Plan([data], "benchmark");
        return new Backtest(plan, new RunSequence([data], plan)).Run();
    }

    /// <summary>The same days again and again, each copy whole weeks later, so that sessions stay where they are.</summary>
    internal static MarketSeries Repeated(MarketSeries series, int count)
    {
        ReadOnlySpan<Quote> once = series.Quotes.Span;
        TimeSpan shift = TimeSpan.FromDays(7 * Math.Ceiling(((once[^1].Time - once[0].Time).TotalDays + 1) / 7));
        var quotes = new Quote[count];
        for (int i = 0; i < count; i++) quotes[i] = once[i % once.Length] with { Time = once[i % once.Length].Time + i / once.Length * shift };
        return MarketSeries.OfQuotes(series.Instrument, quotes);
    }

    internal static void WriteCsv(string file, MarketSeries ticks)
    {
        using var writer = new StreamWriter(file);
        writer.WriteLine("time,bid,ask");
        Instrument instrument = ticks.Instrument;
        foreach (Quote quote in ticks.Quotes.Span)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{quote.Time:yyyy-MM-ddTHH:mm:ss.fffZ},{instrument.ToPrice(quote.Bid)},{instrument.ToPrice(quote.Ask)}"));
        }
    }
}

/// <summary>What a back-test takes of memory as its data grow.</summary>
internal sealed class BacktestMemory() : Workload("backtest-memory")
{
    private const int Points = 300_000;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        string cache = context.NewFolder("cache");
        (List<Peak> First, List<Peak> Again) small = await MeasureAsync(Points), large = await MeasureAsync(10 * Points);
        Add("parsing it", small.First, large.First);
        Add("parsed before", small.Again, large.Again);

        async Task<(List<Peak> First, List<Peak> Again)> MeasureAsync(int points)
        {
            string file = Path.Combine(context.WorkFolder, $"eurusd_{points}.csv");
            BacktestTicks.WriteCsv(file, BacktestTicks.Repeated(context.Ticks, points));
            // A strategy that trades, so that orders and their records are there, too.
            string[] arguments = ["backtest", file, "--symbol", "EURUSD", "--timeframe", "H1", "--strategy", "sma-cross", "--json", "--cache", cache];
            List<Peak> first = [], again = [];
            for (int run = 0; run < context.Runs; run++)
            {
                foreach (string parsed in Directory.GetFiles(cache)) File.Delete(parsed);
                first.Add(await Process.PeakAsync(arguments, cancellation));
                again.Add(await Process.PeakAsync(arguments, cancellation));
            }
            File.Delete(file);
            return (first, again);
        }

        void Add(string what, List<Peak> few, List<Peak> many)
        {
            static double Median(List<Peak> runs, Func<Peak, long> of) => Sample.Of([.. runs.Select(run => of(run) / 1e6)]).Median;
            foreach ((string name, Func<Peak, long> of) in (ReadOnlySpan<(string, Func<Peak, long>)>)[("working set", peak => peak.WorkingSet), ("private bytes", peak => peak.Private)])
            {
                double least = Median(few, of);
                add(new Row(Name, $"memory of a back-test, 10 times the data, {what}: peak {name}", "x", Sample.Of([.. many.Select(run => of(run) / 1e6 / least)]), 1.25, 1.1,
                    Note: FormattableString.Invariant($"{least:0} MB at {Points:N0} ticks, {Median(many, of):0} MB at {10 * Points:N0}; a process of its own")));
            }
        }
    }
}

/// <summary>Rule R1: the moving average cross on 57,600 hours, with its orders.</summary>
internal sealed class BacktestBars() : Workload("backtest-bars")
{
    private const string Peers = "LEAN 199 k points/s (seconds), backtesting.py 91 k, backtrader 9.5 k bars/s";

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        RunRequest request = new()
        {
            Strategies = ["sma-cross"],
            Set = ["fast=20", "slow=50", "units=10000"],
            Accounts = ["main"],
            Cash = 100_000,
            Execution = new ExecutionModel(CommissionRate: 0.00002m),
        };
        RunReport last = null!;
        Sample speed = Sample.Measure(context.Runs, () =>
        {
            // Several passes a run: one is too short to be timed well.
            double seconds = 0;
            const int passes = 10;
            for (int i = 0; i < passes; i++)
            {
                last = BacktestTicks.InProcess(request, context.Hours);
                seconds += last.Seconds;
            }
            return passes * last.DataPoints / seconds;
        });
        add(new Row(Name, "back-test, SMA cross on bars, warm", "bars/s", speed, 2e6, 6e6, Peers,
            $"rule R1: {last.DataPoints:N0} bars, {last.Orders:N0} orders, equity {last.FinalEquity}"));

        CompareRule(context, add, request, last);

        if (context.HourFile is not { } file)
        {
            add(new Row(Name, "the same on wall: a process of its own that reads the zip", "bars/s", null, Peers: Peers, Note: "skipped: needs the file, the series is generated"));
            return;
        }
        Sample wall = await Sample.MeasureAsync(context.Runs, async () =>
        {
            using JsonDocument report = await Process.BacktestAsync(
                [file, "--symbol", "GBPUSD", "--timeframe", "H1", "--strategy", "sma-cross", "--set", "units=10000", "--limits", "none", "--stop-out", "none",
                    "--commission-rate", "0.00002", "--spread", "0", "--no-cache"], cancellation);
            return report.RootElement.GetProperty("dataPoints").GetInt64() / report.RootElement.GetProperty("wallSeconds").GetDouble();
        });
        add(new Row(Name, "the same on wall: a process of its own that reads the zip", "bars/s", wall, Peers: Peers, Note: "start-up of the runtime is most of it"));
    }

    /// <summary>The time of the strategy as a rule by that of the same in code, pass by pass in one process, so that what else the machine does hits both.</summary>
    private void CompareRule(BenchmarkContext context, Action<Row> add, RunRequest code, RunReport expected)
    {
        // Named as the strategy in code is, for the order lists to be equal.
        const string text = """
            param fast = 20 from 1 to 1000; param slow = 50 from 2 to 5000; require fast < slow;
            enter long when crosses_above(sma(fast), sma(slow)); enter short when crosses_below(sma(fast), sma(slow));
            """;
        RunRequest rule = code with { Strategies = [], Rules = [new NamedRule("sma-cross", text)] };
        RunReport ruled = null!;
        Sample ratio = Sample.Measure(context.Runs, () =>
        {
            List<double> ratios = [];
            for (int pass = 0; pass < 21; pass++)
            {
                // Each goes first in turn.
                RunReport first = BacktestTicks.InProcess(pass % 2 == 0 ? code : rule, context.Hours);
                RunReport second = BacktestTicks.InProcess(pass % 2 == 0 ? rule : code, context.Hours);
                (RunReport coded, ruled) = pass % 2 == 0 ? (first, second) : (second, first);
                ratios.Add(ruled.Seconds / coded.Seconds);
            }
            return Sample.Of(ratios).Median;
        });
        if (ruled.OrderListHash != expected.OrderListHash) throw new InvalidOperationException("the rule made other orders than the strategy in code");
        add(new Row(Name, "SMA cross as a rule, by the time of the strategy in code", "x", ratio, 1.5, 1.1, Note: "same bars, same orders, hashes equal; medians of 21 passes"));
    }
}
