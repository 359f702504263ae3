namespace HybridTrading.Domain.Markets.Simulation;

/// <summary>How a simulated market is set up; not part of its state, so it may change from one start to the next.</summary>
/// <param name="TicksPerSecond">Mean rate of quotes of each instrument in an hour of ordinary activity, above zero up to 1000.</param>
/// <param name="JumpsPerDay">Mean number of jumps of each instrument a day.</param>
public sealed record SimulationOptions(double TicksPerSecond = 1, double JumpsPerDay = 3);

/// <summary>What an instrument's prices need to go on exactly.</summary>
/// <param name="Random">State of its generator.</param>
/// <param name="LastTime">Its last quote, UTC.</param>
/// <param name="NextTime">Its next quote, UTC.</param>
/// <param name="Mid">Mid price.</param>
/// <param name="Variance">Variance relative to the long-run mean, 1 on average (the GARCH state).</param>
/// <param name="Minute">The minute whose shocks <paramref name="MinuteShock"/> sums, in minutes since 0001-01-01.</param>
/// <param name="MinuteShock">Sum of this minute's returns in units of their long-run deviation.</param>
/// <param name="FactorSeen">The dollar factor at the last quote.</param>
/// <param name="OpenedAt">When its market last opened, UTC; the minimum before it has closed once.</param>
[GenerateSerializer, Immutable, Alias("ht.SimulatedInstrumentState")]
public sealed record SimulatedInstrumentState(
    ulong Random, DateTime LastTime, DateTime NextTime, double Mid, double Variance, long Minute, double MinuteShock, double FactorSeen,
    DateTime OpenedAt);

/// <summary>The whole state of a simulated market.</summary>
/// <param name="Version">Of the model: another version continues differently.</param>
/// <param name="FactorTime">When the dollar factor last moved, UTC.</param>
/// <param name="Factor">Sum of the dollar's returns.</param>
[GenerateSerializer, Immutable, Alias("ht.SimulationState")]
public sealed record SimulationState(
    int Version, ulong Seed, ulong FactorRandom, DateTime FactorTime, double Factor, ImmutableArray<SimulatedInstrumentState> Instruments);

/// <summary>A quote of a simulated instrument.</summary>
public readonly record struct SimulatedQuote(Instrument Instrument, Quote Quote);

/// <summary>
/// A made-up market for trying things without data: four currency majors and two more, gold, bitcoin. Returns have a common dollar factor,
/// volatility that clusters (GARCH(1,1) by the minute), an intraday rhythm, jumps, and a weak pull to the starting price; quotes come at
/// random intervals; spreads widen with volatility, around the day's turn and after the weekly opening; sizes vary. Markets close as their
/// calendars say. Everything follows from the seed, the start and the options, on any machine; nothing here is a forecast of anything.
/// </summary>
public sealed class SimulatedMarket
{
    private const int ModelVersion = 1;
    private const double Persistence = 0.93;
    private const double Reaction = 0.05;
    private const double FactorVolatility = 0.06;
    private const double MaxVariance = 25;
    private const double YearlyPull = 1.5;
    private const double JumpDeviations = 6;
    private static readonly double SecondsPerYear = TimeSpan.FromDays(365).TotalSeconds;

    // Activity by hour of day in UTC: Asia, London, New York, the quiet hours around the day's turn.
    private static readonly double[] CurrencyRhythm =
        [0.7, 0.75, 0.7, 0.6, 0.55, 0.6, 0.8, 1.2, 1.4, 1.3, 1.15, 1.05, 1.3, 1.6, 1.7, 1.5, 1.2, 0.95, 0.8, 0.7, 0.55, 0.4, 0.4, 0.55];

    private static readonly double[] CoinRhythm =
        [1, 1, 0.95, 0.9, 0.85, 0.85, 0.85, 0.9, 1, 1, 1, 1, 1.05, 1.15, 1.25, 1.2, 1.15, 1.05, 1, 1, 1, 1, 0.95, 1];

