using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface ILifeGrain : IGrainWithStringKey
{
    Task<int> Life();

    Task Leave();

    Task LeaveAndWait(string gate);

    Task Stay(TimeSpan time);

    Task<int> ServiceLife();
}

/// <summary>Counts the lives of grains by their key.</summary>
public sealed class Lives
{
    private readonly Dictionary<string, int> _lives = [];

    public int Next(string key)
    {
        lock (_lives) return _lives[key] = _lives.GetValueOrDefault(key) + 1;
    }
}

public sealed class ScopedService(Probe probe) : IDisposable
{
    public int Number { get; set; }

    public void Dispose() => probe.Note($"scope {Number} disposed");
}

public sealed class LifeGrain(Probe probe, Lives lives, ScopedService scoped) : Grain, ILifeGrain, IDisposable
{
    private int _life;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _life = lives.Next(this.GetPrimaryKeyString());
        scoped.Number = _life;
        probe.Note($"activate {_life}");
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Note($"deactivate {_life} {reason.ReasonCode}");
        probe.Open($"deactivating {_life}");
        if (this.GetPrimaryKeyString() == "stuck") await probe.Gate("never");
        if (this.GetPrimaryKeyString() == "slow") await probe.Gate("let go");
        probe.Open($"deactivated {_life}");
    }

    public Task<int> Life() => Task.FromResult(_life);

    public Task<int> ServiceLife() => Task.FromResult(scoped.Number);

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public async Task LeaveAndWait(string gate)
    {
        DeactivateOnIdle();
        probe.Open($"{gate} entered");
        await probe.Gate(gate);
        probe.Note($"finish {_life}");
    }

    public Task Stay(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }

    public void Dispose() => probe.Note($"grain {_life} disposed");
}

public interface IBrittleGrain : IGrainWithStringKey
{
    Task<int> Life();
}

public sealed class BrittleGrain(Probe probe, Lives lives) : Grain, IBrittleGrain
{
    private int _life;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _life = lives.Next(this.GetPrimaryKeyString());
        await Task.Yield();
        if (this.GetPrimaryKeyString() == "hangs")
        {
            probe.Open("hanging");
            await probe.Gate("never");
        }
        if (_life == 1) throw new DomainException("not yet");
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Note("never active, never deactivated");
        return Task.CompletedTask;
    }

    public Task<int> Life() => Task.FromResult(_life);
}

public interface IFixedGrain : IGrainWithStringKey
{
    Task<int> Life();
}

[KeepAlive]
public sealed class FixedGrain(Lives lives) : Grain, IFixedGrain
{
    private readonly int _life = lives.Next("fixed");

    public Task<int> Life() => Task.FromResult(_life);
}

public interface ILongGrain : IGrainWithStringKey
{
    Task<int> Life();
}

[CollectionAgeLimit(Hours = 2)]
public sealed class LongGrain(Lives lives) : Grain, ILongGrain
{
    private readonly int _life = lives.Next("long");

    public Task<int> Life() => Task.FromResult(_life);
}

public interface IRestlessGrain : IGrainWithStringKey
{
    Task<int> Next(bool leave);
}

/// <summary>How many activations of each key are between activation and deactivation, and the total of all lives.</summary>
public sealed class Census
{
    private readonly Dictionary<string, int> _alive = [];
    private readonly Dictionary<string, int> _totals = [];

    public bool EverTwo { get; private set; }

    public int Born(string key)
    {
        lock (_alive)
        {
            int alive = _alive[key] = _alive.GetValueOrDefault(key) + 1;
            EverTwo |= alive > 1;
            return _totals.GetValueOrDefault(key);
        }
    }

    public void Died(string key, int total)
    {
        lock (_alive)
        {
            _alive[key]--;
            _totals[key] = total;
        }
    }
}

public sealed class RestlessGrain(Census census) : Grain, IRestlessGrain
{
    private int _total;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _total = census.Born(this.GetPrimaryKeyString());
        await Task.Yield();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await Task.Yield();
        census.Died(this.GetPrimaryKeyString(), _total);
    }

    public async Task<int> Next(bool leave)
    {
        int next = _total + 1;
        if (next % 3 == 0) await Task.Yield();
        if (leave) DeactivateOnIdle();
        return _total = next;
    }
}

