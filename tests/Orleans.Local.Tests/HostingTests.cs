using HybridTrading.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public sealed class NotingParticipant(Probe probe) : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        nameof(NotingParticipant),
        ServiceLifecycleStage.ApplicationServices,
        _ =>
        {
            probe.Note("services up");
            return Task.CompletedTask;
        },
        _ =>
        {
            probe.Note("services down");
            return Task.CompletedTask;
        });
}

public sealed class NotingStartupTask(IGrainFactory grains) : IStartupTask
{
    public Task Execute(CancellationToken cancellationToken) => grains.GetGrain<ICallGrain>("a").Note("startup task");
}

public sealed class HostingTests
{
    [Fact]
    public async Task The_silo_starts_in_stages_and_stops_in_reverse()
    {
        await using TestSilo silo = await TestSilo.StartAsync(b =>
        {
            b.Services.AddSingleton<Lives>().AddScoped<ScopedService>();
            b.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, NotingParticipant>();
            b.AddStartupTask<NotingStartupTask>();
            b.AddStartupTask((services, _) => services.GetRequiredService<IGrainFactory>().GetGrain<ILifeGrain>("g").Life());
            b.UseLocalhostClustering();
        });
        Assert.Equal("services up", silo.Probe.Log[0]);
        Assert.Contains("startup task", silo.Probe.Log);
        await silo.StopAsync();
        // Grains leave before the services that they use.
        Assert.Equal("services down", silo.Probe.Log[^1]);
        Assert.Contains("deactivate 1 ShuttingDown", silo.Probe.Log);
    }

    [Fact]
    public async Task A_classic_host_builder_works_too_and_one_silo_is_built_once()
    {
        Probe probe = new();
        using IHost host = new HostBuilder()
            .ConfigureServices(services => services.AddSingleton(probe).AddSingleton<TimeProvider>(new FakeTimeProvider()))
            .UseOrleans(silo => silo.AddStartupTask<NotingStartupTask>())
            .UseOrleans((_, silo) => silo.AddMemoryGrainStorageAsDefault())
            .Build();
        await host.StartAsync();
        Assert.Equal(["startup task"], probe.Log);
        Assert.Same(host.Services.GetRequiredService<IGrainFactory>(), host.Services.GetRequiredService<IClusterClient>());
        await host.StopAsync();
    }

    [Fact]
    public async Task A_host_may_take_classes_out()
    {
        await using TestSilo silo = await TestSilo.StartAsync(b => b.Configure<GrainTypeOptions>(o => o.Classes.Remove(typeof(CallGrain))));
        ArgumentException missing = Assert.Throws<ArgumentException>(() => silo.Grain<ICallGrain>());
        Assert.Contains(nameof(ICallGrain), missing.Message);
    }

    [Fact]
    public async Task Two_classes_of_one_grain_type_stop_the_silo_from_starting()
    {
        using IHost host = TestSilo.Build(
            b => b.Configure<GrainTypeOptions>(o => o.Classes.Add(typeof(Twin<int>.ShapeGrain))), new FakeTimeProvider(), new Probe());
        OrleansConfigurationException clash = await Assert.ThrowsAsync<OrleansConfigurationException>(() => host.StartAsync());
        Assert.Contains("'shape'", clash.Message);
    }

    // Its conventional grain type is that of the other ShapeGrain; inside of a generic class no scan finds it.
    private static class Twin<T>
    {
        public sealed class ShapeGrain : Grain, IShapeGrain
        {
            public Task<string> Name() => Task.FromResult("twin");
        }
    }
}
