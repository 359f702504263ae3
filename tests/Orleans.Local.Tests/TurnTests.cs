using Orleans.Concurrency;
using Orleans.Serialization.Invocation;

namespace HybridTrading.LocalOrleans.Tests;

public interface ITurnGrain : IGrainWithStringKey
{
    Task<int> CountSlowly(int steps);

    Task<int> FanOutInside(int tasks);

    Task<bool> StaysOnItsScheduler();

    Task<bool> EscapesWithConfigureAwaitFalse();

    Task Enter(string gate);

    [AlwaysInterleave]
    Task Interleaved(string note);

    [ReadOnly]
    Task<string> Look(string gate);

    Task<int> ThreadsSeen();
}

public interface IReentrantGrain : IGrainWithStringKey
{
    Task Enter(string gate);

    Task<int> CountSlowly(int steps);
}

public interface IChoosyGrain : IGrainWithStringKey
{
    Task Enter(string gate, bool polite);
}

public abstract class TurnGrainBase(Probe probe) : Grain
{
    private int _count;

    protected Probe Probe => probe;

    public async Task Enter(string gate)
    {
        probe.Note($"enter {gate}");
        probe.Open($"{gate} entered");
        await probe.Gate(gate);
        probe.Note($"leave {gate}");
    }

    // A lost update shows if two turns ever run at the same time; interleaving at the awaits is not hidden either.
    public async Task<int> CountSlowly(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            int before = _count;
            Thread.SpinWait(20);
            _count = before + 1;
            await Task.Yield();
        }
        return _count;
    }

    protected int Count
    {
        get => _count;
        set => _count = value;
    }
}

public sealed class TurnGrain(Probe probe) : TurnGrainBase(probe), ITurnGrain
{
    public async Task<int> FanOutInside(int tasks)
    {
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(_ => CountSlowly(10)));
        return Count;
    }

    public async Task<bool> StaysOnItsScheduler()
    {
        TaskScheduler own = TaskScheduler.Current;
        bool same = own != TaskScheduler.Default;
        await Task.Yield();
        same &= TaskScheduler.Current == own;
        await Task.Run(() => Thread.SpinWait(10));
        same &= TaskScheduler.Current == own;
        return same && await Task.Factory.StartNew(() => TaskScheduler.Current == own);
    }

    public async Task<bool> EscapesWithConfigureAwaitFalse()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return TaskScheduler.Current == TaskScheduler.Default;
    }

    public Task Interleaved(string note)
    {
        Probe.Note(note);
        return Task.CompletedTask;
    }

    public async Task<string> Look(string gate)
    {
        await Enter(gate);
        return gate;
    }

    public async Task<int> ThreadsSeen()
    {
        int inside = 0;
        int most = 0;
        async Task Step()
        {
            for (int i = 0; i < 100; i++)
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                Thread.SpinWait(50);
                Interlocked.Decrement(ref inside);
                await Task.Yield();
            }
        }
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Step()));
        return most;
    }
}

[Reentrant]
public sealed class ReentrantGrain(Probe probe) : TurnGrainBase(probe), IReentrantGrain;

[MayInterleave(nameof(IsPolite))]
public sealed class ChoosyGrain(Probe probe) : Grain, IChoosyGrain
{
    public async Task Enter(string gate, bool polite)
    {
        probe.Note($"enter {gate}");
        probe.Open($"{gate} entered");
        await probe.Gate(gate);
    }

    public static bool IsPolite(IInvokable request) => request.GetArgument(1) is true;
}

