using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Tests.Markets;

public sealed class MarketSequenceTests
{
    [Fact]
    public void Events_come_by_time_then_symbol_then_the_order_given()
    {
        DateTime start = TestMarket.Monday;
        MarketSeries gold = Quotes("XAUUSD", start.AddHours(1));
        MarketSeries euroHours = Bars("EURUSD", TimeFrame.H1, start);
        MarketSeries euroTicks = Quotes("EURUSD", start.AddMinutes(59), start.AddHours(1));
        var sequence = new MarketSequence([gold, euroHours, euroTicks]);

        Assert.Equal(4, sequence.Count);
        Assert.Equal(
            [
                (0L, "EURUSD", MarketEventKind.Quote, 59), (1L, "EURUSD", MarketEventKind.Bar, 60),
                (2L, "EURUSD", MarketEventKind.Quote, 60), (3L, "XAUUSD", MarketEventKind.Quote, 60),
            ],
            sequence.Events().Select(e => (e.Position, e.Symbol, e.Kind, (int)(e.Time - start).TotalMinutes)));
        Assert.Equal([2L, 3L], sequence.Events(fromPosition: 2).Select(e => e.Position));
    }

    [Fact]
    public void The_sequence_is_the_sorted_union()
    {
        var lists = Gen.ListOf(Gen.ListOf(Gen.Choose(0, 50))).ToArbitrary();
        Prop.ForAll(lists, all =>
        {
            string[] symbols = ["GBPUSD", "EURUSD", "XAUUSD"];
            MarketSeries[] series = [.. all.Take(12).Select((minutes, i) =>
                Quotes(symbols[i % 3], [.. minutes.Order().Select(minute => TestMarket.Monday.AddMinutes(minute))]))];
            var sequence = new MarketSequence(series);
            var expected = series
                .SelectMany((one, s) => Enumerable.Range(0, one.Count).Select(i => (Time: one.EventTime(i), one.Instrument.Symbol, Series: s, Index: i)))
                .OrderBy(e => e.Time).ThenBy(e => e.Symbol, StringComparer.Ordinal).ThenBy(e => e.Series).ThenBy(e => e.Index).ToArray();
            int position = 0;
            foreach (MarketSequenceEntry entry in sequence)
            {
                Assert.Equal(position, entry.Position);
                Assert.Equal((expected[position].Time, expected[position].Series, expected[position].Index), (entry.Time, entry.Series, entry.Index));
                position++;
            }
            Assert.Equal(expected.Length, position);
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public void A_period_takes_its_start_and_leaves_its_end()
    {
        DateTime start = TestMarket.Monday;
        MarketSeries series = Bars("EURUSD", TimeFrame.H1, start, start.AddHours(1), start.AddHours(2), start.AddHours(3));
        Bar[] within = series.Between(start.AddHours(1), start.AddHours(3)).Bars.ToArray();
        Assert.Equal([start.AddHours(1), start.AddHours(2)], within.Select(bar => bar.OpenTime));
        Assert.Equal(4, series.Between(null, null).Count);
        Assert.Equal(0, series.Between(start.AddHours(3), start.AddHours(1)).Count);
        Assert.Equal(start.AddHours(4), series.EventTime(3));
    }

    private static MarketSeries Quotes(string symbol, params DateTime[] times) =>
        MarketSeries.OfQuotes(InstrumentCatalog.Get(symbol), times.Select(time => new Quote(time, 100, 101)).ToArray());

    private static MarketSeries Bars(string symbol, TimeFrame timeFrame, params DateTime[] times)
    {
        var ohlc = new Ohlc(100, 100, 100, 100);
        return MarketSeries.OfBars(InstrumentCatalog.Get(symbol), timeFrame, times.Select(time => new Bar(time, ohlc, ohlc, 1)).ToArray());
    }
}
