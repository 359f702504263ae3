using System.Collections.Frozen;

namespace HybridTrading.Api.Ports;

/// <summary>A service that this process hosts, with its ports after the offset.</summary>
/// <param name="Name">Its name under the map.</param>
/// <param name="Service">Our service of that name; several names of a map may mean one.</param>
/// <param name="Health">The exact body of <c>GET /health</c>, or null for the usual one.</param>
/// <param name="Dependencies">Names under the map.</param>
/// <param name="AuxiliaryPorts">gRPC and metrics ports of its own that the document gives it: they answer <c>GET /health</c> over HTTP and nothing else yet.</param>
public sealed record HostedService(
    string Name,
    string Service,
    ServiceNetwork Network,
    int Port,
    int? WebSocketPort,
    int SiloPort,
    int GatewayPort,
    string? Health,
    ImmutableArray<string> Dependencies,
    ImmutableArray<int> AuxiliaryPorts);

/// <summary>Which services this process hosts, and on which ports, under the chosen map and offset. Immutable.</summary>
public sealed class ServiceEndpoints
{
    public const string Gateway = "api-gateway";

    private readonly FrozenDictionary<int, HostedService> _byPort;
    private readonly FrozenDictionary<string, FrozenSet<int>> _portsOf;

    private ServiceEndpoints(PortMap map, int offset, ImmutableArray<HostedService> hosted)
    {
        Map = map;
        Offset = offset;
        Hosted = hosted;
        _byPort = hosted.Select(h => (h.Port, h))
            .Concat(hosted.Where(h => h.WebSocketPort is not null).Select(h => (Port: h.WebSocketPort!.Value, h)))
            .Concat(hosted.SelectMany(h => h.AuxiliaryPorts.Select(port => (Port: port, h))))
            .ToFrozenDictionary(e => e.Port, e => e.h);
        _portsOf = hosted.GroupBy(h => h.Service).ToFrozenDictionary(g => g.Key, g => g.Select(h => h.Port).ToFrozenSet(), StringComparer.Ordinal);
        HubPorts = PortsOf(Gateway).Concat(hosted.Select(h => h.WebSocketPort).OfType<int>()).ToFrozenSet();
    }

    /// <summary>The map before the offset.</summary>
    public PortMap Map { get; }

    public int Offset { get; }

    /// <summary>In the order in which they were named; at least one.</summary>
    public ImmutableArray<HostedService> Hosted { get; }

    /// <summary>The silo port of the process: that of the first service named.</summary>
    public int SiloPort => Hosted[0].SiloPort;

    /// <summary>The client gateway of the process: that of the first service named.</summary>
    public int GatewayPort => Hosted[0].GatewayPort;

    /// <summary>Every port on which the web server listens.</summary>
    public IEnumerable<int> ListenPorts => _byPort.Keys.Order();

    /// <summary>Where the trading hub may be mapped: the gateway's ports and every WebSocket port.</summary>
    public IReadOnlySet<int> HubPorts { get; }

    /// <summary>The HTTP ports of one of our services; empty where this process does not host it.</summary>
    public IReadOnlySet<int> PortsOf(string service) => _portsOf.TryGetValue(service, out FrozenSet<int>? ports) ? ports : FrozenSet<int>.Empty;

    public bool Hosts(string service) => _portsOf.ContainsKey(service);

    /// <summary>The service that owns a port; null where the web server does not listen there.</summary>
    public HostedService? OwnerOf(int port) => _byPort.GetValueOrDefault(port);

    /// <summary>Plans the ports of one process.</summary>
    /// <param name="services">Names of the map or of our services; null or empty means all of the map.</param>
    /// <param name="offset">Added to every HTTP, WebSocket, silo and gateway port; 0 or more.</param>
    /// <exception cref="PortMapException">An unknown or repeated service, or ports that collide or do not exist.</exception>
    public static ServiceEndpoints Plan(PortMap map, IReadOnlyCollection<string>? services = null, int offset = 0)
    {
        if (offset is < 0 or > PortMap.MaxPort) throw new PortMapException($"port offset is {offset}, expected 0 to {PortMap.MaxPort}");
        if (PortMapValidator.Collisions(map, offset) is { IsEmpty: false } faults)
        {
            string moved = offset == 0 ? "" : $" with --port-offset {offset}";
            throw new PortMapException($"port map '{map.Name}'{moved}: {string.Join("; ", faults.Select(f => f.Text))}");
        }
        PortMap shifted = map.Shifted(offset);
        ImmutableArray<ServicePort> chosen = services is null or { Count: 0 } ? shifted.Services : Choose(shifted, services);
        return new ServiceEndpoints(map, offset, [.. chosen.Select(s => new HostedService(
            s.Name, s.Service, s.Network, s.Port, s.WebSocketPort, s.SiloPort, s.GatewayPort, s.Health, s.Dependencies, Auxiliary(s)))]);
    }

    private static ImmutableArray<int> Auxiliary(ServicePort service) =>
        [.. new[] { service.GrpcPort, service.MetricsPort == service.Port ? null : service.MetricsPort }.OfType<int>()];

    private static ImmutableArray<ServicePort> Choose(PortMap map, IReadOnlyCollection<string> names)
    {
        ImmutableArray<ServicePort>.Builder chosen = ImmutableArray.CreateBuilder<ServicePort>();
        foreach (string name in names)
        {
            ServicePort[] meant = [.. map.Services.Where(s => s.Name == name)];
            if (meant.Length == 0) meant = [.. map.Services.Where(s => s.Service == name)];
            if (meant.Length == 0)
            {
                string known = string.Join(", ", map.Services.Select(s => s.Name));
                throw new PortMapException($"service is '{name}', expected names of the map '{map.Name}': {known}");
            }
            if (meant.Any(chosen.Contains)) throw new PortMapException($"service '{name}' is named more than once, expected each once");
            chosen.AddRange(meant);
        }
        return chosen.ToImmutable();
    }
}
