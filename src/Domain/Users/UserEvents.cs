using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Users;

/// <summary>Something that happened to a user's identity. The stream is encrypted with the user's own key: erasing it erases the person.</summary>
public abstract record UserEvent(DateTime Time);

/// <param name="PasswordHash">As the hasher makes it, salt and iterations inside; empty for who came by a provider and has none.</param>
public sealed record UserRegistered(DateTime Time, string Email, string Name, string PasswordHash, bool EmailVerified, bool Administrator) : UserEvent(Time);

public sealed record EmailVerified(DateTime Time) : UserEvent(Time);

public sealed record NameChanged(DateTime Time, string Name) : UserEvent(Time);

public sealed record PasswordChanged(DateTime Time, string PasswordHash) : UserEvent(Time);

/// <summary>A secret was made; it counts once a code of it has been shown.</summary>
/// <param name="Secret">Base 64.</param>
public sealed record SecondFactorOffered(DateTime Time, string Secret) : UserEvent(Time);

/// <param name="Step">Of the code that was shown.</param>
/// <param name="RecoveryHashes">SHA-256 of each code.</param>
public sealed record SecondFactorAdded(DateTime Time, long Step, ImmutableArray<string> RecoveryHashes) : UserEvent(Time);

public sealed record SecondFactorRemoved(DateTime Time) : UserEvent(Time);

/// <summary>A code was taken: neither it nor an earlier one is taken again.</summary>
public sealed record CodeUsed(DateTime Time, long Step) : UserEvent(Time);

public sealed record RecoveryCodeUsed(DateTime Time, string Hash) : UserEvent(Time);

/// <param name="Agent">What the client calls itself.</param>
public sealed record SignedIn(DateTime Time, string Session, string Address, string Agent) : UserEvent(Time);

public sealed record SignInFailed(DateTime Time, string Address, string Why) : UserEvent(Time);

/// <param name="Session">One, or empty for all.</param>
public sealed record SessionEnded(DateTime Time, string Session, string Why) : UserEvent(Time);

/// <param name="Hash">SHA-256 of what the link holds.</param>
public sealed record LinkSent(DateTime Time, LinkKind Kind, string Hash, DateTime Expires) : UserEvent(Time);

public sealed record LinkUsed(DateTime Time, string Hash) : UserEvent(Time);

public sealed record TenantJoined(DateTime Time, string Tenant) : UserEvent(Time);

public sealed record TenantLeft(DateTime Time, string Tenant) : UserEvent(Time);

/// <param name="By">Id of the administrator; empty for the installation itself.</param>
public sealed record AccessChanged(DateTime Time, bool Locked, bool Administrator, string By) : UserEvent(Time);

public sealed record ApiKeyAdded(DateTime Time, ApiKey Key) : UserEvent(Time);

public sealed record ApiKeyRemoved(DateTime Time, string Id) : UserEvent(Time);

/// <summary>The user of a provider is this one from now on.</summary>
public sealed record ProviderLinked(DateTime Time, ProviderLink Link) : UserEvent(Time);

/// <param name="Id">Of the link.</param>
public sealed record ProviderUnlinked(DateTime Time, string Id) : UserEvent(Time);

/// <summary>The user is to be erased, unless they sign in before that. Sessions have ended, and their programs' keys rest.</summary>
/// <param name="By">Id of who wanted it: the user, or an administrator.</param>
public sealed record ErasureAsked(DateTime Time, DateTime Due, string By, string Reason) : UserEvent(Time);

public sealed record ErasureCancelled(DateTime Time, string By) : UserEvent(Time);

/// <summary>The erasure has begun: to everybody the user is no more.</summary>
public sealed record UserClosed(DateTime Time) : UserEvent(Time);

/// <summary>Another address is to take the place of the one there is, once its owner has opened the link in the mail.</summary>
/// <param name="Hash">SHA-256 of what the link holds.</param>
/// <param name="Session">Which asked; it goes on.</param>
public sealed record EmailChangeAsked(DateTime Time, string Email, string Hash, DateTime Expires, string Session) : UserEvent(Time);

/// <param name="UndoHash">SHA-256 of what the link holds that went to the address before.</param>
public sealed record EmailChanged(DateTime Time, string Email, string UndoHash, DateTime UndoUntil) : UserEvent(Time);

