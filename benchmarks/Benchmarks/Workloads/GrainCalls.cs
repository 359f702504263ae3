using HybridTrading.Grains.Hosting;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>A grain that only answers.</summary>
[Alias("ht.bench.IEchoGrain")]
public interface IEchoGrain : IGrainWithStringKey
{
    [Alias("Echo")] Task<int> Echo(int value);
}

public sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<int> Echo(int value) => Task.FromResult(value);
}

/// <summary>Calls of a grain by one caller, and by a hundred at once.</summary>
internal sealed class GrainCalls() : Workload("grain-calls")
{
    private const int Calls = 400_000;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        await using GrainHost host = await GrainHost.StartAsync(context.NewFolder(Name));
        using Principal.Scope principal = Principal.OfHost();
        const string note = "must and aim are Orleans in the same run (x 1, x 1.5); it does not run here, so its figures elsewhere stand in";
        add(new Row(Name, "grain call, one caller", "calls/s", await MeasureAsync(host, context.Runs, 1), 400e3, 600e3,
            "Orleans 10: 400 k warm; p50 6.4 us, p99 17 us", note));
        add(new Row(Name, "grain call, 100 callers, a grain each", "calls/s", await MeasureAsync(host, context.Runs, 100), 1e6, 1.5e6,
            "Orleans 10: 1.0 M warm (128 callers 1.06 M)", note));
    }

    private static Task<Sample> MeasureAsync(GrainHost host, int runs, int callers)
    {
        IEchoGrain[] grains = [.. Enumerable.Range(0, callers).Select(number => host.Grains.GetGrain<IEchoGrain>($"echo-{callers}-{number}"))];
        return Sample.MeasureAsync(runs, async () =>
        {
            int each = Calls / callers;
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(grains.Select(grain => Task.Run(async () =>
            {
                for (int i = 0; i < each; i++)
                {
                    if (await grain.Echo(i) != i) throw new InvalidOperationException("the echo is another");
                }
            })));
            return callers * each / Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }
}
