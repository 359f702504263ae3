using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Strategies.Rules;

public sealed class RuleCheckTests
{
    private const string Entry = "enter long when close > open; ";

    [Theory]
    [InlineData("enter long when crosses_above(smaa(20), sma(50))", "line 1, column 31: unknown feature 'smaa'; nearest is 'sma'")]
    [InlineData("enter long when clos > 1", "line 1, column 17: unknown name 'clos'; nearest is 'close'")]
    [InlineData("enter long when macd.sginal > 0", "line 1, column 17: macd has no output 'sginal'; it has line, signal, histogram; nearest is 'macd.signal'")]
    [InlineData("enter long when sma(0) > close", "line 1, column 21: period is 0; expected a whole number from 1 to 10000")]
    [InlineData("enter long when sma(2.5) > close", "line 1, column 21: period is 2.5; expected a whole number from 1 to 10000")]
    [InlineData("enter long when sma(20, 30) > close", "line 1, column 25: sma takes 1 number(s) and a price source, as in sma(20)")]
    [InlineData("enter long when atr(14, high) > 1", "line 1, column 25: atr takes no price source, found 'high'")]
    [InlineData("enter long when sma(high, 20) > 1", "line 1, column 21: the price source comes last")]
    [InlineData("enter long when sma(close + 1) > close", "line 1, column 27: period is 'close + 1'; expected a whole number from 1 to 10000, of numbers and parameters")]
    [InlineData("enter long when macd(26, 12) > 0", "line 1, column 17: macd.line(26,12): macd needs fast < slow, found 26 and 12")]
    [InlineData("enter long when rsi(14)", "line 1, column 17: a condition is true or false; found a number, compare it with something")]
    [InlineData("enter long when rsi(14) > close", "line 1, column 25: '>' between a number and a price")]
    [InlineData("enter long when close > atr(14)", "line 1, column 23: '>' between a price and a distance")]
    [InlineData("enter long when close + rsi(14) > 1", "line 1, column 23: '+' between a price and a number")]
    [InlineData("enter long when close * close > 1", "line 1, column 23: '*' between a price and a price")]
    [InlineData("enter long when close and open", "line 1, column 17: 'and' joins conditions; found a price, compare it with something")]
    [InlineData("enter long when not close", "line 1, column 21: 'not' turns a condition round; found a price")]
    [InlineData("enter long when position > long", "line 1, column 26: a position is compared by == and !=")]
    [InlineData("enter long when position == friday", "line 1, column 26: '==' between a position and a day of the week")]
    [InlineData("enter long when time > 8", "line 1, column 22: '>' between a time of day and a number")]
    [InlineData("enter long when (close > 1) == (open > 1)", "line 1, column 29: '==' between conditions; join them with and, or, not")]
    [InlineData("enter long when close = 1", "line 1, column 23: '=' does not compare; nearest is '=='")]
    [InlineData("enter long when 1 < close < 2", "line 1, column 27: comparisons do not chain; write for example 'a < b and b < c'")]
    [InlineData("enter long when -close > 1", "line 1, column 17: a price has no negative")]
    [InlineData("enter long when profit[1] > 1", "line 1, column 17: profit has no past; only features of the market have")]
    [InlineData("enter long when close[1001] > 1", "line 1, column 23: the lag is 1001; expected a whole number from 0 to 1000")]
    [InlineData("enter long when highest(profit, 5) > 1", "line 1, column 25: 'profit' has no past; what crosses, rises or is highest is made of features and numbers")]
    [InlineData("enter long when highest(3, 5) > 1", "line 1, column 25: highest of a constant; expected a feature")]
    [InlineData("enter long when crosses_above(1, 2)", "line 1, column 17: crosses_above of two constants; expected a feature")]
    [InlineData("enter long when crosses_above(close)", "line 1, column 17: crosses_above takes 2 argument(s), as in crosses_above(a, b); found 1")]
    [InlineData("enter long when crosses_above(close, rsi(14))", "line 1, column 17: 'cross' between a price and a number")]
    [InlineData("enter sideways when close > 1", "line 1, column 7: expected long or short, found 'sideways'")]
    [InlineData("enter long wen close > 1", "line 1, column 12: expected 'when', found 'wen'; nearest is 'when'")]
    [InlineData("entr long when close > 1", "line 1, column 1: expected a statement, found 'entr'; statements begin with param, let, require, enter, exit, stop, "
        + "target, trail, reentry, size, session, timezone; nearest is 'enter'")]
    [InlineData("enter long when close >", "line 1, column 24: expected a value, found the end")]
    [InlineData("enter long when (close > 1", "line 1, column 27: expected ')', found the end")]
    [InlineData("enter long when close > 1 close", "line 1, column 27: expected ';', found 'close'")]
    [InlineData("enter long when close > 1e5", "line 1, column 25: '1e5' is no number; expected for example 14, 0.5, 08:30 or 4h")]
    [InlineData("enter long when close > 1234567890123456", "line 1, column 25: the number has 16 digits; expected at most 15")]
    [InlineData("enter long when time > 25:00", "line 1, column 24: '25:00' is no time of day; expected 00:00 to 23:59")]
    [InlineData("enter long when time_in_trade > 4w", "line 1, column 33: '4w' is no number and no length of time; expected for example 30s, 15m, 4h or 2d")]
    [InlineData("enter long when close > 1 & open > 1", "line 1, column 27: unexpected character '&'; nearest is 'and'")]
    [InlineData("enter long when close > \u00e9", "line 1, column 25: unexpected character '\u00e9'")]
    [InlineData(Entry + "stop sma(20)", "line 1, column 36: a stop is a distance such as atr(14) * 2, 1.5% or 200 points; found a price")]
    [InlineData(Entry + "stop 10 points; stop 20 points", "line 1, column 47: a second 'stop'; expected one")]
    [InlineData(Entry + "size risk 1", "line 1, column 41: size risk is a percentage of the equity such as 1%, of numbers and parameters; found a number")]
    [InlineData(Entry + "size lots 1%", "line 1, column 42: size lots is a number such as 0.1, or a parameter; found a percentage")]
    [InlineData(Entry + "stop 1%; size risk 101%", "line 1, column 53: size risk is 101; expected more than 0, at most 100")]
    [InlineData(Entry + "size risk 1%", "line 1, column 31: size risk needs a stop or a trail: the risk is what is lost there")]
    [InlineData(Entry + "size rsk 1%", "line 1, column 36: expected risk, equity, lots, units or notional, found 'rsk'; nearest is 'risk'")]
    [InlineData(Entry + "size luck 1", "line 1, column 36: expected risk, equity, lots, units or notional, found 'luck'")]
    [InlineData(Entry + "trail 10 points", "line 1, column 31: when a trailing stop was hit a rule cannot see; add 'exit when ...' after which it may enter long again")]
    [InlineData(Entry + "stop 1%; reentry after exit", "line 1, column 40: reentry after exit, but nothing ever exits long; add 'exit when ...'")]
    [InlineData(Entry + "session 08:00-17:00 Europe/Londn", "line 1, column 51: unknown time zone 'Europe/Londn'; nearest is 'Europe/London'")]
    [InlineData(Entry + "session on mondy", "line 1, column 42: expected a day of the week, weekdays or weekend, found 'mondy'; nearest is 'monday'")]
    [InlineData(Entry + "session", "line 1, column 38: expected a session such as 08:00-17:00 or on weekdays, found the end")]
    [InlineData("param sma = 1 from 1 to 2; " + Entry, "line 1, column 7: 'sma' has a meaning already; choose another name for the parameter")]
    [InlineData("param x = 5 from 1 to 2; " + Entry, "line 1, column 1: x is 5; expected 1 to 2, as it says itself")]
    [InlineData("param x = 5 from 9 to 2; " + Entry, "line 1, column 1: x goes from 9 to 2; expected the lesser first")]
    [InlineData("param x = 1 from 1 to 2 step 0; " + Entry, "line 1, column 1: the step of x is 0; expected more than 0")]
    [InlineData("param x = 1 from 1 to 2; param x = 1 from 1 to 2; " + Entry, "line 1, column 26: 'x' is there already")]
    [InlineData("param n = 20 from 0 to 50; enter long when close > sma(n)",
        "line 1, column 56: period is n, which goes from 0 to 50; expected a whole number from 1 to 10000")]
    [InlineData("param n = 20 from 10 to 50 step 0.5; enter long when close > sma(n)",
        "line 1, column 66: period is n, whose values are not all whole; expected a whole number from 1 to 10000")]
    [InlineData("param a = 3 from 1 to 9; require a < 2; " + Entry, "line 1, column 26: the parameters' defaults do not meet it")]
    [InlineData("require close > 2; " + Entry, "line 1, column 15: a requirement compares parameters and numbers, for example 'require fast < slow'")]
    [InlineData("let x = y + 1; " + Entry, "line 1, column 9: unknown name 'y'")]
    [InlineData("exit when close > 1", "line 1, column 1: nothing is entered; expected a statement 'enter long when ...' or 'enter short when ...'")]
    [InlineData("", "line 1, column 1: nothing is entered; expected a statement 'enter long when ...' or 'enter short when ...'")]
    public void A_fault_is_told_by_place_and_the_name_that_was_meant(string text, string expected)
    {
        RuleCheck check = RuleLanguage.Check(text);
        Assert.Null(check.Rule);
        Assert.Equal([expected], check.Diagnostics.Select(diagnostic => diagnostic.ToString()));
        RuleException e = Assert.Throws<RuleException>(() => RuleLanguage.Define(text));
        Assert.Equal(check.Diagnostics, e.Diagnostics);
    }