public sealed class TurnTests
{
    [Fact]
    public async Task Turns_of_a_grain_never_overlap()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITurnGrain grain = silo.Grain<ITurnGrain>();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => grain.CountSlowly(40))));
        Assert.Equal(2000, await grain.CountSlowly(0));
    }

    [Fact]
    public async Task Turns_of_a_reentrant_grain_never_overlap_either()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReentrantGrain grain = silo.Grain<IReentrantGrain>();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => grain.CountSlowly(40))));
        Assert.Equal(2000, await grain.CountSlowly(0));
    }

    [Fact]
    public async Task Tasks_inside_a_grain_are_single_threaded()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Assert.Equal(320, await silo.Grain<ITurnGrain>().FanOutInside(32));
        Assert.Equal(1, await silo.Grain<ITurnGrain>().ThreadsSeen());
    }

    [Fact]
    public async Task Awaits_come_back_to_the_grains_scheduler_unless_they_escape()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Assert.True(await silo.Grain<ITurnGrain>().StaysOnItsScheduler());
        Assert.True(await silo.Grain<ITurnGrain>().EscapesWithConfigureAwaitFalse());
        // The grain is whole afterwards.
        Assert.True(await silo.Grain<ITurnGrain>().StaysOnItsScheduler());
    }

    [Fact]
    public async Task A_second_request_waits_until_the_first_has_finished()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITurnGrain grain = silo.Grain<ITurnGrain>();
        Task first = grain.Enter("1");
        Task second = grain.Enter("2");
        await silo.Probe.Gate("1 entered");
        // An interleaved call that has run proves that the grain had its chance to start the second.
        await grain.Interleaved("between");
        Assert.Equal(["enter 1", "between"], silo.Probe.Log);
        silo.Probe.Open("2");
        silo.Probe.Open("1");
        await Task.WhenAll(first, second);
        Assert.Equal(["enter 1", "between", "leave 1", "enter 2", "leave 2"], silo.Probe.Log);
    }

    [Fact]
    public async Task Requests_of_a_reentrant_grain_interleave_at_awaits()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReentrantGrain grain = silo.Grain<IReentrantGrain>();
        Task first = grain.Enter("1");
        await silo.Probe.Gate("1 entered");
        Task second = grain.Enter("2");
        await silo.Probe.Gate("2 entered");
        silo.Probe.Open("2");
        await second;
        Assert.False(first.IsCompleted);
        silo.Probe.Open("1");
        await first;
    }

    [Fact]
    public async Task Read_only_requests_interleave_with_each_other_only()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITurnGrain grain = silo.Grain<ITurnGrain>();
        Task<string> look1 = grain.Look("1");
        await silo.Probe.Gate("1 entered");
        Task writer = grain.Enter("w");
        Task<string> look2 = grain.Look("2");
        await silo.Probe.Gate("2 entered");
        Assert.Equal(["enter 1", "enter 2"], silo.Probe.Log);
        silo.Probe.Open("w");
        silo.Probe.Open("2");
        await look2;
        Task<string> look3 = grain.Look("3");
        await silo.Probe.Gate("3 entered");
        // The first reader leaves, but not the last: the writer still waits.
        silo.Probe.Open("1");
        await look1;
        await grain.Interleaved("still reading");
        silo.Probe.Open("3");
        await Task.WhenAll(look3, writer);
        Assert.Equal(
            ["enter 1", "enter 2", "leave 2", "enter 3", "leave 1", "still reading", "leave 3", "enter w", "leave w"], silo.Probe.Log);
    }

    [Fact]
    public async Task A_class_says_which_requests_may_interleave()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IChoosyGrain grain = silo.Grain<IChoosyGrain>();
        Task first = grain.Enter("1", polite: false);
        await silo.Probe.Gate("1 entered");
        Task rude = grain.Enter("rude", polite: false);
        Task polite = grain.Enter("polite", polite: true);
        await silo.Probe.Gate("polite entered");
        Assert.Equal(["enter 1", "enter polite"], silo.Probe.Log);
        foreach (string gate in (string[])["1", "rude", "polite"]) silo.Probe.Open(gate);
        await Task.WhenAll(first, rude, polite);
    }

    [Fact]
    public async Task Requests_of_one_caller_run_in_their_order()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITurnGrain grain = silo.Grain<ITurnGrain>();
        foreach (int i in Enumerable.Range(0, 100)) silo.Probe.Open(i.ToString());
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => grain.Enter(i.ToString())));
        Assert.Equal(Enumerable.Range(0, 100).SelectMany(i => (string[])[$"enter {i}", $"leave {i}"]), silo.Probe.Log);
    }
}
