using System.Text.Json;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class StrategyApiTests
{
    [Fact]
    public async Task AStrategyDecidesAndItsFollowerTrades()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Answer made = (await host.PostAsync("strategies", Cross(start: true, accounts: ["main"]))).Expect(201);
        JsonElement strategy = made["strategy"];
        Assert.Equal("Running", strategy.GetProperty("status").GetString());
        Assert.Equal("main", Assert.Single(strategy.GetProperty("accounts").EnumerateArray()).GetString());
        Assert.Equal(2m, strategy.GetProperty("parameters").GetProperty("fast").GetDecimal());
        Assert.Equal(JsonValueKind.Null, strategy.GetProperty("lastDecision").ValueKind);

        await TrendAsync(host);
        Answer list = await OrderApiTests.UntilAsync(host, "decisions", answer => answer["decisions"].GetArrayLength() >= 2);
        JsonElement[] decisions = [.. list["decisions"].EnumerateArray()];
        JsonElement first = decisions[^1];
        Assert.Equal("cross#1", first.GetProperty("id").GetString());
        Assert.Equal("cross", first.GetProperty("strategy").GetString());
        Assert.Equal("M1", first.GetProperty("timeFrame").GetString());
        Assert.Equal(3, first.GetProperty("features").GetArrayLength());
        JsonElement verdict = Assert.Single(first.GetProperty("verdicts").EnumerateArray());
        Assert.Equal("main", verdict.GetProperty("account").GetString());
        Assert.Equal("None", verdict.GetProperty("reason").GetString());

        Answer one = (await host.GetAsync("decisions/cross%231")).Expect(200);
        Assert.Equal(first.GetRawText(), one.Json.GetRawText());
        (await host.GetAsync("decisions/local/owner/cross%231")).Expect(200);
        (await host.GetAsync("decisions/cross%2399")).ExpectProblem(404, "DecisionUnknown");
        JsonElement order = (await host.GetAsync("accounts/main/orders"))["orders"].EnumerateArray().Last();
        Assert.Equal("cross", order.GetProperty("strategy").GetString());
        Assert.Equal("cross#1", order.GetProperty("decision").GetString());

        Answer page = (await host.GetAsync("decisions?strategy=cross&limit=1")).Expect(200);
        Answer next = (await host.GetAsync($"decisions?strategy=cross&limit=1&before={page["next"].GetInt64()}")).Expect(200);
        Assert.Equal(decisions[1].GetProperty("id").GetString(), next["decisions"][0].GetProperty("id").GetString());
        Assert.Empty((await host.GetAsync("decisions?strategy=other"))["decisions"].EnumerateArray());

        Answer now = (await host.GetAsync("strategies/cross")).Expect(200);
        Assert.Equal(decisions.Length, now["decisions"].GetInt32());
        Assert.Equal(decisions[0].GetProperty("id").GetString(), now["lastDecision"].GetProperty("id").GetString());
        Answer features = (await host.GetAsync("features/EURUSD/M1")).Expect(200);
        Assert.Contains("sma(2)", features["features"].EnumerateObject().Select(feature => feature.Name));
    }

    [Fact]
    public async Task ParametersAreChangedWhileStopped()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("strategies", Cross(start: true))).Expect(201);
        (await host.PutAsync("strategies/cross/parameters", new { fast = 3, slow = 9 })).ExpectProblem(409, "StrategyRunning");
        Assert.Equal("Stopped", (await host.PostAsync("strategies/cross/stop", new { })).Expect(200)["strategy"].GetProperty("status").GetString());
        Answer changed = (await host.PutAsync("strategies/cross/parameters", new { fast = 3, slow = 9 })).Expect(200);
        Assert.Equal(9m, changed["strategy"].GetProperty("parameters").GetProperty("slow").GetDecimal());
        (await host.PutAsync("strategies/cross/parameters", new { fast = 3.5m })).ExpectProblem(400, "InvalidInput", "parameters.fast");
        (await host.PutAsync("strategies/cross/parameters", new { quick = 3 })).ExpectProblem(400, "InvalidInput", "parameters.quick");
        (await host.PutAsync("strategies/cross/parameters", new { fast = "3" })).ExpectProblem(400, "InvalidInput", "fast");
        Assert.Equal("Running", (await host.PostAsync("strategies/cross/start", new { })).Expect(200)["strategy"].GetProperty("status").GetString());
        Answer list = await OrderApiTests.UntilAsync(host, "strategies", _ => true);
        Assert.Single(list.Json.EnumerateArray());
    }

    [Fact]
    public async Task AccountsFollowOnTheirOwnTermsAndLeave()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await host.OpenAsync("main");
        (await host.PostAsync("strategies", Cross())).Expect(201);
        Answer followed = (await host.PutAsync(
            "accounts/main/follows/cross", new { sizing = new { kind = "FixedUnits", value = 2000 }, paused = true, maxUnits = 5000 })).Expect(200);
        JsonElement terms = followed["account"].GetProperty("follows").GetProperty("cross");
        Assert.Equal("FixedUnits", terms.GetProperty("sizing").GetProperty("kind").GetString());
        Assert.True(terms.GetProperty("paused").GetBoolean());
        Assert.Single((await host.GetAsync("strategies/cross"))["accounts"].EnumerateArray());
        (await host.PutAsync("accounts/main/follows/cross", new { sizing = new { kind = "FixedUnits", value = 0 } })).ExpectProblem(
            400, "InvalidInput", "sizing.value");
        (await host.PutAsync("accounts/main/follows/cross", new { sizing = new { kind = "FixedUnits" } })).ExpectProblem(
            400, "InvalidInput", "sizing.value");
        (await host.PutAsync("accounts/main/follows/other", new { })).ExpectProblem(404, "StrategyUnknown");

        Answer left = (await host.DeleteAsync("accounts/main/follows/cross")).Expect(200);
        Assert.Empty(left["account"].GetProperty("follows").EnumerateObject());
        Assert.Empty((await host.GetAsync("strategies/cross"))["accounts"].EnumerateArray());
    }

    [Theory]
    [InlineData("tick")]
    [InlineData("S5")]
    public async Task ItDecidesAtEveryQuoteOrSecondsWhereItsTimeFrameSaysSo(string timeFrame)
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Dictionary<string, object> cross = new()
        {
            ["name"] = "quick", ["definition"] = "sma-cross", ["symbol"] = "EURUSD", ["timeFrame"] = timeFrame, ["accounts"] = new[] { "main" },
            ["parameters"] = new Dictionary<string, int> { ["fast"] = 1, ["slow"] = 2, ["units"] = 1000 }, ["start"] = true,
        };
        Answer made = (await host.PostAsync("strategies", cross)).Expect(201);
        Assert.Equal(timeFrame, made["strategy"].GetProperty("timeFrame").GetString());
        for (int i = 0; i < 6; i++) await host.QuoteAsync("EURUSD", 1.1m + i % 3 * 0.001m, 1.1001m + i % 3 * 0.001m, TimeSpan.FromSeconds(5));

        JsonElement strategy = (await host.GetAsync("strategies/quick")).Expect(200).Json;
        Assert.InRange(strategy.GetProperty("decisions").GetInt64(), 1, long.MaxValue);
        (await host.GetAsync($"features/EURUSD/{timeFrame}")).Expect(200);
    }

    [Theory]
    [InlineData("""{"name":"s","definition":"moon","symbol":"EURUSD","timeFrame":"M1"}""", 400, "InvalidInput", "definition")]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"NOSUCH","timeFrame":"M1"}""", 400, "InvalidInput", "symbol")]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"EURUSD","timeFrame":"M7"}""", 400, "InvalidInput", "timeFrame")]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"EURUSD","timeFrame":"ticks"}""", 400, "InvalidInput", "timeFrame")]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"EURUSD","timeFrame":"M1","parameters":{"fast":50,"slow":20}}""", 400, "InvalidInput", "parameters.fast")]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"EURUSD","timeFrame":"M1","accounts":["none"]}""", 404, "AccountUnknown", null)]
    [InlineData("""{"name":"s","definition":"sma-cross","symbol":"EURUSD","timeFrame":"M1","accounts":[null]}""", 400, "InvalidInput", "accounts")]
    public async Task AStrategyThatCannotBeIsRefusedAndNotMade(string body, int status, string reason, string? field)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("strategies", body)).ExpectProblem(status, reason, field);
        (await host.GetAsync("strategies/s")).ExpectProblem(404, "StrategyUnknown");
    }

    [Fact]
    public async Task ANameIsTakenOnce()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (await host.PostAsync("strategies", Cross())).Expect(201);
        (await host.PostAsync("strategies", Cross())).Expect(201);
        (await host.PostAsync(
            "strategies", new { name = "cross", definition = "rsi-reversion", symbol = "EURUSD", timeFrame = "M1" })).ExpectProblem(
            409, "StrategyExists");
        (await host.PostAsync("strategies/none/start", new { })).ExpectProblem(404, "StrategyUnknown");
        (await host.PostAsync("strategies/none/stop", new { })).ExpectProblem(404, "StrategyUnknown");
        (await host.PutAsync("strategies/none/parameters", new { })).ExpectProblem(404, "StrategyUnknown");
    }

    [Fact]
    public async Task TheDefinitionsSayWhatTheirParametersMayBe()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        JsonElement[] definitions = [.. (await host.GetAsync("strategy-definitions")).Expect(200).Json.EnumerateArray()];
        JsonElement cross = Assert.Single(definitions, one => one.GetProperty("name").GetString() == "sma-cross");
        JsonElement fast = Assert.Single(cross.GetProperty("parameters").EnumerateArray(), one => one.GetProperty("name").GetString() == "fast");
        Assert.True(fast.GetProperty("whole").GetBoolean());
        Assert.True(fast.GetProperty("minimum").GetDecimal() <= fast.GetProperty("default").GetDecimal());
        Assert.Equal(4, definitions.Length);
    }

    internal static object Cross(bool start = false, string[]? accounts = null) => new
    {
        name = "cross",
        definition = "sma-cross",
        parameters = new { fast = 2, slow = 3, units = 1000 },
        symbol = "EURUSD",
        timeFrame = "M1",
        accounts,
        start,
    };

    /// <summary>Minutes that rise, fall and rise again, so that the fast mean crosses the slow one both ways.</summary>
    internal static async Task TrendAsync(ApiHost host)
    {
        decimal[] prices = [1.1m, 1.1m, 1.1m, 1.1m, 1.101m, 1.102m, 1.103m, 1.104m, 1.101m, 1.098m, 1.095m, 1.092m, 1.09m, 1.093m, 1.097m, 1.101m];
        foreach (decimal price in prices) await host.QuoteAsync("EURUSD", price, price + 0.0001m, TimeSpan.FromMinutes(1));
    }
}
