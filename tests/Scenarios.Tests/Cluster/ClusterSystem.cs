using HybridTrading.Storage.Keys;

namespace HybridTrading.Scenarios.Tests.Cluster;

/// <summary>One process of a cluster: what it hosts, where, and the start of the program that is at it now.</summary>
public sealed class Member(string name, int offset, string services)
{
    public string Name => name;

    public int Offset => offset;

    public string Services => services;

    public HybridProgram? Program { get; set; }
}

/// <summary>
/// PostgreSQL, three silos that host different services (each service twice, so that one silo may go) and two API processes, on loopback.
/// </summary>
public sealed class ClusterSystem : IAsyncDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string> _environment;
    private readonly string[] _further;
    private readonly PortBlock[] _ports;

    private ClusterSystem(PostgresServer server, string database, PortBlock[] ports, string[] further)
    {
        Server = server;
        _further = further;
        _ports = ports;
        _environment = new() { ["DATABASE_URL"] = server.Url(database) };
        // The processes of a cluster share the key that wraps all others.
        FileKeyProvider.Open(_folder["keys"]);
        Silos =
        [
            new Member("silo-1", ports[0].Offset, "data-bridge,feature-engineering,database-service,user-service,configuration-service,central-hub,notification-service"),
            new Member("silo-2", ports[1].Offset, "trading-engine,data-bridge,feature-engineering"),
            new Member("silo-3", ports[2].Offset, "database-service,trading-engine,performance-analytics,user-service,configuration-service,central-hub,notification-service"),
        ];
        Gateways = [new Member("api-1", ports[3].Offset, "api-gateway"), new Member("api-2", ports[4].Offset, "api-gateway")];
        Owner = new OwnerSession(() => string.Concat(Gateways.Select(gateway => gateway.Program?.Output)));
        Clients = [.. Gateways.Select(gateway => Owner.Client(TimeSpan.FromSeconds(8), new Uri($"http://127.0.0.1:{8000 + gateway.Offset}")))];
    }

    public PostgresServer Server { get; }

    public Member[] Silos { get; }

    public Member[] Gateways { get; }

    public OwnerSession Owner { get; }

    /// <summary>One for each gateway; they call as the owner.</summary>
    public HttpClient[] Clients { get; }

    /// <param name="further">Options of every process.</param>
    public static async Task<ClusterSystem> StartAsync(params string[] further)
    {
        PostgresServer server = await PostgresServer.StartNewAsync("max_connections = 300");
        var system = new ClusterSystem(server, await server.CreateDatabaseAsync(), await PortBlock.TakeAsync(5), further);
        (await HybridProgram.Start(system._environment, "db", "migrate").WaitAsync()).Succeeded();
        Member[] all = [.. system.Silos, .. system.Gateways];
        foreach (Member member in all) system.Launch(member);
        foreach (Member member in all) await system.IsUpAsync(member);
        return system;
    }

    /// <summary>Starts a member, on the ports that it always has.</summary>
    public void Launch(Member member) => member.Program = HybridProgram.Start(_environment, ["run", "--data", _folder[member.Name],
        "--master-key", _folder[Path.Combine("keys", "master.key")], "--services", member.Services, "--port-offset", $"{member.Offset}", .. _further]);

    public async Task IsUpAsync(Member member)
    {
        DateTime limit = DateTime.UtcNow + LongestStart;
        while (!member.Program!.Output.Contains("Ctrl+C stops.", StringComparison.Ordinal))
        {
            Assert.False(member.Program.HasExited, $"{member.Name} ended: {member.Program.Output}\n{member.Program.Error}");
            Assert.True(DateTime.UtcNow < limit, $"{member.Name} is not up: {member.Program.Output}\n{member.Program.Error}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The last that each process wrote, for the message of a failure.</summary>
    public string Said() => string.Join('\n', Silos.Concat(Gateways).Select(member =>
        $"{member.Name}: {string.Join('\n', $"{member.Program?.Output}{member.Program?.Error}".Split('\n').TakeLast(60))}"));

    public Task<ProgramResult> RunAsync(params string[] arguments) => HybridProgram.Start(_environment, arguments).WaitAsync();

    /// <summary>The journal's proof, by a process of its own.</summary>
    public Task<ProgramResult> VerifyAsync() => RunAsync("journal", "verify", "--connection", _environment["DATABASE_URL"],
        "--master-key", _folder[Path.Combine("keys", "master.key")]);

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient client in Clients) client.Dispose();
        foreach (Member member in Gateways.Concat(Silos))
        {
            if (member.Program is { } program) await program.DisposeAsync();
        }
        await Server.DisposeAsync();
        foreach (PortBlock block in _ports) block.Dispose();
        _folder.Dispose();
    }
}
