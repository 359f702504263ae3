namespace HybridTrading.Benchmarks.Workloads;

/// <summary>One thing to measure; it may make several rows.</summary>
internal abstract class Workload(string name)
{
    public string Name => name;

    public abstract Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation);
}

internal static class Catalog
{
    public static readonly ImmutableArray<Workload> All =
    [
        new BacktestTicks(),
        new BacktestMemory(),
        new BacktestBars(),
        new GridSearch(),
        new Verdicts(),
        new Indicators(),
        new FeatureVector(),
        new GrainCalls(),
        new IdleGrains(),
        new HotReads(),
        new TickToDecision(),
        new OrderToFill(),
        new JournalAppends(),
        new PostgresAppends(),
        new Restart(),
        new Gateway(),
        new SignInStorm(),
        new HubLoad(),
        new OrdersOverHttp(),
    ];
}
