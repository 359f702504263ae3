using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>The gateway of a whole running system, beside a bare minimal API; both in processes of their own on this machine.</summary>
internal sealed class Gateway() : Workload("gateway")
{
    private const string OurPath = "/api/v1/instruments";
    private const int PerSecond = 1000, Connections = 16;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    public override async Task RunAsync(BenchmarkContext context, Action<Row> add, CancellationToken cancellation)
    {
        int offset = Process.FreePort() % 20_000;
        string folder = context.NewFolder(Name);
        using System.Diagnostics.Process system = Process.Start(
            "HybridTrading.Silo.dll", ["run", "--data", folder, "--port-offset", $"{offset}", "--no-demo"]);
        (Task reading, System.Text.StringBuilder printed) = Owner.Listen(system);
        Task output = Task.WhenAll(reading, system.StandardError.ReadToEndAsync(cancellation));
        int barePort = Process.FreePort();
        using System.Diagnostics.Process bare = Process.Start("HybridTrading.Benchmarks.dll", ["bare-api", $"{barePort}"]);
        Task bareOutput = Task.WhenAll(bare.StandardOutput.ReadToEndAsync(cancellation), bare.StandardError.ReadToEndAsync(cancellation));
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Connections, UseProxy = false });
            var ours = new Uri($"http://localhost:{8000 + offset}{OurPath}");
            var theirs = new Uri($"http://localhost:{barePort}/");
            await WaitAsync(client, new Uri(ours, "/api/v1/auth/state"), system, cancellation);
            await Owner.SignInAsync(client, printed, cancellation, ours);
            if (await WaitAsync(client, ours, system, cancellation) is var status && status != HttpStatusCode.OK)
            {
                add(new Row(Name, "gateway: p99 at 1000 requests/s", "ms", null, Must: 10, Aim: 5, Note: $"skipped: GET {OurPath} answers {(int)status}"));
                return;
            }
            await WaitAsync(client, theirs, bare, cancellation);

            Sample p99 = await Sample.MeasureAsync(context.Runs, () => OpenLoopAsync(client, ours, cancellation));
            Sample bareP99 = await Sample.MeasureAsync(context.Runs, () => OpenLoopAsync(client, theirs, cancellation));
            add(new Row(Name, "gateway: p99 at 1000 requests/s", "ms", p99, 10, 5,
                FormattableString.Invariant($"bare minimal API, same run: {bareP99.Median:0.0} ms"),
                $"GET {OurPath} of the running system with its simulated market; load from the same machine"));
            Sample ourRate = await Sample.MeasureAsync(context.Runs, () => ClosedLoopAsync(client, ours, cancellation));
            Sample bareRate = await Sample.MeasureAsync(context.Runs, () => ClosedLoopAsync(client, theirs, cancellation));
            add(new Row(Name, "gateway: throughput against a bare minimal API", "share", new Sample(ourRate.Median / bareRate.Median, ourRate.Least / bareRate.Most, ourRate.Most / bareRate.Least), 0.5, 0.8,
                FormattableString.Invariant($"bare minimal API, same run: {bareRate.Median:0} requests/s"),
                FormattableString.Invariant($"{ourRate.Median:0} requests/s by {Connections} connections")));
        }
        finally
        {
            foreach (System.Diagnostics.Process process in (System.Diagnostics.Process[])[system, bare])
            {
                if (!process.HasExited) process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
            await output;
            await bareOutput;
        }
    }

    /// <summary>The first answer of a server that is starting.</summary>
    private static async Task<HttpStatusCode> WaitAsync(HttpClient client, Uri uri, System.Diagnostics.Process process, CancellationToken cancellation)
    {
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                using HttpResponseMessage answer = await client.GetAsync(uri, cancellation);
                return answer.StatusCode;
            }
            catch (HttpRequestException) when (!process.HasExited && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(100, cancellation);
            }
        }
    }

    private static async Task<double> OpenLoopAsync(HttpClient client, Uri uri, CancellationToken cancellation)
    {
        var latencies = new Latencies();
        List<Task> requests = [];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < PerSecond * Duration.TotalSeconds; i++)
        {
            long due = start + i * Stopwatch.Frequency / PerSecond;
            while (Stopwatch.GetTimestamp() < due) await Task.Delay(1, cancellation);
            requests.Add(Task.Run(async () =>
            {
                await GetAsync(client, uri, cancellation);
                latencies.Add(due);
            }, cancellation));
        }
        await Task.WhenAll(requests);
        return latencies.Percentile(99);
    }

    private static async Task<double> ClosedLoopAsync(HttpClient client, Uri uri, CancellationToken cancellation)
    {
        long count = 0, start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(start) < Duration)
            {
                await GetAsync(client, uri, cancellation);
                Interlocked.Increment(ref count);
            }
        }, cancellation)));
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task GetAsync(HttpClient client, Uri uri, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await client.GetAsync(uri, cancellation);
        answer.EnsureSuccessStatusCode();
        await answer.Content.CopyToAsync(Stream.Null, cancellation);
    }
}

/// <summary>The least that ASP.NET Core can do for a JSON answer.</summary>
internal static class BareApi
{
    public static async Task<int> RunAsync(int port, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using WebApplication app = builder.Build();
        app.Urls.Add($"http://localhost:{port}");
        app.MapGet("/", () => Results.Text("{\"status\":\"ok\"}", "application/json"));
        await app.StartAsync(cancellation);
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }
}
