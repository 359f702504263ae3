using System.Text.Json.Nodes;
using HybridTrading.Silo.Hosting;
using HybridTrading.Tests;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>
/// Orders by HTTP into whole systems of processes of their own: on Local one; on Cluster one, two and three silos behind an API process, over PostgreSQL.
/// All of it, the load too, shares this machine, so more silos than cores show what they cost, not what they bring.
/// </summary>
internal sealed class OrdersOverHttp() : Workload("orders-http")
{
    private const int Accounts = 64, Callers = 32, PerSecond = 100;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);

    private long _order;

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        string host = OrleansHost.Name;
        if (host != "Cluster")
        {
            await MeasureAsync(context, add, "one process", null, 0, [], cancellation);
            return;
        }
        await using PostgresServer? server = await PostgresServer.TryStartNewAsync("max_connections = 300");
        if (server is null)
        {
            add(new Row(Name, "orders over HTTP", "orders/s", null, Note: "skipped: the PostgreSQL server is not installed"));
            return;
        }
        await MeasureAsync(context, add, "1 silo, no dashboard", server, 1, ["--no-dashboard"], cancellation);
        for (int silos = 1; silos <= 3; silos++)
        {
            await MeasureAsync(context, add, silos == 1 ? "1 silo" : $"{silos} silos", server, silos, [], cancellation);
        }
    }

    private async Task MeasureAsync(
        BenchmarkContext context, Action<Row> add, string what, PostgresServer? server, int silos, string[] options, CancellationToken cancellation)
    {
        await using RunningSystem system = server is null
            ? await RunningSystem.StartAsync(context, options, cancellation)
            : await RunningSystem.StartAsync(context, server, silos, options, cancellation);
        using HttpClient client = await system.SignInAsync(Callers, cancellation);
        for (int account = 0; account < Accounts; account++)
        {
            await RunningSystem.PostAsync(client, "accounts", new() { ["name"] = $"bench-{account}", ["deposit"] = 1_000_000_000, ["limits"] = new JsonObject() }, cancellation);
        }
        Sample rate = await Sample.MeasureAsync(context.Runs, async () =>
        {
            long count = 0, start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
            {
                while (Stopwatch.GetElapsedTime(start) < Duration)
                {
                    await OrderAsync(client, cancellation);
                    Interlocked.Increment(ref count);
                }
            }, cancellation)));
            return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
        List<double> medians = [];
        Sample p99 = await Sample.MeasureAsync(context.Runs, async () =>
        {
            var latencies = new Latencies();
            List<Task> orders = [];
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < PerSecond * Duration.TotalSeconds; i++)
            {
                long due = start + i * Stopwatch.Frequency / PerSecond;
                while (Stopwatch.GetTimestamp() < due) await Task.Delay(1, cancellation);
                orders.Add(Task.Run(async () =>
                {
                    await OrderAsync(client, cancellation);
                    latencies.Add(due);
                }, cancellation));
            }
            await Task.WhenAll(orders);
            medians.Add(latencies.Percentile(50));
            return latencies.Percentile(99);
        });
        add(new Row(Name, $"orders over HTTP, {what}: throughput", "orders/s", rate, Note: $"{Callers} callers, {Accounts} accounts, each order acknowledged when durable"));
        add(new Row(Name, $"orders over HTTP, {what}: p99 at {PerSecond}/s", "ms", p99, Note: FormattableString.Invariant($"p50 {Sample.Of(medians).Median:0.0} ms")));
    }

    private Task OrderAsync(HttpClient client, CancellationToken cancellation)
    {
        long number = Interlocked.Increment(ref _order);
        return RunningSystem.PostAsync(client, $"accounts/bench-{number % Accounts}/orders", new()
        {
            ["symbol"] = "BTCUSD", ["side"] = number / Accounts % 2 == 0 ? "Buy" : "Sell", ["type"] = "Market", ["volume"] = 0.01m,
        }, cancellation);
    }
}
