using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using HybridTrading.Storage.Keys;
using HybridTrading.Tests;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>A whole system of processes of their own, which end with it.</summary>
internal sealed class RunningSystem : IAsyncDisposable
{
    private const string Services =
        "data-bridge,feature-engineering,trading-engine,database-service,performance-analytics,user-service,configuration-service,central-hub,notification-service";
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);

    private readonly List<System.Diagnostics.Process> _processes = [];
    private readonly List<Task> _outputs = [];

    private RunningSystem() => Address = new Uri($"http://127.0.0.1:{8000 + Offset}");

    /// <summary>Of the API.</summary>
    public Uri Address { get; }

    /// <summary>By all processes.</summary>
    public System.Text.StringBuilder Printed { get; } = new();

    /// <summary>All ports of a process lie within 100; another offset for each, below the range that the platform hands out.</summary>
    private int Offset { get; } = 2000 + Random.Shared.Next(90) * 10;

    /// <summary>One process over a folder of its own.</summary>
    /// <param name="options">Of <c>run</c>, beside those that make it a measurement.</param>
    public static Task<RunningSystem> StartAsync(BenchmarkContext context, string[] options, CancellationToken cancellation) =>
        StartAsync(system => system.LaunchAsync(
            ["run", "--data", context.NewFolder("data"), "--port-offset", $"{system.Offset}", "--no-demo", .. options], null, cancellation));

    /// <summary>Silos behind an API process, over a database of their own.</summary>
    public static Task<RunningSystem> StartAsync(BenchmarkContext context, PostgresServer server, int silos, string[] options, CancellationToken cancellation) =>
        StartAsync(async system =>
        {
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
                await system.LaunchAsync(
                    ["run", "--data", context.NewFolder("silo"), "--services", Services, "--port-offset", $"{system.Offset + 100 * silo}", .. common], database, cancellation);
            }
            await system.LaunchAsync(
                ["run", "--data", context.NewFolder("api"), "--services", "api-gateway", "--port-offset", $"{system.Offset}", .. common], database, cancellation);
        });

    /// <summary>A client that calls as the system's owner for ten minutes.</summary>
    public async Task<HttpClient> SignInAsync(int connections, CancellationToken cancellation)
    {
        var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections, UseProxy = false }) { BaseAddress = Address };
        await Owner.SignInAsync(client, Printed, cancellation);
        return client;
    }

    /// <summary>A change, with an idempotency key of its own.</summary>
    /// <exception cref="InvalidOperationException">It was refused.</exception>
    public static async Task PostAsync(HttpClient client, string path, JsonObject body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create((JsonNode)body, options: JsonSerializerOptions.Default) };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        using HttpResponseMessage answer = await client.SendAsync(request, cancellation);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
    }

    /// <summary>The most resident memory that the processes have had, in bytes.</summary>
    public long PeakMemory()
    {
        long sum = 0;
        foreach (System.Diagnostics.Process process in _processes)
        {
            process.Refresh();
            sum += process.PeakWorkingSet64;
        }
        return sum;
    }

    private static async Task<RunningSystem> StartAsync(Func<RunningSystem, Task> launch)
    {
        var system = new RunningSystem();
        try
        {
            await launch(system);
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
