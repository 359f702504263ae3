using System.Globalization;

namespace HybridTrading.Api.Ports;

/// <summary>One broken rule of a port map.</summary>
/// <param name="Code">The rule, one of <see cref="PortFaultCode"/>.</param>
/// <param name="Text">One line that names the services and ports.</param>
/// <param name="Names">The services, programs or ranges concerned.</param>
/// <param name="Ports">The ports concerned.</param>
public sealed record PortFault(string Code, string Text, ImmutableArray<string> Names, ImmutableArray<int> Ports);

/// <summary>The rules of a port map.</summary>
public static class PortFaultCode
{
    public const string DuplicatePort = "duplicate-port";
    public const string DuplicateName = "duplicate-name";
    public const string ReservedPort = "reserved-port";
    public const string UnknownRange = "unknown-range";
    public const string OutOfRange = "out-of-range";
    public const string WrongNetwork = "wrong-network";
    public const string UnknownService = "unknown-service";
    public const string UnknownDependency = "unknown-dependency";
    public const string DependencyCycle = "dependency-cycle";
    public const string CycleNotThere = "cycle-not-there";
    public const string SiloCollision = "silo-collision";
    public const string GatewayCollision = "gateway-collision";
    public const string PortOutOfBounds = "port-out-of-bounds";
}

/// <summary>Proves that a port map obeys its rules; every fault is reported, not the first one only.</summary>
public static class PortMapValidator
{
    /// <param name="services">The map that names our services; the default map. It is also its own reference.</param>
    /// <param name="offset">What is added to every port of a silo.</param>
    public static ImmutableArray<PortFault> Validate(PortMap map, PortMap services, int offset = 0)
    {
        PortMap shifted = map.Shifted(offset);
        return
        [
            .. DuplicateNames(shifted),
            .. Ranges(shifted),
            .. Networks(shifted),
            .. Meanings(shifted, services),
            .. Dependencies(shifted),
            .. Cycles(shifted),
            .. Bounds(Claims(shifted)),
            .. Clashes(shifted),
        ];
    }

    /// <summary>Only what would keep the map from being listened on: two users of one port, or a number that is no port.</summary>
    public static ImmutableArray<PortFault> Collisions(PortMap map, int offset = 0)
    {
        PortMap shifted = map.Shifted(offset);
        return [.. Bounds(ClaimsOfServices(shifted)), .. Clashes(shifted)];
    }

    private enum Use { Http, Grpc, WebSocket, Metrics, Client, Infrastructure, Reserved, Silo, Gateway }

    private readonly record struct Claim(int Port, string Owner, Use Use)
    {
        public bool IsCluster => Use is Use.Silo or Use.Gateway;

        public override string ToString() => Use switch
        {
            Use.Http or Use.Client => Owner,
            Use.Reserved => $"reserved ({Owner})",
            Use.Infrastructure => $"{Owner} (infrastructure)",
            Use.Silo => $"the silo port of {Owner} ({Number(Port - PortMap.SiloOffset)} + {Number(PortMap.SiloOffset)})",
            Use.Gateway => $"the client gateway of {Owner} ({Number(Port - PortMap.GatewayOffset)} + {Number(PortMap.GatewayOffset)})",
            _ => $"{Owner} ({(Use == Use.Grpc ? "gRPC" : Use == Use.WebSocket ? "WebSocket" : "metrics")})",
        };
    }

    private static IEnumerable<Claim> ClaimsOfServices(PortMap map)
    {
        foreach (ServicePort s in map.Services)
        {
            yield return new Claim(s.Port, s.Name, Use.Http);
            if (s.GrpcPort is { } grpc) yield return new Claim(grpc, s.Name, Use.Grpc);
            if (s.WebSocketPort is { } webSocket) yield return new Claim(webSocket, s.Name, Use.WebSocket);
            if (s.MetricsPort is { } metrics && metrics != s.Port) yield return new Claim(metrics, s.Name, Use.Metrics);
        }
        // Two services on one port are one fault, not three.
        foreach (ServicePort s in map.Services.DistinctBy(s => s.Port))
        {
            yield return new Claim(s.SiloPort, s.Name, Use.Silo);
            yield return new Claim(s.GatewayPort, s.Name, Use.Gateway);
        }
    }

    private static IEnumerable<Claim> Claims(PortMap map) =>
        ClaimsOfServices(map)
            .Concat(map.Reserved.Select(r => new Claim(r.Port, r.Purpose, Use.Reserved)))
            .Concat(map.Clients.Select(c => new Claim(c.Port, c.Name, Use.Client)))
            .Concat(map.Infrastructure.SelectMany(i => i.Ports.Select(p => new Claim(p.Port, $"{i.Name} {p.Id}", Use.Infrastructure))));

