using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary><c>journal</c>, <c>backup</c> and <c>restore</c> on the journal of a replay.</summary>
public sealed class JournalCommandTests
{
    [Fact]
    public async Task A_journal_is_verified_and_exported_line_by_line()
    {
        using var data = new TempFolder();
        string run = await ReplayAsync(data);

        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--run", run, "--data", data.Path)).Succeeded();
        long size = long.Parse(verified.Output.Split(' ')[0]);
        Assert.InRange(size, 100, long.MaxValue);
        Assert.Matches($@"tree size {size} root [0-9a-f]{{64}}\n", verified.Output);
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);

        ProgramResult exported = (await HybridProgram.RunAsync("journal", "export", "--format", "jsonl", "--run", run, "--data", data.Path))
            .Succeeded();
        JsonObject[] events = [.. exported.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!.AsObject())];
        Assert.Equal(size, events.Length);
        Assert.Equal(Enumerable.Range(0, events.Length).Select(position => (long)position), events.Select(one => (long)one["position"]!));
        foreach (IGrouping<string, JsonObject> stream in events.GroupBy(one => (string)one["stream"]!))
        {
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(version => (long)version), stream.Select(one => (long)one["version"]!));
        }
        Assert.Contains(events, one => (string?)one["name"] == "order-filled" && (decimal)one["payload"]!["volume"]! > 0);

        ProgramResult tail = (await HybridProgram.RunAsync("journal", "export", "--from", $"{size - 3}", "--run", run, "--data", data.Path))
            .Succeeded();
        Assert.Equal(exported.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^3..],
            tail.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_flipped_byte_is_found_and_its_position_named()
    {
        using var data = new TempFolder();
        string run = await ReplayAsync(data);
        string segment = Directory.GetFiles(Path.Combine(data.Path, "runs", run, "journal"), "*.log").Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(segment);
        bytes[bytes.Length / 2] ^= 0x10;
        File.WriteAllBytes(segment, bytes);

        ProgramResult result = await HybridProgram.RunAsync("journal", "verify", "--run", run, "--data", data.Path);

        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(result.ErrorLines, line => System.Text.RegularExpressions.Regex.IsMatch(line,
            $@"^fault: position \d+, .*{Path.GetFileName(segment)} at byte \d+: "));
        Assert.DoesNotContain("sound", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_is_restored_alike_and_a_damaged_one_refused()
    {
        using var data = new TempFolder();
        string run = await ReplayAsync(data);
        string source = Path.Combine(data.Path, "runs", run), backup = data["backup"], restored = data["restored"];
        ProgramResult before = (await HybridProgram.RunAsync("journal", "verify", "--data", source)).Succeeded();

        (await HybridProgram.RunAsync("backup", backup, "--data", source)).Succeeded();
        (await HybridProgram.RunAsync("restore", backup, "--data", restored)).Succeeded();

        ProgramResult after = (await HybridProgram.RunAsync("journal", "verify", "--data", restored)).Succeeded();
        Assert.Equal(before.Output, after.Output);

        ProgramResult occupied = await HybridProgram.RunAsync("restore", backup, "--data", restored);
        Assert.Equal(1, occupied.ExitCode);
        Assert.Contains(occupied.ErrorLines, line => line.Contains("not empty", StringComparison.Ordinal));

        string copy = Directory.GetFiles(backup, "*.log", SearchOption.AllDirectories).First();
        byte[] bytes = File.ReadAllBytes(copy);
        bytes[^100] ^= 1;
        File.WriteAllBytes(copy, bytes);
        ProgramResult damaged = await HybridProgram.RunAsync("restore", backup, "--data", data["again"]);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains(damaged.ErrorLines, line => line.Contains(Path.GetFileName(copy), StringComparison.Ordinal));
        bool untouched = !Directory.Exists(data["again"]) || Directory.GetFiles(data["again"], "*.log", SearchOption.AllDirectories).Length == 0;
        Assert.True(untouched, "a damaged backup was put in place");
    }

    [Theory]
    [InlineData("journal verify")]
    [InlineData("journal export")]
    [InlineData("backup {target}")]
    public async Task A_folder_without_data_is_named(string command)
    {
        using var folder = new TempFolder();
        string[] words = command.Replace("{target}", folder["target"], StringComparison.Ordinal).Split(' ');

        ProgramResult result = await HybridProgram.RunAsync([.. words, "--data", folder["nothing"]]);

        Assert.Equal(1, result.ExitCode);
        string line = Assert.Single(result.ErrorLines);
        Assert.Contains(folder["nothing"], line, StringComparison.Ordinal);
        Assert.Contains("--data", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["nothing"]));
    }

    private static async Task<string> ReplayAsync(TempFolder data)
    {
        ProgramResult result = (await HybridProgram.RunAsync(
            "replay", SharedData.Path("data/lean/cfd/oanda/minute/xauusd"), "--strategy", "donchian-breakout", "--set", "units=10", "--data",
            data.Path, "--json")).Succeeded();
        return (string)JsonNode.Parse(result.Output)!["runId"]!;
    }
}
