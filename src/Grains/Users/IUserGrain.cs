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
/// <param name="Ticket">Of somebody whom a provider has proven, and whose code is still missing.</param>
/// <param name="Kept">The address to tell that an erasure was planned and this sign-in has cancelled it; null where none was.</param>
[GenerateSerializer, Immutable, Alias("ht.SignInAnswer")]
public sealed record SignInAnswer(SignInOutcome Outcome, OpenSession? Session = null, DateTime? Until = null, Secret? Ticket = null, string? Kept = null);

/// <summary>A sign-in that an external provider has proven; whoever calls has checked its token.</summary>
/// <param name="HasSecondFactor">The provider has asked for one, and this installation takes its word for it.</param>
[GenerateSerializer, Immutable, Alias("ht.ProviderSignIn")]
public sealed record ProviderSignIn(ProviderIdentity Identity, bool HasSecondFactor, string Agent, string Address);

[GenerateSerializer, Immutable, Alias("ht.RenewalAnswer")]
public sealed record RenewalAnswer(Renewal Outcome, OpenSession? Session = null);

/// <param name="Name">As the user wants to be called: 1 to 100 characters.</param>
/// <param name="Password">Null for who comes by a provider.</param>
/// <param name="EmailVerified">The address is known to be the user's: an invitation was sent to it, or it is the first owner's.</param>
/// <param name="Provider">Who they are to the provider by which they come.</param>
/// <param name="Tenant">Where they begin, for the link to the provider.</param>
[GenerateSerializer, Immutable, Alias("ht.Registration")]
public sealed record Registration(
    string Email, string Name, Secret? Password, bool EmailVerified, bool Administrator = false, ProviderIdentity? Provider = null, string Tenant = "");

/// <summary>The answer to a change: why it was refused, or nothing.</summary>
/// <param name="Secret">What is told once: a link's token, a second factor's secret.</param>
[GenerateSerializer, Immutable, Alias("ht.UserAnswer")]
public sealed record UserAnswer(UserFault Fault = UserFault.None, string? Detail = null, Secret? Secret = null);

/// <summary>Why a change was refused.</summary>
public enum UserFault : byte { None, Exists, Unknown, InvalidInput, PasswordWrong, CodeWrong, LinkInvalid, NoSecondFactor, HasSecondFactor, TooMany, LockedOut, PasswordMissing }

/// <summary>What a user looks like.</summary>
/// <param name="ErasureDue">When the user is to be erased; null for not.</param>
/// <param name="EmailBefore">An address that its owner can still take back; null for none.</param>
[GenerateSerializer, Immutable, Alias("ht.UserView")]
public sealed record UserView(
    string Id, string Email, string Name, DateTime Created, bool EmailVerified, bool HasSecondFactor, int RecoveryCodesLeft, bool Administrator,
    bool Locked, DateTime? LastSignIn, ImmutableArray<string> Tenants, bool HasPassword = true, ImmutableArray<ProviderLink> Links = default,
    DateTime? ErasureDue = null, string? EmailBefore = null);

/// <summary>An erasure that was asked for.</summary>
/// <param name="By">Id of who wanted it.</param>
[GenerateSerializer, Immutable, Alias("ht.ErasurePlan")]
public sealed record ErasurePlan(DateTime Due, string By, string Reason);

/// <summary>What is to be found and removed of a user, apart from their streams. Empty once those cannot be read any more.</summary>
/// <param name="Tenants">Every one that the user ever belonged to.</param>
/// <param name="Emails">Every address that was ever the user's, was to be, or was a provider's for them.</param>
/// <param name="Identities">Keys of every provider's user who was ever this one.</param>
[GenerateSerializer, Immutable, Alias("ht.UserRemains")]
public sealed record UserRemains(
    ImmutableArray<string> Tenants, ImmutableArray<string> Emails, ImmutableArray<string> Names, ImmutableArray<string> Identities);

