using System.Collections.Immutable;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Strategies;
using HybridTrading.Tests;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class StrategyDaysTests
{
    private static readonly MarketSeries Market = NoiseMarket.Days(21, 800, 0.1);

    private static IEnumerable<PriceMark> Marks(MarketSeries series)
    {
        for (int i = 0; i < series.Count; i++)
        {
            Bar bar = series.Bars.Span[i];
            yield return new PriceMark(series.EventTime(i), series.Instrument.Symbol, new Quote(series.EventTime(i), bar.Bid.Close, bar.Ask.Close));
        }
    }

    [Fact]
    public void The_strategies_of_an_account_add_up_to_its_equity_day_by_day()
    {
        RunPlan plan = NoiseMarket.Plan(Market);
        AccountPlan account = plan.Accounts[0];
        var second = new StrategyPlan("test/run/breakout", DonchianBreakout.Definition.Name, DonchianBreakout.Definition.Bind([]), Market.Instrument.Symbol, Market.TimeFrame);
        plan = plan with
        {
            Strategies = plan.Strategies.Add(second),
            Accounts = [account with
            {
                Settings = account.Settings with { Execution = new ExecutionModel(CommissionPerLot: 3, SlippagePoints: 2) },
                Follows = account.Follows.Add(second.Key, new FollowTerms(new Sizing(SizingKind.PercentOfEquity, 40))),
            }],
        };
        List<AccountEvent> events = [];
        RunReport report = new Backtest(plan, new RunSequence([Market], plan)) { Recorded = (_, happened) => events.AddRange(happened) }.Run();
        ImmutableArray<StrategyDay> Of(string strategy) => StrategyDays.Of(strategy, plan.Universe, [.. events], Marks(Market), default);
        ImmutableArray<StrategyDay> cross = Of(plan.Strategies[0].Key), breakout = Of(second.Key), nobody = Of("test/run/nobody");

        Assert.Equal(report.FinalEquity - 100_000, cross.Sum(day => day.Result) + breakout.Sum(day => day.Result));
        Assert.Equal(report.ClosedTrades, cross.Sum(day => day.ClosedTrades) + breakout.Sum(day => day.ClosedTrades));
        Assert.True(cross.Sum(day => day.ClosedTrades) > 5 && breakout.Sum(day => day.ClosedTrades) > 3);
        Assert.All(nobody, day => Assert.Equal(0, day.Result));
        for (int day = 0; day + 1 < cross.Length; day++)
        {
            Assert.Equal((cross[day].Date, cross[day].Equity), (breakout[day].Date, breakout[day].Equity));
            Assert.Equal(cross[day + 1].Equity - cross[day].Equity, cross[day].Result + breakout[day].Result);
        }
    }

    [Fact]
    public void Days_before_the_strategy_began_are_left_out_and_what_it_held_then_is_no_gain()
    {
        RunPlan plan = NoiseMarket.Plan(Market);
        List<AccountEvent> events = [];
        new Backtest(plan, new RunSequence([Market], plan)) { Recorded = (_, happened) => events.AddRange(happened) }.Run();
        ImmutableArray<StrategyDay> all = StrategyDays.Of(plan.Strategies[0].Key, plan.Universe, [.. events], Marks(Market), default);
        DateTime from = Market.EventTime(600);
        ImmutableArray<StrategyDay> late = StrategyDays.Of(plan.Strategies[0].Key, plan.Universe, [.. events], Marks(Market), from);
        Assert.Equal(all[^late.Length..].AsEnumerable(), late.AsEnumerable());
        Assert.Equal(Market.Count - 200, late.Length);
        Assert.Equal((double)(late[3].Result / late[3].Equity), late[3].Return);
        Assert.Empty(StrategyDays.Of("test/run/cross", plan.Universe, [.. events], [], default));
    }
}
