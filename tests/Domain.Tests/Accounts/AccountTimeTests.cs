using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Accounts;

/// <summary>What time alone brings: swap, the turn of day, week and month, equity samples.</summary>
public sealed class AccountTimeTests
{
    private static readonly Instrument Bearing = Desk.Eurusd with { SwapLongPoints = -0.7m, SwapShortPoints = 0.2m };

    private static DateTime Utc(int day, int hour) => new(2024, 1, day, hour, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Swap_is_charged_each_night_at_the_turn_three_on_wednesday_and_none_at_the_weekend()
    {
        // From Tuesday 9 January 2024 10:00 UTC; New York turns at 22:00 UTC.
        var desk = new Desk(Desk.Plain with { MoneyDigits = 2 }, instruments: [Bearing]);
        desk.Hold(Side.Buy, 100_000, 1.10000m, 1.10000m);
        desk.Wait(Utc(16, 23) - desk.Time);
        Assert.Equal(
            [(Utc(9, 22), 1), (Utc(10, 22), 3), (Utc(11, 22), 1), (Utc(12, 22), 1), (Utc(13, 22), 0), (Utc(14, 22), 0), (Utc(15, 22), 1), (Utc(16, 22), 1)],
            desk.Events.OfType<SwapCharged>().Select(swap => (swap.Time, swap.Nights)));
        Assert.Equal(8 * -0.70m, desk.State.Swaps);
        Assert.Equal(100_000 - 5.60m, desk.State.Balance);
        Assert.Equal(-5.60m, desk.State.Book("EURUSD").Holdings[0].Result);
    }

    [Fact]
    public void Each_side_has_its_own_swap_and_a_position_closed_before_the_turn_pays_none()
    {
        var desk = new Desk(instruments: [Bearing]);
        desk.Hold(Side.Sell, 100_000, 1.10000m, 1.10000m);
        desk.Wait(TimeSpan.FromHours(13));
        Assert.Equal(0.2m, desk.State.Swaps);
        desk.Hold(Side.Buy, 100_000, 1.10000m, 1.10000m);
        desk.Wait(TimeSpan.FromDays(3));
        Assert.Equal(0.2m, desk.State.Swaps);
    }

    [Fact]
    public void A_bar_that_ends_at_the_turn_is_charged_for_what_it_leaves_open()
    {
        var desk = new Desk(instruments: [Bearing]);
        desk.Wait(Utc(9, 20) - desk.Time);
        desk.Bar(1.1m, 1.1m, 1.1m, 1.1m);
        desk.Accepted(desk.Market(Side.Buy, 100_000) with { StopLoss = 1.09m });
        desk.Bar(1.1m, 1.1m, 1.1m, 1.1m);
        Assert.Equal((Utc(9, 22), -0.7m), (desk.Time, desk.State.Swaps));

        var stopped = new Desk(instruments: [Bearing]);
        stopped.Wait(Utc(9, 20) - stopped.Time);
        stopped.Bar(1.1m, 1.1m, 1.1m, 1.1m);
        stopped.Accepted(stopped.Market(Side.Buy, 100_000) with { StopLoss = 1.09m });
        stopped.Bar(1.1m, 1.1m, 1.08m, 1.1m);
        Assert.Equal((0m, 0m), (stopped.Net(), stopped.State.Swaps));
    }

    [Fact]
    public void The_trading_day_week_and_month_begin_at_the_turn()
    {
        var desk = new Desk();
        desk.Hold(Side.Buy, 1000, 1.1m, 1.1m);
        desk.Wait(new DateTime(2024, 2, 5, 0, 0, 0, DateTimeKind.Utc) - desk.Time);
        DayTurned[] turns = [.. desk.Events.OfType<DayTurned>()];
        Assert.Equal(27, turns.Length);
        // Monday's trading begins on Sunday evening.
        Assert.Equal([Utc(14, 22), Utc(21, 22), Utc(28, 22), new DateTime(2024, 2, 4, 22, 0, 0, DateTimeKind.Utc)], turns.Where(turn => turn.NewWeek).Select(turn => turn.Time));
        // The first of February begins on the evening of the 31st.
        Assert.Equal([Utc(31, 22)], turns.Where(turn => turn.NewMonth).Select(turn => turn.Time));
    }

    [Fact]
    public void The_result_of_the_day_counts_from_its_turn_without_what_was_paid_in_or_out()
    {
        // 100,000 paid in on the day of the opening, which ends at 22:00 UTC.
        var desk = new Desk();
        Assert.Equal(new TradingDay(Desk.Start, Utc(9, 22), 0, 100_000), desk.State.Today(desk.Time));
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10000m);
        desk.Quote(1.10200m, 1.10200m);
        Assert.Equal(20, Result());
        desk.Do(account => account.Adjust(5000, "", "in", desk.Time));
        desk.Do(account => account.Adjust(-2000, "", "out", desk.Time));
        Assert.Equal(20, Result());

        desk.Wait(Utc(9, 23) - desk.Time);
        Assert.Equal(new TradingDay(Utc(9, 22), Utc(10, 22), 103_020, 0), desk.State.Today(desk.Time));
        Assert.Equal(0, Result());
        desk.Quote(1.09900m, 1.09900m);
        Assert.Equal(-30, Result());
        // A release lets the limits count anew. The day does not.
        desk.Do(account => account.SetTradingState(TradingState.Halted, "somebody", desk.Time));
        desk.Do(account => account.SetTradingState(TradingState.Active, "somebody", desk.Time));
        Assert.Equal((102_990m, -30m), (desk.State.DayStart, Result()));
        desk.Do(account => account.Adjust(-90, "", "more", desk.Time));
        desk.PutAwayAndRestore();
        Assert.Equal((102_900m, -30m, -90m), (desk.State.Equity, Result(), desk.State.Today(desk.Time).Payments));

        decimal Result() => desk.State.Today(desk.Time).ResultOf(desk.State.Equity);
    }

