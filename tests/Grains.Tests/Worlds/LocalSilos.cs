using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Local;

namespace HybridTrading.Grains.Tests.Worlds;

/// <summary>One silo of Orleans.Local. Its twin is ClusterSilos.cs.</summary>
public sealed class Silos : IAsyncDisposable
{
    public const string Host = "Local";

    private readonly IHost _host;

    private Silos(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public static async Task<Silos> StartAsync(Action<IServiceCollection> configure)
    {
        HostApplicationBuilder builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        configure(builder.Services);
        builder.UseOrleans(silo =>
        {
            silo.AddGrainAssembly(typeof(MarketGrain).Assembly);
            silo.AddReminders();
            silo.AddTelemetry().AddTenancy();
        });
        IHost host = builder.Build();
        await host.StartAsync();
        return new Silos(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
