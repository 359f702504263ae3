using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Api.Ports;

/// <summary>
/// The processes of a network in a deployment: they host all of its services, so each network class is one kind of pod. Their silo and gateway
/// ports are those of the first service.
/// </summary>
/// <param name="SiloPort">Null for a client of the cluster.</param>
/// <param name="GatewayPort">Null for a client of the cluster.</param>
/// <param name="Subnet">The addresses that the map gives to the network.</param>
public sealed record NetworkWorkload(ServiceNetwork Network, ImmutableArray<string> Services, int? SiloPort, int? GatewayPort, string? Subnet);

/// <summary>What a deployment says of ports, made from a port map so that no number is written by hand.</summary>
public static class PortMapDeployment
{
    /// <summary>The label of a pod that says on which network it is.</summary>
    public const string NetworkLabel = "network";

    private static readonly DeploymentJson Json = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>One for each network that has services, in the map's order.</summary>
    public static ImmutableArray<NetworkWorkload> Workloads(PortMap map) =>
    [
        .. from network in map.Networks
           let services = map.Services.Where(service => service.Network == network.Network).ToArray()
           where services.Length > 0
           let isClient = services.All(service => service.Service == ServiceEndpoints.Gateway)
           select new NetworkWorkload(network.Network, [.. services.Select(service => service.Name)],
               isClient ? null : services[0].SiloPort, isClient ? null : services[0].GatewayPort, network.Subnet),
    ];

    /// <summary>
    /// Kubernetes: for each network a ConfigMap with the services of its pods, and the NetworkPolicies. Nothing may talk by default; silos reach the
    /// silo ports of silos, clients of the cluster its gateway ports, everybody the cluster's DNS. HTTP is on loopback and needs no rule.
    /// </summary>
    public static string ToKubernetes(PortMap map, int offset = 0)
    {
        PortMap shifted = map.Shifted(offset);
        ImmutableArray<NetworkWorkload> workloads = Workloads(shifted);
        NetworkWorkload[] silos = [.. workloads.Where(workload => workload.SiloPort is not null)];
        string[] members = [.. silos.Select(NameOf)], clients = [.. workloads.Except(silos).Select(NameOf)];
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {shifted.Title}: made by `ports export --format kubernetes`.\n");
        foreach (NetworkWorkload workload in workloads)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: services-{NameOf(workload)}
                data:
                  HYBRID_SERVICES: {string.Join(",", workload.Services)}

                """);
        }
        text.Append("""
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata:
              name: nothing-by-default
            spec:
              podSelector: {}
              policyTypes: [Ingress, Egress]
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata:
              name: names
            spec:
              podSelector: {}
              policyTypes: [Egress]
              egress:
                - to:
                    - namespaceSelector:
                        matchLabels:
                          kubernetes.io/metadata.name: kube-system
                      podSelector:
                        matchLabels:
                          k8s-app: kube-dns
                  ports:
                    - {protocol: UDP, port: 53}
                    - {protocol: TCP, port: 53}

            """);
        foreach (NetworkWorkload silo in silos)
        {
            Policy($"to-{NameOf(silo)}", [NameOf(silo)], "Ingress",
                [(members, silo.SiloPort!.Value), .. clients.Length == 0 ? [] : new[] { (clients, silo.GatewayPort!.Value) }]);
        }
        Policy("from-silos", members, "Egress", [.. silos.Select(silo => (new[] { NameOf(silo) }, silo.SiloPort!.Value))]);
        if (clients.Length > 0)
        {
            Policy("from-clients", clients, "Egress", [.. silos.Select(silo => (new[] { NameOf(silo) }, silo.GatewayPort!.Value))]);
        }
        return text.ToString();

        void Policy(string name, string[] pods, string direction, (string[] Peers, int Port)[] rules)
        {
            text.Append(CultureInfo.InvariantCulture, $"""
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata:
                  name: {name}
                spec:
                  podSelector:
                    matchExpressions:
                      - {Selector(pods)}
                  policyTypes: [{direction}]
                  {direction.ToLowerInvariant()}:

                """);
            foreach ((string[] peers, int port) in rules)
            {
                text.Append(CultureInfo.InvariantCulture, $"""
                        - {(direction == "Ingress" ? "from" : "to")}:
                            - podSelector:
                                matchExpressions:
                                  - {Selector(peers)}
                          ports:
                            - {Braced($"protocol: TCP, port: {port}")}

                    """);
            }
        }

        static string Selector(string[] networks) => Braced($"key: {NetworkLabel}, operator: In, values: [{string.Join(", ", networks)}]");

        static string Braced(string content) => $"{{{content}}}";
    }

    /// <summary>
    /// JSON for Bicep's <c>loadJsonContent</c>: by network its services, silo and gateway port and addresses, and the port of the database.
    /// </summary>
    public static string ToInfrastructure(PortMap map, int offset = 0)
    {
        PortMap shifted = map.Shifted(offset);
        return JsonSerializer.Serialize(new DeploymentPorts(
            Workloads(shifted).ToImmutableSortedDictionary(NameOf, workload =>
                new DeploymentNetwork(workload.Services, workload.SiloPort, workload.GatewayPort, workload.Subnet)),
            shifted.Infrastructure.FirstOrDefault(program => program.Name == "postgres")?.Ports[0].Port), Json.DeploymentPorts) + "\n";
    }

    private static string NameOf(NetworkWorkload workload) => workload.Network.ToString().ToLowerInvariant();
}

internal sealed record DeploymentNetwork(ImmutableArray<string> Services, int? SiloPort, int? GatewayPort, string? Subnet);

internal sealed record DeploymentPorts(ImmutableSortedDictionary<string, DeploymentNetwork> Networks, int? Postgres);

[JsonSerializable(typeof(DeploymentPorts))]
internal sealed partial class DeploymentJson : JsonSerializerContext;
