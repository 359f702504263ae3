using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Users;

/// <summary>A secret of a client, known by hash: 256 random bits cannot be guessed, so a slow hash would protect nothing.</summary>
/// <param name="Hash">SHA-256 of the secret, hexadecimal.</param>
[GenerateSerializer, Immutable, Alias("ht.ClientSecret")]
public sealed record ClientSecret(string Id, string Hash, DateTime Created, DateTime Expires);

/// <summary>A service that signs in for itself: of a tenant, of no person (RFC 6749, section 4.4).</summary>
/// <param name="Id">tenant.name: who sees it knows which tenant to ask.</param>
/// <param name="Scopes">All that its tokens may do.</param>
/// <param name="By">Id of the member who made it.</param>
/// <param name="Secrets">At most two that are good: the newest, and the one before while it is being replaced.</param>
public sealed record ServiceClient(
    string Id, string Name, ImmutableArray<Permission> Scopes, DateTime Created, string By, ImmutableArray<ClientSecret> Secrets, DateTime? LastUsed = null)
{
    public const int Most = 50, LongestDays = 366, LongestName = 100;

    /// <summary>Hours that the secret before may still be used after a new one was made.</summary>
    public const int LongestOverlap = 168;

    /// <summary>
    /// What no program may do: manage who gets in, since what it lets in would outlive its own end, and have a say where two persons must agree.
    /// </summary>
    public static readonly ImmutableArray<Permission> ForPersonsOnly =
    [
        Permission.ManageProfile, Permission.ManageKeys, Permission.ManageMembers, Permission.ManageClients, Permission.Administer, Permission.ReleaseTenant,
    ];

    /// <summary>What concerns the installation and no tenant: only its administrators give it.</summary>
    public static readonly ImmutableArray<Permission> OfInstallation = [Permission.ReadMetrics, Permission.Compliance, Permission.Operate];

    /// <summary>What is wrong with the scopes of a client; null when nothing is.</summary>
    /// <param name="maker">What whoever makes it may do.</param>
    public static string? Fault(ImmutableArray<Permission> scopes, IReadOnlySet<Permission> maker)
    {
        if (scopes.IsDefaultOrEmpty) return "scopes is empty; expected at least one permission";
        if (scopes.Distinct().Count() < scopes.Length) return "scopes names one twice; expected each once";
        foreach (Permission scope in scopes)
        {
            if (!Enum.IsDefined(scope)) return $"scopes has {scope}; expected names of permissions";
            if (ForPersonsOnly.Contains(scope)) return $"scopes has {scope}, which is for persons only; expected what a service may do";
            if (OfInstallation.Contains(scope) ? !maker.Contains(Permission.Administer) : !maker.Contains(scope))
            {
                return $"scopes has {scope}, which the caller cannot give; expected what the caller may do";
            }
        }
        return null;
    }

    /// <summary>Scopes as a token carries them: names with a space between (RFC 6749, section 3.3).</summary>
    public static string ScopeText(IEnumerable<Permission> scopes) => string.Join(' ', scopes);

    /// <summary>Null where a word is no scope, or stands there twice.</summary>
    public static ImmutableArray<Permission>? ScopesOf(string text)
    {
        var scopes = ImmutableArray.CreateBuilder<Permission>();
        foreach (string word in text.Split(' '))
        {
            // The parser takes numbers and lists with commas, too, whose sum could be any permission.
            if (!Enum.TryParse(word, out Permission scope) || scope.ToString() != word || scopes.Contains(scope)) return null;
            scopes.Add(scope);
        }
        return scopes.ToImmutable();
    }

    /// <summary>Is it a client that is called so, and no user? Users' ids have no dot.</summary>
    public static bool IsId(string id) => id.Contains('.');

    /// <summary>Is it one of the secrets that are good now?</summary>
    public bool IsSecret(string secret, DateTime now)
    {
        string hash = Sessions.HashOf(secret);
        bool found = false;
        foreach (ClientSecret one in Secrets) found |= Sessions.Equal(hash, one.Hash) && now < one.Expires;
        return found;
    }
}

/// <summary>Something that happened to the clients of a tenant.</summary>
public abstract record ClientEvent(DateTime Time);

/// <param name="By">Id of the member who did it, here and below.</param>
public sealed record ClientMade(DateTime Time, string Id, string Name, ImmutableArray<Permission> Scopes, ClientSecret Secret, string By) : ClientEvent(Time);

/// <param name="Until">When the secret before ends.</param>
public sealed record ClientSecretMade(DateTime Time, string Id, ClientSecret Secret, DateTime Until, string By) : ClientEvent(Time);

public sealed record ClientRemoved(DateTime Time, string Id, string By) : ClientEvent(Time);

