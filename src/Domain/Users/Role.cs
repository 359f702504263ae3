namespace HybridTrading.Domain.Users;

/// <summary>What a member may be to a tenant. A member can be several things. Names are stored and travel in tokens: they never change.</summary>
public enum Role : byte
{
    /// <summary>Answers for the tenant: may do everything in it.</summary>
    Owner,

    /// <summary>Trades, alone and by strategies, with what is their own.</summary>
    Trader,

    /// <summary>Sees all that happens in the tenant and changes nothing.</summary>
    Viewer,

    /// <summary>Watches over the tenant's trading: sees all of it, halts it, has a say in its release.</summary>
    ComplianceOfficer,

    /// <summary>Sees all of the tenant and its journal, and changes nothing.</summary>
    Auditor,

    /// <summary>Runs the installation: its services, its users, its market. Of no tenant, given by administrators alone; sees nobody's trading.</summary>
    Administrator,
}
