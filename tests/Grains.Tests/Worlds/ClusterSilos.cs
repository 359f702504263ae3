using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Silo.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Reminders;
using Orleans.Storage;
using Orleans.TestingHost;

namespace HybridTrading.Grains.Tests.Worlds;

/// <summary>Two silos of genuine Orleans in this process, and a client of theirs. Its twin is LocalSilos.cs.</summary>
public sealed class Silos : IAsyncDisposable
{
    public const string Host = "Cluster";

    // A feed's first activation makes a past up, which takes its time on a busy machine; a call that never returns still ends.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly InProcessTestCluster _cluster;

    private Silos(InProcessTestCluster cluster) => _cluster = cluster;

    public IGrainFactory Grains => _cluster.Client;

    public static async Task<Silos> StartAsync(Action<IServiceCollection> configure)
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 2);
        builder.ConfigureSilo((_, silo) =>
        {
            configure(silo.Services);
            OrleansHost.LetExceptionsTravel(silo.Services);
            silo.Services.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = Patience);
            // The test's clock is that of the grains, their timers and reminders; what the silos do among themselves goes on in real time.
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddKeyedSingleton(ReminderTimeProviderNames.Reminders, (services, _) => services.GetRequiredService<TimeProvider>());
            silo.Services.AddSingleton(services => services.GetRequiredKeyedService<IGrainStorage>(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME));
            silo.AddReminders();
            silo.AddTelemetry().AddTenancy();
        });
        builder.ConfigureClient(client =>
        {
            OrleansHost.LetExceptionsTravel(client.Services);
            client.Services.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = Patience);
        });
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return new Silos(cluster);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
    }
}