/// <param name="Address">Where the client called from, here and below.</param>
/// <param name="Scope">As the token has it.</param>
public sealed record ClientSignedIn(DateTime Time, string Id, string Address, string Scope) : ClientEvent(Time);

public sealed record ClientRefused(DateTime Time, string Id, string Address, string Why) : ClientEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ClientMade))]
[JsonSerializable(typeof(ClientSecretMade))]
[JsonSerializable(typeof(ClientRemoved))]
[JsonSerializable(typeof(ClientSignedIn))]
[JsonSerializable(typeof(ClientRefused))]
internal sealed partial class ClientJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in the stream of a tenant's clients.</summary>
public static class ClientEventCatalog
{
    public static readonly EventCatalog<ClientEvent> Events = new EventCatalog<ClientEvent>()
        .Add("client-made", 1, ClientJson.Default.ClientMade)
        .Add("client-secret-made", 1, ClientJson.Default.ClientSecretMade)
        .Add("client-removed", 1, ClientJson.Default.ClientRemoved)
        .Add("client-signed-in", 1, ClientJson.Default.ClientSignedIn)
        .Add("client-refused", 1, ClientJson.Default.ClientRefused);
}

/// <summary>A tenant's clients as the events of their stream have made them. Not thread-safe.</summary>
public sealed class ServiceClients
{
    private readonly Dictionary<string, ServiceClient> _clients = new(StringComparer.Ordinal);

    public IReadOnlyCollection<ServiceClient> All => _clients.Values;

    public ServiceClient? Find(string id) => _clients.GetValueOrDefault(id);

    public void Apply(ClientEvent happened)
    {
        switch (happened)
        {
            case ClientMade e:
                _clients[e.Id] = new ServiceClient(e.Id, e.Name, e.Scopes, e.Time, e.By, [e.Secret]);
                break;
            case ClientSecretMade e:
                ServiceClient client = _clients[e.Id];
                ClientSecret before = client.Secrets[^1];
                _clients[e.Id] = client with { Secrets = [before with { Expires = before.Expires < e.Until ? before.Expires : e.Until }, e.Secret] };
                break;
            case ClientRemoved e:
                _clients.Remove(e.Id);
                break;
            case ClientSignedIn e:
                if (_clients.TryGetValue(e.Id, out ServiceClient? used)) _clients[e.Id] = used with { LastUsed = e.Time };
                break;
            case ClientRefused:
                break;
            default:
                throw new InvalidOperationException($"unknown event {happened.GetType().Name}");
        }
    }
}

/// <summary>
/// How often one client may come: a bound on tokens a minute, and for wrong secrets a closed door for the address that they came from. The right secret
/// from elsewhere is taken meanwhile, so nobody who merely knows a client's id can keep it out. Bounded; not thread-safe.
/// </summary>
public sealed class ClientLimits
{
    /// <summary>One lasts ten minutes, so a client that keeps its tokens needs one in that time.</summary>
    public const int TokensPerMinute = 60;

    /// <summary>Pairs of client and address whose failures are remembered. Those beyond go free: a secret of 256 bits is not guessed, and a shared door would shut out its owner.</summary>
    public const int MostRemembered = 1000;

    private readonly Dictionary<(string Client, string Address), (int Failures, DateTime Last)> _failures = [];
    private readonly Dictionary<string, (long Minute, int Count)> _tokens = new(StringComparer.Ordinal);

    /// <summary>Until when the door is closed for a client from an address; null when it is open.</summary>
    public DateTime? ClosedUntil(string client, string address, DateTime now) =>
        _failures.TryGetValue((client, address), out (int Failures, DateTime Last) known) && Lockout.Until(known.Failures, known.Last) is { } until && until > now ? until : null;

    public void Failed(string client, string address, DateTime now)
    {
        foreach ((string, string) idle in _failures.Where(one => now - one.Value.Last > Lockout.Longest).Select(one => one.Key).ToArray()) _failures.Remove(idle);
        if (_failures.Count >= MostRemembered && !_failures.ContainsKey((client, address))) return;
        _failures[(client, address)] = (_failures.GetValueOrDefault((client, address)).Failures + 1, now);
    }

    /// <summary>Counts one token.</summary>
    /// <returns>Until when no more are given; null when this one is.</returns>
    public DateTime? Take(string client, string address, DateTime now)
    {
        _failures.Remove((client, address));
        long minute = now.Ticks / TimeSpan.TicksPerMinute;
        (long Minute, int Count) used = _tokens.GetValueOrDefault(client);
        int count = used.Minute == minute ? used.Count : 0;
        if (count >= TokensPerMinute) return new DateTime((minute + 1) * TimeSpan.TicksPerMinute, DateTimeKind.Utc);
        _tokens[client] = (minute, count + 1);
        return null;
    }
}
