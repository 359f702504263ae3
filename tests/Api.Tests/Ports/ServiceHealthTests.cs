using System.Text.Json;
using HybridTrading.Api.Ports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HybridTrading.Tests.Ports;

[Collection(PortServer.Collection)]
public sealed class ServiceHealthTests
{
    public static TheoryData<string> Maps => PortMapTests.Maps;

    /// <summary>All ports of a map at once, on a real server.</summary>
    [Theory]
    [MemberData(nameof(Maps))]
    public async Task EveryPortOfEveryMapAnswers(string name)
    {
        PortMap map = PortMap.Load(name);
        await using PortServer server = await PortServer.StartAsync(map, null, app => app.MapServiceHealth());
        foreach (ServicePort service in map.Services)
        {
            int port = service.Port + server.Plan.Offset;
            string body = name == "deltran" ? service.Health! : $$"""{"status":"healthy","service":"{{service.Name}}","port":{{port}}}""";
            Assert.Equal((200, body), await server.SendAsync(port, "/health"));
            // Of the compliance network only with its token, and nobody checks tokens here: then nobody is served.
            Assert.Equal(service.Network == ServiceNetwork.Compliance ? 503 : 200, (await server.SendAsync(port, "/health/ready")).Status);
        }
        Assert.True(server.Plan.ListenPorts.Count() >= map.Services.Length);
    }

    /// <summary>The table of the document, typed here.</summary>
    [Theory]
    [InlineData(8080, """{"status": "ok"}""")]
    [InlineData(8081, """{"status": "healthy"}""")]
    [InlineData(8082, """{"status": "ok"}""")]
    [InlineData(8083, """{"status": "ok"}""")]
    [InlineData(8084, """{"status": "ok"}""")]
    [InlineData(8085, """{"status": "ok"}""")]
    [InlineData(8086, """{"status": "ok"}""")]
    [InlineData(8087, """{"status": "ok"}""")]
    [InlineData(8088, """{"status": "healthy"}""")]
    [InlineData(8089, """{"status": "healthy"}""")]
    [InlineData(8090, """{"status": "healthy"}""")]
    public void DelTransBodiesAreAsPrinted(int port, string body)
    {
        using ServiceProvider services = new ServiceCollection().AddLogging().AddHealthChecks().Services.BuildServiceProvider();
        ServiceHealth health = new(ServiceEndpoints.Plan(PortMap.Load("deltran")), services.GetRequiredService<HealthCheckService>());
        Assert.Equal(body, health.AliveBody(port));
    }

    [Fact]
    public async Task TheBodyIsJson()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, ["api-gateway"], app => app.MapServiceHealth());
        using HttpResponseMessage response = await server.Client.GetAsync($"http://127.0.0.1:{server["api-gateway"]}/health");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(405, (await server.SendAsync(server["api-gateway"], "/health", method: HttpMethod.Post)).Status);
    }

    [Fact]
    public async Task AServiceIsReadyWhenItAndWhatItNeedsAre()
    {
        HealthStatus database = HealthStatus.Healthy, decision = HealthStatus.Healthy;
        await using PortServer server = await PortServer.StartAsync(
            PortMap.Default,
            ["configuration-service", "database-service", "trading-engine", "decision-engine", "user-service"],
            app => app.MapServiceHealth(),
            builder => builder.Services.AddHealthChecks()
                .AddCheck("journal", () => HealthCheckResult.Healthy("writing"))
                .AddCheck("disk", () => new HealthCheckResult(database, "space"), tags: ["database-service", "storage"])
                .AddCheck("agents", () => new HealthCheckResult(decision), tags: ["decision-engine"]));

        const string Healthy =
            """
            {"status":"healthy","service":"configuration-service","port":PORT,
            "checks":[{"name":"journal","status":"healthy","description":"writing"}],
            "dependencies":[{"service":"database-service","status":"healthy"}]}
            """;
        Assert.Equal(Healthy.ReplaceLineEndings(""), await Ready("configuration-service", 200));

        database = HealthStatus.Unhealthy;
        string body = await Ready("configuration-service", 503);
        Assert.Contains("""{"service":"database-service","status":"unhealthy"}""", body, StringComparison.Ordinal);
        body = await Ready("database-service", 503);
        Assert.Contains("""{"name":"disk","status":"unhealthy","description":"space"}""", body, StringComparison.Ordinal);
        // It does not need the database, and what it needs elsewhere is named but not judged here.
        Assert.Contains(
            """[{"service":"data-bridge","status":"elsewhere"},{"service":"ai-orchestration","status":"elsewhere"},"""
                + """{"service":"decision-engine","status":"healthy"}]""",
            await Ready("trading-engine", 200),
            StringComparison.Ordinal);

        decision = HealthStatus.Degraded;
        using JsonDocument degraded = JsonDocument.Parse((await Ready("trading-engine", 200)).Replace("PORT", "0", StringComparison.Ordinal));
        Assert.Equal("degraded", degraded.RootElement.GetProperty("status").GetString());
        await Ready("user-service", 200);

        async Task<string> Ready(string service, int status)
        {
            int port = server[service];
            (int actual, string answer) = await server.SendAsync(port, "/health/ready");
            Assert.Equal(status, actual);
            return answer.Replace($"\"port\":{port}", "\"port\":PORT", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task WhatConcernsTheProcessConcernsEveryService()
    {
        await using PortServer server = await PortServer.StartAsync(
            PortMap.Default,
            ["user-service", "portfolio"],
            app => app.MapServiceHealth(),
            builder => builder.Services.AddHealthChecks().AddCheck("journal", () => HealthCheckResult.Unhealthy("disk full")));
        Assert.Equal(503, (await server.SendAsync(server["user-service"], "/health/ready")).Status);
        Assert.Equal(503, (await server.SendAsync(server["portfolio"], "/health/ready")).Status);
        // Alive is not ready: nobody restarts a process because its disk is full.
        Assert.Equal(200, (await server.SendAsync(server["portfolio"], "/health")).Status);
    }
}
