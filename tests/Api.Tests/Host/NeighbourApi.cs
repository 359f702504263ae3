using System.Net;
using HybridTrading.Api;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Blobs;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace HybridTrading.Tests.Host;

/// <summary>
/// Another API over the grains, journal and bars of a host, with connections and views of its own: what a second API process of a cluster is.
/// </summary>
internal sealed class NeighbourApi : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private WebApplication _app = null!;

    public Uri Address { get; private set; } = null!;

    public static async Task<NeighbourApi> StartAsync(ApiHost host)
    {
        var neighbour = new NeighbourApi();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(host.Services.GetRequiredService<IGrainFactory>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<IJournal>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<JournalTraces>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<IBarStore>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<IAnswerStore>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<IBlobStore>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<BlobDataSetReader>());
        builder.Services.AddSingleton<IDataSetReader>(host.Services.GetRequiredService<BlobDataSetReader>());
        builder.Services.AddSingleton(host.Services.GetRequiredService<TradingOptions>());
        builder.Services.AddBacktesting(ApiHost.Backtesting).AddStrategyAnalysis();
        builder.Services.AddKeyedSingleton(
            HybridStorage.ViewDatabase, (_, _) => SqliteDatabase.Open(Path.Combine(neighbour._folder.Path, "views.db"), SqliteDurability.Normal));
        builder.Services.AddSingleton(provider => new ProjectionRunner(
            provider.GetRequiredService<IJournal>(), provider.GetRequiredKeyedService<SqliteDatabase>(HybridStorage.ViewDatabase),
            provider.GetServices<IProjection>()));
        builder.Services.AddScoped<ICaller, LocalOwner>();
        builder.Services.AddHybridApi(new ApiOptions { Universe = new InstrumentUniverse(ApiHost.Instruments), Simulated = true });
        neighbour._app = builder.Build();
        neighbour._app.MapHybridApi();
        await neighbour._app.Services.GetRequiredService<ProjectionRunner>().StartAsync();
        await neighbour._app.StartAsync();
        neighbour.Address = new Uri(neighbour._app.Urls.Single());
        return neighbour;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}
