using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Api.Ports;

/// <summary>A port map for other programs.</summary>
public static class PortMapExport
{
    private static readonly PortMapJson Json = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<ServiceNetwork>(JsonNamingPolicy.CamelCase),
            new JsonStringEnumConverter<PortKind>(JsonNamingPolicy.CamelCase),
        },
    });

    /// <summary>The formats of <see cref="Write"/>.</summary>
    public static ImmutableArray<string> Formats { get; } = ["env", "json", "kubernetes", "infrastructure"];

    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <exception cref="PortMapException">Another format.</exception>
    public static string Write(PortMap map, string format, int offset = 0) => format switch
    {
        "env" => ToEnvironment(map, offset),
        "json" => ToJson(map, offset),
        "kubernetes" => PortMapDeployment.ToKubernetes(map, offset),
        "infrastructure" => PortMapDeployment.ToInfrastructure(map, offset),
        _ => throw new PortMapException($"format is '{format}', expected one of {string.Join(", ", Formats)}"),
    };

    /// <summary>The map as the JSON that <see cref="PortMap.Parse"/> reads.</summary>
    public static string ToJson(PortMap map, int offset = 0) => JsonSerializer.Serialize(map.Shifted(offset), Json.PortMap) + "\n";

    /// <summary>
    /// The map in the form of the documents' <c>service-ports.env</c>: <c>API_GATEWAY_PORT=8000</c> and <c>API_GATEWAY_URL=...</c> for
    /// every service, <c>_GRPC_PORT</c>, <c>_WS_PORT</c> and <c>_METRICS_PORT</c> where it has such ports, then the user's PC and infrastructure.
    /// </summary>
    public static string ToEnvironment(PortMap map, int offset = 0)
    {
        PortMap shifted = map.Shifted(offset);
        StringBuilder text = new();
        text.Append("# ").Append(shifted.Title).Append('\n');
        foreach (IGrouping<string, ServicePort> category in shifted.Services.GroupBy(s => s.Category))
        {
            Section(category.Key);
            foreach (ServicePort s in category) Service(s);
        }
        if (!shifted.Reserved.IsEmpty)
        {
            Section("Reserved");
            foreach (ReservedPort r in shifted.Reserved) text.Append(CultureInfo.InvariantCulture, $"# {r.Port}: {r.Purpose}\n");
        }
        if (!shifted.Clients.IsEmpty)
        {
            Section("The user's PC");
            foreach (ServicePort c in shifted.Clients) Service(c);
        }
        if (shifted.Infrastructure.Any(i => !i.Ports.IsEmpty))
        {
            Section("Infrastructure");
            foreach (InfrastructureService i in shifted.Infrastructure)
            {
                foreach (InfrastructurePort p in i.Ports) Port(InfrastructureVariable(i, p), p.Port);
            }
        }
        return text.ToString();

        void Section(string title) => text.Append(CultureInfo.InvariantCulture, $"\n# {title}\n");

        void Port(string variable, int port) => text.Append(CultureInfo.InvariantCulture, $"{variable}={port}\n");

        void Service(ServicePort s)
        {
            string name = VariableName(s.Name);
            Port($"{name}_PORT", s.Port);
            if (s.GrpcPort is { } grpc) Port($"{name}_GRPC_PORT", grpc);
            if (s.WebSocketPort is { } webSocket) Port($"{name}_WS_PORT", webSocket);
            if (s.MetricsPort is { } metrics && metrics != s.Port) Port($"{name}_METRICS_PORT", metrics);
            text.Append(CultureInfo.InvariantCulture, $"{name}_URL=http://localhost:{s.Port}\n");
        }
    }

    /// <summary><c>trading-engine</c> is <c>TRADING_ENGINE</c>.</summary>
    internal static string VariableName(string service) => service.ToUpperInvariant().Replace('-', '_');

    /// <summary><c>KAFKA_PORT</c> for a program's first port, <c>ELASTICSEARCH_TRANSPORT_PORT</c> for the others.</summary>
    internal static string InfrastructureVariable(InfrastructureService program, InfrastructurePort port) =>
        port == program.Ports[0] ? $"{VariableName(program.Name)}_PORT" : $"{VariableName(program.Name)}_{VariableName(port.Id)}_PORT";
}

[JsonSerializable(typeof(PortMap))]
internal sealed partial class PortMapJson : JsonSerializerContext;