    private static readonly ImmutableArray<Model> Models =
    [
        new(InstrumentCatalog.Get("AUDUSD"), 0.66000, 0.095, -1.0, 6, 12, CurrencyRhythm),
        new(InstrumentCatalog.Get("BTCUSD"), 60_000, 0.55, -0.8, 900, 20_000, CoinRhythm),
        new(InstrumentCatalog.Get("EURUSD"), 1.08500, 0.07, -1.1, 3, 50, CurrencyRhythm),
        new(InstrumentCatalog.Get("GBPUSD"), 1.27000, 0.08, -1.0, 5, 30, CurrencyRhythm),
        new(InstrumentCatalog.Get("USDCAD"), 1.36000, 0.065, 0.8, 6, 20, CurrencyRhythm),
        new(InstrumentCatalog.Get("USDCHF"), 0.88000, 0.075, 1.0, 6, 20, CurrencyRhythm),
        new(InstrumentCatalog.Get("USDJPY"), 150.000, 0.09, 1.0, 4, 40, CurrencyRhythm),
        new(InstrumentCatalog.Get("XAUUSD"), 2350.00, 0.15, -0.9, 18, 10, CurrencyRhythm),
    ];

    private readonly ulong _seed;
    private readonly SimulationOptions _options;
    private readonly Line[] _lines;
    private SplitMix64 _factorRandom;
    private DateTime _factorTime;
    private double _factor;

    /// <summary>Begins a market at its starting prices.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public SimulatedMarket(ulong seed, DateTime startUtc, SimulationOptions? options = null)
    {
        _seed = seed;
        _options = Checked(options ?? new SimulationOptions());
        var seeds = new SplitMix64(seed);
        _factorRandom = new SplitMix64(seeds.Next());
        _factorTime = startUtc;
        _lines = new Line[Models.Length];
        for (int i = 0; i < _lines.Length; i++)
        {
            var line = new Line(Models[i])
            {
                Random = new SplitMix64(seeds.Next()),
                LastTime = startUtc,
                Mid = Models[i].StartPrice,
                Variance = 1,
                Minute = startUtc.Ticks / TimeSpan.TicksPerMinute,
            };
            _lines[i] = line;
            Schedule(line);
        }
    }

    private SimulatedMarket(SimulationState state, SimulationOptions options)
    {
        _seed = state.Seed;
        _options = Checked(options);
        _factorRandom = new SplitMix64(state.FactorRandom);
        _factorTime = state.FactorTime;
        _factor = state.Factor;
        _lines = [.. Models.Zip(state.Instruments, (model, kept) => new Line(model)
        {
            Random = new SplitMix64(kept.Random),
            LastTime = kept.LastTime,
            NextTime = kept.NextTime,
            Mid = kept.Mid,
            Variance = kept.Variance,
            Minute = kept.Minute,
            MinuteShock = kept.MinuteShock,
            FactorSeen = kept.FactorSeen,
            OpenedAt = kept.OpenedAt,
        })];
    }

    /// <summary>What is simulated, ordered by symbol.</summary>
    public static ImmutableArray<Instrument> Instruments { get; } = [.. Models.Select(model => model.Instrument)];

    public ulong Seed => _seed;

    /// <summary>Everything needed to go on exactly.</summary>
    public SimulationState Capture() => new(
        ModelVersion, _seed, _factorRandom.State, _factorTime, _factor,
        [.. _lines.Select(line => new SimulatedInstrumentState(
            line.Random.State, line.LastTime, line.NextTime, line.Mid, line.Variance, line.Minute, line.MinuteShock, line.FactorSeen,
            line.OpenedAt))]);

    /// <summary>Goes on where <paramref name="state"/> was captured: with equal options, quote for quote.</summary>
    /// <exception cref="FormatException">The state is of another version of the model.</exception>
    public static SimulatedMarket Restore(SimulationState state, SimulationOptions? options = null) =>
        state.Version == ModelVersion && state.Instruments.Length == Models.Length
            ? new SimulatedMarket(state, options ?? new SimulationOptions())
            : throw new FormatException($"simulation state has version {state.Version} with {state.Instruments.Length} instruments, "
                + $"expected {ModelVersion} with {Models.Length}");

