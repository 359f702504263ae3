using HybridTrading.Api.Contract;
using HybridTrading.Api.Endpoints;
using HybridTrading.Api.Identity.Provider;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Identity;

/// <summary>
/// What the door does: lets people in, renews what they hold, and takes in new ones. What is proven, the grains of the user-service prove. It tells a
/// stranger nothing of who has a user here.
/// </summary>
public sealed partial class SignInDesk(
    IGrainFactory grains, IdentityOptions options, ExternalProviders providers, MailSender mails, SecretSource secrets, IHttpContextAccessor http,
    TimeProvider clock, ILogger<SignInDesk> log)
{
    /// <summary>The first owner, and their tenant.</summary>
    public const string FirstUser = "owner", FirstTenant = "local";

    private const string CookieName = "ht_refresh", CookiePath = "/api/v1/auth";

    private HttpContext Context => http.HttpContext!;

    private string Agent => Context.Request.Headers.UserAgent.ToString();

    private string Address => Context.Connection.RemoteIpAddress?.ToString() ?? "";

    private Uri Root => options.PublicUrl ?? new Uri($"{Context.Request.Scheme}://{Context.Request.Host}");

    private IInstallationGrain Installation => grains.GetGrain<IInstallationGrain>(Keys.Installation);

    public async Task<SignInState> StateAsync()
    {
        using Principal.Scope scope = Principal.OfGateway();
        return new SignInState(
            await Installation.IsOwned() ? "done" : "needed", options.SignUp ? "open" : "invitation", PasswordPolicy.Shortest, PasswordPolicy.Longest,
            providers.Current?.Options.Name);
    }

    public async Task<Tokens> SetUpAsync(SetUp asked)
    {
        using Principal.Scope scope = Principal.OfGateway();
        if (await Installation.IsOwned()) throw new ApiException(Status409Conflict, ApiReason.SetupDone, "this installation has an owner: sign in");
        if (!await Installation.IsLink(new Secret(asked.Token!)))
        {
            throw new ApiException(Status403Forbidden, ApiReason.SetupTokenInvalid, "token is not that of a link of the running program; expected the newest link on its console");
        }
        CheckNew(asked.Email!, asked.Name!, asked.Password!);
        IUserGrain user = User(FirstUser);
        UserAnswer made = await user.Register(new Registration(asked.Email!, asked.Name!, new Secret(asked.Password!), EmailVerified: true, Administrator: true));
        ThrowIf(made, allowed: UserFault.Exists);
        await grains.Email(asked.Email!).Claim(FirstUser);
        await FoundAsync(FirstUser, FirstTenant, asked.Name!);
        await Installation.SetOwned();
        // Cut off half-way before, somebody else may have been made: they sign in with their own password.
        if (made.Fault == UserFault.Exists) throw new ApiException(Status409Conflict, ApiReason.SetupDone, "an owner was made before: sign in with their address and password");
        return await IssueAsync(await user.Open(Agent, Address), asked.Cookie);
    }

    public async Task<Tokens> SignInAsync(SignIn asked)
    {
        using Principal.Scope scope = Principal.OfGateway();
        string? id = EmailAddress.Fault(asked.Email) is null ? await grains.Email(asked.Email!).Find() : null;
        // For an address that nobody has, a user that there is not: it takes as long.
        SignInAnswer answer = await User(id ?? "nobody").SignIn(new SignInAttempt(
            new Secret(asked.Password!), asked.Code is null ? null : new Secret(asked.Code), Agent, Address));
        return await TokensAsync(answer, asked.Cookie);
    }

    public async Task<Tokens> RefreshAsync(string? given)
    {
        string? token = given ?? Context.Request.Cookies[CookieName];
        if (token?.Split('.') is [{ } user, { Length: > 0 } session, { Length: > 0 } secret] && Keys.IsName(user))
        {
            using Principal.Scope scope = Principal.OfGateway();
            RenewalAnswer answer = await User(user).Renew(session, new Secret(secret), Agent, Address);
            if (answer.Outcome == Renewal.Renewed) return await IssueAsync(answer.Session!, cookie: given is null);
            if (answer.Outcome == Renewal.Reused) LogReused(session, Address);
        }
        Context.Response.Cookies.Delete(CookieName, Cookie());
        throw new ApiException(Status401Unauthorized, ApiReason.SessionEnded, "the session has ended: sign in");
    }

    public async Task SignOutAsync(string? given)
    {
        string? token = given ?? Context.Request.Cookies[CookieName];
        Context.Response.Cookies.Delete(CookieName, Cookie());
        using Principal.Scope scope = Principal.OfGateway();
        if (Context.User.Identity is CallerIdentity caller) await User(caller.User).EndSession(caller.Session);
        else if (token?.Split('.') is [{ } user, { } session, { Length: > 0 } secret] && Keys.IsName(user)
            && (await User(user).Renew(session, new Secret(secret), Agent, Address)).Outcome == Renewal.Renewed)
        {
            await User(user).EndSession(session);
        }
    }

    public async Task SignUpAsync(SignUp asked, CancellationToken cancellation)
    {
        if (!options.SignUp) throw new ApiException(Status403Forbidden, ApiReason.SignUpClosed, "this installation takes new users by invitation only");
        CheckNew(asked.Email!, asked.Name!, asked.Password!);
        using Principal.Scope scope = Principal.OfGateway();
        string id = secrets.Name('u');
        if (await grains.Email(asked.Email!).Claim(id) is { } owner && owner != id)
        {
            await MailAsync(new Mail(asked.Email!, "You have a HybridTrading user", $"""
                Somebody, probably you, wanted to sign up with this address. It has a user already.

                Sign in, or have the password reset: {Link("reset-password")}
                If it was not you, nothing has happened.
                """), cancellation);
            return;
        }
        await RegisterAsync(id, new Registration(asked.Email!, asked.Name!, new Secret(asked.Password!), EmailVerified: false));
        await FoundAsync(id, secrets.Name('t'), asked.Name!);
        await SendLinkAsync(id, asked.Email!, LinkKind.VerifyEmail, cancellation);
    }

    public async Task VerifyEmailAsync(string link)
    {
        using Principal.Scope scope = Principal.OfGateway();
        (string user, Secret token) = Parse(link);
        ThrowIf(await User(user).VerifyEmail(token));
    }

    /// <summary>Mails a link to the new address. Who asks does not learn whether somebody has it.</summary>
    public async Task AskEmailAsync(ChangeEmail asked, CancellationToken cancellation)
    {
        CallerIdentity caller = Caller();
        using Principal.Scope scope = Principal.OfGateway();
        UserAnswer answer = await User(caller.User).AskEmail(
            asked.Email!, new Secret(asked.Password!), asked.Code is null ? null : new Secret(asked.Code), caller.Session);
        ThrowIf(answer);
        string next = EmailAddress.Normalise(asked.Email!);
        UserView view = (await User(caller.User).GetView())!;
        await MailAsync(await grains.Email(next).Find() is { } owner && owner != caller.User
            ? new Mail(next, "You have a HybridTrading user", $"""
                Somebody, probably you, wanted to use this address for another user. It has a user already.

                Sign in, or have the password reset: {Link("reset-password")}
                If it was not you, nothing has happened.
                """)
            : new Mail(next, "Confirm your new address for HybridTrading", $"""
                Confirm within a day that this address is yours, and it is what you sign in with: {Link("change-email", answer.Secret!.Value)}
                If you did not ask for this, do nothing.
                """), cancellation);
        await MailAsync(new Mail(view.Email, "Another address for your HybridTrading user", """
            Somebody, probably you, wants another address for your user. This one counts until the link in the mail to the other is opened.

            If it was not you, sign in and change your password: somebody knows it.
            """), cancellation);
    }

    public async Task ConfirmEmailAsync(string link, CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfGateway();
        (string user, Secret token) = Parse(link);
        EmailAnswer answer = await User(user).ConfirmEmail(token);
        ThrowIf(answer);
        await MailAsync(new Mail(answer.Before!, "Your HybridTrading user has another address", $"""
            From now on you sign in with another address than this.

            If it was not you, take it back within seven days: {Link("undo-email", answer.Link!.Value)}
            """), cancellation);
    }

    /// <summary>The address before counts again, and its owner is sent a link for another password: somebody else knows the one there is.</summary>
    public async Task UndoEmailAsync(string link, CancellationToken cancellation)
    {
        using Principal.Scope scope = Principal.OfGateway();
        (string user, Secret token) = Parse(link);
        EmailAnswer answer = await User(user).UndoEmail(token);
        ThrowIf(answer);
        await SendLinkAsync(user, answer.Email!, LinkKind.ResetPassword, cancellation);
    }

    public async Task ForgotPasswordAsync(string email, CancellationToken cancellation)
    {
        if (EmailAddress.Fault(email) is { } fault) throw ApiException.Invalid("email", fault);
        using Principal.Scope scope = Principal.OfGateway();
        if (await grains.Email(email).Find() is not { } user) return;
        await SendLinkAsync(user, EmailAddress.Normalise(email), LinkKind.ResetPassword, cancellation);
    }

    public async Task ResetPasswordAsync(string link, string password)
    {
        using Principal.Scope scope = Principal.OfGateway();
        (string user, Secret token) = Parse(link);
        ThrowIf(await User(user).ResetPassword(token, new Secret(password)));
    }

    public async Task<InvitationShown?> InvitationAsync(string link)
    {
        using Principal.Scope scope = Principal.OfGateway();
        if (TryParse(link) is not var (tenant, token)) return null;
        ITenantGrain grain = Tenant(tenant);
        if (await grain.FindInvitation(token) is not { } invitation) return null;
        bool known = await grains.Email(invitation.Email).Find() is not null;
        return new InvitationShown(await grain.GetName() ?? tenant, invitation.Email, invitation.Roles, known);
    }

    /// <summary>Takes in a new user, or one who has signed in.</summary>
    public async Task<Tokens> AcceptAsync(string link, AcceptInvitation asked)
    {
        using Principal.Scope scope = Principal.OfGateway();
        (string tenant, Secret token) = Parse(link);
        ITenantGrain grain = Tenant(tenant);
        if (await grain.FindInvitation(token) is not { } invitation) throw NoLink();
        string user;
        OpenSession session;
        if (Context.User.Identity is CallerIdentity caller)
        {
            RequireSession(caller);
            user = caller.User;
            // The invitation was to an address, and whoever has the link need not be its owner.
            if (await grains.Email(invitation.Email).Find() != user)
            {
                throw new ApiException(Status403Forbidden, ApiReason.NotPermitted, "the invitation is for another address than that of the user who has signed in");
            }
            ThrowIf(await grain.Accept(token, user));
            await User(user).Join(tenant);
            await User(user).Enter(caller.Session, tenant);
            return await IssueAsync(new OpenSession(user, caller.Session, tenant, new Secret("")), cookie: false);
        }
        if (asked.Name is null) throw ApiException.Invalid("name", "name is missing; expected 1 to 100 characters");
        CheckNew(invitation.Email, asked.Name, asked.Password);
        user = secrets.Name('u');
        if (await grains.Email(invitation.Email).Claim(user) != user) throw new ApiException(Status409Conflict, ApiReason.UserExists, "the address has a user: sign in and accept");
        // Who has the link has read the mail to that address.
        await RegisterAsync(user, new Registration(invitation.Email, asked.Name, new Secret(asked.Password!), EmailVerified: true));
        ThrowIf(await grain.Accept(token, user));
        await User(user).Join(tenant);
        session = await User(user).Open(Agent, Address);
        return await IssueAsync(session, asked.Cookie);
    }

    /// <summary>Goes on as a member of another tenant.</summary>
    public async Task<Tokens> EnterAsync(string tenant)
    {
        CallerIdentity caller = Caller();
        RequireSession(caller);
        using Principal.Scope scope = Principal.OfGateway();
        if (!Keys.IsName(tenant) || await Tenant(tenant).GetMember(caller.User) is null)
        {
            throw new ApiException(Status403Forbidden, ApiReason.NotPermitted, $"tenant is {ApiException.Quote(tenant)}; expected one that the user belongs to");
        }
        await User(caller.User).Enter(caller.Session, tenant);
        return await IssueAsync(new OpenSession(caller.User, caller.Session, tenant, new Secret("")), cookie: false);
    }

    public async Task InviteMailAsync(string email, string tenant, string by, Secret link, CancellationToken cancellation) => await MailAsync(new Mail(
        email, "An invitation to HybridTrading", $"""
        {by} invites you to {tenant}.

        Accept within seven days: {Link("invitation", link.Value)}
        If this means nothing to you, do nothing.
        """), cancellation);

    public async Task<Me> MeAsync(CallerIdentity caller)
    {
        using Principal.Scope scope = Principal.OfGateway();
        return await MeAsync(caller.User, caller.Tenant, caller.Roles, caller.Permissions);
    }

    public CallerIdentity Caller() => Context.User.Identity as CallerIdentity ?? throw RequestCaller.NobodyThere();

    public static void ThrowIf(UserAnswer answer, UserFault allowed = UserFault.None) => ThrowIf(answer.Fault, answer.Detail, allowed);

    private static void ThrowIf(EmailAnswer answer)
    {
        if (answer.Fault == UserFault.Exists) throw new ApiException(Status409Conflict, ApiReason.UserExists, answer.Detail!);
        ThrowIf(answer.Fault, answer.Detail);
    }

    public static void ThrowIf(UserFault fault, string? detail, UserFault allowed = UserFault.None)
    {
        if (fault == UserFault.None || fault == allowed) return;
        throw fault switch
        {
            UserFault.InvalidInput => ApiException.Invalid(detail!.Split(' ')[0].TrimEnd(';'), detail),
            UserFault.PasswordWrong => new ApiException(Status403Forbidden, ApiReason.PasswordWrong, detail!),
            UserFault.CodeWrong => new ApiException(Status403Forbidden, ApiReason.CodeWrong, detail!),
            UserFault.LinkInvalid => NoLink(),
            UserFault.LockedOut => new ApiException(Status423Locked, ApiReason.LockedOut, detail!),
            UserFault.TooMany => new ApiException(Status422UnprocessableEntity, ApiReason.TooMany, detail!),
            UserFault.Unknown => new ApiException(Status404NotFound, ApiReason.UserUnknown, detail ?? "no such user"),
            _ => new ApiException(Status409Conflict, fault.ToString(), detail ?? fault.ToString()),
        };
    }

    /// <exception cref="ApiException">403: the caller has proven less than a session has.</exception>
    private static void RequireSession(CallerIdentity caller)
    {
        if (!caller.IsSession) throw new ApiException(Status403Forbidden, ApiReason.NotPermitted, "this is for somebody who has signed in here, and for no program");
    }

    private static ApiException NoLink() => new(Status403Forbidden, ApiReason.LinkInvalid, "the link is used up, too old, or was never ours");

    private IUserGrain User(string id) => grains.GetGrain<IUserGrain>(id);

    private ITenantGrain Tenant(string id) => grains.GetGrain<ITenantGrain>(Keys.Tenant(id));

    /// <summary>Everything that can be known to be wrong before anything is made.</summary>
    private static void CheckNew(string email, string name, string? password)
    {
        if (EmailAddress.Fault(email) is { } address) throw ApiException.Invalid("email", address);
        if (PasswordPolicy.Fault(password, EmailAddress.Normalise(email), name) is { } weak) throw ApiException.Invalid("password", weak);
    }

    /// <summary>A session, or why there is none.</summary>
    private async Task<Tokens> TokensAsync(SignInAnswer answer, bool cookie) => answer.Outcome switch
    {
        SignInOutcome.SignedIn => await WelcomeAsync(answer, cookie),
        SignInOutcome.CodeNeeded => throw new ApiException(
            Status401Unauthorized, ApiReason.SecondFactorNeeded, "code is missing; expected six digits of the authenticator, or a recovery code"),
        SignInOutcome.LockedOut => throw Later(
            Status423Locked, ApiReason.LockedOut, "too many wrong passwords: wait, or reset the password", answer.Until!.Value - clock.GetUtcNow().UtcDateTime),
        SignInOutcome.Busy => throw Later(Status503ServiceUnavailable, ApiReason.Busy, "too many sign-ins at once: try again", TimeSpan.FromSeconds(2)),
        SignInOutcome.EmailUnverified => throw new ApiException(Status403Forbidden, ApiReason.EmailUnverified, "the address is not proven: open the link in the mail that was sent"),
        SignInOutcome.Barred => throw new ApiException(Status403Forbidden, ApiReason.Barred, "an administrator has closed this user's access"),
        _ => throw new ApiException(Status401Unauthorized, ApiReason.SignInFailed, "address, password or code is wrong"),
    };

    private async Task<Tokens> WelcomeAsync(SignInAnswer answer, bool cookie)
    {
        if (answer.Kept is { } address)
        {
            await MailAsync(new Mail(address, "Your HybridTrading user stays", """
                Your user was to be erased, and somebody has signed in as you: it stays.

                If it was not you, change your password at once.
                """), CancellationToken.None);
        }
        return await IssueAsync(answer.Session!, cookie);
    }

    private async Task RegisterAsync(string id, Registration registration)
    {
        UserAnswer made = await User(id).Register(registration);
        if (made.Fault != UserFault.None) await grains.Email(registration.Email).Release(id);
        ThrowIf(made);
    }

    private async Task FoundAsync(string user, string tenant, string name)
    {
        await Tenant(tenant).Found($"{name}'s desk", user);
        await User(user).Join(tenant);
    }

    /// <summary>Tokens for a session. A user whose last membership has ended gets a tenant of their own, as everybody has who signs up.</summary>
    private async Task<Tokens> IssueAsync(OpenSession session, bool cookie)
    {
        UserView view = await User(session.User).GetView()
            ?? throw new ApiException(Status401Unauthorized, ApiReason.SessionEnded, "the user is no more");
        (string tenant, Member? member) = (session.Tenant, null);
        foreach (string each in view.Tenants.Prepend(session.Tenant).Where(each => each.Length > 0))
        {
            if ((member = await Tenant(each).GetMember(session.User)) is null) continue;
            tenant = each;
            break;
        }
        if (member is null)
        {
            tenant = secrets.Name('t');
            await FoundAsync(session.User, tenant, view.Name);
            member = await Tenant(tenant).GetMember(session.User);
        }
        if (tenant != session.Tenant) await User(session.User).Enter(session.Id, tenant);
        ImmutableArray<Role> roles = view.Administrator ? member!.Roles.Add(Role.Administrator) : member!.Roles;
        Secret access = await grains.GetGrain<ISigningKeysGrain>(Keys.SigningKeys).Sign(
            new TokenRequest(options.Issuer, options.Audience, session.User, tenant, session.Id, roles));
        string refresh = $"{session.User}.{session.Id}.{session.Token.Value}";
        if (cookie) Context.Response.Cookies.Append(CookieName, refresh, Cookie());
        Me me = await MeAsync(session.User, tenant, roles, RolePermissions.Of(roles));
        return new Tokens(access.Value, (int)AccessToken.Life.TotalSeconds, me, cookie || session.Token.Value.Length == 0 ? null : refresh);
    }

    private async Task<Me> MeAsync(string user, string tenant, ImmutableArray<Role> roles, IReadOnlyCollection<Permission> permissions)
    {
        if (ServiceClient.IsId(user)) throw new ApiException(Status403Forbidden, ApiReason.NotPermitted, "a client has no profile: expected a user's token");
        UserView view = await User(user).GetView() ?? throw new ApiException(Status401Unauthorized, ApiReason.SessionEnded, "the user is no more");
        ImmutableArray<Membership> memberships = await Memberships.OfAsync(view, grains);
        return new Me(
            view.Id, view.Email, view.Name, view.EmailVerified, view.HasSecondFactor, view.RecoveryCodesLeft,
            new TenantName(tenant, memberships.FirstOrDefault(one => one.Id == tenant)?.Name ?? tenant), memberships, roles, [.. permissions.Order()]);
    }

    private async Task SendLinkAsync(string user, string email, LinkKind kind, CancellationToken cancellation)
    {
        UserAnswer link = await User(user).MakeLink(kind);
        if (link.Secret is not { } secret) return;
        await MailAsync(kind == LinkKind.VerifyEmail
            ? new Mail(email, "Confirm your address for HybridTrading", $"""
                Confirm that this address is yours, within a day: {Link("verify", secret.Value)}
                If you did not sign up, do nothing.
                """)
            : new Mail(email, "Reset your HybridTrading password", $"""
                Set another password within an hour: {Link("reset", secret.Value)}
                All sessions end then. If you did not ask for this, do nothing.
                """), cancellation);
    }

    internal async Task MailAsync(Mail mail, CancellationToken cancellation)
    {
        try
        {
            await mails.SendAsync(mail, cancellation);
        }
        catch (Exception failed) when (failed is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // The answer is the same as ever: what would differ would tell a stranger whose address is known.
            LogNotMailed(failed, mail.Subject, mails.Where);
        }
    }

    /// <summary>A page of the console. What a link holds stands behind the hash, which no server and no log sees.</summary>
    internal string Link(string page, string? token = null)
    {
        return $"{Root.GetLeftPart(UriPartial.Authority)}/#/{page}{(token is null ? "" : "/" + token)}";
    }

    private static (string Owner, Secret Token)? TryParse(string link)
    {
        int dot = link.IndexOf('.');
        return dot > 0 && dot < link.Length - 1 && Keys.IsName(link[..dot]) ? (link[..dot], new Secret(link[(dot + 1)..])) : null;
    }

    private static (string Owner, Secret Token) Parse(string link) => TryParse(link) ?? throw NoLink();

    private CookieOptions Cookie() => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = Context.Request.IsHttps, Path = CookiePath, MaxAge = Sessions.Idle, IsEssential = true,
    };

    private static ApiException Later(int status, string reason, string detail, TimeSpan wait) => new(status, reason, detail) { RetryAfter = wait };

    [LoggerMessage(Level = LogLevel.Warning, Message = "a refresh token of session {Session} was used twice, from {Address}: the session has ended")]
    private partial void LogReused(string session, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "the mail '{Subject}' did not go out by {Where}")]
    private partial void LogNotMailed(Exception failure, string subject, string where);
}
