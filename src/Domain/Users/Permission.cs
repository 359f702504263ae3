namespace HybridTrading.Domain.Users;

/// <summary>What a call to the service needs. Every endpoint names one. Names are stored as scopes of API keys: they never change.</summary>
public enum Permission : byte
{
    /// <summary>Instruments, quotes, bars, features, the feed.</summary>
    ReadMarket,

    /// <summary>One's own accounts, orders, fills, strategies, decisions, reports.</summary>
    ReadTrading,

    /// <summary>What is ReadTrading's of the tenant's other members.</summary>
    ReadTenant,

    /// <summary>What the journal holds of what one may see.</summary>
    ReadJournal,

    /// <summary>Open accounts, place, change and cancel orders, follow strategies, pay in and out.</summary>
    Trade,

    /// <summary>Risk limits of one's own accounts.</summary>
    ManageRisk,

    /// <summary>Make, change, start and stop strategies and their reviews.</summary>
    Automate,

    /// <summary>Back-tests, searches, data of one's own.</summary>
    Research,

    /// <summary>The kill switch for what is one's own.</summary>
    Halt,

    /// <summary>The kill switch for the whole tenant or one of its members.</summary>
    HaltTenant,

    /// <summary>A say in the release of what was halted for the tenant.</summary>
    ReleaseTenant,

    /// <summary>One's own configuration and notifications.</summary>
    Configure,

    /// <summary>The configuration that the tenant's members begin with.</summary>
    ConfigureTenant,

    /// <summary>One's own profile, password, second factor, sessions.</summary>
    ManageProfile,

    /// <summary>One's own API keys.</summary>
    ManageKeys,

    /// <summary>Invite members, give roles, remove members.</summary>
    ManageMembers,

    /// <summary>What runs: version, services, health.</summary>
    ReadSystem,

    /// <summary>Services and silos of the installation, the market that it plays.</summary>
    Operate,

    /// <summary>All users and tenants of the installation.</summary>
    Administer,

    /// <summary>The tenant's clients: services that sign in by a secret of their own.</summary>
    ManageClients,

    /// <summary>The metrics of a process, from beyond its machine.</summary>
    ReadMetrics,

    /// <summary>The ports of the compliance services. No role has it: only a client's token can hold it.</summary>
    Compliance,
}
