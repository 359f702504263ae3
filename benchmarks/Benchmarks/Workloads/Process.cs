using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>Programs that a workload runs beside itself.</summary>
internal static class Process
{
    /// <summary>Runs <c>backtest ... --json</c> and reads what it prints.</summary>
    public static async Task<JsonDocument> BacktestAsync(IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using System.Diagnostics.Process process = Start("HybridTrading.Silo.dll", ["backtest", .. arguments, "--json"]);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? JsonDocument.Parse(output) : throw new InvalidOperationException($"backtest ended with {process.ExitCode}: {await error}");
    }

    /// <summary>Starts one of our programs, which lie beside this one.</summary>
    public static System.Diagnostics.Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        StartAt(Path.Combine(AppContext.BaseDirectory, program), arguments, environment);

    /// <param name="program">Path of an assembly.</param>
    public static System.Diagnostics.Process StartAt(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(program);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? ImmutableDictionary<string, string>.Empty) start.Environment[name] = value;
        return System.Diagnostics.Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
