using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Performance;
using HybridTrading.Domain.Tests.Accounts;

namespace HybridTrading.Domain.Tests.Performance;

public sealed class EquityTrackerTests
{
    [Fact]
    public void The_largest_fall_is_the_one_of_the_definition_bit_for_bit() => Prop.ForAll(
        Gen.Choose(-300, 300).NonEmptyListOf().ToArbitrary(),
        moves =>
        {
            decimal equity = 1000, peak = 1000, drawdown = 0;
            var tracker = new EquityTracker(1000);
            foreach (int move in moves)
            {
                // Thirds, so that the divisions do not come out even.
                equity += move / 3m;
                peak = Math.Max(peak, equity);
                drawdown = Math.Max(drawdown, (peak - equity) / peak);
                tracker.Mark(Desk.Start, equity);
                Assert.Equal((peak, drawdown), (tracker.Peak, tracker.MaxDrawdown));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void The_curve_is_thinned_but_keeps_its_first_point_and_its_spacing()
    {
        var tracker = new EquityTracker(0);
        for (int i = 0; i < 100_000; i++) tracker.Mark(Desk.Start.AddSeconds(i), i);
        Assert.InRange(tracker.Curve.Count, 2048, 4096);
        Assert.Equal(0, tracker.Curve[0].Equity);
        Assert.Single(tracker.Curve.Zip(tracker.Curve.Skip(1), (a, b) => b.Equity - a.Equity).Distinct());
    }
}