    /// <summary>
    /// Begins a market that has a past: it is run, with fewer quotes, from a time early enough for <paramref name="count"/> bars of each
    /// instrument, so that the bars lead up to its prices at <paramref name="startUtc"/>.
    /// </summary>
    /// <returns>The market at <paramref name="startUtc"/>, and the last closed bars before it, a series an instrument.</returns>
    public static (SimulatedMarket Market, ImmutableArray<MarketSeries> History) WithHistory(
        ulong seed, DateTime startUtc, TimeFrame timeFrame, int count, SimulationOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (timeFrame.IsTick) throw new ArgumentException("history is made of bars, expected a time frame other than tick", nameof(timeFrame));
        options = Checked(options ?? new SimulationOptions());

        // Markets that close at week-ends trade 5 days of 7.
        DateTime aligned = timeFrame.Floor(startUtc);
        TimeSpan span = timeFrame.End(aligned) - aligned;
        DateTime from = startUtc - (span * (count * 1.6)) - TimeSpan.FromDays(4);
        double slow = Math.Min(options.TicksPerSecond, Math.Max(20 / span.TotalSeconds, 1 / 300.0));
        var past = new SimulatedMarket(seed, from, options with { TicksPerSecond = slow });

        var builders = Instruments.ToDictionary(instrument => instrument, instrument => new BarBuilder(TimeFrame.Tick, timeFrame));
        var bars = Instruments.ToDictionary(instrument => instrument, _ => new List<Bar>());
        foreach (SimulatedQuote next in past.Next(startUtc))
        {
            if (builders[next.Instrument].TryClose(next.Quote.Time, out Bar ended)) bars[next.Instrument].Add(ended);
            if (builders[next.Instrument].Add(next.Quote, out Bar whole)) bars[next.Instrument].Add(whole);
        }
        foreach ((Instrument instrument, BarBuilder builder) in builders)
        {
            if (builder.TryClose(startUtc, out Bar last)) bars[instrument].Add(last);
        }

        SimulatedMarket market = Restore(past.Capture(), options);
        foreach (Line line in market._lines) market.Schedule(line, startUtc);
        return (market, [.. Instruments.Select(instrument => MarketSeries.OfBars(
            instrument, timeFrame, bars[instrument].Skip(Math.Max(0, bars[instrument].Count - count)).ToArray()))]);
    }

    /// <summary>The quotes before <paramref name="untilUtc"/>, in order of time, then symbol; asking again goes on from there.</summary>
    public IEnumerable<SimulatedQuote> Next(DateTime untilUtc)
    {
        while (TryNext(untilUtc, out SimulatedQuote quote)) yield return quote;
    }

    /// <summary>The next quote, if it comes before <paramref name="untilUtc"/>; does not allocate.</summary>
    public bool TryNext(DateTime untilUtc, out SimulatedQuote next)
    {
        Line first = _lines[0];
        foreach (Line line in _lines)
        {
            if (line.NextTime < first.NextTime) first = line;
        }
        if (first.NextTime >= untilUtc)
        {
            next = default;
            return false;
        }
        next = new SimulatedQuote(first.Model.Instrument, Tick(first));
        Schedule(first);
        return true;
    }

    private Quote Tick(Line line)
    {
        Model model = line.Model;
        DateTime now = line.NextTime;
        double activity = model.Rhythm[now.Hour];
        double factor = FactorAt(now);
        EndMinutes(line, now);

        double seconds = Math.Min((now - line.LastTime).TotalSeconds, 3600);
        double years = seconds / SecondsPerYear;
        double shock = line.Random.NextBell() * Math.Sqrt(line.Variance);
        if (line.Random.NextUniform() < _options.JumpsPerDay * seconds / 86400)
        {
            // In units of a minute's deviation; the turbulence that follows is GARCH's answer to it.
            double direction = line.Random.NextUniform() < 0.5 ? -1 : 1;
            shock += direction * (1 + line.Random.NextExponential()) * JumpDeviations * Math.Sqrt(60 / Math.Max(seconds, 0.001));
        }
        line.MinuteShock += shock * Math.Sqrt(Math.Min(seconds, 60));

        double change = (shock * model.OwnVolatility * activity * Math.Sqrt(years))
            + (model.DollarBeta * (factor - line.FactorSeen))
            - (((line.Mid / model.StartPrice) - 1) * YearlyPull * years);
        line.Mid *= 1 + Math.Clamp(change, -0.1, 0.1);
        line.FactorSeen = factor;
        line.LastTime = now;
        return QuoteOf(line, now);
    }

    private Quote QuoteOf(Line line, DateTime now)
    {
        Model model = line.Model;
        double width = model.SpreadPoints * (0.6 + (0.4 * Math.Sqrt(line.Variance))) * Hours(line, now);
        long spread = Math.Max(1, (long)Math.Round(width * (0.8 + (0.4 * line.Random.NextUniform()))));
        double mid = line.Mid * model.Instrument.PointsPerUnit;
        long bid = (long)Math.Round(mid - (0.5 * spread));
        return new Quote(now, bid, bid + spread, Size(line), Size(line));
    }

