using System.Net;

namespace HybridTrading.Api.Gateway;

/// <summary>How the gateway can be reached from beyond this machine; nothing of it: not at all.</summary>
public sealed record GatewayAccess
{
    public static readonly GatewayAccess LoopbackOnly = new();

    /// <summary>
    /// Where the gateway's ports listen beside loopback; null: nowhere. Ports of other services are on loopback always, but for <see cref="Compliance"/>.
    /// </summary>
    public IPAddress? Listen { get; init; }

    /// <summary>DNS names (or addresses) by which browsers and programs call the gateway.</summary>
    public ImmutableArray<string> PublicHosts { get; init; } = [];

    /// <summary>The gateway's ports speak HTTPS with it; null: plain HTTP, on loopback or behind a proxy that ends TLS.</summary>
    public ServerCertificate? Certificate { get; init; }

    /// <summary>Proxies whose word on client and scheme counts.</summary>
    public ImmutableArray<IPNetwork> Proxies { get; init; } = [];

    /// <summary>Other sites whose pages may call the API, such as https://app.example.com.</summary>
    public ImmutableArray<string> CorsOrigins { get; init; } = [];

    public ComplianceAccess Compliance { get; init; } = ComplianceAccess.LoopbackOnly;

    /// <summary>What does not go together; null when all is well.</summary>
    public string? Fault() =>
        Listen is not null && !IPAddress.IsLoopback(Listen) && Certificate is null && Proxies.IsEmpty
            ? $"--listen is {Listen}, which others reach: expected --cert FILE too, or --behind-proxy ADDRESS of the proxy that ends TLS"
        : (Listen is not null && !IPAddress.IsLoopback(Listen) || !Proxies.IsEmpty) && PublicHosts.IsEmpty
            ? "--public-host is missing; expected the name by which the gateway is called, such as trade.example.com"
        : PublicHosts.FirstOrDefault(host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { } wrong
            ? $"--public-host is '{wrong}'; expected names such as trade.example.com, without scheme or port"
        : CorsOrigins.FirstOrDefault(origin => !IsOrigin(origin)) is { } site
            ? $"--cors-origin is '{site}'; expected an origin such as https://app.example.com, without a path"
        : Compliance.Fault();

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? site) && site.Scheme is "https" or "http" && text == $"{site.Scheme}://{site.Authority}";
}

/// <summary>
/// Whether anybody but this machine is served. Until an owner is there nobody can sign in, and whoever calls is taken for the one at this machine: so others are refused.
/// </summary>
public interface IPublicAccess
{
    bool IsOpen { get; }
}

/// <summary>Before there is sign-in.</summary>
internal sealed class ClosedToOthers : IPublicAccess
{
    public bool IsOpen => false;
}
