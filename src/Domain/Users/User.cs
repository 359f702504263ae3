namespace HybridTrading.Domain.Users;

/// <summary>A person as the events of their stream have made them. Not thread-safe; one user, one instance.</summary>
public sealed class User
{
    private static readonly TimeSpan LongestLink = TimeSpan.FromDays(1);

    private ImmutableDictionary<string, LinkSent> _links = ImmutableDictionary<string, LinkSent>.Empty;
    private ImmutableHashSet<string> _recoveryHashes = [];
    private DateTime _lastFailure;
    private int _failures;

    public bool IsRegistered { get; private set; }

    public string Email { get; private set; } = "";

    public string Name { get; private set; } = "";

    public string PasswordHash { get; private set; } = "";

    /// <summary>Who came by a provider has none until they set one by a mailed link.</summary>
    public bool HasPassword => PasswordHash.Length > 0;

    public DateTime Created { get; private set; }

    public bool EmailVerified { get; private set; }

    public bool Administrator { get; private set; }

    /// <summary>An administrator keeps the user out.</summary>
    public bool Locked { get; private set; }

    public DateTime? LastSignIn { get; private set; }

    /// <summary>In the order of joining.</summary>
    public ImmutableArray<string> Tenants { get; private set; } = [];

    public ImmutableArray<ApiKey> Keys { get; private set; } = [];

    /// <summary>Users of external providers who are this one.</summary>
    public ImmutableArray<ProviderLink> Links { get; private set; } = [];

    /// <summary>The secret of the second factor; empty while there is none.</summary>
    public ImmutableArray<byte> Secret { get; private set; } = [];

    /// <summary>A secret that was offered and not yet proven.</summary>
    public ImmutableArray<byte> OfferedSecret { get; private set; } = [];

    /// <summary>Of the last code that was taken.</summary>
    public long LastStep { get; private set; } = -1;

    /// <summary>When the second factor was added.</summary>
    public DateTime? SecondFactorSince { get; private set; }

    public bool HasSecondFactor => !Secret.IsEmpty;

    public int RecoveryCodesLeft => _recoveryHashes.Count;

    /// <summary>The erasure that is planned; null for none.</summary>
    public ErasureAsked? Erasure { get; private set; }

    /// <summary>The address that is to be this user's, and is not proven; null for none.</summary>
    public EmailChangeAsked? NextEmail { get; private set; }

    /// <summary>The address before, while its owner can take it back; look at <see cref="EmailChanged.UndoUntil"/>.</summary>
    public string? EmailBefore { get; private set; }

    /// <summary>The last change of address; null for none, or one that was undone.</summary>
    public EmailChanged? EmailChange { get; private set; }

    /// <summary>Every address that was ever this user's, or was to be.</summary>
    public ImmutableHashSet<string> EverEmails { get; private set; } = [];

    /// <summary>Every tenant that the user ever belonged to.</summary>
    public ImmutableHashSet<string> EverTenants { get; private set; } = [];

    /// <summary>Every name that the user ever had.</summary>
    public ImmutableHashSet<string> EverNames { get; private set; } = [];

    /// <summary>Every provider's user (<see cref="ProviderIdentity.Key"/>) who was ever this one.</summary>
    public ImmutableHashSet<string> EverIdentities { get; private set; } = [];

    /// <summary>The erasure has begun.</summary>
    public bool Closed { get; private set; }

    /// <summary>Until when nobody gets in, whatever they know; null when the door is open.</summary>
    public DateTime? ClosedUntil(DateTime now) => Lockout.Until(_failures, _lastFailure) is { } until && until > now ? until : null;

    public bool IsRecoveryCode(string hash) => _recoveryHashes.Contains(hash);

    /// <summary>Is a link of this kind and content out, and still good?</summary>
    public bool IsLink(LinkKind kind, string hash, DateTime now) => _links.TryGetValue(hash, out LinkSent? link) && link.Kind == kind && link.Expires > now;

    /// <summary>Links that are still good.</summary>
    public int LinksOut(DateTime now) => _links.Values.Count(link => link.Expires > now);

