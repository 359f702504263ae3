using System.Collections.Immutable;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Markets.Simulation;

namespace HybridTrading.Domain.Tests.Markets;

public sealed class SimulatedMarketTests
{
    private static readonly DateTime Start = new(2024, 1, 9, 8, 0, 0, DateTimeKind.Utc);
    private static readonly SimulationOptions Slow = new(TicksPerSecond: 0.05);

    [Fact]
    public void The_generator_gives_its_published_sequence()
    {
        // Reference outputs of SplitMix64 for seed 1234567.
        var random = new SplitMix64(1234567);
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423], new[] { random.Next(), random.Next(), random.Next() });
    }

    [Fact]
    public void Variates_have_their_moments()
    {
        var random = new SplitMix64(7);
        double[] bell = [.. Enumerable.Range(0, 200_000).Select(_ => random.NextBell())];
        double[] exponential = [.. Enumerable.Range(0, 200_000).Select(_ => random.NextExponential())];
        Assert.Equal(0, bell.Average(), 0.01);
        Assert.Equal(1, bell.Average(x => x * x), 0.02);
        Assert.Equal(1, exponential.Average(), 0.02);
        Assert.Equal(2, exponential.Average(x => x * x), 0.06);
        Assert.True(exponential.Min() >= 0);
    }

    [Fact]
    public void The_seed_decides_everything_and_the_steps_of_asking_nothing() => Prop.ForAll(Gen.Choose(1, 500).ToArbitrary(), minutes =>
    {
        DateTime end = Start.AddHours(3);
        SimulatedQuote[] whole = [.. new SimulatedMarket(42, Start, Slow).Next(end)];
        var stepped = new SimulatedMarket(42, Start, Slow);
        List<SimulatedQuote> parts = [];
        for (DateTime to = Start; to < end; to = to.AddMinutes(minutes)) parts.AddRange(stepped.Next(to));
        parts.AddRange(stepped.Next(end));
        Assert.Equal(whole, parts);
        Assert.NotEqual(whole, new SimulatedMarket(43, Start, Slow).Next(end).ToArray());
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void A_restart_continues_quote_for_quote_also_across_a_weekend()
    {
        // Friday noon to Monday noon, cut at many places, with the state going through JSON.
        var friday = new DateTime(2024, 1, 12, 12, 0, 0, DateTimeKind.Utc);
        DateTime end = friday.AddDays(3);
        SimulatedQuote[] whole = [.. new SimulatedMarket(5, friday, Slow).Next(end)];
        var market = new SimulatedMarket(5, friday, Slow);
        List<SimulatedQuote> parts = [];
        for (DateTime to = friday.AddMinutes(95); to < end; to = to.AddMinutes(95))
        {
            parts.AddRange(market.Next(to));
            string json = JsonSerializer.Serialize(market.Capture());
            market = SimulatedMarket.Restore(JsonSerializer.Deserialize<SimulationState>(json)!, Slow);
        }
        parts.AddRange(market.Next(end));
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Quotes_are_ordered_valid_and_only_while_the_market_is_open()
    {
        var friday = new DateTime(2024, 1, 12, 18, 0, 0, DateTimeKind.Utc);
        var guards = SimulatedMarket.Instruments.ToDictionary(i => i.Symbol, i => new FeedGuard(i.Calendar));
        DateTime last = friday;
        HashSet<string> seen = [];
        foreach ((Instrument instrument, Quote quote) in new SimulatedMarket(1, friday, Slow).Next(friday.AddDays(4)))
        {
            Assert.True(quote.Time >= last);
            last = quote.Time;
            FeedGuard guard = guards[instrument.Symbol];
            guard.Accept(quote);
            guards[instrument.Symbol] = guard;
            Assert.True(instrument.Calendar.IsOpen(quote.Time), $"{instrument.Symbol} at {quote.Time:u}");
            Assert.True(quote.BidSize > 0 && quote.AskSize > 0);
            seen.Add(instrument.Symbol);
        }
        Assert.Equal(8, seen.Count);
        Assert.All(guards.Values, guard => Assert.Equal(guard.Quality.Received, guard.Quality.Accepted));
    }

    [Fact]
    public void Volatility_clusters_the_dollar_is_common_and_spreads_widen_at_the_days_turn()
    {
        (_, ImmutableArray<MarketSeries> history) = SimulatedMarket.WithHistory(11, Start, TimeFrame.M15, 4000);
        Dictionary<string, double[]> returns = history.ToDictionary(series => series.Instrument.Symbol, series => Returns(series));

        Assert.True(Correlation(returns["EURUSD"], returns["GBPUSD"]) > 0.2);
        Assert.True(Correlation(returns["EURUSD"], returns["USDJPY"]) < -0.2);
        double[] sizes = [.. returns["BTCUSD"].Select(Math.Abs)];
        Assert.True(Correlation(sizes[1..], sizes[..^1]) > 0.05, "large moves follow large moves");
        double deviation = Math.Sqrt(returns["BTCUSD"].Average(x => x * x));
        Assert.True(returns["BTCUSD"].Average(x => Math.Pow(x / deviation, 4)) > 3.5, "fat tails");

        // 17:00 New York is 22:00 UTC in January.
        List<Quote> quotes = [.. new SimulatedMarket(3, Start.Date, new SimulationOptions(0.2)).Next(Start.Date.AddDays(1))
            .Where(quote => quote.Instrument.Symbol == "EURUSD").Select(quote => quote.Quote)];
        double turn = quotes.Where(quote => quote.Time.TimeOfDay is { Hours: 22, Minutes: < 25 }).Average(quote => (double)quote.Spread);
        double noon = quotes.Where(quote => quote.Time.Hour == 12).Average(quote => (double)quote.Spread);
        Assert.True(turn > 2 * noon, $"{turn} at the turn, {noon} at noon");
    }

    [Fact]
    public void History_leads_up_to_the_market()
    {
        foreach (TimeFrame timeFrame in new[] { TimeFrame.M1, TimeFrame.H1, TimeFrame.D1 })
        {
            (SimulatedMarket market, ImmutableArray<MarketSeries> history) = SimulatedMarket.WithHistory(9, Start, timeFrame, 60);
            foreach (MarketSeries series in history)
            {
                Assert.Equal(60, series.Count);
                Assert.True(series.EventTime(59) <= Start, "closed bars only");
                Assert.True(series.EventTime(59) > Start - ((timeFrame.End(Start) - Start) * 3) - TimeSpan.FromHours(2));
            }
            Dictionary<string, Quote> first = market.Next(Start.AddMinutes(5)).GroupBy(quote => quote.Instrument.Symbol)
                .ToDictionary(group => group.Key, group => group.First().Quote);
            Assert.All(history, series =>
            {
                double close = series.Bars.Span[59].Bid.Close;
                Assert.InRange(first[series.Instrument.Symbol].Bid, close * 0.95, close * 1.05);
            });
            Assert.All(first.Values, quote => Assert.True(quote.Time >= Start));
        }
    }

    [Fact]
    public void Options_and_states_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimulatedMarket(1, Start, new SimulationOptions(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SimulatedMarket(1, Start, new SimulationOptions(1, -1)));
        SimulationState state = new SimulatedMarket(1, Start).Capture();
        Assert.Throws<FormatException>(() => SimulatedMarket.Restore(state with { Version = 9 }));
        Assert.Throws<ArgumentException>(() => SimulatedMarket.WithHistory(1, Start, TimeFrame.Tick, 5));
    }

    private static double[] Returns(MarketSeries series)
    {
        Bar[] bars = series.Bars.ToArray();
        return [.. bars.Skip(1).Select((bar, i) => ((double)bar.Bid.Close / bars[i].Bid.Close) - 1)];
    }

    private static double Correlation(double[] a, double[] b)
    {
        int n = Math.Min(a.Length, b.Length);
        double[] x = a[^n..];
        double[] y = b[^n..];
        double mx = x.Average();
        double my = y.Average();
        double covariance = x.Zip(y, (p, q) => (p - mx) * (q - my)).Sum();
        return covariance / Math.Sqrt(x.Sum(p => (p - mx) * (p - mx)) * y.Sum(q => (q - my) * (q - my)));
    }
}
