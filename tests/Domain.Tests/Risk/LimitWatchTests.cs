using System.Collections.Immutable;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Risk;

public sealed class LimitWatchTests
{
    [Fact]
    public void A_use_that_comes_near_is_told_once_until_it_has_fallen_a_tenth_below()
    {
        List<string> told = [];
        ImmutableArray<string> near = [];
        foreach (decimal used in (decimal[])[0, 79, 80, 79, 81, 73, 80, 95, 72, 71.9m, 79, 80, 150, 0])
        {
            (ImmutableArray<LimitUse> reached, ImmutableArray<string> left) = LimitWatch.Look([new LimitUse("MaxExposure", used, 100)], near, 0.8m);
            told.AddRange(reached.Select(use => $"+{use.Used}"));
            told.AddRange(left.Select(_ => $"-{used}"));
            near = [.. near.Except(left), .. reached.Select(use => use.Limit)];
        }
        Assert.Equal(["+80", "-71.9", "+80", "-0"], told);
    }

    [Fact]
    public void A_limit_that_is_taken_away_is_near_no_more_and_others_stand_for_themselves()
    {
        (ImmutableArray<LimitUse> reached, ImmutableArray<string> left) =
            LimitWatch.Look([new LimitUse("DayLoss", 9, 10), new LimitUse("MaxWorkingOrders", 5, 10)], ["MaxExposure"], 0.9m);
        Assert.Equal(["DayLoss"], reached.Select(use => use.Limit));
        Assert.Equal(["MaxExposure"], left);
    }
}
