using HybridTrading.Domain.Users;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Grains.Users;

/// <summary>Tokens of this session or user that were issued up to this time are worth nothing.</summary>
[GenerateSerializer, Immutable, Alias("ht.Revocation")]
public sealed record Revocation(string Id, DateTime Until);

/// <summary>All that are still needed: a token that is older has run out by itself.</summary>
[GenerateSerializer, Immutable, Alias("ht.RevocationList")]
public sealed record RevocationList
{
    [Id(0)] public ImmutableArray<Revocation> All { get; init; } = [];
}

/// <summary>
/// Which tokens are worth nothing before their time. Every process that checks tokens follows it by long poll. Key: <see cref="Keys.Revocations"/>.
/// </summary>
[Shared, ForGateway, Alias("ht.IRevocationsGrain")]
public interface IRevocationsGrain : IGrainWithStringKey
{
    /// <param name="ids">Of sessions, users or clients.</param>
    [Alias("Revoke")] Task Revoke(ImmutableArray<string> ids);

    /// <summary>The list as soon as it is another than the known one; after a bounded wait as it is.</summary>
    [AlwaysInterleave, LongPoll, Alias("GetAfter")] Task<Versioned<RevocationList>> GetAfter(ViewVersion known, CancellationToken cancellation);
}

[HostedBy("user-service")]
public sealed class RevocationsGrain : Grain, IRevocationsGrain
{
    private readonly IPersistentState<RevocationList> _state;
    private readonly TimeProvider _clock;
    private readonly ViewSource<RevocationList> _view;

    public RevocationsGrain([PersistentState("revocations")] IPersistentState<RevocationList> state, TimeProvider clock, IHostApplicationLifetime host)
    {
        (_state, _clock) = (state, clock);
        _view = new ViewSource<RevocationList>(() => _state.State, clock, host.ApplicationStopping);
    }

    public async Task Revoke(ImmutableArray<string> ids)
    {
        DateTime now = _clock.GetUtcNow().UtcDateTime, forgotten = now - AccessToken.Life - AccessToken.Skew;
        ImmutableHashSet<string> again = [.. ids];
        _state.State = new RevocationList
        {
            All = [.. _state.State.All.Where(one => one.Until > forgotten && !again.Contains(one.Id)), .. again.Select(id => new Revocation(id, now))],
        };
        await _state.WriteStateAsync();
        _view.Change();
    }

    public Task<Versioned<RevocationList>> GetAfter(ViewVersion known, CancellationToken cancellation) => _view.AfterAsync(known, cancellation);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _view.End();
        return Task.CompletedTask;
    }
}
