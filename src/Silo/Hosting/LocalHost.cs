using HybridTrading.Grains.Market;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Storage;

namespace HybridTrading.Silo.Hosting;

/// <summary>All that is particular to <c>OrleansHost=Local</c>: one process on Orleans.Local. Its twin is ClusterHost.cs.</summary>
public static class OrleansHost
{
    public const string Name = "Local";

    /// <param name="storage">Keeps grain state; null keeps it in memory (runs rebuild it).</param>
    /// <param name="reminders">Null keeps reminders in memory.</param>
    public static void AddSilo(IHostApplicationBuilder builder, Func<IServiceProvider, IGrainStorage>? storage, Func<IServiceProvider, IReminderTable>? reminders) =>
        builder.UseOrleans(silo =>
        {
            silo.AddGrainAssembly(typeof(MarketGrain).Assembly);
            if (storage is null) silo.AddMemoryGrainStorage("grains");
            else silo.Services.AddKeyedSingleton("grains", (services, _) => storage(services));
            if (reminders is null) silo.UseInMemoryReminderService();
            else silo.Services.AddSingleton(reminders);
            silo.AddMemoryStreams(MarketGrain.Screens);
        });
}
