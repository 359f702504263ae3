using Orleans.Configuration;
using Orleans.Hosting;

namespace HybridTrading.LocalOrleans.Tests;

public interface ISlowGrain : IGrainWithStringKey
{
    Task<string> Wait(string gate);

    [ResponseTimeout("00:00:05")]
    Task<string> WaitShortly(string gate);

    Task Call(ISlowGrain other, ISlowGrain back);

    Task Back(ISlowGrain first);

    Task Touch();
}

public sealed class SlowGrain(Probe probe) : Grain, ISlowGrain
{
    public async Task<string> Wait(string gate)
    {
        probe.Open($"{gate} entered");
        await probe.Gate(gate);
        probe.Note($"done {gate}");
        probe.Open($"{gate} done");
        return gate;
    }

    public Task<string> WaitShortly(string gate) => Wait(gate);

    public Task Call(ISlowGrain other, ISlowGrain back) => other.Back(back);

    public Task Back(ISlowGrain first)
    {
        Task call = first.Touch();
        probe.Open("called back");
        return call;
    }

    public Task Touch()
    {
        probe.Note("touched");
        return Task.CompletedTask;
    }
}

public sealed class TimeoutTests
{
    [Fact]
    public async Task A_caller_stops_waiting_and_the_callee_goes_on()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ISlowGrain grain = silo.Grain<ISlowGrain>("x");
        Task<string> call = grain.Wait("1");
        await silo.Probe.Gate("1 entered");
        silo.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        silo.Time.Advance(TimeSpan.FromSeconds(2));
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.Contains("ISlowGrain.Wait of slow/x", timeout.Message);
        Assert.Contains("00:00:30", timeout.Message);
        silo.Probe.Open("1");
        await silo.Probe.Gate("1 done");
        Assert.Equal(["done 1"], silo.Probe.Log);
        Assert.Equal(0, silo.Statistics.OutstandingCalls);
    }

    [Fact]
    public async Task The_time_out_is_an_option_of_the_silo_or_an_attribute_of_the_method()
    {
        await using TestSilo silo = await TestSilo.StartAsync(
            b => b.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromMinutes(5)));
        Task<string> shortly = silo.Grain<ISlowGrain>("a").WaitShortly("a");
        Task<string> longer = silo.Grain<ISlowGrain>("b").Wait("b");
        await Task.WhenAll(silo.Probe.Gate("a entered"), silo.Probe.Gate("b entered"));
        silo.Time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<TimeoutException>(() => shortly);
        silo.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(longer.IsCompleted);
        silo.Probe.Open("b");
        Assert.Equal("b", await longer);
        silo.Probe.Open("a");
    }

    [Fact]
    public async Task A_call_whose_caller_gave_up_is_not_started()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ISlowGrain grain = silo.Grain<ISlowGrain>();
        Task<string> first = grain.Wait("1");
        await silo.Probe.Gate("1 entered");
        Task touch = grain.Touch();
        silo.Time.Advance(TimeSpan.FromSeconds(31));
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => touch);
        Assert.Contains("slow/a is busy with ISlowGrain.Wait of slow/a", timeout.Message);
        await Assert.ThrowsAsync<TimeoutException>(() => first);
        silo.Probe.Open("1");
        Task<string> after = grain.Wait("2");
        silo.Probe.Open("2");
        await after;
        Assert.Equal(["done 1", "done 2"], silo.Probe.Log);
    }

    [Fact]
    public async Task A_deadlock_ends_with_the_chain_of_calls()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ISlowGrain a = silo.Grain<ISlowGrain>("a");
        Task call = a.Call(silo.Grain<ISlowGrain>("b"), a);
        await silo.Probe.Gate("called back");
        silo.Time.Advance(TimeSpan.FromSeconds(31));
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.Contains("client -> ISlowGrain.Call of slow/a -> ISlowGrain.Back of slow/b -> ISlowGrain.Touch of slow/a", timeout.Message);
        Assert.Contains("slow/a is busy with ISlowGrain.Call of slow/a, which waits for this chain: a deadlock", timeout.Message);
        // Both grains are free again; the call back was never run.
        await a.Touch();
        Assert.Equal(["touched"], silo.Probe.Log);
    }
}
