using HybridTrading.Api.Ports;

namespace HybridTrading.Tests.Ports;

public sealed class ServiceEndpointsTests
{
    [Fact]
    public void AllServicesOfTheMapAreHostedUnlessSomeAreNamed()
    {
        ServiceEndpoints plan = ServiceEndpoints.Plan(PortMap.Default);
        Assert.Equal(PortMap.Default.Services.Select(s => s.Port).Order(), plan.ListenPorts);
        Assert.Equal((18_000, 28_000), (plan.SiloPort, plan.GatewayPort));
        Assert.Equal([8000], plan.HubPorts);
    }

    [Fact]
    public void TheFirstServiceNamedGivesTheClusterPorts()
    {
        ServiceEndpoints plan = ServiceEndpoints.Plan(PortMap.Default, ["trading-engine", "audit-trail"], 100);
        Assert.Equal([8107, 8118], plan.ListenPorts);
        Assert.Equal((18_107, 28_107), (plan.SiloPort, plan.GatewayPort));
        Assert.True(plan.Hosts("audit-trail"));
        Assert.False(plan.Hosts("api-gateway"));
        Assert.Empty(plan.PortsOf("api-gateway"));
        Assert.Empty(plan.HubPorts);
        Assert.Equal("audit-trail", plan.OwnerOf(8118)?.Name);
        Assert.Null(plan.OwnerOf(8018));
    }

    [Fact]
    public void DelTransWebSocketPortServesTheHub()
    {
        ServiceEndpoints plan = ServiceEndpoints.Plan(PortMap.Load("deltran"));
        Assert.Equal([8080, 8090], plan.HubPorts.Order());
        Assert.Equal("notification-engine", plan.OwnerOf(8090)?.Name);
        Assert.Equal([8080, 8081, 8082, 8083, 8084, 8085, 8086, 8087, 8088, 8089, 8090, 9095, 50051, 50052, 50056], plan.ListenPorts);
    }

    [Fact]
    public void OurNameMeansEveryEntryThatPointsToTheService()
    {
        ServiceEndpoints plan = ServiceEndpoints.Plan(PortMap.Load("fks"), ["api-gateway", "monitor"]);
        Assert.Equal(["web", "api", "monitor"], plan.Hosted.Select(h => h.Name));
        Assert.Equal([8000, 8001], plan.PortsOf("api-gateway").Order());
        Assert.Equal([8013], plan.PortsOf("performance-analytics"));
    }

    [Fact]
    public void AServiceThatIsNotThereOrThereTwice()
    {
        Assert.Equal(
            "service is 'oracle', expected names of the map 'deltran': gateway, token-engine, obligation-engine, liquidity-router, "
                + "risk-engine, clearing-engine, compliance-engine, settlement-engine, reporting-engine, notification-engine",
            Assert.Throws<PortMapException>(() => ServiceEndpoints.Plan(PortMap.Load("deltran"), ["oracle"])).Message);
        Assert.Equal("service 'api' is named more than once, expected each once",
            Assert.Throws<PortMapException>(() => ServiceEndpoints.Plan(PortMap.Load("fks"), ["api-gateway", "api"])).Message);
    }

    [Fact]
    public void AnOffsetThatCannotWork()
    {
        Assert.Equal("port offset is -1, expected 0 to 65535",
            Assert.Throws<PortMapException>(() => ServiceEndpoints.Plan(PortMap.Default, null, -1)).Message);
        Assert.Equal(
            "port map 'hybrid' with --port-offset 200: port 8222 is taken more than once: configuration-service, nats monitoring (infrastructure)",
            Assert.Throws<PortMapException>(() => ServiceEndpoints.Plan(PortMap.Default, null, 200)).Message);
    }
}
