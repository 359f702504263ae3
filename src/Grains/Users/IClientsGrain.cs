using HybridTrading.Domain.Users;

namespace HybridTrading.Grains.Users;

/// <summary>What a client shows for a token.</summary>
/// <param name="Scope">What it asks for; null for all that it may do.</param>
/// <param name="Address">Where it calls from.</param>
[GenerateSerializer, Immutable, Alias("ht.ClientAttempt")]
public sealed record ClientAttempt(string Id, Secret Secret, string? Scope, string Address);

public enum ClientOutcome : byte { Admitted, Refused, ScopeInvalid, TooMany }

/// <param name="Scopes">Of the token, when admitted.</param>
/// <param name="Until">When coming again makes sense; null for at once, or never.</param>
[GenerateSerializer, Immutable, Alias("ht.ClientAnswer")]
public sealed record ClientAnswer(ClientOutcome Outcome, ImmutableArray<Permission> Scopes = default, DateTime? Until = null);

[GenerateSerializer, Immutable, Alias("ht.ClientSecretView")]
public sealed record ClientSecretView(string Id, DateTime Created, DateTime Expires);

/// <summary>A client without its secrets.</summary>
[GenerateSerializer, Immutable, Alias("ht.ClientView")]
public sealed record ClientView(
    string Id, string Name, ImmutableArray<Permission> Scopes, DateTime Created, string By, ImmutableArray<ClientSecretView> Secrets, DateTime? LastUsed);

/// <param name="Secret">Told this once.</param>
[GenerateSerializer, Immutable, Alias("ht.ClientChange")]
public sealed record ClientChange(UserFault Fault, string? Detail = null, ClientView? Client = null, Secret? Secret = null);

/// <summary>The services that sign in for a tenant. Key: <see cref="Keys.Clients"/>.</summary>
[Alias("ht.IClientsGrain")]
public interface IClientsGrain : IGrainWithStringKey
{
    /// <summary>Is it a client, and what may its token do?</summary>
    [ForGateway, Alias("Admit")] Task<ClientAnswer> Admit(ClientAttempt attempt);

    [AlwaysInterleave, Alias("GetClients")] Task<ImmutableArray<ClientView>> GetClients();

    /// <param name="scopes">The caller has seen to it that <paramref name="by"/> may give them.</param>
    /// <param name="days">1 to 366: how long the secret is good.</param>
    /// <param name="by">Id of the member who does it, here and below.</param>
    [Alias("Add")] Task<ClientChange> Add(string name, ImmutableArray<Permission> scopes, int days, string by);

    /// <summary>Makes another secret; the one before ends after the overlap. Tokens that are out stay good: the caller revokes them where that is meant.</summary>
    /// <param name="overlapHours">0 to 168.</param>
    [Alias("Rotate")] Task<ClientChange> Rotate(string id, int days, int overlapHours, string by);

    /// <summary>It gets no more tokens; the caller revokes those that are out.</summary>
    [Alias("Remove")] Task<UserAnswer> Remove(string id, string by);

    /// <summary>The tenant ends: tokens that are out are worth nothing, and memory forgets. For the erasure of its last member.</summary>
    [Alias("Leave")] Task Leave();
}
