using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Strategies;

/// <summary>What an account makes of a strategy's decision.</summary>
public sealed class DecisionOrderTests
{
    private const string Key = "t/u/s";
    private int _decisions;

    private static Desk Following(FollowTerms? terms = null, AccountSettings? settings = null)
    {
        Desk desk = new Desk(settings).Quote(1.10000m, 1.10010m);
        Assert.Null(desk.Do(account => account.SetFollow(Key, terms ?? new FollowTerms(Sizing.AsTheStrategySays), desk.Time)));
        return desk;
    }

    private Decision Decide(Desk desk, Intent intent) => new(
        $"{Key}#{++_decisions}", Key, "EURUSD", TimeFrame.M1, desk.Time, desk.Position, default, [], Stance.Flat, intent, 10_000);

    private DecisionVerdict Send(Desk desk, Intent intent)
    {
        Decision decision = Decide(desk.See("EURUSD"), intent);
        return desk.Do(account => account.Receive(decision));
    }

    private static Desk Filled(Desk desk) => desk.Quote(1.10000m, 1.10010m);

    [Fact]
    public void To_the_wanted_stance_whatever_is_held()
    {
        Desk desk = Following();
        Assert.Equal(10_000, Send(desk, Intent.Long("")).Volume);
        Filled(desk);
        Assert.Equal(Reason.AlreadyThere, Send(desk, Intent.Long("")).Reason);
        DecisionVerdict turn = Send(desk, Intent.Short(""));
        Assert.Equal((-20_000m, 1), (turn.Volume, turn.Orders.Length));
        Assert.Equal(-10_000, Filled(desk).Net());
        Assert.Equal(10_000, Send(desk, Intent.Exit("")).Volume);
        Assert.Equal(0, Filled(desk).Net());
        Assert.Equal(Reason.AlreadyThere, Send(desk, Intent.Exit("")).Reason);
    }

    [Fact]
    public void A_hedging_account_leaves_before_it_enters()
    {
        Desk desk = Following(settings: Desk.Plain with { Mode = PositionMode.Hedging });
        Send(desk, Intent.Long(""));
        Filled(desk);
        DecisionVerdict turn = Send(desk, Intent.Short(""));
        Assert.Equal((-20_000m, 2), (turn.Volume, turn.Orders.Length));
        Assert.Equal(-10_000, Assert.Single(Filled(desk).State.Book("EURUSD").Holdings).Volume);
    }

    [Fact]
    public void An_entry_that_waits_does_not_make_the_exit_wait()
    {
        Desk desk = Following();
        Send(desk, Intent.Long(""));
        Filled(desk);
        Assert.Equal(2, Send(desk, Intent.Short("") with { EntryLimit = 1.2m }).Orders.Length);
        Assert.Equal(0, Filled(desk).Net());
        desk.Quote(1.2m, 1.2001m);
        Assert.Equal(-10_000, desk.Net());
    }

    [Fact]
    public void A_new_word_replaces_the_order_that_waits()
    {
        Desk desk = Following();
        DecisionVerdict first = Send(desk, Intent.Long("") with { EntryLimit = 1.05m });
        DecisionVerdict second = Send(desk, Intent.Long("") with { EntryStop = 1.15m });
        Assert.Equal((OrderStatus.Cancelled, Reason.Requested), desk.EndOf(first.Orders[0]));
        Assert.Equal(115_000, desk.State.FindOrder(second.Orders[0])!.Stop);
    }

    [Fact]
    public void Protection_lies_its_distance_from_the_entry_on_a_tick()
    {
        Desk desk = Following();
        DecisionVerdict verdict = Send(desk, Intent.Short("") with { StopDistance = 0.002004m, TakeDistance = 0.003m, TrailDistance = 0.001m });
        Order order = desk.State.FindOrder(verdict.Orders[0])!;
        Assert.Equal((110_200L, 109_700L, 100L), (order.StopLoss!.Value, order.TakeProfit!.Value, order.TrailingStopLoss!.Value));
    }

