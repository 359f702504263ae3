using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using HybridTrading.Silo.Commands;
using HybridTrading.Silo.Hosting.Tls;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Silo.Tests;

/// <summary>Real handshakes on loopback, with certificates made here: who belongs to the cluster is admitted, nobody else.</summary>
public sealed class ClusterTlsTests : IDisposable
{
    private const string Cluster = "hybrid.test";
    private static readonly TimeSpan Year = TimeSpan.FromDays(365), Day = TimeSpan.FromDays(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ht-tls-");
    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;
    private readonly ClusterAuthority _authority;

    public ClusterTlsTests()
    {
        _authority = ClusterAuthority.Create(Place("ca"), Cluster, Year, _now - TimeSpan.FromDays(30));
        _authority.Issue(Place("a"), "silo-a", Cluster, Day, _now);
        _authority.Issue(Place("b"), "silo-b", Cluster, Day, _now);
    }

    [Fact]
    public async Task Two_of_one_cluster_meet() => Assert.Null(await MeetAsync(Of("a", "silo-a"), Of("b", "silo-b").Certificate));

    [Fact]
    public async Task Another_authority_of_the_same_name_is_refused()
    {
        ClusterAuthority other = ClusterAuthority.Create(Place("other"), Cluster, Year, _now);
        other.Issue(Place("x"), "silo-x", Cluster, Day, _now);
        ClusterTls stranger = Of("x", "silo-x", "other");
        Assert.Contains(nameof(X509ChainStatusFlags.UntrustedRoot), Of("a", "silo-a").Fault(stranger.Certificate, PeerRole.Client)!
            .Replace(nameof(X509ChainStatusFlags.PartialChain), nameof(X509ChainStatusFlags.UntrustedRoot)));
        Assert.NotNull(await MeetAsync(Of("a", "silo-a"), stranger.Certificate));
    }

    [Fact]
    public async Task An_expired_certificate_is_refused()
    {
        _authority.Issue(Place("old"), "silo-old", Cluster, Day, _now - TimeSpan.FromDays(3));
        ClusterTls a = Of("a", "silo-a");
        using X509Certificate2 old = Load("old", "silo-old");
        Assert.Contains(nameof(X509ChainStatusFlags.NotTimeValid), a.Fault(old, PeerRole.Client)!);
        Assert.NotNull(await MeetAsync(a, old));
        Assert.Contains("NotTimeValid", Assert.Throws<UsageException>(() => Of("old", "silo-old")).Message);
    }

    [Fact]
    public async Task Nobody_comes_in_without_a_certificate() => Assert.NotNull(await MeetAsync(Of("a", "silo-a"), null));

    [Fact]
    public async Task Plain_TCP_is_refused()
    {
        ClusterTls a = Of("a", "silo-a");
        (Socket here, Socket there) = await PairAsync();
        using (there)
        {
            Task<string?> server = ServeAsync(a, here);
            await there.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            Assert.NotNull(await server);
        }
    }

    [Theory]
    [InlineData("another.cluster", true, true, "the cluster's name")]
    [InlineData(Cluster, false, true, "extended key usage")]
    [InlineData(Cluster, true, false, "digitalSignature")]
    public async Task What_the_authority_issued_for_something_else_is_refused(string name, bool forClients, bool forSignatures, string why)
    {
        using X509Certificate2 authority = X509Certificate2.CreateFromPemFile(Path.Combine(Place("ca"), "authority.crt"), Path.Combine(Place("ca"), "authority.key"));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=odd", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(forSignatures ? X509KeyUsageFlags.DigitalSignature : X509KeyUsageFlags.NonRepudiation, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(forClients ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1")], false));
        using X509Certificate2 issued = request.Create(authority, _now - TimeSpan.FromMinutes(1), _now + Day, [1, 2, 3, 4]).CopyWithPrivateKey(key);
        ClusterTls a = Of("a", "silo-a");
        Assert.Contains(why, a.Fault(issued, PeerRole.Client)!);
        using X509Certificate2 usable = X509CertificateLoader.LoadPkcs12(issued.Export(X509ContentType.Pfx), null);
        Assert.NotNull(await MeetAsync(a, usable));
    }

    [Fact]
    public async Task The_authority_itself_is_no_member()
    {
        using X509Certificate2 authority = X509Certificate2.CreateFromPemFile(Path.Combine(Place("ca"), "authority.crt"), Path.Combine(Place("ca"), "authority.key"));
        Assert.NotNull(Of("a", "silo-a").Fault(authority, PeerRole.Client));
        using X509Certificate2 usable = X509CertificateLoader.LoadPkcs12(authority.Export(X509ContentType.Pfx), null);
        Assert.NotNull(await MeetAsync(Of("a", "silo-a"), usable));
    }

    [Fact]
    public async Task A_replaced_certificate_and_authority_are_used_without_a_restart()
    {
        ClusterTls a = Of("a", "silo-a");
        string before = a.Certificate.Thumbprint;
        _authority.Issue(Place("a"), "silo-a", Cluster, Day * 2, _now);
        Assert.NotEqual(before, a.Certificate.Thumbprint);
        Assert.Null(await MeetAsync(a, Of("b", "silo-b").Certificate));

        ClusterAuthority next = ClusterAuthority.Create(Place("next"), Cluster, Year, _now);
        next.Issue(Place("c"), "silo-c", Cluster, Day, _now);
        using X509Certificate2 c = Load("c", "silo-c");
        Assert.NotNull(await MeetAsync(a, c));
        // Both while one follows the other.
        File.AppendAllText(Path.Combine(Place("ca"), "authority.crt"), File.ReadAllText(Path.Combine(Place("next"), "authority.crt")));
        Assert.Null(await MeetAsync(a, c));
        Assert.Null(await MeetAsync(a, Of("b", "silo-b").Certificate));
    }

    /// <summary>As Kubernetes mounts secrets: what changes is the target of a folder's link, never the file that the option names.</summary>
    [Fact]
    public async Task A_certificate_behind_links_is_replaced_with_their_target()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        Directory.CreateDirectory(Place("mount"));
        Exchange("..1");
        foreach (string file in (string[])["silo.crt", "silo.key"]) File.CreateSymbolicLink(Path.Combine(Place("mount"), file), Path.Combine("..data", file));
        ClusterTls mounted = Of("mount", "silo");
        string before = mounted.Certificate.Thumbprint;
        Exchange("..2");
        Assert.NotEqual(before, mounted.Certificate.Thumbprint);
        Assert.Null(await MeetAsync(mounted, Of("b", "silo-b").Certificate));

        void Exchange(string version)
        {
            string data = Path.Combine(Place("mount"), "..data");
            _authority.Issue(Path.Combine(Place("mount"), version), "silo", Cluster, Day, _now);
            File.Delete(data);
            File.CreateSymbolicLink(data, version);
        }
    }

    [Fact]
    public async Task A_bad_replacement_leaves_the_good_one_in_use()
    {
        ClusterTls a = Of("a", "silo-a");
        string before = a.Certificate.Thumbprint;
        File.WriteAllText(Path.Combine(Place("a"), "silo-a.crt"), "nothing");
        Assert.Equal(before, a.Certificate.Thumbprint);
        Assert.Null(await MeetAsync(a, Of("b", "silo-b").Certificate));
        Assert.Throws<UsageException>(() => Of("a", "silo-a"));
    }

    [Fact]
    public void An_authority_is_never_overwritten_and_outlives_what_it_issues()
    {
        Assert.Contains("is there already", Assert.Throws<UsageException>(() => ClusterAuthority.Create(Place("ca"), Cluster, Year, _now)).Message);
        Assert.Contains("outlive", Assert.Throws<UsageException>(() => _authority.Issue(Place("a"), "silo-a", Cluster, Year * 2, _now)).Message);
        Assert.Contains("name is 'a b'", Assert.Throws<UsageException>(() => _authority.Issue(Place("a"), "a b", Cluster, Day, _now)).Message);
        Assert.Contains("no authority", Assert.Throws<UsageException>(() => ClusterAuthority.Open(Place("nowhere"))).Message);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Place("ca"), "authority.key")));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Place(string name) => Path.Combine(_folder.FullName, name);

    private ClusterTls Of(string folder, string name, string authority = "ca") => new(
        new ClusterTlsFiles(Path.Combine(Place(authority), "authority.crt"), Path.Combine(Place(folder), $"{name}.crt"), Path.Combine(Place(folder), $"{name}.key"), Cluster),
        TimeProvider.System, NullLogger.Instance);

    private X509Certificate2 Load(string folder, string name)
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(Path.Combine(Place(folder), $"{name}.crt"), Path.Combine(Place(folder), $"{name}.key"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
    }

    /// <summary>What speaks against the meeting, on the server's side; null when a byte came through.</summary>
    private static async Task<string?> MeetAsync(ClusterTls server, X509Certificate2? client)
    {
        (Socket here, Socket there) = await PairAsync();
        Task<string?> served = ServeAsync(server, here);
        await using var stream = new SslStream(new NetworkStream(there, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = server.ClusterName,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => server.Admits(certificate as X509Certificate2, PeerRole.Server),
                LocalCertificateSelectionCallback = (_, _, _, _, _) => client!,
            });
            await stream.WriteAsync(new byte[] { 42 });
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The server says why.
        }
        return await served;
    }

    private static async Task<string?> ServeAsync(ClusterTls tls, Socket socket)
    {
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = tls.Certificate,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => tls.Admits(certificate as X509Certificate2, PeerRole.Client),
            });
            byte[] got = new byte[1];
            await stream.ReadExactlyAsync(got);
            return got[0] == 42 ? null : "another byte";
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return e.Message;
        }
    }

    private static async Task<(Socket Here, Socket There)> PairAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var there = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task<Socket> accepting = listener.AcceptSocketAsync();
        await there.ConnectAsync(listener.LocalEndpoint);
        return (await accepting, there);
    }
}
