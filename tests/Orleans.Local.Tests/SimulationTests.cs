using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Local;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface IRacerGrain : IGrainWithStringKey
{
    Task Race(IRecorderGrain recorder, int laps);

    Task TickFor(IRecorderGrain recorder, int seconds);
}

public sealed class RacerGrain(TimeProvider time) : Grain, IRacerGrain
{
    public async Task Race(IRecorderGrain recorder, int laps)
    {
        for (int lap = 0; lap < laps; lap++) await recorder.Record($"{this.GetPrimaryKeyString()}{lap}");
    }

    public async Task TickFor(IRecorderGrain recorder, int seconds)
    {
        for (int second = 0; second < seconds; second++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), time);
            await recorder.Record($"{this.GetPrimaryKeyString()}@{time.GetUtcNow():HH:mm:ss}");
        }
    }
}

public interface IRecorderGrain : IGrainWithStringKey
{
    Task Record(string what);

    Task<string[]> Recorded();
}

public sealed class RecorderGrain([PersistentState("records")] IPersistentState<List<string>> records) : Grain, IRecorderGrain
{
    public async Task Record(string what)
    {
        records.State.Add(what);
        await records.WriteStateAsync();
    }

    public Task<string[]> Recorded() => Task.FromResult(records.State.ToArray());
}

public sealed class SimulationTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_seed_is_a_schedule()
    {
        string[] runs = [.. Enumerable.Range(1, 20).Select(seed => Race(seed).Order)];
        for (int seed = 1; seed <= 20; seed++) Assert.Equal(runs[seed - 1], Race(seed).Order);
        Assert.True(runs.Distinct().Count() >= 5, $"20 seeds gave only {runs.Distinct().Count()} interleavings");
        Assert.Equal(Race(3).Steps, Race(3).Steps);
    }

    [Fact]
    public void Every_schedule_keeps_each_grains_own_order()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            string[] order = Race(seed).Order.Split(' ');
            Assert.Equal(10, order.Length);
            foreach (char racer in "ab") Assert.Equal(["0", "1", "2", "3", "4"], order.Where(o => o[0] == racer).Select(o => o[1..]));
        }
    }

    [Fact]
    public void Hours_pass_in_virtual_time()
    {
        string[] recorded = [];
        Simulation simulation = Run(7, async (silo, probe) =>
        {
            IGrainFactory grains = silo.Services.GetRequiredService<IGrainFactory>();
            IReminderGrain reminded = grains.GetGrain<IReminderGrain>("r");
            await reminded.Register("hourly", TimeSpan.FromHours(1), TimeSpan.FromHours(1));
            IRecorderGrain recorder = grains.GetGrain<IRecorderGrain>("x");
            await Task.WhenAll(grains.GetGrain<IRacerGrain>("a").TickFor(recorder, 20), grains.GetGrain<IRacerGrain>("b").TickFor(recorder, 20));
            recorded = await recorder.Recorded();
            await Task.Delay(TimeSpan.FromHours(24.5), silo.Services.GetRequiredService<TimeProvider>());
            Assert.Equal(24, probe.Log.Count(entry => entry.StartsWith("hourly at", StringComparison.Ordinal)));
        });
        Assert.Equal(40, recorded.Length);
        Assert.Equal(["a@00:00:01", "b@00:00:01"], recorded[..2].Order());
        Assert.InRange(simulation.TimeProvider.GetUtcNow(), Start.AddHours(24.5), Start.AddHours(25));
    }

    [Fact]
    public void A_deadlock_times_out_in_virtual_time()
    {
        Run(1, async (silo, _) =>
        {
            IGrainFactory grains = silo.Services.GetRequiredService<IGrainFactory>();
            ISlowGrain a = grains.GetGrain<ISlowGrain>("a");
            TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => a.Call(grains.GetGrain<ISlowGrain>("b"), a));
            Assert.Contains("a deadlock", timeout.Message);
        });
    }

    [Fact]
    public void Observers_run_inside()
    {
        Probe probe = new();
        Listener listener = new("l", probe);
        Run(5, async (silo, _) =>
        {
            IListener reference = silo.Services.GetRequiredService<IClusterClient>().CreateObjectReference<IListener>(listener);
            ISpeakerGrain speaker = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ISpeakerGrain>("s");
            await speaker.Subscribe(reference);
            for (int i = 0; i < 10; i++) await speaker.SayAndWait($"{i}");
        });
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"l heard {i}"), probe.Log);
    }

    [Fact]
    public void Faults_can_be_injected_between_any_two_steps()
    {
        Simulation simulation = new(1, Start) { BeforeStep = step => Assert.NotEqual(40, step) };
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Run(simulation, async (silo, _) =>
        {
            IGrainFactory grains = silo.Services.GetRequiredService<IGrainFactory>();
            await grains.GetGrain<IRacerGrain>("a").Race(grains.GetGrain<IRecorderGrain>("x"), 100);
        }));
        Assert.Equal(40, simulation.Steps);
    }

    [Fact]
    public void Waiting_for_nothing_is_an_error()
    {
        Simulation simulation = new(1, Start);
        InvalidOperationException stuck = Assert.Throws<InvalidOperationException>(() => simulation.Run(() => new TaskCompletionSource().Task));
        Assert.Contains("no timer is set", stuck.Message);
        Assert.Throws<DomainException>(() => simulation.Run(() => throw new DomainException("the body failed")));
    }

    [Fact]
    public void What_leaves_the_simulation_is_named()
    {
        InvalidOperationException escaped = Assert.Throws<InvalidOperationException>(() => Run(1, async (silo, _) =>
        {
            IRecorderGrain recorder = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<IRecorderGrain>("x");
            Thread elsewhere = new(() => recorder.Record("from another thread"));
            elsewhere.Start();
            elsewhere.Join();
            await recorder.Record("after");
        }));
        Assert.Contains("left the simulation", escaped.Message);
    }

    private static (string Order, long Steps) Race(int seed)
    {
        string order = "";
        Simulation simulation = Run(seed, async (silo, _) =>
        {
            IGrainFactory grains = silo.Services.GetRequiredService<IGrainFactory>();
            IRecorderGrain recorder = grains.GetGrain<IRecorderGrain>("x");
            await Task.WhenAll(grains.GetGrain<IRacerGrain>("a").Race(recorder, 5), grains.GetGrain<IRacerGrain>("b").Race(recorder, 5));
            order = string.Join(' ', await recorder.Recorded());
        });
        return (order, simulation.Steps);
    }

    private static Simulation Run(int seed, Func<IHost, Probe, Task> body)
    {
        Simulation simulation = new(seed, Start);
        Run(simulation, body);
        return simulation;
    }

    private static void Run(Simulation simulation, Func<IHost, Probe, Task> body)
    {
        Probe probe = new();
        using IHost host = TestSilo.Build(silo => silo.UseSimulation(simulation), simulation.TimeProvider, probe);
        simulation.Run(async () =>
        {
            await Simulation.StartAsync(host.Services);
            await body(host, probe);
            await Simulation.StopAsync(host.Services);
        });
    }
}