    [Theory]
    [InlineData(SizingKind.StrategyUnits, 2.5, null, 25_000)]
    [InlineData(SizingKind.FixedUnits, 3999, null, 3000)]
    [InlineData(SizingKind.PercentOfEquity, 50, null, 45_000)]
    [InlineData(SizingKind.PercentRisk, 1, null, 200_000)]
    [InlineData(SizingKind.StrategyUnits, 2.5, 7999.0, 7000)]
    public void Each_account_has_its_own_size(SizingKind kind, decimal value, double? most, decimal expected)
    {
        Desk desk = Following(new FollowTerms(new Sizing(kind, value), MaxUnits: (decimal?)most));
        Assert.Equal(expected, Send(desk, Intent.Long("") with { StopDistance = 0.005m }).Volume);
    }

    [Fact]
    public void A_size_of_nothing_leaves_an_opposite_position_and_enters_none()
    {
        Desk desk = Following();
        Assert.Equal(10_000, Send(desk, Intent.Long("")).Volume);
        Filled(desk);
        desk.Do(account => account.SetFollow(Key, new FollowTerms(new Sizing(SizingKind.PercentRisk, 1)), desk.Time));
        DecisionVerdict verdict = Send(desk, Intent.Short(""));
        Assert.Equal((-10_000m, Reason.SizeBelowMinimum), (verdict.Volume, verdict.Reason));
        Assert.Equal(0, Filled(desk).Net());
    }

    [Fact]
    public void A_paused_strategy_only_leaves_and_its_waiting_entry_is_cancelled()
    {
        Desk desk = Following();
        Send(desk, Intent.Long(""));
        Filled(desk);
        DecisionVerdict waiting = Send(desk, Intent.Short("") with { EntryLimit = 1.2m });
        desk.Do(account => account.SetFollow(Key, new FollowTerms(Sizing.AsTheStrategySays, Paused: true), desk.Time));
        Assert.Equal((OrderStatus.Cancelled, Reason.StrategyPaused), desk.EndOf(waiting.Orders[1]));
        Filled(desk);
        Assert.Equal((0m, Reason.StrategyPaused), (Send(desk, Intent.Long("")).Volume, Send(desk, Intent.Short("")).Reason));
        desk.Do(account => account.SetFollow(Key, null, desk.Time));
        Assert.Equal(Reason.NotFollowing, Send(desk, Intent.Long("")).Reason);
    }

    [Fact]
    public void Risk_cuts_a_turn_to_its_exit()
    {
        Desk desk = Following();
        Send(desk, Intent.Long(""));
        Filled(desk);
        desk.Do(account => account.SetTradingState(TradingState.Reducing, "me", desk.Time));
        DecisionVerdict verdict = Send(desk, Intent.Short(""));
        Assert.Equal((-10_000m, Reason.Reducing), (verdict.Volume, verdict.Reason));
        Assert.Equal(0, Filled(desk).Net());
    }

    [Fact]
    public void The_same_decision_twice_answers_as_the_first_time()
    {
        Desk desk = Following();
        Decision decision = Decide(desk.See("EURUSD"), Intent.Long(""));
        DecisionVerdict first = desk.Do(account => account.Receive(decision));
        int events = desk.Events.Count;
        desk.PutAwayAndRestore();
        DecisionVerdict again = desk.Do(account => account.Receive(decision));
        Assert.Equal(10_000, first.Volume);
        Assert.Equal((first.Reason, first.Volume, events), (again.Reason, again.Volume, desk.Events.Count));
        Assert.Equal(first.Orders, again.Orders);
        Assert.Equal(10_000, Filled(desk).Net());
    }

    [Fact]
    public void Instruments_that_are_not_here_are_named()
    {
        Desk desk = Following();
        Decision decision = Decide(desk, Intent.Long("")) with { Symbol = "EURXXX" };
        Assert.Equal(Reason.InstrumentUnknown, desk.Do(account => account.Receive(decision)).Reason);
        Assert.StartsWith("sizing value is 0", desk.Do(account => account.SetFollow(Key, new FollowTerms(new Sizing(SizingKind.FixedUnits, 0)), desk.Time)));
        Assert.StartsWith("maxUnits is 0", desk.Do(account => account.SetFollow(Key, new FollowTerms(Sizing.AsTheStrategySays, MaxUnits: 0), desk.Time)));
    }
}