    [Fact]
    public void All_faults_of_a_text_come_together_each_at_its_line()
    {
        const string text = "param fast = 20 from 5 to;\nlet trend = smaa(fast);\nenter long when trend > 0   # not told twice\n  and rsii(14) < 70;\n"
            + "exit when close >;\r\nstop sma(3);\nenter short wen x;\n\u20ac size risk 1%;";
        RuleCheck check = RuleLanguage.Check(text);
        Assert.Equal(
            [
                "line 1, column 26: expected a number, found ';'",
                "line 2, column 13: unknown feature 'smaa'; nearest is 'sma'",
                "line 5, column 18: expected a value, found ';'",
                "line 6, column 6: a stop is a distance such as atr(14) * 2, 1.5% or 200 points; found a price",
                "line 7, column 13: expected 'when', found 'wen'; nearest is 'when'",
                "line 8, column 1: unexpected character '\u20ac'",
            ],
            check.Diagnostics.Select(diagnostic => diagnostic.ToString()));
        Assert.Equal("  let trend = smaa(fast);\n              ^^^^", check.Diagnostics[1].Excerpt(text));
    }

    [Fact]
    public void What_is_too_large_is_refused_and_not_followed()
    {
        static string Fault(string text)
        {
            RuleCheck check = RuleLanguage.Check(text);
            Assert.Null(check.Rule);
            return string.Join('\n', check.Diagnostics.Select(diagnostic => diagnostic.Message));
        }
        Assert.Contains("16385 characters long; expected at most 16384", Fault(new string(' ', 16_385)));
        Assert.Contains("nested more than 64 deep", Fault($"enter long when {new string('(', 5000)}"));
        Assert.Contains("nested more than 64 deep", Fault($"enter long when {string.Concat(Enumerable.Repeat("not ", 3000))}close > 1"));
        Assert.Contains("nested more than 64 deep", Fault($"enter long when {new string('-', 9000)}1 > close"));
        Assert.Contains("nested more than 64 deep", Fault($"enter long when close{string.Concat(Enumerable.Repeat("[1]", 500))} > 1"));
        Assert.Contains("more than 2000 values", Fault(string.Concat(Enumerable.Range(0, 90).Select(i => $"let a{i} = {string.Join(" + ", Enumerable.Repeat("1", 30))};"))));
        Assert.Contains("more than 100 statements", Fault(string.Concat(Enumerable.Repeat("enter long when close > 1;", 101))));
        Assert.Contains("more than 30 parameters", Fault(string.Concat(Enumerable.Range(0, 31).Select(i => $"param p{i} = 1 from 1 to 2;"))));
        Assert.Contains("more than 64 features", Fault($"enter long when {string.Join(" or ", Enumerable.Range(1, 33).Select(i => $"sma({i}) > ema({i})"))}"));
        Assert.Contains("characters for one feature", Fault($"enter long when crosses_above(close, {string.Join(" + ", Enumerable.Range(100, 60).Select(i => $"sma({i})"))})"));
        // Each let doubles the one before.
        string doubling = "let l0 = close;" + string.Concat(Enumerable.Range(1, 60).Select(i => $"let l{i} = l{i - 1} + l{i - 1};"));
        Assert.Contains("with its lets written out", Fault($"{doubling} enter long when l60 > 1"));
        string constants = "let l0 = 1;" + string.Concat(Enumerable.Range(1, 60).Select(i => $"let l{i} = l{i - 1} + l{i - 1};"));
        Assert.Contains("with its lets written out", Fault($"{constants} enter long when close > l60"));
        Assert.Contains("name is 41 characters", Fault($"let {new string('x', 41)} = 1;"));
        Assert.InRange(RuleLanguage.Check(string.Concat(Enumerable.Repeat("x;", 5000))).Diagnostics.Length, 1, RuleLimits.Diagnostics);
    }

