using System.Collections.Immutable;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Tests.Ports;

/// <summary>A real web server on the loopback ports of a plan, and a client for it.</summary>
internal sealed class PortServer : IAsyncDisposable
{
    /// <summary>Tests that look for free ports run one after the other, so that none takes what another just found.</summary>
    public const string Collection = "loopback ports";

    private readonly WebApplication _app;

    private PortServer(WebApplication app, ServiceEndpoints plan)
    {
        _app = app;
        Plan = plan;
    }

    public ServiceEndpoints Plan { get; }

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>The one HTTP port of a service.</summary>
    public int this[string service] => Plan.PortsOf(service).Single();

    public static async Task<PortServer> StartAsync(
        PortMap map, string[]? services, Action<WebApplication> routes, Action<WebApplicationBuilder>? configure = null, GatewayAccess? access = null)
    {
        ServiceEndpoints plan = FreePlan(map, services);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.AddServiceEndpoints(plan, access);
        configure?.Invoke(builder);
        WebApplication app = builder.Build();
        routes(app);
        await app.StartAsync();
        return new PortServer(app, plan);
    }

    /// <summary>A plan whose ports are free now; they and the silo ports lie below the range that the system hands out by itself.</summary>
    public static ServiceEndpoints FreePlan(PortMap map, string[]? services)
    {
        for (int attempt = 0; attempt < 50; attempt++)
        {
            int offset = Random.Shared.Next(11_000, 14_000);
            if (!PortMapValidator.Collisions(map, offset).IsEmpty) continue;
            ServiceEndpoints plan = ServiceEndpoints.Plan(map, services, offset);
            try
            {
                PortProbe.EnsureFree(plan);
                return plan;
            }
            catch (PortMapException)
            {
                // Another process has one of them: try elsewhere.
            }
        }
        throw new InvalidOperationException("no free ports after 50 attempts");
    }

    public async Task<(int Status, string Body)> SendAsync(
        int port, string path, string? host = null, string? origin = null, HttpMethod? method = null)
    {
        using HttpRequestMessage request = new(method ?? HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
        if (host is not null) request.Headers.Host = host;
        if (origin is not null) request.Headers.Add("Origin", origin);
        using HttpResponseMessage response = await Client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
