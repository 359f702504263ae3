using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Timers;

namespace Orleans.Local;

/// <summary>
/// Ticks the reminders of the table. It reads the table when the silo starts; ticks that fell into a time without a silo are not made up for:
/// the next one comes at its regular time, as start + n * period.
/// </summary>
internal sealed partial class LocalReminderService(
    IReminderTable table, LocalRuntime runtime, IOptions<ReminderOptions> options, ILogger<LocalReminderService> logger)
    : IReminderRegistry, ILifecycleParticipant<ISiloLifecycle>
{
    // Timers cannot wait longer than 49 days; longer waits go in steps.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly SystemContext _self = new(runtime, "reminders");
    private readonly Lock _lock = new();
    private readonly Dictionary<(GrainId, string), Reminder> _reminders = [];
    private bool _running;

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(LocalReminderService), ServiceLifecycleStage.Active, StartAsync, StopAsync);

    public async Task<IGrainReminder> RegisterOrUpdateReminder(GrainId callingGrainId, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        CheckName(reminderName);
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        if (period < options.Value.MinimumReminderPeriod)
        {
            throw new ArgumentException(
                $"Reminder {reminderName}: the period is {period}, expected at least {options.Value.MinimumReminderPeriod}", nameof(period));
        }
        ReminderEntry entry = new() { GrainId = callingGrainId, ReminderName = reminderName, StartAt = UtcNow() + dueTime, Period = period };
        entry.ETag = await table.UpsertRow(entry);
        Arm(entry);
        return new GrainReminder(entry.GrainId, entry.ReminderName, entry.ETag!);
    }

    public async Task UnregisterReminder(GrainId callingGrainId, IGrainReminder reminder)
    {
        if (reminder is not GrainReminder known)
        {
            throw new ArgumentException($"{reminder?.GetType()} is not a reminder of this silo", nameof(reminder));
        }
        if (!await table.RemoveRow(known.GrainId, known.ReminderName, known.ETag))
        {
            throw new ReminderException(
                $"Could not unregister reminder {known.ReminderName} of {known.GrainId}: it was changed or removed since it was read");
        }
        lock (_lock)
        {
            if (_reminders.Remove((known.GrainId, known.ReminderName), out Reminder? armed)) armed.Dispose();
        }
    }

    public async Task<IGrainReminder?> GetReminder(GrainId callingGrainId, string reminderName)
    {
        CheckName(reminderName);
        return await table.ReadRow(callingGrainId, reminderName) is { } entry ? ToReminder(entry) : null;
    }

    public async Task<List<IGrainReminder>> GetReminders(GrainId callingGrainId) =>
        [.. (await table.ReadRows(callingGrainId)).Reminders.Select(ToReminder)];

    private static IGrainReminder ToReminder(ReminderEntry entry) => new GrainReminder(entry.GrainId, entry.ReminderName, entry.ETag!);

    private static void CheckName(string reminderName) => ArgumentException.ThrowIfNullOrWhiteSpace(reminderName);

    private DateTime UtcNow() => runtime.TimeProvider.GetUtcNow().UtcDateTime;

    private async Task StartAsync(CancellationToken cancellation)
    {
        await table.StartAsync(cancellation);
        ReminderTableData all = await table.ReadRows(0, 0);
        lock (_lock) _running = true;
        foreach (ReminderEntry entry in all.Reminders) Arm(entry);
    }

    private async Task StopAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            _running = false;
            foreach (Reminder reminder in _reminders.Values) reminder.Dispose();
            _reminders.Clear();
        }
        await table.StopAsync(cancellation);
    }

    private void Arm(ReminderEntry entry)
    {
        lock (_lock)
        {
            // What registers before the start is in the table, and the start reads it.
            if (!_running) return;
            if (_reminders.Remove((entry.GrainId, entry.ReminderName), out Reminder? old)) old.Dispose();
            _reminders[(entry.GrainId, entry.ReminderName)] = new Reminder(this, entry);
        }
    }

    private sealed record GrainReminder(GrainId GrainId, string ReminderName, string ETag) : IGrainReminder;

    private sealed class Reminder : IDisposable
    {
        private readonly LocalReminderService _service;
        private readonly ReminderEntry _entry;
        private readonly ITimer _timer;
        private DateTime _next;
        private volatile bool _disposed;

        public Reminder(LocalReminderService service, ReminderEntry entry)
        {
            _service = service;
            _entry = entry;
            DateTime now = service.UtcNow();
            _next = now <= entry.StartAt ? entry.StartAt : FirstAfter(now - TimeSpan.FromTicks(1));
            _timer = service.Scheduler.CreateTimer(
                static state => ((Reminder)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            SetTimer();
        }

        public void Dispose()
        {
            _disposed = true;
            _timer.Dispose();
        }

        private void OnTimer()
        {
            if (_disposed) return;
            if (_service.UtcNow() < _next) SetTimer();
            else _ = TickAsync();
        }

        private async Task TickAsync()
        {
            try
            {
                await _service.Remind(_entry, new TickStatus(_entry.StartAt, _entry.Period, _service.UtcNow()));
            }
            catch (Exception failure)
            {
                LogFailed(_service.Logger, failure, _entry.ReminderName, _entry.GrainId);
            }
            DateTime now = _service.UtcNow();
            _next = FirstAfter(now > _next ? now : _next);
            if (!_disposed) SetTimer();
        }

        /// <summary>The first regular time of a tick after a moment that is not before the first tick.</summary>
        private DateTime FirstAfter(DateTime moment)
        {
            long periods = ((moment - _entry.StartAt).Ticks / _entry.Period.Ticks) + 1;
            return _entry.StartAt + TimeSpan.FromTicks(periods * _entry.Period.Ticks);
        }

        private void SetTimer()
        {
            TimeSpan wait = _next - _service.UtcNow();
            if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
            // Rounded up: timers cut fractions of a millisecond off and would wake up too early.
            wait = wait > LongestWait ? LongestWait : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private GrainWorkScheduler Scheduler => runtime.Scheduler;

    private ILogger Logger => logger;

    private Task Remind(ReminderEntry entry, TickStatus status) =>
        _self.CallAsync(() => runtime.GetGrain<IRemindable>(entry.GrainId).ReceiveReminder(entry.ReminderName, status));

    [LoggerMessage(LogLevel.Error, "Reminder {Name} of {GrainId} failed")]
    private static partial void LogFailed(ILogger logger, Exception failure, string name, GrainId grainId);
}
