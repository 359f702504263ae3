using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Users;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Journal;

[GenerateSerializer, Immutable, Alias("ht.OutboxState")]
public sealed record OutboxState
{
    /// <summary>Everything before it has been read.</summary>
    [Id(0)] public long Position { get; init; }

    /// <summary>Streams of the effects that were open there, by the effect's id.</summary>
    [Id(1)] public ImmutableDictionary<string, string> Open { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>What may be worth an alert and had not been taken by then.</summary>
    [Id(2)] public ImmutableArray<AlertNotice> Notices { get; init; } = [];
}

/// <summary>Sees to it that what a stream has promised is sent, whoever was to send it.</summary>
[Shared, Alias("ht.IOutboxGrain")]
public interface IOutboxGrain : IGrainWithStringKey
{
    [Alias("Start")] Task Start();

    /// <summary>Effects that are open now.</summary>
    [AlwaysInterleave, Alias("CountOpen")] Task<int> CountOpen();
}

/// <summary>
/// Follows the journal from a stored position. The owner of any effect that has been open for more than a second is woken: on its activation it sends
/// what is open. What may be worth an alert is handed to the alerts of whom it concerns. Orleans wakes nobody by itself.
/// </summary>
[HostedBy("database-service")]
public sealed partial class OutboxGrain(
    [PersistentState("outbox")] IPersistentState<OutboxState> state, IJournal journal, TimeProvider clock, ILogger<OutboxGrain> log)
    : Grain, IOutboxGrain, IRemindable
{
    private const string StrategyPrefix = "strategy/", AlertsPrefix = "alerts/";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>An alert's message may be tried for hours, by an owner who is awake: it is seen to now and then.</summary>
    private static readonly TimeSpan AlertsPatience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan NoticePatience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Effect> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Pending> _notices = new(StringComparer.Ordinal);
    private IGrainTimer? _timer;
    private long _next, _saved;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _next = _saved = state.State.Position;
        // Long enough ago: whoever has to send them may have gone with this silo.
        foreach ((string effect, string stream) in state.State.Open) _open[effect] = new Effect(stream, DateTimeOffset.MinValue);
        foreach (AlertNotice notice in state.State.Notices) _notices[notice.Stream] = new Pending(notice);
        return Task.CompletedTask;
    }

