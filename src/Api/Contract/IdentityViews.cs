using System.ComponentModel;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Users;

namespace HybridTrading.Api.Contract;

/// <summary>How this installation lets people in.</summary>
public sealed record SignInState(
    [property: Description("needed: nobody owns this installation yet; done")] string Setup,
    [property: Description("open, or invitation")] string SignUp,
    int PasswordMinLength, int PasswordMaxLength,
    [property: Description("What the external provider is called; null where there is none")] string? Provider);

/// <summary>A session as a client gets it.</summary>
public sealed record Tokens(
    [property: Description("For Authorization: Bearer")] string AccessToken,
    [property: Description("Seconds")] int ExpiresIn,
    Me User,
    [property: Description("Renews the session once; only where no cookie was wanted")] string? RefreshToken);

public sealed record TenantName(string Id, string Name);

public sealed record Membership(string Id, string Name, ImmutableArray<Role> Roles);

/// <summary>The caller, to themselves.</summary>
public sealed record Me(
    string Id, string Email, string Name, bool EmailVerified, bool SecondFactor, int RecoveryCodesLeft, TenantName Tenant,
    ImmutableArray<Membership> Tenants, ImmutableArray<Role> Roles, ImmutableArray<Permission> Permissions);

public sealed record SessionView(
    string Id, bool Current, DateTime Created, DateTime LastUsed,
    [property: Description("What the client calls itself")] string Agent, [property: Description("Where it last came from")] string Address);

/// <summary>What is kept of a user's identity. What they trade is at the routes of accounts, orders, fills and the journal.</summary>
public sealed record IdentityExport(DateTime Made, Me User, DateTime Created, ImmutableArray<SessionView> Sessions, ImmutableArray<ApiKeyShown> ApiKeys);

public sealed record SecondFactorOffer([property: Description("Base 32")] string Secret, [property: Description("For a QR code")] string Uri);

public sealed record RecoveryCodeList([property: Description("Each signs in once in place of a code; told this once")] string[] RecoveryCodes);

public sealed record ApiKeyShown(
    string Id, string Name, ApiKeyKind Kind, ImmutableArray<Permission> Scopes, DateTime Created, DateTime Expires,
    [property: Description("To about ten seconds; null for never")] DateTime? LastUsed)
{
    public static ApiKeyShown Of(ApiKeyView key) => new(key.Id, key.Name, key.Kind, key.Scopes, key.Created, key.Expires, key.LastUsed);
}

public sealed record ApiKeyMade(ApiKeyShown Key, [property: Description("Base64url, of HMAC keys; told this once")] string? Secret);

public sealed record InvitationShown(string Tenant, string Email, ImmutableArray<Role> Roles, [property: Description("The address has a user: sign in and accept")] bool Known);

public sealed record MemberView(
    string User, string Name, string Email, ImmutableArray<Role> Roles, DateTime Since, DateTime? LastSignIn, bool SecondFactor, bool Suspended);

/// <summary>A user as administrators see them.</summary>
public sealed record UserRecord(
    string Id, string Email, string Name, ImmutableArray<Membership> Tenants, DateTime Created, DateTime? LastSignIn,
    bool SecondFactor, bool Administrator, bool Locked,
    [property: Description("When the user is to be erased; null for not")] DateTime? ErasureDue);

/// <summary>An erasure before it is asked for.</summary>
public sealed record ErasureOutlook(
    [property: Description("What must be settled first; empty where nothing stands in the way")] ImmutableArray<ErasureHindranceView> Hindrances,
    [property: Description("Days between asking and erasing, in which signing in cancels it")] int GraceDays,
    [property: Description("What stays, and why, a sentence each")] ImmutableArray<string> Kept);

public sealed record ErasureHindranceView(ErasureObstacle Obstacle,
    [property: Description("Name of the account or strategy, or id of the tenant")] string Where, string Detail);

/// <summary>An erasure that was asked for.</summary>
public sealed record ErasurePlanned([property: Description("From when on nothing can be undone")] DateTime Due);

public sealed record InvitationView(string Id, string Email, ImmutableArray<Role> Roles, DateTime Created, DateTime Expires, [property: Description("Id of the member")] string By)
{
    public static InvitationView Of(Invitation one) => new(one.Id, one.Email, one.Roles, one.Created, one.Expires, one.By);
}
