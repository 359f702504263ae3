using System.ComponentModel;
using System.Globalization;
using System.Text.Json;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>What wrk saw.</summary>
/// <param name="Requests">Answered in the time.</param>
/// <param name="PerSecond">Answered.</param>
/// <param name="P50">Milliseconds from the first byte sent to the last byte read; so with the others.</param>
/// <param name="Refused">Answers of status 400 and above.</param>
/// <param name="Broken">Connections that failed, and requests without an answer in time.</param>
internal sealed record WrkReport(long Requests, double PerSecond, double P50, double P99, double Highest, long Refused, long Broken)
{
    /// <exception cref="InvalidOperationException">Something went wrong: then the figures say nothing.</exception>
    public WrkReport Sound() => Refused + Broken == 0 && Requests > 0
        ? this
        : throw new InvalidOperationException($"wrk: of {Requests} requests {Refused} were refused, {Broken} had no answer");
}

/// <summary>
/// wrk, a load generator in C, run as a process of its own: on a machine that it shares with what it measures it takes little and has no pauses.
/// </summary>
internal static class Wrk
{
    public const string Missing = "skipped: wrk is not installed";

    public static bool IsInstalled { get; } = TryFind();

    /// <summary>Sends as fast as answers come, or at a rate: then by connections that each wait a random (exponential) time between an answer and the next request, so requests come as from many strangers.</summary>
    /// <param name="target">What is asked for; with <paramref name="request"/> only the server of it counts.</param>
    /// <param name="request">
    /// Lua: the body of wrk's function <c>request</c>, which returns one. <c>n</c> counts the requests, <c>id()</c> makes a name that nobody else has. Null for the same GET again
    /// and again, which wrk does four times as fast.
    /// </param>
    /// <param name="perSecond">Null for as fast as possible.</param>
    public static async Task<WrkReport> RunAsync(
        BenchmarkContext context, Uri target, string? token, int connections, TimeSpan duration, string? request, double? perSecond, CancellationToken cancellation)
    {
        string script = Path.Combine(context.NewFolder("wrk"), "load.lua");
        // A request waits for the one before it on its connection, so the pause is shortened by about what an answer takes.
        double pause = perSecond is { } rate ? connections / rate * 1000 - 1 : 0;
        await File.WriteAllTextAsync(script, string.Create(CultureInfo.InvariantCulture, $$"""
            local n, run = 0, {{Random.Shared.Next()}}
            math.randomseed(run)
            wrk.headers["Content-Type"] = "application/json"
            {{(token is null ? "" : $"wrk.headers[\"Authorization\"] = \"Bearer {token}\"")}}
            local function id() return string.format("%x-%d", run, n) end
            {{(request is null ? "" : $"function request()\n  n = n + 1\n  {request}\nend")}}
            {{(perSecond is null ? "" : $"function delay() return math.floor(-{pause.ToString(CultureInfo.InvariantCulture)} * math.log(1 - math.random()) + 0.5) end")}}
            function done(summary, latency, requests)
              local e = summary.errors
              io.write(string.format('{"requests":%d,"perSecond":%f,"p50":%f,"p99":%f,"highest":%f,"refused":%d,"broken":%d}\n', summary.requests,
                summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, e.status,
                e.connect + e.read + e.write + e.timeout))
            end
            """), cancellation);
        var start = new ProcessStartInfo("wrk") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])["-t1", $"-c{connections}", $"-d{(int)duration.TotalSeconds}s", "--timeout", "10s", "-s", script, target.ToString()]) start.ArgumentList.Add(argument);
        using System.Diagnostics.Process wrk = System.Diagnostics.Process.Start(start)!;
        Task<string> error = wrk.StandardError.ReadToEndAsync(cancellation);
        string output = await wrk.StandardOutput.ReadToEndAsync(cancellation);
        await wrk.WaitForExitAsync(cancellation);
        string? report = output.Split('\n').FirstOrDefault(line => line.StartsWith('{'));
        return report is null
            ? throw new InvalidOperationException($"wrk ended with {wrk.ExitCode}: {await error}{output}")
            : JsonSerializer.Deserialize<WrkReport>(report, JsonSerializerOptions.Web)!;
    }

    private static bool TryFind()
    {
        try
        {
            using System.Diagnostics.Process? wrk = System.Diagnostics.Process.Start(
                new ProcessStartInfo("wrk", "-v") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false });
            wrk?.WaitForExit();
            return wrk is not null;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
