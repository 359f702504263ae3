using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Domain.Tests.Markets;

namespace HybridTrading.Domain.Tests.Strategies.Rules;

public sealed class RuleProperties
{
    [Fact]
    public void Any_tree_is_read_back_from_its_text_and_from_its_json() => Prop.ForAll(AnyRule.ToArbitrary(), rule =>
    {
        string text = RuleWriter.Write(rule);
        // Reading takes any tree; what makes no sense is told by the check, not by the reader.
        RuleSyntax read = RuleJson.Read(RuleJson.Write(rule));
        Assert.Equal(rule, read);
        Assert.Equal(text, RuleWriter.Write(read));
        Assert.Equal(RuleLanguage.Check(text).Diagnostics, RuleLanguage.Check(RuleWriter.Write(read)).Diagnostics);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void A_changed_json_is_a_rule_or_a_fault() => Prop.ForAll(AnyRule.ToArbitrary(), Gen.Choose(0, 10_000).Two().ToArbitrary(), (rule, cut) =>
    {
        string json = RuleJson.Write(rule);
        int from = cut.Item1 % (json.Length + 1), length = cut.Item2 % 12;
        string changed = json.Remove(from, Math.Min(length, json.Length - from));
        try
        {
            Assert.NotNull(RuleJson.Read(changed));
        }
        catch (FormatException)
        {
            // What reads as no rule says so.
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Theory]
    [InlineData("null", "null")]
    [InlineData("[]", "no rule")]
    [InlineData("{}", "statements")]
    [InlineData("""{"statements":[null]}""", "no rule")]
    [InlineData("""{"statements":[{"statement":"reenter"}]}""", "reenter")]
    [InlineData("""{"statements":[{"statement":"stop"}],"more":1}""", "no rule")]
    [InlineData("""{"statements":[{"statement":"let","name":"a; size lots 9","value":{"expression":"number","value":1}}]}""", "no rule")]
    [InlineData("""{"statements":[{"statement":"let","name":"a","value":{"expression":"number","value":-1}}]}""", "reads as another")]
    [InlineData("""{"statements":[{"statement":"let","name":"a","value":{"expression":"call","name":"abs","arguments":[null]}}]}""", "reads as another")]
    [InlineData("""{"statements":[{"statement":"let","name":"a","value":null}]}""", "no rule")]
    public void Json_that_is_no_rule_is_refused(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => RuleJson.Read(json)).Message);

    [Fact]
    public void No_text_throws_or_is_told_more_than_the_bound() => Prop.ForAll(AnyText.ToArbitrary(), text =>
    {
        RuleCheck check = RuleLanguage.Check(text);
        Assert.Equal(check.Rule is null, check.Diagnostics.Length > 0);
        Assert.InRange(check.Diagnostics.Length, 0, RuleLimits.Diagnostics);
        int lines = text.ReplaceLineEndings("\n").Count(c => c == '\n') + 1;
        Assert.All(check.Diagnostics, diagnostic =>
        {
            Assert.InRange(diagnostic.Line, 1, lines);
            Assert.InRange(diagnostic.Column, 1, text.Length + 1);
            Assert.NotEmpty(diagnostic.Excerpt(text));
        });
        if (check.Rule is { } rule) Assert.Equal(rule.Text, RuleLanguage.Check(rule.Text).Rule!.Text);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void What_is_compiled_decides_as_the_tree_read_by_the_book()
    {
        int traded = 0, decided = 0;
        Prop.ForAll(AnyTradedRule.ToArbitrary(), TestMarket.AnyBars(80), (rule, bars) => { Compare(rule, bars, ref traded, ref decided); })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(400));
        Assert.InRange(traded, 250, 400);
        Assert.InRange(decided, 500, int.MaxValue);
    }

    private static void Compare(RuleSyntax rule, Bar[] bars, ref int traded, ref int decided)
    {
        string text = RuleWriter.Write(rule);
        RuleCheck check = RuleLanguage.Check(text);
        // Whether only constants meet is left to chance: that is refused, as it should be.
        if (check.Rule is null) return;
        traded++;
        StrategyDefinition definition = check.Rule.Definition;
        Strategy strategy = definition.Make([]);
        var features = new FeatureSet(TestMarket.Gbpusd, TimeFrame.H1, []);
        var evaluator = new StrategyEvaluator(strategy, TestMarket.Gbpusd, TimeFrame.H1, features.Add);
        var book = new RuleByTheBook(rule, TestMarket.Gbpusd, bars);
        StrategyState state = StrategyState.Initial;
        for (int i = 0; i < bars.Length; i++)
        {
            features.Update(bars[i]);
            DateTime time = TimeFrame.H1.End(bars[i].OpenTime);
            Evaluation? evaluation = evaluator.Evaluate(bars[i], i + 1, time, i, state, features.Values, features.Previous);
            Stance? expected = book.Wants(i, state);
            Assert.True(expected == evaluation?.Intent.Stance, $"bar {i}, {state.Stance}: {evaluation?.Intent.Stance}, by the book {expected}\n{text}");
            if (evaluation is null) continue;
            decided++;
            state = state.After(new Decision("d", "s", "GBPUSD", TimeFrame.H1, time, i, bars[i], [], state.Stance, evaluation.Intent, 1, i + 1));
        }
    }

    [Fact]
    public void Evaluating_does_not_allocate()
    {
        Strategy strategy = RuleLanguage.Define("""
            session 08:00-17:00 Europe/London on weekdays;
            let far = highest(high, 20)[3] - lowest(low, 20);
            enter long when crosses_above(close, sma(20) + far) and hour > 30 and not rising(rsi(14), 3) and close[5] / open > 2;
            exit when bars_in_trade > 96 or profit > 50 or time_in_trade > 4h;
            stop min(atr(14) * 2, 100 points);
            """).Make([]);
        var features = new FeatureSet(TestMarket.Gbpusd, TimeFrame.H1, []);
        var evaluator = new StrategyEvaluator(strategy, TestMarket.Gbpusd, TimeFrame.H1, features.Add);
        Bar[] bars = [.. Enumerable.Range(0, 600).Select(i => new Bar(TestMarket.Monday.AddHours(i), At(i), At(i), 5))];
        long before = 0;
        for (int i = 0; i < bars.Length; i++)
        {
            if (i == 300) before = GC.GetAllocatedBytesForCurrentThread();
            features.Update(bars[i]);
            Assert.Null(evaluator.Evaluate(bars[i], i + 1, bars[i].OpenTime.AddHours(1), i, StrategyState.Initial, features.Values, features.Previous));
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static Ohlc At(int i) => new(100_000 + i, 100_010 + i, 99_990 + i, 100_005 + i % 7);
    }

    private static readonly Gen<string> Word = Gen.Elements(
        "close", "rsi", "macd.signal", "trend", "fast", "position", "bars_in_trade", "flat", "long", "friday", "hour", "sma", "x1", "_y");

    private static readonly Gen<decimal> Number = Gen.OneOf(
        Gen.Choose(0, 100).Select(n => (decimal)n), Gen.Choose(0, 100_000).Select(n => n / 1000m), Gen.Choose(0, 1_000_000).Select(n => n / 100_000m));

    private static Gen<RuleExpression> Tree(int size)
    {
        Gen<RuleExpression> leaf = Gen.OneOf(
            Number.Select(RuleExpression (n) => new NumberExpression(n)), Word.Select(RuleExpression (name) => new NameExpression(name)),
            Gen.Choose(0, 1439).Select(RuleExpression (minute) => new TimeExpression(minute)),
            Gen.Choose(0, 500_000).Select(RuleExpression (seconds) => new DurationExpression(seconds)));
        if (size <= 0) return leaf;
        Gen<RuleExpression> sub = Tree(size / 2);
        return Gen.Frequency(
            (1, leaf),
            (4, from o in Gen.Elements(Enum.GetValues<BinaryOperator>()) from a in sub from b in sub select (RuleExpression)new BinaryExpression(o, a, b)),
            (1, from o in Gen.Elements(Enum.GetValues<UnaryOperator>()) from a in sub select (RuleExpression)new UnaryExpression(o, a)),
            (1, from a in sub from b in sub select (RuleExpression)new PastExpression(a, b)),
            (1, from a in sub from u in Gen.Elements(Enum.GetValues<QuantityUnit>()) select (RuleExpression)new QuantityExpression(a, u)),
            (1, from name in Word from arguments in Gen.ListOf(sub, size % 3) select (RuleExpression)new CallExpression(name, [.. arguments])));
    }

    private static readonly Gen<RuleStatement> Statement = Gen.OneOf(
        from a in Number
        from b in Number
        from c in Number
        from step in Gen.OneOf(Gen.Constant((decimal?)null), Number.Select(n => (decimal?)n))
        select (RuleStatement)new ParamStatement("fast", -a, -b, c, step),
        Tree(6).Select(RuleStatement (e) => new LetStatement("trend", e)),
        Tree(6).Select(RuleStatement (e) => new RequireStatement(e)),
        from d in Gen.Elements(Enum.GetValues<RuleDirection>()) from e in Tree(12) select (RuleStatement)new EnterStatement(d, e),
        from d in Gen.Elements<RuleDirection?>(null, RuleDirection.Long, RuleDirection.Short) from e in Tree(12) select (RuleStatement)new ExitStatement(d, e),
        from k in Gen.Elements(Enum.GetValues<ProtectionKind>()) from e in Tree(6) select (RuleStatement)new ProtectionStatement(k, e),
        Gen.Constant((RuleStatement)new ReentryStatement()),
        from b in Gen.Elements(Enum.GetValues<SizeBasis>()) from e in Tree(4) select (RuleStatement)new SizeStatement(b, e),
        from times in Gen.Elements<(int?, int?)>((null, null), (480, 1020), (1320, 120))
        from zone in Gen.Elements<string?>(null, "Europe/London", "America/New_York", "Etc/GMT+5", "UTC")
        from days in Gen.Choose(times.Item1 is null ? 1 : 0, 127)
        select (RuleStatement)new SessionStatement(times.Item1, times.Item2, zone, (RuleDays)days),
        Gen.Elements("Europe/London", "Asia/Tokyo").Select(RuleStatement (zone) => new TimeZoneStatement(zone)));

    private static readonly Gen<RuleSyntax> AnyRule = Gen.ListOf(Statement).Select(statements => new RuleSyntax([.. statements.Take(40)]));

    private static readonly Gen<string> AnyText = Gen.Frequency(
        (1, ArbMap.Default.GeneratorFor<string>().Select(text => text ?? "")),
        (1, ArbMap.Default.GeneratorFor<byte[]>().Select(bytes => System.Text.Encoding.Latin1.GetString(bytes ?? []))),
        (3, Gen.ListOf(Gen.Elements(
            "enter", "long", "short", "when", "exit", "stop", "size", "risk", "1%", "param", "let", "x", "=", "from", "to", "5", "1.5", "close", "sma", "(", ")", "20",
            "[", "]", "1", ";", ";", ">", "<", "and", "or", "not", "+", "-", "*", "/", ",", "crosses_above", "highest", "session", "08:00", "on", "monday",
            "timezone", "Europe/London", "#", "\n", "\r", "4h", "points", "%", "require", "reentry", "after", "\u20ac", "\ud800", "rsi", "macd.line", "."))
            .Select(words => string.Join(' ', words))),
        (2, from rule in AnyRule
            from at in Gen.Choose(0, 2000)
            from put in Gen.Elements("", ";", "(", "close", "\0", "9", "[2]")
            let text = RuleWriter.Write(rule)
            select text.Insert(at % (text.Length + 1), put)));

    private static RuleExpression Feature(string name, params decimal[] numbers) =>
        numbers.Length == 0 ? new NameExpression(name) : new CallExpression(name, [.. numbers.Select(n => new NumberExpression(n))]);

    /// <param name="facts">Also what has no past.</param>
    private static Gen<RuleExpression> Price(int size, bool facts = true)
    {
        Gen<RuleExpression> leaf = Gen.Frequency(
            (6, Gen.Elements(Feature("close"), Feature("open"), Feature("high"), Feature("low"), Feature("sma", 3), Feature("sma", 5), Feature("ema", 4),
                Feature("donchian.upper", 4), Feature("vwap"), new NameExpression("level"), new NameExpression("middle"))),
            (facts ? 1 : 0, Gen.Constant((RuleExpression)new NameExpression("entry_price"))));
        if (size <= 0) return leaf;
        Gen<RuleExpression> sub = Price(size / 2, facts), distance = Distance(size / 2, facts), past = Price(size / 2, false);
        return Gen.Frequency(
            (3, leaf),
            (2, from a in past from n in Gen.Choose(0, 4) select (RuleExpression)new PastExpression(a, new NumberExpression(n))),
            (2, from a in sub from d in distance from o in Gen.Elements(BinaryOperator.Add, BinaryOperator.Subtract) select (RuleExpression)new BinaryExpression(o, a, d)),
            (1, from a in past
                from n in Gen.Choose(1, 5)
                from f in Gen.Elements("highest", "lowest")
                select (RuleExpression)new CallExpression(f, [a, new NumberExpression(n)])),
            (1, from a in sub from b in sub from f in Gen.Elements("min", "max") select (RuleExpression)new CallExpression(f, [a, b])));
    }

    private static Gen<RuleExpression> Distance(int size, bool facts = true) => size <= 0
        ? Gen.Elements(Feature("atr", 3), Feature("momentum", 2), new NumberExpression(0.0005m), Feature("stdev", 4))
        : Gen.OneOf(
            Distance(0),
            from a in Price(size / 2, facts) from b in Price(size / 2, facts) select (RuleExpression)new BinaryExpression(BinaryOperator.Subtract, a, b),
            from a in Distance(size / 2, facts)
            from n in Gen.Elements<RuleExpression>(new NumberExpression(1.5m), new NameExpression("fast"))
            from o in Gen.Elements(BinaryOperator.Multiply, BinaryOperator.Divide)
            select (RuleExpression)new BinaryExpression(o, a, n),
            from a in Distance(size / 2, facts) select (RuleExpression)new UnaryExpression(UnaryOperator.Negate, a),
            from a in Distance(size / 2, facts) select (RuleExpression)new CallExpression("abs", [a]),
            facts ? Gen.Choose(1, 30).Select(RuleExpression (n) => new QuantityExpression(new NumberExpression(n), QuantityUnit.Points)) : Distance(0));

    private static Gen<RuleExpression> Ratio(int size) => Gen.OneOf(
        Gen.Elements(Feature("rsi", 3), Feature("rsi", 5), new NameExpression("bars_in_trade"), new NameExpression("profit"), new NameExpression("hour"),
            new NumberExpression(50), new NumberExpression(2), new NameExpression("fast")),
        from a in Distance(size / 2) from b in Distance(size / 2) select (RuleExpression)new BinaryExpression(BinaryOperator.Divide, a, b));

    private static Gen<RuleExpression> Condition(int size)
    {
        Gen<BinaryOperator> comparison = Gen.Elements(
            BinaryOperator.Less, BinaryOperator.LessOrEqual, BinaryOperator.Greater, BinaryOperator.GreaterOrEqual, BinaryOperator.Equal, BinaryOperator.NotEqual);
        Gen<RuleExpression> leaf = Gen.Frequency(
            (4, from o in comparison from a in Price(size) from b in Price(size) select (RuleExpression)new BinaryExpression(o, a, b)),
            (2, from o in comparison from a in Ratio(size) from b in Ratio(size) select (RuleExpression)new BinaryExpression(o, a, b)),
            (3, from a in Price(size / 2, false)
                from b in Price(size / 2, false)
                from f in Gen.Elements("crosses_above", "crosses_below")
                select (RuleExpression)new CallExpression(f, [a, b])),
            (2, from a in Price(size / 2, false)
                from n in Gen.Choose(1, 3)
                from f in Gen.Elements("rising", "falling")
                select (RuleExpression)new CallExpression(f, [a, new NumberExpression(n)])),
            (1, from stance in Gen.Elements("long", "short", "flat")
                from o in Gen.Elements(BinaryOperator.Equal, BinaryOperator.NotEqual)
                select (RuleExpression)new BinaryExpression(o, new NameExpression("position"), new NameExpression(stance))));
        if (size <= 0) return leaf;
        Gen<RuleExpression> sub = Condition(size / 2);
        return Gen.Frequency(
            (3, leaf),
            (2, from o in Gen.Elements(BinaryOperator.And, BinaryOperator.Or) from a in sub from b in sub select (RuleExpression)new BinaryExpression(o, a, b)),
            (2, sub.Select(RuleExpression (a) => new UnaryExpression(UnaryOperator.Not, a))));
    }

    private static readonly Gen<RuleSyntax> AnyTradedRule =
        from entry in Condition(6)
        from other in Condition(4)
        from exit in Condition(4)
        from direction in Gen.Elements<RuleDirection?>(null, RuleDirection.Long, RuleDirection.Short)
        select new RuleSyntax(
        [
            new ParamStatement("fast", 3, 1, 9, null),
            new LetStatement("level", new BinaryExpression(BinaryOperator.Add, Feature("wma", 3), new NumberExpression(0.0001m))),
            new LetStatement("middle", new BinaryExpression(
                BinaryOperator.Divide, new BinaryExpression(BinaryOperator.Add, Feature("high"), Feature("low")), new NumberExpression(2))),
            new EnterStatement(RuleDirection.Long, entry), new EnterStatement(RuleDirection.Short, other), new ExitStatement(direction, exit),
        ]);
}
