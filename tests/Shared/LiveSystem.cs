using System.Diagnostics;
using System.Text.Json.Nodes;

namespace HybridTrading.Tests;

/// <summary>The program's live system as a process, on loopback ports moved to where nothing listens.</summary>
public sealed class LiveSystem : IAsyncDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(1);

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string[] _arguments;
    private readonly PortBlock _ports;

    private LiveSystem(IReadOnlyDictionary<string, string> environment, string[] arguments, string map, PortBlock ports)
    {
        (_environment, _arguments, Map, _ports) = (environment, arguments, map, ports);
        Program = HybridProgram.Start(environment, arguments);
        Owner = new OwnerSession(() => Program.Output);
        Client = Owner.Client(TimeSpan.FromSeconds(30), new Uri($"http://127.0.0.1:{Gateway}"));
    }

    /// <summary>The process that runs now, or ran last.</summary>
    public HybridProgram Program { get; private set; }

    public string Map { get; }

    public int Offset => _ports.Offset;

    /// <summary>The port of the page and the API.</summary>
    public int Gateway => Services(Map).First(service => service.Means == "api-gateway").Port + Offset;

    public OwnerSession Owner { get; }

    /// <summary>Calls as the owner.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts the system, without the demonstration of a first start, and waits until it says that it runs.</summary>
    public static Task<LiveSystem> StartAsync(string data, string map = "hybrid", params string[] further) =>
        StartAsAUserAsync(data, map, ["--no-demo", .. further]);

    /// <summary>The same with variables added to the test's own environment.</summary>
    public static Task<LiveSystem> StartAsync(IReadOnlyDictionary<string, string> environment, string data, params string[] further) =>
        StartAsync(environment, data, "hybrid", ["--no-demo", .. further]);

    /// <summary>Starts the system with nothing but what is given.</summary>
    public static Task<LiveSystem> StartAsAUserAsync(string data, string map = "hybrid", params string[] further) =>
        StartAsync(new Dictionary<string, string>(), data, map, further);

    private static async Task<LiveSystem> StartAsync(IReadOnlyDictionary<string, string> environment, string data, string map, string[] further)
    {
        PortBlock ports = await PortBlock.TakeAsync();
        var system = new LiveSystem(
            environment, ["run", "--data", data, "--port-map", map, "--port-offset", $"{ports.Offset}", .. further], map, ports);
        if (await system.HasStartedAsync()) return system;
        ProgramResult result = await system.Program.WaitAsync();
        await system.DisposeAsync();
        Assert.Fail(result.ToString());
        throw new UnreachableException();
    }

    /// <summary>Starts a system that has ended once more, on the same data and ports.</summary>
    public async Task StartAgainAsync()
    {
        Assert.True(Program.HasExited, "the system still runs");
        await Program.DisposeAsync();
        Program = HybridProgram.Start(_environment, _arguments);
        if (!await HasStartedAsync()) Assert.Fail((await Program.WaitAsync()).ToString());
    }

    /// <summary>Waits until it says that it runs; false when it has ended instead.</summary>
    private async Task<bool> HasStartedAsync()
    {
        long start = Stopwatch.GetTimestamp();
        while (!Program.HasExited && !Program.Output.Contains("Ctrl+C stops.", StringComparison.Ordinal))
        {
            if (Stopwatch.GetElapsedTime(start) > LongestStart) Assert.Fail($"not started in time: {Program.Output}\n{Program.Error}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        return !Program.HasExited;
    }

    /// <summary>Every service of a map as its file in <c>ports/</c> has it: name, ports, our service of that name, the body of its health if a
    /// document prints one, and whether it is of the compliance network.</summary>
    public static IEnumerable<(string Name, string Means, int Port, int? WebSocketPort, string? Health, bool Compliance)> Services(string map)
    {
        JsonNode file = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "ports", $"{map}.json")))!;
        foreach (JsonNode? service in file["services"]!.AsArray())
        {
            string name = (string)service!["service"]!;
            yield return (name, (string?)service["mapsTo"] ?? name, (int)service["port"]!, (int?)service["webSocketPort"],
                (string?)service["health"], (string?)service["network"] == "compliance");
        }
    }

    /// <summary>Every port that the system under a map listens on.</summary>
    public static IEnumerable<int> Ports(string map) => Services(map).SelectMany(service => new[] { service.Port, service.WebSocketPort })
        .OfType<int>();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Program.DisposeAsync();
        _ports.Dispose();
    }
}
