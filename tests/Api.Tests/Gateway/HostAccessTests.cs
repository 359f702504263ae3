using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Ports;
using HybridTrading.Tests.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Tests.Gateway;

/// <summary>Who is admitted where, over real connections.</summary>
[Collection(PortServer.Collection)]
public sealed class HostAccessTests
{
    private const string Name = "trade.example.com";
    private static readonly string[] Services = ["api-gateway", "data-bridge"];

    private sealed class Open : IPublicAccess
    {
        public bool IsOpen => true;
    }

    private static Task<PortServer> StartAsync(GatewayAccess access, bool open = true) => PortServer.StartAsync(PortMap.Default, Services,
        app => app.MapGet("/who", (HttpContext context) => $"{context.Request.Scheme} {context.Connection.RemoteIpAddress}"),
        builder =>
        {
            if (open) builder.Services.AddSingleton<IPublicAccess, Open>();
        }, access);

    private static async Task<(int Status, string Body, HttpResponseMessage Answer)> GetAsync(
        PortServer server, string host, string? client = null, string? scheme = null, string? origin = null, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, $"http://127.0.0.1:{server["api-gateway"]}/who");
        request.Headers.Host = host;
        if (client is not null) request.Headers.Add("X-Forwarded-For", client);
        if (scheme is not null) request.Headers.Add("X-Forwarded-Proto", scheme);
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (method == HttpMethod.Options) request.Headers.Add("Access-Control-Request-Method", "GET");
        HttpResponseMessage answer = await server.Client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    private static string Reason(string body) => JsonElement.Parse(body).GetProperty("reason").GetString()!;

