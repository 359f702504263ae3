using HybridTrading.Api.Contract;
using HybridTrading.Api.Identity.Provider;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Identity;

/// <summary>
/// Sign-in by the external provider: the authorization code flow with PKCE (RFC 6749, 7636, 9700). Somebody is known by issuer and subject. An address that
/// the provider tells opens nothing: whose user has it links the two while signed in.
/// </summary>
public sealed partial class SignInDesk
{
    private const string SignInPurpose = "sign-in";

    /// <summary>Over HTTPS by a name that no other host of the domain, and nobody on plain HTTP, can set.</summary>
    private string FlowCookie => Context.Request.IsHttps ? "__Host-ht_provider" : "ht_provider";

    /// <summary>The console: it brings the answer here by a request of its own, so the cookie need not go with requests of other sites.</summary>
    private Uri ProviderRedirect => new(Root, "/");

    private ExternalProvider Provider => providers.Current
        ?? throw new ApiException(Status404NotFound, ApiReason.ProviderUnavailable, "this installation has no external provider: sign in by password");

    public Task<ProviderStart> StartProviderAsync(CancellationToken cancellation) => StartAsync(secrets.Token(), SignInPurpose, cancellation);

    /// <summary>Goes on with what the provider has answered.</summary>
    public async Task<ProviderSignedIn> CompleteProviderAsync(CompleteProvider asked, CancellationToken cancellation)
    {
        (ProviderClaims claims, _) = await RedeemAsync(SignInPurpose, asked.Code!, asked.State!, asked.Issuer, cancellation);
        ProviderIdentity identity = IdentityOf(claims);
        using Principal.Scope scope = Principal.OfGateway();
        string user = await ProviderUser(identity).Find() ?? await RegisterAsync(claims, identity, asked.Invitation, cancellation);
        SignInAnswer answer = await User(user).SignInByProvider(new ProviderSignIn(identity, Provider.VouchesForSecondFactor(claims), Agent, Address));
        if (answer.Outcome == SignInOutcome.CodeNeeded) return new ProviderSignedIn(null, $"{user}.{answer.Ticket!.Value}");
        if (answer.Outcome != SignInOutcome.Failed) return new ProviderSignedIn(await TokensAsync(answer, asked.Cookie), null);
        // Unlinked, and cut off before the identity was free again.
        await ProviderUser(identity).Release(user);
        throw Unlinked();
    }

    /// <summary>The second factor of somebody whom the provider has proven.</summary>
    public async Task<Tokens> ConfirmProviderAsync(ConfirmProvider asked)
    {
        using Principal.Scope scope = Principal.OfGateway();
        if (TryParse(asked.Ticket!) is not var (user, ticket)) throw new ApiException(Status401Unauthorized, ApiReason.SignInFailed, "ticket or code is wrong");
        return await TokensAsync(await User(user).ConfirmByProvider(ticket, new Secret(asked.Code!), Agent, Address), asked.Cookie);
    }

    public async Task<ProviderStart> StartLinkAsync(string? password, CancellationToken cancellation)
    {
        CallerIdentity caller = Caller();
        UserAnswer offer;
        using (Principal.OfGateway()) offer = await User(caller.User).OfferLink(password is null ? null : new Secret(password));
        ThrowIf(offer);
        return await StartAsync(offer.Secret!.Value, LinkPurpose(caller), cancellation);
    }

    public async Task CompleteLinkAsync(LinkProvider asked, CancellationToken cancellation)
    {
        CallerIdentity caller = Caller();
        (ProviderClaims claims, Secret ticket) = await RedeemAsync(LinkPurpose(caller), asked.Code!, asked.State!, asked.Issuer, cancellation);
        ProviderIdentity identity = IdentityOf(claims);
        using Principal.Scope scope = Principal.OfGateway();
        if (await ProviderUser(identity).Claim(caller.User) != caller.User)
        {
            throw new ApiException(
                Status409Conflict, ApiReason.UserExists, $"{Provider.Options.Name} knows another user here by that sign-in: unlink it there first");
        }
        UserAnswer linked = await User(caller.User).Link(ticket, identity, caller.Tenant);
        if (linked.Fault != UserFault.None) await ReleaseUnlessLinkedAsync(identity, caller.User);
        ThrowIf(linked);
    }

    public async Task<ProviderLinks> LinksAsync()
    {
        CallerIdentity caller = Caller();
        using Principal.Scope scope = Principal.OfGateway();
        UserView view = await User(caller.User).GetView() ?? throw new ApiException(Status401Unauthorized, ApiReason.SessionEnded, "the user is no more");
        return new ProviderLinks(providers.Current?.Options.Name, view.HasPassword, [.. view.Links.Select(ProviderLinkShown.Of)]);
    }

    public async Task UnlinkAsync(string id)
    {
        CallerIdentity caller = Caller();
        using Principal.Scope scope = Principal.OfGateway();
        ProviderLink? link = (await User(caller.User).GetView())?.Links.FirstOrDefault(one => one.Id == id);
        ThrowIf(await User(caller.User).Unlink(id));
        await ProviderUser(link!.Identity).Release(caller.User);
    }