    private static IEnumerable<PortFault> Clashes(PortMap map)
    {
        foreach (IGrouping<int, Claim> port in Claims(map).GroupBy(c => c.Port).OrderBy(g => g.Key))
        {
            Claim[] claims = [.. port];
            if (claims.Length < 2) continue;
            Claim[] direct = [.. claims.Where(c => !c.IsCluster)];
            if (direct.Length > 1)
            {
                yield return Fault(direct.Any(c => c.Use == Use.Reserved) ? PortFaultCode.ReservedPort : PortFaultCode.DuplicatePort, direct);
            }
            if (direct.Length < claims.Length)
            {
                yield return Fault(claims.Any(c => c.Use == Use.Silo) ? PortFaultCode.SiloCollision : PortFaultCode.GatewayCollision, claims);
            }
        }

        static PortFault Fault(string code, Claim[] claims) => new(
            code,
            $"port {Number(claims[0].Port)} is taken more than once: {string.Join(", ", claims.Select(c => c.ToString()))}",
            [.. claims.Select(c => c.Owner)],
            [claims[0].Port]);
    }

    private static IEnumerable<PortFault> Bounds(IEnumerable<Claim> claims) =>
        from claim in claims
        where claim.Port is < 1 or > PortMap.MaxPort
        select new PortFault(
            PortFaultCode.PortOutOfBounds,
            $"{claim} would be at {Number(claim.Port)}, expected 1 to {Number(PortMap.MaxPort)}",
            [claim.Owner],
            [claim.Port]);

    private static IEnumerable<PortFault> DuplicateNames(PortMap map) =>
        // 'a-b' and 'a_b' are one environment variable, so they are one name.
        from same in map.Services.Concat(map.Clients).Select(s => (s.Name, s.Port))
            .Concat(map.Infrastructure.Select(i => (i.Name, Port: i.Ports.IsEmpty ? 0 : i.Ports[0].Port)))
            .GroupBy(s => PortMapExport.VariableName(s.Name))
        where same.Count() > 1
        select new PortFault(
            PortFaultCode.DuplicateName,
            $"name {same.First().Name} is used more than once, by the ports {string.Join(", ", same.Select(s => Number(s.Port)))}",
            [.. same.Select(s => s.Name)],
            [.. same.Select(s => s.Port)]);

    private static IEnumerable<PortFault> Ranges(PortMap map)
    {
        foreach (ServicePort s in map.Services.Concat(map.Clients))
        {
            if (map.Ranges.FirstOrDefault(r => r.Name == s.Range) is not { } range)
            {
                yield return new PortFault(
                    PortFaultCode.UnknownRange,
                    $"{s.Name} ({Number(s.Port)}) is in range '{s.Range}', expected one of {string.Join(", ", map.Ranges.Select(r => r.Name))}",
                    [s.Name],
                    [s.Port]);
            }
            else if (!range.Contains(s.Port))
            {
                yield return Outside(s.Name, s.Port, [range]);
            }
            foreach ((int? port, PortKind kind) in
                new[] { (s.GrpcPort, PortKind.Grpc), (s.WebSocketPort, PortKind.WebSocket), (s.MetricsPort, PortKind.Metrics) })
            {
                if (port is not { } number || number == s.Port) continue;
                PortRange[] ranges = [.. map.Ranges.Where(r => r.Kind == kind)];
                if (!ranges.Any(r => r.Contains(number))) yield return Outside($"{s.Name} ({kind})", number, ranges);
            }
        }

        static PortFault Outside(string name, int port, PortRange[] ranges) => new(
            PortFaultCode.OutOfRange,
            $"{name} is at {Number(port)}, expected " + (ranges.Length == 0
                ? "a range for such ports"
                : string.Join(" or ", ranges.Select(r => $"{Number(r.From)} to {Number(r.To)} ({r.Name})"))),
            [name],
            [port]);
    }

    private static IEnumerable<PortFault> Networks(PortMap map)
    {
        if (map.Networks.IsEmpty) yield break;
        foreach (ServicePort s in map.Services.Concat(map.Clients))
        {
            NetworkRange? narrowest = map.Networks.Where(n => n.Contains(s.Port)).MinBy(n => n.To - n.From);
            if (narrowest?.Network == s.Network) continue;
            yield return new PortFault(
                PortFaultCode.WrongNetwork,
                $"{s.Name} ({Number(s.Port)}) is on the {Word(s.Network)} network, expected " + (narrowest is null
                    ? "a port that one of the map's networks holds"
                    : $"{Word(narrowest.Network)} ({Number(narrowest.From)} to {Number(narrowest.To)})"),
                [s.Name],
                [s.Port]);
        }
    }

