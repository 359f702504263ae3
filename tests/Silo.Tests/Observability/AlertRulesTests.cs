namespace HybridTrading.Silo.Tests.Observability;

/// <summary>The files of <c>infra/observability</c>, by Prometheus' own judge.</summary>
public sealed class AlertRulesTests
{
    private static readonly string Folder = Path.Combine(SharedData.RepositoryRoot, "infra", "observability");

    [Theory]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Prometheus_accepts_them(params string[] arguments)
    {
        (int exitCode, string output) = await Promtool.RunAsync(Folder, null, arguments);
        Assert.True(exitCode == 0, output);
    }
}
