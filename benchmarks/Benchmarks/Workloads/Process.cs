using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>The most memory that a program had, in bytes.</summary>
internal readonly record struct Peak(long WorkingSet, long Private);

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

    /// <summary>Runs our program to its end and watches its memory.</summary>
    public static async Task<Peak> PeakAsync(IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using System.Diagnostics.Process process = Start("HybridTrading.Silo.dll", arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellation), output = process.StandardOutput.ReadToEndAsync(cancellation);
        long workingSet = 0, own = 0;
        while (!process.HasExited)
        {
            (long set, long bytes) = Memory(process);
            (workingSet, own) = (Math.Max(workingSet, set), Math.Max(own, bytes));
            await Task.Delay(2, cancellation);
        }
        await output;
        return process.ExitCode == 0 ? new Peak(workingSet, own) : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}");
    }

    /// <summary>Of Linux what the kernel says: the highest working set so far, and what is resident of no file.</summary>
    private static (long WorkingSet, long Private) Memory(System.Diagnostics.Process process)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                process.Refresh();
                return (process.PeakWorkingSet64, process.PrivateMemorySize64);
            }
            long highest = 0, own = 0;
            foreach (string line in File.ReadLines($"/proc/{process.Id}/status"))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal)) highest = Kilobytes(line);
                else if (line.StartsWith("RssAnon:", StringComparison.Ordinal)) own = Kilobytes(line);
            }
            return (highest, own);
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            return (0, 0);
        }

        static long Kilobytes(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
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
