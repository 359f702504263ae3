using System.Collections.Frozen;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;

namespace HybridTrading.Api;

/// <summary>On whose behalf a request runs.</summary>
public interface ICaller
{
    string Tenant { get; }

    string User { get; }

    bool Has(Permission permission);

    /// <summary>Whether it is known who calls: such a caller is counted by name, anybody else by address.</summary>
    bool IsVerified => true;
}

/// <summary>The only user until sign-in exists: whoever sits at this machine, which is why everything binds to loopback.</summary>
public sealed class LocalOwner : ICaller
{
    public string Tenant => "local";

    public string User => "owner";

    public bool Has(Permission permission) => _permissions.Contains(permission);

    private static readonly FrozenSet<Permission> _permissions = RolePermissions.Of([Role.Owner, Role.Administrator]);
}

public static class CallerExtensions
{
    /// <summary>tenant/user: whose events and keys they are.</summary>
    public static string Person(this ICaller caller) => $"{caller.Tenant}/{caller.User}";

    /// <summary>The key of something that the caller owns.</summary>
    /// <param name="field">Names the value in the answer when it is no name.</param>
    /// <exception cref="ApiException">400: not a name.</exception>
    public static string Key(this ICaller caller, string? name, string field) => Keys.IsName(name)
        ? Keys.Owned(caller.Tenant, caller.User, name!)
        : throw ApiException.Invalid(field, $"{field} is {ApiException.Quote(name)}; expected 1 to 64 of a-z 0-9 - _ and dots inside");

    /// <summary>A key as its owner calls it: without tenant and user. Keys of others stay whole.</summary>
    public static string NameOf(this ICaller caller, string key)
    {
        string own = caller.Person() + "/";
        return key.StartsWith(own, StringComparison.Ordinal) ? key[own.Length..] : key;
    }
}
