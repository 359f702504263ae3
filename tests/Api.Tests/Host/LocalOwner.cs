using HybridTrading.Api;
using HybridTrading.Domain.Users;

namespace HybridTrading.Tests.Host;

/// <summary>Somebody who may do everything and need not sign in, for tests of what is behind the door.</summary>
internal sealed class LocalOwner : ICaller
{
    private static readonly IReadOnlySet<Permission> All = RolePermissions.Of([Role.Owner, Role.Administrator]);

    public string Tenant => "local";

    public string User => "owner";

    public bool Has(Permission permission) => All.Contains(permission);
}
