using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Tests.Markets;

namespace HybridTrading.Domain.Tests.Features;

public sealed class FeatureSetTests
{
    private static readonly ImmutableArray<FeatureSpec> AllSpecs =
        [.. NaiveFeatures.Names.Select(FeatureSpec.Parse), Feature.Cross(Feature.Sma(3), Feature.Sma(7)), Feature.Cross(Feature.Rsi(5), 50)];

    [Theory]
    [InlineData("sma(20)", "1.327688")]
    [InlineData("ema(20)", "1.3267750844")]
    [InlineData("rsi(14)", "36.5093146463")]
    [InlineData("atr(14)", "0.0024483589")]
    [InlineData("adx(14)", "47.7389191644")]
    [InlineData("macd(12,26,9)", "-0.0031338")]
    public void The_last_value_on_real_hours_is_the_published_one_to_every_digit(string feature, string expected)
    {
        FeatureSet set = Set([FeatureSpec.Parse(feature)]);
        foreach (Bar bar in TestMarket.GbpusdHours()) set.Update(bar);

        int decimals = expected.Length - expected.IndexOf('.') - 1;
        Assert.Equal(expected, set.Values[0].ToString($"F{decimals}", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Every_output_of_the_catalogue_is_compared_with_its_definition()
    {
        IEnumerable<string> outputs = FeatureCatalog.All.Where(feature => feature.Operands == 0)
            .SelectMany(feature => feature.Outputs.Select(output => feature.Name + "." + output.Name));
        IEnumerable<string> compared = NaiveFeatures.Names.Select(name => name.Split('(')[0]).Select(name => name.Contains('.') ? name : name + ".");
        Assert.Empty(outputs.Except(compared));
    }

    [Fact]
    public void Every_feature_equals_its_definition_on_real_bars()
    {
        // A stretch with a weekend in it; the whole file would make the naive sums take minutes.
        AssertEqualsDefinition(TestMarket.GbpusdHours()[30_000..30_400]);
    }

    [Fact]
    public void Every_feature_equals_its_definition_on_any_bars() =>
        Prop.ForAll(TestMarket.AnyBars(), bars => AssertEqualsDefinition(bars)).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public void Windows_have_not_drifted_after_fifty_thousand_bars()
    {
        Bar[] bars = TestMarket.GbpusdHours();
        FeatureSet set = Set([Feature.StochasticD(), Feature.RealisedVolatility(20, 252), Feature.RollingVwap(), Feature.ZScore(10)]);
        foreach (Bar bar in bars) set.Update(bar);

        FeatureSet fresh = Set(set.Specs);
        foreach (Bar bar in bars[^200..]) fresh.Update(bar);
        for (int i = 0; i < set.Count; i++) Assert.Equal(fresh.Values[i], set.Values[i], 1e-11 * Math.Abs(fresh.Values[i]));
    }

    [Fact]
    public void Equal_means_compare_equal()
    {
        Bar[] bars = TestMarket.Hours("usdjpy_h1", 3);
        FeatureSet set = new(InstrumentCatalog.Get("USDJPY"), TimeFrame.H1, [Feature.Sma(20), Feature.Sma(50)]);
        int equal = 0;
        for (int i = 0; i < bars.Length; i++)
        {
            set.Update(bars[i]);
            if (i < 49) continue;
            long short20 = bars[(i - 19)..(i + 1)].Sum(bar => bar.Bid.Close);
            long long50 = bars[(i - 49)..(i + 1)].Sum(bar => bar.Bid.Close);
            Assert.Equal((short20 * 5).CompareTo(long50 * 2), set.Values[0].CompareTo(set.Values[1]));
            if (short20 * 5 == long50 * 2) equal++;
        }
        Assert.True(equal > 0, "the data has a bar on which the means are equal");
    }

    [Fact]
    public void A_snapshot_at_any_bar_continues_bit_for_bit() => Prop.ForAll(TestMarket.AnyBars(), Gen.Choose(0, 120).ToArbitrary(), (bars, cut) =>
    {
        FeatureSet whole = Set(AllSpecs);
        FeatureSet part = Set(AllSpecs);
        for (int i = 0; i < bars.Length; i++)
        {
            if (i == Math.Min(cut, bars.Length - 1)) part = FeatureSet.Restore(TestMarket.Gbpusd, part.Capture());
            whole.Update(bars[i]);
            part.Update(bars[i]);
            AssertSameBits(whole.Values, part.Values);
            AssertSameBits(whole.Previous, part.Previous);
        }
        Assert.Equal(whole.LastBar, part.LastBar);
        Assert.Equal(whole.BarsSeen, part.BarsSeen);
        Assert.Equal<byte>(whole.Capture().State, part.Capture().State);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void A_snapshot_that_does_not_fit_is_refused_with_a_reason()
    {
        FeatureSetSnapshot snapshot = Set([Feature.Sma(20)]).Capture();

        Assert.Contains("version", Refusal(snapshot with { Version = 99 }));
        Assert.Contains("EURUSD", Refusal(snapshot with { Symbol = "EURUSD" }));
        Assert.Contains("digits", Refusal(snapshot with { Digits = 3 }));
        Assert.Contains("cut short", Refusal(snapshot with { State = snapshot.State[..^1] }));
        Assert.Contains("more than", Refusal(snapshot with { State = snapshot.State.Add(0) }));
        Assert.Contains("indicators", Refusal(snapshot with { Indicators = ["ema(20)"] }));

        static string Refusal(FeatureSetSnapshot snapshot) =>
            Assert.Throws<FormatException>(() => FeatureSet.Restore(TestMarket.Gbpusd, snapshot)).Message;
    }

    [Fact]
    public void A_cross_is_where_the_last_nonzero_difference_had_the_other_sign()
    {
        // close against sma(1, open): above, touch, above (no cross), below (cross), touch, above (cross).
        FeatureSet set = Set([Feature.Cross(Feature.Close, Feature.Open)]);
        (long Open, long Close)[] bars = [(100, 105), (105, 105), (105, 108), (108, 104), (104, 104), (104, 106), (106, 106)];
        List<double> crosses = [];
        foreach ((long open, long close) in bars)
        {
            var ohlc = new Ohlc(open, Math.Max(open, close), Math.Min(open, close), close);
            set.Update(new Bar(TestMarket.Monday.AddHours(crosses.Count), ohlc, ohlc, 1));
            crosses.Add(set.Values[0]);
        }
        Assert.Equal([0, 0, 0, -1, 0, 1, 0], crosses);
    }

    [Fact]
    public void A_cross_is_not_ready_before_its_operands_and_finds_none_on_their_first_bar() => Prop.ForAll(TestMarket.AnyBars(), bars =>
    {
        FeatureSet set = Set(
            [Feature.Cross(Feature.Sma(3), Feature.Sma(7)), Feature.Sma(3), Feature.Sma(7), Feature.Cross(Feature.Rsi(5), 50), Feature.Rsi(5)]);
        int side = 0;
        for (int i = 0; i < bars.Length; i++)
        {
            set.Update(bars[i]);
            int now = double.IsNaN(set.Values[2]) ? 0 : set.Values[1].CompareTo(set.Values[2]);
            double expected = i < 6 ? double.NaN : now != 0 && now == -side ? now : 0;
            Assert.Equal(expected, set.Values[0]);
            Assert.Equal(double.IsNaN(set.Values[4]), double.IsNaN(set.Values[3]));
            if (now != 0) side = now;
        }
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Values_follow_the_order_asked_for_and_previous_is_one_bar_old()
    {
        FeatureSet set = Set([Feature.Close, Feature.Sma(2), Feature.Close, Feature.Open]);
        Assert.Equal([Feature.Close, Feature.Sma(2), Feature.Open], set.Specs);

        set.Update(BarAt(0, 100, 110));
        set.Update(BarAt(1, 110, 130));
        Assert.Equal([0.0013, 0.0012, 0.0011], set.Values.ToArray());
        Assert.Equal([0.0011, double.NaN, 0.001], set.Previous.ToArray());
        Assert.Equal(2, set.BarsSeen);
        Assert.Equal(BarAt(1, 110, 130), set.LastBar);
        Assert.Equal(2, set.IndexOf(Feature.Open));
        Assert.Throws<KeyNotFoundException>(() => set.IndexOf(Feature.High));
    }

    [Fact]
    public void A_late_feature_starts_unready_unless_its_indicator_is_there()
    {
        FeatureSet set = Set([Feature.Cross(Feature.Sma(2), Feature.Sma(3))]);
        for (int i = 0; i < 3; i++) set.Update(BarAt(i, 100, 100 + i));

        int late = set.Add(Feature.Sma(4));
        int shared = set.Add(Feature.Sma(3));
        Assert.Equal(late, set.Add(Feature.Sma(4)));
        Assert.True(double.IsNaN(set.Values[late]));
        Assert.Equal(0.00101, set.Values[shared]);

        for (int i = 3; i < 7; i++) set.Update(BarAt(i, 100, 104));
        Assert.Equal(0.00104, set.Values[late]);
        Assert.Equal(4, set.WarmUp);
    }

    [Fact]
    public void Updating_does_not_allocate()
    {
        FeatureSet set = Set(AllSpecs);
        Bar bar = BarAt(0, 100, 101);
        for (int i = 0; i < 100; i++) set.Update(bar);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) set.Update(bar);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Bars_until_ready_are_as_each_indicator_says() => Assert.All(AllSpecs, spec =>
    {
        FeatureSet set = Set([spec]);
        for (int i = 0; i < set.WarmUp - 1; i++) set.Update(BarAt(i, 100, 100 + (i % 7)));
        // The slowest output of an indicator counts: the others may be ready before.
        if (spec.ToString() is not ("macd.line(12,26,9)" or "stoch.k(14,3,3)" or "adx.plus_di(14)" or "adx.minus_di(14)") && set.WarmUp > 1)
        {
            Assert.True(double.IsNaN(set.Values[0]), $"{spec} before {set.WarmUp} bars");
        }
        set.Update(BarAt(set.WarmUp, 100, 103));
        Assert.False(double.IsNaN(set.Values[0]), $"{spec} at {set.WarmUp} bars");
    });

    private static FeatureSet Set(IEnumerable<FeatureSpec> specs) => new(TestMarket.Gbpusd, TimeFrame.H1, specs);

    private static Bar BarAt(int hour, long open, long close)
    {
        var ohlc = new Ohlc(open, Math.Max(open, close), Math.Min(open, close), close);
        return new Bar(TestMarket.Monday.AddHours(hour), ohlc, ohlc, 10);
    }

    private static void AssertEqualsDefinition(Bar[] bars)
    {
        var naive = new NaiveFeatures(TestMarket.Gbpusd, bars);
        FeatureSet set = Set(NaiveFeatures.Names.Select(FeatureSpec.Parse));
        double[][] expected = [.. NaiveFeatures.Names.Select(naive.Of)];
        for (int i = 0; i < bars.Length; i++)
        {
            set.Update(bars[i]);
            for (int k = 0; k < expected.Length; k++)
            {
                double tolerance = 1e-9 * Math.Max(Math.Abs(expected[k][i]), 1e-3);
                bool equal = double.IsNaN(expected[k][i]) ? double.IsNaN(set.Values[k]) : Math.Abs(expected[k][i] - set.Values[k]) <= tolerance;
                Assert.True(equal, $"{NaiveFeatures.Names[k]} at bar {i}: {set.Values[k]:R}, by definition {expected[k][i]:R}");
            }
        }
    }

    private static void AssertSameBits(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        for (int i = 0; i < a.Length; i++) Assert.Equal(BitConverter.DoubleToInt64Bits(a[i]), BitConverter.DoubleToInt64Bits(b[i]));
    }
}
