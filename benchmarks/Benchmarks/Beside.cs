using System.Text.Json;
using HybridTrading.Silo.Hosting;

namespace HybridTrading.Benchmarks;

/// <summary>The same workloads on the other host, measured in turns in the same run.</summary>
internal static class Beside
{
    /// <summary>What a program with OrleansHost of the other kind measures.</summary>
    /// <param name="program">Its HybridTrading.Benchmarks.dll.</param>
    /// <exception cref="InvalidOperationException">It failed, or was built for this host.</exception>
    public static async Task<(string Host, ImmutableArray<Row> Rows)> MeasureAsync(
        string program, string workload, BenchmarkContext context, CancellationToken cancellation)
    {
        string[] arguments = ["--filter", workload, "--exact", "--json", "--runs", $"{context.Runs}", "--disk", context.NewFolder("beside")];
        using Process process = Workloads.Process.StartAt(Path.GetFullPath(program), arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await error}");
        Report report = JsonSerializer.Deserialize<Report>(output, JsonSerializerOptions.Web)!;
        return report.Host != OrleansHost.Name ? (report.Host, report.Rows)
            : throw new InvalidOperationException($"--beside {program} is OrleansHost={report.Host}, as this program; expected a build of the other");
    }

    /// <summary>Each row, and under it the other host's of the same path; what only one of them has stands alone.</summary>
    public static IEnumerable<Row> Join(IReadOnlyList<Row> own, (string Host, ImmutableArray<Row> Rows) other)
    {
        foreach (Row row in own)
        {
            Row? same = other.Rows.FirstOrDefault(each => each.Path == row.Path);
            yield return same is null ? row : row with { Path = $"{row.Path} ({OrleansHost.Name})" };
            if (same is not null) yield return same with { Path = $"{same.Path} ({other.Host})", Must = null, Aim = null, Peers = "" };
        }
        foreach (Row row in other.Rows.Where(each => own.All(row => row.Path != each.Path))) yield return row with { Path = $"{row.Path} ({other.Host})", Must = null, Aim = null, Peers = "" };
    }

    private sealed record Report(string Host, ImmutableArray<Row> Rows);
}
