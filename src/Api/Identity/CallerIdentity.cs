using System.Collections.Frozen;
using System.Security.Claims;
using HybridTrading.Domain.Users;

namespace HybridTrading.Api.Identity;

/// <summary>Who was found to stand behind a request.</summary>
/// <param name="session">The session, or the API key.</param>
/// <param name="issued">When the token was; revocations from then on count.</param>
/// <param name="expires">When it runs out; null for a signature, which is for one request.</param>
public sealed class CallerIdentity(
    string user, string tenant, string session, ImmutableArray<Role> roles, FrozenSet<Permission> permissions, DateTime issued, DateTime? expires, string scheme)
    : ClaimsIdentity([new Claim("sub", user), new Claim("tid", tenant), .. roles.Select(role => new Claim("roles", role.ToString()))], scheme, "sub", "roles")
{
    /// <summary>How a caller proves itself: by a session's token, a client's, one of the external provider, or a signature.</summary>
    public const string SessionScheme = "Bearer", ClientScheme = "Client", ProviderScheme = "Provider", SignatureScheme = "Signature";

    /// <summary>Only a session may go on as another session: what proves less may get no token that may do more.</summary>
    public bool IsSession => AuthenticationType == SessionScheme;

    public string User => user;

    public string Tenant => tenant;

    public string Session => session;

    public ImmutableArray<Role> Roles => roles;

    public FrozenSet<Permission> Permissions => permissions;

    public DateTime Issued => issued;

    public DateTime? Expires => expires;
}
