using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Analysis;
using HybridTrading.Grains.Backtesting;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Users;

/// <summary>How far an erasure is.</summary>
public enum ErasureStage : byte { None, Planned, Begun, Done }

/// <summary>Sees to the erasure of one user. Key: the user's id.</summary>
[Shared, ForGateway, Alias("ht.IErasureGrain")]
public interface IErasureGrain : IGrainWithStringKey
{
    /// <summary>What must be settled first.</summary>
    [Alias("GetHindrances")] Task<ImmutableArray<ErasureHindrance>> GetHindrances();

    /// <summary>Plans the erasure; one whose time has come begins at once. The caller has seen who wants it, and what stands in the way.</summary>
    [Alias("Plan")] Task<UserAnswer> Plan(ErasurePlan plan);

    /// <summary>Goes on with what has begun, and begins what is due.</summary>
    [Alias("Wake")] Task Wake();

    [AlwaysInterleave, Alias("GetStage")] Task<ErasureStage> GetStage();
}

/// <summary>
/// Erases a user in steps that can each be done again: whatever cuts it off, it is done from the front by the reminder or the next start. From the
/// first step on nobody sees the user any more; the keys go when everything that can only be found by reading has been found.
/// </summary>
[HostedBy("user-service")]
public sealed partial class ErasureGrain(IJournal journal, IPersonalData data, TimeProvider clock, ILogger<ErasureGrain> log)
    : Grain, IErasureGrain, IRemindable
{
    private const string Reminder = "erase";

    /// <summary>What stands in the way of a planned erasure, or has cut one off, is looked at again after this.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromHours(1), GoOn = TimeSpan.FromMinutes(1);

    private EventStream<ErasureEvent> _stream = null!;
    private ErasureBegun? _begun;
    private bool _done;
    private IGrainTimer? _work;

    private string Id => this.GetPrimaryKeyString();

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    private IUserGrain User => GrainFactory.GetGrain<IUserGrain>(Id);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<ErasureEvent>(
            journal, ErasureEventCatalog.Events, Keys.ErasureStream(Id), ErasureEventCatalog.Owner, DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => Apply(happened), cancellationToken);
    }

    public async Task<ImmutableArray<ErasureHindrance>> GetHindrances()
    {
        var found = ImmutableArray.CreateBuilder<ErasureHindrance>();
        foreach (string tenant in (await User.GetRemains()).Tenants)
        {
            foreach (string stream in await data.StreamsOfAsync($"{tenant}/{Id}"))
            {
                string key = stream[(stream.IndexOf('/') + 1)..];
                IStrategyGrain strategy = GrainFactory.GetGrain<IStrategyGrain>(key);
                if (stream == Keys.AccountStream(key) && await GrainFactory.GetGrain<IAccountGrain>(key).GetView() is { } account)
                {
                    if (!account.Positions.IsEmpty) found.Add(new ErasureHindrance(ErasureObstacle.PositionOpen, key));
                    if (!account.WorkingOrders.IsEmpty) found.Add(new ErasureHindrance(ErasureObstacle.OrderWorking, key));
                }
                else if (stream == Keys.StrategyStream(key) && await strategy.GetView() is { Status: StrategyStatus.Running })
                {
                    found.Add(new ErasureHindrance(ErasureObstacle.StrategyRunning, key));
                }
            }
            if (await Tenant(tenant).GetDeparture(Id) == Departure.NeedsOwner) found.Add(new ErasureHindrance(ErasureObstacle.LastOwner, tenant));
        }
        return found.ToImmutable();
    }

    public async Task<UserAnswer> Plan(ErasurePlan plan)
    {
        if (_begun is not null) return new UserAnswer(UserFault.Unknown, "no such user");
        TimeSpan wait = plan.Due > Now ? plan.Due - Now : TimeSpan.Zero;
        // First the reminder: one without a plan finds none and ends.
        await this.RegisterOrUpdateReminder(Reminder, wait > GoOn ? wait : GoOn, LookAgain);
        UserAnswer answer = await User.PlanErasure(plan);
        if (answer.Fault == UserFault.None && wait == TimeSpan.Zero) Begin();
        return answer;
    }

    public Task Wake()
    {
        Begin();
        return Task.CompletedTask;
    }

    public async Task<ErasureStage> GetStage() =>
        _done ? ErasureStage.Done
        : _begun is not null ? ErasureStage.Begun
        : await User.GetErasure() is not null ? ErasureStage.Planned
        : ErasureStage.None;

    public Task ReceiveReminder(string reminderName, TickStatus status) => Wake();

    /// <summary>It takes longer than a caller waits.</summary>
    private void Begin() => _work ??= this.RegisterGrainTimer(static (self, _) => self.TryAsync(), this,
        new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { KeepAlive = true });

    private async Task TryAsync()
    {
        try
        {
            if (_begun is null && !await TakeOutAsync()) return;
            if (!_done) await EraseAsync(_begun!);
            if (await this.GetReminder(Reminder) is { } reminder) await this.UnregisterReminder(reminder);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogCutOff(e, Id);
        }
        finally
        {
            _work?.Dispose();
            _work = null;
        }
    }

    /// <summary>Takes the user out of everything that others see.</summary>
    /// <returns>False when it is not to be, or not yet.</returns>
    private async Task<bool> TakeOutAsync()
    {
        if (await User.GetErasure() is not { } plan)
        {
            // Cancelled.
            if (await this.GetReminder(Reminder) is { } reminder) await this.UnregisterReminder(reminder);
            return false;
        }
        if (plan.Due > Now) return false;
        ImmutableArray<ErasureHindrance> hindrances = await GetHindrances();
        if (!hindrances.IsEmpty)
        {
            LogPutOff(Id, string.Join(", ", hindrances.Select(one => $"{one.Obstacle} {one.Where}")));
            return false;
        }
        UserRemains remains = await User.GetRemains();
        var ending = ImmutableArray.CreateBuilder<string>();
        foreach (string tenant in remains.Tenants)
        {
            Departure departure = await Tenant(tenant).Depart(Id, remains.Emails, remains.Names);
            // Another owner has left just now: looked at again later.
            if (departure == Departure.NeedsOwner) return false;
            if (departure == Departure.Ends) ending.Add(tenant);
        }
        await User.Close();
        ImmutableArray<string> persons = [.. remains.Tenants.Select(tenant => $"{tenant}/{Id}")];
        // The user's own key is the last: their stream says where the rest is.
        ImmutableArray<string> subjects =
        [
            .. persons, .. ending.SelectMany(tenant => new[] { tenant, Keys.Tenant(tenant), Keys.TenantConfiguration(tenant), Keys.Clients(tenant) }),
            Keys.UserOwner(Id).Subject,
        ];
        Raise(new ErasureBegun(Now, Id, persons, subjects, ending.ToImmutable(), plan.By, plan.Reason));
        await _stream.Durable();
        await this.RegisterOrUpdateReminder(Reminder, GoOn, GoOn);
        return true;
    }

    private async Task EraseAsync(ErasureBegun begun)
    {
        UserRemains remains = await User.GetRemains();
        await User.Close();
        await LeaveAsync(begun);
        await data.RemoveAsync(new Remains(begun.Persons, remains.Emails, remains.Names));
        foreach (string email in remains.Emails) await GrainFactory.Email(email).Release(Id);
        foreach (string identity in remains.Identities) await GrainFactory.GetGrain<IProviderUserGrain>(identity).Release(Id);
        foreach (string subject in begun.Subjects) await data.DestroyKeyAsync(subject);
        // What was awake meanwhile, or was written with a key that its process did not know to be destroyed, goes now.
        await Task.Delay(data.Spread, clock);
        await LeaveAsync(begun);
        await User.LetGo();
        await data.RemoveAsync(new Remains(begun.Persons, [], []));
        Raise(new UserErased(Now, Id));
        await _stream.Durable();
        LogErased(Id);
    }

    /// <summary>Everything of theirs lets go of what it keeps beside the journal.</summary>
    private async Task LeaveAsync(ErasureBegun begun)
    {
        foreach (string person in begun.Persons)
        {
            foreach (string stream in await data.StreamsOfAsync(person)) await LeaveAsync(stream, stream[(stream.IndexOf('/') + 1)..]);
            await GrainFactory.GetGrain<IJobQueueGrain>(Keys.JobQueue(person)).Leave();
            // Last: accounts that were asleep have joined it again.
            await GrainFactory.GetGrain<IKillSwitchGrain>(Keys.KillSwitch(Keys.TenantOf(person))).Leave(person);
        }
        foreach (string tenant in begun.Tenants)
        {
            await Tenant(tenant).Leave();
            await GrainFactory.GetGrain<IConfigurationGrain>(Keys.TenantConfiguration(tenant)).Leave();
            await GrainFactory.GetGrain<IClientsGrain>(Keys.Clients(tenant)).Leave();
        }
    }

    private Task LeaveAsync(string stream, string key) => stream[..stream.IndexOf('/')] switch
    {
        "account" => LeaveAsync(GrainFactory.GetGrain<IAccountGrain>(key), key),
        "strategy" => GrainFactory.GetGrain<IStrategyGrain>(key).Leave(),
        "job" => GrainFactory.GetGrain<IJobGrain>(key).Leave(),
        "data-sets" => GrainFactory.GetGrain<IDataSetsGrain>(key).Leave(),
        "review" => GrainFactory.GetGrain<IStrategyReviewGrain>(key).Leave(),
        "configuration" => GrainFactory.GetGrain<IConfigurationGrain>(key).Leave(),
        "alerts" => GrainFactory.GetGrain<IAlertsGrain>(key).Leave(),
        _ => NotToldAsync(stream),
    };

    /// <summary>Strategies of other members that it follows have it no more among those they tell.</summary>
    private async Task LeaveAsync(IAccountGrain account, string key)
    {
        if (await account.GetView() is { } view)
        {
            foreach (string strategy in view.Follows.Keys.Where(strategy => Keys.PersonOf(strategy) != Keys.PersonOf(key)))
            {
                await GrainFactory.GetGrain<IStrategyGrain>(strategy).SetFollower(key, false);
            }
        }
        await account.Leave();
    }

    /// <summary>Its key goes all the same; only what its grain has in memory stays until it is idle.</summary>
    private Task NotToldAsync(string stream)
    {
        LogNotTold(stream);
        return Task.CompletedTask;
    }

    private ITenantGrain Tenant(string tenant) => GrainFactory.GetGrain<ITenantGrain>(Keys.Tenant(tenant));

    private void Raise(ErasureEvent happened)
    {
        Apply(happened);
        _stream.Append([happened], e => e.Time, _ => $"user:{Id}");
    }

    private void Apply(ErasureEvent happened)
    {
        if (happened is ErasureBegun begun) _begun = begun;
        else _done = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the erasure of user {User} is due and put off: {Why}")]
    private partial void LogPutOff(string user, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "the erasure of user {User} was cut off; it goes on within a minute")]
    private partial void LogCutOff(Exception exception, string user);

    [LoggerMessage(Level = LogLevel.Error, Message = "the grain of {Stream} is not told of the erasure: nothing is known of its kind")]
    private partial void LogNotTold(string stream);

    [LoggerMessage(Level = LogLevel.Information, Message = "user {User} was erased")]
    private partial void LogErased(string user);
}
