using HybridTrading.Api.Identity;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;

namespace HybridTrading.Api;

/// <summary>On whose behalf a request runs.</summary>
public interface ICaller
{
    /// <exception cref="ApiException">401: nobody has signed in. So with the others.</exception>
    string Tenant { get; }

    /// <summary>Whose things the request is about: the caller's own, or on a GET with <c>?user=</c> those of another member of the tenant.</summary>
    string User { get; }

    bool Has(Permission permission);

    /// <summary>tenant/user of who calls, whatever the request is about; null for somebody who has not signed in.</summary>
    string? Actor => this.Person();
}

/// <summary>Who the request's token or signature speaks for.</summary>
public sealed class RequestCaller : ICaller
{
    /// <summary>Names another member on a GET.</summary>
    public const string UserParameter = "user";

    private readonly CallerIdentity? _identity;
    private readonly CredentialFault? _fault;
    private readonly string? _other;

    public RequestCaller(IHttpContextAccessor http)
    {
        HttpContext? context = http.HttpContext;
        _identity = context?.User.Identity as CallerIdentity;
        _fault = context?.Features.Get<CredentialFault>();
        if (_identity is not null && HttpMethods.IsGet(context!.Request.Method) && context.Request.Query.TryGetValue(UserParameter, out var named)) _other = named.ToString();
    }

    public string Tenant => Identity.Tenant;

    public string User => _other is null ? Identity.User : Other(_other);

    /// <summary>Id of the other member whom the request is about; null where it is about the caller's own things.</summary>
    public string? Another => _other is null || _other == Identity.User ? null : User;

    public string? Actor => _identity is null ? null : $"{_identity.Tenant}/{_identity.User}";

    public bool Has(Permission permission) => Identity.Permissions.Contains(permission);

    private CallerIdentity Identity => _identity ?? throw (_fault is null ? NobodyThere() : new ApiException(StatusCodes.Status401Unauthorized, ApiReason.TokenInvalid, _fault.Detail));

    public static ApiException NobodyThere() => new(
        StatusCodes.Status401Unauthorized, ApiReason.SignInNeeded, "nobody has signed in; expected Authorization: Bearer with a token that is good, or a signed request");

    private string Other(string named)
    {
        if (!Keys.IsName(named)) throw ApiException.Invalid(UserParameter, $"user is {ApiException.Quote(named)}; expected the id of a member");
        if (named != Identity.User && !Has(Permission.ReadTenant))
        {
            throw new ApiException(StatusCodes.Status403Forbidden, ApiReason.PermissionMissing, $"another's things need the permission {Permission.ReadTenant}, which the caller does not have");
        }
        return named;
    }
}

public static class CallerExtensions
{
    /// <summary>tenant/user: whose events and keys they are.</summary>
    public static string Person(this ICaller caller) => $"{caller.Tenant}/{caller.User}";

    /// <summary>The key of something that the caller owns.</summary>
    /// <param name="field">Names the value in the answer when it is no name.</param>
    /// <exception cref="ApiException">400: not a name.</exception>
    public static string Key(this ICaller caller, string? name, string field) => Keys.IsName(name)
        ? Keys.Owned(caller.Tenant, caller.User, name!)
        : throw ApiException.Invalid(field, $"{field} is {ApiException.Quote(name)}; expected 1 to 64 of a-z 0-9 - _ and dots inside");

    /// <summary>A key as its owner calls it: without tenant and user. Keys of others stay whole.</summary>
    public static string NameOf(this ICaller caller, string key)
    {
        string own = caller.Person() + "/";
        return key.StartsWith(own, StringComparison.Ordinal) ? key[own.Length..] : key;
    }
}
