using System.Net;
using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Past data as the live market: <c>run --market</c>.</summary>
public sealed class PlayedMarketTests
{
    [Fact]
    public async Task A_strategy_trades_on_played_data_as_in_the_back_test()
    {
        string file = SharedData.Path("data/mt5-history/eurusd_d1.zip");
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--market", file);
        Assert.Contains("RECORDED: EURUSD D1", system.Program.Output, StringComparison.Ordinal);
        HttpClient client = system.Client;
        JsonNode instrument = Assert.Single((await PlayedMarket.GetAsync(client, "instruments")).AsArray())!;
        Assert.Equal(("EURUSD", "D1", false), ((string)instrument["symbol"]!, (string)instrument["dataTimeFrame"]!, (bool)instrument["simulated"]!));
        Assert.False((bool)(await PlayedMarket.GetAsync(client, "feed"))["playback"]!["running"]!);
        await PlayedMarket.StartR1Async(client, "EURUSD", "D1");
        await PlayedMarket.PlayAsync(client);

        JsonObject expected = await RunCall.BacktestAsync(file, "--set", "fast=20", "--set", "slow=50", "--set", "units=10000",
            "--commission-rate", "0.00002", "--limits", "none", "--stop-out", "none");
        JsonNode account = await PlayedMarket.GetAsync(client, "accounts/r1");
        Assert.Equal((decimal)expected["finalEquity"]!, (decimal)account["equity"]!);
        Assert.Equal((decimal)expected["fees"]!, (decimal)account["commissions"]!);
        Assert.True((int)expected["closedTrades"]! > 20);
        JsonNode feed = await PlayedMarket.GetAsync(client, "feed");
        Assert.Equal(((long)expected["dataPoints"]!, (string)account["time"]!), ((long)feed["playback"]!["done"]!, (string)feed["time"]!));
        (await system.Program.StopAsync()).Succeeded();
    }

    [Fact]
    public async Task What_cannot_be_had_of_played_data_is_refused_by_name()
    {
        string file = SharedData.Path("data/mt5-history/eurusd_d1.zip");
        using var data = new TempFolder();
        await using LiveSystem system = await LiveSystem.StartAsync(data.Path, "hybrid", "--market", file, "--market-speed", "1000");
        HttpClient client = system.Client;

        (HttpStatusCode status, JsonNode answer) = await PlayedMarket.TryAsync(client, HttpMethod.Put, "feed", new() { ["running"] = true, ["speed"] = 0 });
        Assert.Equal((HttpStatusCode.BadRequest, "speed is 0; expected 0.01 to 1000000, or null"), (status, (string)answer["detail"]!));
        (status, answer) = await PlayedMarket.TryAsync(client, HttpMethod.Post, "strategies", new()
        {
            ["name"] = "early", ["definition"] = "sma-cross", ["symbol"] = "EURUSD", ["timeFrame"] = "H1",
        });
        Assert.Equal((HttpStatusCode.BadRequest, "timeFrame is H1; the data of EURUSD are bars of D1, expected that or longer"), (status, (string)answer["detail"]!));
        using HttpResponseMessage bars = await client.GetAsync("/api/v1/bars/EURUSD?timeFrame=M1", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, bars.StatusCode);
        Assert.Equal(1000, (double)(await PlayedMarket.GetAsync(client, "feed"))["playback"]!["speed"]!);
        (await system.Program.StopAsync()).Succeeded();

        using PortBlock ports = await PortBlock.TakeAsync();
        ProgramResult simulated = await HybridProgram.RunAsync("run", "--data", data.Path, "--port-offset", $"{ports.Offset}", "--no-demo");
        Assert.True(simulated.ExitCode == 2, simulated.ToString());
        Assert.Contains("what is stored here is EURUSD D1", simulated.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--market-speed is 0; expected 0.01 to 1000000", "--market-speed", "0")]
    [InlineData("--market-play is of past data; expected --market FILE with it", "--market-play")]
    [InlineData("--symbol is of past data; expected --market FILE with it", "--symbol", "EURUSD")]
    [InlineData("nosuch.csv: no such file or folder", "--market", "nosuch.csv")]
    [InlineData("--seed is of the simulated market, --market plays past data; expected one of the two", "--market", "nosuch.csv", "--seed", "7")]
    public async Task Options_that_do_not_go_together_end_with_one_line(string said, params string[] options)
    {
        using var data = new TempFolder();
        ProgramResult result = await HybridProgram.RunAsync(["run", "--data", data.Path, .. options]);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.EndsWith(said, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }
}
