using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Strategies.Rules;

/// <summary>What a rule wants, bar by bar, by hand.</summary>
public sealed class RuleTradeTests
{
    private const string EnterAtUp = "enter long when position == flat and close > open; enter short when position == flat and close < open; ";

    [Fact]
    public void A_stop_and_a_target_lie_where_a_followers_do_and_reaching_one_leaves_the_rule_flat()
    {
        // In at the close 1.10000 / 1.10020: the stop at 1.10020 - 0.00100, the target at 1.10020 + 0.00300.
        Assert.Equal([null, Stance.Long, null, Stance.Flat, Stance.Long], Play(EnterAtUp + "stop 100 points; target 300 points",
            Bar(110_000, 110_000), Bar(109_990, 110_000), Bar(110_000, 110_000, low: 109_921), Bar(110_000, 110_000, low: 109_920), Bar(109_990, 110_000)));
        Assert.Equal([Stance.Long, null, Stance.Flat], Play(EnterAtUp + "stop 100 points; target 300 points",
            Bar(109_990, 110_000), Bar(110_000, 110_000, high: 110_319), Bar(110_000, 110_000, high: 110_320)));
        // Sold at the bid 1.10000; what is bought back is bought at the ask, 0.00020 above.
        Assert.Equal([Stance.Short, null, Stance.Flat], Play(EnterAtUp + "stop 100 points",
            Bar(110_010, 110_000), Bar(110_000, 110_000, high: 110_079), Bar(110_000, 110_000, high: 110_080)));
        Assert.Equal([Stance.Short, null, Stance.Flat], Play(EnterAtUp + "target 100 points",
            Bar(110_010, 110_000), Bar(110_000, 110_000, low: 109_881), Bar(110_000, 110_000, low: 109_880)));
    }

    [Fact]
    public void With_reentry_after_exit_a_stop_is_the_followers_alone() =>
        Assert.Equal([Stance.Long, null, null, Stance.Flat, Stance.Long], Play(
            EnterAtUp + "exit when close == open and low == open; stop 100 points; reentry after exit",
            Bar(109_990, 110_000), Bar(110_000, 110_000, low: 109_000), Bar(109_990, 110_000), Bar(110_000, 110_000), Bar(109_990, 110_000)));

    [Fact]
    public void What_is_not_ready_makes_no_condition_true_neither_way_and_an_exit_by_time_still_works()
    {
        Assert.Equal([null, null, Stance.Long], Play("enter long when not (sma(3) > close + 1)", Bar(1, 2), Bar(1, 2), Bar(1, 2)));
        Assert.Equal([Stance.Long, null], Play("enter long when sma(3) > close or close > open", Bar(1, 2), Bar(1, 2)));
        Assert.Equal([null, null], Play("enter long when sma(3) != close", Bar(1, 2), Bar(1, 2)));
        Assert.Equal([null], Play("enter long when not (close / (close - close) > 1) or close / (open - open) > 1", Bar(1, 2)));
        Assert.Equal([Stance.Long, null, Stance.Flat, Stance.Long], Play(
            "enter long when close > open; exit when sma(500) > 1 or bars_in_trade >= 2", Bar(1, 2), Bar(2, 2), Bar(2, 2), Bar(1, 2)));
    }

    [Fact]
    public void What_cannot_be_protected_is_not_entered()
    {
        Assert.Equal([null, null, Stance.Long], Play("enter long when close > open; stop sma(3) - low + 0.001", Bar(1, 2), Bar(1, 2), Bar(1, 2)));
        Assert.Equal([null], Play("enter long when close > open; stop close - open - 1", Bar(1, 2)));
        Assert.Equal([null], Play("enter long when close > open; target (close - open) / 0", Bar(1, 2)));
    }