    private static readonly GatewayAccess BehindProxy = new() { PublicHosts = [Name], Proxies = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")] };

    [Fact]
    public async Task A_declared_proxy_says_for_whom_and_by_which_scheme_it_calls()
    {
        await using PortServer server = await StartAsync(BehindProxy);
        (int status, string body, HttpResponseMessage answer) = await GetAsync(server, Name, "203.0.113.7", "https");
        Assert.Equal((200, "https 203.0.113.7"), (status, body));
        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
        Assert.Equal("https-required", Reason((await GetAsync(server, Name, "203.0.113.7", "http")).Body));
        Assert.Equal("proxy-missing", Reason((await GetAsync(server, Name)).Body));
        // Whoever calls for another cannot call themselves this machine.
        Assert.Equal(421, (await GetAsync(server, "localhost", "203.0.113.7", "https")).Status);
        Assert.Equal(421, (await GetAsync(server, "other.example.com", "203.0.113.7", "https")).Status);
        (int here, string local, HttpResponseMessage plain) = await GetAsync(server, $"localhost:{server["api-gateway"]}");
        Assert.Equal(200, here);
        Assert.StartsWith("http 127.0.0.1", local);
        Assert.False(plain.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Nobody_else_may_say_for_whom_they_call()
    {
        await using PortServer server = await StartAsync(new GatewayAccess { PublicHosts = [Name], Proxies = [IPNetwork.Parse("10.9.9.9/32")] });
        Assert.Equal("proxy-missing", Reason((await GetAsync(server, Name, "203.0.113.7", "https")).Body));
        Assert.StartsWith("http 127.0.0.1", (await GetAsync(server, "localhost", "203.0.113.7", "https")).Body);
    }

    [Fact]
    public async Task Others_are_served_only_when_somebody_can_sign_in()
    {
        await using PortServer server = await StartAsync(BehindProxy, open: false);
        (int status, string body, _) = await GetAsync(server, Name, "203.0.113.7", "https");
        Assert.Equal((503, "not-open"), (status, Reason(body)));
        Assert.Equal(200, (await GetAsync(server, "localhost")).Status);
    }

    [Fact]
    public async Task A_public_name_is_the_gateways_alone()
    {
        await using PortServer server = await StartAsync(BehindProxy);
        (int status, _) = await server.SendAsync(server["data-bridge"], "/health", host: Name);
        Assert.Equal(421, status);
    }

    [Fact]
    public async Task Pages_of_other_sites_are_refused_unless_they_are_allowed()
    {
        await using PortServer server = await StartAsync(BehindProxy with { CorsOrigins = ["https://app.example.com"] });
        Assert.Equal(200, (await GetAsync(server, Name, "203.0.113.7", "https", $"https://{Name}")).Status);
        Assert.Equal(200, (await GetAsync(server, Name, "203.0.113.7", "https", "https://app.example.com")).Status);
        Assert.Equal("origin-not-own", Reason((await GetAsync(server, Name, "203.0.113.7", "https", "https://evil.example.com")).Body));
        Assert.Equal("origin-not-own", Reason((await GetAsync(server, Name, "203.0.113.7", "https", $"http://{Name}")).Body));
        Assert.Equal("origin-not-own", Reason((await GetAsync(server, Name, "203.0.113.7", "https", "null")).Body));
    }

    [Fact]
    public async Task The_gateway_speaks_HTTPS_with_a_certificate_and_takes_a_renewed_one_without_a_restart()
    {
        using var folder = new TempFolder();
        var clock = new FakeTimeProvider();
        string file = Path.Combine(folder.Path, "cert.pem"), key = Path.Combine(folder.Path, "key.pem");
        string first = Write(file, key, "first"), pfx = Path.Combine(folder.Path, "cert.pfx");
        var certificate = new ServerCertificate(file, key, null, clock, NullLogger.Instance);
        await using PortServer server = await StartAsync(new GatewayAccess { PublicHosts = [Name], Certificate = certificate });

        Assert.Equal(first, await SeenAsync(server));
        // The other services stay as they were.
        Assert.Equal(404, (await server.SendAsync(server["data-bridge"], "/who")).Status);
        string second = Write(file, key, "second");
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(second, await SeenAsync(server));
        File.WriteAllText(file, "half a");
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(second, await SeenAsync(server));

        using (X509Certificate2 loaded = X509Certificate2.CreateFromPem(Pem("third", out RSA rsa)).CopyWithPrivateKey(rsa))
        {
            File.WriteAllBytes(pfx, loaded.Export(X509ContentType.Pkcs12, "word"));
        }
        Assert.Equal("CN=third", new ServerCertificate(pfx, null, "word", clock, NullLogger.Instance).Current.TargetCertificate.Subject);
        Assert.Contains("cannot be used", Assert.Throws<InvalidDataException>(() => new ServerCertificate(pfx, null, "wrong", clock, NullLogger.Instance)).Message);
        Assert.Contains("cannot be used", Assert.Throws<InvalidDataException>(() => new ServerCertificate(file + "x", null, null, clock, NullLogger.Instance)).Message);
    }

    [Theory]
    [InlineData("0.0.0.0", "", false, false, "--listen is 0.0.0.0")]
    [InlineData("0.0.0.0", "", false, true, "--public-host is missing")]
    [InlineData(null, "", false, true, "--public-host is missing")]
    [InlineData("10.0.0.5", "https://trade.example.com", false, true, "--public-host is 'https://trade.example.com'")]
    [InlineData("10.0.0.5", Name, false, true, null)]
    [InlineData(null, "", false, false, null)]
    public void What_does_not_go_together_is_refused(string? listen, string host, bool cors, bool proxy, string? fault)
    {
        var access = new GatewayAccess
        {
            Listen = listen is null ? null : IPAddress.Parse(listen), PublicHosts = host.Length == 0 ? [] : [host],
            Proxies = proxy ? [IPNetwork.Parse("10.0.0.1/32")] : [], CorsOrigins = cors ? ["x"] : [],
        };
        if (fault is null) Assert.Null(access.Fault());
        else Assert.StartsWith(fault, access.Fault());
    }

    /// <summary>The subject of the certificate that a new connection is shown.</summary>
    private static async Task<string> SeenAsync(PortServer server)
    {
        string subject = "";
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    subject = shown!.Subject;
                    return true;
                },
            },
        };
        using var client = new HttpClient(handler);
        using HttpResponseMessage answer = await client.GetAsync(new Uri($"https://localhost:{server["api-gateway"]}/who"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return subject;
    }

    private static string Write(string file, string key, string name)
    {
        File.WriteAllText(file, Pem(name, out RSA rsa));
        File.WriteAllText(key, rsa.ExportPkcs8PrivateKeyPem());
        rsa.Dispose();
        return $"CN={name}";
    }

    private static string Pem(string name, out RSA key)
    {
        key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return made.ExportCertificatePem();
    }
}
