using System.Buffers;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Grains;

/// <summary>Grain keys, in one place: shared keys have no tenant, all others begin with it.</summary>
public static class Keys
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    public const string Feed = "feed";

    public const string Outbox = "silo";

    /// <summary>EURUSD/H1.</summary>
    public static string Features(string symbol, TimeFrame timeFrame) => $"{symbol}/{timeFrame}";

    /// <summary>EURUSD/H1/0.</summary>
    public static string Shard(string features, int number) => $"{features}/{number}";

    /// <summary>tenant/user/name, for accounts and strategies.</summary>
    public static string Owned(string tenant, string user, string name) => $"{tenant}/{user}/{name}";

    public static string AccountStream(string key) => $"account/{key}";

    public static string JobStream(string key) => $"job/{key}";

    public static string DataSetsStream(string key) => $"data-sets/{key}";

    /// <summary>tenant/user/jobs: a user's queue of jobs.</summary>
    public static string JobQueue(string person) => $"{person}/jobs";

    /// <summary>tenant/user/data-sets.</summary>
    public static string DataSets(string person) => $"{person}/data-sets";

    public static string StrategyStream(string key) => $"strategy/{key}";

    /// <summary>The one grain that says which tokens are worth nothing before their time.</summary>
    public const string Revocations = "revocations";

    /// <summary>The one grain that signs access tokens.</summary>
    public const string SigningKeys = "signing-keys";

    /// <summary>The one grain that knows whether this installation has an owner.</summary>
    public const string Installation = "installation";

    public static string ErasureStream(string user) => $"{Domain.Users.ErasureEventCatalog.StreamPrefix}{user}";

    public static string UserStream(string user) => $"user/{user}";

    /// <summary>What is known of a person apart from any tenant.</summary>
    public static StreamOwner UserOwner(string user) => new("users", $"users/{user}");

    /// <summary>tenant/tenant: its members.</summary>
    public static string Tenant(string tenant) => $"{tenant}/tenant";

    public static string TenantStream(string tenant) => $"tenant/{tenant}";

    /// <summary>tenant/kill-switch.</summary>
    public static string KillSwitch(string tenant) => $"{tenant}/kill-switch";

    /// <summary>tenant/clients: the services that sign in for the tenant.</summary>
    public static string Clients(string tenant) => $"{tenant}/clients";

    public static string ClientsStream(string tenant) => $"clients/{tenant}";

    public static string KillSwitchStream(string tenant) => $"kill-switch/{tenant}";

    /// <summary>tenant/*: the tenant's own layer of configuration. A user's is at tenant/user, and no user is called by a star.</summary>
    public static string TenantConfiguration(string tenant) => $"{tenant}/*";

    public static bool IsTenantConfiguration(string key) => key.EndsWith("/*", StringComparison.Ordinal);

    public static string ConfigurationStream(string key) => $"configuration/{key}";

    /// <summary>Of a person's alerts; the grain's key is tenant/user.</summary>
    public static string AlertsStream(string person) => $"alerts/{person}";

    /// <summary>The one grain that looks for prices that have stopped.</summary>
    public const string FeedWatch = "feed-watch";

    public static string ReviewStream(string key) => $"review/{key}";

    public static (string Symbol, TimeFrame TimeFrame) ParseFeatures(string key)
    {
        int slash = key.LastIndexOf('/');
        return (key[..slash], TimeFrame.Parse(key[(slash + 1)..]));
    }

    /// <summary>The tenant at the front of an owned key.</summary>
    public static string TenantOf(string key) => key[..key.IndexOf('/')];

    /// <summary>Whether <see cref="TenantOf"/> is this, without making a text of it.</summary>
    public static bool IsTenantOf(string tenant, string key) => key.IndexOf('/') == tenant.Length && key.StartsWith(tenant, StringComparison.Ordinal);

    /// <summary>tenant/user: the person whose data an owned key names.</summary>
    public static string PersonOf(string key) => key[..key.IndexOf('/', key.IndexOf('/') + 1)];

    /// <summary>The name at the end of an owned key.</summary>
    public static string NameOf(string key) => key[(key.LastIndexOf('/') + 1)..];

    /// <summary>Is this a part that a key may be made of: 1 to 64 of a-z 0-9 - _ and dots inside?</summary>
    public static bool IsName(string? name) =>
        name is { Length: >= 1 and <= 64 } && name[0] != '.' && !name.AsSpan().ContainsAnyExcept(NameCharacters);
}