    [Fact]
    public void An_entry_the_other_way_turns_the_first_statement_that_holds_counts_and_exits_leave_their_own_side()
    {
        const string turns = "enter long when close > open; enter short when close < open; exit long when close == open";
        Assert.Equal([Stance.Long, Stance.Short, null, Stance.Long, Stance.Flat], Play(turns, Bar(1, 2), Bar(2, 1), Bar(1, 1), Bar(1, 2), Bar(2, 2)));
        Assert.Equal([Stance.Short], Play("enter short when close > 0; enter long when close > 0", Bar(1, 1)));
    }

    [Fact]
    public void Entries_keep_to_the_sessions_and_exits_do_not()
    {
        // The bars close at 10:00, 11:00 and so on, Tuesday 9 January 2024 in UTC; Tokyo is nine hours ahead.
        Assert.Equal([null, Stance.Long, Stance.Flat, null], Play(
            "session 11:00-12:00; enter long when close > open; exit when close < open", Bar(1, 2), Bar(1, 2), Bar(2, 1), Bar(1, 2)));
        Assert.Equal([Stance.Long], Play("timezone Asia/Tokyo; session 19:00-19:01 on tuesday; enter long when close > open", Bar(1, 2)));
        Assert.Equal([null], Play("session 19:00-19:01 Asia/Tokyo on weekend; enter long when close > open", Bar(1, 2)));
        // The session of Monday evening goes on over midnight.
        Assert.Equal([Stance.Long], Play("session 22:00-10:01 on monday; enter long when close > open", Bar(1, 2)));
        Assert.Equal([null], Play("session 22:00-10:00 on monday; enter long when close > open", Bar(1, 2)));
        Assert.Equal([Stance.Long], Play("session on tuesday, friday; enter long when close > open", Bar(1, 2)));
    }

    [Theory]
    [InlineData("hour == 10 and minute == 0 and weekday == tuesday and time == 10:00", true)]
    [InlineData("weekday >= monday and weekday < saturday and time < 10:01", true)]
    [InlineData("weekday == sunday", false)]
    [InlineData("spread == 20 points and spread == 20 ticks and spread < 0.00021", true)]
    [InlineData("profit == 0 and bars_in_trade == 0 and time_in_trade == 0s", true)]
    [InlineData("entry_price > 0 or not (entry_price > 0)", false)]
    [InlineData("max(open, close) - min(open, close) == abs(open - close) and -profit <= 0", true)]
    public void Facts_are_as_documented(string condition, bool holds) =>
        Assert.Equal([holds ? Stance.Long : null], Play($"enter long when {condition}", Bar(109_990, 110_000)));

    [Fact]
    public void Facts_of_a_trade_count_from_the_close_of_entry()
    {
        const string entry = "enter short when position == flat; exit when ";
        Bar[] bars = [Bar(110_000, 110_000), Bar(110_000, 109_950), Bar(109_950, 109_900)];
        Assert.Equal([Stance.Short, null, Stance.Flat], Play(entry + "profit >= 100", bars));
        Assert.Equal([Stance.Short, null, Stance.Flat], Play(entry + "time_in_trade >= 2h", bars));
        Assert.Equal([Stance.Short, null, Stance.Flat], Play(entry + "entry_price - close > 0.0009", bars));
        Assert.Equal([Stance.Short, Stance.Flat, Stance.Short], Play(entry + "bars_in_trade == 1", bars));
    }

    [Fact]
    public void Intents_carry_distances_size_and_why()
    {
        Intent intent = Ask("param r = 0.5 from 0.1 to 2 step 0.1; enter long when close > open; stop 1%; target 2 * (high - low); exit when close < 0; "
            + "trail 150 points; size risk r * 2 * 1%", Bar(109_000, 110_000));
        Assert.Equal((0.011m, 0.02m, 0.0015m), (intent.StopDistance, intent.TakeDistance, intent.TrailDistance));
        Assert.Equal(new Sizing(SizingKind.PercentRisk, 1), intent.Size);
        Assert.Equal("enter long when close > open", intent.Why);
        Assert.Equal(new Sizing(SizingKind.PercentOfEquity, 50), Ask("enter long when close > open; size equity 50%", Bar(1, 2)).Size);
        Assert.Equal(new Sizing(SizingKind.FixedUnits, 10_000), Ask("enter long when close > open; size lots 0.1", Bar(1, 2)).Size);
        Assert.Equal(new Sizing(SizingKind.FixedUnits, 7), Ask("enter long when close > open; size units 7", Bar(1, 2)).Size);
        Assert.Equal(new Sizing(SizingKind.Notional, 5000), Ask("enter long when close > open; size notional 5000", Bar(1, 2)).Size);
        Assert.Null(Ask("enter long when close > open", Bar(1, 2)).Size);
    }

