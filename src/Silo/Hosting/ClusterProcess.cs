using System.Net;
using HybridTrading.Api.Ports;
using HybridTrading.Silo.Commands;
using HybridTrading.Silo.Hosting.Tls;

namespace HybridTrading.Silo.Hosting;

/// <summary>What a live process is among the processes of its cluster. Local is alone and takes nothing but the whole.</summary>
public sealed record ClusterProcess
{
    /// <summary>The services that it hosts, by our names; grains of other services live elsewhere. Empty means all.</summary>
    public ImmutableHashSet<string> Services { get; init; } = [];

    /// <summary>Where other silos reach it.</summary>
    public int SiloPort { get; init; }

    /// <summary>Where clients of the cluster reach it.</summary>
    public int GatewayPort { get; init; }

    /// <summary>The address that it listens on; <see cref="IPAddress.Any"/> for all of the machine.</summary>
    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>The address by which the others know it.</summary>
    public IPAddress Advertised { get; init; } = IPAddress.Loopback;

    /// <summary>Connection string of the PostgreSQL database in which the cluster meets; null for one silo on its own.</summary>
    public string? Database { get; init; }

    /// <summary>Null only where everything stays on this machine.</summary>
    public ClusterTls? Tls { get; init; }

    /// <summary>Collects what the dashboard shows.</summary>
    public bool Dashboard { get; init; } = true;

    /// <summary>A process with the gateway alone runs no grains: it is a client of the cluster.</summary>
    public bool IsClient => Services.Count == 1 && Services.Contains(ServiceEndpoints.Gateway);

    public bool Hosts(string service) => Services.IsEmpty || Services.Contains(service);

    /// <exception cref="UsageException">What does not go together, by the names of the options.</exception>
    public void Check()
    {
        if (Database is null && !(IPAddress.IsLoopback(Listen) && IPAddress.IsLoopback(Advertised))) throw new UsageException($"--cluster-listen is {Listen}; beyond this machine a cluster needs a database (DATABASE_URL)");
        if (Tls is null && !(IPAddress.IsLoopback(Listen) && IPAddress.IsLoopback(Advertised)))
        {
            throw new UsageException($"--cluster-listen is {Listen}, --cluster-address {Advertised}; beyond this machine silos talk by mutual TLS only: expected --tls-authority, --tls-certificate and --tls-key");
        }
        if (Advertised.Equals(IPAddress.Any) || Advertised.Equals(IPAddress.IPv6Any)) throw new UsageException($"--cluster-address is {Advertised}; expected the one address by which other processes reach this one");
    }
}
