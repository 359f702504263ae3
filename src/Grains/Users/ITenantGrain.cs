using HybridTrading.Domain.Users;

namespace HybridTrading.Grains.Users;

/// <param name="Link">What the invitation's link must hold, told once.</param>
[GenerateSerializer, Immutable, Alias("ht.InvitationAnswer")]
public sealed record InvitationAnswer(UserFault Fault, string? Detail = null, Invitation? Invitation = null, Secret? Link = null);

/// <summary>A tenant as its members see it.</summary>
[GenerateSerializer, Immutable, Alias("ht.TenantView")]
public sealed record TenantView(string Id, string Name, ImmutableArray<Member> Members, ImmutableArray<Invitation> Invitations);

/// <summary>What becomes of a tenant when a member is erased.</summary>
public enum Departure : byte
{
    /// <summary>It goes on without them, or they do not belong to it.</summary>
    GoesOn,

    /// <summary>Others would be left without an owner: nothing has been done.</summary>
    NeedsOwner,

    /// <summary>Nobody is left: it ends.</summary>
    Ends,
}

/// <summary>Who belongs to a tenant and as what: the one place where that is true. Key: tenant/tenant.</summary>
[Alias("ht.ITenantGrain")]
public interface ITenantGrain : IGrainWithStringKey
{
    /// <summary>Makes the tenant with its first owner; again, it does nothing.</summary>
    [ForGateway, Alias("Found")] Task Found(string name, string owner);

    /// <summary>What a user is here; null for nobody.</summary>
    [ForGateway, AlwaysInterleave, Alias("GetMember")] Task<Member?> GetMember(string user);

    /// <summary>Null where there is no such tenant.</summary>
    [ForGateway, AlwaysInterleave, Alias("GetName")] Task<string?> GetName();

    /// <summary>The invitation that a link holds; null for none.</summary>
    [ForGateway, AlwaysInterleave, Alias("FindInvitation")] Task<Invitation?> FindInvitation(Secret link);

    /// <summary>Takes a user in whom an invitation brought; it is used up.</summary>
    [ForGateway, Alias("Accept")] Task<UserAnswer> Accept(Secret link, string user);

    [AlwaysInterleave, Alias("GetView")] Task<TenantView?> GetView();

    /// <param name="by">Id of the member who does it, here and below.</param>
    [Alias("Invite")] Task<InvitationAnswer> Invite(string email, ImmutableArray<Role> roles, string by);

    [Alias("Withdraw")] Task<UserAnswer> Withdraw(string invitation, string by);

    /// <summary>The last owner stays one.</summary>
    [Alias("SetRoles")] Task<UserAnswer> SetRoles(string user, ImmutableArray<Role> roles, string by);

    /// <summary>The last owner stays.</summary>
    [Alias("Remove")] Task<UserAnswer> Remove(string user, string by);

    [Alias("Rename")] Task<UserAnswer> Rename(string name, string by);

    /// <summary>What an erasure of this member would leave.</summary>
    [AlwaysInterleave, Alias("GetDeparture")] Task<Departure> GetDeparture(string user);

    /// <summary>
    /// A member is being erased: the membership ends, and so do invitations to their addresses. The last one stays on the list of a tenant that ends
    /// with them.
    /// </summary>
    /// <param name="names">What the member was ever called: a tenant that is still named after them gets another name.</param>
    [Alias("Depart")] Task<Departure> Depart(string user, ImmutableArray<string> emails, ImmutableArray<string> names);

    /// <summary>The tenant has ended with its last member: leaves memory.</summary>
    [Alias("Leave")] Task Leave();
}
