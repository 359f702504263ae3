using System.Text;
using System.Text.Json.Serialization;

namespace HybridTrading.Api.Ports;

/// <summary>Who may reach a port.</summary>
public enum ServiceNetwork
{
    /// <summary>The outside world: the gateway only.</summary>
    Public,
    /// <summary>The other services of the installation.</summary>
    Internal,
    /// <summary>The isolated segment of the compliance services.</summary>
    Compliance,
    /// <summary>The user's own PC.</summary>
    Client,
}

/// <summary>What a port speaks.</summary>
public enum PortKind { Http, Grpc, WebSocket, Metrics, Client }

/// <summary>A range of ports that a document gives to a group of services.</summary>
/// <param name="Name">Its key in <see cref="ServicePort.Range"/>.</param>
/// <param name="From">First port.</param>
/// <param name="To">Last port.</param>
public sealed record PortRange([property: JsonPropertyName("range")] string Name, PortKind Kind, int From, int To, string Purpose)
{
    public bool Contains(int port) => port >= From && port <= To;
}

/// <summary>The ports of one network. Where two hold a port, the narrower one says which network it is on.</summary>
/// <param name="Subnet">The address range in CIDR form, where a document gives one.</param>
public sealed record NetworkRange(ServiceNetwork Network, int From, int To, string Purpose, string? Subnet = null)
{
    public bool Contains(int port) => port >= From && port <= To;
}

/// <summary>A port that nothing may take.</summary>
public sealed record ReservedPort(int Port, string Purpose);

/// <summary>A program that is not ours (a broker, a database) and where its document puts it.</summary>
public sealed record InfrastructureService(
    string Name, string Purpose, ImmutableArray<InfrastructurePort> Ports, string? Status = null, string? Note = null);

/// <param name="Id">What the port is for within its program; the first of a program is its main one.</param>
public sealed record InfrastructurePort(string Id, int Port, string Protocol);

/// <summary>A latency target that belongs to no single service.</summary>
public sealed record SystemTarget(string Name, double LatencyTargetMs);

/// <summary>One service of a map: its ports and all that the document says of it.</summary>
public sealed record ServicePort
{
    /// <summary>The name under this map; unique.</summary>
    [JsonPropertyName("service")]
    public required string Name { get; init; }

    /// <summary>The HTTP port.</summary>
    public required int Port { get; init; }

    /// <summary>Recorded so that it stays free; nothing listens there.</summary>
    public int? GrpcPort { get; init; }

    /// <summary>Where the trading hub answers besides the gateway's port.</summary>
    public int? WebSocketPort { get; init; }

    /// <summary>Where metrics are read; equal to <see cref="Port"/> where they share it.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>The service of the default map that this name means; null where the names are the same.</summary>
    public string? MapsTo { get; init; }

    public required string Category { get; init; }
    public required string Range { get; init; }
    public required ServiceNetwork Network { get; init; }
    public string? Phase { get; init; }
    public string? Status { get; init; }
    public string? Technology { get; init; }
    public required string Purpose { get; init; }

    /// <summary>Milliseconds.</summary>
    public double? LatencyTargetMs { get; init; }

    /// <summary>Milliseconds.</summary>
    public double? LatencyMaxMs { get; init; }

    /// <summary>Requests a second.</summary>
    public double? ThroughputTargetRps { get; init; }

    /// <summary>Requests a second.</summary>
    public double? ThroughputMaxRps { get; init; }

    public double? MemoryMb { get; init; }
    public double? CpuCores { get; init; }
    public double? StorageGb { get; init; }

    /// <summary>The exact body of <c>GET /health</c> where the document prints one.</summary>
    public string? Health { get; init; }

    /// <summary>Services of this map that this one calls.</summary>
    public ImmutableArray<string> Dependencies { get; init; } = [];

    /// <summary>Entries of <see cref="PortMap.Infrastructure"/> that the document's own implementation needs.</summary>
    public ImmutableArray<string> Infrastructure { get; init; } = [];

    /// <summary>Environment variables that the document gives to the service.</summary>
    public ImmutableArray<string> Environment { get; init; } = [];

    /// <summary>Where documents contradict each other: what was kept, and why.</summary>
    public string? Note { get; init; }

    /// <summary>Our service behind this name.</summary>
    [JsonIgnore]
    public string Service => MapsTo ?? Name;

    /// <summary>Where silos of a cluster talk to each other.</summary>
    [JsonIgnore]
    public int SiloPort => Port + PortMap.SiloOffset;

    /// <summary>Where clients of a cluster connect.</summary>
    [JsonIgnore]
    public int GatewayPort => Port + PortMap.GatewayOffset;
}

/// <summary>
/// One document's port table as data. The four maps of the documents are part of the program; any file of the same shape can be loaded.
/// What a map must obey is <see cref="PortMapValidator"/>'s; loading checks only the shape.
/// </summary>
public sealed record PortMap
{
    /// <summary>A service at HTTP port P has its silo port at P + 10000.</summary>
    public const int SiloOffset = 10_000;

