using System.Globalization;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Back-tests and replays of real data by the built program.</summary>
public sealed class RunTests
{
    private static readonly string[] R1 =
    [
        "--strategy", "sma-cross", "--set", "fast=20", "--set", "slow=50", "--set", "units=10000", "--cash", "100000", "--limits", "none",
        "--stop-out", "none", "--commission-rate", "0.00002", "--spread", "0", "--slippage", "0", "--latency", "0", "--fill", "next-open",
    ];

    // Costs of every kind, so that whatever a fill depends on takes part.
    private static readonly string[] Costs = ["--commission-per-lot", "3.5", "--slippage", "1", "--random-slippage", "4", "--seed", "7",
        "--latency", "40"];

    [Theory]
    [InlineData("backtest")]
    [InlineData("replay")]
    public async Task R1_on_GBPUSD_hours_ends_at_the_published_figures(string command)
    {
        string[] arguments = [SharedData.Path("data/mt5-history/gbpusd_h1.zip"), "--symbol", "GBPUSD", "--timeframe", "H1", "--account-currency",
            "USD", .. R1];
        JsonObject report = command == "replay" ? await RunCall.ReplayAsync(arguments) : await RunCall.BacktestAsync(arguments);

        Assert.Equal(101045.539314m, (decimal)report["finalEquity"]!);
        Assert.Equal(1210, (int)report["closedTrades"]!);
        Assert.Equal(679.66069m, decimal.Round((decimal)report["fees"]!, 5));
        Assert.Equal(3.093133m, decimal.Round((decimal)report["maxDrawdownPercent"]!, 6));
        Assert.Equal(57_600, (int)report["dataPoints"]!);
        Assert.Equal(1211, (int)report["orders"]!);
        Assert.Matches("^[0-9a-f]{64}$", (string)report["orderListHash"]!);
        Assert.True((double)report["seconds"]! > 0);
        Assert.True((double)report["wallSeconds"]! >= (double)report["seconds"]!);
        Assert.Equal("bfbf36955aa1f5886513ec5e4e3e722be60c334027964df7d21a03f958c818d5", (string)report["orderListHash"]!);
    }

    [Theory]
    [InlineData("mt5-history/gbpusd_h1.zip", "GBPUSD", "USD")]
    [InlineData("mt5-history/usdjpy_h1.zip", "USDJPY", "JPY")]
    [InlineData("mt5-history/eurusd_h4.zip", "EURUSD", "USD")]
    [InlineData("mt5-history/eurusd_d1.zip", "EURUSD", "USD")]
    [InlineData("mt5-history/gbpusd_d1.zip", "GBPUSD", "USD")]
    [InlineData("mt5-history/usdjpy_d1.zip", "USDJPY", "JPY")]
    public async Task R1_on_any_file_is_what_the_rule_says_by_hand(string file, string symbol, string currency)
    {
        string path = SharedData.Path("data/" + file);
        var expected = RuleR1.Of(path);

        JsonObject report = await RunCall.BacktestAsync([path, "--symbol", symbol, "--account-currency", currency, .. R1]);

        Assert.Equal(expected.FinalEquity, (decimal)report["finalEquity"]!);
        Assert.Equal(expected.ClosedTrades, (int)report["closedTrades"]!);
        Assert.Equal(expected.Fees, (decimal)report["fees"]!);
        Assert.Equal(expected.MaxDrawdownPercent, (decimal)report["maxDrawdownPercent"]!, 20);
    }

    [Fact]
    public async Task R1_on_USDJPY_hours_in_yen_replays_alike() =>
        await RunCall.AssertAlikeAsync([SharedData.Path("data/mt5-history/usdjpy_h1.zip"), "--symbol", "USDJPY", "--timeframe", "H1",
            "--account-currency", "JPY", .. R1]);

    [Theory]
    [InlineData("sma-cross", "M1")]
    [InlineData("rsi-reversion", "M1")]
    [InlineData("donchian-breakout", "M1")]
    [InlineData("bollinger-reversion", "M1")]
    [InlineData("sma-cross", "tick")]
    [InlineData("bollinger-reversion", "S1")]
    public async Task EURUSD_ticks_replay_alike(string strategy, string timeFrame)
    {
        JsonObject report = await RunCall.AssertAlikeAsync(
            [SharedData.Path("data/lean/forex/oanda/tick/eurusd"), "--symbol", "EURUSD", "--timeframe", timeFrame, "--strategy", strategy, .. Costs]);

        Assert.Equal(73_520, (int)report["dataPoints"]!);
        Assert.InRange((int)report["closedTrades"]!, 10, int.MaxValue);
        Assert.True((decimal)report["fees"]! > 0);
    }

    [Theory]
    [InlineData("sma-cross")]
    [InlineData("rsi-reversion")]
    [InlineData("donchian-breakout")]
    [InlineData("bollinger-reversion")]
    public async Task XAUUSD_minutes_replay_alike(string strategy)
    {
        JsonObject report = await RunCall.AssertAlikeAsync(
            [SharedData.Path("data/lean/cfd/oanda/minute/xauusd"), "--symbol", "XAUUSD", "--strategy", strategy, "--set", "units=20", .. Costs]);

        Assert.Equal(15_222, (int)report["dataPoints"]!);
        Assert.InRange((int)report["closedTrades"]!, 10, int.MaxValue);
    }

