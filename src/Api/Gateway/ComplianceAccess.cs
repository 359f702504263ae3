using System.Net;

namespace HybridTrading.Api.Gateway;

/// <summary>How the ports of the compliance services can be reached from beyond this machine; nothing of it: not at all.</summary>
public sealed record ComplianceAccess
{
    public static readonly ComplianceAccess LoopbackOnly = new();

    /// <summary>Where they listen beside loopback: an address of the compliance network. Null: nowhere.</summary>
    public IPAddress? Listen { get; init; }

    /// <summary>They speak HTTPS with it; null: plain HTTP, on loopback alone.</summary>
    public ServerCertificate? Certificate { get; init; }

    public bool IsReachable => Listen is not null && !IPAddress.IsLoopback(Listen);

    /// <summary>What does not go together; null when all is well.</summary>
    public string? Fault() => IsReachable && Certificate is null
        ? $"--compliance-listen is {Listen}, which others reach: expected --compliance-cert FILE too, since plain HTTP is for loopback alone"
        : null;
}
