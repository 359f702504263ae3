using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace HybridTrading.Tests;

/// <summary>How a start of the program ended and what it printed.</summary>
public sealed record ProgramResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The lines of standard error that hold something.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public ProgramResult Succeeded()
    {
        Assert.True(ExitCode == 0, ToString());
        return this;
    }

    public override string ToString() => $"{Command}\nexit code {ExitCode}\n-- standard output\n{Output}\n-- standard error\n{Error}";
}

/// <summary>One start of the real built program as a process of its own. Ended at the latest when disposed, by its id.</summary>
public sealed class HybridProgram : IAsyncDisposable
{
    private const int SigInt = 2, SigTerm = 15;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly StringBuilder _output = new(), _error = new();

    private HybridProgram(IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        Command = "HybridTrading " + string.Join(' ', arguments);
        var start = new ProcessStartInfo("dotnet", [File, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false,
        };
        start.Environment["HYBRID_CACHE"] = Cache;
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    // Shared by all starts of this test process, as a user's is by all of theirs.
    private static string Cache { get; } = MakeCache();

    /// <summary>The program as src/Silo's build left it, of the same configuration and host as the tests.</summary>
    public static string File { get; } = FindProgram();

    /// <summary>Whether this process, and so each that it starts, was told to ignore Ctrl+C (a shell does so for what it runs in the
    /// background).</summary>
    public static bool IgnoresInterrupt { get; } = OperatingSystem.IsLinux() && System.IO.File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
        .Any(line => (Convert.ToUInt64(line[7..].Trim(), 16) & (1ul << (SigInt - 1))) != 0);

    public string Command { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Error => Text(_error);

    public static HybridProgram Start(params string[] arguments) => new(ImmutableDictionary<string, string>.Empty, arguments);

    /// <param name="environment">Added to the test's own.</param>
    public static HybridProgram Start(IReadOnlyDictionary<string, string> environment, params string[] arguments) => new(environment, arguments);

    /// <summary>Runs the program to its end.</summary>
    public static async Task<ProgramResult> RunAsync(params string[] arguments)
    {
        await using HybridProgram program = Start(arguments);
        return await program.WaitAsync();
    }

    /// <summary>Waits until the program ends by itself.</summary>
    public async Task<ProgramResult> WaitAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Longest);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"not ended in time: {Command}\n-- standard output\n{Output}\n-- standard error\n{Error}");
        }
        return new ProgramResult(Command, _process.ExitCode, Output, Error);
    }

    /// <summary>Asks the program to stop as Ctrl+C does (or, where that is ignored, as a service manager does), and waits until it has.</summary>
    public Task<ProgramResult> StopAsync() => SignalAsync(IgnoresInterrupt ? SigTerm : SigInt);

    public Task<ProgramResult> InterruptAsync() => SignalAsync(SigInt);

    public Task<ProgramResult> TerminateAsync() => SignalAsync(SigTerm);

    /// <summary>Ends the program between any two instructions: kill -9.</summary>
    public async Task KillAsync()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It was faster.
        }
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private async Task<ProgramResult> SignalAsync(int signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs signals of a Unix system");
        Assert.Equal(0, Kill(_process.Id, signal));
        return await WaitAsync();
    }

    private static void Keep(StringBuilder all, string? line)
    {
        if (line is null) return;
        lock (all) all.Append(line).Append('\n');
    }

    private static string Text(StringBuilder all)
    {
        lock (all) return all.ToString();
    }

    private static string MakeCache()
    {
        string folder = Directory.CreateTempSubdirectory("hybrid-cache-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }

    private static string FindProgram()
    {
        // artifacts/HOST/bin/PROJECT/CONFIGURATION
        DirectoryInfo own = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string file = Path.Combine(own.Parent!.Parent!.FullName, "Silo", own.Name, "HybridTrading.Silo.dll");
        return System.IO.File.Exists(file) ? file : throw new InvalidOperationException($"{file} is missing; build src/Silo");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}
