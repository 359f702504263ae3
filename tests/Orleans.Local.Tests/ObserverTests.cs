using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Utilities;

namespace HybridTrading.LocalOrleans.Tests;

public interface IListener : IGrainObserver
{
    void Hear(string what);

    Task HearAndAnswer(string what);
}

public interface ISpeakerGrain : IGrainWithStringKey
{
    Task Subscribe(IListener listener);

    Task Unsubscribe(IListener listener);

    Task<int> Say(string what);

    Task<int> SayAndWait(string what);

    Task TellDirectly(IListener listener, string what);
}

public sealed class SpeakerGrain(TimeProvider time) : Grain, ISpeakerGrain
{
    private readonly ObserverManager<IListener> _listeners =
        new(TimeSpan.FromMinutes(5), NullLogger.Instance) { GetDateTime = () => time.GetUtcNow().UtcDateTime };

    public Task Subscribe(IListener listener)
    {
        _listeners.Subscribe(listener, listener);
        return Task.CompletedTask;
    }

    public Task Unsubscribe(IListener listener)
    {
        _listeners.Unsubscribe(listener);
        return Task.CompletedTask;
    }

    public Task<int> Say(string what)
    {
        _listeners.Notify(listener => listener.Hear(what));
        return Task.FromResult(_listeners.Count);
    }

    public async Task<int> SayAndWait(string what)
    {
        await _listeners.Notify(listener => listener.HearAndAnswer(what));
        return _listeners.Count;
    }

    public Task TellDirectly(IListener listener, string what) => listener.HearAndAnswer(what);
}

public sealed class Listener(string name, Probe probe) : IListener
{
    private int _inside;

    public void Hear(string what)
    {
        probe.Note($"{name} heard {what}");
        probe.Open($"{name} heard {what}");
    }

    public async Task HearAndAnswer(string what)
    {
        Assert.Equal(1, ++_inside);
        await Task.Yield();
        Hear(what);
        _inside--;
        if (what == "bad news") throw new DomainException("deaf");
    }
}

public sealed class ObserverTests
{
    [Fact]
    public async Task An_observer_is_called_until_it_unsubscribes()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Listener listener = new("l", silo.Probe);
        IListener reference = silo.Client.CreateObjectReference<IListener>(listener);
        ISpeakerGrain grain = silo.Grain<ISpeakerGrain>();
        await grain.Subscribe(reference);
        await grain.Subscribe(reference);
        Assert.Equal(1, await grain.Say("one"));
        await silo.Probe.Gate("l heard one");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => grain.TellDirectly(reference, $"{i}")));
        await grain.Unsubscribe(reference);
        Assert.Equal(0, await grain.Say("two"));
        Assert.Equal(21, silo.Probe.Log.Length);
        GC.KeepAlive(listener);
    }

    [Fact]
    public async Task An_observer_that_fails_or_expires_or_is_deleted_is_taken_out()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Listener a = new("a", silo.Probe);
        Listener b = new("b", silo.Probe);
        Listener c = new("c", silo.Probe);
        IListener[] references = [.. new[] { a, b, c }.Select(listener => silo.Client.CreateObjectReference<IListener>(listener))];
        ISpeakerGrain grain = silo.Grain<ISpeakerGrain>();
        foreach (IListener reference in references) await grain.Subscribe(reference);
        silo.Client.DeleteObjectReference<IListener>(references[0]);
        Assert.Equal(2, await grain.SayAndWait("hello"));
        await Assert.ThrowsAsync<ClientNotAvailableException>(() => grain.TellDirectly(references[0], "x"));

        silo.Time.Advance(TimeSpan.FromMinutes(4));
        await grain.Subscribe(references[2]);
        silo.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await grain.SayAndWait("later"));
        Assert.Equal(0, await grain.SayAndWait("bad news"));
        Assert.Contains("c heard bad news", silo.Probe.Log);
        Assert.DoesNotContain("b heard later", silo.Probe.Log);
        GC.KeepAlive((a, b, c));
    }

    [Fact]
    public async Task The_runtime_does_not_keep_an_observer_alive()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        (IListener reference, WeakReference alive) = Make(silo);
        for (int i = 0; i < 10 && alive.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(alive.IsAlive);
        await Assert.ThrowsAsync<ClientNotAvailableException>(() => reference.HearAndAnswer("anyone?"));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (IListener, WeakReference) Make(TestSilo silo)
        {
            Listener listener = new("gone", silo.Probe);
            return (silo.Client.CreateObjectReference<IListener>(listener), new WeakReference(listener));
        }
    }

    [Fact]
    public async Task Wrong_references_are_refused()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Listener listener = new("l", silo.Probe);
        IListener reference = silo.Client.CreateObjectReference<IListener>(listener);
        Assert.Throws<ArgumentException>(() => silo.Client.CreateObjectReference<IListener>(reference));
        Assert.Throws<ArgumentException>(() => silo.Client.DeleteObjectReference<IListener>(listener));
        Assert.Throws<ArgumentNullException>(() => silo.Client.CreateObjectReference<IListener>(null!));
    }

    [Fact]
    public async Task A_manager_may_change_while_it_notifies()
    {
        DateTime now = DateTime.UnixEpoch;
        ObserverManager<string, string> manager = new(TimeSpan.FromSeconds(10), NullLogger.Instance) { GetDateTime = () => now };
        manager.Subscribe("a", "A");
        manager.Subscribe("b", "B");
        List<string> seen = [];
        await manager.Notify(
            observer =>
            {
                seen.Add(observer);
                manager.Subscribe("c", "C");
                manager.Unsubscribe("b");
                return Task.CompletedTask;
            },
            observer => observer != "C");
        Assert.Equal(["A", "B"], seen.Order());
        Assert.Equal(["a", "c"], manager.Observers.Keys.Order());
        now = now.AddSeconds(11);
        manager.Subscribe("c", "C");
        manager.ClearExpired();
        Assert.Equal(["C"], manager);
        manager.Clear();
        Assert.Equal(0, manager.Count);
    }
}
