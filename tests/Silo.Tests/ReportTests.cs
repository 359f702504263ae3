using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Reports from the command line: the same from a back-test and from a replay, whole or not at all, and a clear word for wrong
/// input.</summary>
public sealed class ReportTests
{
    [Fact]
    public async Task A_backtest_a_replay_and_the_stored_run_give_the_same_report()
    {
        using var folder = new TempFolder();
        string data = Write(folder, "EURUSD_M1.csv"), store = Path.Combine(folder.Path, "data");
        string[] options = [data, "--symbol", "EURUSD", "--set", "fast=3", "--set", "slow=8", "--commission-per-lot", "3.5", "--slippage", "1",
            "--spread", "8"];
        string reports = Path.Combine(folder.Path, "backtest"), replayed = Path.Combine(folder.Path, "replay.json"),
            again = Path.Combine(folder.Path, "again.json");

        ProgramResult backtest = (await HybridProgram.RunAsync(["backtest", .. options, "--json", "--report", reports])).Succeeded();
        ProgramResult replay = (await HybridProgram.RunAsync(["replay", .. options, "--json", "--data", store, "--report", replayed])).Succeeded();
        string run = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(store, "runs"))));
        ProgramResult report = (await HybridProgram.RunAsync("report", run, "--data", store, "--out", again)).Succeeded();

        Assert.Equal(["daily.csv", "equity.csv", "report.html", "report.json", "trades.csv"],
            Directory.GetFiles(reports).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        JsonObject one = Parse(Path.Combine(reports, "report.json")), two = Parse(replayed), three = Parse(again);
        Assert.Equal(Figures(one), Figures(two));
        Assert.True(JsonNode.DeepEquals(two, three));
        Assert.Equal(run, (string?)two["run"]!["runId"]);
        Assert.Contains($"wrote {again}", report.ErrorLines);
        JsonNode printed = JsonNode.Parse(backtest.Output)!;
        Assert.Equal((string?)printed["orderListHash"], (string?)one["run"]!["orderListHash"]);
        Assert.Equal((string?)JsonNode.Parse(replay.Output)!["orderListHash"], (string?)one["run"]!["orderListHash"]);
        Assert.Equal((int)printed["closedTrades"]!, (int)one["trades"]!["count"]!);
        Assert.True((int)one["trades"]!["count"]! > 10 && (decimal)one["costs"]!["spread"]! > 0 && (decimal)one["costs"]!["slippage"]! > 0);

        string[] trades = await File.ReadAllLinesAsync(Path.Combine(reports, "trades.csv"));
        Assert.Equal((int)one["trades"]!["count"]!, trades.Length - 1);
        int net = Array.IndexOf(trades[0].Split(','), "net");
        Assert.Equal((decimal)one["trades"]!["net"]!, trades.Skip(1).Sum(line =>
            decimal.Parse(line.Split(',')[net], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal((int)printed["dataPoints"]!, File.ReadLines(Path.Combine(reports, "equity.csv")).Count() - 1);
    }

    [Fact]
    public async Task What_is_in_the_way_is_refused_before_the_run_and_nothing_half_written_stays()
    {
        using var folder = new TempFolder();
        string data = Write(folder, "EURUSD_M1.csv");
        Directory.CreateDirectory(Path.Combine(folder.Path, "taken.html"));
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--report", Path.Combine(folder.Path, "taken.html")], "--report is '",
            "is a folder");
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--report", Path.Combine(folder.Path, "none", "x.html")],
            "there is no folder");
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--report", Path.Combine(folder.Path, "x.pdf")],
            "FILE.html, FILE.json or a folder", ".pdf");
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--trials", "0"], "--trials is 0", "1 to 1000000000");
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--trials", "9"], "--trials is 9", "--trial-variance");
        await AssertRefusedAsync(["backtest", data, "--symbol", "EURUSD", "--risk-free", "-100"], "--risk-free is -100", "above -100");
        Assert.Equal(["EURUSD_M1.csv", "taken.html"],
            Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Compare_wants_two_reports_and_a_page()
    {
        using var folder = new TempFolder();
        string data = Write(folder, "EURUSD_M1.csv"), good = Path.Combine(folder.Path, "good.json"), bad = Path.Combine(folder.Path, "bad.json"),
            page = Path.Combine(folder.Path, "page.html");
        (await HybridProgram.RunAsync("backtest", data, "--symbol", "EURUSD", "--json", "--report", good)).Succeeded();
        await File.WriteAllTextAsync(bad, """{ "finalEquity": 1 }""");
        await AssertRefusedAsync(["compare", good, "--out", page], "1 reports given", "2 to 24");
        await AssertRefusedAsync(["compare", good, good], "--out is missing");
        await AssertRefusedAsync(["compare", good, good, "--out", Path.Combine(folder.Path, "page.pdf")], "--out is '", "FILE.html");
        await AssertRefusedAsync(["compare", good, bad, "--out", page], "bad.json is no report");
        await AssertRefusedAsync(["compare", good, Path.Combine(folder.Path, "nowhere.json"), "--out", page], "nowhere.json: no such file");
        Assert.False(File.Exists(page));
        (await HybridProgram.RunAsync("compare", good, good, "--out", page)).Succeeded();
        Assert.Contains("2 runs compared", await File.ReadAllTextAsync(page), StringComparison.Ordinal);
    }

    [Fact]
    public Task A_run_that_is_not_there_is_named() => AssertRefusedAsync(["report", "nope"], "no run nope");

    private static async Task AssertRefusedAsync(string[] arguments, params string[] named)
    {
        ProgramResult result = await HybridProgram.RunAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        string line = Assert.Single(result.ErrorLines);
        Assert.All(named, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }

    private static JsonObject Parse(string file) => JsonNode.Parse(File.ReadAllText(file))!.AsObject();

    /// <summary>All but who ran it.</summary>
    private static string Figures(JsonObject report)
    {
        JsonObject copy = report.DeepClone().AsObject();
        foreach (string name in (string[])["mode", "runId"]) copy["run"]!.AsObject().Remove(name);
        return copy.ToJsonString();
    }

    /// <summary>Three days of minutes that swing.</summary>
    private static string Write(TempFolder folder, string name)
    {
        string path = Path.Combine(folder.Path, name);
        var start = new DateTime(2024, 1, 9, 0, 0, 0, DateTimeKind.Utc);
        int Price(int minute) => 110_000 + (minute % 97 * 7) - (minute % 41 * 9) + (minute % 240);
        File.WriteAllLines(path, ["time,open,high,low,close,volume", .. Enumerable.Range(0, 3 * 1440).Select(minute =>
        {
            int open = Price(minute), close = Price(minute + 1);
            return FormattableString.Invariant($"{start.AddMinutes(minute):yyyy-MM-dd HH:mm:ss},{open / 100_000m},{(Math.Max(open, close) + 3) / 100_000m},{(Math.Min(open, close) - 3) / 100_000m},{close / 100_000m},1");
        })]);
        return path;
    }
}
