namespace HybridTrading.Tests;

public sealed partial class PostgresServer
{
    /// <summary>As <see cref="TryStartNewAsync"/>; skips the running test where the server is not installed.</summary>
    public static async Task<PostgresServer> StartNewAsync(params string[] settings)
    {
        PostgresServer? server = await TryStartNewAsync(settings);
        Assert.SkipUnless(server is not null, "needs the PostgreSQL server (Debian package postgresql)");
        return server!;
    }
}
