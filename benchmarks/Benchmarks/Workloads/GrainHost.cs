using HybridTrading.Api.Observability;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Grains.Trading;
using HybridTrading.Silo.Hosting;
using HybridTrading.Storage;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.MarketLog;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Benchmarks.Workloads;

/// <summary>The grains on the host that was built, over a data folder of their own: as live, without a feed and without ports.</summary>
internal sealed class GrainHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly DataFolder _folder;

    private GrainHost(IHost host, DataFolder folder)
    {
        _host = host;
        _folder = folder;
    }

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public static async Task<GrainHost> StartAsync(string path)
    {
        DataFolder folder = DataFolder.Open(path);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        builder.Services.AddHybridStorage(folder);
        builder.Services.AddSingleton<IMarketLog>(services => services.GetRequiredService<MarketLogs>().Get("live"));
        builder.Services.AddSingleton(new TradingOptions { Universe = new InstrumentUniverse(SimulatedMarket.Instruments) });
        OrleansHost.AddSilo(builder, durable: true);
        builder.Services.AddObservability(ProcessIdentity.Here(OrleansHost.Name, TimeProvider.System));
        IHost host = builder.Build();
        // Metrics are collected, as live.
        _ = host.Services.GetRequiredService<TelemetryProviders>();
        await host.StartAsync();
        return new GrainHost(host, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        if (_host is IAsyncDisposable disposable) await disposable.DisposeAsync();
        else _host.Dispose();
        _folder.Dispose();
    }
}
