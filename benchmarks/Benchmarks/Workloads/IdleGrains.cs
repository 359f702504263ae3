using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>Many accounts and strategies that were used once and now wait: what each takes, and how fast they come to life.</summary>
internal sealed class IdleGrains() : Workload("idle-grains")
{
    private const int Each = 50_000, Callers = 64;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        string folder = context.NewFolder(Name);
        double made, perGrain, woken, perWoken;
        await using (GrainHost host = await GrainHost.StartAsync(folder))
        {
            using Principal.Scope principal = Principal.OfHost();
            long before = Used();
            long start = Stopwatch.GetTimestamp();
            await AllAsync(async number => Check(await Account(host, number).Open(AccountSettings.Paper("USD"), RiskLimits.Default, 100_000m)), cancellation);
            await AllAsync(async number => Check(await Strategy(host, number).Create(
                new StrategySetup("sma-cross", ImmutableSortedDictionary<string, decimal>.Empty, "EURUSD", TimeFrame.H1))), cancellation);
            made = 2 * Each / Stopwatch.GetElapsedTime(start).TotalSeconds;
            perGrain = (double)(Used() - before) / (2 * Each);
        }
        await using (GrainHost host = await GrainHost.StartAsync(folder))
        {
            using Principal.Scope principal = Principal.OfHost();
            long before = Used();
            long start = Stopwatch.GetTimestamp();
            await AllAsync(async number => _ = await Account(host, number).GetView() ?? throw new InvalidOperationException("the account is gone"), cancellation);
            await AllAsync(async number => _ = await Strategy(host, number).GetView() ?? throw new InvalidOperationException("the strategy is gone"), cancellation);
            woken = 2 * Each / Stopwatch.GetElapsedTime(start).TotalSeconds;
            perWoken = (double)(Used() - before) / (2 * Each);
        }
        const string what = "50,000 accounts and 50,000 strategies in memory, 64 callers, once";
        add(new Row(Name, "100,000 idle grains: memory a grain, woken from the journal", "bytes", One(perWoken), Note: $"{what}; managed memory after a full collection"));
        add(new Row(Name, "the same, just made", "bytes", One(perGrain), Note: "the journal's index of their streams is in it"));
        add(new Row(Name, "100,000 idle grains: activations from the journal", "activations/s", One(woken), Note: what));
        add(new Row(Name, "the same, made: activation and first durable event", "activations/s", One(made)));
    }

    private static IAccountGrain Account(GrainHost host, int number) => host.Grains.GetGrain<IAccountGrain>($"bench/user{number}/main");

    private static IStrategyGrain Strategy(GrainHost host, int number) => host.Grains.GetGrain<IStrategyGrain>($"bench/user{number}/cross");

    private static Task AllAsync(Func<int, Task> each, CancellationToken cancellation) =>
        Parallel.ForEachAsync(Enumerable.Range(0, Each), new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellation },
            async (number, _) => await each(number));

    private static long Used()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static Sample One(double value) => Sample.Of([value]);

    private static void Check(CommandResult result)
    {
        if (result.Fault is { } fault) throw new InvalidOperationException(fault);
    }
}
