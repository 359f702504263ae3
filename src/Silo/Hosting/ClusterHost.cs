using System.Net;
using System.Net.Sockets;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Messages;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Serialization;
using Orleans.Storage;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// All that is particular to <c>OrleansHost=Cluster</c>: genuine Orleans, here one silo on loopback over the storage that Local uses, which is what
/// runs without a database. Its twin is LocalHost.cs.
/// </summary>
public static class OrleansHost
{
    public const string Name = "Cluster";

    /// <inheritdoc cref="AddSilo(IHostApplicationBuilder, bool, int, int)"/>
    /// <remarks>For a run, which nobody connects to: the silo's port is any free one, and it has no gateway.</remarks>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable) => AddSilo(builder, durable, FreePort(), 0);

    /// <param name="durable">Grain state and reminders are kept by the storage that is registered; else in memory (a run rebuilds them).</param>
    /// <param name="siloPort">Where other silos reach this one, on loopback.</param>
    /// <param name="gatewayPort">Where clients outside the process reach it, on loopback; 0 for none.</param>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable, int siloPort, int gatewayPort) => builder.UseOrleans(silo =>
    {
        MessageCheck.Run(typeof(MarketGrain).Assembly);
        LetExceptionsTravel(silo.Services);
        silo.UseLocalhostClustering(siloPort, gatewayPort);
        if (durable)
        {
            // Orleans looks for the default provider without its name.
            silo.Services.TryAddSingleton(services => services.GetRequiredKeyedService<IGrainStorage>(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME));
            silo.AddReminders();
        }
        else
        {
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
        }
        // Who listens to screens is forgotten with the process, as are the screens.
        silo.AddMemoryGrainStorage("PubSubStore");
        silo.AddMemoryStreams(MarketGrain.Screens);
        silo.AddTenancy();
    });

    /// <summary>
    /// Exceptions of this system reach a caller in another process with their type, message and cause; by itself genuine Orleans lets those of System
    /// and Microsoft through and answers all others with a fault of its own. Silos and clients need it.
    /// </summary>
    public static void LetExceptionsTravel(IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(options => options.SupportedNamespacePrefixes.Add(nameof(HybridTrading)));

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