    [Theory]
    [InlineData(SizingKind.FixedUnits, 3000, SizingKind.StrategyUnits, 2, 6000)]
    [InlineData(SizingKind.PercentRisk, 1, SizingKind.StrategyUnits, 0.5, 100_000)]
    [InlineData(SizingKind.PercentOfEquity, 11, SizingKind.StrategyUnits, 1, 10_000)]
    [InlineData(SizingKind.Notional, 5500, SizingKind.StrategyUnits, 1, 5000)]
    [InlineData(SizingKind.Notional, 5500, SizingKind.FixedUnits, 2000, 2000)]
    [InlineData(SizingKind.FixedUnits, 3000, SizingKind.Notional, 11_000, 10_000)]
    public void A_followers_terms_multiply_the_rules_size_or_replace_it(SizingKind own, decimal value, SizingKind terms, decimal times, decimal expected)
    {
        const string key = "t/u/s";
        Desk desk = new Desk().Quote(1.0999m, 1.1000m);
        Assert.Null(desk.Do(account => account.SetFollow(key, new FollowTerms(new Sizing(terms, times)), desk.Time)));
        var intent = new Intent(Stance.Long, "why", StopDistance: 0.005m, Size: new Sizing(own, value));
        desk.See("EURUSD");
        DecisionVerdict verdict = desk.Do(account => account.Receive(new Decision(
            $"{key}#1", key, "EURUSD", TimeFrame.H1, desk.Time, desk.Position, default, [], Stance.Flat, intent, 0)));
        Assert.Equal(expected, verdict.Volume);
    }

    /// <summary>Closes an hour after the bar before; the first at 10:00. Prices in points; the ask lies 20 above.</summary>
    private static Bar Bar(long open, long close, long? high = null, long? low = null)
    {
        var bid = new Ohlc(open, high ?? Math.Max(open, close), low ?? Math.Min(open, close), close);
        return new Bar(Desk.Start, bid, bid.Shift(20), 1);
    }

    private static Intent Ask(string rule, Bar bar) => Assert.Single(Decide(rule, [bar]))!.Intent;

    private static Stance?[] Play(string rule, params Bar[] bars) => [.. Decide(rule, bars).Select(evaluation => evaluation?.Intent.Stance)];

    private static List<Evaluation?> Decide(string rule, Bar[] bars)
    {
        var features = new FeatureSet(Desk.Eurusd, TimeFrame.H1, []);
        var evaluator = new StrategyEvaluator(RuleLanguage.Define(rule).Make([]), Desk.Eurusd, TimeFrame.H1, features.Add);
        List<Evaluation?> decided = [];
        StrategyState state = StrategyState.Initial;
        for (int i = 0; i < bars.Length; i++)
        {
            DateTime close = Desk.Start.AddHours(i);
            Bar bar = bars[i] with { OpenTime = close.AddHours(-1) };
            features.Update(bar);
            Evaluation? evaluation = evaluator.Evaluate(bar, i + 1, close, i, state, features.Values, features.Previous);
            decided.Add(evaluation);
            if (evaluation is null) continue;
            state = state.After(new Decision($"s#{i}", "s", "EURUSD", TimeFrame.H1, close, i, bar, [], state.Stance, evaluation.Intent, 1, evaluation.BarNumber));
        }
        return decided;
    }
}