    [Fact]
    public void A_day_that_nothing_happened_on_began_with_what_is_there()
    {
        Desk desk = new Desk().Hold(Side.Buy, 10_000, 1.10000m, 1.10000m);
        desk.Hold(Side.Sell, 10_000, 1.10100m, 1.10100m);
        Assert.Equal(10, desk.State.Today(desk.Time).ResultOf(desk.State.Equity));
        // Friday evening, of an account that nobody has told of the time since Tuesday.
        Assert.Equal(new TradingDay(Utc(11, 22), Utc(12, 22), 100_010, 0), desk.State.Today(Utc(12, 21)));
        Assert.Equal(new TradingDay(Utc(12, 22), Utc(13, 22), 100_010, 0), desk.State.Today(Utc(12, 22)));
        Assert.Empty(desk.Account.Uncommitted);
    }

    [Fact]
    public void Of_a_quiet_stretch_only_the_last_turn_is_recorded()
    {
        var desk = new Desk();
        desk.Wait(TimeSpan.FromDays(400));
        DayTurned turn = Assert.Single(desk.Events.OfType<DayTurned>());
        Assert.True(turn is { NewWeek: true, NewMonth: true } && desk.Time - turn.Time < TimeSpan.FromDays(1));
    }

    [Fact]
    public void A_waiting_order_that_expires_in_a_quiet_stretch_does_so_at_its_time()
    {
        Desk desk = new Desk().Quote(1.1m, 1.1m);
        DateTime till = desk.Time.AddDays(3);
        desk.Accepted(desk.Limit(Side.Buy, 1000, 1m) with { TimeInForce = TimeInForce.Gtd, GoodTill = till });
        desk.Wait(TimeSpan.FromDays(10));
        Assert.Equal(till, Assert.Single(desk.Events.OfType<OrderEnded>()).Time);
        Assert.Equal(desk.Events.Select(happened => happened.Time).Order(), desk.Events.Select(happened => happened.Time));
    }

    [Fact]
    public void The_equity_of_an_account_that_holds_is_sampled_and_a_gap_gives_one_sample()
    {
        var desk = new Desk(Desk.Plain with { EquitySampling = TimeSpan.FromMinutes(1) });
        desk.Wait(TimeSpan.FromMinutes(10));
        Assert.Empty(desk.Events.OfType<EquitySampled>());
        desk.Hold(Side.Buy, 10_000, 1.10000m, 1.10000m);
        desk.Quote(1.10100m, 1.10100m).Wait(TimeSpan.FromMinutes(5));
        Assert.Equal(100_010, desk.Events.OfType<EquitySampled>().Last().Equity);
        int before = desk.Events.OfType<EquitySampled>().Count();
        desk.Wait(TimeSpan.FromHours(3));
        Assert.Equal(before + 1, desk.Events.OfType<EquitySampled>().Count());
        Assert.True(desk.Time - desk.Events.OfType<EquitySampled>().Last().Time < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Turns_in_a_row_are_those_of_the_calendar_also_where_the_clocks_change()
    {
        foreach (TradingCalendar calendar in new[] { TradingCalendar.Forex, TradingCalendar.Always, TradingCalendar.UsEquity, TradingCalendar.Forex with { TimeZone = "Australia/Lord_Howe", DayTurn = TimeSpan.FromMinutes(135) } })
        {
            var turns = new DayTurns(calendar);
            for (DateTime time = new(2023, 12, 30, 3, 7, 0, DateTimeKind.Utc); time.Year < 2026; time = time.AddHours(5))
            {
                Assert.Equal(calendar.NextDayTurn(time), turns.After(time));
                Assert.Equal(calendar.TradingDate(time), turns.DateOf(time));
            }
        }
    }
}
