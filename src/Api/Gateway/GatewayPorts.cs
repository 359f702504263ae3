using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Api.Idempotency;
using HybridTrading.Api.Ports;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace HybridTrading.Api.Gateway;

/// <summary>Where the web server listens, and how much it takes of a connection before a request is even one.</summary>
internal static class GatewayPorts
{
    /// <summary>The gateway's ports, and those of the compliance services, by HTTPS and beyond loopback as told; all others on loopback.</summary>
    public static void Listen(KestrelServerOptions kestrel, ServiceEndpoints plan, GatewayAccess access)
    {
        Bound(kestrel.Limits);
        kestrel.AddServerHeader = false;
        IReadOnlySet<int> gateway = plan.PortsOf(ServiceEndpoints.Gateway);
        foreach (int port in plan.ListenPorts)
        {
            (IPAddress? address, ServerCertificate? certificate) = gateway.Contains(port) ? (access.Listen, access.Certificate)
                : plan.OwnerOf(port)!.Network == ServiceNetwork.Compliance ? (access.Compliance.Listen, access.Compliance.Certificate)
                : (null, null);
            Listen(kestrel, port, address, certificate);
        }
    }

    /// <summary>On loopback, and on one more address, or on all.</summary>
    private static void Listen(KestrelServerOptions kestrel, int port, IPAddress? address, ServerCertificate? certificate)
    {
        bool everywhere = address is not null && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
        if (everywhere) kestrel.Listen(address!, port, Secure);
        else kestrel.ListenLocalhost(port, Secure);
        if (!everywhere && address is not null && !IPAddress.IsLoopback(address)) kestrel.Listen(address, port, Secure);

        void Secure(ListenOptions listen)
        {
            if (certificate is null) return;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.Current,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateRequired = false,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                }),
            });
        }
    }

    /// <summary>A request that is larger, or slower, than any of ours ends before it is read.</summary>
    public static void Bound(KestrelServerLimits limits)
    {
        // More than any endpoint takes, so that a body somewhat too large is read to its end and answered, not cut off. Uploads say for themselves that they are larger.
        limits.MaxRequestBodySize = 16 * IdempotentEndpoints.LargestBody;
        limits.MaxRequestLineSize = 8 * 1024;
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 64;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.MaxRequestHeaderFieldSize = 16 * 1024;
    }
}