    private static string LinkPurpose(CallerIdentity caller) => $"link {caller.User}";

    private static ProviderIdentity IdentityOf(ProviderClaims claims) =>
        new(claims.Issuer, claims.Subject, EmailAddress.Fault(claims.Email) is null ? EmailAddress.Normalise(claims.Email!) : "");

    private IProviderUserGrain ProviderUser(ProviderIdentity identity) => grains.GetGrain<IProviderUserGrain>(identity.Key);

    private async Task<ProviderStart> StartAsync(string secret, string purpose, CancellationToken cancellation)
    {
        Uri address = await Provider.AuthorizationAsync(new ProviderFlow(secret, purpose), ProviderRedirect, cancellation);
        Context.Response.Cookies.Append(FlowCookie, secret, FlowCookieOptions());
        return new ProviderStart(address.AbsoluteUri);
    }

    /// <summary>Whom the answer to what this browser has asked proves; the browser's secret is used up.</summary>
    private async Task<(ProviderClaims Claims, Secret Secret)> RedeemAsync(
        string purpose, string code, string state, string? issuer, CancellationToken cancellation)
    {
        string? secret = Context.Request.Cookies[FlowCookie];
        Context.Response.Cookies.Delete(FlowCookie, FlowCookieOptions());
        var flow = new ProviderFlow(secret ?? "", purpose);
        if (string.IsNullOrEmpty(secret) || !flow.IsState(state))
        {
            throw new ApiException(Status401Unauthorized, ApiReason.ProviderRefused, "this browser has not asked for that sign-in, or too long ago: begin again");
        }
        return (await Provider.RedeemAsync(code, issuer, flow, ProviderRedirect, cancellation), new Secret(secret));
    }

    /// <summary>A new user: whom a member has invited, or whoever comes where strangers may.</summary>
    /// <returns>Their id.</returns>
    private async Task<string> RegisterAsync(ProviderClaims claims, ProviderIdentity identity, string? invitation, CancellationToken cancellation)
    {
        if (invitation is null && !options.SignUp) throw Unlinked();
        (string Owner, Secret Token)? link = invitation is null ? null : Parse(invitation);
        Invitation? invited = link is var (inviting, token) ? await Tenant(inviting).FindInvitation(token) ?? throw NoLink() : null;
        string email = invited?.Email ?? identity.Email;
        if (email.Length == 0)
        {
            throw new ApiException(Status403Forbidden, ApiReason.ProviderUnlinked, $"{Provider.Options.Name} tells no e-mail address, which a new user needs");
        }
        // Who has the invitation has read the mail to that address; else it is as good as the provider's word for it.
        bool isProven = invited is not null || claims.EmailVerified;
        string id = secrets.Name('u'), tenant = link?.Owner ?? secrets.Name('t');
        if (await grains.Email(email).Claim(id) != id)
        {
            throw isProven
                ? new ApiException(
                    Status409Conflict, ApiReason.UserExists, $"the address has a user: sign in by password, and link {Provider.Options.Name} under Settings")
                : Unproven();
        }
        var registration = new Registration(email, NameOf(claims, email), null, isProven, Provider: identity, Tenant: tenant);
        if (await ProviderUser(identity).Claim(id) is { } other && other != id)
        {
            await grains.Email(email).Release(id);
            return other;
        }
        UserAnswer made = await User(id).Register(registration);
        if (made.Fault != UserFault.None)
        {
            await ProviderUser(identity).Release(id);
            await grains.Email(email).Release(id);
            ThrowIf(made);
        }
        if (link is var (_, accepted))
        {
            ThrowIf(await Tenant(tenant).Accept(accepted, id));
            await User(id).Join(tenant);
        }
        else await FoundAsync(id, tenant, registration.Name);
        if (isProven) return id;
        await SendLinkAsync(id, email, LinkKind.VerifyEmail, cancellation);
        throw Unproven();
    }

    private static string NameOf(ProviderClaims claims, string email)
    {
        string name = string.Concat((claims.Name ?? "").Where(c => !char.IsControl(c)).Take(100)).Trim();
        return name.Length > 0 ? name : email[..email.IndexOf('@')];
    }

    private async Task ReleaseUnlessLinkedAsync(ProviderIdentity identity, string user)
    {
        if ((await User(user).GetView())?.Links.Any(link => link.Identity.Key == identity.Key) != true) await ProviderUser(identity).Release(user);
    }

    private ApiException Unlinked() => new(Status403Forbidden, ApiReason.ProviderUnlinked,
        $"no user here is linked to that sign-in: sign in by password and link {Provider.Options.Name} under Settings, or ask for an invitation");

    private static ApiException Unproven() => new(
        Status403Forbidden, ApiReason.EmailUnverified, "the address is not proven: open the link in the mail that was sent");

    private CookieOptions FlowCookieOptions() => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = Context.Request.IsHttps, Path = "/", MaxAge = ProviderFlow.Life, IsEssential = true,
    };
}
