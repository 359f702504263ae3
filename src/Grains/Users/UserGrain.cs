using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Journal;

namespace HybridTrading.Grains.Users;

/// <summary>What changes with every renewal and is not worth an event.</summary>
[GenerateSerializer, Immutable, Alias("ht.UserState")]
public sealed record UserState
{
    [Id(0)] public ImmutableArray<Session> Sessions { get; init; } = [];

    /// <summary>By API key: nothing signed up to this time is taken. Milliseconds since 1970.</summary>
    [Id(1)] public ImmutableDictionary<string, long> Marks { get; init; } = ImmutableDictionary<string, long>.Empty;
}

/// <summary>One person's identity: their stream in the journal, their sessions in the grain's state.</summary>
[HostedBy("user-service")]
public sealed class UserGrain(
    [PersistentState("user")] IPersistentState<UserState> state, IJournal journal, PasswordHashing passwords, SecretSource secrets, TimeProvider clock)
    : Grain, IUserGrain
{
    private const int MostVerifying = Lockout.Free, RecoveryCodes = 10, LongestName = 100, MostLinks = 5, MostTickets = 5;

    private static readonly TimeSpan VerificationLife = TimeSpan.FromDays(1), ResetLife = TimeSpan.FromHours(1), UndoLife = TimeSpan.FromDays(7);
    private static readonly TimeSpan CodeTicketLife = TimeSpan.FromMinutes(5), LinkTicketLife = TimeSpan.FromMinutes(10);

    private readonly User _user = new();
    private readonly SerialWriter _writer = new();
    private readonly Dictionary<string, NonceWindow> _nonces = new(StringComparer.Ordinal);
    // What is under way with a provider. Lost with the activation: then it begins anew.
    private readonly Dictionary<string, (TicketKind Kind, DateTime Expires)> _tickets = new(StringComparer.Ordinal);
    private EventStream<UserEvent> _stream = null!;
    private int _verifying;

    private enum TicketKind : byte { Code, Link }

    private string Id => this.GetPrimaryKeyString();

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    private UserState State => state.State;

    /// <summary>Null for nobody, and for who has no password.</summary>
    private string? KnownHash => _user.HasPassword ? _user.PasswordHash : null;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _stream = new EventStream<UserEvent>(journal, UserEventCatalog.Events, Keys.UserStream(Id), Keys.UserOwner(Id), DeactivateOnIdle);
        await _stream.Replay(0, (happened, _) => _user.Apply(happened), cancellationToken);
    }

    public async Task<UserAnswer> Register(Registration registration)
    {
        if (_stream.Version > 0) return new UserAnswer(UserFault.Exists, "there is, or was, such a user");
        string? fault = EmailAddress.Fault(registration.Email) ?? NameFault(registration.Name)
            ?? (registration is { Password: null, Provider: not null } ? null : PasswordPolicy.Fault(registration.Password?.Value, registration.Email, registration.Name));
        if (fault is not null) return new UserAnswer(UserFault.InvalidInput, fault);
        string hash = registration.Password is { } password ? await passwords.HashAsync(password.Value) : "";
        Raise(new UserRegistered(
            Now, EmailAddress.Normalise(registration.Email), registration.Name.Trim(), hash, registration.EmailVerified, registration.Administrator));
        if (registration.Provider is { } identity) Raise(new ProviderLinked(Now, new ProviderLink(secrets.Name('l'), identity, registration.Tenant, Now)));
        return await DoneAsync();
    }

    public async Task<SignInAnswer> SignIn(SignInAttempt attempt)
    {
        if (_user.ClosedUntil(Now) is { } closed) return new SignInAnswer(SignInOutcome.LockedOut, Until: closed);
        // As many as may fail before the door closes: more at once would not be counted in time.
        if (_verifying >= MostVerifying) return new SignInAnswer(SignInOutcome.Busy);
        bool right;
        _verifying++;
        try
        {
            right = await passwords.VerifyAsync(KnownHash, attempt.Password.Value);
        }
        catch (PasswordQueueFullException)
        {
            return new SignInAnswer(SignInOutcome.Busy);
        }
        finally
        {
            _verifying--;
        }
        if (!_user.IsRegistered) return new SignInAnswer(SignInOutcome.Failed);
        if (!right) return await FailedAsync(attempt.Address, "password");
        if (_user.HasSecondFactor)
        {
            if (attempt.Code is not { } code) return new SignInAnswer(SignInOutcome.CodeNeeded);
            if (!TakeCode(code.Value)) return await FailedAsync(attempt.Address, "code");
        }
        if (_user.Locked) return new SignInAnswer(SignInOutcome.Barred);
        if (!_user.EmailVerified) return new SignInAnswer(SignInOutcome.EmailUnverified);
        return await EnterAsync(attempt.Agent, attempt.Address);
    }

    public async Task<SignInAnswer> SignInByProvider(ProviderSignIn attempt)
    {
        if (!_user.IsRegistered || !_user.Links.Any(link => link.Identity.Key == attempt.Identity.Key)) return new SignInAnswer(SignInOutcome.Failed);
        if (_user.Locked) return new SignInAnswer(SignInOutcome.Barred);
        if (!_user.EmailVerified) return new SignInAnswer(SignInOutcome.EmailUnverified);
        return _user.HasSecondFactor && !attempt.HasSecondFactor
            ? new SignInAnswer(SignInOutcome.CodeNeeded, Ticket: MakeTicket(TicketKind.Code))
            : await EnterAsync(attempt.Agent, attempt.Address);
    }

    public async Task<SignInAnswer> ConfirmByProvider(Secret ticket, Secret code, string agent, string address)
    {
        if (!_user.IsRegistered || !IsTicket(TicketKind.Code, ticket)) return new SignInAnswer(SignInOutcome.Failed);
        if (_user.ClosedUntil(Now) is { } closed) return new SignInAnswer(SignInOutcome.LockedOut, Until: closed);
        if (_user.Locked) return new SignInAnswer(SignInOutcome.Barred);
        if (!TakeCode(code.Value)) return await FailedAsync(address, "code");
        _tickets.Remove(Sessions.HashOf(ticket.Value));
        return await EnterAsync(agent, address);
    }

    public async Task<OpenSession> Open(string agent, string address)
    {
        if (!_user.IsRegistered) throw new InvalidOperationException($"user '{Id}' is not registered");
        string token = secrets.Token();
        // Where they were last at work.
        string tenant = State.Sessions.OrderByDescending(one => one.Renewed).Select(one => one.Tenant).FirstOrDefault(_user.Tenants.Contains)
            ?? _user.Tenants.FirstOrDefault("");
        var session = new Session(secrets.Name('s'), tenant, Sessions.HashOf(token), "", Now, Now, Short(agent), Short(address));
        Raise(new SignedIn(Now, session.Id, session.Address, session.Agent));
        await _stream.Durable();
        await SaveAsync(() => State with { Sessions = Sessions.Add(State.Sessions, session, Now) });
        return new OpenSession(Id, session.Id, tenant, new Secret(token));
    }

    public async Task<RenewalAnswer> Renew(string session, Secret token, string agent, string address)
    {
        string next = secrets.Token();
        Session? known = State.Sessions.FirstOrDefault(one => one.Id == session);
        (Renewal outcome, Session? renewed) = Sessions.Renew(known, token.Value, Sessions.HashOf(next), Now);
        if (outcome == Renewal.Reused)
        {
            await EndAsync([known!], "a refresh token was used twice");
            return new RenewalAnswer(outcome);
        }
        if (renewed is null || _user.Locked || _user.Closed) return new RenewalAnswer(Renewal.Unknown);
        renewed = renewed with { Agent = Short(agent), Address = Short(address) };
        await SaveAsync(() => State with { Sessions = [.. State.Sessions.Where(one => one.Id != session), renewed] });
        return new RenewalAnswer(outcome, new OpenSession(Id, session, renewed.Tenant, new Secret(next)));
    }

    public Task Enter(string session, string tenant) =>
        SaveAsync(() => State with { Sessions = [.. State.Sessions.Select(one => one.Id == session ? one with { Tenant = tenant } : one)] });

    public Task EndSession(string session) => EndAsync([.. State.Sessions.Where(one => one.Id == session)], "signed out");

    public Task EndOtherSessions(string session) => EndAsync([.. State.Sessions.Where(one => one.Id != session)], "signed out everywhere else");

    public Task<ImmutableArray<Session>> GetSessions() =>
        Task.FromResult<ImmutableArray<Session>>([.. State.Sessions.Where(one => Sessions.IsAlive(one, Now)).OrderByDescending(one => one.Renewed)]);

    public async Task<UserView?> GetView()
    {
        await _stream.Durable();
        return !_user.IsRegistered ? null : new UserView(
            Id, _user.Email, _user.Name, _user.Created, _user.EmailVerified, _user.HasSecondFactor, _user.RecoveryCodesLeft, _user.Administrator,
            _user.Locked, _user.LastSignIn, _user.Tenants, _user.HasPassword, _user.Links, _user.Erasure?.Due,
            _user.EmailChange?.UndoUntil > Now ? _user.EmailBefore : null);
    }

    public Task<bool> HasVerified(string tenant, string email) => Task.FromResult(
        _user is { IsRegistered: true, EmailVerified: true, Locked: false } && _user.Tenants.Contains(tenant) && _user.Email == EmailAddress.Normalise(email));

    public async Task<UserAnswer> Rename(string name)
    {
        if (NameFault(name) is { } fault) return new UserAnswer(UserFault.InvalidInput, fault);
        if (name.Trim() != _user.Name) Raise(new NameChanged(Now, name.Trim()));
        return await DoneAsync();
    }

    public async Task<UserAnswer> ChangePassword(Secret current, Secret next, string session)
    {
        if (await WrongAsync(current) is { } wrong) return wrong;
        if (PasswordPolicy.Fault(next.Value, _user.Email, _user.Name) is { } fault) return new UserAnswer(UserFault.InvalidInput, fault);
        Raise(new PasswordChanged(Now, await passwords.HashAsync(next.Value)));
        await EndAsync([.. State.Sessions.Where(one => one.Id != session)], "the password was changed");
        return await DoneAsync();
    }

    public async Task<UserAnswer> OfferSecondFactor(Secret password)
    {
        if (_user.HasSecondFactor) return new UserAnswer(UserFault.HasSecondFactor, "there is a second factor: remove it first");
        if (await WrongAsync(password) is { } wrong) return wrong;
        byte[] secret = secrets.Bytes(Totp.SecretSize);
        Raise(new SecondFactorOffered(Now, Convert.ToBase64String(secret)));
        return await DoneAsync(Base32.Encode(secret));
    }

    public async Task<UserAnswer> AddSecondFactor(Secret code)
    {
        if (_user.OfferedSecret.IsEmpty) return new UserAnswer(UserFault.NoSecondFactor, "no second factor was asked for");
        if (Totp.Match(_user.OfferedSecret.AsSpan(), code.Value, Now, -1) is not { } step) return new UserAnswer(UserFault.CodeWrong, "code is not that of now");
        string[] codes = [.. Enumerable.Range(0, RecoveryCodes).Select(_ => Base32.Encode(secrets.Bytes(10)).ToLowerInvariant())];
        Raise(new SecondFactorAdded(Now, step, [.. codes.Select(Sessions.HashOf)]));
        return await DoneAsync(string.Join('\n', codes));
    }

    public async Task<UserAnswer> RemoveSecondFactor(Secret password, Secret code)
    {
        if (!_user.HasSecondFactor) return new UserAnswer(UserFault.NoSecondFactor, "there is no second factor");
        if (await WrongAsync(password) is { } wrong) return wrong;
        if (!TakeCode(code.Value))
        {
            await FailedAsync("", "code");
            return new UserAnswer(UserFault.CodeWrong, "code is neither that of now nor a recovery code");
        }
        Raise(new SecondFactorRemoved(Now));
        return await DoneAsync();
    }

    public async Task<UserAnswer> MakeLink(LinkKind kind)
    {
        if (!_user.IsRegistered || _user.Locked) return new UserAnswer(UserFault.Unknown);
        if (_user.LinksOut(Now) >= MostLinks) return new UserAnswer(UserFault.TooMany, "enough mails are on their way");
        string token = secrets.Token();
        Raise(new LinkSent(Now, kind, Sessions.HashOf(token), Now + (kind == LinkKind.VerifyEmail ? VerificationLife : ResetLife)));
        return await DoneAsync($"{Id}.{token}");
    }

    public async Task<UserAnswer> VerifyEmail(Secret link)
    {
        if (UseLink(LinkKind.VerifyEmail, link) is { } fault) return fault;
        if (!_user.EmailVerified) Raise(new EmailVerified(Now));
        return await DoneAsync();
    }

    public async Task<UserAnswer> ResetPassword(Secret link, Secret password)
    {
        if (!_user.IsLink(LinkKind.ResetPassword, Sessions.HashOf(link.Value), Now)) return NoLink();
        // Refused, the link stays good for a better password.
        if (PasswordPolicy.Fault(password.Value, _user.Email, _user.Name) is { } fault) return new UserAnswer(UserFault.InvalidInput, fault);
        string hash = await passwords.HashAsync(password.Value);
        if (UseLink(LinkKind.ResetPassword, link) is { } gone) return gone;
        Raise(new PasswordChanged(Now, hash));
        // Who reads the mail has the address.
        if (!_user.EmailVerified) Raise(new EmailVerified(Now));
        await EndAsync(State.Sessions, "the password was reset");
        return await DoneAsync();
    }

    public async Task Join(string tenant)
    {
        if (!_user.Tenants.Contains(tenant)) Raise(new TenantJoined(Now, tenant));
        await _stream.Durable();
    }

    public async Task Leave(string tenant)
    {
        if (_user.Tenants.Contains(tenant)) Raise(new TenantLeft(Now, tenant));
        await _stream.Durable();
        await EndAsync([.. State.Sessions.Where(one => one.Tenant == tenant)], "the membership ended");
    }

    public async Task<UserAnswer> SetAccess(bool? locked, bool? administrator, string by)
    {
        if (!_user.IsRegistered) return new UserAnswer(UserFault.Unknown, "no such user");
        bool nextLocked = locked ?? _user.Locked, nextAdministrator = administrator ?? _user.Administrator;
        if (nextLocked != _user.Locked || nextAdministrator != _user.Administrator)
        {
            Raise(new AccessChanged(Now, nextLocked, nextAdministrator, by));
            // What the tokens say that are out is no longer so, a provider's among them, which are of no session.
            await RevokeAsync([Id]);
            await EndAsync(State.Sessions, "an administrator changed the access");
        }
        return await DoneAsync();
    }

    public async Task<UserAnswer> OfferLink(Secret? password)
    {
        if (!_user.IsRegistered) return new UserAnswer(UserFault.Unknown, "no such user");
        if (_user.Links.Length >= ProviderLink.Most) return new UserAnswer(UserFault.TooMany, $"there are {_user.Links.Length} links; expected at most {ProviderLink.Most}");
        // It is another way in: who holds but a token, or sits at a page left open, cannot make one.
        if (_user.HasPassword && await WrongAsync(password ?? new Secret("")) is { } wrong) return wrong;
        return new UserAnswer(Secret: MakeTicket(TicketKind.Link));
    }

    public async Task<UserAnswer> Link(Secret ticket, ProviderIdentity identity, string tenant)
    {
        if (!IsTicket(TicketKind.Link, ticket)) return NoLink();
        _tickets.Remove(Sessions.HashOf(ticket.Value));
        if (!_user.Links.Any(link => link.Identity.Key == identity.Key)) Raise(new ProviderLinked(Now, new ProviderLink(secrets.Name('l'), identity, tenant, Now)));
        return await DoneAsync();
    }

    public async Task<UserAnswer> Unlink(string link)
    {
        if (!_user.Links.Any(one => one.Id == link)) return new UserAnswer(UserFault.Unknown, "no such link");
        if (!_user.HasPassword && _user.Links.Length == 1)
        {
            return new UserAnswer(UserFault.PasswordMissing, "there is no other way in; expected a password first, which \"forgotten password\" sets");
        }
        Raise(new ProviderUnlinked(Now, link));
        await _stream.Durable();
        await RevokeAsync([Id]);
        return await DoneAsync();
    }

    public Task<ImmutableArray<ApiKeyView>> GetApiKeys() => Task.FromResult<ImmutableArray<ApiKeyView>>([.. _user.Keys.Select(ViewOf)]);

    public async Task<ApiKeyAnswer> AddApiKey(NewApiKey key)
    {
        if (_user.Keys.Length >= ApiKey.Most) return new ApiKeyAnswer(UserFault.TooMany, $"there are {_user.Keys.Length} keys; expected at most {ApiKey.Most}");
        if (NameFault(key.Name) is { } nameFault) return new ApiKeyAnswer(UserFault.InvalidInput, nameFault);
        if (key.Days is < 1 or > ApiKey.LongestDays) return new ApiKeyAnswer(UserFault.InvalidInput, $"expiresDays is {key.Days}; expected 1 to {ApiKey.LongestDays}");
        if (key.Scopes.IsDefaultOrEmpty) return new ApiKeyAnswer(UserFault.InvalidInput, "scopes is empty; expected at least one permission");
        string? secret = null;
        string material;
        if (key.Kind == ApiKeyKind.Hmac)
        {
            byte[] bytes = secrets.Bytes(ApiKey.SecretSize);
            (secret, material) = (System.Buffers.Text.Base64Url.EncodeToString(bytes), Convert.ToBase64String(bytes));
        }
        else if (ApiKey.PublicKeyFault(key.PublicKey, out material) is { } fault)
        {
            return new ApiKeyAnswer(UserFault.InvalidInput, fault);
        }
        var made = new ApiKey($"{Id}.{secrets.Name('k')}", key.Name.Trim(), key.Tenant, key.Kind, material, [.. key.Scopes.Distinct().Order()], Now, Now.AddDays(key.Days));
        Raise(new ApiKeyAdded(Now, made));
        await _stream.Durable();
        return new ApiKeyAnswer(UserFault.None, Key: ViewOf(made), Secret: secret is null ? null : new Secret(secret));
    }

    public async Task<UserAnswer> RemoveApiKey(string id)
    {
        if (!_user.Keys.Any(key => key.Id == id)) return new UserAnswer(UserFault.Unknown, "no such key");
        Raise(new ApiKeyRemoved(Now, id));
        _nonces.Remove(id);
        await SaveAsync(() => State with { Marks = State.Marks.Remove(id) });
        return await DoneAsync();
    }

    public async Task<SignatureAnswer> Admit(SignedRequest request)
    {
        ApiKey? key = _user.Keys.FirstOrDefault(one => one.Id == request.KeyId);
        bool rests = _user.Locked || _user.Erasure is not null;
        if (key is null || rests || key.Expires <= Now || !key.IsSigned(request.Canonical, request.Signature))
        {
            return new SignatureAnswer("key or signature is wrong");
        }
        if (!_nonces.TryGetValue(key.Id, out NonceWindow? window)) _nonces[key.Id] = window = new NonceWindow(State.Marks.GetValueOrDefault(key.Id));
        if (window.Take(request.Timestamp, request.Nonce, Now) is { } fault) return new SignatureAnswer(fault);
        if (window.Mark > State.Marks.GetValueOrDefault(key.Id)) await SaveAsync(() => State with { Marks = State.Marks.SetItem(key.Id, window.Mark) });
        return new SignatureAnswer(null, key.Tenant, key.Scopes);
    }

    public async Task<UserAnswer> AskEmail(string email, Secret password, Secret? code, string session)
    {
        if (EmailAddress.Fault(email) is { } fault) return new UserAnswer(UserFault.InvalidInput, fault);
        string next = EmailAddress.Normalise(email);
        if (next == _user.Email) return new UserAnswer(UserFault.InvalidInput, "email is the address that counts already; expected another");
        if (await Prove(password, code) is { Fault: not UserFault.None } wrong) return wrong;
        string token = secrets.Token();
        Raise(new EmailChangeAsked(Now, next, Sessions.HashOf(token), Now + VerificationLife, session));
        return await DoneAsync($"{Id}.{token}");
    }

    public async Task<EmailAnswer> ConfirmEmail(Secret link)
    {
        string hash = Sessions.HashOf(link.Value);
        if (_user.NextEmail is not { } asked || !_user.IsRegistered || asked.Hash != hash || asked.Expires <= Now) return new EmailAnswer(UserFault.LinkInvalid);
        string before = _user.Email, token = secrets.Token();
        DateTime undoUntil = Now + UndoLife;
        if (await GrainFactory.Email(asked.Email).Claim(Id) != Id) return new EmailAnswer(UserFault.Exists, "email is another user's by now");
        // Cut off in between, the link is still good, and opening it again goes on from here.
        await GrainFactory.Email(before).Hold(Id, undoUntil);
        Raise(new EmailChanged(Now, asked.Email, Sessions.HashOf(token), undoUntil));
        await _stream.Durable();
        await EndAsync([.. State.Sessions.Where(one => one.Id != asked.Session)], "the address was changed");
        return new EmailAnswer(UserFault.None, Email: asked.Email, Before: before, Link: new Secret($"{Id}.{token}"));
    }

    public async Task<EmailAnswer> UndoEmail(Secret link)
    {
        string hash = Sessions.HashOf(link.Value);
        if (_user.EmailChange is not { } change || !_user.IsRegistered || change.UndoHash != hash || change.UndoUntil <= Now)
        {
            return new EmailAnswer(UserFault.LinkInvalid);
        }
        string wrong = _user.Email, right = _user.EmailBefore!;
        if (await GrainFactory.Email(right).Claim(Id) != Id) return new EmailAnswer(UserFault.Exists, "email is another user's by now");
        await GrainFactory.Email(wrong).Release(Id);
        foreach (ApiKey key in _user.Keys.Where(key => key.Created >= change.Time).ToArray()) Raise(new ApiKeyRemoved(Now, key.Id));
        if (_user.SecondFactorSince >= change.Time) Raise(new SecondFactorRemoved(Now));
        foreach (ProviderLink made in _user.Links.Where(one => one.Since >= change.Time).ToArray()) Raise(new ProviderUnlinked(Now, made.Id));
        if (_user.Erasure is not null) Raise(new ErasureCancelled(Now, Id));
        Raise(new EmailChangeUndone(Now));
        await _stream.Durable();
        await EndAsync(State.Sessions, "the change of address was undone");
        return new EmailAnswer(UserFault.None, Email: right, Before: wrong);
    }

    public async Task<UserAnswer> Prove(Secret password, Secret? code)
    {
        if (await WrongAsync(password) is { } wrong) return wrong;
        if (_user.HasSecondFactor && (code is null || !TakeCode(code.Value)))
        {
            const string expected = "expected six digits of the authenticator, or a recovery code";
            if (code is null) return new UserAnswer(UserFault.CodeWrong, $"code is missing; {expected}");
            await FailedAsync("", "code");
            return new UserAnswer(UserFault.CodeWrong, "code is neither that of now nor a recovery code");
        }
        return await DoneAsync();
    }

    public async Task<UserAnswer> PlanErasure(ErasurePlan plan)
    {
        if (!_user.IsRegistered) return new UserAnswer(UserFault.Unknown, "no such user");
        if (_user.Erasure is null || plan.Due < _user.Erasure.Due) Raise(new ErasureAsked(Now, plan.Due, plan.By, plan.Reason));
        await _stream.Durable();
        await EndAsync(State.Sessions, "the user is to be erased");
        // A provider's tokens are of no session.
        await RevokeAsync([Id]);
        return await DoneAsync();
    }

    public async Task<UserAnswer> CancelErasure(string by)
    {
        if (!_user.IsRegistered || _user.Erasure is null) return new UserAnswer(UserFault.Unknown, "no such user, or no erasure is planned");
        Raise(new ErasureCancelled(Now, by));
        return await DoneAsync();
    }

    public Task<ErasurePlan?> GetErasure() => Task.FromResult(_user.Erasure is { } asked ? new ErasurePlan(asked.Due, asked.By, asked.Reason) : null);

    public Task<UserRemains> GetRemains() => Task.FromResult(
        new UserRemains([.. _user.EverTenants.Order()], [.. _user.EverEmails], [.. _user.EverNames], [.. _user.EverIdentities]));

    public async Task Close()
    {
        if (!_stream.IsErased && !_user.Closed) Raise(new UserClosed(Now));
        await _stream.Durable();
        await GrainFactory.GetGrain<IRevocationsGrain>(Keys.Revocations).Revoke([Id, .. State.Sessions.Select(session => session.Id)]);
    }

    public async Task LetGo()
    {
        _nonces.Clear();
        await _writer.RunAsync(state.ClearStateAsync);
        DeactivateOnIdle();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // It leaves in good order: the mark need not stay ahead, and what is signed from here on is taken at once.
        if (_nonces.Count == 0) return;
        ImmutableDictionary<string, long> marks = State.Marks;
        foreach ((string id, NonceWindow window) in _nonces) marks = marks.SetItem(id, window.Latest);
        await SaveAsync(() => State with { Marks = marks });
    }

    private ApiKeyView ViewOf(ApiKey key) => new(
        key.Id, key.Name, key.Tenant, key.Kind, key.Scopes, key.Created, key.Expires,
        State.Marks.TryGetValue(key.Id, out long mark) ? DateTimeOffset.FromUnixTimeMilliseconds(mark).UtcDateTime - NonceWindow.Ahead : null);

    private static string? NameFault(string? name) =>
        name?.Trim() is not { Length: >= 1 and <= LongestName } trimmed || trimmed.Any(char.IsControl)
            ? $"name is {(string.IsNullOrWhiteSpace(name) ? "missing" : "too long, or holds control characters")}; expected 1 to {LongestName} characters"
            : null;

    private static string Short(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(200));

    private static UserAnswer NoLink() => new(UserFault.LinkInvalid, "the link is used up, too old, or was never ours");

    /// <summary>Takes a code of the second factor, or a recovery code, once.</summary>
    private bool TakeCode(string code)
    {
        string plain = string.Concat(code.Where(char.IsLetterOrDigit)).ToLowerInvariant();
        if (Totp.Match(_user.Secret.AsSpan(), plain, Now, _user.LastStep) is { } step)
        {
            Raise(new CodeUsed(Now, step));
            return true;
        }
        string hash = Sessions.HashOf(plain);
        if (!_user.IsRecoveryCode(hash)) return false;
        Raise(new RecoveryCodeUsed(Now, hash));
        return true;
    }

    private UserAnswer? UseLink(LinkKind kind, Secret link)
    {
        string hash = Sessions.HashOf(link.Value);
        if (!_user.IsLink(kind, hash, Now)) return NoLink();
        Raise(new LinkUsed(Now, hash));
        return null;
    }

    /// <summary>The password of somebody who is signed in already: wrong ones count as at the door.</summary>
    private async Task<UserAnswer?> WrongAsync(Secret password)
    {
        if (_user.ClosedUntil(Now) is not null) return new UserAnswer(UserFault.LockedOut, "too many wrong passwords: wait");
        if (_user is { IsRegistered: true, HasPassword: false })
        {
            return new UserAnswer(UserFault.PasswordMissing, "there is no password here; expected one, which \"forgotten password\" sets");
        }
        if (await passwords.VerifyAsync(KnownHash, password.Value)) return null;
        if (_user.IsRegistered) await FailedAsync("", "password");
        return new UserAnswer(UserFault.PasswordWrong, "password is not the right one");
    }

    private async Task<SignInAnswer> FailedAsync(string address, string why)
    {
        Raise(new SignInFailed(Now, Short(address), why));
        await _stream.Durable();
        return new SignInAnswer(SignInOutcome.Failed);
    }

    /// <summary>Lets in whoever has proven to be the user, who then stays.</summary>
    private async Task<SignInAnswer> EnterAsync(string agent, string address)
    {
        string? kept = _user.Erasure is null ? null : _user.Email;
        if (kept is not null) Raise(new ErasureCancelled(Now, Id));
        return new SignInAnswer(SignInOutcome.SignedIn, await Open(agent, address), Kept: kept);
    }

    private async Task EndAsync(ImmutableArray<Session> ended, string why)
    {
        if (ended.IsEmpty) return;
        ImmutableHashSet<string> ids = [.. ended.Select(session => session.Id)];
        // Their access tokens would be good for minutes to come. First, so that asking again does what has failed half-way.
        await RevokeAsync([.. ids]);
        foreach (Session session in ended) Raise(new SessionEnded(Now, session.Id, why));
        await _stream.Durable();
        await SaveAsync(() => State with { Sessions = State.Sessions.RemoveAll(session => ids.Contains(session.Id)) });
    }

    private Task RevokeAsync(ImmutableArray<string> ids) => GrainFactory.GetGrain<IRevocationsGrain>(Keys.Revocations).Revoke(ids);

    private Secret MakeTicket(TicketKind kind)
    {
        foreach (string old in _tickets.Where(one => one.Value.Expires <= Now).Select(one => one.Key).ToArray()) _tickets.Remove(old);
        if (_tickets.Count >= MostTickets) _tickets.Remove(_tickets.MinBy(one => one.Value.Expires).Key);
        string token = secrets.Token();
        _tickets[Sessions.HashOf(token)] = (kind, Now + (kind == TicketKind.Code ? CodeTicketLife : LinkTicketLife));
        return new Secret(token);
    }

    private bool IsTicket(TicketKind kind, Secret ticket) =>
        _tickets.TryGetValue(Sessions.HashOf(ticket.Value), out (TicketKind Kind, DateTime Expires) known) && known.Kind == kind && known.Expires > Now;

    private async Task<UserAnswer> DoneAsync(string? secret = null)
    {
        await _stream.Durable();
        return new UserAnswer(Secret: secret is null ? null : new Secret(secret));
    }

    private Task SaveAsync(Func<UserState> change) => _writer.RunAsync(() =>
    {
        // Taken when its turn has come: another may have changed it meanwhile.
        state.State = change();
        return state.WriteStateAsync();
    });

    private void Raise(UserEvent happened)
    {
        _user.Apply(happened);
        _stream.Append([happened], e => e.Time, _ => $"user:{Id}");
    }
}
