using HybridTrading.Tests;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace HybridTrading.LocalOrleans.Tests;

public interface IReminderGrain : IGrainWithStringKey
{
    Task Register(string name, TimeSpan due, TimeSpan period);

    Task Unregister(string name);

    Task UnregisterTwice(string name);

    Task<string[]> Names();

    Task<bool> Has(string name);
}

public sealed class ReminderGrain(Probe probe) : Grain, IReminderGrain, IRemindable
{
    private int _ticks;

    public Task Register(string name, TimeSpan due, TimeSpan period) => this.RegisterOrUpdateReminder(name, due, period);

    public async Task Unregister(string name) => await this.UnregisterReminder((await this.GetReminder(name))!);

    public async Task UnregisterTwice(string name)
    {
        IGrainReminder reminder = (await this.GetReminder(name))!;
        await this.UnregisterReminder(reminder);
        await this.UnregisterReminder(reminder);
    }

    public async Task<string[]> Names() => [.. (await this.GetReminders()).Select(r => r.ReminderName).Order(StringComparer.Ordinal)];

    public async Task<bool> Has(string name) => await this.GetReminder(name) is not null;

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        _ticks++;
        probe.Note($"{reminderName} at {status.CurrentTickTime:HH:mm} of {status.FirstTickTime:HH:mm} every {status.Period.TotalMinutes}");
        probe.Open($"{reminderName} {_ticks}");
        if (reminderName == "failing") throw new DomainException("a reminder may fail");
        return Task.CompletedTask;
    }
}

public interface IForgetfulGrain : IGrainWithStringKey
{
    Task Register();
}

public sealed class ForgetfulGrain : Grain, IForgetfulGrain
{
    public Task Register() => this.RegisterOrUpdateReminder("x", TimeSpan.Zero, TimeSpan.FromMinutes(1));
}

/// <summary>A reminder table that several silos of a test use one after the other, as one on disk would be.</summary>
public sealed class LastingReminderTable : IReminderTable
{
    private readonly Dictionary<(GrainId, string), ReminderEntry> _rows = [];
    private int _version;

    public int Started { get; private set; }

    public int Stopped { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Started++;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        Stopped++;
        return Task.CompletedTask;
    }

    public Task<ReminderTableData> ReadRows(GrainId grainId) => Task.FromResult(new ReminderTableData(_rows.Values.Where(r => r.GrainId == grainId)));

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => Task.FromResult(new ReminderTableData(_rows.Values));

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        Task.FromResult(_rows.GetValueOrDefault((grainId, reminderName)));

