using System.Collections.Frozen;

namespace HybridTrading.Domain.Users;

/// <summary>Which role may do what: the one table that decides.</summary>
public static class RolePermissions
{
    private static readonly Permission[] EveryMember =
        [Permission.ReadMarket, Permission.ReadSystem, Permission.Configure, Permission.ManageProfile];

    private static readonly FrozenDictionary<Role, FrozenSet<Permission>> ByRole = new Dictionary<Role, Permission[]>
    {
        [Role.Owner] =
        [
            .. EveryMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal, Permission.Trade, Permission.ManageRisk,
            Permission.Automate, Permission.Research, Permission.Halt, Permission.HaltTenant, Permission.ReleaseTenant, Permission.ConfigureTenant,
            Permission.ManageKeys, Permission.ManageMembers, Permission.ManageClients,
        ],
        [Role.Trader] =
        [
            .. EveryMember, Permission.ReadTrading, Permission.ReadJournal, Permission.Trade, Permission.ManageRisk, Permission.Automate,
            Permission.Research, Permission.Halt, Permission.ManageKeys,
        ],
        [Role.Viewer] = [.. EveryMember, Permission.ReadTrading, Permission.ReadTenant],
        [Role.ComplianceOfficer] =
        [
            .. EveryMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal, Permission.HaltTenant, Permission.ReleaseTenant,
        ],
        [Role.Auditor] = [.. EveryMember, Permission.ReadTrading, Permission.ReadTenant, Permission.ReadJournal],
        [Role.Administrator] = [.. EveryMember, Permission.Operate, Permission.Administer, Permission.ReadMetrics],
    }.ToFrozenDictionary(entry => entry.Key, entry => entry.Value.ToFrozenSet());

    /// <summary>All that a role may do.</summary>
    public static FrozenSet<Permission> Of(Role role) => ByRole[role];

    /// <summary>All that somebody with these roles may do.</summary>
    public static FrozenSet<Permission> Of(IEnumerable<Role> roles) => roles.SelectMany(role => ByRole[role]).ToFrozenSet();
}
