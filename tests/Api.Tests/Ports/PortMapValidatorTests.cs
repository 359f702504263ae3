using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

public sealed class PortMapValidatorTests
{
    private static readonly ImmutableArray<PortMap> Maps = [.. PortMap.Names.Select(PortMap.Load)];

    [Fact]
    public void TwoServicesOnOnePort() => AssertFault(
        Change("risk-engine", s => s with { Port = 8083 }),
        PortFaultCode.DuplicatePort,
        "port 8083 is taken more than once: liquidity-router, risk-engine");

    [Fact]
    public void AServiceOnAnInfrastructurePort() => AssertFault(
        Change("token-engine", s => s with { Port = 8080 }),
        PortFaultCode.DuplicatePort,
        "port 8080 is taken more than once: token-engine, airflow web (infrastructure)");

    [Fact]
    public void AServiceOnAReservedPort() => AssertFault(
        Change("ninja-bridge", s => s with { Port = 8005 }),
        PortFaultCode.ReservedPort,
        "port 8005 is taken more than once: ninja-bridge, reserved (Future expansion)");

    [Theory]
    [InlineData("risk-engine", "risk-engine")]
    [InlineData("risk-engine", "risk_engine")]
    [InlineData("config-manager", "config-manager")]
    [InlineData("kafka", "kafka")]
    public void ANameTwice(string existing, string name)
    {
        PortFault fault = AssertFault(Change("crypto", s => s with { Name = name }), PortFaultCode.DuplicateName, null);
        Assert.Contains(existing, fault.Names);
        Assert.Contains("8034", fault.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void OutOfItsRange() => AssertFault(
        Change("crypto", s => s with { Port = 8050 }), PortFaultCode.OutOfRange, "crypto is at 8050, expected 8033 to 8039 (markets)");

    [Fact]
    public void AClientOutOfItsRange() => AssertFault(
        PortMap.Default with { Clients = [PortMap.Default.Clients[0] with { Port = 9005 }, .. PortMap.Default.Clients[1..]] },
        PortFaultCode.OutOfRange,
        "metatrader-connector is at 9005, expected 9001 to 9004 (client)");

    [Fact]
    public void AGrpcPortOutOfItsRange() => AssertFault(
        Change("token-engine", s => s with { GrpcPort = 50_071 }, "deltran"),
        PortFaultCode.OutOfRange,
        "token-engine (Grpc) is at 50071, expected 50051 to 50070 (grpc)");

    [Fact]
    public void ARangeThatIsNotThere() => AssertFault(Change("crypto", s => s with { Range = "moon" }), PortFaultCode.UnknownRange, null);

    [Theory]
    [InlineData("audit-trail", ServiceNetwork.Public, "audit-trail (8018) is on the public network, expected compliance (8017 to 8019)")]
    [InlineData("audit-trail", ServiceNetwork.Internal, "audit-trail (8018) is on the internal network, expected compliance (8017 to 8019)")]
    [InlineData("user-service", ServiceNetwork.Compliance, "user-service (8009) is on the compliance network, expected internal (8001 to 8099)")]
    [InlineData("user-service", ServiceNetwork.Public, "user-service (8009) is on the public network, expected internal (8001 to 8099)")]
    [InlineData("api-gateway", ServiceNetwork.Internal, "api-gateway (8000) is on the internal network, expected public (8000 to 8000)")]
    public void OnAnotherNetwork(string service, ServiceNetwork network, string text) =>
        AssertFault(Change(service, s => s with { Network = network }), PortFaultCode.WrongNetwork, text);

    [Fact]
    public void ACompliancePortOnThePublicNetworkUnderAnotherMap() => AssertFault(
        Change("audit-service", s => s with { Network = ServiceNetwork.Public }, "backend"),
        PortFaultCode.WrongNetwork,
        "audit-service (8013) is on the public network, expected compliance, because it is audit-trail");

    [Fact]
    public void ANameThatMeansNoServiceOfOurs() => AssertFault(
        Change("data", s => s with { MapsTo = "warehouse" }, "fks"),
        PortFaultCode.UnknownService,
        "data (8003) points to 'warehouse', expected a service of the map 'hybrid'");

    [Fact]
    public void ANameOfOursThatMeansAnother() => AssertFault(
        Change("crypto", s => s with { MapsTo = "futures" }, "fks"),
        PortFaultCode.UnknownService,
        "crypto (8014) points to futures, expected crypto, because that is a service of its own");

    [Fact]
    public void ADependencyThatIsNotThere() => AssertFault(
        Change("telegram-service", s => s with { Dependencies = [.. s.Dependencies, "oracle"] }),
        PortFaultCode.UnknownDependency,
        "telegram-service (8015) names 'oracle', expected a service of this map");

    [Fact]
    public void InfrastructureThatIsNotThere() => AssertFault(
        Change("audit-trail", s => s with { Infrastructure = ["oracle"] }),
        PortFaultCode.UnknownDependency,
        "audit-trail (8018) names 'oracle', expected an infrastructure entry of this map");

    [Fact]
    public void ACycleThatTheDocumentsDoNotHave() => AssertFault(
        Change("data-bridge", s => s with { Dependencies = ["trading-engine"] }),
        PortFaultCode.DependencyCycle,
        "data-bridge, ai-orchestration, trading-engine, feature-engineering, pattern-validator, multi-agent-coordinator, decision-engine "
            + "depend on each other, expected no such cycle");

    [Fact]
    public void AServiceThatDependsOnItself() => AssertFault(
        Change("portfolio", s => s with { Dependencies = ["portfolio"] }),
        PortFaultCode.DependencyCycle,
        "portfolio depend on each other, expected no such cycle");

    [Fact]
    public void TheDocumentedCycleNeedsItsAllowance() => AssertFault(
        PortMap.Default with { AllowedCycles = [] },
        PortFaultCode.DependencyCycle,
        "multi-agent-coordinator, decision-engine depend on each other, expected no such cycle");

    [Fact]
    public void AnAllowanceForACycleThatIsNotThere() => AssertFault(
        Change("decision-engine", s => s with { Dependencies = [] }),
        PortFaultCode.CycleNotThere,
        "the cycle of decision-engine, multi-agent-coordinator is allowed, expected it to be there");

    [Fact]
    public void ASiloPortThatIsTaken() => AssertFault(
        WithInfrastructurePort(18_007),
        PortFaultCode.SiloCollision,
        "port 18007 is taken more than once: the silo port of trading-engine (8007 + 10000), oracle server (infrastructure)");

    [Fact]
    public void AClientGatewayThatIsTaken() => AssertFault(
        WithInfrastructurePort(28_007),
        PortFaultCode.GatewayCollision,
        "port 28007 is taken more than once: the client gateway of trading-engine (8007 + 20000), oracle server (infrastructure)");

    [Fact]
    public void AnOffsetBeyondTheLastPort()
    {
        ImmutableArray<PortFault> faults = PortMapValidator.Validate(PortMap.Default, PortMap.Default, 40_000);
        Assert.Contains(faults, f => f.Code == PortFaultCode.PortOutOfBounds
            && f.Text == "the client gateway of api-gateway (48000 + 20000) would be at 68000, expected 1 to 65535");
    }

    [Fact]
    public void AnOffsetOntoTheUsersPc()
    {
        ImmutableArray<PortFault> faults = PortMapValidator.Collisions(PortMap.Default, 1000);
        Assert.Contains(faults, f => f.Text == "port 9001 is taken more than once: data-bridge, metatrader-connector");
    }

    [Fact]
    public void AllFaultsAreReportedAtOnce()
    {
        PortMap map = Change("crypto", s => s with { Port = 8099, Network = ServiceNetwork.Public, Dependencies = ["oracle"], Range = "markets" });
        map = map with { Services = [.. map.Services.Where(s => s.Name != "decision-engine")] };
        string[] codes = [.. PortMapValidator.Validate(map, PortMap.Default).Select(f => f.Code).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(
            [PortFaultCode.CycleNotThere, PortFaultCode.OutOfRange, PortFaultCode.UnknownDependency, PortFaultCode.WrongNetwork],
            codes);
    }

    /// <summary>Whatever rule a random change breaks is found, under every map.</summary>
    [Fact]
    public void ABrokenRuleIsAlwaysFound() =>
        Prop.ForAll(BrokenMaps().ToArbitrary(), broken =>
            PortMapValidator.Validate(broken.Map, PortMap.Default).Any(f => f.Code == broken.Code)
                .Label($"{broken.Map.Name}: {broken.Code} by {broken.Change} was not found"))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    /// <summary>Order means nothing, and services of one range and network may trade places.</summary>
    [Fact]
    public void AValidPermutationHasNoFault() =>
        Prop.ForAll(Permutations().ToArbitrary(), map =>
        {
            ImmutableArray<PortFault> faults = PortMapValidator.Validate(map, PortMap.Default);
            return faults.IsEmpty.Label(string.Join("; ", faults.Select(f => f.Text)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    /// <summary>Collisions are found exactly where two users of the machine have one number, or a number is no port.</summary>
    [Fact]
    public void AnOffsetCollidesExactlyWhereNumbersDo() =>
        Prop.ForAll(Gen.Elements(Maps.AsEnumerable()).SelectMany(_ => Gen.Choose(0, 60_000), (map, offset) => (map, offset)).ToArbitrary(), c =>
        {
            List<int> moving = [.. c.map.Services.SelectMany(s => new[] { s.Port, s.Port + 10_000, s.Port + 20_000, s.GrpcPort, s.WebSocketPort,
                s.MetricsPort == s.Port ? null : s.MetricsPort }).OfType<int>().Select(p => p + c.offset)];
            List<int> all = [.. moving, .. c.map.Reserved.Select(r => r.Port + c.offset), .. c.map.Clients.Select(s => s.Port),
                .. c.map.Infrastructure.SelectMany(i => i.Ports).Select(p => p.Port)];
            bool collides = all.Distinct().Count() < all.Count || moving.Any(p => p > 65_535);
            return (collides != PortMapValidator.Collisions(c.map, c.offset).IsEmpty).Label($"{c.map.Name} at offset {c.offset}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private sealed record Broken(PortMap Map, string Code, string Change);

    private static Gen<Broken> BrokenMaps() =>
        from map in Gen.Elements(Maps.AsEnumerable())
        from at in Gen.Choose(0, map.Services.Length - 1)
        from other in Gen.Choose(0, map.Services.Length - 1).Where(o => o != at)
        from broken in Gen.OneOf(
            Broke(map, at, PortFaultCode.DuplicatePort, "the port of another", s => s with { Port = map.Services[other].Port }),
            Broke(map, at, PortFaultCode.DuplicatePort, "a WebSocket port of another", s => s with { WebSocketPort = map.Services[other].Port }),
            Broke(map, at, PortFaultCode.DuplicateName, "the name of another", s => s with { Name = map.Services[other].Name }),
            Gen.Choose(9100, 65_535).SelectMany(p => Broke(map, at, PortFaultCode.OutOfRange, $"port {p}", s => s with { Port = p })),
            Gen.Choose(45_536, 65_535).SelectMany(p => Broke(map, at, PortFaultCode.PortOutOfBounds, $"port {p}", s => s with { Port = p })),
            Gen.Elements(Enum.GetValues<ServiceNetwork>().Where(n => n != map.Services[at].Network))
                .SelectMany(n => Broke(map, at, PortFaultCode.WrongNetwork, $"network {n}", s => s with { Network = n })),
            Broke(map, at, PortFaultCode.UnknownService, "a meaning that is not there", s => s with { MapsTo = "nobody" }),
            Broke(map, at, PortFaultCode.UnknownDependency, "a call to nobody", s => s with { Dependencies = [.. s.Dependencies, "nobody"] }),
            Broke(map, at, PortFaultCode.UnknownRange, "a range that is not there", s => s with { Range = "nowhere" }),
            Cycle(map, at, other),
            Taken(map, at, PortMap.SiloOffset, PortFaultCode.SiloCollision),
            Taken(map, at, PortMap.GatewayOffset, PortFaultCode.GatewayCollision))
        select broken;

    private static Gen<Broken> Broke(PortMap map, int at, string code, string what, Func<ServicePort, ServicePort> change) =>
        Gen.Constant(new Broken(Set(map, at, change), code, $"{map.Services[at].Name} with {what}"));

    /// <summary>A ring of two that is not the documented pair; what else joins it does not matter.</summary>
    private static Gen<Broken> Cycle(PortMap map, int at, int other)
    {
        string[] pair = [map.Services[at].Name, map.Services[other].Name];
        if (map.AllowedCycles.Any(c => pair.All(c.Contains)))
        {
            return Gen.Constant(new Broken(map with { AllowedCycles = [] }, PortFaultCode.DependencyCycle, "no allowance"));
        }
        PortMap ring = Set(map, at, s => s with { Dependencies = [.. s.Dependencies, pair[1]] });
        return Broke(ring, other, PortFaultCode.DependencyCycle, "a ring", s => s with { Dependencies = [.. s.Dependencies, pair[0]] });
    }

    private static Gen<Broken> Taken(PortMap map, int at, int offset, string code)
    {
        int port = map.Services[at].Port + offset;
        return Gen.Constant(new Broken(map with { Infrastructure = [.. map.Infrastructure, Program(port)] }, code, $"a program at {port}"));
    }

    private static Gen<PortMap> Permutations() =>
        from map in Gen.Elements(Maps.AsEnumerable())
        from services in Gen.Shuffle(map.Services.ToArray())
        from ranges in Gen.Shuffle(map.Ranges.ToArray())
        from networks in Gen.Shuffle(map.Networks.ToArray())
        from infrastructure in Gen.Shuffle(map.Infrastructure.ToArray())
        from at in Gen.Choose(0, services.Length - 1)
        from other in Gen.Elements(services.Where(s => s.Range == services[at].Range && s.Network == services[at].Network))
        let shuffled = map with { Services = [.. services], Ranges = [.. ranges], Networks = [.. networks], Infrastructure = [.. infrastructure] }
        select Exchange(shuffled, services[at], other);

    private static PortMap Exchange(PortMap map, ServicePort one, ServicePort two) => map.WithPorts(
        new Dictionary<string, int> { [one.Name] = two.Port, [two.Name] = one.Port }, new Dictionary<string, int>());

    private static PortMap Set(PortMap map, int at, Func<ServicePort, ServicePort> change) =>
        map with { Services = map.Services.SetItem(at, change(map.Services[at])) };

    private static PortMap Change(string service, Func<ServicePort, ServicePort> change, string mapName = PortMap.DefaultName)
    {
        PortMap map = PortMap.Load(mapName);
        return Set(map, map.Services.IndexOf(map.Services.Single(s => s.Name == service)), change);
    }

    private static PortMap WithInfrastructurePort(int port) =>
        PortMap.Default with { Infrastructure = [.. PortMap.Default.Infrastructure, Program(port)] };

    private static InfrastructureService Program(int port) => new("oracle", "Another program", [new InfrastructurePort("server", port, "TCP")]);

    /// <summary>The fault is there, with its text; the rules that concern nothing but it stay quiet.</summary>
    private static PortFault AssertFault(PortMap map, string code, string? text)
    {
        ImmutableArray<PortFault> faults = PortMapValidator.Validate(map, PortMap.Default);
        PortFault fault = Assert.Single(faults, f => f.Code == code && (text is null || f.Text == text));
        Assert.NotEmpty(fault.Names);
        return fault;
    }
}
