using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace HybridTrading.Silo.Tests;

/// <summary>The gateway beyond this machine, from its command line.</summary>
public sealed class GatewayOptionsTests
{
    [Theory]
    [InlineData("--listen is 0.0.0.0", "--listen", "0.0.0.0", "--public-host", "trade.example.com")]
    [InlineData("--listen is 'everywhere'", "--listen", "everywhere")]
    [InlineData("--public-host is missing", "--behind-proxy", "127.0.0.1")]
    [InlineData("--public-host is 'https://trade.example.com'", "--behind-proxy", "127.0.0.1", "--public-host", "https://trade.example.com")]
    [InlineData("--behind-proxy is '10.0.0.5/99'", "--behind-proxy", "10.0.0.5/99", "--public-host", "trade.example.com")]
    [InlineData("--cert nowhere.pem cannot be used", "--cert", "nowhere.pem")]
    [InlineData("--cert-key is of a certificate", "--cert-key", "key.pem")]
    [InlineData("--cors-origin is 'app.example.com'", "--cors-origin", "app.example.com")]
    public async Task What_cannot_be_is_refused_before_anything_starts(string fault, params string[] options)
    {
        using var data = new TempFolder();
        ProgramResult result = await HybridProgram.RunAsync(["run", "--data", data.Path, .. options]);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains(fault, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(data.Path));
    }

    [Fact]
    public async Task With_a_certificate_the_gateway_speaks_HTTPS_and_the_health_command_finds_it()
    {
        using TempFolder data = new(), files = new();
        string certificate = Path.Combine(files.Path, "cert.pem");
        using (RSA key = RSA.Create(2048))
        {
            var request = new CertificateRequest("CN=trade.example.com", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            // The key in the same file.
            File.WriteAllText(certificate, made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        }
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--cert", certificate);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=trade.example.com" };
        using var client = new HttpClient(handler);
        Assert.Contains("healthy", await client.GetStringAsync(new Uri($"https://localhost:{system.Gateway}/health")), StringComparison.Ordinal);
        (await HybridProgram.RunAsync("health", "--port-offset", $"{system.Gateway - 8000}")).Succeeded();
        (await system.Program.StopAsync()).Succeeded();
    }
}
