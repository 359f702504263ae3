using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface ITimerGrain : IGrainWithStringKey
{
    Task Start(string name, TimeSpan due, TimeSpan period, bool interleave = false, bool keepAlive = false);

    Task StartFailing(TimeSpan period);

    Task StartOnce(TimeSpan due);

    Task Change(TimeSpan due, TimeSpan period);

    Task Stop();

    Task Hold(string gate);

    Task<int> Ticks();
}

public sealed class TimerGrain(Probe probe) : Grain, ITimerGrain
{
    private IGrainTimer? _timer;
    private int _ticks;

    public Task Start(string name, TimeSpan due, TimeSpan period, bool interleave, bool keepAlive)
    {
        TaskScheduler own = TaskScheduler.Current;
        _timer = this.RegisterGrainTimer(
            async (state, cancellation) =>
            {
                Assert.Same(own, TaskScheduler.Current);
                Assert.Null(RequestContext.Get("caller"));
                _ticks++;
                probe.Note($"{state} {_ticks}");
                probe.Open($"{state} {_ticks}");
                if (state == "held")
                {
                    using CancellationTokenRegistration stopped = cancellation.Register(() => probe.Note("cancelled"));
                    await probe.Gate($"release {_ticks}");
                }
            },
            name,
            new GrainTimerCreationOptions { DueTime = due, Period = period, Interleave = interleave, KeepAlive = keepAlive });
        return Task.CompletedTask;
    }

    public Task StartFailing(TimeSpan period)
    {
        _timer = this.RegisterGrainTimer(
            () =>
            {
                _ticks++;
                throw new DomainException("a timer may fail");
            },
            period,
            period);
        return Task.CompletedTask;
    }

    public Task StartOnce(TimeSpan due)
    {
        _timer = this.RegisterGrainTimer(
            _ =>
            {
                _ticks++;
                return Task.CompletedTask;
            },
            due,
            Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public Task Change(TimeSpan due, TimeSpan period)
    {
        _timer!.Change(due, period);
        return Task.CompletedTask;
    }

    public Task Stop()
    {
        _timer!.Dispose();
        return Task.CompletedTask;
    }

    public async Task Hold(string gate)
    {
        probe.Note($"hold {gate}");
        probe.Open($"holding {gate}");
        await probe.Gate(gate);
        probe.Note($"release {gate}");
    }

    public Task<int> Ticks() => Task.FromResult(_ticks);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Open("timer grain left");
        return Task.CompletedTask;
    }
}

public sealed class TimerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_timer_ticks_at_its_times_in_turns_of_the_grain()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITimerGrain grain = silo.Grain<ITimerGrain>();
        RequestContext.Set("caller", "a test");
        await grain.Start("t", 5 * Second, 2 * Second);
        silo.Time.Advance(4 * Second);
        Assert.Equal(0, await grain.Ticks());
        silo.Time.Advance(Second);
        Assert.Equal(1, await grain.Ticks());
        silo.Time.Advance(2 * Second);
        Assert.Equal(2, await grain.Ticks());
        await grain.Change(10 * Second, Second);
        silo.Time.Advance(9 * Second);
        Assert.Equal(2, await grain.Ticks());
        silo.Time.Advance(Second);
        Assert.Equal(3, await grain.Ticks());
        silo.Time.Advance(Second);
        Assert.Equal(4, await grain.Ticks());
        await grain.Stop();
        silo.Time.Advance(100 * Second);
        Assert.Equal(4, await grain.Ticks());
    }

    [Fact]
    public async Task A_timer_without_a_period_ticks_once_and_a_failing_one_goes_on()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITimerGrain once = silo.Grain<ITimerGrain>("once");
        ITimerGrain failing = silo.Grain<ITimerGrain>("failing");
        await once.StartOnce(Second);
        await failing.StartFailing(Second);
        for (int i = 0; i < 3; i++)
        {
            silo.Time.Advance(Second);
            Assert.Equal(i + 1, await failing.Ticks());
            Assert.Equal(1, await once.Ticks());
        }
    }

    [Fact]
    public async Task A_tick_waits_for_the_running_request_and_holds_up_the_next()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITimerGrain grain = silo.Grain<ITimerGrain>();
        await grain.Start("held", Second, Second);
        Task holding = grain.Hold("h");
        await silo.Probe.Gate("holding h");
        silo.Time.Advance(Second);
        silo.Probe.Open("h");
        await holding;
        await silo.Probe.Gate("held 1");
        Assert.Equal(["hold h", "release h", "held 1"], silo.Probe.Log);
        Task<int> behind = grain.Ticks();
        // While the callback runs, no time makes another tick of it.
        silo.Time.Advance(10 * Second);
        Assert.False(behind.IsCompleted);
        silo.Probe.Open("release 1");
        Assert.Equal(1, await behind);
        silo.Time.Advance(Second);
        await silo.Probe.Gate("held 2");
        silo.Probe.Open("release 2");
    }

    [Fact]
    public async Task An_interleaving_tick_runs_between_the_awaits_of_a_request()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITimerGrain grain = silo.Grain<ITimerGrain>();
        await grain.Start("t", Second, Second, interleave: true);
        Task holding = grain.Hold("h");
        await silo.Probe.Gate("holding h");
        silo.Time.Advance(Second);
        await silo.Probe.Gate("t 1");
        Assert.False(holding.IsCompleted);
        silo.Probe.Open("h");
        await holding;
        Assert.Equal(["hold h", "t 1", "release h"], silo.Probe.Log);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ticks_keep_a_grain_alive_only_if_said(bool keepAlive)
    {
        await using TestSilo silo = await TestSilo.StartAsync(
            b => b.Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromMinutes(5)));
        ITimerGrain grain = silo.Grain<ITimerGrain>();
        await grain.Start("t", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), keepAlive: keepAlive);
        int before = silo.Time.ActiveTimers;
        for (int tick = 1; tick <= 4; tick++)
        {
            silo.Time.Advance(TimeSpan.FromMinutes(1));
            await silo.Probe.Gate($"t {tick}");
            await silo.Time.WhenTimersAsync(before);
        }
        silo.Time.Advance(TimeSpan.FromMinutes(1));
        if (!keepAlive) await silo.Probe.Gate("timer grain left");
        else await silo.Probe.Gate("t 5");
        Assert.Equal(keepAlive ? 5 : 0, await grain.Ticks());
    }

    [Fact]
    public async Task Disposing_a_timer_cancels_its_running_callback_and_wrong_times_are_refused()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        ITimerGrain grain = silo.Grain<ITimerGrain>();
        await grain.Start("held", Second, Second, interleave: true);
        silo.Time.Advance(Second);
        await silo.Probe.Gate("held 1");
        await grain.Stop();
        Assert.Contains("cancelled", silo.Probe.Log);
        silo.Probe.Open("release 1");
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => grain.Start("t", TimeSpan.FromSeconds(-5), Second));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => grain.Start("t", Second, TimeSpan.FromDays(60)));
    }
}
