using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Messages;
using Orleans.Hosting;
using Orleans.Local;

namespace HybridTrading.Silo.Hosting;

/// <summary>All that is particular to <c>OrleansHost=Local</c>: one process on Orleans.Local. Its twin is ClusterHost.cs.</summary>
public static class OrleansHost
{
    public const string Name = "Local";

    /// <inheritdoc cref="AddSilo(IHostApplicationBuilder, bool, int, int)"/>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable) => AddSilo(builder, durable, 0, 0);

    /// <param name="durable">Grain state and reminders are kept by the storage that is registered; else in memory (a run rebuilds them).</param>
    /// <param name="siloPort">Of a cluster; not opened here.</param>
    /// <param name="gatewayPort">Of a cluster; not opened here.</param>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable, int siloPort, int gatewayPort) => builder.UseOrleans(silo =>
    {
        MessageCheck.Run(typeof(MarketGrain).Assembly);
        silo.UseLocalhostClustering(siloPort, gatewayPort);
        silo.AddGrainAssembly(typeof(MarketGrain).Assembly);
        if (durable)
        {
            silo.AddReminders();
        }
        else
        {
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
        }
        silo.AddMemoryStreams(MarketGrain.Screens);
        silo.AddTenancy();
    });
}