    public async Task Start()
    {
        if (_timer is not null) return;
        _timer = this.RegisterGrainTimer(static (self, cancellation) => self.FollowAsync(cancellation), this,
            new GrainTimerCreationOptions(TimeSpan.Zero, Interval) { KeepAlive = true });
        await this.RegisterOrUpdateReminder("alive", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => Start();

    public Task<int> CountOpen() => Task.FromResult(_open.Count);

    private async Task FollowAsync(CancellationToken cancellation)
    {
        await foreach (RecordedEvent recorded in journal.ReadAllAsync(_next, cancellation))
        {
            _next = recorded.Position + 1;
            See(recorded);
        }
        DateTimeOffset now = clock.GetUtcNow();
        // One that hangs must not keep the others from being told.
        await Task.WhenAll([.. _open.Where(pair => pair.Value.Due <= now).ToArray().Select(pair => WakeAsync(pair.Key, pair.Value, now)),
            .. _notices.Values.Where(pending => pending.Due <= now).ToArray().Select(pending => HandOnAsync(pending, now))]);
        if (_next - _saved < 100) return;
        state.State = new OutboxState
        {
            Position = _next,
            Open = _open.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.Stream, StringComparer.Ordinal),
            Notices = [.. _notices.Values.Select(pending => pending.Notice)],
        };
        await state.WriteStateAsync();
        _saved = _next;
    }

    /// <summary>Names and causation ids are enough, so no payload but an erasure's is read.</summary>
    private void See(RecordedEvent recorded)
    {
        if (recorded.Stream.StartsWith(ErasureEventCatalog.StreamPrefix, StringComparison.Ordinal))
        {
            if (ErasureEventCatalog.Events.Decode(recorded) is ErasureBegun begun) Forget(begun.Persons);
            return;
        }
        switch (recorded.Name)
        {
            case "decision-settled" or AlertEventCatalog.Settled:
                _open.Remove(recorded.Causation);
                break;
            case var _ when recorded.Erased:
                // Nobody is left whom it concerns.
                break;
            case "decision-made":
                _open[recorded.Causation] = new Effect(recorded.Stream, clock.GetUtcNow() + Patience);
                break;
            case AlertEventCatalog.Raised or AlertEventCatalog.Folded:
                _open.TryAdd(recorded.Causation, new Effect(recorded.Stream, clock.GetUtcNow() + Patience));
                break;
            default:
                if (AlertReader.KindOf(recorded) is { } kind) Note(recorded, kind);
                break;
        }
    }

    /// <summary>Nobody is left who could send what these persons have promised, or hear what happened to them.</summary>
    private void Forget(ImmutableArray<string> persons)
    {
        foreach (string effect in _open.Where(pair => IsOf(pair.Value.Stream)).Select(pair => pair.Key).ToArray()) _open.Remove(effect);
        foreach (string stream in _notices.Keys.Where(IsOf).ToArray()) _notices.Remove(stream);

        bool IsOf(string stream)
        {
            string key = stream[(stream.IndexOf('/') + 1)..];
            return persons.Any(person => key == person || key.StartsWith($"{person}/", StringComparison.Ordinal));
        }
    }

    private void Note(RecordedEvent recorded, AlertKind kind)
    {
        if (!_notices.TryGetValue(recorded.Stream, out Pending? pending))
        {
            _notices.Add(recorded.Stream, new Pending(new AlertNotice(recorded.Stream, recorded.Version, recorded.Version, [kind])));
            return;
        }
        AlertNotice notice = pending.Notice;
        pending.Notice = notice with { To = recorded.Version, Kinds = notice.Kinds.Contains(kind) ? notice.Kinds : notice.Kinds.Add(kind) };
    }

    private async Task WakeAsync(string effect, Effect open, DateTimeOffset now)
    {
        if (!open.IsWoken) LogWaking(open.Stream, effect);
        open.IsWoken = true;
        bool isAlerts = open.Stream.StartsWith(AlertsPrefix, StringComparison.Ordinal);
        open.Due = now + (isAlerts ? AlertsPatience : Interval);
        try
        {
            await (isAlerts
                ? GrainFactory.GetGrain<IAlertsGrain>(open.Stream[AlertsPrefix.Length..]).Wake().WaitAsync(NoticePatience, clock)
                : GrainFactory.GetGrain<IStrategyGrain>(open.Stream[StrategyPrefix.Length..]).Wake());
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotWoken(e, open.Stream);
        }
    }

    /// <summary>Until everybody whom it concerns has taken it. A repeat does nothing there.</summary>
    private async Task HandOnAsync(Pending pending, DateTimeOffset now)
    {
        AlertNotice notice = pending.Notice;
        try
        {
            foreach (string person in await AudienceAsync(notice.Stream))
            {
                await GrainFactory.GetGrain<IAlertsGrain>(person).Take(notice).WaitAsync(NoticePatience, clock);
            }
            _notices.Remove(notice.Stream);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A system whose notification-service is away, or was never there, says so once a stream.
            if (!pending.HasFailed) LogNotTaken(e, notice.Stream);
            pending.HasFailed = true;
            pending.Due = now + NoticePatience;
        }
    }

    private async Task<ImmutableArray<string>> AudienceAsync(string stream)
    {
        string audience = AlertReader.AudienceOf(stream);
        if (!Keys.IsTenantConfiguration(audience)) return [audience];
        string tenant = Keys.TenantOf(audience);
        TenantView? view = await GrainFactory.GetGrain<ITenantGrain>(Keys.Tenant(tenant)).GetView().WaitAsync(NoticePatience, clock);
        return view is null ? [] : [.. view.Members.Select(member => $"{tenant}/{member.User}")];
    }

    private sealed class Effect(string stream, DateTimeOffset due)
    {
        public string Stream => stream;

        /// <summary>When its owner is woken, again or for the first time.</summary>
        public DateTimeOffset Due { get; set; } = due;

        public bool IsWoken { get; set; }
    }

    private sealed class Pending(AlertNotice notice)
    {
        public AlertNotice Notice { get; set; } = notice;

        public DateTimeOffset Due { get; set; }

        public bool HasFailed { get; set; }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "effect {Effect} of {Stream} is open; waking its owner")]
    private partial void LogWaking(string stream, string effect);

    [LoggerMessage(Level = LogLevel.Error, Message = "the owner of {Stream} could not be woken")]
    private partial void LogNotWoken(Exception exception, string stream);

    [LoggerMessage(Level = LogLevel.Warning, Message = "what happened in {Stream} could not be handed to those who may want to hear of it; it is tried again")]
    private partial void LogNotTaken(Exception exception, string stream);
}