    public void Apply(UserEvent happened)
    {
        switch (happened)
        {
            case UserRegistered e:
                (IsRegistered, Email, Name, PasswordHash, Created) = (true, e.Email, e.Name, e.PasswordHash, e.Time);
                (EmailVerified, Administrator) = (e.EmailVerified, e.Administrator);
                (EverEmails, EverNames) = (EverEmails.Add(e.Email), EverNames.Add(e.Name));
                break;
            case Users.EmailVerified:
                EmailVerified = true;
                break;
            case NameChanged e:
                (Name, EverNames) = (e.Name, EverNames.Add(e.Name));
                break;
            case PasswordChanged e:
                PasswordHash = e.PasswordHash;
                _failures = 0;
                // Every link that could set another password is worth nothing now.
                _links = _links.RemoveRange(_links.Values.Where(link => link.Kind == LinkKind.ResetPassword).Select(link => link.Hash));
                break;
            case SecondFactorOffered e:
                OfferedSecret = [.. Convert.FromBase64String(e.Secret)];
                break;
            case SecondFactorAdded e:
                (Secret, OfferedSecret, LastStep, _recoveryHashes, SecondFactorSince) = (OfferedSecret, [], e.Step, [.. e.RecoveryHashes], e.Time);
                break;
            case SecondFactorRemoved:
                (Secret, OfferedSecret, _recoveryHashes, SecondFactorSince) = ([], [], [], null);
                break;
            case CodeUsed e:
                LastStep = Math.Max(LastStep, e.Step);
                break;
            case RecoveryCodeUsed e:
                _recoveryHashes = _recoveryHashes.Remove(e.Hash);
                break;
            case SignedIn e:
                (LastSignIn, _failures) = (e.Time, 0);
                break;
            case SignInFailed e:
                (_lastFailure, _failures) = (e.Time, _failures + 1);
                break;
            case LinkSent e:
                _links = _links.RemoveRange(_links.Values.Where(link => link.Expires < e.Time - LongestLink).Select(link => link.Hash)).SetItem(e.Hash, e);
                break;
            case LinkUsed e:
                _links = _links.Remove(e.Hash);
                break;
            case TenantJoined e:
                if (!Tenants.Contains(e.Tenant)) Tenants = Tenants.Add(e.Tenant);
                EverTenants = EverTenants.Add(e.Tenant);
                break;
            case TenantLeft e:
                Tenants = Tenants.Remove(e.Tenant);
                Keys = Keys.RemoveAll(key => key.Tenant == e.Tenant);
                break;
            case AccessChanged e:
                (Locked, Administrator) = (e.Locked, e.Administrator);
                break;
            case ApiKeyAdded e:
                Keys = Keys.Add(e.Key);
                break;
            case ApiKeyRemoved e:
                Keys = Keys.RemoveAll(key => key.Id == e.Id);
                break;
            case ProviderLinked e:
                (Links, EverIdentities) = (Links.Add(e.Link), EverIdentities.Add(e.Link.Identity.Key));
                if (e.Link.Identity.Email.Length > 0) EverEmails = EverEmails.Add(EmailAddress.Normalise(e.Link.Identity.Email));
                break;
            case ProviderUnlinked e:
                Links = Links.RemoveAll(link => link.Id == e.Id);
                break;
            case ErasureAsked e:
                Erasure = e;
                break;
            case ErasureCancelled:
                Erasure = null;
                break;
            case UserClosed:
                (Closed, IsRegistered, Keys) = (true, false, []);
                break;
            case EmailChangeAsked e:
                (NextEmail, EverEmails) = (e, EverEmails.Add(e.Email));
                break;
            case EmailChanged e:
                (EmailBefore, Email, EmailVerified, NextEmail, EmailChange) = (Email, e.Email, true, null, e);
                // Links that are out went to the address before.
                _links = _links.Clear();
                break;
            case EmailChangeUndone:
                (Email, EmailBefore, NextEmail, EmailChange) = (EmailBefore!, null, null, null);
                _links = _links.Clear();
                break;
            case SessionEnded:
                break;
            default:
                throw new InvalidOperationException($"unknown event {happened.GetType().Name}");
        }
    }
}
