using System.Globalization;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>What the program says to wrong input: exit code 2 and one line that names the field, its value and what was expected.</summary>
public sealed class CommandLineTests
{
    private const string Header = "time,open,high,low,close,volume\n";

    [Theory]
    [InlineData("nonsense", "'nonsense'")]
    [InlineData("run --foo", "'--foo'")]
    [InlineData("run --port-map foo", "port map is 'foo'", "hybrid, backend, deltran, fks")]
    [InlineData("run --port-offset 60000", "--port-offset 60000", "expected 1 to 65535")]
    [InlineData("run --port-offset x", "'x'", "--port-offset")]
    [InlineData("run --services foo,audit-trail", "service is 'foo'", "audit-trail")]
    [InlineData("run --ticks-per-second 0", "--ticks-per-second is 0", "more than 0")]
    [InlineData("run --market-log-days 0", "--market-log-days is 0", "1 to 36500")]
    [InlineData("run --market-log-quota 1", "--market-log-quota is 1", "expected 64")]
    [InlineData("replay --resume nope", "--resume", "no run nope")]
    [InlineData("replay --resume ../../etc", "run id is '../../etc'", "letters, digits and dashes")]
    [InlineData("backtest", "no files given")]
    [InlineData("backtest check-lookahead --cuts 1", "--cuts is 1", "2 to 10000")]
    [InlineData("backtest check-warmup --tolerance 101", "--tolerance is 101", "0 to 100")]
    [InlineData("optimise", "--vary is not given", "FROM..TO/STEP")]
    [InlineData("optimise --vary fast=1..x", "'x' is no number", "fast=5..50/5")]
    [InlineData("optimise --vary fst=1..9", "'fst'", "fast")]
    [InlineData("optimise --vary fast=1..9 --search random:0", "--search is 'random:0'", "grid")]
    [InlineData("optimise --vary fast=1..9 --objective gold", "objective is 'gold'", "sharpe-daily")]
    [InlineData("walkforward --windows 1", "--windows is 1", "2 to 200")]
    [InlineData("walkforward --warmup -1", "--warmup is -1", "0 to 1000000")]
    [InlineData("journal export --format xml", "--format is 'xml'", "jsonl")]
    [InlineData("journal export --from -1", "--from is -1", "0 or more")]
    [InlineData("ports --map foo", "port map is 'foo'", "hybrid, backend, deltran, fks")]
    [InlineData("ports export --format xml", "'xml'", "env")]
    public Task Wrong_words(string line, params string[] named) => AssertRefusedAsync(line.Split(' '), named);

