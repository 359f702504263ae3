using System.Net;
using System.Net.Http.Headers;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>What only services reach: the compliance network's ports, and metrics from beyond the machine. The whole program, over real connections.</summary>
public sealed class ServiceAccessTests
{
    private const int Monitor = 8017, Trail = 8018, Reporting = 8019;
    private const string Subject = "CN=compliance.internal";

    [Fact]
    public async Task The_compliance_ports_take_tokens_of_their_scope_and_no_others()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);
        string owner = await system.Owner.TokenAsync(new Uri($"http://127.0.0.1:{system.Gateway}"));
        string trading = await TokenAsync(system, "ReadMarket", "ReadTrading"), compliance = await TokenAsync(system, "Compliance");
        foreach (int port in (int[])[Monitor, Trail, Reporting])
        {
            Uri At(string path) => new($"http://127.0.0.1:{port + system.Offset}{path}");
            // Whether it lives, anybody may ask.
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(At("/health"))).Status);
            foreach (string path in (string[])["/health/ready", "/metrics", "/", "/no-such-path", "/health/"])
            {
                (HttpStatusCode status, string body) = await GetAsync(At(path));
                Assert.True(status == HttpStatusCode.Unauthorized && body.Contains("SignInNeeded", StringComparison.Ordinal), $"{path}: {status} {body}");
                Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(At(path), "rubbish")).Status);
                foreach (string token in (string[])[owner, trading])
                {
                    (status, body) = await GetAsync(At(path), token);
                    Assert.True(status == HttpStatusCode.Forbidden && body.Contains("PermissionMissing", StringComparison.Ordinal), $"{path}: {status} {body}");
                }
            }
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(At("/health/ready"), compliance)).Status);
            Assert.Equal(HttpStatusCode.OK, (await GetAsync(At("/metrics"), compliance)).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(At("/no-such-path"), compliance)).Status);
        }
        // On an ordinary port the scope is worth nothing.
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(new Uri($"http://127.0.0.1:{system.Gateway}/api/v1/accounts"), compliance)).Status);
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task Beyond_loopback_the_compliance_ports_speak_HTTPS_with_a_certificate_of_their_own()
    {
        using TempFolder data = new(), files = new();
        string certificate = MakeCertificate(files.Path);
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--compliance-listen", "0.0.0.0", "--compliance-cert", certificate);
        string token = await TokenAsync(system, "Compliance");
        int port = Trail + system.Offset;
        // Its own address of the machine is not loopback: who comes by it comes from elsewhere.
        foreach (IPAddress address in OwnAddress() is { } own ? [IPAddress.Loopback, own] : (IPAddress[])[IPAddress.Loopback])
        {
            Assert.Equal(HttpStatusCode.OK, (await OnceOpenAsync(() => GetAsync(new Uri($"https://{address}:{port}/health")))).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(new Uri($"https://{address}:{port}/health/ready"))).Status);
            (HttpStatusCode status, string body) = await GetAsync(new Uri($"https://{address}:{port}/health/ready"), token);
            Assert.True(status == HttpStatusCode.OK, body);
            await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(new Uri($"http://{address}:{port}/health"), token));
        }
        // The others are where they were.
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(new Uri($"http://127.0.0.1:{8007 + system.Offset}/health/ready"))).Status);
        if (OwnAddress() is { } elsewhere) await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(new Uri($"http://{elsewhere}:{8007 + system.Offset}/health")));
        (await HybridProgram.RunAsync("health", "--ready", "--port-offset", $"{system.Offset}")).Succeeded();
        (await system.Program.StopAsync()).Succeeded();
    }

    [Theory]
    [InlineData("--compliance-listen is 0.0.0.0, which others reach: expected --compliance-cert FILE", "--compliance-listen", "0.0.0.0")]
    [InlineData("--compliance-listen is 'everywhere'", "--compliance-listen", "everywhere")]
    [InlineData("--compliance-cert nowhere.pem cannot be used", "--compliance-cert", "nowhere.pem")]
    [InlineData("--compliance-cert-key is of a certificate; expected --compliance-cert FILE", "--compliance-cert-key", "key.pem")]
    public async Task Plain_HTTP_beyond_loopback_is_refused_before_anything_starts(string fault, params string[] options)
    {
        using var data = new TempFolder();
        ProgramResult result = await HybridProgram.RunAsync(["run", "--data", data.Path, .. options]);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains(fault, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(data.Path));
    }

    [Fact]
    public async Task Metrics_are_open_to_this_machine_and_to_their_permission_from_elsewhere()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--behind-proxy", "127.0.0.1", "--public-host", "trade.example.com");
        var metrics = new Uri($"http://127.0.0.1:{system.Gateway}/metrics");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(metrics)).Status);
        string reader = await TokenAsync(system, "ReadMetrics"), other = await TokenAsync(system, "ReadMarket");
        Assert.Equal(HttpStatusCode.Unauthorized, (await OnceOpenAsync(() => GetAsync(metrics, null, FromElsewhere))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(metrics, "rubbish", FromElsewhere)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(metrics, other, FromElsewhere)).Status);
        (HttpStatusCode status, string text) = await GetAsync(metrics, reader, FromElsewhere);
        Assert.True(status == HttpStatusCode.OK, text);
        Assert.Contains("target_info", text, StringComparison.Ordinal);
        (await system.Program.StopAsync()).Succeeded();

        static void FromElsewhere(HttpRequestMessage request)
        {
            request.Headers.Host = "trade.example.com";
            request.Headers.Add("X-Forwarded-For", "203.0.113.7");
            request.Headers.Add("X-Forwarded-Proto", "https");
        }
    }

    /// <summary>The answer once the process has learnt that there is an owner: until then nobody from elsewhere is served.</summary>
    private static async Task<(HttpStatusCode Status, string Body)> OnceOpenAsync(Func<Task<(HttpStatusCode Status, string Body)>> ask)
    {
        for (int look = 0; ; look++)
        {
            (HttpStatusCode Status, string Body) answer = await ask();
            if (answer.Status != HttpStatusCode.ServiceUnavailable || look == 300) return answer;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A token of a client that the owner makes, by the client's own id and secret.</summary>
    private static async Task<string> TokenAsync(LiveSystem system, params string[] scopes)
    {
        (HttpStatusCode status, JsonNode made) = await PlayedMarket.TryAsync(system.Client, HttpMethod.Post, "clients", new JsonObject
        {
            ["name"] = "A service", ["scopes"] = new JsonArray([.. scopes.Select(scope => (JsonNode)scope)]), ["expiresDays"] = 1,
        });
        Assert.True(status == HttpStatusCode.Created, made.ToString());
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{system.Gateway}/api/v1/auth/token")
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]),
        };
        string pair = $"{(string)made["client"]!["id"]!}:{(string)made["secret"]!}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["access_token"]!;
    }

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(Uri address, string? token = null, Action<HttpRequestMessage>? more = null)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.Subject == Subject };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        more?.Invoke(request);
        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Null on a machine that has none but loopback.</summary>
    private static IPAddress? OwnAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(network => network.OperationalStatus == OperationalStatus.Up)
        .SelectMany(network => network.GetIPProperties().UnicastAddresses)
        .Select(each => each.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    private static string MakeCertificate(string folder)
    {
        string file = Path.Combine(folder, "compliance.pem");
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(file, made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        return file;
    }
}
