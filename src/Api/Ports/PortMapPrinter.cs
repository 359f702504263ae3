using System.Globalization;
using System.Text;

namespace HybridTrading.Api.Ports;

/// <summary>A table of text; every row has as many cells as there are columns.</summary>
public sealed record PortTable(ImmutableArray<string> Columns, ImmutableArray<ImmutableArray<string>> Rows)
{
    /// <summary>The table as GitHub-flavoured Markdown, one line a row.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        Line(Columns);
        Line(Columns.Select(_ => "---"));
        foreach (ImmutableArray<string> row in Rows) Line(row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)));
        return text.ToString();

        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}

/// <summary>A port map as tables for people.</summary>
public static class PortMapPrinter
{
    private static readonly ImmutableArray<string> NarrowColumns =
        ["Port", "Service", "Network", "Phase", "Status", "Latency", "Requests/s", "Purpose"];
    private static readonly ImmutableArray<string> WideColumns = [.. NarrowColumns, "Is", "Category", "Silo", "Gateway", "Other ports", "Depends on"];

    /// <summary>
    /// The matrix in the order of the ports: services, reserved ports and, last, the user's PC and the infrastructure.
    /// Latency is target/maximum in milliseconds, requests target/maximum a second; "-" is what no document says.
    /// </summary>
    /// <param name="offset">What is added to every port of a silo.</param>
    /// <param name="wide">With what each name means here, the cluster ports and the dependencies.</param>
    public static PortTable Table(PortMap map, int offset = 0, bool wide = false)
    {
        PortMap shifted = map.Shifted(offset);
        IEnumerable<ImmutableArray<string>> ofSilos = shifted.Services.Select(s => (s.Port, Row: Row(s, isClient: false)))
            .Concat(shifted.Reserved.Select(r => (r.Port, Row: Row(r.Port, "reserved", r.Purpose))))
            .OrderBy(r => r.Port).Select(r => r.Row);
        IEnumerable<ImmutableArray<string>> ofOthers = shifted.Clients.OrderBy(c => c.Port).Select(c => Row(c, isClient: true))
            .Concat(from program in shifted.Infrastructure
                    from port in program.Ports
                    select Row(port.Port, $"{program.Name} ({port.Id}, {port.Protocol})", program.Purpose, program.Status));
        ImmutableArray<string> columns = wide ? WideColumns : NarrowColumns;
        return new PortTable(columns, [.. ofSilos.Concat(ofOthers).Select(row => row[..columns.Length])]);
    }

    private static ImmutableArray<string> Row(ServicePort s, bool isClient) =>
    [
        Number(s.Port),
        s.Name,
        s.Network.ToString().ToLowerInvariant(),
        s.Phase ?? "-",
        s.Status ?? "-",
        Pair(s.LatencyTargetMs, s.LatencyMaxMs),
        Pair(s.ThroughputTargetRps, s.ThroughputMaxRps),
        s.Purpose,
        s.Service,
        s.Category,
        isClient ? "-" : Number(s.SiloPort),
        isClient ? "-" : Number(s.GatewayPort),
        OtherPorts(s),
        s.Dependencies.IsEmpty ? "-" : string.Join(", ", s.Dependencies),
    ];

    private static ImmutableArray<string> Row(int port, string name, string purpose, string? status = null) =>
        [Number(port), name, "-", "-", status ?? "-", "-", "-", purpose, "-", "-", "-", "-", "-", "-"];

    private static string OtherPorts(ServicePort s)
    {
        string[] ports =
        [
            .. s.GrpcPort is { } grpc ? [$"gRPC {Number(grpc)}"] : Array.Empty<string>(),
            .. s.WebSocketPort is { } webSocket ? [$"WebSocket {Number(webSocket)}"] : Array.Empty<string>(),
            .. s.MetricsPort is { } metrics ? [$"metrics {Number(metrics)}"] : Array.Empty<string>(),
        ];
        return ports.Length == 0 ? "-" : string.Join(", ", ports);
    }

    private static string Pair(double? target, double? maximum) =>
        (target, maximum) switch { (null, null) => "-", (_, null) => Number(target), _ => $"{Number(target)}/{Number(maximum)}" };

    private static string Number(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
