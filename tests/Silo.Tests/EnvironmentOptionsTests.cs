using System.CommandLine;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo.Tests;

/// <summary>Options from the environment, and the question that a container asks of its own process.</summary>
public sealed class EnvironmentOptionsTests
{
    [Fact]
    public void What_the_line_does_not_say_the_environment_does()
    {
        var program = new RootCommand { RunCommand.Create(), DbCommand.Create() };
        Dictionary<string, string> variables = new()
        {
            ["HYBRID_SERVICES"] = "api-gateway", ["HYBRID_PORT_OFFSET"] = "100", ["HYBRID_NO_DEMO"] = "true", ["HYBRID_DATA"] = " ", ["HYBRID_HELP"] = "true",
        };
        Assert.Equal(["--services=api-gateway", "--no-demo=true"], Read("run --port-offset 7"));
        Assert.Equal(["--port-offset=100", "--services=api-gateway", "--no-demo=true"], Read("run"));
        Assert.Empty(Read("db status"));
        variables["HYBRID_CONNECTION"] = "Host=a;Database=b";
        Assert.Equal(["--connection=Host=a;Database=b"], Read("db status"));

        string[] Read(string line) => EnvironmentOptions.Read(program.Parse(line.Split(' ')), variables.GetValueOrDefault);
    }

    [Fact]
    public async Task A_variable_that_cannot_be_used_is_refused_by_the_options_name()
    {
        await using HybridProgram program = HybridProgram.Start(new Dictionary<string, string> { ["HYBRID_PORT_OFFSET"] = "x" }, "health");
        ProgramResult result = await program.WaitAsync();
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--port-offset", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_asks_every_service_and_names_who_is_not_well()
    {
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path);
        Dictionary<string, string> variables = new() { ["HYBRID_PORT_OFFSET"] = $"{system.Offset}" };
        ProgramResult alive = await HybridProgram.Start(variables, "health").WaitAsync(), ready = await HybridProgram.Start(variables, "health", "--ready").WaitAsync();
        Assert.Equal("", alive.Succeeded().Error);
        Assert.Equal("", ready.Succeeded().Error);
        (await system.Program.StopAsync()).Succeeded();

        ProgramResult gone = await HybridProgram.Start(variables, "health", "--services", "api-gateway,audit-trail").WaitAsync();
        Assert.Equal(1, gone.ExitCode);
        Assert.Equal(["api-gateway on port", "audit-trail on port"], gone.ErrorLines.Select(line => string.Join(' ', line.Split(' ')[..3])));
    }

    [Fact]
    public async Task A_master_key_is_made_once()
    {
        using var folder = new TempFolder();
        string key = folder["keys/master.key"];
        (await HybridProgram.RunAsync("keys", "create", key)).Succeeded();
        byte[] made = await File.ReadAllBytesAsync(key, TestContext.Current.CancellationToken);
        Assert.Equal(46, made.Length);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        ProgramResult again = await HybridProgram.RunAsync("keys", "create", key);
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("there already", again.Error, StringComparison.Ordinal);
        (await HybridProgram.RunAsync("keys", "create", key, "--if-missing")).Succeeded();
        Assert.Equal(made, await File.ReadAllBytesAsync(key, TestContext.Current.CancellationToken));
    }
}
