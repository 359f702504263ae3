using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Journal;

[GenerateSerializer, Immutable, Alias("ht.OutboxState")]
public sealed record OutboxState
{
    /// <summary>Everything before it is settled.</summary>
    [Id(0)] public long Position { get; init; }
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
/// Follows the journal from a stored position and wakes the owner of any effect that has been open for more than a second: on its activation it sends
/// what is open. Orleans wakes nobody by itself.
/// </summary>
[HostedBy("database-service")]
public sealed partial class OutboxGrain(
    [PersistentState("outbox")] IPersistentState<OutboxState> state, IJournal journal, TimeProvider clock, ILogger<OutboxGrain> log)
    : Grain, IOutboxGrain, IRemindable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal);
    private IGrainTimer? _timer;
    private long _next, _saved;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _next = _saved = state.State.Position;
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
            // Both carry the decision's id as their causation, so no payload is read.
            if (recorded.Name == "decision-made" && !recorded.Erased)
            {
                _open[recorded.Causation] = new Open(recorded.Stream, recorded.Position, clock.GetUtcNow());
            }
            else if (recorded.Name == "decision-settled")
            {
                _open.Remove(recorded.Causation);
            }
            else if (recorded.Stream.StartsWith(ErasureEventCatalog.StreamPrefix, StringComparison.Ordinal))
            {
                if (ErasureEventCatalog.Events.Decode(recorded) is ErasureBegun begun) Forget(begun.Persons);
            }
        }
        DateTimeOffset now = clock.GetUtcNow();
        foreach ((string effect, Open open) in _open.Where(pair => now - pair.Value.Seen > Patience).ToArray())
        {
            LogWaking(open.Stream, effect);
            try
            {
                await GrainFactory.GetGrain<IStrategyGrain>(open.Stream["strategy/".Length..]).Wake();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotWoken(e, open.Stream);
            }
        }
        long settled = _open.Count == 0 ? _next : _open.Values.Min(open => open.Position);
        if (settled - _saved < 100) return;
        _saved = settled;
        state.State = new OutboxState { Position = settled };
        await state.WriteStateAsync();
    }

    /// <summary>Nobody is left who could settle what they decided.</summary>
    private void Forget(ImmutableArray<string> persons)
    {
        foreach ((string effect, Open open) in _open.ToArray())
        {
            if (persons.Contains(Keys.PersonOf(open.Stream["strategy/".Length..]))) _open.Remove(effect);
        }
    }

    private sealed record Open(string Stream, long Position, DateTimeOffset Seen);

    [LoggerMessage(Level = LogLevel.Information, Message = "effect {Effect} of {Stream} is open; waking its owner")]
    private partial void LogWaking(string stream, string effect);

    [LoggerMessage(Level = LogLevel.Error, Message = "the owner of {Stream} could not be woken")]
    private partial void LogNotWoken(Exception exception, string stream);
}
