using HybridTrading.Grains.Market;
using Orleans.Hosting;
using Orleans.Local;

namespace HybridTrading.Silo.Hosting;

/// <summary>All that is particular to <c>OrleansHost=Local</c>: one process on Orleans.Local. Its twin is ClusterHost.cs.</summary>
public static class OrleansHost
{
    public const string Name = "Local";

    /// <param name="durable">Grain state and reminders are kept by the storage that is registered; else in memory (a run rebuilds them).</param>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable) => builder.UseOrleans(silo =>
    {
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
    });
}
