using System.Text.Json;
using HybridTrading.Tests.Host;

namespace HybridTrading.Tests;

public sealed class RuleApiTests
{
    private const string Rule = """
        param fast = 2 from 1 to 50; param slow = 3 from 2 to 200; require fast < slow;
        enter long when crosses_above(sma(fast), sma(slow)); enter short when crosses_below(sma(fast), sma(slow)); size units 1000;
        """;

    [Fact]
    public async Task ARuleIsMadeTradedShownAndSurvivesARestart()
    {
        await using ApiHost host = await OrderApiTests.StartAsync();
        Answer made = (await host.PostAsync("strategies", Body("ruled", Rule, new { fast = 2, slow = 4 }))).Expect(201);
        JsonElement strategy = made["strategy"];
        Assert.Equal("rule", strategy.GetProperty("definition").GetString());
        Assert.StartsWith("param fast = 2 from 1 to 50;\nparam slow = 3 from 2 to 200;\nrequire fast < slow;\n", strategy.GetProperty("rule").GetString());
        Assert.Equal(4m, strategy.GetProperty("parameters").GetProperty("slow").GetDecimal());
        (await host.PostAsync("strategies", Body("ruled", Rule, new { fast = 2, slow = 4 }))).Expect(201);
        (await host.PostAsync("strategies", Body("ruled", Rule.Replace("1000", "2000", StringComparison.Ordinal), new { fast = 2, slow = 4 }))).ExpectProblem(
            409, "StrategyExists");

        await StrategyApiTests.TrendAsync(host);
        await host.RestartAsync();
        Answer list = await OrderApiTests.UntilAsync(host, "decisions", answer => answer["decisions"].GetArrayLength() >= 2);
        JsonElement first = list["decisions"].EnumerateArray().Last();
        Assert.StartsWith("enter ", first.GetProperty("intent").GetProperty("why").GetString());
        Assert.Equal("FixedUnits", first.GetProperty("intent").GetProperty("size").GetProperty("kind").GetString());
        Assert.Equal(1000m, Math.Abs(Assert.Single(first.GetProperty("verdicts").EnumerateArray()).GetProperty("volume").GetDecimal()));
        JsonElement again = (await host.GetAsync("strategies/ruled")).Expect(200).Json;
        Assert.Equal(strategy.GetProperty("rule").GetString(), again.GetProperty("rule").GetString());
        Assert.Equal("Running", again.GetProperty("status").GetString());

        (await host.PostAsync("strategies/ruled/stop", new { })).Expect(200);
        (await host.PutAsync("strategies/ruled/parameters", new { fast = 9, slow = 4 })).ExpectProblem(400, "InvalidInput");
        Answer changed = (await host.PutAsync("strategies/ruled/parameters", new { fast = 3, slow = 9 })).Expect(200);
        Assert.Equal(9m, changed["strategy"].GetProperty("parameters").GetProperty("slow").GetDecimal());
    }

    [Fact]
    public async Task ARuleWithErrorsIsRefusedWithAllOfThemAndNotMade()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer refused = await host.PostAsync("strategies", Body("bad", "enter long when smaa(20) > 1; exit wen x;", null));
        refused.ExpectProblem(400, "InvalidInput", "rule");
        Assert.Equal(
            ["rule: line 1, column 17: unknown feature 'smaa'; nearest is 'sma'", "rule: line 1, column 36: expected 'when', found 'wen'; nearest is 'when'"],
            refused["errors"].GetProperty("rule").EnumerateArray().Select(one => one.GetString()));
        (await host.GetAsync("strategies/bad")).ExpectProblem(404, "StrategyUnknown");
        (await host.PostAsync("strategies", """{"name":"bad","definition":"sma-cross","rule":"enter long when close > 1","symbol":"EURUSD","timeFrame":"M1"}"""))
            .ExpectProblem(400, "InvalidInput", "definition");
        (await host.PostAsync("strategies", """{"name":"bad","symbol":"EURUSD","timeFrame":"M1"}""")).ExpectProblem(400, "InvalidInput", "definition");
        (await host.PostAsync("strategies", Body("bad", Rule, new { fast = 60 }))).ExpectProblem(400, "InvalidInput", "parameters.fast");
        (await host.GetAsync("strategies/bad")).ExpectProblem(404, "StrategyUnknown");
    }

    [Fact]
    public async Task ATextIsCheckedWhileItIsWritten()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        Answer good = (await host.PostAsync("rules/check", new { rule = Rule })).Expect(200);
        Assert.True(good["valid"].GetBoolean());
        JsonElement rule = good["rule"];
        Assert.Equal("size units 1000", rule.GetProperty("size").GetString());
        Assert.Equal(["sma(2)", "sma(3)", "cross(sma(2),sma(3))"], rule.GetProperty("features").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal(3, rule.GetProperty("warmUp").GetInt32());
        Assert.Equal(["fast", "slow"], rule.GetProperty("parameters").EnumerateArray().Select(one => one.GetProperty("name").GetString()));

        Answer bad = (await host.PostAsync("rules/check", new { rule = "enter long when\n  smaa(20) > 1" })).Expect(200);
        Assert.False(bad["valid"].GetBoolean());
        JsonElement diagnostic = Assert.Single(bad["diagnostics"].EnumerateArray());
        Assert.Equal((2, 3, 4, "unknown feature 'smaa'", "sma"), (diagnostic.GetProperty("line").GetInt32(), diagnostic.GetProperty("column").GetInt32(),
            diagnostic.GetProperty("length").GetInt32(), diagnostic.GetProperty("message").GetString(), diagnostic.GetProperty("suggestion").GetString()));
        (await host.PostAsync("rules/check", "{}")).ExpectProblem(400, "InvalidInput", "rule");

        JsonElement[] words = [.. (await host.GetAsync("rules/words")).Expect(200).Json.EnumerateArray()];
        Assert.Contains(words, word => word.GetProperty("usage").GetString() == "bollinger.upper(20,2)" && word.GetProperty("gives").GetString() == "Price");
        Assert.Contains(words, word => word.GetProperty("usage").GetString() == "bars_in_trade" && word.GetProperty("kind").GetString() == "Fact");
    }

    private static object Body(string name, string rule, object? parameters) => new
    {
        name,
        rule,
        parameters = parameters ?? new { },
        symbol = "EURUSD",
        timeFrame = "M1",
        accounts = name == "ruled" ? new[] { "main" } : [],
        start = true,
    };
}
