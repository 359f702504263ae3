using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Messages;
using HybridTrading.Grains.Telemetry;
using Microsoft.AspNetCore.Routing;
using Orleans.Hosting;
using Orleans.Local;

namespace HybridTrading.Silo.Hosting;

/// <summary>All that is particular to <c>OrleansHost=Local</c>: one process on Orleans.Local. Its twin is ClusterHost.cs.</summary>
public static class OrleansHost
{
    public const string Name = "Local";

    /// <summary>A silo on its own.</summary>
    /// <param name="durable">Grain state and reminders are kept by the storage that is registered; else in memory (a run rebuilds them).</param>
    public static void AddSilo(IHostApplicationBuilder builder, bool durable) => builder.UseOrleans(silo =>
    {
        MessageCheck.Run(typeof(MarketGrain).Assembly);
        silo.UseLocalhostClustering();
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
        silo.Services.AddSingleton<IGrainCensus, LocalCensus>();
        silo.AddTelemetry().AddTenancy();
    });

    /// <summary>The live system: all of it, since there is nobody else.</summary>
    public static void AddMember(IHostApplicationBuilder builder, ClusterProcess member) => AddSilo(builder, durable: true);

    /// <summary>None here: the console's System page shows what runs.</summary>
    public static IEndpointConventionBuilder? MapDashboard(IEndpointRouteBuilder endpoints, ClusterProcess member, string path) => null;

    private sealed class LocalCensus(LocalSiloStatistics silo) : IGrainCensus
    {
        public ImmutableArray<GrainActivations> Count() =>
            [.. silo.GrainTypes.Select(type => new GrainActivations(type.ClassName[(type.ClassName.LastIndexOf('.') + 1)..], type.Activations))];
    }
}
