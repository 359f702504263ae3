using Orleans.Concurrency;

namespace HybridTrading.LocalOrleans.Tests;

public interface IWorkerGrain : IGrainWithStringKey
{
    Task<int> Work(string gate);

    Task<int> Number();
}

[StatelessWorker(2, removeIdleWorkers: false)]
public sealed class WorkerGrain(Probe probe, Lives lives) : Grain, IWorkerGrain
{
    private readonly int _number = lives.Next("worker");

    public async Task<int> Work(string gate)
    {
        probe.Note($"work {gate}");
        probe.Open($"working {gate}");
        await probe.Gate(gate);
        return _number;
    }

    public Task<int> Number() => Task.FromResult(_number);
}

public sealed class StatelessWorkerTests
{
    [Fact]
    public async Task Calls_go_to_idle_workers_up_to_the_limit_and_then_wait()
    {
        await using TestSilo silo = await TestSilo.StartAsync(
            b => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<Lives>(b.Services));
        IWorkerGrain grain = silo.Grain<IWorkerGrain>();
        Assert.Equal(1, await grain.Number());
        Task<int> one = grain.Work("1");
        await silo.Probe.Gate("working 1");
        Task<int> two = grain.Work("2");
        await silo.Probe.Gate("working 2");
        Task<int> three = grain.Work("3");
        Task<int> four = grain.Work("4");
        Assert.Equal(["work 1", "work 2"], silo.Probe.Log);
        silo.Probe.Open("2");
        int second = await two;
        silo.Probe.Open("1");
        int first = await one;
        Assert.Equal([1, 2], new[] { first, second }.Order());
        foreach (string gate in (string[])["3", "4"]) silo.Probe.Open(gate);
        Assert.Equal([1, 2], new[] { await three, await four }.Order());
        Assert.Equal(2, Assert.Single(silo.Statistics.GrainTypes, s => s.GrainType == "worker").Activations);
        await silo.StopAsync();
        Assert.Equal(0, Assert.Single(silo.Statistics.GrainTypes, s => s.GrainType == "worker").Activations);
    }
}
