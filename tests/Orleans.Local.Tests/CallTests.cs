using Orleans.Concurrency;
using Orleans.Local;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface ICallGrain : IGrainWithStringKey
{
    Task<string> Echo(string text);

    ValueTask<int> Add(int a, int b);

    ValueTask Nothing();

    Task<T> Same<T>(T value);

    Task Throw(string message);

    Task ThrowAfterAwait(string message);

    Task<string> KeyOf(ICallGrain other);

    Task<string> KeyOfMyselfSeenBy(ICallGrain other);

    [OneWay]
    Task FireAndForget(string gate);

    [OneWay]
    Task FireAndFail();

    Task<string> WaitFor(string gate, CancellationToken cancellation);

    Task<string> WaitForThrough(ICallGrain other, string gate, CancellationToken cancellation);

    Task Note(string what);
}

public sealed class DomainException(string message) : Exception(message);

public sealed class CallGrain(Probe probe) : Grain, ICallGrain
{
    public Task<string> Echo(string text) => Task.FromResult($"{this.GetPrimaryKeyString()}:{text}");

    public async ValueTask<int> Add(int a, int b)
    {
        await Task.Yield();
        return a + b;
    }

    public ValueTask Nothing() => ValueTask.CompletedTask;

    public Task<T> Same<T>(T value) => Task.FromResult(value);

    public Task Throw(string message) => throw new DomainException(message);

    public async Task ThrowAfterAwait(string message)
    {
        await Task.Yield();
        throw new DomainException(message);
    }

    public Task<string> KeyOf(ICallGrain other) => Task.FromResult($"{other.GetPrimaryKeyString()} by {(other is Grain ? "object" : "reference")}");

    public Task<string> KeyOfMyselfSeenBy(ICallGrain other) => other.KeyOf(this);

    public async Task FireAndForget(string gate)
    {
        await probe.Gate(gate);
        probe.Note("fired");
        probe.Open("fired");
    }

    public Task FireAndFail() => throw new DomainException("nobody hears this");

    public async Task<string> WaitFor(string gate, CancellationToken cancellation)
    {
        TaskScheduler own = TaskScheduler.Current;
        using CancellationTokenRegistration seen = cancellation.Register(() =>
        {
            probe.Note(TaskScheduler.Current == own ? "cancelled in a turn" : "cancelled outside");
            probe.Open("cancelled");
        });
        probe.Open("waiting");
        await probe.Gate(gate);
        return $"token {(cancellation.IsCancellationRequested ? "cancelled" : "quiet")}";
    }

    public Task<string> WaitForThrough(ICallGrain other, string gate, CancellationToken cancellation) => other.WaitFor(gate, cancellation);

    public Task Note(string what)
    {
        probe.Note(what);
        return Task.CompletedTask;
    }
}

public interface IUnimplementedGrain : IGrainWithStringKey;

public interface IShapeGrain : IGrainWithStringKey
{
    Task<string> Name();
}

public sealed class ShapeGrain : Grain, IShapeGrain
{
    public Task<string> Name() => Task.FromResult("shape");
}

public sealed class RoundShapeGrain : Grain, IShapeGrain
{
    public Task<string> Name() => Task.FromResult("round");
}

public interface IAmbiguousGrain : IGrainWithStringKey;

public sealed class FirstGrain : Grain, IAmbiguousGrain;

[GrainType("second-by-name")]
public sealed class SecondGrain : Grain, IAmbiguousGrain;

