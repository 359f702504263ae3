using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary><c>optimise</c>, <c>walkforward</c> and the checks by the built program.</summary>
public sealed class SearchCommandTests
{
    private static string[] Search(params string[] further) =>
        ["optimise", SharedData.Path("data/mt5-history/eurusd_d1.zip"), "--symbol", "EURUSD", "--vary", "fast=2..6", "--vary", "slow=10..30/10", "--json", .. further];

    [Fact]
    public async Task The_best_trial_is_the_back_test_of_its_settings_and_a_cut_search_goes_on()
    {
        using var folder = new TempFolder();
        string file = folder["trials.jsonl"];
        JsonObject whole = await JsonAsync(Search("--trials", file));
        JsonObject best = whole["best"]![0]!.AsObject();
        JsonObject report = await RunCall.BacktestAsync(SharedData.Path("data/mt5-history/eurusd_d1.zip"), "--symbol", "EURUSD",
            "--set", $"fast={best["parameters"]!["fast"]}", "--set", $"slow={best["parameters"]!["slow"]}");
        Assert.Equal((string?)report["orderListHash"], (string?)whole["orderListHash"]);
        Assert.Equal((decimal)report["finalEquity"]!, (decimal)best["statistics"]!["finalEquity"]!);

        // As a kill leaves it: some trials whole, one torn.
        string[] lines = await File.ReadAllLinesAsync(file);
        Assert.Equal(1 + 15, lines.Length);
        await File.WriteAllTextAsync(file, string.Join('\n', lines[..8]) + "\n" + lines[8][..20]);
        JsonObject again = await JsonAsync(Search("--trials", file, "--threads", "1"));
        Assert.Equal(7, (int)again["known"]!);
        Assert.Equal(whole["best"]!.ToJsonString(), again["best"]!.ToJsonString());
        Assert.Equal(16, (await File.ReadAllLinesAsync(file)).Length);

        ProgramResult other = await HybridProgram.RunAsync(Search("--trials", file, "--spread", "3"));
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("of another search", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checks_and_walk_forward_say_what_they_found()
    {
        string[] data = [SharedData.Path("data/mt5-history/eurusd_d1.zip"), "--symbol", "EURUSD", "--json"];
        JsonObject ahead = await JsonAsync(["backtest", "check-lookahead", .. data, "--cuts", "10"]);
        Assert.Empty(ahead["differences"]!.AsArray());
        ProgramResult cold = await HybridProgram.RunAsync(["backtest", "check-warmup", .. data, "--strategy", "rsi-reversion"]);
        Assert.Equal(1, cold.ExitCode);
        await JsonAsync(["backtest", "check-warmup", .. data, "--strategy", "rsi-reversion", "--bars", "400"]);
        JsonObject walk = await JsonAsync(["walkforward", .. data, "--vary", "fast=2..6/2", "--vary", "slow=10..30/10", "--windows", "4"]);
        Assert.Equal(4, walk["windows"]!.AsArray().Count);
        Assert.Contains((string)walk["verdict"]!["finding"]!, (string[])["NotEnoughData", "NoEdgeShown", "EdgeShown"]);
    }

    [Fact]
    public async Task A_walk_forward_that_was_cut_off_goes_on_to_the_same_end()
    {
        using var folder = new TempFolder();
        string file = folder["walk.jsonl"];
        string[] walk =
        [
            "walkforward", SharedData.Path("data/mt5-history/eurusd_d1.zip"), "--symbol", "EURUSD", "--vary", "fast=2..6/2", "--vary", "slow=10,20", "--windows", "3", "--json",
            "--trials", file,
        ];
        string whole = (await JsonAsync(walk)).ToJsonString();
        string[] lines = await File.ReadAllLinesAsync(file);
        Assert.Equal(1 + 4 * 6, lines.Length);
        // Within a window, and in the round over all data whose days are kept as well.
        foreach (int kept in (int[])[5, 22])
        {
            await File.WriteAllTextAsync(file, string.Join('\n', lines[..kept]) + "\n" + lines[kept][..20]);
            Assert.Equal(whole, (await JsonAsync([.. walk, "--threads", "1"])).ToJsonString());
            Assert.Equal(lines.Order(StringComparer.Ordinal), (await File.ReadAllLinesAsync(file)).Order(StringComparer.Ordinal));
        }
        ProgramResult other = await HybridProgram.RunAsync([.. walk, "--ratio", "2"]);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("of another search", other.Error, StringComparison.Ordinal);
    }

    private static async Task<JsonObject> JsonAsync(string[] arguments) => JsonNode.Parse((await HybridProgram.RunAsync(arguments)).Succeeded().Output)!.AsObject();
}
