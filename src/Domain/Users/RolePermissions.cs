using System.Collections.Frozen;

namespace HybridTrading.Domain.Users;

/// <summary>Which role may do what: the one table that decides.</summary>
public static class RolePermissions
{
    private static readonly Permission[] _everyMember =
        [Permission.ReadMarket, Permission.ReadSystem, Permission.Configure, Permission.ManageProfile];

    private static readonly FrozenDictionary<Role, FrozenSet<Permission>> _byRole = new Dictionary<Role, Permission[]>
    {
        [Role.Owner] =
        [
            .. _everyMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal, Permission.Trade, Permission.ManageRisk,
            Permission.Automate, Permission.Research, Permission.Halt, Permission.HaltTenant, Permission.ReleaseTenant, Permission.ConfigureTenant,
            Permission.ManageKeys, Permission.ManageMembers,
        ],
        [Role.Trader] =
        [
            .. _everyMember, Permission.ReadTrading, Permission.ReadJournal, Permission.Trade, Permission.ManageRisk, Permission.Automate,
            Permission.Research, Permission.Halt, Permission.ManageKeys,
        ],
        [Role.Viewer] = [.. _everyMember, Permission.ReadTrading, Permission.ReadTenant],
        [Role.ComplianceOfficer] =
        [
            .. _everyMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal, Permission.HaltTenant, Permission.ReleaseTenant,
        ],
        [Role.Auditor] = [.. _everyMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal],
        [Role.Administrator] = [.. _everyMember, Permission.Operate, Permission.Administer],
    }.ToFrozenDictionary(entry => entry.Key, entry => entry.Value.ToFrozenSet());

    /// <summary>All that a role may do.</summary>
    public static FrozenSet<Permission> Of(Role role) => _byRole[role];

    /// <summary>All that somebody with these roles may do.</summary>
    public static FrozenSet<Permission> Of(IEnumerable<Role> roles) => roles.SelectMany(role => _byRole[role]).ToFrozenSet();
}
