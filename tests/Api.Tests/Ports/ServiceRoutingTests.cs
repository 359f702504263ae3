using System.Net.Sockets;
using System.Text;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Ports;

[Collection(PortServer.Collection)]
public sealed class ServiceRoutingTests
{
    private static readonly string[] Two = ["api-gateway", "trading-engine"];

    [Fact]
    public async Task AnEndpointAnswersOnItsServicesPortOnly()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, Routes);
        int gateway = server["api-gateway"], audit = server["trading-engine"];

        Assert.Equal((200, "sealed"), await server.SendAsync(audit, "/records"));
        Assert.Equal(404, (await server.SendAsync(gateway, "/records")).Status);
        Assert.Equal((200, "gateway"), await server.SendAsync(gateway, "/same"));
        Assert.Equal((200, "audit"), await server.SendAsync(audit, "/same"));
        // Who says nothing belongs to the gateway.
        Assert.Equal((200, "unmarked"), await server.SendAsync(gateway, "/unmarked"));
        Assert.Equal(404, (await server.SendAsync(audit, "/unmarked")).Status);
    }

    /// <summary>The Host header names the audit port; the connection came to the gateway's.</summary>
    [Theory]
    [InlineData("localhost", 404)]
    [InlineData("127.0.0.1", 404)]
    [InlineData("[::1]", 404)]
    [InlineData("x", 421)]
    [InlineData("trading-engine", 421)]
    public async Task AHostHeaderThatNamesAnotherPortReachesNothingOfIt(string host, int status)
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, Routes);
        int gateway = server["api-gateway"], audit = server["trading-engine"];
        foreach (string path in new[] { "/records", "/append" })
        {
            (int actual, string body) = await server.SendAsync(gateway, path, $"{host}:{audit}");
            Assert.Equal(status, actual);
            Assert.DoesNotContain("sealed", body, StringComparison.Ordinal);
        }
        if (status == 404) Assert.Equal((200, "gateway"), await server.SendAsync(gateway, "/same", $"{host}:{audit}"));
    }

    /// <summary>Not even the methods of an endpoint show on another port.</summary>
    [Fact]
    public async Task AnotherMethodIs405OnItsOwnPortAnd404Elsewhere()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, Routes);
        Assert.Equal(405, (await server.SendAsync(server["trading-engine"], "/append")).Status);
        Assert.Equal(404, (await server.SendAsync(server["api-gateway"], "/append")).Status);
        Assert.Equal(404, (await server.SendAsync(server["api-gateway"], "/append", method: HttpMethod.Post)).Status);
        Assert.Equal((200, "appended"), await server.SendAsync(server["trading-engine"], "/append", method: HttpMethod.Post));
    }

    [Fact]
    public async Task MiddlewareOfAServiceRunsOnItsPortOnly()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, app =>
            app.UseOnService("trading-engine", branch => branch.Run(context => context.Response.WriteAsync("page"))));
        Assert.Equal((200, "page"), await server.SendAsync(server["trading-engine"], "/anything"));
        Assert.Equal(404, (await server.SendAsync(server["api-gateway"], "/anything")).Status);
    }

    [Fact]
    public async Task AServiceThatIsNotHostedAnswersNowhere()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, ["api-gateway"], Routes);
        Assert.Equal(404, (await server.SendAsync(server["api-gateway"], "/records")).Status);
    }

    [Fact]
    public void AnEndpointOfNoServiceOfOursIsAMistakeInTheProgram()
    {
        WebApplication app = WebApplication.CreateSlimBuilder().Build();
        ArgumentException mistake = Assert.Throws<ArgumentException>(() => app.MapGet("/", () => "").OnService("oracle"));
        Assert.StartsWith("service is 'oracle', expected one of the map 'hybrid'", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHubAnswersOnTheGatewayAndTheWebSocketPort()
    {
        await using PortServer server = await PortServer.StartAsync(
            PortMap.Load("deltran"), null, app => app.MapHub<QuietHub>("/hubs/trading").OnHubPorts(), builder => builder.Services.AddSignalR());
        int gateway = server["api-gateway"];
        int webSocket = server.Plan.HubPorts.Single(port => port != gateway);
        Assert.Equal(10, webSocket - gateway);
        foreach (int port in server.Plan.ListenPorts)
        {
            int status = (await server.SendAsync(port, "/hubs/trading/negotiate?negotiateVersion=1", method: HttpMethod.Post)).Status;
            // Nobody can check a token here, so the compliance network serves nobody.
            int elsewhere = server.Plan.OwnerOf(port)!.Network == ServiceNetwork.Compliance ? 503 : 404;
            Assert.Equal(port == gateway || port == webSocket ? 200 : elsewhere, status);
        }
    }

    [Theory]
    [InlineData(null, 200)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.9.9.9:80", 200)]
    [InlineData("[::1]:443", 200)]
    [InlineData("example.com", 421)]
    [InlineData("localhost.example.com", 421)]
    [InlineData("localhost.", 421)]
    [InlineData("10.0.0.1", 421)]
    [InlineData("0.0.0.0", 421)]
    public async Task OnlyANameOfThisMachineIsServed(string? host, int status)
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, ["api-gateway"], Routes);
        (int actual, string body) = await server.SendAsync(server["api-gateway"], "/same", host);
        Assert.Equal(status, actual);
        if (status == 421) Assert.Contains("\"reason\":\"host-not-local\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARequestWithoutAHostIsRefused()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, ["api-gateway"], Routes);
        using TcpClient connection = new("127.0.0.1", server["api-gateway"]);
        NetworkStream stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /same HTTP/1.0\r\n\r\n"));
        using StreamReader reader = new(stream, Encoding.ASCII);
        string answer = await reader.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("host-missing", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:{gateway}", 200)]
    [InlineData("http://127.0.0.1:{gateway}", 200)]
    [InlineData("http://localhost:{audit}", 200)]
    [InlineData("http://localhost:{unused}", 403)]
    [InlineData("https://localhost:{gateway}", 403)]
    [InlineData("http://example.com:{gateway}", 403)]
    [InlineData("http://localhost:{gateway}/path", 403)]
    [InlineData("http://user@localhost:{gateway}", 403)]
    [InlineData("http://localhost", 403)]
    [InlineData("null", 403)]
    [InlineData("", 403)]
    public async Task OnlyOurOwnPagesMayCall(string origin, int status)
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, Routes);
        int gateway = server["api-gateway"], audit = server["trading-engine"];
        string sent = origin.Replace("{gateway}", $"{gateway}", StringComparison.Ordinal).Replace("{audit}", $"{audit}", StringComparison.Ordinal)
            .Replace("{unused}", $"{gateway + 1}", StringComparison.Ordinal);
        (int actual, string body) = await server.SendAsync(gateway, "/same", origin: sent);
        Assert.Equal(status, actual);
        if (status == 403) Assert.Contains("\"reason\":\"origin-not-own\"", body, StringComparison.Ordinal);
    }

    /// <summary>A forwarded port: the browser sees another port than we listen on, and sends it in both headers.</summary>
    [Fact]
    public async Task APageThatCameThroughAForwardedPortMayCall()
    {
        await using PortServer server = await PortServer.StartAsync(PortMap.Default, Two, Routes);
        int gateway = server["api-gateway"];
        Assert.Equal(200, (await server.SendAsync(gateway, "/same", "localhost:9", "http://localhost:9")).Status);
        Assert.Equal(403, (await server.SendAsync(gateway, "/same", "localhost:9", "http://localhost:10")).Status);
    }

    private static void Routes(WebApplication app)
    {
        app.MapGet("/records", () => "sealed").OnService("trading-engine");
        app.MapPost("/append", () => "appended").OnService("trading-engine");
        app.MapGet("/same", () => "gateway").OnService("api-gateway");
        app.MapGet("/same", () => "audit").OnService("trading-engine");
        app.MapGet("/unmarked", () => "unmarked");
    }

    private sealed class QuietHub : Hub;
}
