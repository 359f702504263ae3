using System.Security.Cryptography;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Journal;

namespace HybridTrading.Grains.Users;

/// <summary>A key that tokens can be checked with.</summary>
/// <param name="X">Of the point on P-256: 32 bytes, base64url, as a JWK has it; so is Y.</param>
[GenerateSerializer, Immutable, Alias("ht.PublicKey")]
public sealed record PublicKey(string Id, string X, string Y);

/// <summary>For whom a token is to speak.</summary>
/// <param name="Scope">Of a client; null for a user.</param>
[GenerateSerializer, Immutable, Alias("ht.TokenRequest")]
public sealed record TokenRequest(string Issuer, string Audience, string User, string Tenant, string Session, ImmutableArray<Role> Roles, string? Scope = null);

/// <summary>
/// Signs access tokens. The private key is made on first use, is kept encrypted in the journal, never leaves the grain, and gives way to another after 30
/// days; it can be checked with for as long as a token of it may be out. Key: <see cref="Keys.SigningKeys"/>.
/// </summary>
[Shared, ForGateway, Alias("ht.ISigningKeysGrain")]
public interface ISigningKeysGrain : IGrainWithStringKey
{
    [Alias("Sign")] Task<Secret> Sign(TokenRequest request);

    [AlwaysInterleave, Alias("GetPublicKeys")] Task<ImmutableArray<PublicKey>> GetPublicKeys();

    /// <summary>Makes another key now: the one before may be known to somebody. Tokens of it are worth nothing from then on.</summary>
    [Alias("Replace")] Task Replace();
}

/// <summary>Something that happened to the signing keys.</summary>
public abstract record SigningKeyEvent(DateTime Time);

/// <param name="Private">PKCS#8, base 64.</param>
public sealed record SigningKeyMade(DateTime Time, string Id, string Private) : SigningKeyEvent(Time);

/// <summary>All keys before are worth nothing.</summary>
public sealed record SigningKeysDropped(DateTime Time) : SigningKeyEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SigningKeyMade))]
[JsonSerializable(typeof(SigningKeysDropped))]
internal sealed partial class SigningKeyJson : JsonSerializerContext;

[HostedBy("user-service")]
public sealed class SigningKeysGrain(IJournal journal, SecretSource secrets, TimeProvider clock) : Grain, ISigningKeysGrain
{
    /// <summary>How long a key signs.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(30);

    private static readonly EventCatalog<SigningKeyEvent> Catalog = new EventCatalog<SigningKeyEvent>()
        .Add("signing-key-made", 1, SigningKeyJson.Default.SigningKeyMade)
        .Add("signing-keys-dropped", 1, SigningKeyJson.Default.SigningKeysDropped);

    private readonly List<(SigningKeyMade Made, ECDsa Key)> _keys = [];
    private EventStream<SigningKeyEvent> _stream = null!;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<SigningKeyEvent>(
            journal, Catalog, Keys.SigningKeys, new StreamOwner(Keys.Installation, $"{Keys.Installation}/{Keys.SigningKeys}"), DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => Apply(happened), cancellationToken);
    }

    public async Task<Secret> Sign(TokenRequest request)
    {
        if (_keys.Count == 0 || Now - _keys[^1].Made.Time >= Life) Make();
        // Nobody may hold a token of a key that a restart would not know.
        await _stream.Durable();
        DateTimeOffset time = clock.GetUtcNow();
        long now = time.ToUnixTimeSeconds();
        var claims = new AccessClaims(
            request.Issuer, request.Audience, request.User, request.Tenant, request.Session, request.Roles, now, now, now + (long)AccessToken.Life.TotalSeconds,
            Base32.Encode(secrets.Bytes(10)).ToLowerInvariant(), time.ToUnixTimeMilliseconds(), request.Scope);
        return new Secret(AccessToken.Sign(claims, _keys[^1].Made.Id, _keys[^1].Key));
    }

    public async Task<ImmutableArray<PublicKey>> GetPublicKeys()
    {
        await _stream.Durable();
        return [.. _keys.Where((_, i) => i == _keys.Count - 1 || Now - _keys[i + 1].Made.Time < AccessToken.Life + AccessToken.Skew).Select(one => PublicOf(one.Made.Id, one.Key))];
    }

    public async Task Replace()
    {
        Raise(new SigningKeysDropped(Now));
        Make();
        await _stream.Durable();
    }

    private static PublicKey PublicOf(string id, ECDsa key)
    {
        ECPoint point = key.ExportParameters(false).Q;
        return new PublicKey(id, System.Buffers.Text.Base64Url.EncodeToString(point.X), System.Buffers.Text.Base64Url.EncodeToString(point.Y));
    }

    private void Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Raise(new SigningKeyMade(Now, secrets.Name('s'), Convert.ToBase64String(key.ExportPkcs8PrivateKey())));
    }

    private void Raise(SigningKeyEvent happened)
    {
        Apply(happened);
        _stream.Append([happened], e => e.Time, _ => Keys.SigningKeys);
    }

    private void Apply(SigningKeyEvent happened)
    {
        if (happened is SigningKeyMade made)
        {
            ECDsa key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(Convert.FromBase64String(made.Private), out _);
            _keys.Add((made, key));
        }
        else
        {
            foreach ((_, ECDsa key) in _keys) key.Dispose();
            _keys.Clear();
        }
    }
}
