using HybridTrading.Grains.Operations;
using HybridTrading.Grains.Tests.Worlds;

namespace HybridTrading.Grains.Tests.Operations;

public sealed class CentralHubGrainTests
{
    [Fact]
    public async Task A_process_is_known_with_its_services_and_its_start_is_in_their_history()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy), ("data-bridge", ServiceStatus.Healthy)));
        KnownProcess known = Assert.Single(await Hub(world).GetProcesses());
        Assert.Equal(("one", world.Now, false), (known.Report.Process, known.LastSeen, known.Gone));
        ServiceTransition began = Assert.Single(await Hub(world).GetHistory("trading-engine"));
        Assert.Equal(new ServiceTransition(world.Now, "one", null, ServiceStatus.Healthy, "1.2.3 started"), began);
        Assert.Empty(await Hub(world).GetHistory("nobody"));
    }

    [Fact]
    public async Task History_has_changes_and_not_reports()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        for (int i = 0; i < 10; i++) await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy)));
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Degraded)));
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Degraded)));
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy)));
        Assert.Equal(
            [(ServiceStatus.Degraded, ServiceStatus.Healthy), (ServiceStatus.Healthy, ServiceStatus.Degraded), (null, ServiceStatus.Healthy)],
            (await Hub(world).GetHistory("trading-engine")).Select(one => (one.From, one.To)));
    }

    [Fact]
    public async Task A_process_that_reports_no_more_is_unhealthy_in_bounded_time_and_comes_back_with_its_next_report()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy)));
        await Hub(world).Report(Report("two", ("trading-engine", ServiceStatus.Healthy)));
        DateTime last = world.Now;
        world.Time.Advance(CentralHub.Silence);
        await Hub(world).Report(Report("two", ("trading-engine", ServiceStatus.Healthy)));
        Assert.All(await Hub(world).GetProcesses(), known => Assert.False(known.Gone));
        world.Time.Advance(TimeSpan.FromSeconds(1));

        ImmutableArray<KnownProcess> processes = await Hub(world).GetProcesses();
        KnownProcess silent = Assert.Single(processes, known => known.Gone);
        Assert.Equal(("one", last), (silent.Report.Process, silent.LastSeen));
        ServiceReport service = Assert.Single(silent.Report.Services);
        Assert.Equal((ServiceStatus.Unhealthy, $"silent since {last:O}"), (service.Status, service.Detail));
        Assert.Equal(("one", ServiceStatus.Unhealthy), await LatestAsync(world));

        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy)));
        Assert.Equal(("one", ServiceStatus.Healthy), await LatestAsync(world));
        Assert.All(await Hub(world).GetProcesses(), known => Assert.False(known.Gone));
    }

    [Fact]
    public async Task A_process_that_says_good_bye_is_stopped_and_taken_off_in_the_end()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        await Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy)));
        await Hub(world).Leave("one");
        await Hub(world).Leave("unknown");
        Assert.Equal(ServiceStatus.Stopped, Assert.Single(Assert.Single(await Hub(world).GetProcesses()).Report.Services).Status);
        world.Time.Advance(CentralHub.Silence + TimeSpan.FromSeconds(1));
        Assert.Equal(("one", ServiceStatus.Stopped), await LatestAsync(world));
        world.Time.Advance(CentralHub.Retention);
        Assert.Empty(await Hub(world).GetProcesses());
        Assert.Equal(2, (await Hub(world).GetHistory("trading-engine")).Length);
    }

    [Fact]
    public async Task History_is_bounded_and_outlives_the_hub_which_gives_everybody_time_to_report_again()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        for (int i = 0; i <= CentralHub.MostTransitions; i++)
        {
            await Hub(world).Report(Report("one", ("trading-engine", i % 2 == 0 ? ServiceStatus.Healthy : ServiceStatus.Degraded)));
        }
        Assert.Equal(CentralHub.MostTransitions, (await Hub(world).GetHistory("trading-engine")).Length);
        await Hub(world).Report(Report("gone", ("data-bridge", ServiceStatus.Healthy)));
        await Hub(world).Leave("gone");
        await world.RestartAsync(() =>
        {
            world.Time.Advance(TimeSpan.FromMinutes(10));
            return Task.CompletedTask;
        });
        Assert.Equal(CentralHub.MostTransitions, (await Hub(world).GetHistory("trading-engine")).Length);
        ImmutableArray<KnownProcess> processes = await Hub(world).GetProcesses();
        Assert.Equal([("gone", true), ("one", false)], processes.Select(known => (known.Report.Process, known.Gone)));
        world.Time.Advance(CentralHub.Silence + TimeSpan.FromSeconds(1));
        Assert.All(await Hub(world).GetProcesses(), known => Assert.True(known.Gone));
    }

    [Fact]
    public async Task A_tenant_may_read_and_not_report()
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        using (Hosting.Principal.Of(TestWorld.Tenant))
        {
            Assert.Empty(await Hub(world).GetProcesses());
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Hub(world).Report(Report("one", ("trading-engine", ServiceStatus.Healthy))));
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Hub(world).Leave("one"));
        }
    }

    private static ICentralHubGrain Hub(TestWorld world) => world.Grains.GetGrain<ICentralHubGrain>(CentralHub.Key);

    private static ProcessReport Report(string process, params (string Name, ServiceStatus Status)[] services) => new(
        process, "Local", "1.2.3", "machine", new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc),
        [.. services.Select(one => new ServiceReport(one.Name, 8007, null, null, null, one.Status, null))], null, null);

    private static async Task<(string, ServiceStatus)> LatestAsync(TestWorld world)
    {
        ServiceTransition latest = (await Hub(world).GetHistory("trading-engine"))[0];
        return (latest.Process, latest.To);
    }
}