    [Theory]
    [InlineData("--unknown", "'--unknown'")]
    [InlineData("--cash abc", "'abc'", "--cash")]
    [InlineData("--cash 0", "--cash is 0", "more than 0")]
    [InlineData("--account-currency XYZ", "--account-currency is XYZ", "USD")]
    [InlineData("--strategy nope", "'nope'", "sma-cross", "donchian-breakout")]
    [InlineData("--strategy sma-cros", "'sma-cros'", "sma-cross")]
    [InlineData("--set fst=20", "'fst'", "fast")]
    [InlineData("--set fast=abc", "'fast=abc'", "name=number")]
    [InlineData("--set fast", "'fast'", "name=number")]
    [InlineData("--set fast=-1", "fast is -1", "1 to 1000")]
    [InlineData("--set fast=2.5", "fast is 2.5", "whole number")]
    [InlineData("--set fast=60", "fast is 60", "less than slow")]
    [InlineData("--from 2020-13-01", "--from is '2020-13-01'", "2020-01-31")]
    [InlineData("--to yesterday", "--to is 'yesterday'", "2020-01-31")]
    [InlineData("--from 2030-01-01", "2030-01-01", "no rows")]
    [InlineData("--from 2020-01-01 --to 2019-01-01", "2020-01-01", "2019-01-01", "empty")]
    [InlineData("--timeframe M7", "--timeframe is 'M7'", "H1..H12")]
    [InlineData("--timeframe M1", "--timeframe is M1", "D1")]
    [InlineData("--limits nofile.json", "--limits is 'nofile.json'", "none, default")]
    [InlineData("--stop-out 101", "--stop-out is '101'", "0 to 100")]
    [InlineData("--mode both", "--mode is 'both'", "netting or hedging")]
    [InlineData("--fill tomorrow", "--fill is 'tomorrow'", "next-open or next-close")]
    [InlineData("--spread -1", "--spread is -1", "0 to 1000000")]
    [InlineData("--slippage -1", "--slippage is -1", "0 to 1000000")]
    [InlineData("--latency -5", "--latency is -5", "0 to 86400000")]
    [InlineData("--commission-rate -1", "--commission-rate is -1", "0 to 1000")]
    [InlineData("--leverage 0", "leverage is 0", "1 to 1000")]
    [InlineData("--money-digits 99", "moneyDigits is 99", "0 to 10")]
    [InlineData("--account Main", "--account is 'Main'", "a-z")]
    [InlineData("--account main=big", "'big'", "1.5x")]
    [InlineData("--account main --account main", "--account", "twice")]
    [InlineData("--time-zone Nowhere/No", "'Nowhere/No'", "Europe/Athens")]
    [InlineData("--columns tim=time", "'tim'", "time, open, high, low, close")]
    [InlineData("--columns time=when,open=open,high=high,low=low,close=close", "'when'", "time, open, high, low, close")]
    public async Task Wrong_options_of_a_run(string options, params string[] named)
    {
        using var folder = new TempFolder();
        string[] arguments = [Days(folder), .. options.Split(' '), "--symbol", "GBPUSD"];

        await AssertRefusedAsync(["backtest", .. arguments], named);
        await AssertRefusedAsync(["replay", .. arguments, "--data", folder["data"]], named);
    }

    [Theory]
    [InlineData("max!")]
    [InlineData("0")]
    [InlineData("-2")]
    public async Task A_wrong_speed(string speed)
    {
        using var folder = new TempFolder();
        await AssertRefusedAsync(["replay", Days(folder), "--symbol", "GBPUSD", "--speed", speed, "--data", folder["data"]],
            [$"--speed is '{speed}'", "max"]);
        Assert.False(Directory.Exists(folder["data"]));
    }

    [Theory]
    [InlineData("", "gbpusd_d1.csv")]
    [InlineData("time,open,high,low\n2020-01-01,1.3,1.31,1.29\n", "gbpusd_d1.csv", "close")]
    [InlineData(Header + "2020-01-01,1.3,1.31,1.29,abc,1\n", "gbpusd_d1.csv", "2", "'abc'")]
    [InlineData(Header + "2020-41-01,1.3,1.31,1.29,1.3,1\n", "gbpusd_d1.csv", "2", "'2020-41-01'")]
    [InlineData(Header + "2020-01-01,1.3,1.28,1.29,1.3,1\n", "gbpusd_d1.csv", "2", "1.28")]
    [InlineData(Header + "2020-01-01,1.3\n", "gbpusd_d1.csv", "2")]
    public async Task A_wrong_file_is_named_with_line_and_value(string content, params string[] named)
    {
        using var folder = new TempFolder();
        await AssertRefusedAsync(["backtest", folder.Write("gbpusd_d1.csv", content)], named);
    }

    [Fact]
    public async Task Files_that_are_not_there_or_no_data()
    {
        using var folder = new TempFolder();
        await AssertRefusedAsync(["backtest", folder["gbpusd.zip"]], [folder["gbpusd.zip"], "no such file"]);
        await AssertRefusedAsync(["backtest", folder.Path], [folder.Path]);
        await AssertRefusedAsync(["backtest", folder.Write("gbpusd.zip", "no zip at all")], [folder["gbpusd.zip"]]);
    }

