using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>
/// Many callers read the quote of one symbol while its market takes a thousand quotes a second: at the market grain, and at its replica. What counts is
/// the reads and what they do to the quotes.
/// </summary>
internal sealed class HotReads() : Workload("hot-reads")
{
    private const int Callers = 64, QuotesPerSecond = 1000;
    private const string Symbol = "EURUSD";

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(2);

    private long _next;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        await using GrainHost host = await GrainHost.StartAsync(context.NewFolder(Name));
        using Principal.Scope principal = Principal.OfHost();
        IMarketGrain market = host.Grains.GetGrain<IMarketGrain>(Symbol);
        IMarketReplicaGrain replica = host.Grains.GetGrain<IMarketReplicaGrain>(Symbol);
        await market.EnsureFrame(TimeFrame.M1);
        await MeasureAsync("at the market grain", () => market.GetView());
        await MeasureAsync("at its replica", () => replica.GetView());

        async Task MeasureAsync(string where, Func<Task<MarketView>> read)
        {
            List<double> slowest = [], behind = [];
            Sample rate = await Sample.MeasureAsync(context.Runs, async () =>
            {
                (double reads, double p99, double age) = await OnceAsync(market, read);
                slowest.Add(p99);
                behind.Add(age);
                return reads;
            });
            add(new Row(Name, $"reads of one quote by {Callers} callers {where}, {QuotesPerSecond:N0} quotes/s", "reads/s", rate, Note: FormattableString.Invariant(
                $"a quote is taken in {Sample.Of(slowest).Median:0.00} ms (p99); what is read is {Sample.Of(behind).Median:0.0} quotes behind (mean)")));
        }
    }

    /// <summary>Reads a second, the p99 of a quote's way through the market in ms, and how many quotes what was read is behind, on average.</summary>
    private async Task<(double Reads, double QuoteP99, double Behind)> OnceAsync(IMarketGrain market, Func<Task<MarketView>> read)
    {
        using var done = new CancellationTokenSource();
        long reads = 0, behind = 0;
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            long mine = 0, missed = 0;
            while (!done.IsCancellationRequested)
            {
                long taken = Volatile.Read(ref _next);
                MarketView view = await read();
                mine++;
                missed += Math.Max(0, taken - 1 - view.Position);
            }
            Interlocked.Add(ref reads, mine);
            Interlocked.Add(ref behind, missed);
        }))];
        var quotes = new Latencies();
        long start = Stopwatch.GetTimestamp();
        // Those that are late are made up for at once, so that the rate is what it is said to be.
        for (int sent = 0; Stopwatch.GetElapsedTime(start) < Long;)
        {
            if (sent >= Stopwatch.GetElapsedTime(start).TotalSeconds * QuotesPerSecond)
            {
                await Task.Delay(1);
                continue;
            }
            long position = _next;
            long began = Stopwatch.GetTimestamp();
            var quote = new Quote(DateTime.UnixEpoch.AddMilliseconds(position), 110_000 + position % 100, 110_002 + position % 100);
            await market.OnQuotes(new QuoteBatch([new PlacedQuote(position, quote)]));
            quotes.Add(began);
            Volatile.Write(ref _next, position + 1);
            sent++;
        }
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await done.CancelAsync();
        await Task.WhenAll(callers);
        return (reads / seconds, quotes.Percentile(99), (double)behind / reads);
    }
}