/// <summary>What came of a change of address.</summary>
/// <param name="Email">The address that counts now.</param>
/// <param name="Before">The one that counted before.</param>
/// <param name="Link">What the link to take it back must hold, told once.</param>
[GenerateSerializer, Immutable, Alias("ht.EmailAnswer")]
public sealed record EmailAnswer(UserFault Fault, string? Detail = null, string? Email = null, string? Before = null, Secret? Link = null);

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

    /// <summary>A session of somebody whom a provider has proven. Where a code is needed the answer has a ticket, good for five minutes.</summary>
    [Alias("SignInByProvider")] Task<SignInAnswer> SignInByProvider(ProviderSignIn attempt);

    /// <summary>The code that was still missing.</summary>
    [Alias("ConfirmByProvider")] Task<SignInAnswer> ConfirmByProvider(Secret ticket, Secret code, string agent, string address);

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

    /// <summary>Begins a link to a provider.</summary>
    /// <param name="password">Null where the user has none.</param>
    /// <returns>A ticket, good for ten minutes.</returns>
    [Alias("OfferLink")] Task<UserAnswer> OfferLink(Secret? password);

    /// <summary>The provider's user is this one from now on. The caller has claimed the identity for this user.</summary>
    /// <param name="tenant">What the provider's access tokens speak for.</param>
    [Alias("Link")] Task<UserAnswer> Link(Secret ticket, ProviderIdentity identity, string tenant);

    /// <summary>Ends a link, if there is another way in. Tokens of the provider are worth nothing from then on.</summary>
    [Alias("Unlink")] Task<UserAnswer> Unlink(string link);

    [AlwaysInterleave, Alias("GetApiKeys")] Task<ImmutableArray<ApiKeyView>> GetApiKeys();

    [Alias("AddApiKey")] Task<ApiKeyAnswer> AddApiKey(NewApiKey key);

    [Alias("RemoveApiKey")] Task<UserAnswer> RemoveApiKey(string id);

    /// <summary>Another address is to be the user's; it counts once the link in the mail to it was opened.</summary>
    /// <param name="session">Which asks, and goes on when it counts.</param>
    /// <returns>What the link must hold.</returns>
    [Alias("AskEmail")] Task<UserAnswer> AskEmail(string email, Secret password, Secret? code, string session);

    /// <summary>The address is proven and counts from now on. Ends all other sessions; the address before can be taken back for a week.</summary>
    [Alias("ConfirmEmail")] Task<EmailAnswer> ConfirmEmail(Secret link);

    /// <summary>
    /// The owner of the address before takes it back: somebody else had the password. Ends all sessions, and undoes what was made since: API keys, a
    /// second factor, a planned erasure.
    /// </summary>
    [Alias("UndoEmail")] Task<EmailAnswer> UndoEmail(Secret link);

    /// <summary>Is it the user who asks? Wrong passwords and codes count as at the door.</summary>
    [Alias("Prove")] Task<UserAnswer> Prove(Secret password, Secret? code);

    /// <summary>Plans the erasure: all sessions end and API keys rest. A plan that is earlier stays.</summary>
    [Alias("PlanErasure")] Task<UserAnswer> PlanErasure(ErasurePlan plan);

    /// <param name="by">Id of the administrator.</param>
    [Alias("CancelErasure")] Task<UserAnswer> CancelErasure(string by);

    /// <summary>Null for none.</summary>
    [AlwaysInterleave, Alias("GetErasure")] Task<ErasurePlan?> GetErasure();

    [AlwaysInterleave, Alias("GetRemains")] Task<UserRemains> GetRemains();

    /// <summary>The erasure begins: to everybody the user is no more.</summary>
    [Alias("Close")] Task Close();

    /// <summary>Lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("LetGo")] Task LetGo();

    /// <summary>Takes a signed request once.</summary>
    [Alias("Admit")] Task<SignatureAnswer> Admit(SignedRequest request);
}
