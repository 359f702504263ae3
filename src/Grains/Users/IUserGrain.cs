using HybridTrading.Domain.Users;
using HybridTrading.Grains.Hosting;

namespace HybridTrading.Grains.Users;

/// <summary>How an attempt ended. Which of the first is told to strangers only as "failed".</summary>
public enum SignInOutcome : byte { SignedIn, Failed, CodeNeeded, LockedOut, EmailUnverified, Barred, Busy }

/// <param name="Code">Of the second factor: six digits, or a recovery code; null for none.</param>
/// <param name="Agent">What the client calls itself.</param>
/// <param name="Address">Where it calls from.</param>
[GenerateSerializer, Immutable, Alias("ht.SignInAttempt")]
public sealed record SignInAttempt(Secret Password, Secret? Code, string Agent, string Address);

/// <summary>A session as its client holds it.</summary>
/// <param name="Token">Renews the session once.</param>
[GenerateSerializer, Immutable, Alias("ht.OpenSession")]
public sealed record OpenSession(string User, string Id, string Tenant, Secret Token);

/// <param name="Until">When locked out.</param>
[GenerateSerializer, Immutable, Alias("ht.SignInAnswer")]
public sealed record SignInAnswer(SignInOutcome Outcome, OpenSession? Session = null, DateTime? Until = null);

[GenerateSerializer, Immutable, Alias("ht.RenewalAnswer")]
public sealed record RenewalAnswer(Renewal Outcome, OpenSession? Session = null);

/// <param name="Name">As the user wants to be called: 1 to 100 characters.</param>
/// <param name="EmailVerified">The address is known to be the user's: an invitation was sent to it, or it is the first owner's.</param>
[GenerateSerializer, Immutable, Alias("ht.Registration")]
public sealed record Registration(string Email, string Name, Secret Password, bool EmailVerified, bool Administrator = false);

/// <summary>The answer to a change: why it was refused, or nothing.</summary>
/// <param name="Secret">What is told once: a link's token, a second factor's secret.</param>
[GenerateSerializer, Immutable, Alias("ht.UserAnswer")]
public sealed record UserAnswer(UserFault Fault = UserFault.None, string? Detail = null, Secret? Secret = null);

/// <summary>Why a change was refused.</summary>
public enum UserFault : byte { None, Exists, Unknown, InvalidInput, PasswordWrong, CodeWrong, LinkInvalid, NoSecondFactor, HasSecondFactor, TooMany, LockedOut }

/// <summary>What a user looks like.</summary>
[GenerateSerializer, Immutable, Alias("ht.UserView")]
public sealed record UserView(
    string Id, string Email, string Name, DateTime Created, bool EmailVerified, bool HasSecondFactor, int RecoveryCodesLeft, bool Administrator,
    bool Locked, DateTime? LastSignIn, ImmutableArray<string> Tenants);

/// <summary>An API key without its secret.</summary>
[GenerateSerializer, Immutable, Alias("ht.ApiKeyView")]
public sealed record ApiKeyView(
    string Id, string Name, string Tenant, ApiKeyKind Kind, ImmutableArray<Permission> Scopes, DateTime Created, DateTime Expires, DateTime? LastUsed);

/// <param name="PublicKey">Of ECDSA: SubjectPublicKeyInfo, PEM or base 64; null for HMAC.</param>
/// <param name="Days">1 to 366.</param>
[GenerateSerializer, Immutable, Alias("ht.NewApiKey")]
public sealed record NewApiKey(string Name, string Tenant, ApiKeyKind Kind, string? PublicKey, ImmutableArray<Permission> Scopes, int Days);

/// <param name="Secret">Base64url, told this once; null for ECDSA.</param>
[GenerateSerializer, Immutable, Alias("ht.ApiKeyAnswer")]
public sealed record ApiKeyAnswer(UserFault Fault, string? Detail = null, ApiKeyView? Key = null, Secret? Secret = null);