public sealed class CallTests
{
    [Fact]
    public async Task Every_shape_of_method_answers()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>("k");
        Assert.Equal("k:hello", await grain.Echo("hello"));
        Assert.Equal(5, await grain.Add(2, 3));
        await grain.Nothing();
        Assert.Equal(7m, await grain.Same(7m));
        Assert.Equal("x", await grain.Same("x"));
    }

    [Fact]
    public async Task An_exception_reaches_the_caller_as_it_was_thrown()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>();
        DomainException thrown = await Assert.ThrowsAsync<DomainException>(() => grain.Throw("no"));
        Assert.Equal("no", thrown.Message);
        Assert.Contains(nameof(CallGrain.Throw), thrown.StackTrace);
        Assert.Equal("later", (await Assert.ThrowsAsync<DomainException>(() => grain.ThrowAfterAwait("later"))).Message);
        Assert.Equal("a:still here", await grain.Echo("still here"));
    }

    [Fact]
    public async Task References_are_equal_by_grain_and_travel_as_arguments()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain a = silo.Grain<ICallGrain>("a");
        ICallGrain b = silo.Grain<ICallGrain>("b");
        Assert.Equal(a, silo.Grain<ICallGrain>("a"));
        Assert.Equal(a.GetHashCode(), silo.Grain<ICallGrain>("a").GetHashCode());
        Assert.NotEqual(a, b);
        Assert.Equal(GrainId.Create("call", "a"), a.GetGrainId());
        Assert.Equal("a", a.GetPrimaryKeyString());
        Assert.Equal("b by reference", await a.KeyOf(b));
        // A grain that passes "this" passes its reference.
        Assert.Equal("a by reference", await a.KeyOfMyselfSeenBy(b));
        Assert.Equal("a:x", await silo.Client.GetGrain<ICallGrain>(a.GetGrainId()).Echo("x"));
        Assert.Equal("a:x", await silo.Client.GetGrain(a.GetGrainId()).AsReference<ICallGrain>().Echo("x"));
    }

    [Fact]
    public async Task A_one_way_call_completes_for_the_caller_before_it_ran()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>();
        Task sent = grain.FireAndForget("go");
        Assert.True(sent.IsCompletedSuccessfully);
        Assert.Empty(silo.Probe.Log);
        silo.Probe.Open("go");
        await silo.Probe.Gate("fired");
        await grain.FireAndFail();
        Assert.Equal("a:fine", await grain.Echo("fine"));
    }

    [Fact]
    public async Task Cancelling_frees_the_caller_at_once_and_tells_the_callee_in_a_turn()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>("a");
        using CancellationTokenSource cancellation = new();
        Task<string> call = grain.WaitForThrough(silo.Grain<ICallGrain>("b"), "go", cancellation.Token);
        await silo.Probe.Gate("waiting");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await silo.Probe.Gate("cancelled");
        Assert.Equal(["cancelled in a turn"], silo.Probe.Log);
        silo.Probe.Open("go");
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_it_waits_never_runs()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>();
        Task<string> first = grain.WaitFor("go", CancellationToken.None);
        await silo.Probe.Gate("waiting");
        using CancellationTokenSource cancellation = new();
        Task<string> second = grain.WaitFor("never", cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        silo.Probe.Open("go");
        Assert.Equal("token quiet", await first);
        Assert.Equal("a:on", await grain.Echo("on"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => grain.WaitFor("never", cancellation.Token));
    }

    [Fact]
    public async Task Interfaces_find_their_class()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Assert.Equal("shape", await silo.Grain<IShapeGrain>().Name());
        Assert.Equal("round", await silo.Client.GetGrain<IShapeGrain>("a", typeof(RoundShapeGrain).FullName).Name());
        ArgumentException missing = Assert.Throws<ArgumentException>(() => silo.Grain<IUnimplementedGrain>());
        Assert.Contains(nameof(IUnimplementedGrain), missing.Message);
        ArgumentException ambiguous = Assert.Throws<ArgumentException>(() => silo.Grain<IAmbiguousGrain>());
        Assert.Contains(nameof(FirstGrain), ambiguous.Message);
        Assert.Contains(nameof(SecondGrain), ambiguous.Message);
        Assert.Equal("second-by-name/a", silo.Client.GetGrain<IAmbiguousGrain>("a", typeof(SecondGrain).FullName).GetGrainId().ToString());
        await Assert.ThrowsAsync<ArgumentException>(() => silo.Client.GetGrain<ICallGrain>(GrainId.Create("nobody", "a")).Echo(""));
        Assert.Throws<ArgumentException>(() => silo.Grain<ICallGrain>(" "));
    }

    [Fact]
    public async Task A_stopped_silo_refuses_calls()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ICallGrain grain = silo.Grain<ICallGrain>();
        await grain.Nothing();
        await silo.StopAsync();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.Echo("too late"));
    }

    [Fact]
    public async Task Statistics_count_activations_and_requests()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        foreach (string key in (string[])["a", "b", "c"])
        {
            for (int i = 0; i < 5; i++) await silo.Grain<ICallGrain>(key).Nothing();
        }
        // A request counts when its turn has ended, which may be just after its answer; a second one behind it proves the first.
        GrainTypeStatistics calls = Assert.Single(silo.Statistics.GrainTypes, s => s.GrainType == "call");
        Assert.Equal((3, 3), (calls.Activations, calls.Activated));
        Assert.InRange(calls.Requests, 12, 15);
        Assert.Equal(typeof(CallGrain).FullName, calls.ClassName);
    }
}
