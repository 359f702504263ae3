using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Backtesting;

[GenerateSerializer, Immutable, Alias("ht.JobQueueState")]
public sealed record JobQueueState
{
    /// <summary>The next one first.</summary>
    [Id(0)] public ImmutableArray<string> Waiting { get; init; } = [];

    /// <summary>Those whose run was begun.</summary>
    [Id(1)] public ImmutableArray<string> Running { get; init; } = [];
}

/// <summary>
/// Which of a user's jobs is next. The jobs themselves remember what they are; a queue that knows an id that no job has forgets it. While there is any, a
/// reminder wakes the queue wherever there is a silo, and it asks what was running to run.
/// </summary>
[HostedBy("backtesting-engine")]
public sealed partial class JobQueueGrain(
    [PersistentState("jobs")] IPersistentState<JobQueueState> state, BacktestingOptions options, ILogger<JobQueueGrain> log) : Grain, IJobQueueGrain, IRemindable
{
    private const int RunningAtOnce = 1;
    private const string Reminder = "jobs";
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);

    private bool _reminded;

    private string Key => this.GetPrimaryKeyString();

    private JobQueueState State => state.State;

    public async Task<CommandResult> Submit(string id, JobRequest request)
    {
        IJobGrain job = Job(id);
        if (await job.GetView() is null && !IsKnown(id))
        {
            if (State.Waiting.Length >= options.MaxWaiting) return new CommandResult(-1, $"{State.Waiting.Length} jobs wait already; at most {options.MaxWaiting}");
            // First the place in the queue: a job without one would wait for nobody.
            await SaveAsync(State with { Waiting = State.Waiting.Add(id) });
        }
        CommandResult done = await job.Enqueue(request);
        await AdvanceAsync();
        return done;
    }

    public async Task Ended(string id)
    {
        if (IsKnown(id)) await SaveAsync(Without(id));
        await AdvanceAsync();
    }

    public async Task Wake(ImmutableArray<string> unfinished)
    {
        ImmutableArray<string> unknown = [.. unfinished.Where(id => !IsKnown(id))];
        if (!unknown.IsEmpty) await SaveAsync(State with { Waiting = State.Waiting.AddRange(unknown) });
        foreach (string id in State.Running)
        {
            if (!await StartAsync(id)) await SaveAsync(Without(id));
        }
        await AdvanceAsync();
    }

    public Task<ImmutableArray<string>> GetWaiting() => Task.FromResult(State.Waiting);

    public async Task Leave()
    {
        if (await this.GetReminder(Reminder) is { } reminder) await this.UnregisterReminder(reminder);
        await state.ClearStateAsync();
        DeactivateOnIdle();
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Wake([]);

    private IJobGrain Job(string id) => GrainFactory.GetGrain<IJobGrain>($"{Keys.PersonOf(Key)}/{id}");

    private bool IsKnown(string id) => State.Waiting.Contains(id) || State.Running.Contains(id);

    private JobQueueState Without(string id) => State with { Waiting = State.Waiting.Remove(id), Running = State.Running.Remove(id) };

    private async Task AdvanceAsync()
    {
        while (State.Running.Length < RunningAtOnce && !State.Waiting.IsEmpty)
        {
            string next = State.Waiting[0];
            await SaveAsync(State with { Waiting = State.Waiting.RemoveAt(0), Running = State.Running.Add(next) });
            if (!await StartAsync(next)) await SaveAsync(Without(next));
        }
        await RemindAsync(!State.Running.IsEmpty || !State.Waiting.IsEmpty);
    }

    /// <summary>A job that cannot be asked now counts as begun: the reminder asks it again.</summary>
    private async Task<bool> StartAsync(string id)
    {
        try
        {
            return await Job(id).Start();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotStarted(e, $"{Keys.PersonOf(Key)}/{id}");
            return true;
        }
    }

    private async Task RemindAsync(bool wanted)
    {
        if (wanted == _reminded) return;
        if (wanted) await this.RegisterOrUpdateReminder(Reminder, ReminderPeriod, ReminderPeriod);
        else if (await this.GetReminder(Reminder) is { } reminder) await this.UnregisterReminder(reminder);
        _reminded = wanted;
    }

    private async Task SaveAsync(JobQueueState next)
    {
        JobQueueState before = State;
        state.State = next;
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;
            DeactivateOnIdle();
            throw;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "job {Job} could not be started; it will be asked again")]
    private partial void LogNotStarted(Exception exception, string job);
}