/// <summary>The owner of the address before has taken it back.</summary>
public sealed record EmailChangeUndone(DateTime Time) : UserEvent(Time);

/// <summary>What a link in a mail is for.</summary>
public enum LinkKind : byte { VerifyEmail, ResetPassword }

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(UserRegistered))]
[JsonSerializable(typeof(EmailVerified))]
[JsonSerializable(typeof(NameChanged))]
[JsonSerializable(typeof(PasswordChanged))]
[JsonSerializable(typeof(SecondFactorOffered))]
[JsonSerializable(typeof(SecondFactorAdded))]
[JsonSerializable(typeof(SecondFactorRemoved))]
[JsonSerializable(typeof(CodeUsed))]
[JsonSerializable(typeof(RecoveryCodeUsed))]
[JsonSerializable(typeof(SignedIn))]
[JsonSerializable(typeof(SignInFailed))]
[JsonSerializable(typeof(SessionEnded))]
[JsonSerializable(typeof(LinkSent))]
[JsonSerializable(typeof(LinkUsed))]
[JsonSerializable(typeof(TenantJoined))]
[JsonSerializable(typeof(TenantLeft))]
[JsonSerializable(typeof(AccessChanged))]
[JsonSerializable(typeof(ApiKeyAdded))]
[JsonSerializable(typeof(ApiKeyRemoved))]
[JsonSerializable(typeof(ProviderLinked))]
[JsonSerializable(typeof(ProviderUnlinked))]
[JsonSerializable(typeof(ErasureAsked))]
[JsonSerializable(typeof(ErasureCancelled))]
[JsonSerializable(typeof(UserClosed))]
[JsonSerializable(typeof(EmailChangeAsked))]
[JsonSerializable(typeof(EmailChanged))]
[JsonSerializable(typeof(EmailChangeUndone))]
internal sealed partial class UserJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a user's stream.</summary>
public static class UserEventCatalog
{
    public static readonly EventCatalog<UserEvent> Events = new EventCatalog<UserEvent>()
        .Add("user-registered", 1, UserJson.Default.UserRegistered)
        .Add("email-verified", 1, UserJson.Default.EmailVerified)
        .Add("name-changed", 1, UserJson.Default.NameChanged)
        .Add("password-changed", 1, UserJson.Default.PasswordChanged)
        .Add("second-factor-offered", 1, UserJson.Default.SecondFactorOffered)
        .Add("second-factor-added", 1, UserJson.Default.SecondFactorAdded)
        .Add("second-factor-removed", 1, UserJson.Default.SecondFactorRemoved)
        .Add("code-used", 1, UserJson.Default.CodeUsed)
        .Add("recovery-code-used", 1, UserJson.Default.RecoveryCodeUsed)
        .Add("signed-in", 1, UserJson.Default.SignedIn)
        .Add("sign-in-failed", 1, UserJson.Default.SignInFailed)
        .Add("session-ended", 1, UserJson.Default.SessionEnded)
        .Add("link-sent", 1, UserJson.Default.LinkSent)
        .Add("link-used", 1, UserJson.Default.LinkUsed)
        .Add("tenant-joined", 1, UserJson.Default.TenantJoined)
        .Add("tenant-left", 1, UserJson.Default.TenantLeft)
        .Add("access-changed", 1, UserJson.Default.AccessChanged)
        .Add("api-key-added", 1, UserJson.Default.ApiKeyAdded)
        .Add("api-key-removed", 1, UserJson.Default.ApiKeyRemoved)
        .Add("provider-linked", 1, UserJson.Default.ProviderLinked)
        .Add("provider-unlinked", 1, UserJson.Default.ProviderUnlinked)
        .Add("erasure-asked", 1, UserJson.Default.ErasureAsked)
        .Add("erasure-cancelled", 1, UserJson.Default.ErasureCancelled)
        .Add("user-closed", 1, UserJson.Default.UserClosed)
        .Add("email-change-asked", 1, UserJson.Default.EmailChangeAsked)
        .Add("email-changed", 1, UserJson.Default.EmailChanged)
        .Add("email-change-undone", 1, UserJson.Default.EmailChangeUndone);
}
