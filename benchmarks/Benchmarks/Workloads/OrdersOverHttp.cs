using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using HybridTrading.Silo.Hosting;
using HybridTrading.Storage.Keys;
using HybridTrading.Tests;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>
/// Orders by HTTP into whole systems of processes of their own: on Local one; on Cluster one, two and three silos behind an API process, over PostgreSQL.
/// All of it, the load too, shares this machine, so more silos than cores show what they cost, not what they bring.
/// </summary>
internal sealed class OrdersOverHttp() : Workload("orders-http")
{
    private const int Accounts = 64, Callers = 32, PerSecond = 100;
    private const string Services = "data-bridge,feature-engineering,trading-engine,database-service,performance-analytics,user-service,configuration-service,central-hub,notification-service";
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5), LongestStart = TimeSpan.FromMinutes(2);

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
        await using RunningSystem system = await RunningSystem.StartAsync(context, server, silos, options, cancellation);
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Callers, UseProxy = false }) { BaseAddress = system.Address };
        await Owner.SignInAsync(client, system.Printed, cancellation);
        for (int account = 0; account < Accounts; account++)
        {
            await SendAsync(client, "accounts", new() { ["name"] = $"bench-{account}", ["deposit"] = 1_000_000_000, ["limits"] = new JsonObject() }, cancellation);
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
        return SendAsync(client, $"accounts/bench-{number % Accounts}/orders", new()
        {
            ["symbol"] = "BTCUSD", ["side"] = number / Accounts % 2 == 0 ? "Buy" : "Sell", ["type"] = "Market", ["volume"] = 0.01m,
        }, cancellation);
    }

    private static async Task SendAsync(HttpClient client, string path, JsonObject body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create((JsonNode)body, options: JsonSerializerOptions.Default) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        using HttpResponseMessage answer = await client.SendAsync(request, cancellation);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
    }

    /// <summary>The processes of one system.</summary>
    private sealed class RunningSystem : IAsyncDisposable
    {
        private readonly List<System.Diagnostics.Process> _processes = [];
        private readonly List<Task> _outputs = [];

        public Uri Address { get; private set; } = null!;

        /// <summary>By all processes.</summary>
        public System.Text.StringBuilder Printed { get; } = new();

        /// <param name="server">Null for one process over its own folder.</param>
        public static async Task<RunningSystem> StartAsync(
            BenchmarkContext context, PostgresServer? server, int silos, string[] options, CancellationToken cancellation)
        {
            var system = new RunningSystem();
            try
            {
                // All ports of a process lie within 100; another offset for each, below the range that the platform hands out.
                int offset = 2000 + Random.Shared.Next(90) * 10;
                system.Address = new Uri($"http://127.0.0.1:{8000 + offset}");
                if (server is null)
                {
                    await system.LaunchAsync(["run", "--data", context.NewFolder("orders"), "--port-offset", $"{offset}", "--no-demo"], null, cancellation);
                    return system;
                }
                Dictionary<string, string> database = new() { ["DATABASE_URL"] = server.Url(await server.CreateDatabaseAsync()) };
                string keys = context.NewFolder("keys");
                FileKeyProvider.Open(keys);
                using (System.Diagnostics.Process migrate = Process.Start("HybridTrading.Silo.dll", ["db", "migrate"], database))
                {
                    await migrate.WaitForExitAsync(cancellation);
                    if (migrate.ExitCode != 0) throw new InvalidOperationException(await migrate.StandardError.ReadToEndAsync(cancellation));
                }
                string[] common = ["--master-key", Path.Combine(keys, "master.key"), .. options];
                for (int silo = 1; silo <= silos; silo++)
                {
                    await system.LaunchAsync(["run", "--data", context.NewFolder("silo"), "--services", Services, "--port-offset", $"{offset + 100 * silo}", .. common], database, cancellation);
                }
                await system.LaunchAsync(["run", "--data", context.NewFolder("api"), "--services", "api-gateway", "--port-offset", $"{offset}", .. common], database, cancellation);
                return system;
            }
            catch
            {
                await system.DisposeAsync();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (System.Diagnostics.Process process in _processes)
            {
                if (!process.HasExited) process.Kill();
                await process.WaitForExitAsync();
            }
            await Task.WhenAll(_outputs);
            foreach (System.Diagnostics.Process process in _processes) process.Dispose();
        }

        private async Task LaunchAsync(string[] arguments, Dictionary<string, string>? environment, CancellationToken cancellation)
        {
            System.Diagnostics.Process process = Process.Start("HybridTrading.Silo.dll", arguments, environment);
            _processes.Add(process);
            var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _outputs.Add(ReadAsync());
            _outputs.Add(process.StandardError.ReadToEndAsync(CancellationToken.None));
            await up.Task.WaitAsync(LongestStart, cancellation);

            async Task ReadAsync()
            {
                List<string> said = [];
                while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
                {
                    lock (Printed) Printed.AppendLine(line);
                    if (!up.Task.IsCompleted) said.Add(line);
                    if (line.StartsWith("Ctrl+C stops.", StringComparison.Ordinal)) up.TrySetResult();
                }
                up.TrySetException(new InvalidOperationException($"a process ended before it was up: {string.Join('\n', said)}"));
            }
        }
    }
}
