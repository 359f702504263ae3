using System.Globalization;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary><c>backtest compare-live</c> on what a replay and the real live system leave behind.</summary>
public sealed class CompareLiveTests
{
    [Fact]
    public async Task A_replay_is_its_back_test_and_a_changed_price_is_found()
    {
        using var folder = new TempFolder();
        string file = folder.Write("eurusd_h1.csv", Hours((_, price) => price));
        ProgramResult replay = (await HybridProgram.RunAsync("replay", file, "--strategy", "sma-cross", "--set", "fast=3", "--set", "slow=9", "--data", folder["data"], "--json")).Succeeded();
        string id = (string)JsonNode.Parse(replay.Output)!["runId"]!;
        string[] compare = ["backtest", "compare-live", "--data", folder["data"], "--run", id, "--account", "main"];

        ProgramResult alike = (await HybridProgram.RunAsync(compare)).Succeeded();
        Assert.Contains("alike: every order and fill, to the last digit", alike.Output, StringComparison.Ordinal);

        Directory.CreateDirectory(folder["other"]);
        string other = folder.Write("other/eurusd_h1.csv", Hours((hour, price) => hour is > 300 and < 330 ? price + 0.0100m : price));
        ProgramResult changed = await HybridProgram.RunAsync([.. compare, other]);
        Assert.True(changed.ExitCode == 1, changed.ToString());
        Assert.Matches(@"(?m)^cause: price: ", changed.Output);

        string fewer = folder.Write("other/eurusd_h1.csv", string.Concat(Hours((_, price) => price).Split('\n').Where((_, line) => line is not (> 200 and < 260)).Select(line => line + "\n")));
        ProgramResult missing = await HybridProgram.RunAsync([.. compare, fewer, "--json"]);
        Assert.True(missing.ExitCode == 1, missing.ToString());
        JsonNode difference = JsonNode.Parse(missing.Output)!["difference"]!;
        Assert.Equal("MissingData", (string)difference["cause"]!);
        Assert.StartsWith("O\t", (string?)difference["live"] ?? (string)difference["backtest"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_account_is_its_back_test_until_somebody_interferes()
    {
        using var data = new TempFolder();
        string file = SharedData.Path("data/mt5-history/eurusd_d1.zip");
        await using (LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--market", file))
        {
            await PlayedMarket.StartR1Async(system.Client, "EURUSD", "D1");
            await PlayedMarket.PlayAsync(system.Client);
            (await system.Program.StopAsync()).Succeeded();
        }
        string[] compare = ["backtest", "compare-live", "--data", data.Path, "--account", "r1"];
        // Against the market log, and against the file that it came from.
        foreach (string[] further in (string[][])[[], [file]])
        {
            JsonNode alike = JsonNode.Parse((await HybridProgram.RunAsync([.. compare, .. further, "--json"])).Succeeded().Output)!;
            Assert.Null(alike["difference"]);
            Assert.Equal((int)alike["liveOrders"]!, (int)alike["alike"]!);
            Assert.InRange((int)alike["liveOrders"]!, 20, 500);
        }
        ProgramResult dearer = await HybridProgram.RunAsync([.. compare, file, "--spread", "5"]);
        Assert.True(dearer.ExitCode == 1, dearer.ToString());
        Assert.Matches(@"(?m)^cause: spread: EURUSD at ", dearer.Output);

        await using (LiveSystem again = await LiveSystem.StartAsync(data.Path, "hybrid", "--market", file))
        {
            await PlayedMarket.TryAsync(again.Client, HttpMethod.Post, "accounts/r1/orders", new() { ["symbol"] = "EURUSD", ["side"] = "Buy", ["type"] = "Market", ["volume"] = 7_000 });
            (await again.Program.StopAsync()).Succeeded();
        }
        ProgramResult manual = await HybridProgram.RunAsync(compare);
        Assert.True(manual.ExitCode == 1, manual.ToString());
        Assert.Matches(@"(?m)^cause: manual order: order '.*' \(Buy 7000 EURUSD\) was placed by hand", manual.Output);
    }

    [Theory]
    [InlineData("--account is missing", "backtest", "compare-live")]
    [InlineData("holds no data of HybridTrading", "backtest", "compare-live", "--account", "main", "--data", "nowhere")]
    public async Task Wrong_words_end_with_a_line(string said, params string[] line)
    {
        ProgramResult result = await HybridProgram.RunAsync(line);
        Assert.True(result.ExitCode is 1 or 2, result.ToString());
        Assert.Contains(said, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    /// <summary>Hours whose closes swing, with a period that wanders.</summary>
    private static string Hours(Func<int, decimal, decimal> change)
    {
        var begin = new DateTime(2024, 1, 8, 0, 0, 0, DateTimeKind.Utc);
        return "time,open,high,low,close,tick_volume\n" + string.Concat(Enumerable.Range(0, 600).Select(hour =>
        {
            decimal Price(int at) => change(at, Math.Round(1.1m + 0.01m * (decimal)Math.Sin(at * (0.11 + at % 97 / 2000.0)), 5));
            decimal open = Price(hour), close = Price(hour + 1);
            return string.Create(CultureInfo.InvariantCulture, $"{begin.AddHours(hour):yyyy-MM-ddTHH:mm},{open},{Math.Max(open, close)},{Math.Min(open, close)},{close},1\n");
        }));
    }
}