/// <summary>For whom a signed request speaks.</summary>
/// <param name="Fault">Why it is refused; null when it is not.</param>
[GenerateSerializer, Immutable, Alias("ht.SignatureAnswer")]
public sealed record SignatureAnswer(string? Fault, string Tenant = "", ImmutableArray<Permission> Scopes = default);

/// <summary>
/// One person: how they prove who they are, and their sessions. The gateway calls it for whoever is at the door, so it trusts nothing but what is proven
/// here. Key: the user's id, which says nothing of the person.
/// </summary>
[Shared, ForGateway, Alias("ht.IUserGrain")]
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Makes the user; once.</summary>
    [Alias("Register")] Task<UserAnswer> Register(Registration registration);

    /// <summary>Checking a password takes long and keeps nobody else of this user waiting.</summary>
    [AlwaysInterleave, Alias("SignIn")] Task<SignInAnswer> SignIn(SignInAttempt attempt);

    /// <summary>A session without a password: who holds an invitation, or the first owner's link, has just made one.</summary>
    [Alias("Open")] Task<OpenSession> Open(string agent, string address);

    [Alias("Renew")] Task<RenewalAnswer> Renew(string session, Secret token, string agent, string address);

    /// <summary>The tenant that the session goes on in. The caller has seen to it that the user is a member.</summary>
    [Alias("Enter")] Task Enter(string session, string tenant);

    /// <summary>Ends one session, or all but one.</summary>
    [Alias("EndSession")] Task EndSession(string session);

    [Alias("EndOtherSessions")] Task EndOtherSessions(string session);

    [AlwaysInterleave, Alias("GetSessions")] Task<ImmutableArray<Session>> GetSessions();

    /// <summary>Null for nobody.</summary>
    [AlwaysInterleave, Alias("GetView")] Task<UserView?> GetView();

    /// <summary>
    /// Whether the user is a member of that tenant who has shown that this address is theirs. It tells no more than who asks has said, so it is open to
    /// the user's grains of any tenant.
    /// </summary>
    [Shared, AlwaysInterleave, Alias("HasVerified")] Task<bool> HasVerified(string tenant, string email);

    [Alias("Rename")] Task<UserAnswer> Rename(string name);

    /// <summary>Ends all other sessions.</summary>
    [Alias("ChangePassword")] Task<UserAnswer> ChangePassword(Secret current, Secret next, string session);

    /// <returns>The secret, base 32.</returns>
    [Alias("OfferSecondFactor")] Task<UserAnswer> OfferSecondFactor(Secret password);

    /// <returns>Ten recovery codes, a line each.</returns>
    [Alias("AddSecondFactor")] Task<UserAnswer> AddSecondFactor(Secret code);

    [Alias("RemoveSecondFactor")] Task<UserAnswer> RemoveSecondFactor(Secret password, Secret code);

    /// <returns>What the link must hold.</returns>
    [Alias("MakeLink")] Task<UserAnswer> MakeLink(LinkKind kind);

    [Alias("VerifyEmail")] Task<UserAnswer> VerifyEmail(Secret link);

    /// <summary>Ends all sessions.</summary>
    [Alias("ResetPassword")] Task<UserAnswer> ResetPassword(Secret link, Secret password);

    [Alias("Join")] Task Join(string tenant);

    /// <summary>Ends the sessions in that tenant and removes its keys.</summary>
    [Alias("Leave")] Task Leave(string tenant);

    /// <param name="by">Id of the administrator.</param>
    [Alias("SetAccess")] Task<UserAnswer> SetAccess(bool? locked, bool? administrator, string by);

    [AlwaysInterleave, Alias("GetApiKeys")] Task<ImmutableArray<ApiKeyView>> GetApiKeys();

    [Alias("AddApiKey")] Task<ApiKeyAnswer> AddApiKey(NewApiKey key);

    [Alias("RemoveApiKey")] Task<UserAnswer> RemoveApiKey(string id);

    /// <summary>Takes a signed request once.</summary>
    [Alias("Admit")] Task<SignatureAnswer> Admit(SignedRequest request);
}