    [Fact]
    public void The_rule_of_the_requirement_reads_checks_and_says_what_it_needs()
    {
        RuleSummary rule = RuleLanguage.Check("""
            enter long when crosses_above(sma(20), sma(50)) and rsi(14) < 70; exit when crosses_below(close, sma(50)) or bars_in_trade > 96; stop atr(14) * 2; size risk 1%
            """).Rule!;
        Assert.Equal("""
            enter long when crosses_above(sma(20), sma(50)) and rsi(14) < 70;
            exit when crosses_below(close, sma(50)) or bars_in_trade > 96;
            stop atr(14) * 2;
            size risk 1%;
            """.ReplaceLineEndings("\n"), rule.Text);
        Assert.Equal(["sma(20)", "sma(50)", "cross(sma(20),sma(50))", "rsi(14)", "close", "cross(close,sma(50))", "atr(14)"],
            rule.Features.Select(feature => feature.ToString()));
        Assert.Equal(50, rule.WarmUp);
        Assert.Empty(rule.Definition.AllParameters);
    }

    [Fact]
    public void Parameters_have_ranges_and_steps_and_requirements_between_them()
    {
        StrategyDefinition rule = RuleLanguage.Define("""
            param fast = 20 from 5 to 50 step 5;
            param slow = 50 from 20 to 200;
            param width = 2 from 0.5 to 4 step 0.5;
            require fast * 2 <= slow;
            enter long when close > sma(fast) + width * atr(slow + 1);
            """);
        Assert.Equal(
            [
                new ParameterDefinition("fast", "parameter of the rule", 20, 5, 50, true, 5),
                new ParameterDefinition("slow", "parameter of the rule", 50, 20, 200, true),
                new ParameterDefinition("width", "parameter of the rule", 2, 0.5m, 4, false, 0.5m),
                StrategyDefinition.Units,
            ],
            rule.AllParameters);
        Assert.Equal(["close", "sma(10)", "atr(61)"], rule.Make([new("fast", 10), new("slow", 60)]).Inputs.Select(input => input.ToString()));
        Assert.Contains("parameters do not meet 'require fast * 2 <= slow'", Fault("fast", 30));
        Assert.Contains("fast is 51; expected a whole number from 5 to 50", Fault("fast", 51));
        Assert.Contains("no parameter 'fats'; did you mean 'fast'?", Fault("fats", 10));

        string Fault(string name, decimal value) => Assert.Throws<ArgumentException>(() => rule.Bind([new(name, value)])).Message;
    }

