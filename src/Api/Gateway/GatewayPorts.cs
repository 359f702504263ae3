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
    /// <summary>The gateway's ports by HTTPS and beyond loopback as told; those of all other services on loopback.</summary>
    public static void Listen(KestrelServerOptions kestrel, ServiceEndpoints plan, GatewayAccess access)
    {
        Bound(kestrel.Limits);
        kestrel.AddServerHeader = false;
        IReadOnlySet<int> gateway = plan.PortsOf(ServiceEndpoints.Gateway);
        foreach (int port in plan.ListenPorts)
        {
            if (!gateway.Contains(port))
            {
                kestrel.ListenLocalhost(port);
                continue;
            }
            bool everywhere = access.Listen is { } address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));
            if (everywhere) kestrel.Listen(access.Listen!, port, Secure);
            else kestrel.ListenLocalhost(port, Secure);
            if (!everywhere && access.Listen is { } one && !IPAddress.IsLoopback(one)) kestrel.Listen(one, port, Secure);
        }

        void Secure(ListenOptions listen)
        {
            if (access.Certificate is not { } certificate) return;
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
