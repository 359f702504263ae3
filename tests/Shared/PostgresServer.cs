using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace HybridTrading.Tests;

/// <summary>
/// A PostgreSQL server of the caller's own: a new cluster in a temporary folder, on a free loopback port, with a password. It ends with the process
/// that started it, also when that is killed. The server refuses to run as root, so root starts it as the user <c>postgres</c>.
/// </summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    private const string User = "postgres";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    private readonly string _binaries;
    private readonly string _folder;
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    private Process? _guard;
    private int _databases;

    private PostgresServer(string binaries)
    {
        _binaries = binaries;
        _folder = Directory.CreateTempSubdirectory("hybrid-postgres-").FullName;
    }

    /// <summary>Changes with every <see cref="StartAsync()"/> only when another process took it in between.</summary>
    public int Port { get; private set; }

    private string Data => Path.Combine(_folder, "data");

    private string Log => Path.Combine(_folder, "log");

    /// <summary>Makes a cluster and starts it.</summary>
    /// <param name="settings">Of postgresql.conf, for example <c>max_connections = 20</c>.</param>
    /// <returns>Null where the server is not installed.</returns>
    public static async Task<PostgresServer?> TryStartNewAsync(params string[] settings)
    {
        if (FindBinaries() is not { } binaries) return null;
        var server = new PostgresServer(binaries);
        try
        {
            await server.InitializeAsync(settings);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>What Npgsql connects with.</summary>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port};Username={User};Password={_password};Database={database}";

    /// <summary>The same as an address, as <c>DATABASE_URL</c> has it.</summary>
    public string Url(string database) => $"postgresql://{User}:{_password}@127.0.0.1:{Port}/{database}";

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        string name = $"test{Interlocked.Increment(ref _databases)}";
        await RunAsync("createdb", "-h", "127.0.0.1", "-p", $"{Port}", "-U", User, name);
        return name;
    }

    /// <summary>Starts the stopped server and waits until it answers.</summary>
    public async Task StartAsync()
    {
        for (int attempt = 0; ; attempt++)
        {
            if (Port == 0 || attempt > 0) Port = FreePort();
            Launch();
            long start = Stopwatch.GetTimestamp();
            while (!_guard!.HasExited && Stopwatch.GetElapsedTime(start) < Longest)
            {
                if (await TryRunAsync("pg_isready", "-q", "-h", "127.0.0.1", "-p", $"{Port}", "-U", User) == 0) return;
                await Task.Delay(20);
            }
            // The port may have been taken between the look and the start.
            if (attempt == 3) throw new InvalidOperationException($"PostgreSQL does not start: {await LogAsync()}");
            await EndGuardAsync();
        }
    }

    /// <summary>Stops the server.</summary>
    /// <param name="immediate">As a crash: no checkpoint, no farewell to clients; the next start recovers from the write-ahead log.</param>
    public async Task StopAsync(bool immediate = false)
    {
        await RunAsync("pg_ctl", "stop", "-D", Data, "-m", immediate ? "immediate" : "fast", "-w", "-t", "60");
        await EndGuardAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndGuardAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task InitializeAsync(string[] settings)
    {
        string password = Path.Combine(_folder, "password");
        await File.WriteAllTextAsync(password, _password);
        if (Environment.IsPrivilegedProcess) await CheckedAsync(Start("chown", ["-R", User, _folder]), "chown");
        await RunAsync("initdb", "-D", Data, "-U", User, "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale", "C", "--no-sync");
        await File.AppendAllLinesAsync(Path.Combine(Data, "postgresql.conf"),
            ["unix_socket_directories = ''", "listen_addresses = '127.0.0.1'", "max_connections = 200", "jit = off", .. settings]);
    }

    // The shell holds the server and waits for the end of its own input, which comes with the end of this process in any case.
    private void Launch()
    {
        string[] server = As([Path.Combine(_binaries, "postgres"), "-D", Data, "-p", $"{Port}"]);
        string line = string.Join(' ', server.Select(word => $"'{word}'"));
        _guard = Start("sh", ["-c", $"exec 3<&0; {line} >>'{Log}' 2>&1 3<&- </dev/null & server=$!; "
            + "(cat <&3 >/dev/null; kill -0 $$ && kill -INT $server) & wait $server"]);
    }

    private async Task EndGuardAsync()
    {
        if (_guard is null) return;
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync().WaitAsync(Longest);
        _guard.Dispose();
        _guard = null;
    }

    private async Task<string> LogAsync() => File.Exists(Log) ? await File.ReadAllTextAsync(Log) : "it left no log";

    private Task RunAsync(string program, params string[] arguments) =>
        CheckedAsync(Start(As([Path.Combine(_binaries, program), .. arguments])), program);

    private async Task<int> TryRunAsync(string program, params string[] arguments)
    {
        using Process process = Start(As([Path.Combine(_binaries, program), .. arguments]));
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static string[] As(string[] command) => Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", .. command]
        : command;

    private Process Start(string[] command) => Start(command[0], command[1..]);

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder,
        };
        start.Environment["PGPASSWORD"] = _password;
        start.Environment["LC_ALL"] = "C";
        return Process.Start(start)!;
    }

    private static async Task CheckedAsync(Process process, string program)
    {
        using Process own = process;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Longest);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await output}{await error}");
    }

    private static string? FindBinaries()
    {
        const string debian = "/usr/lib/postgresql";
        if (Directory.Exists(debian))
        {
            string? newest = Directory.GetDirectories(debian).Where(version => File.Exists(Path.Combine(version, "bin", "postgres")))
                .OrderBy(version => int.TryParse(Path.GetFileName(version), out int number) ? number : 0).LastOrDefault();
            if (newest is not null) return Path.Combine(newest, "bin");
        }
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb")));
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