    [Fact]
    public void What_only_some_parameters_make_wrong_is_told_when_they_are_set()
    {
        StrategyDefinition rule = RuleLanguage.Define("param a = 12 from 1 to 40; param b = 26 from 1 to 40; enter long when macd(a, b) > 0; stop 1%; size risk a / 2 * 1%;");
        Assert.Contains("macd needs fast < slow, found 30 and 26", Assert.Throws<ArgumentException>(() => rule.Bind([new("a", 30)])).Message);
        Assert.Null(RuleLanguage.Check("param n = 3 from 1 to 9; enter long when close > sma(n - 2)").Diagnostics.FirstOrDefault());
        StrategyDefinition less = RuleLanguage.Define("param n = 3 from 1 to 9; enter long when close > sma(n - 2)");
        Assert.Contains("period is 0", Assert.Throws<ArgumentException>(() => less.Bind([new("n", 2)])).Message);
    }

    [Fact]
    public void The_examples_of_the_documentation_can_be_traded()
    {
        string text = File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "docs", "rules.md")).ReplaceLineEndings("\n");
        string[] examples = [.. text[text.IndexOf("## Examples", StringComparison.Ordinal)..].Split("```").Where((_, index) => index % 2 == 1)
            .Select(block => block["text\n".Length..])];
        Assert.Equal(8, examples.Length);
        Assert.All(examples, example => Assert.Empty(RuleLanguage.Check(example).Diagnostics));
        foreach (RuleWord word in RuleVocabulary.Functions.Concat(RuleVocabulary.Facts.Select(fact => fact.Word))) Assert.Contains($"`{word.Name}", text);
    }

    [Fact]
    public void Equal_rules_are_one_definition_however_they_are_written()
    {
        StrategyDefinition one = RuleLanguage.Define("enter long when ((close) > 1.50) ; # a comment\n");
        Assert.Same(one, RuleLanguage.Define("ENTER LONG WHEN close>1.5"));
        Assert.Same(one, RuleLanguage.Define(one.Rule!));
        Assert.Same(one, StrategyCatalog.Find("rule", "enter long when close > 1.5"));
        Assert.Throws<ArgumentException>(() => StrategyCatalog.Find("sma-cross", one.Rule));
        Assert.Throws<ArgumentException>(() => StrategyCatalog.Find("rule", null));
    }
}