    [Theory]
    [InlineData("netting")]
    [InlineData("hedging")]
    public async Task Three_symbols_two_strategies_and_two_accounts_replay_alike(string mode)
    {
        JsonObject report = await RunCall.AssertAlikeAsync(
        [
            SharedData.Path("data/lean/forex/oanda/hour/eurusd.zip"), SharedData.Path("data/mt5-history/gbpusd_h1.zip"),
            SharedData.Path("data/mt5-history/usdjpy_h1.zip"),
            "--timeframe", "H1", "--strategy", "sma-cross", "--strategy", "donchian-breakout", "--account", "small=0.5x", "--account", "big=15%",
            "--from", "2016-05-01", "--to", "2016-08-01", "--mode", mode, .. Costs,
        ]);

        JsonArray accounts = report["accounts"]!.AsArray();
        Assert.Equal(2, accounts.Count);
        Assert.All(accounts, account => Assert.InRange((int)account!["fills"]!, 50, int.MaxValue));
        Assert.NotEqual((decimal)accounts[0]!["finalEquity"]!, (decimal)accounts[1]!["finalEquity"]!);
        Assert.Equal((decimal)report["finalEquity"]!, accounts.Sum(account => (decimal)account!["finalEquity"]!));
    }

    [Fact]
    public async Task Ticks_of_one_symbol_and_minutes_of_another_replay_alike()
    {
        JsonObject report = await RunCall.AssertAlikeAsync(
        [
            SharedData.Path("data/lean/forex/oanda/tick/eurusd"), SharedData.Path("data/lean/cfd/oanda/minute/xauusd"), "--timeframe", "M1",
            "--strategy", "donchian-breakout", "--from", "2014-05-01", "--to", "2014-05-02", "--account", "main=1%risk", .. Costs,
        ]);

        Assert.InRange((int)report["fills"]!, 20, int.MaxValue);
    }

    [Fact]
    public async Task From_is_included_and_to_is_not()
    {
        string file = SharedData.Path("data/mt5-history/gbpusd_h1.zip");
        JsonObject day = await RunCall.BacktestAsync(file, "--from", "2020-03-03", "--to", "2020-03-04");
        Assert.Equal(24, (int)day["dataPoints"]!);
        Assert.Equal(new DateTime(2020, 3, 3, 0, 0, 0, DateTimeKind.Utc), Time(day["from"]!));

        JsonObject hour = await RunCall.BacktestAsync(file, "--from", "2020-03-03T12:00", "--to", "2020-03-03T13:00");
        Assert.Equal(1, (int)hour["dataPoints"]!);

        static DateTime Time(JsonNode node) => DateTime.Parse((string)node!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
    }

    [Fact]
    public async Task A_finished_replay_is_reported_again_from_its_journal_which_is_sound()
    {
        using var data = new TempFolder();
        string[] arguments = [SharedData.Path("data/lean/cfd/oanda/minute/xauusd"), "--strategy", "rsi-reversion", "--data", data.Path, "--json"];
        ProgramResult first = (await HybridProgram.RunAsync(["replay", .. arguments])).Succeeded();
        JsonObject report = JsonNode.Parse(first.Output)!.AsObject();
        string id = (string)report["runId"]!;
        Assert.Contains($"replay --resume {id}", first.Error, StringComparison.Ordinal);

        ProgramResult again = (await HybridProgram.RunAsync("replay", "--resume", id, "--data", data.Path, "--json")).Succeeded();
        Assert.Equal(RunCall.Outcome(report), RunCall.Outcome(JsonNode.Parse(again.Output)!.AsObject()));

        ProgramResult verified = (await HybridProgram.RunAsync("journal", "verify", "--run", id, "--data", data.Path)).Succeeded();
        Assert.EndsWith("sound\n", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_json_a_table_goes_to_standard_output_and_plain_progress_to_standard_error()
    {
        ProgramResult result = (await HybridProgram.RunAsync("backtest", SharedData.Path("data/mt5-history/gbpusd_d1.zip"))).Succeeded();

        Assert.Contains("final equity", result.Output, StringComparison.Ordinal);
        Assert.Contains("order list", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output + result.Error);
        Assert.Equal("backtest: 100 %", result.ErrorLines[^1]);
        Assert.All(result.ErrorLines, line => Assert.Matches(@"^backtest: \d+ %$", line));
    }

    [Fact]
    public async Task Json_prints_nothing_else()
    {
        ProgramResult result = (await HybridProgram.RunAsync("backtest", SharedData.Path("data/mt5-history/gbpusd_d1.zip"), "--json")).Succeeded();
        JsonObject report = JsonNode.Parse(result.Output)!.AsObject();

        Assert.Empty(result.Error);
        Assert.All(
            (string[])["finalEquity", "closedTrades", "fees", "maxDrawdownPercent", "orders", "orderListHash", "dataPoints", "seconds",
                "wallSeconds"],
            field => Assert.NotNull(report[field]));
    }
}
