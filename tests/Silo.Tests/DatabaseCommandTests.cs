namespace HybridTrading.Silo.Tests;

/// <summary>The commands of a cluster's database, as an operator calls them.</summary>
public sealed class DatabaseCommandTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private PostgresServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PostgresServer.StartNewAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Migrate_copy_and_verify_take_a_local_installation_to_a_cluster()
    {
        string url = _server.Url(await _server.CreateDatabaseAsync());
        ProgramResult status = await HybridProgram.RunAsync("db", "status", "--connection", url);
        Assert.Equal(1, status.ExitCode);
        Assert.Contains("0001  journal               missing", status.Output);
        ProgramResult refused = await HybridProgram.RunAsync("data", "copy", "--from", "local", "--to", "postgres", "--data", _folder["data"], "-c", url);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("holds no data", Assert.Single(refused.ErrorLines));

        Assert.Contains("applied 0001 journal", (await HybridProgram.RunAsync("db", "migrate", "--connection", url)).Succeeded().Output);
        Assert.Contains("is current", (await HybridProgram.RunAsync("db", "migrate", "--connection", url)).Succeeded().Output);
        Assert.DoesNotContain("missing", (await HybridProgram.RunAsync("db", "status", "--connection", url)).Succeeded().Output);

        await using (LiveSystem live = await LiveSystem.StartAsync(_folder["data"])) (await live.Program.StopAsync()).Succeeded();
        string[] copy = ["data", "copy", "--from", "local", "--to", "postgres", "--data", _folder["data"], "--connection", url];
        ProgramResult copied = (await HybridProgram.RunAsync(copy)).Succeeded();
        string root = copied.Output.Split("root ")[1].Split(',')[0];
        Assert.Contains(root, (await HybridProgram.RunAsync("journal", "verify", "--data", _folder["data"])).Succeeded().Output);
        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--data", _folder["data"], "--connection", url)).Succeeded();
        Assert.Contains(root, verified.Output);
        Assert.Contains("sound", verified.Output);

        ProgramResult again = await HybridProgram.RunAsync(copy);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("into an empty one only", again.ErrorLines[^1]);
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_one_line_without_the_password()
    {
        string url = _server.Url("nowhere");
        string password = url.Split(':')[2].Split('@')[0];
        foreach ((string[] arguments, int code, string expected) in new[]
        {
            (new[] { "db", "migrate", "--connection", url }, 1, "there is no database"),
            (["db", "migrate", "--connection", url.Replace("postgresql:", "mysql:")], 2, "is no PostgreSQL address"),
            (["db", "migrate", "--connection", url.Replace(password, password + "x")], 1, "does not accept the user or its password"),
            (["db", "status", "--connection", "Host=127.0.0.1;Password=" + password], 2, "names no database"),
            (["data", "copy", "--from", "tape", "--to", "postgres", "--connection", url], 2, "--from is 'tape'; expected local"),
            (["data", "copy", "--from", "local", "--to", "tape", "--connection", url], 2, "--to is 'tape'; expected postgres"),
            (["journal", "verify", "--connection", url], 1, "there is no database"),
        })
        {
            ProgramResult result = await HybridProgram.RunAsync(arguments);
            Assert.Equal(code, result.ExitCode);
            Assert.Contains(expected, Assert.Single(result.ErrorLines));
            Assert.DoesNotContain(password, result.Error + result.Output);
        }
    }
}