    private static long Size(Line line) => 1 + (long)(line.Model.TypicalSize * line.Random.NextExponential());

    /// <summary>Spreads are several times wider around the day's turn and just after a market has opened.</summary>
    private static double Hours(Line line, DateTime now)
    {
        double widening = now - line.OpenedAt < TimeSpan.FromMinutes(15) ? 3 : 1;
        if (line.Model.Instrument.Calendar.Sessions.IsEmpty) return widening;
        if (now >= line.DayTurn + TimeSpan.FromMinutes(30)) line.DayTurn = line.Model.Instrument.Calendar.NextDayTurn(now - TimeSpan.FromMinutes(30));
        return now > line.DayTurn - TimeSpan.FromMinutes(10) ? Math.Max(widening, 4) : widening;
    }

    /// <summary>GARCH(1,1) with mean 1, a step a minute; a long silence is one step.</summary>
    private static void EndMinutes(Line line, DateTime now)
    {
        long minute = now.Ticks / TimeSpan.TicksPerMinute;
        if (minute == line.Minute) return;
        double shock = line.MinuteShock * line.MinuteShock / 60;
        line.Variance = Math.Min(1 - Persistence - Reaction + (Reaction * shock) + (Persistence * line.Variance), MaxVariance);
        line.MinuteShock = 0;
        line.Minute = minute;
    }

    private double FactorAt(DateTime now)
    {
        if (now > _factorTime)
        {
            double years = Math.Min((now - _factorTime).TotalSeconds, 60) / SecondsPerYear;
            _factor += _factorRandom.NextBell() * FactorVolatility * CurrencyRhythm[now.Hour] * Math.Sqrt(years);
            _factorTime = now;
        }
        return _factor;
    }

    private void Schedule(Line line, DateTime? notBefore = null)
    {
        DateTime from = notBefore ?? line.LastTime;
        double rate = _options.TicksPerSecond * line.Model.Rhythm[from.Hour];
        long milliseconds = 1 + (long)(1000 * line.Random.NextExponential() / rate);
        DateTime next = from.AddTicks(milliseconds * TimeSpan.TicksPerMillisecond);
        if (next >= line.ClosesAt) next = Reopen(line, next);
        line.NextTime = next;
    }

    /// <summary>The first time at or after <paramref name="time"/> at which the market is open; learns when it closes then.</summary>
    private static DateTime Reopen(Line line, DateTime time)
    {
        TradingCalendar calendar = line.Model.Instrument.Calendar;
        if (!calendar.IsOpen(time))
        {
            line.OpenedAt = calendar.NextChange(time) ?? throw new InvalidOperationException($"calendar {calendar.Name} never opens");

            // The first quotes spread over the first second instead of coming all at once.
            time = line.OpenedAt.AddMilliseconds(time.Ticks / TimeSpan.TicksPerMillisecond % 1000);
        }
        line.ClosesAt = calendar.NextChange(time) ?? DateTime.MaxValue;
        return time;
    }

    private static SimulationOptions Checked(SimulationOptions options)
    {
        if (!(options.TicksPerSecond > 0 && options.TicksPerSecond <= 1000))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.TicksPerSecond, "ticks per second: expected above 0 up to 1000");
        }
        return options.JumpsPerDay >= 0 && options.JumpsPerDay <= 1000
            ? options
            : throw new ArgumentOutOfRangeException(nameof(options), options.JumpsPerDay, "jumps per day: expected 0 to 1000");
    }

    /// <param name="OwnVolatility">A year's deviation beside the dollar factor.</param>
    /// <param name="DollarBeta">Share of the dollar factor's return.</param>
    /// <param name="TypicalSize">Mean size at the best price, in volume steps.</param>
    private sealed record Model(
        Instrument Instrument, double StartPrice, double OwnVolatility, double DollarBeta, double SpreadPoints, double TypicalSize, double[] Rhythm);

    private sealed class Line(Model model)
    {
        public Model Model => model;

        public SplitMix64 Random;
        public DateTime LastTime;
        public DateTime NextTime;
        public DateTime OpenedAt;
        public DateTime ClosesAt;
        public DateTime DayTurn;
        public double Mid;
        public double Variance;
        public long Minute;
        public double MinuteShock;
        public double FactorSeen;
    }
}
