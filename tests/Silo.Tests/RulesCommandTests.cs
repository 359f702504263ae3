using System.Text.Json.Nodes;

namespace HybridTrading.Silo.Tests;

/// <summary>Strategies without code, by the built program.</summary>
public sealed class RulesCommandTests
{
    private const string Cross = """
        # R1
        param fast = 20 from 5 to 50 step 5;
        param slow = 50 from 20 to 200;
        require fast < slow;
        enter long when crosses_above(sma(fast), sma(slow));
        enter short when crosses_below(sma(fast), sma(slow));
        """;

    [Fact]
    public async Task A_good_rule_is_printed_in_canonical_form_with_what_it_reads()
    {
        using var folder = new TempFolder();
        ProgramResult result = (await HybridProgram.RunAsync("rules", "check", folder.Write("My Cross.rule", Cross))).Succeeded();
        Assert.Equal("""
            # my-cross
            param fast = 20 from 5 to 50 step 5;
            param slow = 50 from 20 to 200;
            require fast < slow;
            enter long when crosses_above(sma(fast), sma(slow));
            enter short when crosses_below(sma(fast), sma(slow));

            features  sma(20), sma(50), cross(sma(20),sma(50))
            warm-up   50 bars
            size      units, a parameter
            parameter fast = 20, whole 5 to 50 step 5
            parameter slow = 50, whole 20 to 200
            parameter units = 10000, 0.00000001 to 1000000000

            """.ReplaceLineEndings("\n"), result.Output);
        ProgramResult tree = (await HybridProgram.RunAsync("rules", "check", "enter long when close > 1.5", "--tree")).Succeeded();
        Assert.Equal("enter", (string?)JsonNode.Parse(tree.Output)!["statements"]![0]!["statement"]);
        Assert.Contains("bollinger.upper(20,2)", (await HybridProgram.RunAsync("rules", "words")).Succeeded().Output);
    }

    [Theory]
    [InlineData("rules", "check")]
    [InlineData("backtest", "days.csv", "--symbol", "GBPUSD", "--rule")]
    [InlineData("replay", "days.csv", "--symbol", "GBPUSD", "--rule")]
    public async Task Errors_of_a_rule_are_shown_at_their_lines_and_nothing_is_made(params string[] command)
    {
        using var folder = new TempFolder();
        string file = folder.Write("bad.rule", "enter long when\n  crosses_above(smaa(20), sma(50));\nstop sma(3);\n");
        string[] data = command[0] == "replay" ? ["--data", folder["data"]] : [];
        ProgramResult result = await HybridProgram.RunAsync([.. command, file, .. data]);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Equal(
            [
                "error: bad: line 2, column 17: unknown feature 'smaa'; nearest is 'sma'",
                "    crosses_above(smaa(20), sma(50));",
                "                  ^^^^",
                "bad: line 3, column 6: a stop is a distance such as atr(14) * 2, 1.5% or 200 points; found a price",
                "  stop sma(3);",
                "       ^^^",
            ],
            result.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(folder["data"]));
    }

    [Fact]
    public async Task What_is_neither_a_file_nor_a_rule_and_what_no_rule_takes_is_said_in_one_line()
    {
        using var folder = new TempFolder();
        string days = folder.Write("days.csv", "time,open,high,low,close,volume\n2020-01-01,1.3,1.3,1.3,1.3,1\n2020-01-02,1.3,1.3,1.3,1.3,1\n");
        await AssertSaysAsync("--rule is 'nofile.rule'; expected a file", "--rule", "nofile.rule");
        await AssertSaysAsync("fast is 51; expected a whole number from 5 to 50", "--rule", Cross, "--set", "fast=51");
        await AssertSaysAsync("parameters do not meet 'require fast < slow'", "--rule", Cross, "--set", "fast=50", "--set", "slow=20");
        await AssertSaysAsync("'units'", "--rule", "enter long when close > 1; size lots 1", "--set", "units=5");
        await AssertSaysAsync("the same name twice", "--rule", Cross, "--rule", Cross);

        async Task AssertSaysAsync(string expected, params string[] options)
        {
            ProgramResult result = await HybridProgram.RunAsync(["backtest", days, "--symbol", "GBPUSD", .. options]);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains(expected, Assert.Single(result.ErrorLines));
        }
    }

    [Theory]
    [InlineData("backtest")]
    [InlineData("replay")]
    public async Task R1_as_a_rule_makes_the_orders_of_R1_in_code(string command)
    {
        using var folder = new TempFolder();
        string[] arguments =
        [
            SharedData.Path("data/mt5-history/gbpusd_h1.zip"), "--symbol", "GBPUSD", "--rule", folder.Write("sma-cross.rule", Cross), "--set", "units=10000",
            "--limits", "none", "--stop-out", "none", "--commission-rate", "0.00002", "--spread", "0",
        ];
        JsonObject report = command == "replay" ? await RunCall.ReplayAsync(arguments) : await RunCall.BacktestAsync(arguments);
        Assert.Equal(101045.539314m, (decimal)report["finalEquity"]!);
        Assert.Equal(1210, (int)report["closedTrades"]!);
        Assert.Equal("bfbf36955aa1f5886513ec5e4e3e722be60c334027964df7d21a03f958c818d5", (string)report["orderListHash"]!);
    }
}
