namespace HybridTrading.Grains.Hosting;

/// <summary>
/// On whose behalf a call is made: a tenant, the system (a shared grain calling on), the gateway (before it knows who is at the door), or
/// the host (start-up code and replays inside a silo's process). It travels in the request context. Calls between grains get it from the calling grain, whatever its own caller was; a call from
/// outside of grains carries what the host has set here, and without it reaches shared methods only.
/// </summary>
public static class Principal
{
    internal const string ContextKey = "ht.principal";

    // A tenant's name cannot begin with a star.
    internal const string System = "*system";
    private const string Host = "*host";
    private const string Gateway = "*gateway";

    /// <summary>The principal of the call under way; null when there is none.</summary>
    public static string? Current => RequestContext.Get(ContextKey) as string;

    /// <summary>Calls in this flow of control are the tenant's until the scope is disposed: <c>using (Principal.Of(tenant)) ...</c></summary>
    /// <exception cref="ArgumentException">Not a tenant's name (<see cref="Keys.IsName"/>).</exception>
    public static Scope Of(string tenant) => Keys.IsName(tenant)
        ? new Scope(tenant)
        : throw new ArgumentException($"tenant is '{tenant}'; expected 1 to 64 of a-z 0-9 - _ .", nameof(tenant));

    /// <summary>Calls in this flow of control are the host's own until the scope is disposed. Never for what a user has asked for.</summary>
    public static Scope OfHost() => new(Host);

    /// <summary>Calls in this flow of control are the gateway's own until the scope is disposed: sign-in, tokens, invitations.</summary>
    public static Scope OfGateway() => new(Gateway);

    /// <summary>For shared methods that are told a key: is it the caller's?</summary>
    /// <exception cref="UnauthorizedAccessException">The key belongs to another tenant, or nobody stands behind the call.</exception>
    public static void RequireOwner(string key)
    {
        if (Current is not { } principal || !MayAct(principal, key))
        {
            throw new UnauthorizedAccessException($"'{key}' does not belong to {Describe(Current)}");
        }
    }

    internal static bool IsHost(string principal) => principal == Host;

    internal static bool IsGateway(string principal) => principal == Gateway;

    /// <summary>May this principal act on what the key names? System and host on everything, a tenant on what is its own.</summary>
    internal static bool MayAct(string principal, string key) =>
        principal is System or Host || IsOwner(principal, key);

    internal static bool IsOwner(string tenant, string key) =>
        key.Length > tenant.Length && key[tenant.Length] == '/' && key.StartsWith(tenant, StringComparison.Ordinal) && Keys.IsName(tenant);

    internal static string Describe(string? principal) => principal switch
    {
        null => "a caller without a principal",
        System => "the system",
        Host => "the host",
        Gateway => "the gateway",
        _ => $"tenant '{principal}'",
    };

    /// <summary>Puts back on disposal what was there before.</summary>
    public readonly struct Scope : IDisposable
    {
        private readonly string? _before;

        internal Scope(string principal)
        {
            _before = Current;
            RequestContext.Set(ContextKey, principal);
        }

        public void Dispose()
        {
            if (_before is null) RequestContext.Remove(ContextKey);
            else RequestContext.Set(ContextKey, _before);
        }
    }
}
