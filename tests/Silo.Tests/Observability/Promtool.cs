using System.Diagnostics;

namespace HybridTrading.Silo.Tests.Observability;

/// <summary>Prometheus' own judge of metrics and rules; tests that need it are skipped where it is not installed.</summary>
internal static class Promtool
{
    /// <returns>Exit code, and what it printed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, string? input, params string[] arguments)
    {
        var start = new ProcessStartInfo("promtool", arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        using Process? promtool = TryStart(start);
        Assert.SkipWhen(promtool is null, "needs promtool (Debian package prometheus)");
        Task<string> output = promtool.StandardOutput.ReadToEndAsync(), error = promtool.StandardError.ReadToEndAsync();
        if (input is not null) await promtool.StandardInput.WriteAsync(input);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, await output + await error);
    }

    private static Process? TryStart(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