    /// <summary>A service at HTTP port P has its client gateway at P + 20000.</summary>
    public const int GatewayOffset = 20_000;

    public const int MaxPort = 65_535;

    /// <summary>The name of the map that names our services.</summary>
    public const string DefaultName = "hybrid";

    /// <summary>The maps that are part of the program.</summary>
    public static ImmutableArray<string> Names { get; } = [DefaultName, "backend", "deltran", "fks"];

    private static readonly Lazy<PortMap> LazyDefault = new(() => Load(DefaultName));

    /// <summary>The default map: the names in it are the names of our services.</summary>
    public static PortMap Default => LazyDefault.Value;

    public required string Name { get; init; }
    public required string Title { get; init; }
    public required ImmutableArray<string> Sources { get; init; }
    public required ImmutableArray<PortRange> Ranges { get; init; }
    public required ImmutableArray<NetworkRange> Networks { get; init; }
    public required ImmutableArray<ServicePort> Services { get; init; }
    public required ImmutableArray<ReservedPort> Reserved { get; init; }

    /// <summary>The programs on the user's PC. They are no part of a silo and do not move with an offset.</summary>
    public required ImmutableArray<ServicePort> Clients { get; init; }
    public required ImmutableArray<InfrastructureService> Infrastructure { get; init; }

    /// <summary>Groups of services that the document itself lets depend on each other in a circle.</summary>
    public required ImmutableArray<ImmutableArray<string>> AllowedCycles { get; init; }
    public required ImmutableArray<SystemTarget> Targets { get; init; }
    public required ImmutableArray<string> Notes { get; init; }

    /// <summary>Loads a map by its name, or from a file where <paramref name="nameOrFile"/> ends in <c>.json</c>.</summary>
    /// <exception cref="PortMapException">No such map or file, or its content is not a port map.</exception>
    public static PortMap Load(string nameOrFile)
    {
        if (nameOrFile.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            try
            {
                return Parse(File.ReadAllText(nameOrFile), nameOrFile);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new PortMapException($"port map {nameOrFile} cannot be read: {e.Message}", e);
            }
        }
        if (!Names.Contains(nameOrFile))
        {
            throw new PortMapException($"port map is '{nameOrFile}', expected one of {string.Join(", ", Names)} or a .json file");
        }
        using Stream resource = typeof(PortMap).Assembly.GetManifestResourceStream($"ports/{nameOrFile}.json")
            ?? throw new InvalidOperationException($"the program was built without ports/{nameOrFile}.json");
        using StreamReader reader = new(resource, Encoding.UTF8);
        return Parse(reader.ReadToEnd(), $"ports/{nameOrFile}.json");
    }

    /// <summary>
    /// Reads a map strictly: an unknown, missing, repeated or wrongly typed field is an error. Whether a number is a port that can be is, as all
    /// that concerns the meaning, the validator's question.
    /// </summary>
    /// <param name="file">What errors call the text.</param>
    /// <exception cref="PortMapException">Names the file, the service, the field, its value and what was expected.</exception>
    public static PortMap Parse(string json, string file) => PortMapReader.Read(json, file);

    /// <summary>The map with every port of a silo moved by <paramref name="offset"/>; infrastructure and the user's PC stay.</summary>
    public PortMap Shifted(int offset) => offset == 0 ? this : this with
    {
        Services = [.. Services.Select(s => s with
        {
            Port = s.Port + offset,
            GrpcPort = s.GrpcPort + offset,
            WebSocketPort = s.WebSocketPort + offset,
            MetricsPort = s.MetricsPort + offset,
        })],
        Reserved = [.. Reserved.Select(r => r with { Port = r.Port + offset })],
        Ranges = [.. Ranges.Select(r => r.Kind == PortKind.Client ? r : r with { From = r.From + offset, To = r.To + offset })],
        Networks = [.. Networks.Select(n => n.Network == ServiceNetwork.Client ? n : n with { From = n.From + offset, To = n.To + offset })],
    };

    /// <summary>The map with other HTTP and WebSocket ports for some of its services.</summary>
    /// <param name="http">Port by service name.</param>
    /// <param name="webSocket">Port by service name.</param>
    public PortMap WithPorts(IReadOnlyDictionary<string, int> http, IReadOnlyDictionary<string, int> webSocket) => this with
    {
        Services = [.. Services.Select(s => s with
        {
            Port = http.TryGetValue(s.Name, out int port) ? port : s.Port,
            MetricsPort = s.MetricsPort == s.Port && http.TryGetValue(s.Name, out port) ? port : s.MetricsPort,
            WebSocketPort = webSocket.TryGetValue(s.Name, out port) ? port : s.WebSocketPort,
        })],
    };
}

/// <summary>A port map, a choice of services or a port that cannot be used; the message is one line for the user.</summary>
public sealed class PortMapException(string message, Exception? inner = null) : Exception(message, inner);