    public Task<string?> UpsertRow(ReminderEntry entry)
    {
        entry.ETag = $"v{++_version}";
        _rows[(entry.GrainId, entry.ReminderName)] = entry;
        return Task.FromResult<string?>(entry.ETag);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        Task.FromResult(_rows.GetValueOrDefault((grainId, reminderName))?.ETag == eTag && _rows.Remove((grainId, reminderName)));

    public Task TestOnlyClearTable()
    {
        _rows.Clear();
        return Task.CompletedTask;
    }
}

public sealed class ReminderTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_reminder_ticks_at_its_regular_times_until_it_is_unregistered()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReminderGrain grain = silo.Grain<IReminderGrain>();
        await grain.Register("r", 2 * Minute, 5 * Minute);
        Assert.Equal(["r"], await grain.Names());
        int timers = silo.Time.ActiveTimers;
        silo.Time.Advance(2 * Minute);
        await silo.Probe.Gate("r 1");
        await silo.Time.WhenTimersAsync(timers);
        silo.Time.Advance(5 * Minute);
        await silo.Probe.Gate("r 2");
        await silo.Time.WhenTimersAsync(timers);
        Assert.Equal(["r at 00:02 of 00:02 every 5", "r at 00:07 of 00:02 every 5"], silo.Probe.Log);
        await grain.Unregister("r");
        Assert.False(await grain.Has("r"));
        silo.Time.Advance(60 * Minute);
        Assert.Empty(await grain.Names());
        Assert.Equal(2, silo.Probe.Log.Length);
    }

    [Fact]
    public async Task Registering_again_sets_the_reminder_anew()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReminderGrain grain = silo.Grain<IReminderGrain>();
        await grain.Register("r", 2 * Minute, 5 * Minute);
        await grain.Register("r", 10 * Minute, 20 * Minute);
        silo.Time.Advance(9 * Minute);
        Assert.Equal(["r"], await grain.Names());
        Assert.Empty(silo.Probe.Log);
        silo.Time.Advance(Minute);
        await silo.Probe.Gate("r 1");
        Assert.Equal(["r at 00:10 of 00:10 every 20"], silo.Probe.Log);
    }

    [Fact]
    public async Task A_failing_tick_does_not_end_the_reminder_and_a_long_wait_is_kept()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReminderGrain grain = silo.Grain<IReminderGrain>();
        await grain.Register("failing", TimeSpan.FromDays(3), TimeSpan.FromDays(2));
        int timers = silo.Time.ActiveTimers;
        silo.Time.Advance(TimeSpan.FromDays(3) - Minute);
        Assert.Empty(silo.Probe.Log);
        silo.Time.Advance(Minute);
        await silo.Probe.Gate("failing 1");
        await silo.Time.WhenTimersAsync(timers);
        silo.Time.Advance(TimeSpan.FromDays(2));
        // The grain was collected in between; the reminder woke it again.
        await AsyncCondition(() => silo.Probe.Log.Length == 2, silo);
        Assert.Equal("failing at 00:00 of 00:00 every 2880", silo.Probe.Log[^1]);
    }

    [Fact]
    public async Task Reminders_survive_a_restart_and_missed_ticks_are_not_made_up_for()
    {
        FakeTimeProvider clock = new();
        LastingReminderTable table = new();
        await using (TestSilo first = await TestSilo.StartAsync(b => b.Services.AddSingleton<IReminderTable>(table), clock))
        {
            await first.Grain<IReminderGrain>().Register("r", 10 * Minute, 10 * Minute);
            await first.StopAsync();
        }
        Assert.Equal((1, 1), (table.Started, table.Stopped));
        clock.Advance(25 * Minute);

        await using TestSilo second = await TestSilo.StartAsync(b => b.Services.AddSingleton<IReminderTable>(table), clock);
        int timers = second.Time.ActiveTimers;
        clock.Advance(4 * Minute);
        Assert.Empty(second.Probe.Log);
        clock.Advance(Minute);
        await second.Probe.Gate("r 1");
        await second.Time.WhenTimersAsync(timers);
        Assert.Equal(["r at 00:30 of 00:10 every 10"], second.Probe.Log);
    }

    [Fact]
    public async Task Wrong_registrations_are_refused_with_a_word()
    {
        await using TestSilo silo = await TestSilo.StartAsync();
        IReminderGrain grain = silo.Grain<IReminderGrain>();
        ArgumentException tooOften = await Assert.ThrowsAsync<ArgumentException>(() => grain.Register("r", Minute, TimeSpan.FromSeconds(59)));
        Assert.Contains("expected at least 00:01:00", tooOften.Message);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => grain.Register("r", -Minute, Minute));
        await Assert.ThrowsAsync<ArgumentException>(() => grain.Register(" ", Minute, Minute));
        InvalidOperationException notRemindable = await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Grain<IForgetfulGrain>().Register());
        Assert.Contains(nameof(IRemindable), notRemindable.Message);
        await grain.Register("r", Minute, Minute);
        await Assert.ThrowsAsync<ReminderException>(() => grain.UnregisterTwice("r"));
    }

    // The second life counts its ticks from one, so its gate is open already; the log is what tells.
    private static async Task AsyncCondition(Func<bool> condition, TestSilo silo)
    {
        while (!condition()) await silo.Grain<IReminderGrain>("other").Names();
    }
}
