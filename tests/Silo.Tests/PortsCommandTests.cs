using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HybridTrading.Silo.Tests;

/// <summary><c>ports</c>: the matrix, its export, and the proof that finds every fault of a broken map.</summary>
public sealed class PortsCommandTests
{
    public static TheoryData<string> Maps { get; } = ["hybrid", "backend", "deltran", "fks"];

    [Theory]
    [MemberData(nameof(Maps))]
    public async Task The_matrix_has_a_row_for_every_service(string map)
    {
        ProgramResult result = (await HybridProgram.RunAsync("ports", "--map", map, "--port-offset", "100")).Succeeded();
        // In a pipe a row is a line, however wide: tools look for port and name on it.
        foreach ((string name, string _, int port, int? _, string? _, bool _) in LiveSystem.Services(map))
        {
            Assert.Matches($@"(?m)^\S?\s*{port + 100}\b.*\s{Regex.Escape(name)}\s", result.Output);
        }
        Assert.All(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[3..^1], line => Assert.Matches(@"^\S?\s*\d+\b", line));
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public async Task Both_exports_hold_every_port(string map)
    {
        ProgramResult env = (await HybridProgram.RunAsync("ports", "export", "--format", "env", "--map", map)).Succeeded();
        ProgramResult json = (await HybridProgram.RunAsync("ports", "export", "--format", "json", "--map", map)).Succeeded();
        string[] lines = env.Output.Split('\n');
        Assert.All(lines, line => Assert.Matches("^(#.*|[A-Z][A-Z0-9_]*=.*)?$", line));
        JsonArray services = JsonNode.Parse(json.Output)!["services"]!.AsArray();
        foreach ((string name, string _, int port, int? _, string? _, bool _) in LiveSystem.Services(map))
        {
            Assert.Contains(lines, line => line.EndsWith($"_PORT={port}", StringComparison.Ordinal));
            Assert.Contains(services, service => (string?)service!["service"] == name && (int)service["port"]! == port);
        }
    }

    [Fact]
    public async Task The_maps_of_the_documents_are_valid()
    {
        ProgramResult result = (await HybridProgram.RunAsync("ports", "validate")).Succeeded();
        Assert.Empty(result.Error);
        Assert.EndsWith("ports: valid\n", result.Output, StringComparison.Ordinal);
        Assert.All(Maps, map => Assert.Contains($"{map.Data}: ", result.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("deltran")]
    [InlineData("--map", "deltran")]
    public async Task Only_the_maps_named_are_checked(params string[] named)
    {
        ProgramResult result = (await HybridProgram.RunAsync(["ports", "validate", .. named])).Succeeded();
        Assert.StartsWith("deltran: ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hybrid: ", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("duplicate-port")]
    [InlineData("out-of-range")]
    [InlineData("unknown-dependency")]
    [InlineData("wrong-network")]
    [InlineData("silo-collision")]
    [InlineData("gateway-collision")]
    [InlineData("duplicate-name")]
    [InlineData("dependency-cycle")]
    [InlineData("port-out-of-bounds")]
    public async Task A_broken_map_fails_and_the_fault_is_named(string fault)
    {
        using var folder = new TempFolder();
        (string file, string[] named) = Break(folder, fault);

        ProgramResult result = await HybridProgram.RunAsync("ports", "validate", file);

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(result.ErrorLines, line => line.Contains($": {fault}: ", StringComparison.Ordinal)
            && named.All(text => line.Contains(text, StringComparison.Ordinal)));
        Assert.Matches(@"ports: \d+ faults?\n$", result.Output);
    }

    [Fact]
    public async Task Every_fault_is_named_and_not_the_first_only()
    {
        using var folder = new TempFolder();
        JsonNode map = Read();
        Service(map, "trading-engine")["port"] = (int)Service(map, "data-bridge")["port"]!;
        Service(map, "portfolio")["dependencies"] = new JsonArray("no-such-service");

        ProgramResult result = await HybridProgram.RunAsync("ports", "validate", folder.Write("broken.json", map.ToJsonString()));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(result.ErrorLines, line => line.Contains("duplicate-port", StringComparison.Ordinal));
        Assert.Contains(result.ErrorLines, line => line.Contains("unknown-dependency", StringComparison.Ordinal));
        Assert.EndsWith($"ports: {result.ErrorLines.Length} faults\n", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clients", "metatrader-connector")]
    [InlineData("services", "data-bridge")]
    public async Task A_number_that_is_no_port_is_a_fault_wherever_it_stands(string list, string name)
    {
        using var folder = new TempFolder();
        JsonNode map = Read();
        map[list]!.AsArray().First(one => (string?)one!["service"] == name)!["port"] = -7;

        ProgramResult result = await HybridProgram.RunAsync("ports", "validate", folder.Write("broken.json", map.ToJsonString()));

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(result.ErrorLines, line => line.Contains("port-out-of-bounds", StringComparison.Ordinal)
            && line.Contains(name, StringComparison.Ordinal) && line.Contains("-7", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_offset_that_leaves_no_ports_fails_with_every_service_named()
    {
        ProgramResult result = await HybridProgram.RunAsync("ports", "validate", "deltran", "--port-offset", "60000");
        Assert.Equal(1, result.ExitCode);
        Assert.All(LiveSystem.Services("deltran"), service => Assert.Contains(
            result.ErrorLines, line => line.Contains("port-out-of-bounds", StringComparison.Ordinal)
                && line.Contains($"{service.Port + 60_000}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("port", "\"8007\"", "whole number")]
    [InlineData("prt", "8007", "prt")]
    public async Task What_is_no_port_map_is_one_line(string field, string value, string expected)
    {
        using var folder = new TempFolder();
        JsonNode map = Read();
        Service(map, "trading-engine")[field] = JsonNode.Parse(value);

        ProgramResult result = await HybridProgram.RunAsync("ports", "validate", folder.Write("broken.json", map.ToJsonString()));

        Assert.Equal(2, result.ExitCode);
        string line = Assert.Single(result.ErrorLines);
        Assert.Contains("trading-engine", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    private static (string File, string[] Named) Break(TempFolder folder, string fault)
    {
        JsonNode map = Read();
        JsonNode engine = Service(map, "trading-engine");
        string[] named = ["trading-engine"];
        switch (fault)
        {
            case "duplicate-port":
                engine["port"] = 8001;
                named = ["trading-engine", "data-bridge", "8001"];
                break;
            case "out-of-range":
                engine["port"] = 7007;
                named = ["trading-engine", "7007"];
                break;
            case "unknown-dependency":
                engine["dependencies"] = new JsonArray("no-such-service");
                named = ["trading-engine", "no-such-service"];
                break;
            case "wrong-network":
                Service(map, "audit-trail")["network"] = "public";
                named = ["audit-trail", "8018"];
                break;
            case "silo-collision":
                engine["port"] = 18001;
                named = ["trading-engine", "data-bridge", "18001"];
                break;
            case "gateway-collision":
                engine["port"] = 28001;
                named = ["trading-engine", "data-bridge", "28001"];
                break;
            case "duplicate-name":
                Service(map, "data-bridge")["service"] = "trading-engine";
                break;
            case "port-out-of-bounds":
                engine["port"] = 70_000;
                named = ["trading-engine", "70000", "1 to 65535"];
                break;
            case "dependency-cycle":
                engine["dependencies"] = new JsonArray("portfolio");
                Service(map, "portfolio")["dependencies"] = new JsonArray("trading-engine");
                named = ["trading-engine", "portfolio"];
                break;
        }
        return (folder.Write("broken.json", map.ToJsonString()), named);
    }

    private static JsonNode Read() => JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "ports", "hybrid.json")))!;

    private static JsonNode Service(JsonNode map, string name) => map["services"]!.AsArray().First(service => (string?)service!["service"] == name)!;
}
