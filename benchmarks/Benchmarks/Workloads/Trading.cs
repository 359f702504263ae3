using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>From a tick to the decisions of a thousand different strategies on its symbol, journal on disk included.</summary>
internal sealed class TickToDecision() : Workload("tick-to-decision")
{
    private const int Strategies = 1000, WarmUpTicks = 600, Ticks = 400;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        await using GrainHost host = await GrainHost.StartAsync(context.NewFolder(Name));
        using Principal.Scope principal = Principal.OfHost();
        int made = 0;
        for (int fast = 2; made < Strategies; fast++)
        {
            for (int slow = fast + 10; slow <= fast + 400 && made < Strategies; slow += 10, made++)
            {
                IStrategyGrain strategy = host.Grains.GetGrain<IStrategyGrain>($"bench/user/s{made:0000}");
                var parameters = ImmutableSortedDictionary<string, decimal>.Empty.Add("fast", fast).Add("slow", slow);
                Check(await strategy.Create(new StrategySetup("sma-cross", parameters, "GBPUSD", TimeFrame.M1)));
                Check(await strategy.Start());
            }
        }

        // Each tick is a minute after the last, so each closes a bar: every strategy is evaluated, and those that want something decide.
        IMarketGrain market = host.Grains.GetGrain<IMarketGrain>("GBPUSD");
        ReadOnlyMemory<Bar> bars = context.Hours.Bars;
        DateTime start = new(2030, 1, 7, 0, 0, 0, DateTimeKind.Utc);
        int next = 0;
        async Task TickAsync()
        {
            Bar bar = bars.Span[next % bars.Length];
            var quote = new Quote(start.AddMinutes(next), bar.Bid.Close, bar.Ask.Close);
            await market.OnQuotes(new QuoteBatch([new PlacedQuote(next, quote)]));
            next++;
        }
        for (int i = 0; i < WarmUpTicks; i++) await TickAsync();

        long before = await CountDecisionsAsync(host);
        List<double> medians = [];
        int counted = next;
        Sample p99 = await Sample.MeasureAsync(context.Runs, async () =>
        {
            var latencies = new Latencies();
            for (int i = 0; i < Ticks; i++)
            {
                long began = Stopwatch.GetTimestamp();
                await TickAsync();
                latencies.Add(began);
            }
            medians.Add(latencies.Percentile(50));
            return latencies.Percentile(99);
        });
        double decisions = (double)(await CountDecisionsAsync(host) - before) / (next - counted);
        add(new Row(Name, "tick -> decision, 1,000 strategies on one symbol, p99", "ms", p99, 5, 1,
            "Orleans 10: a tick to 1,000 grains 3.2 ms (fan-out only)",
            FormattableString.Invariant($"every tick closes a bar; {decisions:0.0} decisions a tick, durable; p50 {Sample.Of(medians).Median:0.00} ms")));
    }

    private static async Task<long> CountDecisionsAsync(GrainHost host)
    {
        long count = 0;
        for (int i = 0; i < Strategies; i++) count += (await host.Grains.GetGrain<IStrategyGrain>($"bench/user/s{i:0000}").GetState()).Decisions;
        return count;
    }

    private static void Check(CommandResult result)
    {
        if (result.Fault is { } fault) throw new InvalidOperationException(fault);
    }
}

/// <summary>Orders at 500 a second through account grains with their journal on disk.</summary>
internal sealed class OrderToFill() : Workload("order-to-fill")
{
    private const int PerSecond = 500, Seconds = 4, Accounts = 100;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        await using GrainHost host = await GrainHost.StartAsync(context.NewFolder(Name));
        using Principal.Scope principal = Principal.OfHost();
        DateTime now = DateTime.UtcNow;
        var quote = new Quote(now, 110_000, 110_010);
        await host.Grains.GetGrain<IMarketGrain>("EURUSD").OnQuotes(new QuoteBatch([new PlacedQuote(0, quote)]));
        var accounts = new IAccountGrain[Accounts];
        for (int i = 0; i < Accounts; i++)
        {
            accounts[i] = host.Grains.GetGrain<IAccountGrain>($"bench/user{i}/main");
            CommandResult opened = await accounts[i].Open(AccountSettings.Paper("USD"), RiskLimits.None, 100_000m);
            if (opened.Fault is { } fault) throw new InvalidOperationException(fault);
        }

        long ordinal = 0;
        List<double> medians = [], recorded = [];
        Sample p99 = await Sample.MeasureAsync(context.Runs, async () =>
        {
            Latencies all = new(), placed = new();
            List<Task> orders = [];
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < PerSecond * Seconds; i++)
            {
                // Open loop: an order counts from when it was due, whether or not those before it are done.
                long due = start + i * Stopwatch.Frequency / PerSecond;
                while (Stopwatch.GetTimestamp() < due) await Task.Delay(1, cancellation);
                long number = ++ordinal;
                orders.Add(Task.Run(() => OrderAsync(accounts[number % Accounts], number, due), cancellation));
            }
            await Task.WhenAll(orders);
            medians.Add(all.Percentile(50));
            recorded.Add(placed.Percentile(99));
            return all.Percentile(99);

            async Task OrderAsync(IAccountGrain account, long number, long due)
            {
                Side side = number / Accounts % 2 == 0 ? Side.Buy : Side.Sell;
                OrderAnswer answer = await account.Place(new OrderRequest($"bench-{number}", "EURUSD", side, OrderType.Market, 1000m));
                if (!answer.Result.IsAccepted) throw new InvalidOperationException($"order denied: {answer.Result.Denial}");
                placed.Add(due);
                // The next quote, as the market grain hands it to an account: it fills the order and returns when the fill is durable.
                await account.OnQuote("EURUSD", quote with { Time = now.AddMilliseconds(number) }, number);
                all.Add(due);
            }
        });
        add(new Row(Name, "order: request -> risk -> durable -> paper fill, p99 at 500/s", "ms", p99, 50, 10,
            Note: FormattableString.Invariant(
                $"{Accounts} accounts, from the time the order was due (timer of 1 ms included) to the durable fill; p50 {Sample.Of(medians).Median:0.00} ms; to the durable acceptance p99 {Sample.Of(recorded).Median:0.00} ms")));
    }
}