public sealed class ActivationTests
{
    private static Task<TestSilo> StartAsync(Action<ISiloBuilder>? configure = null) => TestSilo.StartAsync(silo =>
    {
        silo.Services.AddSingleton<Lives>();
        silo.Services.AddScoped<ScopedService>();
        configure?.Invoke(silo);
    });

    [Fact]
    public async Task A_failed_activation_fails_its_callers_and_the_next_call_tries_again()
    {
        await using TestSilo silo = await StartAsync();
        IBrittleGrain grain = silo.Grain<IBrittleGrain>();
        Task<int>[] first = [.. Enumerable.Range(0, 3).Select(_ => grain.Life())];
        int failed = 0;
        foreach (Task<int> call in first)
        {
            try
            {
                Assert.Equal(2, await call);
            }
            catch (DomainException failure)
            {
                Assert.Equal("not yet", failure.Message);
                failed++;
            }
        }
        Assert.InRange(failed, 1, 3);
        Assert.Equal(2, await grain.Life());
        Assert.Empty(silo.Probe.Log);
    }

    [Fact]
    public async Task An_activation_that_takes_too_long_fails_its_callers()
    {
        await using TestSilo silo = await StartAsync(b => b.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromHours(1)));
        Task<int> call = silo.Grain<IBrittleGrain>("hangs").Life();
        await silo.Probe.Gate("hanging");
        silo.Time.Advance(TimeSpan.FromSeconds(30));
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.Contains("brittle/hangs did not activate", timeout.Message);
    }

    [Fact]
    public async Task A_grain_that_leaves_lives_again_with_new_services()
    {
        await using TestSilo silo = await StartAsync();
        ILifeGrain grain = silo.Grain<ILifeGrain>();
        Assert.Equal(1, await grain.Life());
        await grain.Leave();
        Assert.Equal(2, await grain.Life());
        Assert.Equal(2, await grain.ServiceLife());
        Assert.Equal(["activate 1", "deactivate 1 ApplicationRequested", "grain 1 disposed", "scope 1 disposed", "activate 2"], silo.Probe.Log);
    }

    [Fact]
    public async Task Deactivation_waits_for_running_requests_and_later_ones_go_to_the_next_activation()
    {
        await using TestSilo silo = await StartAsync();
        ILifeGrain grain = silo.Grain<ILifeGrain>();
        Task running = grain.LeaveAndWait("1");
        await silo.Probe.Gate("1 entered");
        Task<int> later = grain.Life();
        Assert.False(later.IsCompleted);
        silo.Probe.Open("1");
        await running;
        Assert.Equal(2, await later);
        Assert.Equal(
            ["activate 1", "finish 1", "deactivate 1 ApplicationRequested", "grain 1 disposed", "scope 1 disposed", "activate 2"], silo.Probe.Log);
    }

    [Fact]
    public async Task The_next_activation_waits_for_the_end_of_the_one_before()
    {
        await using TestSilo silo = await StartAsync();
        ILifeGrain grain = silo.Grain<ILifeGrain>("slow");
        await grain.Leave();
        await silo.Probe.Gate("deactivating 1");
        Task<int> next = grain.Life();
        Assert.DoesNotContain("activate 2", silo.Probe.Log);
        silo.Probe.Open("let go");
        Assert.Equal(2, await next);
    }

    [Fact]
    public async Task No_call_is_lost_and_no_grain_lives_twice_while_grains_come_and_go()
    {
        Census census = new();
        await using TestSilo silo = await StartAsync(b => b.Services.AddSingleton(census));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            Random random = new(caller);
            for (int i = 0; i < 1500; i++) await silo.Grain<IRestlessGrain>($"{random.Next(5)}").Next(leave: random.Next(4) == 0);
        })));
        int total = 0;
        for (int key = 0; key < 5; key++) total += await silo.Grain<IRestlessGrain>($"{key}").Next(leave: false) - 1;
        Assert.Equal(8 * 1500, total);
        Assert.False(census.EverTwo);
    }

    [Fact]
    public async Task A_stuck_deactivation_is_bounded()
    {
        await using TestSilo silo = await StartAsync(b => b.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromHours(1)));
        ILifeGrain grain = silo.Grain<ILifeGrain>("stuck");
        await grain.Leave();
        await silo.Probe.Gate("deactivating 1");
        Task<int> next = grain.Life();
        silo.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(next.IsCompleted);
        silo.Time.Advance(TimeSpan.FromSeconds(0.9));
        silo.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(2, await next);
    }

    [Fact]
    public async Task An_idle_grain_is_collected_after_its_age()
    {
        await using TestSilo silo = await StartAsync(b => b.Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromMinutes(10)));
        ILifeGrain grain = silo.Grain<ILifeGrain>();
        Assert.Equal(1, await grain.Life());
        silo.Time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(1, await grain.Life());
        silo.Time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(1, await grain.Life());
        silo.Time.Advance(TimeSpan.FromMinutes(11));
        await silo.Probe.Gate("deactivated 1");
        Assert.Contains("deactivate 1 ActivationIdle", silo.Probe.Log);
        Assert.Equal(2, await grain.Life());
    }

    [Fact]
    public async Task A_grain_may_delay_its_collection()
    {
        await using TestSilo silo = await StartAsync(b => b.Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromMinutes(10)));
        ILifeGrain grain = silo.Grain<ILifeGrain>();
        await grain.Stay(TimeSpan.FromMinutes(60));
        silo.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(1, await grain.Life());
        silo.Time.Advance(TimeSpan.FromMinutes(12));
        await silo.Probe.Gate("deactivated 1");
        Assert.Equal(2, await grain.Life());
    }

    [Fact]
    public async Task Classes_have_their_own_age_or_none()
    {
        await using TestSilo silo = await StartAsync(b => b.Configure<GrainCollectionOptions>(
            o => o.ClassSpecificCollectionAge[typeof(LifeGrain).FullName!] = TimeSpan.FromMinutes(3)));
        ILifeGrain life = silo.Grain<ILifeGrain>();
        await silo.Grain<IFixedGrain>().Life();
        await silo.Grain<ILongGrain>().Life();
        await life.Life();
        silo.Time.Advance(TimeSpan.FromMinutes(4));
        await silo.Probe.Gate("deactivated 1");
        silo.Time.Advance(TimeSpan.FromMinutes(110));
        Assert.Equal(1, await silo.Grain<ILongGrain>().Life());
        silo.Time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(2, await silo.Grain<ILongGrain>().Life());
        Assert.Equal(1, await silo.Grain<IFixedGrain>().Life());
    }

    [Fact]
    public async Task Stopping_deactivates_every_grain_and_waits_for_it()
    {
        await using TestSilo silo = await StartAsync();
        for (int i = 0; i < 20; i++) await silo.Grain<ILifeGrain>($"g{i}").Life();
        Task<int> slow = silo.Grain<ILifeGrain>("slow").Life();
        await slow;
        Task stop = silo.StopAsync();
        Assert.False(stop.IsCompleted);
        silo.Probe.Open("let go");
        await stop;
        Assert.Equal(21, silo.Probe.Log.Count(entry => entry == "deactivate 1 ShuttingDown"));
        Assert.Equal(21, silo.Probe.Log.Count(entry => entry == "grain 1 disposed"));
        Assert.All(silo.Statistics.GrainTypes, s => Assert.Equal(0, s.Activations));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_ever()
    {
        await using TestSilo silo = await StartAsync();
        await silo.Grain<ILifeGrain>("stuck").Life();
        Task stop = silo.StopAsync();
        await silo.Probe.Gate("deactivating 1");
        silo.Time.Advance(TimeSpan.FromSeconds(31));
        await stop;
        Assert.Contains("deactivate 1 ShuttingDown", silo.Probe.Log);
    }
}
