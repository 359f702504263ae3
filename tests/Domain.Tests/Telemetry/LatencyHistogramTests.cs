using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Telemetry;

namespace HybridTrading.Domain.Tests.Telemetry;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Quantiles_are_near_those_of_the_sorted_values() => Prop.ForAll(
        Gen.Choose(0, 1 << 30).Select(ticks => (long)ticks >> (ticks % 23)).NonEmptyListOf().ToArbitrary(),
        drawn =>
        {
            long[] values = [.. drawn.Order()];
            var histogram = new LatencyHistogram();
            foreach (long value in values) histogram.Record(TimeSpan.FromTicks(value));
            LatencyFigures figures = LatencyHistogram.Between(default, histogram.Snapshot());
            Assert.Equal(values.Length, figures.Count);
            Near(values[(int)Math.Ceiling(values.Length * 0.5) - 1], figures.P50);
            Near(values[(int)Math.Ceiling(values.Length * 0.99) - 1], figures.P99);
            Near(values[^1], figures.Max);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_lies_between_two_snapshots_is_what_was_recorded_between_them()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromSeconds(1));
        ImmutableArray<uint> before = histogram.Snapshot();
        histogram.Record(TimeSpan.FromMilliseconds(2));
        LatencyFigures between = LatencyHistogram.Between(before, histogram.Snapshot());
        Assert.Equal(1, between.Count);
        Near(TimeSpan.FromMilliseconds(2).Ticks, between.Max);
        Assert.Equal(default, LatencyHistogram.Between(histogram.Snapshot(), histogram.Snapshot()));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 0)]
    [InlineData(7, 7)]
    [InlineData(8, 8)]
    [InlineData(15, 15)]
    public void Short_ones_are_exact_and_none_is_below_zero(long ticks, long expected)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromTicks(ticks));
        Assert.Equal(expected, LatencyHistogram.Between(default, histogram.Snapshot()).Max.Ticks);
    }

    [Fact]
    public void What_is_longer_than_it_can_tell_counts_as_the_longest()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromDays(1));
        Assert.InRange(LatencyHistogram.Between(default, histogram.Snapshot()).Max.TotalSeconds, 100, 108);
    }

    [Fact]
    public void A_window_forgets_what_lies_further_back_than_its_length()
    {
        var histogram = new LatencyHistogram();
        var window = new LatencyWindow(TimeSpan.FromSeconds(60));
        var start = new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc);
        histogram.Record(TimeSpan.FromSeconds(1));
        Assert.Equal(1, window.Sample(histogram.Snapshot(), start).Figures.Count);
        histogram.Record(TimeSpan.FromSeconds(1));
        (LatencyFigures figures, TimeSpan over) = window.Sample(histogram.Snapshot(), start.AddSeconds(30));
        Assert.Equal((1, TimeSpan.FromSeconds(30)), (figures.Count, over));
        Assert.Equal(1, window.Sample(histogram.Snapshot(), start.AddSeconds(60)).Figures.Count);
        Assert.Equal(0, window.Sample(histogram.Snapshot(), start.AddSeconds(95)).Figures.Count);
    }

    [Fact]
    public void The_sum_of_histograms_is_the_histogram_of_all()
    {
        LatencyHistogram one = new(), other = new(), all = new();
        foreach (int ticks in (int[])[3, 700, 12_345]) Record(one, ticks);
        foreach (int ticks in (int[])[700, 9_999_999]) Record(other, ticks);
        Assert.Equal(all.Snapshot(), LatencyHistogram.Sum([one.Snapshot(), other.Snapshot()]));

        void Record(LatencyHistogram into, int ticks)
        {
            into.Record(TimeSpan.FromTicks(ticks));
            all.Record(TimeSpan.FromTicks(ticks));
        }
    }

    private static void Near(long expected, TimeSpan actual) => Assert.InRange(actual.Ticks, expected * 0.93, expected * 1.07);
}
