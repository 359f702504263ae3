using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Tests.Markets;

/// <summary>The bar builder behind the guard of a feed, as the feeds use the two.</summary>
public sealed class BarBuilderTests
{
    private static readonly Instrument Eurusd = InstrumentCatalog.Get("EURUSD");
    private static readonly DateTime Ten = new(2024, 1, 8, 10, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_bar_closes_with_the_first_quote_at_or_after_its_end_and_without_it()
    {
        var builder = new Guarded(Eurusd, TimeFrame.M1);
        Assert.Empty(builder.Add(At(5, 100, 102)));
        Assert.Empty(builder.Add(At(20, 90, 95)));
        Assert.Empty(builder.Add(At(59.999, 97, 99)));

        Bar closed = Assert.Single(builder.Add(At(60, 200, 201)));
        Assert.Equal(new Bar(Ten, new Ohlc(100, 100, 90, 97), new Ohlc(102, 102, 95, 99), 3), closed);
        Assert.Equal(new Ohlc(200, 200, 200, 200), builder.Current!.Value.Bid);
    }

    [Fact]
    public void A_clock_closes_a_bar_at_its_end_and_makes_none_of_its_own()
    {
        var builder = new Guarded(Eurusd, TimeFrame.M1);
        builder.Add(At(5, 100, 102));
        Assert.Empty(builder.AdvanceTo(Ten.AddSeconds(59.9)));
        Assert.Single(builder.AdvanceTo(Ten.AddSeconds(60)));
        Assert.Null(builder.Current);
        Assert.Empty(builder.AdvanceTo(Ten.AddHours(5)));

        // The bar is out: a quote of its time may not open it again.
        Assert.Empty(builder.Add(At(59, 100, 101)));
        Assert.Null(builder.Current);
        Assert.Equal(1, builder.Quality.Late);
    }

    [Fact]
    public void Silence_makes_no_bars()
    {
        var builder = new Guarded(Eurusd, TimeFrame.M1);
        builder.Add(At(0, 100, 101));
        Assert.Equal(Ten, Assert.Single(builder.Add(At(60 * 60, 101, 102))).OpenTime);
        Assert.Equal(1, builder.Quality.Gaps);
    }

    [Fact]
    public void A_weekend_is_no_gap()
    {
        var builder = new Guarded(Eurusd, TimeFrame.H1);
        var friday = new DateTime(2024, 1, 12, 21, 59, 0, DateTimeKind.Utc);
        builder.Add(new Quote(friday, 100, 101));
        builder.Add(new Quote(friday.AddDays(2).AddMinutes(2), 100, 101));
        Assert.Equal(0, builder.Quality.Gaps);
    }

    [Fact]
    public void What_is_late_twice_or_invalid_is_dropped_and_counted()
    {
        var builder = new Guarded(Eurusd, TimeFrame.M1);
        builder.Add(At(10, 100, 101));
        builder.Add(At(10, 100, 101));
        builder.Add(At(9, 500, 501));
        builder.Add(At(11, 500, 499));
        builder.Add(At(12, 0, 1));
        builder.Add(At(13, -5, 1));
        Assert.Equal(new FeedQuality(Received: 6, Duplicates: 1, Late: 1, Invalid: 3, Gaps: 0), builder.Quality);
        Assert.Equal(new Ohlc(100, 100, 100, 100), builder.Current!.Value.Bid);
    }

    [Fact]
    public void Equal_time_with_other_prices_is_a_quote_of_its_own()
    {
        var builder = new Guarded(Eurusd, TimeFrame.M1);
        builder.Add(At(10, 100, 101));
        builder.Add(At(10, 99, 101));
        Assert.Equal(2, builder.Current!.Value.Volume);
    }

    [Fact]
    public void A_tick_bar_is_a_quote()
    {
        var builder = new Guarded(Eurusd, TimeFrame.Tick);
        Assert.Equal(new Bar(Ten, new Ohlc(7, 7, 7, 7), new Ohlc(8, 8, 8, 8), 1), Assert.Single(builder.Add(At(0, 7, 8))));
    }

    [Fact]
    public void A_bar_of_the_same_time_frame_passes_at_once_as_it_is()
    {
        var builder = new Guarded(Eurusd, TimeFrame.D1, TimeFrame.D1);
        Bar day = BarAt(Ten.AddHours(12), 100);
        Assert.Equal(day, Assert.Single(builder.Add(day)));
    }

    [Fact]
    public void An_aggregate_closes_with_the_source_bar_that_reaches_its_end()
    {
        var builder = new Guarded(Eurusd, TimeFrame.H1, TimeFrame.M15);
        for (int i = 0; i < 3; i++) Assert.Empty(builder.Add(BarAt(Ten.AddMinutes(15 * i), 100 + i)));
        Bar hour = Assert.Single(builder.Add(BarAt(Ten.AddMinutes(45), 103)));
        Assert.Equal(Ten, hour.OpenTime);
        Assert.Equal(new Ohlc(100, 108, 95, 103), hour.Bid);
        Assert.Equal(40, hour.Volume);
    }

    [Fact]
    public void A_source_bar_can_close_the_aggregate_before_and_its_own()
    {
        var builder = new Guarded(Eurusd, TimeFrame.H1, TimeFrame.M15);
        builder.Add(BarAt(Ten, 100));
        Bar[] closed = builder.Add(BarAt(Ten.AddMinutes(60 + 45), 200)).ToArray();
        Assert.Equal([Ten, Ten.AddHours(1)], closed.Select(bar => bar.OpenTime));
        Assert.Equal([100, 200], closed.Select(bar => bar.Bid.Close));
        Assert.Null(builder.Current);
    }

    [Fact]
    public void A_wrong_source_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Guarded(Eurusd, TimeFrame.M1, TimeFrame.H1));
        Assert.Throws<InvalidOperationException>(() => { new Guarded(Eurusd, TimeFrame.H1, TimeFrame.M1).Add(At(0, 1, 2)); });
        Assert.Throws<InvalidOperationException>(() => { new Guarded(Eurusd, TimeFrame.H1).Add(BarAt(Ten, 100)); });
    }

    [Fact]
    public void Bars_from_smaller_bars_are_the_bars_from_quotes()
    {
        var quotes = Gen.ListOf(
            from seconds in Gen.Frequency((8, Gen.Choose(0, 90)), (1, Gen.Choose(0, 20_000)))
            from bid in Gen.Choose(1000, 1100)
            from spread in Gen.Choose(0, 5)
            select (seconds, bid, spread)).ToArbitrary();

        Prop.ForAll(quotes, steps =>
        {
            var minutes = new Guarded(Eurusd, TimeFrame.M1);
            var hours = new Guarded(Eurusd, TimeFrame.H1);
            var hoursOfMinutes = new Guarded(Eurusd, TimeFrame.H1, TimeFrame.M1);
            List<Bar> direct = [];
            List<Bar> aggregated = [];
            DateTime time = Ten;
            foreach ((int seconds, int bid, int spread) in steps)
            {
                time = time.AddSeconds(seconds);
                var quote = new Quote(time, bid, bid + spread);
                direct.AddRange(hours.Add(quote));
                foreach (Bar minute in minutes.Add(quote)) aggregated.AddRange(hoursOfMinutes.Add(minute));
            }
            time = time.AddDays(1);
            direct.AddRange(hours.AdvanceTo(time));
            foreach (Bar minute in minutes.AdvanceTo(time)) aggregated.AddRange(hoursOfMinutes.Add(minute));
            aggregated.AddRange(hoursOfMinutes.AdvanceTo(time));

            Assert.Equal(direct, aggregated);
            Assert.Equal(minutes.Quality.Accepted, direct.Sum(bar => bar.Volume));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    private static Quote At(double seconds, long bid, long ask) => new(Ten.AddSeconds(seconds), bid, ask);

    private static Bar BarAt(DateTime time, long close)
    {
        var ohlc = new Ohlc(close, close + 5, close - 5, close);
        return new Bar(time, ohlc, ohlc.Shift(2), 10);
    }

    private sealed class Guarded(Instrument instrument, TimeFrame timeFrame, TimeFrame source = default)
    {
        private readonly BarBuilder _builder = new(source, timeFrame);
        private FeedGuard _guard = new(instrument.Calendar);

        public Bar? Current => _builder.IsForming ? _builder.Forming : null;

        public FeedQuality Quality => _guard.Quality;

        public Bar[] Add(Quote quote)
        {
            if (!source.IsTick || _guard.Accept(quote)) return [.. Close(quote.Time), .. _builder.Add(quote, out Bar whole) ? [whole] : Array.Empty<Bar>()];
            return [];
        }

        public Bar[] Add(Bar bar)
        {
            if (source.IsTick || _guard.Accept(bar, source)) return [.. Close(bar.OpenTime), .. _builder.Add(bar, out Bar whole) ? [whole] : Array.Empty<Bar>()];
            return [];
        }

        public Bar[] AdvanceTo(DateTime utc)
        {
            Bar[] closed = Close(utc);
            if (closed.Length > 0) _guard.AdvanceTo(timeFrame.End(closed[0].OpenTime));
            return closed;
        }

        private Bar[] Close(DateTime time) => _builder.TryClose(time, out Bar closed) ? [closed] : [];
    }
}