    [Theory]
    [InlineData("--strategy sma-cross")]
    [InlineData("--symbol GBPUSD")]
    [InlineData("--account main")]
    [InlineData("--strategy sma-cross --strategy rsi-reversion --account small=0.5x --account big=2x --symbol GBPUSD")]
    public async Task A_file_may_follow_any_option(string options)
    {
        using var folder = new TempFolder();
        ProgramResult result = (await HybridProgram.RunAsync(["backtest", .. options.Split(' '), Days(folder), "--json"])).Succeeded();
        Assert.Contains("\"dataPoints\": 3,", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gbpusd_d1.csv", "USDJPY")]
    [InlineData("GBPUSD_D1_202001010000_202001030000.csv", "EURUSD")]
    public async Task A_symbol_against_the_files_own_word_is_refused_and_both_are_named(string name, string symbol)
    {
        using var folder = new TempFolder();
        string file = Days(folder, name);
        await AssertRefusedAsync(["backtest", file, "--symbol", symbol], [file, "GBPUSD", symbol, "--symbol"]);
        await AssertRefusedAsync(["replay", file, "--symbol", symbol, "--data", folder["data"]], [file, "GBPUSD", symbol, "--symbol"]);
        await AssertRefusedAsync(["backtest", folder.Path, "--symbol", symbol], [file, "GBPUSD", symbol, "--symbol"]);
    }

    [Fact]
    public async Task A_symbol_against_LEANs_layout_is_refused() => await AssertRefusedAsync(
        ["backtest", SharedData.Path("data/lean/forex/oanda/tick/eurusd"), "--timeframe", "M1", "--symbol", "USDJPY"],
        ["EURUSD", "USDJPY", "--symbol"]);

    [Theory]
    [InlineData("gbpusd_d1.csv", "GBPUSD", false)]
    [InlineData("gbpusd_d1.csv", "GBPUSD.r", false)]
    [InlineData("GBPUSDm_D1.csv", "GBPUSD", false)]
    [InlineData("prices.csv", "ACME", false)]
    [InlineData("my_prices.csv", "ACME", false)]
    [InlineData("acme_d1.csv", "OTHER", true)]
    public async Task A_symbol_against_what_a_name_looks_like_is_taken_with_a_word(string name, string symbol, bool warned)
    {
        using var folder = new TempFolder();
        ProgramResult result = (await HybridProgram.RunAsync(
            "backtest", Days(folder, name), "--symbol", symbol, "--data-timeframe", "D1", "--json")).Succeeded();
        if (!warned) Assert.Empty(result.Error);
        else Assert.Equal($"warning: {folder[name]}: taken for OTHER, as --symbol says; its name looks like ACME", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task One_symbol_chooses_from_a_folder()
    {
        using var folder = new TempFolder();
        Days(folder);
        folder.Write("eurusd_d1.csv", Header + "2020-01-01,1.1,1.11,1.09,1.105,10\n2020-01-02,1.105,1.12,1.1,1.115,12\n");

        ProgramResult result = (await HybridProgram.RunAsync("backtest", folder.Path, "--symbol", "EURUSD", "--json")).Succeeded();

        Assert.Contains("\"dataPoints\": 2,", result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("--cash 0")]
    [InlineData("--symbol USDJPY")]
    [InlineData("--strategy nope")]
    [InlineData("--account-currency XYZ")]
    public async Task A_refused_replay_leaves_nothing_behind(string options)
    {
        using var folder = new TempFolder();
        string file = Days(folder);
        ProgramResult result = await HybridProgram.RunAsync(["replay", file, .. options.Split(' '), "--data", folder["data"]]);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.False(Directory.Exists(folder["data"]));
    }

    [Fact]
    public async Task A_symbol_that_the_files_do_not_hold()
    {
        using var folder = new TempFolder();
        await AssertRefusedAsync(["backtest", Days(folder), "--symbol", "GBPUSD", "--symbol", "EURUSD"], ["--symbol", "EURUSD"]);
    }

    [Theory]
    [InlineData("{ \"maxOrderVolume\": 0 }", "MaxOrderVolume is 0", "more than 0")]
    [InlineData("{ \"maxOrders\": 5 }", "maxOrders")]
    [InlineData("{ \"maxOrderVolume\": \"many\" }", "maxOrderVolume")]
    [InlineData("{ \"submitRate\": { \"count\": 0, \"window\": \"00:01:00\" } }", "SubmitRate is 0", "1 to 100000")]
    [InlineData("not json", "limits.json")]
    public async Task Wrong_limits(string limits, params string[] named)
    {
        using var folder = new TempFolder();
        await AssertRefusedAsync(["backtest", Days(folder), "--limits", folder.Write("limits.json", limits)], named);
    }

    [Fact]
    public async Task Limits_of_a_file_hold()
    {
        using var folder = new TempFolder();
        string file = SharedData.Path("data/mt5-history/gbpusd_d1.zip");
        string limits = folder.Write("limits.json", """{ "maxOrderVolume": 5000 }""");

        ProgramResult free = (await HybridProgram.RunAsync("backtest", file, "--json", "--limits", "none")).Succeeded();
        ProgramResult bound = (await HybridProgram.RunAsync("backtest", file, "--json", "--limits", limits)).Succeeded();

        Assert.Empty(JsonNode.Parse(free.Output)!["denied"]!.AsObject());
        JsonNode report = JsonNode.Parse(bound.Output)!, account = Assert.Single(report["accounts"]!.AsArray())!;
        Assert.Equal("main", (string?)account["account"]);
        Assert.Equal(0, (int)report["fills"]!);
        KeyValuePair<string, JsonNode?> denied = Assert.Single(report["denied"]!.AsObject());
        Assert.Equal("OrderVolumeAboveLimit", denied.Key);
        Assert.Equal((int)report["orders"]!, (int)denied.Value!);
        Assert.True(JsonNode.DeepEquals(report["denied"], account["denied"]));

        ProgramResult text = (await HybridProgram.RunAsync(
            "backtest", file, "--limits", limits, "--account", "main", "--account", "other")).Succeeded();
        string all = string.Create(CultureInfo.InvariantCulture, $"{2 * (int)denied.Value!:N0} OrderVolumeAboveLimit");
        Assert.Matches($@"(?m)^\S denied .*{all} ", text.Output);
        Assert.Matches($@"(?m)^\S main +\S.* {denied.Value} OrderVolumeAboveLimit ", text.Output);
    }

    [Theory]
    [InlineData("backtest", "backtest gbpusd_h1.zip --symbol GBPUSD --strategy sma-cross")]
    [InlineData("replay", "replay --resume ")]
    [InlineData("run", "run --data ")]
    [InlineData("backtest", "--report tearsheet.html")]
    [InlineData("report", "report 20261121-101500-3f2a --out reports/monday")]
    [InlineData("compare", "compare a.json b.json --out page.html")]
    [InlineData("ports", "ports --map deltran")]
    [InlineData("journal", "journal export --format jsonl > journal.jsonl")]
    [InlineData("backup", "backup /backups/monday")]
    [InlineData("restore", "restore /backups/monday --data")]
    public async Task Help_shows_examples(string command, string example)
    {
        ProgramResult help = (await HybridProgram.RunAsync(command, "--help")).Succeeded();
        Assert.Contains("Example", help.Output, StringComparison.Ordinal);
        Assert.Contains(example, help.Output, StringComparison.Ordinal);
        Assert.Empty(help.Error);
    }

    [Fact]
    public async Task The_help_of_the_program_names_every_command()
    {
        ProgramResult help = (await HybridProgram.RunAsync("--help")).Succeeded();
        Assert.All((string[])["run", "backtest", "replay", "ports", "journal", "backup", "restore"], command =>
            Assert.Matches($@"(?m)^  {command}\b", help.Output));
    }

    /// <summary>Three days of GBPUSD.</summary>
    private static string Days(TempFolder folder, string name = "gbpusd_d1.csv") => folder.Write(name,
        Header + "2020-01-01,1.3000,1.3100,1.2900,1.3050,10\n2020-01-02,1.3050,1.3200,1.3000,1.3150,12\n2020-01-03,1.3150,1.3160,1.3010,1.3020,9\n");

    private static async Task AssertRefusedAsync(string[] arguments, string[] named)
    {
        ProgramResult result = await HybridProgram.RunAsync(arguments);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.True(result.Output.Length == 0, result.ToString());
        string line = Assert.Single(result.ErrorLines);
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(named, text => Assert.Contains(text, line, StringComparison.Ordinal));
    }
}
