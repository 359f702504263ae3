using System.Net;
using System.Text;
using HybridTrading.Silo.Commands;
using HybridTrading.Silo.Hosting;
using HybridTrading.Silo.Hosting.Tls;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace HybridTrading.Silo.Tests;

public sealed class ClusterProcessTests
{
    private const string Database = "Host=127.0.0.1;Database=hybrid";

    [Fact]
    public void Beyond_this_machine_only_with_TLS()
    {
        Assert.Contains("--tls-authority", Refusal(new ClusterProcess { Database = Database, Listen = IPAddress.Any, Advertised = IPAddress.Parse("10.0.0.4") }));
        Assert.Contains("DATABASE_URL", Refusal(new ClusterProcess { Listen = IPAddress.Parse("10.0.0.4"), Advertised = IPAddress.Parse("10.0.0.4") }));
        using var certificates = new TempFolder();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        ClusterAuthority.Create(certificates.Path, "hybrid.test", TimeSpan.FromDays(30), now).Issue(certificates.Path, "silo", "hybrid.test", TimeSpan.FromDays(1), now);
        var tls = new ClusterTls(
            new ClusterTlsFiles(Path.Combine(certificates.Path, "authority.crt"), Path.Combine(certificates.Path, "silo.crt"), Path.Combine(certificates.Path, "silo.key"), "hybrid.test"),
            TimeProvider.System, NullLogger.Instance);
        ClusterProcess secured = new() { Database = Database, Listen = IPAddress.Any, Advertised = IPAddress.Parse("10.0.0.4"), Tls = tls };
        secured.Check();
        Assert.Contains("--cluster-address is 0.0.0.0", Refusal(secured with { Advertised = IPAddress.Any }));
    }

    [Fact]
    public void The_gateway_alone_is_a_client_of_the_cluster()
    {
        Assert.True(new ClusterProcess { Services = ["api-gateway"] }.IsClient);
        Assert.False(new ClusterProcess { Services = ["api-gateway", "trading-engine"] }.IsClient);
        Assert.False(new ClusterProcess().IsClient);
        Assert.True(new ClusterProcess().Hosts("trading-engine"));
        Assert.False(new ClusterProcess { Services = ["api-gateway"] }.Hosts("trading-engine"));
    }

    [Fact]
    public void The_dashboard_opens_to_the_token_only()
    {
        var access = new DashboardAccess(Configured("sixteen letters!"));
        Assert.Null(access.Generated);
        Assert.True(access.Admits(Basic("operator:sixteen letters!")));
        Assert.True(access.Admits(Basic("anybody:sixteen letters!")));
        foreach (string? wrong in new[] { null, "", "Basic", "Basic ", "Basic !", Basic("operator:sixteen letters"), Basic("sixteen letters!"), Basic(":"), "Bearer sixteen letters!" })
        {
            Assert.False(access.Admits(wrong), wrong);
        }
    }

    [Fact]
    public void Without_a_token_every_start_makes_one_of_its_own()
    {
        DashboardAccess one = new(Configured(null)), other = new(Configured(null));
        Assert.NotEqual(one.Generated, other.Generated);
        Assert.True(one.Admits(Basic($"operator:{one.Generated}")));
        Assert.False(one.Admits(Basic($"operator:{other.Generated}")));
        Assert.Contains("at least 16", Assert.Throws<ArgumentException>(() => new DashboardAccess(Configured("short"))).Message);
    }

    private static string Refusal(ClusterProcess member) => Assert.Throws<UsageException>(member.Check).Message;

    private static string Basic(string pair) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))}";

    private static IConfiguration Configured(string? token) =>
        new ConfigurationBuilder().AddInMemoryCollection([new(DashboardAccess.TokenKey, token)]).Build();
}
