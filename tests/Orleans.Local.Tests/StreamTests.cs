using Orleans.Runtime;
using Orleans.Streams;

namespace HybridTrading.LocalOrleans.Tests;

public interface IViewerGrain : IGrainWithStringKey
{
    Task Watch(string stream);

    Task Unwatch(string stream);

    Task<int[]> Seen();

    Task Hold(string gate);

    Task Leave();
}

public sealed class ViewerGrain(Probe probe) : Grain, IViewerGrain
{
    private readonly List<int> _seen = [];

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (this.GetPrimaryKeyString() == "forgetful") return;
        foreach (StreamSubscriptionHandle<int> handle in await Stream("s").GetAllSubscriptionHandles()) await handle.ResumeAsync(OnNextAsync);
    }

    public Task Watch(string stream) => Stream(stream).SubscribeAsync(OnNextAsync);

    public async Task Unwatch(string stream)
    {
        foreach (StreamSubscriptionHandle<int> handle in await Stream(stream).GetAllSubscriptionHandles()) await handle.UnsubscribeAsync();
    }

    public Task<int[]> Seen() => Task.FromResult(_seen.ToArray());

    public async Task Hold(string gate)
    {
        probe.Open($"holding {gate}");
        await probe.Gate(gate);
    }

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private IAsyncStream<int> Stream(string key) => this.GetStreamProvider("screens").GetStream<int>(StreamId.Create("test", key));

    private Task OnNextAsync(int item, StreamSequenceToken? token)
    {
        _seen.Add(item);
        probe.Open($"{this.GetPrimaryKeyString()} saw {item}");
        return Task.CompletedTask;
    }
}

public sealed class CollectingObserver(Probe probe) : IAsyncObserver<int>
{
    public List<string> Seen { get; } = [];

    public async Task OnNextAsync(int item, StreamSequenceToken? token = null)
    {
        await Task.Yield();
        if (item == 13) throw new DomainException("unlucky");
        Seen.Add($"{item}@{token!.SequenceNumber}");
        if (item < 0) await probe.Gate("slow viewer");
    }

    public Task OnErrorAsync(Exception ex)
    {
        Seen.Add(ex.Message);
        return Task.CompletedTask;
    }

    public Task OnCompletedAsync()
    {
        Seen.Add("completed");
        probe.Open("completed");
        return Task.CompletedTask;
    }
}

public sealed class StreamTests
{
    private static IAsyncStream<int> Stream(TestSilo silo, string key = "s") =>
        silo.Client.GetStreamProvider("screens").GetStream<int>(StreamId.Create("test", key));

    [Fact]
    public async Task A_client_sees_items_in_order_errors_and_the_end()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        CollectingObserver observer = new(silo.Probe);
        await Stream(silo).OnNextAsync(0);
        StreamSubscriptionHandle<int> handle = await Stream(silo).SubscribeAsync(observer);
        foreach (int item in (int[])[1, 2, 13, 3]) await Stream(silo).OnNextAsync(item);
        await Stream(silo).OnErrorAsync(new DomainException("feed lost"));
        await Stream(silo).OnCompletedAsync();
        await silo.Probe.Gate("completed");
        Assert.Equal(["1@1", "2@2", "unlucky", "3@4", "feed lost", "completed"], observer.Seen);
        Assert.Equal([handle], await Stream(silo).GetAllSubscriptionHandles());
        await handle.UnsubscribeAsync();
        Assert.Empty(await Stream(silo).GetAllSubscriptionHandles());
        await Assert.ThrowsAsync<InvalidOperationException>(() => handle.ResumeAsync(observer));
    }

    [Fact]
    public async Task A_grain_sees_items_in_its_own_turns()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IViewerGrain grain = silo.Grain<IViewerGrain>("v");
        await grain.Watch("s");
        Task holding = grain.Hold("h");
        await silo.Probe.Gate("holding h");
        await Stream(silo).OnNextAsync(1);
        await Stream(silo).OnNextAsync(2);
        Assert.False(silo.Probe.Gate("v saw 1").IsCompleted);
        silo.Probe.Open("h");
        await holding;
        await silo.Probe.Gate("v saw 2");
        Assert.Equal((int[])[1, 2], await grain.Seen());
        await grain.Unwatch("s");
        await Stream(silo).OnNextAsync(3);
        Assert.Equal((int[])[1, 2], await grain.Seen());
    }

    [Fact]
    public async Task A_subscription_wakes_its_grain_which_resumes_it()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IViewerGrain grain = silo.Grain<IViewerGrain>("v");
        await grain.Watch("s");
        await grain.Leave();
        await Stream(silo).OnNextAsync(7);
        await silo.Probe.Gate("v saw 7");
        Assert.Equal((int[])[7], await grain.Seen());
    }

    [Fact]
    public async Task Items_for_an_activation_that_did_not_resume_are_dropped()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IViewerGrain grain = silo.Grain<IViewerGrain>("forgetful");
        await grain.Watch("s");
        await grain.Leave();
        Assert.Empty(await grain.Seen());
        await Stream(silo).OnNextAsync(7);
        Assert.Empty(await grain.Seen());
        await grain.Watch("s");
        await Stream(silo).OnNextAsync(8);
        await silo.Probe.Gate("forgetful saw 8");
        Assert.Equal((int[])[8], await grain.Seen());
    }

    [Fact]
    public async Task A_full_queue_makes_the_publisher_wait()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        CollectingObserver observer = new(silo.Probe);
        StreamSubscriptionHandle<int> handle = await Stream(silo).SubscribeAsync(observer);
        await Stream(silo).OnNextAsync(-1);
        for (int i = 0; i < 1024; i++) await Stream(silo).OnNextAsync(i + 100);
        Task waiting = Stream(silo).OnNextAsync(5000);
        Assert.False(waiting.IsCompleted);
        silo.Probe.Open("slow viewer");
        await waiting;
        await Stream(silo).OnCompletedAsync();
        await silo.Probe.Gate("completed");
        Assert.Equal(1027, observer.Seen.Count);
        Assert.Equal("5000@1025", observer.Seen[^2]);
        await handle.UnsubscribeAsync();
    }

    [Fact]
    public async Task Wrong_uses_are_refused_with_a_word()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        Assert.Throws<KeyNotFoundException>(() => silo.Client.GetStreamProvider("nowhere"));
        _ = Stream(silo);
        ArgumentException other = Assert.Throws<ArgumentException>(
            () => silo.Client.GetStreamProvider("screens").GetStream<string>(StreamId.Create("test", "s")));
        Assert.Contains("System.Int32", other.Message);
        Assert.Equal("test/s", StreamId.Create("test", "s").ToString());
        Assert.Equal(("test", "s"), (StreamId.Create("test", "s").GetNamespace(), StreamId.Create("test", "s").GetKeyAsString()));
        Assert.Null(StreamId.Create(null, "s").GetNamespace());
    }
}