    /// <summary>Each name means one of our services, and stays on that service's network: no map may take compliance out of its segment.</summary>
    private static IEnumerable<PortFault> Meanings(PortMap map, PortMap services)
    {
        Dictionary<string, ServicePort> ours = services.Services.DistinctBy(s => s.Name).ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (ServicePort s in map.Services)
        {
            if (!ours.TryGetValue(s.Service, out ServicePort? meant))
            {
                yield return new PortFault(
                    PortFaultCode.UnknownService,
                    $"{s.Name} ({Number(s.Port)}) points to '{s.Service}', expected a service of the map '{services.Name}'",
                    [s.Name, s.Service],
                    [s.Port]);
            }
            else if (meant.Name != s.Name && ours.ContainsKey(s.Name))
            {
                yield return new PortFault(
                    PortFaultCode.UnknownService,
                    $"{s.Name} ({Number(s.Port)}) points to {s.Service}, expected {s.Name}, because that is a service of its own",
                    [s.Name, s.Service],
                    [s.Port]);
            }
            else if (meant.Network != s.Network)
            {
                yield return new PortFault(
                    PortFaultCode.WrongNetwork,
                    $"{s.Name} ({Number(s.Port)}) is on the {Word(s.Network)} network, expected {Word(meant.Network)}, because it is {meant.Name}",
                    [s.Name, meant.Name],
                    [s.Port]);
            }
        }
    }

    private static IEnumerable<PortFault> Dependencies(PortMap map)
    {
        HashSet<string> services = [.. map.Services.Select(s => s.Name)];
        HashSet<string> programs = [.. map.Infrastructure.Select(i => i.Name)];
        foreach (ServicePort s in map.Services.Concat(map.Clients))
        {
            foreach (string unknown in s.Dependencies.Where(d => !services.Contains(d)))
            {
                yield return Unknown(s.Name, s.Port, unknown, "a service of this map");
            }
            foreach (string unknown in s.Infrastructure.Where(d => !programs.Contains(d)))
            {
                yield return Unknown(s.Name, s.Port, unknown, "an infrastructure entry of this map");
            }
        }
        foreach (string unknown in map.AllowedCycles.SelectMany(c => c).Where(d => !services.Contains(d)))
        {
            yield return Unknown("allowedCycles", 0, unknown, "a service of this map");
        }

        static PortFault Unknown(string who, int port, string unknown, string expected) => new(
            PortFaultCode.UnknownDependency,
            $"{who}{(port == 0 ? "" : $" ({Number(port)})")} names '{unknown}', expected {expected}",
            [who, unknown],
            port == 0 ? [] : [port]);
    }

    private static IEnumerable<PortFault> Cycles(PortMap map)
    {
        ILookup<string, string> calls = map.Services.SelectMany(s => s.Dependencies.Select(d => (s.Name, Callee: d)))
            .ToLookup(e => e.Name, e => e.Callee, StringComparer.Ordinal);
        Dictionary<string, HashSet<string>> reached = map.Services.Select(s => s.Name).Distinct()
            .ToDictionary(n => n, Reach, StringComparer.Ordinal);
        List<string[]> cycles = [];
        foreach (string name in reached.Keys.Where(n => reached[n].Contains(n)))
        {
            if (cycles.Any(c => c.Contains(name))) continue;
            cycles.Add([.. reached.Keys.Where(other => reached[name].Contains(other) && reached[other].Contains(name))]);
        }
        foreach (string[] cycle in cycles.Where(c => !map.AllowedCycles.Any(allowed => c.All(allowed.Contains))))
        {
            yield return new PortFault(
                PortFaultCode.DependencyCycle,
                $"{string.Join(", ", cycle)} depend on each other, expected no such cycle",
                [.. cycle],
                PortsOf(cycle));
        }
        foreach (ImmutableArray<string> allowed in map.AllowedCycles.Where(a => !cycles.Any(c => a.All(c.Contains))))
        {
            yield return new PortFault(
                PortFaultCode.CycleNotThere,
                $"the cycle of {string.Join(", ", allowed)} is allowed, expected it to be there",
                allowed,
                PortsOf(allowed));
        }

        HashSet<string> Reach(string from)
        {
            HashSet<string> seen = [];
            Stack<string> open = new(calls[from]);
            while (open.TryPop(out string? next))
            {
                if (!seen.Add(next)) continue;
                foreach (string callee in calls[next]) open.Push(callee);
            }
            return seen;
        }

        ImmutableArray<int> PortsOf(IEnumerable<string> names) => [.. map.Services.Where(s => names.Contains(s.Name)).Select(s => s.Port)];
    }

    private static string Word(ServiceNetwork network) => network.ToString().ToLowerInvariant();

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
