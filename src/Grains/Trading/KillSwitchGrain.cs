using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Journal;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Trading;

/// <summary>Whom a kill switch tells.</summary>
[GenerateSerializer, Immutable, Alias("ht.KillSwitchState")]
public sealed record KillSwitchState
{
    /// <summary>Streams of accounts and strategies.</summary>
    [Id(0)] public ImmutableHashSet<string> Members { get; init; } = [];

    /// <summary>Version of the halts' own stream that all of them have confirmed.</summary>
    [Id(1)] public long Confirmed { get; init; }
}

/// <summary>Records the halts of a tenant and tells them to its accounts and strategies. The rule is <see cref="TenantHalts"/>.</summary>
[HostedBy("trading-engine")]
public sealed partial class KillSwitchGrain(
    [PersistentState("kill-switch")] IPersistentState<KillSwitchState> state, IJournal journal, TradingOptions options, TimeProvider clock, ILogger<KillSwitchGrain> log)
    : Grain, IKillSwitchGrain, IRemindable
{
    private const string Reminder = "tell";

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(5);

    private readonly TenantHalts _halts = new();
    private readonly SerialWriter _writes = new();
    private EventStream<HaltEvent> _stream = null!;
    private KillSwitchState? _saved;
    private ImmutableHashSet<string> _untold = [];
    private IGrainTimer? _telling;

    private string Tenant => Keys.TenantOf(this.GetPrimaryKeyString());

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<HaltEvent>(journal, HaltEventCatalog.Events, Keys.KillSwitchStream(Tenant), new StreamOwner(Tenant, Tenant), DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => _halts.Apply(happened), cancellationToken);
        _saved = state.State;
        if (_stream.Version == state.State.Confirmed) return;
        _untold = state.State.Members;
        KeepTelling();
    }

    public async Task<ImmutableArray<TenantHalt>> Join(string stream)
    {
        if (!state.State.Members.Contains(stream)) await SaveAsync(known => known with { Members = known.Members.Add(stream) });
        await _stream.Durable();
        return _halts.Concerning(PersonOf(stream));
    }

    public async Task<HaltAnswer> Engage(string by, string? member, bool flatten, string why)
    {
        (long number, HaltEngaged? engaged) = _halts.Engage(by, member, flatten, why, Now);
        return await ChangeAsync(number, engaged, member);
    }

    public async Task<HaltAnswer> AskRelease(long number, string by, string why)
    {
        (ReleaseRefusal refusal, ReleaseAsked? asked) = _halts.AskRelease(number, by, why, Now, options.ReleaseWindow);
        if (asked is not null) Raise(asked);
        return new HaltAnswer(await _stream.Durable(), _halts.Find(number), refusal, _untold.Count);
    }

    public async Task<HaltAnswer> ApproveRelease(long number, string by)
    {
        string? member = _halts.Find(number)?.Member;
        (ReleaseRefusal refusal, HaltReleased? released) = _halts.Approve(number, by, Now);
        return refusal == ReleaseRefusal.None
            ? await ChangeAsync(number, released, member)
            : new HaltAnswer(await _stream.Durable(), _halts.Find(number), refusal, _untold.Count);
    }

    public async Task<KillSwitchView> GetView()
    {
        await _stream.Durable();
        return new KillSwitchView(_halts.Standing, _untold.Count);
    }

    public async Task Leave(string person)
    {
        string[] theirs = [.. state.State.Members.Where(stream => PersonOf(stream) == person)];
        _untold = _untold.Except(theirs);
        if (theirs.Length > 0) await SaveAsync(known => known with { Members = known.Members.Except(theirs) });
        DeactivateOnIdle();
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => TellAsync();

    /// <param name="happened">Null where it was so already: who has not confirmed is told all the same.</param>
    /// <param name="member">Whom it concerns; null for everybody.</param>
    private async Task<HaltAnswer> ChangeAsync(long number, HaltEvent? happened, string? member)
    {
        if (happened is not null) Raise(happened);
        long position = await _stream.Durable();
        string[] concerned = [.. state.State.Members.Where(stream => member is null || PersonOf(stream) == member)];
        if (happened is not null) _untold = _untold.Union(concerned);
        await TellAsync();
        return new HaltAnswer(position, _halts.Find(number), ReleaseRefusal.None, _untold.Count, concerned.Length);
    }

    /// <summary>Tells everybody who has not confirmed yet; whoever cannot be reached is told again until they are, also after a restart.</summary>
    private async Task TellAsync()
    {
        if (!_untold.IsEmpty)
        {
            // Nobody waits for it before they are told: a halt is urgent.
            Task reminder = this.RegisterOrUpdateReminder(Reminder, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
            string?[] told = await Task.WhenAll(_untold.Select(TryTellAsync));
            _untold = _untold.Except(told.OfType<string>());
            await reminder;
        }
        if (!_untold.IsEmpty)
        {
            KeepTelling();
            return;
        }
        _telling?.Dispose();
        _telling = null;
        if (state.State.Confirmed != _stream.Version) await SaveAsync(known => known with { Confirmed = _stream.Version });
        if (await this.GetReminder(Reminder) is { } done) await this.UnregisterReminder(done);
    }

    /// <returns>The stream when it has been told; null when it has not.</returns>
    private async Task<string?> TryTellAsync(string stream)
    {
        try
        {
            ImmutableArray<TenantHalt> standing = _halts.Concerning(PersonOf(stream));
            string key = KeyOf(stream);
            Task telling = stream == Keys.AccountStream(key) ? GrainFactory.GetGrain<IAccountGrain>(key).SetTenantHalts(standing)
                : standing.IsEmpty ? Task.CompletedTask
                : GrainFactory.GetGrain<IStrategyGrain>(key).Stop();
            // One that hangs must not keep whoever halts from hearing of the others.
            await telling.WaitAsync(Patience, clock);
            return stream;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotTold(e, stream);
            return null;
        }
    }

    private void KeepTelling() =>
        _telling ??= this.RegisterGrainTimer(static (self, _) => self.TellAsync(), this, new GrainTimerCreationOptions(Again, Again) { KeepAlive = true });

    private void Raise(HaltEvent happened)
    {
        _halts.Apply(happened);
        _stream.Append([happened], e => e.Time, e => $"halt {e.Number}");
    }

    /// <summary>Changes the state and stores it; what several have changed meanwhile is stored once.</summary>
    private Task SaveAsync(Func<KillSwitchState, KillSwitchState> change)
    {
        state.State = change(state.State);
        return _writes.RunAsync(async () =>
        {
            KillSwitchState now = state.State;
            if (ReferenceEquals(now, _saved)) return;
            await state.WriteStateAsync();
            _saved = now;
        });
    }

    private static string KeyOf(string stream) => stream[(stream.IndexOf('/') + 1)..];

    private static string PersonOf(string stream) => Keys.PersonOf(KeyOf(stream));

    [LoggerMessage(Level = LogLevel.Error, Message = "{Stream} could not be told of a halt or its release; it will be told again")]
    private partial void LogNotTold(Exception exception, string stream);
}
