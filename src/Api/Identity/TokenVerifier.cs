using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Api.Identity.Provider;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Identity;

/// <summary>
/// Tells whether access tokens are good: against the public keys and the revocations, which it follows. A token that was found good is remembered by its
/// hash until it runs out, so the next request costs a look-up; a revocation counts for remembered ones, too. Thread-safe.
/// </summary>
public sealed partial class TokenVerifier(
    IGrainFactory grains, IdentityOptions options, ExternalProviders providers, TimeProvider clock, ILogger<TokenVerifier> log) : BackgroundService
{
    private const int MostRemembered = 50_000;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(500), KeysAtMostEvery = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, CallerIdentity> _remembered = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FrozenDictionary<string, ECParameters> _keys = FrozenDictionary<string, ECParameters>.Empty;
    private FrozenDictionary<string, DateTime> _revoked = FrozenDictionary<string, DateTime>.Empty;
    private long _keysAsked;

    /// <summary>A session or a user was revoked: who holds connections looks after them.</summary>
    public event Action? Revoked;

    /// <returns>Who it speaks for, or what is wrong with it.</returns>
    /// <exception cref="TimeoutException">The revocations are not known yet: nobody is let in unchecked.</exception>
    public async ValueTask<(CallerIdentity? Identity, TokenFault Fault)> VerifyAsync(string token)
    {
        if (token.Length > ProviderToken.Longest) return (null, TokenFault.Malformed);
        if (!_ready.Task.IsCompleted) await _ready.Task.WaitAsync(TimeSpan.FromSeconds(10), clock);
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        DateTime now = clock.GetUtcNow().UtcDateTime;
        if (_remembered.TryGetValue(hash, out CallerIdentity? identity))
        {
            if (identity.Expires > now && !IsRevoked(identity)) return (identity, default);
            _remembered.TryRemove(hash, out _);
            // Of a provider's token the token is not revoked but what was known of its user: that is asked anew.
            if (identity.AuthenticationType != CallerIdentity.ProviderScheme) return (null, identity.Expires <= now ? TokenFault.Expired : TokenFault.Revoked);
        }
        if (providers.Current is { Options.Audience: not null } provider && ProviderToken.IssuerOf(token) == provider.Options.Issuer)
        {
            (identity, TokenFault refused) = await OfProviderAsync(provider, token, now);
            if (identity is null) return (null, refused);
        }
        else
        {
            (AccessClaims? claims, TokenFault fault) = Check(token, now);
            if (fault == TokenFault.UnknownKey && claims is null && await AskKeysAsync()) (claims, fault) = Check(token, now);
            if (claims is null) return (null, fault);
            identity = IdentityOf(claims);
            if (IsRevoked(identity)) return (null, TokenFault.Revoked);
        }
        if (_remembered.Count >= MostRemembered) Forget(now);
        _remembered[hash] = identity;
        return (identity, default);
    }

    /// <summary>Are tokens of then worth nothing by now?</summary>
    public bool IsRevoked(CallerIdentity identity) => IsRevoked(identity.Session, identity.Issued) || IsRevoked(identity.User, identity.Issued);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ViewVersion known = default;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                Versioned<RevocationList> list;
                using (Principal.OfGateway()) list = await grains.GetGrain<IRevocationsGrain>(Keys.Revocations).GetAfter(known, stoppingToken);
                if (list.Version != known) Take(list.View);
                known = list.Version;
                _ready.TrySetResult();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
            catch (Exception failed)
            {
                LogBehind(failed);
                await Task.Delay(PauseAfterFailure, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private (AccessClaims? Claims, TokenFault Fault) Check(string token, DateTime now)
    {
        // A key is not thread-safe: one is made for the check, from parameters that are.
        ECDsa? key = null;
        try
        {
            return AccessToken.Verify(token, options.Issuer, options.Audience, now, id => key = _keys.TryGetValue(id, out ECParameters found) ? ECDsa.Create(found) : null);
        }
        finally
        {
            key?.Dispose();
        }
    }

    private static CallerIdentity IdentityOf(AccessClaims claims) => new(
        claims.Subject, claims.Tenant, claims.Session, claims.Roles,
        claims.Scope is null ? RolePermissions.Of(claims.Roles) : (ServiceClient.ScopesOf(claims.Scope) ?? []).ToFrozenSet(),
        DateTimeOffset.FromUnixTimeMilliseconds(claims.IssuedMilliseconds).UtcDateTime, DateTimeOffset.FromUnixTimeSeconds(claims.Expires).UtcDateTime,
        claims.Scope is null ? CallerIdentity.SessionScheme : CallerIdentity.ClientScheme);

    /// <summary>Whom of ours a token of the provider speaks for. Tenant, roles and whether they may come in at all are ours to say, so they are asked here.</summary>
    private async Task<(CallerIdentity? Identity, TokenFault Fault)> OfProviderAsync(ExternalProvider provider, string token, DateTime now)
    {
        (ProviderClaims? claims, TokenFault fault) = await provider.VerifyAccessAsync(token, CancellationToken.None);
        if (claims is null) return (null, fault);
        string key = new ProviderIdentity(claims.Issuer, claims.Subject, "").Key;
        using Principal.Scope scope = Principal.OfGateway();
        if (await grains.GetGrain<IProviderUserGrain>(key).Find() is not { } user) return (null, TokenFault.Unlinked);
        UserView? view = await grains.GetGrain<IUserGrain>(user).GetView();
        if (view?.Links.FirstOrDefault(one => one.Identity.Key == key) is not { } link) return (null, TokenFault.Unlinked);
        if (view.Locked || view.ErasureDue is not null || !view.EmailVerified) return (null, TokenFault.Revoked);
        foreach (string tenant in view.Tenants.Where(one => one != link.Tenant).Prepend(link.Tenant).Where(Keys.IsName))
        {
            if (await grains.GetGrain<ITenantGrain>(Keys.Tenant(tenant)).GetMember(user) is not { } member) continue;
            ImmutableArray<Role> roles = view.Administrator ? member.Roles.Add(Role.Administrator) : member.Roles;
            // What was known a moment before counts as older than it is: the clock that revokes may be behind this one.
            return (new CallerIdentity(
                user, tenant, link.Id, roles, RolePermissions.Of(roles).Except(ServiceClient.ForPersonsOnly).ToFrozenSet(), now - AccessToken.Skew,
                claims.Expires < now + AccessToken.Life ? claims.Expires : now + AccessToken.Life, CallerIdentity.ProviderScheme), default);
        }
        return (null, TokenFault.Unlinked);
    }

    /// <summary>Asks for the public keys, but not for every token that somebody made up.</summary>
    private async Task<bool> AskKeysAsync()
    {
        await _asking.WaitAsync();
        try
        {
            if (_keysAsked != 0 && clock.GetElapsedTime(_keysAsked) < KeysAtMostEvery) return true;
            ImmutableArray<PublicKey> keys;
            using (Principal.OfGateway()) keys = await grains.GetGrain<ISigningKeysGrain>(Keys.SigningKeys).GetPublicKeys();
            FrozenDictionary<string, ECParameters> before = _keys;
            _keys = keys.ToFrozenDictionary(key => key.Id, ParametersOf);
            _keysAsked = clock.GetTimestamp();
            // A key that was dropped was known to somebody: what it signed is worth nothing.
            if (before.Keys.Any(id => !_keys.ContainsKey(id))) _remembered.Clear();
            return true;
        }
        finally
        {
            _asking.Release();
        }
    }

    private static ECParameters ParametersOf(PublicKey key) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = System.Buffers.Text.Base64Url.DecodeFromChars(key.X), Y = System.Buffers.Text.Base64Url.DecodeFromChars(key.Y) },
    };

    private void Take(RevocationList list)
    {
        _revoked = list.All.ToFrozenDictionary(one => one.Id, one => one.Until);
        Revoked?.Invoke();
    }

    private bool IsRevoked(string id, DateTime issued) => _revoked.TryGetValue(id, out DateTime until) && issued <= until;

    private void Forget(DateTime now)
    {
        foreach ((string hash, CallerIdentity identity) in _remembered)
        {
            if (identity.Expires <= now) _remembered.TryRemove(hash, out _);
        }
        if (_remembered.Count >= MostRemembered) _remembered.Clear();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "revoked tokens are not known of now: asking again")]
    private partial void LogBehind(Exception failure);
}
