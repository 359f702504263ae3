using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Journal;

namespace HybridTrading.Grains.Users;

/// <summary>A tenant's clients, in a stream of their own.</summary>
[HostedBy("user-service")]
public sealed class ClientsGrain(IJournal journal, SecretSource secrets, TimeProvider clock) : Grain, IClientsGrain
{
    private const int LongestAddress = 60;

    private readonly ServiceClients _clients = new();
    private readonly ClientLimits _limits = new();
    private EventStream<ClientEvent> _stream = null!;

    private string Tenant => Keys.TenantOf(this.GetPrimaryKeyString());

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<ClientEvent>(
            journal, ClientEventCatalog.Events, Keys.ClientsStream(Tenant), new StreamOwner(Tenant, this.GetPrimaryKeyString()), DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => _clients.Apply(happened), cancellationToken);
    }

    public async Task<ClientAnswer> Admit(ClientAttempt attempt)
    {
        // Of a client that there is not nothing is remembered: whoever makes up names could fill memory and journal.
        if (_clients.Find(attempt.Id) is not { } client) return new ClientAnswer(ClientOutcome.Refused);
        string address = string.Concat(attempt.Address.Take(LongestAddress));
        if (_limits.ClosedUntil(client.Id, address, Now) is { } closed) return new ClientAnswer(ClientOutcome.TooMany, Until: closed);
        if (!client.IsSecret(attempt.Secret.Value, Now))
        {
            _limits.Failed(client.Id, address, Now);
            Raise(new ClientRefused(Now, client.Id, address, "secret"));
            await _stream.Durable();
            return new ClientAnswer(ClientOutcome.Refused);
        }
        ImmutableArray<Permission>? scopes = attempt.Scope is null ? client.Scopes : ServiceClient.ScopesOf(attempt.Scope);
        if (scopes is not { } asked || !asked.All(client.Scopes.Contains)) return new ClientAnswer(ClientOutcome.ScopeInvalid);
        if (_limits.Take(client.Id, address, Now) is { } later) return new ClientAnswer(ClientOutcome.TooMany, Until: later);
        Raise(new ClientSignedIn(Now, client.Id, address, ServiceClient.ScopeText(asked)));
        await _stream.Durable();
        return new ClientAnswer(ClientOutcome.Admitted, asked);
    }

    public async Task<ImmutableArray<ClientView>> GetClients()
    {
        await _stream.Durable();
        return [.. _clients.All.OrderBy(client => client.Created).Select(ViewOf)];
    }

    public async Task<ClientChange> Add(string name, ImmutableArray<Permission> scopes, int days, string by)
    {
        if (_clients.All.Count >= ServiceClient.Most) return new ClientChange(UserFault.TooMany, $"there are {_clients.All.Count} clients; expected at most {ServiceClient.Most}");
        if (name.Trim() is not { Length: >= 1 and <= ServiceClient.LongestName } trimmed || trimmed.Any(char.IsControl))
        {
            return new ClientChange(UserFault.InvalidInput, $"name is missing, too long, or holds control characters; expected 1 to {ServiceClient.LongestName} characters");
        }
        if (scopes.IsDefaultOrEmpty || scopes.Any(ServiceClient.ForPersonsOnly.Contains)) return new ClientChange(UserFault.InvalidInput, "scopes is empty or has what is for persons only; expected what a service may do");
        if (DaysFault(days) is { } fault) return fault;
        (ClientSecret kept, Secret told) = MakeSecret(days);
        string id = $"{Tenant}.{secrets.Name('c')}";
        Raise(new ClientMade(Now, id, trimmed, [.. scopes.Distinct().Order()], kept, by));
        return await DoneAsync(id, told);
    }

    public async Task<ClientChange> Rotate(string id, int days, int overlapHours, string by)
    {
        if (_clients.Find(id) is null) return new ClientChange(UserFault.Unknown, "no such client");
        if (DaysFault(days) is { } fault) return fault;
        if (overlapHours is < 0 or > ServiceClient.LongestOverlap) return new ClientChange(UserFault.InvalidInput, $"overlapHours is {overlapHours}; expected 0 to {ServiceClient.LongestOverlap}");
        (ClientSecret kept, Secret told) = MakeSecret(days);
        Raise(new ClientSecretMade(Now, id, kept, Now.AddHours(overlapHours), by));
        return await DoneAsync(id, told);
    }

    public async Task<UserAnswer> Remove(string id, string by)
    {
        if (_clients.Find(id) is null) return new UserAnswer(UserFault.Unknown, "no such client");
        Raise(new ClientRemoved(Now, id, by));
        await _stream.Durable();
        return new UserAnswer();
    }

    public async Task Leave()
    {
        await GrainFactory.GetGrain<IRevocationsGrain>(Keys.Revocations).Revoke([.. _clients.All.Select(client => client.Id)]);
        DeactivateOnIdle();
    }

    private static ClientChange? DaysFault(int days) => days is < 1 or > ServiceClient.LongestDays
        ? new ClientChange(UserFault.InvalidInput, $"expiresDays is {days}; expected 1 to {ServiceClient.LongestDays}")
        : null;

    private static ClientView ViewOf(ServiceClient client) => new(
        client.Id, client.Name, client.Scopes, client.Created, client.By,
        [.. client.Secrets.Select(secret => new ClientSecretView(secret.Id, secret.Created, secret.Expires))], client.LastUsed);

    private (ClientSecret Kept, Secret Told) MakeSecret(int days)
    {
        string secret = secrets.Token();
        return (new ClientSecret(secrets.Name('s'), Sessions.HashOf(secret), Now, Now.AddDays(days)), new Secret(secret));
    }

    private async Task<ClientChange> DoneAsync(string id, Secret told)
    {
        await _stream.Durable();
        return new ClientChange(UserFault.None, Client: ViewOf(_clients.Find(id)!), Secret: told);
    }

    private void Raise(ClientEvent happened)
    {
        _clients.Apply(happened);
        _stream.Append([happened], e => e.Time, _ => $"clients:{Tenant}");
    }
}
