using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Backtesting;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Performance;

/// <summary>What a reader may choose of an analysis.</summary>
/// <param name="Title">Null: made of strategies and symbols.</param>
/// <param name="RiskFreeRate">A year, a share.</param>
/// <param name="Trials">Variants tried before this one was chosen, itself included.</param>
/// <param name="TrialVariance">Variance of their annualised Sharpe ratios.</param>
public sealed record AnalysisOptions(string? Title = null, double RiskFreeRate = 0, int Trials = 1, double TrialVariance = 0, ulong Seed = 1,
    int Paths = MonteCarlo.DefaultPaths);

/// <summary>
/// Builds the analysis of a run from its plan, its recorded events and its market data. It runs after the run, beside nothing: a run without a report
/// pays nothing for it.
/// </summary>
public sealed class RunAnalyzer
{
    private const int MostMarks = 1 << 17, MostCurve = 1 << 11, TopDrawdowns = 10, RegimeDays = 20, LongWindow = 126;
    private const double DaysPerYear = 365.25;
    private static readonly string[] RegimeNames = ["calm", "normal", "stormy", "not known"];

    private readonly RunPlan _plan;
    private readonly RunSequence _sequence;
    private readonly AccountPlayback[] _accounts;
    private readonly TradeBook _trades;
    private readonly Thinned<EquityMark> _marks = new(MostMarks), _curve = new(MostCurve);
    private readonly Dictionary<string, Thinned<PricePoint>> _prices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (decimal First, decimal Last)> _closes = new(StringComparer.Ordinal);
    private readonly List<(DateOnly Date, decimal Equity, double Benchmark, decimal Flow)> _days = [];
    // Paid in less paid out since the start: neither profit nor loss.
    private decimal _equity, _flows;
    private long _events, _held, _long, _short;
    private double _grossSum, _netSum, _grossMost;
    private int _expired;

    private RunAnalyzer(RunPlan plan, IReadOnlyDictionary<string, ImmutableArray<AccountEvent>> events, RunSequence sequence)
    {
        _plan = plan;
        _sequence = sequence;
        _trades = new TradeBook(plan.Universe);
        _accounts = [.. plan.Accounts.OrderBy(account => account.Key, StringComparer.Ordinal)
            .Select(account => new AccountPlayback(account.Key, plan.Universe, events[account.Key], Before, null))];
    }

    /// <param name="report">What the run printed.</param>
    /// <param name="sequence">The run's market events, from the first.</param>
    /// <exception cref="ArgumentException">The accounts are in several currencies, which have no sum.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static RunAnalysis Analyse(
        RunPlan plan, IReadOnlyDictionary<string, ImmutableArray<AccountEvent>> events, RunSequence sequence, RunReport report,
            AnalysisOptions options, CancellationToken cancellation = default)
    {
        if (plan.Accounts.Select(account => account.Settings.Currency).Distinct().Count() > 1)
        {
            throw new ArgumentException("the accounts are in several currencies; a report needs one");
        }
        var analyzer = new RunAnalyzer(plan, events, sequence);
        EquitySummary equity = analyzer.Play(cancellation);
        return analyzer.Describe(equity, report, options);
    }

    private EquitySummary Play(CancellationToken cancellation)
    {
        foreach (AccountPlayback account in _accounts) account.Open();
        _flows = 0;
        decimal seen = 0, before = 0;
        decimal start = _equity = _accounts.Sum(account => account.State.Equity);
        decimal highest = start, lowest = start, deepest = 0;
        DateTime highestAt = _sequence.Start, lowestAt = highestAt;
        var days = new DayTurns(_plan.Accounts[0].Settings.Calendar);
        while (_sequence.MoveNext())
        {
            RunEvent happened = _sequence.Current;
            if ((happened.Position & 0xFFF) == 0) cancellation.ThrowIfCancellationRequested();
            MarketSeries series = _sequence.Series[happened.Series];
            string symbol = series.Instrument.Symbol;
            Quote? mark = AccountPlayback.MarkOf(happened, series);
            if (mark is not null) _trades.See(series, happened);
            foreach (AccountPlayback account in _accounts) account.Advance(happened, symbol, mark);
            if (mark is not { } quote) continue;

            _trades.Mark(series, happened, _accounts);
            decimal close = series.Instrument.ToPrice(quote.Bid);
            See(series, happened, close);
            (decimal gross, decimal net) = Mark(quote.Time);
            // A peak moves with what is paid in or out, so that only profit and loss make a drawdown.
            (highest, seen) = (highest + _flows - seen, _flows);
            if (_equity > highest) (highest, highestAt) = (_equity, quote.Time);
            else if (highest > 0) deepest = Math.Min(deepest, _equity / highest - 1);
            if (_equity < lowest) (lowest, lowestAt) = (_equity, quote.Time);
            var point = new EquityMark(quote.Time, _equity, gross, net);
            _marks.Add(point);
            _curve.Add(point);
            DateOnly day = days.DateOf(RunSequence.StartOf(series, happened.Index));
            double benchmark = Benchmark();
            if (_days.Count == 0 || _days[^1].Date < day)
            {
                before = _days.Count == 0 ? 0 : before + _days[^1].Flow;
                _days.Add((day, _equity, benchmark, _flows - before));
            }
            else _days[^1] = (_days[^1].Date, _equity, benchmark, _flows - before);
        }
        foreach (AccountPlayback account in _accounts) account.Finish();
        decimal end = _accounts.Sum(account => account.State.Equity);
        // What follows the last market event (nothing, but for a charge at its very time) belongs to the last day.
        if (_days.Count > 0) _days[^1] = (_days[^1].Date, end, _days[^1].Benchmark, _flows - before);
        return new EquitySummary(start, end, end - start - _flows, highest, highestAt, lowest, lowestAt, (double)deepest);
    }

    /// <summary>Before an account takes an event: what the fill meets is still there.</summary>
    private void Before(AccountPlayback account, AccountEvent happened)
    {
        if (happened is OrderEnded { Status: OrderStatus.Expired }) _expired++;
        else if (happened is BalanceAdjusted paid) _flows += paid.Amount;
        _trades.Take(account, happened, _equity);
    }

    private void See(MarketSeries series, in RunEvent happened, decimal close)
    {
        string symbol = series.Instrument.Symbol;
        if (!_prices.TryGetValue(symbol, out Thinned<PricePoint>? prices))
        {
            _prices.Add(symbol, prices = new Thinned<PricePoint>(MostCurve));
            decimal first = series.IsTicks ? close : series.Instrument.ToPrice(series.Bars.Span[happened.Index].Bid.Open);
            _closes.Add(symbol, (first, close));
        }
        _closes[symbol] = _closes[symbol] with { Last = close };
        prices.Add(new PricePoint(happened.Time, close));
    }

    /// <summary>Equal amounts of every instrument bought at the first price and held, from 1; one not yet seen counts 1.</summary>
    private double Benchmark()
    {
        double sum = _sequence.Series.Length - _closes.Count;
        foreach ((decimal first, decimal last) in _closes.Values) sum += (double)(last / first);
        return sum / _sequence.Series.Length;
    }

    private (decimal Gross, decimal Net) Mark(DateTime time)
    {
        decimal gross = 0, net = 0;
        _equity = 0;
        foreach (AccountPlayback account in _accounts)
        {
            _equity += account.State.Equity;
            foreach (SymbolBook book in account.State.Books)
            {
                if (book.Holdings.Count == 0 || book.Mark.Bid == 0) continue;
                decimal longs = account.State.Notional(book.Instrument, book.LongVolume, book.Mark.Bid);
                decimal shorts = account.State.Notional(book.Instrument, book.ShortVolume, book.Mark.Ask);
                gross += longs + shorts;
                net += longs - shorts;
            }
        }
        _events++;
        if (gross > 0) _held++;
        if (net > 0) _long++;
        else if (net < 0) _short++;
        if (_equity > 0)
        {
            double leverage = (double)(gross / _equity);
            _grossSum += leverage;
            _netSum += (double)(net / _equity);
            _grossMost = Math.Max(_grossMost, leverage);
        }
        return (gross, net);
    }

    private RunAnalysis Describe(EquitySummary equity, RunReport report, AnalysisOptions options)
    {
        (double[] returns, double[] benchmark) = Returns((double)equity.Start);
        double years = Math.Max((_sequence.End - _sequence.Start).TotalDays, 1) / DaysPerYear;
        (double periods, string period) = Periods();
        var convention = new ReturnConvention(periods, options.RiskFreeRate, years);
        int window = Math.Min(LongWindow, Math.Max(2, returns.Length / 4));
        ImmutableArray<RunTrade> trades = _trades.Closed;
        double[] results = [.. trades.Select(trade => (double)trade.Net)];
        ImmutableArray<PeriodReturn> months = ByPeriod(returns, benchmark, date => (date.Year, date.Month)),
            yearly = ByPeriod(returns, benchmark, date => (date.Year, null));
        ReturnMetrics metrics = ReturnMetrics.Of(returns, convention, options.Trials, options.TrialVariance);
        return new RunAnalysis(
            RunAnalysis.CurrentSchema, DescribeRun(report, options),
            new AnalysisConvention(periods, options.RiskFreeRate, years, period, DescribeBenchmark(), options.Trials, options.TrialVariance, window),
            equity, metrics, BenchmarkMetrics.Of(returns, benchmark, convention),
            TradeMetrics.Of(trades), TradeMetrics.Of([.. trades.Where(trade => trade.Side == Side.Buy)]),
                TradeMetrics.Of([.. trades.Where(trade => trade.Side == Side.Sell)]),
            DescribeActivity(report, returns, months, years, trades.Length), DescribeCosts(equity), DescribeAttribution(trades, benchmark),
            yearly, months, DescribeDrawdowns(returns),
            MonteCarlo.ShuffleTrades(results, (double)equity.Start, options.Seed, options.Paths),
                MonteCarlo.ResampleTrades(results, (double)equity.Start, options.Seed, options.Paths),
            MonteCarlo.Bootstrap(returns, (double)equity.Start, options.Seed, options.Paths),
            Days(returns, benchmark, convention, window), _curve.ToImmutable(),
            [.. _prices.OrderBy(each => each.Key, StringComparer.Ordinal).Select(each =>
                new PriceLine(each.Key, _plan.Universe.Find(each.Key)!.Digits, each.Value.ToImmutable()))], trades)
        {
            Marks = _marks.ToImmutable(),
        };
    }

    private (double[] Returns, double[] Benchmark) Returns(double start)
    {
        double[] returns = new double[_days.Count], benchmark = new double[_days.Count];
        double equity = start, market = 1;
        for (int i = 0; i < _days.Count; i++)
        {
            // An account at or below zero has lost all there was: what follows is no return any more.
            double next = Math.Max(0, (double)_days[i].Equity);
            // What is paid in during a day counts as there at its end, and earns from the next day on.
            returns[i] = equity > 0 ? Math.Max(0, next - (double)_days[i].Flow) / equity - 1 : 0;
            benchmark[i] = _days[i].Benchmark / market - 1;
            (equity, market) = (next, _days[i].Benchmark);
        }
        return (returns, benchmark);
    }

    /// <summary>Days of data that lie further apart than a weekend are weeks or months.</summary>
    private (double PerYear, string Name) Periods()
    {
        bool always = _plan.Universe.Instruments.Any(instrument => instrument.Calendar.Sessions.IsEmpty);
        int[] gaps = [.. _days.Zip(_days.Skip(1), (a, b) => b.Date.DayNumber - a.Date.DayNumber).Order()];
        int gap = gaps.Length == 0 ? 1 : gaps[gaps.Length / 2];
        TradingCalendar calendar = _plan.Accounts[0].Settings.Calendar;
        string day = string.Create(CultureInfo.InvariantCulture, $"trading day, turning at {calendar.DayTurn:hh\\:mm} {calendar.TimeZone}");
        return gap switch { > 20 => (12, "month"), > 4 => (52, "week"), _ => (always ? 365 : 252, day) };
    }

    private ImmutableArray<DayPoint> Days(double[] returns, double[] benchmark, ReturnConvention convention, int window)
    {
        double[] underwater = Performance.Drawdowns.Underwater(returns);
        double riskFree = convention.RiskFreePerPeriod;
        return [.. _days.Select((day, i) =>
        {
            double? sharpe = null, beta = null;
            if (i + 1 >= window)
            {
                ReadOnlySpan<double> own = returns.AsSpan(i + 1 - window, window), market = benchmark.AsSpan(i + 1 - window, window);
                if (Statistics.StandardDeviation(own) is > 0 and { } deviation) sharpe = (Statistics.Mean(own) - riskFree) / deviation * Math.Sqrt(convention.PeriodsPerYear);
                if (Statistics.Variance(market) is > 0 and { } variance) beta = Statistics.Covariance(own, market) / variance;
            }
            return new DayPoint(day.Date, day.Equity, returns[i], benchmark[i], underwater[i], sharpe, beta);
        })];
    }

    private RunDescription DescribeRun(RunReport report, AnalysisOptions options)
    {
        ImmutableArray<string> strategies = [.. _plan.Strategies.Select(Describe)];
        string title = options.Title ?? string.Join(", ", _plan.Strategies.Select(strategy =>
            $"{strategy.Definition} on {strategy.Symbol} {strategy.TimeFrame}").Distinct());
        return new RunDescription(
            title, report.Mode, report.RunId, _sequence.Start, _sequence.End, _plan.Accounts[0].Settings.Currency,
            [.. _accounts.Select(account => Name(account.Key))], strategies, [.. _sequence.Series.Select(series => series.Instrument.Symbol)],
                report.DataPoints, report.OrderListHash);
    }

    private static string Describe(StrategyPlan strategy)
    {
        IEnumerable<string> parameters = strategy.Parameters.Values.Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Key}={each.Value}"));
        string[] rule = strategy.Rule is { } text ? [string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))] : [];
        return string.Join(' ', [strategy.Definition, strategy.Symbol, $"{strategy.TimeFrame}", .. parameters, .. rule]);
    }

    private string DescribeBenchmark() => _sequence.Series.Length == 1
        ? $"{_sequence.Series[0].Instrument.Symbol} bought at the first price and held, bid, no costs"
        : $"equal amounts of {string.Join(", ", _sequence.Series.Select(series => series.Instrument.Symbol))} bought at the first price and held, bid, no costs or conversion";

    private ActivityMetrics DescribeActivity(RunReport report, double[] returns, ImmutableArray<PeriodReturn> months, double years, int trades)
    {
        double? Share(double part) => _events == 0 ? null : part / _events;
        double equity = _days.Count == 0 ? 0 : (double)_days.Average(day => day.Equity);
        double? turnover = equity > 0 ? (double)_trades.TradedNotional / equity : null;
        DayFigure? Day(Func<double[], double> of) => returns.Length == 0 ? null
            : new DayFigure(_days[Array.IndexOf(returns, of(returns))].Date, of(returns));
        return new ActivityMetrics(
            Share(_held), Share(_long), Share(_short), Share(_grossSum), _events == 0 ? null : _grossMost, Share(_netSum), _trades.TradedNotional,
                turnover / years,
            _days.Count == 0 ? null : turnover / _days.Count, trades / years, report.Orders, report.Fills, _expired, report.Denied.Values.Sum(),
                report.Denied, _trades.OpenCount,
            returns.Length, returns.Count(each => each > 0), returns.Count(each => each < 0), returns.Count(each => each == 0),
            Day(all => all.Max()), Day(all => all.Min()), months.Length, months.Count(month => month.Return > 0));
    }

    private CostBreakdown DescribeCosts(EquitySummary equity)
    {
        decimal total = _trades.Commission - _trades.Swap + _trades.SpreadCost + _trades.SlippageCost, before = equity.Net + total;
        return new CostBreakdown(_trades.Commission, _trades.Swap, _trades.SpreadCost, _trades.SlippageCost, total,
            _trades.TradedNotional > 0 ? (double)(total / _trades.TradedNotional * 1_000_000m) : null, before > 0 ? (double)(total / before) : null);
    }

    private AttributionTables DescribeAttribution(ImmutableArray<RunTrade> trades, double[] benchmark)
    {
        Func<RunTrade, int> regime = Regimes(benchmark);
        return new AttributionTables(
            Attribution.By(trades, trade => trade.Symbol, name => name),
                Attribution.By(trades, trade => trade.Strategy, name => name.Length == 0 ? "by hand" : name),
            Attribution.By(trades, trade => trade.Account, name => name),
                Attribution.By(trades, trade => trade.Side == Side.Buy ? 0 : 1, side => side == 0 ? "long" : "short"),
            Attribution.By(trades, trade => trade.Entry.Hour, hour => $"{hour:00}:00"),
            Attribution.By(trades, trade => ((int)trade.Entry.DayOfWeek + 6) % 7, day => $"{(DayOfWeek)((day + 1) % 7)}"),
            Attribution.By(trades, trade => trade.Exit.Year * 12 + trade.Exit.Month - 1, month => $"{month / 12:0000}-{month % 12 + 1:00}"),
            Attribution.By(trades, regime, tercile => RegimeNames[tercile]));
    }

    /// <summary>The tercile (0 to 2, 3 for too early) of the benchmark's volatility over the days before a trade's entry.</summary>
    private Func<RunTrade, int> Regimes(double[] benchmark)
    {
        double?[] volatility = [.. benchmark.Select((_, i) => i < RegimeDays ? null
            : Statistics.StandardDeviation(benchmark.AsSpan(i - RegimeDays, RegimeDays)))];
        double[] known = [.. volatility.Where(value => value is not null).Select(value => value!.Value).Order()];
        double? low = Statistics.Quantile(known, 1.0 / 3), high = Statistics.Quantile(known, 2.0 / 3);
        DateOnly[] dates = [.. _days.Select(day => day.Date)];
        var days = new DayTurns(_plan.Accounts[0].Settings.Calendar);
        return trade =>
        {
            int at = Array.BinarySearch(dates, days.DateOf(trade.Entry));
            if (at < 0) at = Math.Min(~at, dates.Length - 1);
            return volatility[at] is { } value ? value <= low ? 0 : value <= high ? 1 : 2 : 3;
        };
    }

    private ImmutableArray<PeriodReturn> ByPeriod(double[] returns, double[] benchmark, Func<DateOnly, (int Year, int? Month)> period)
    {
        static double Compound(IEnumerable<double> each) => each.Aggregate(1.0, (value, next) => value * (1 + next)) - 1;
        return [.. Enumerable.Range(0, returns.Length).GroupBy(i => period(_days[i].Date)).Select(group =>
            new PeriodReturn(group.Key.Year, group.Key.Month, Compound(group.Select(i => returns[i])), Compound(group.Select(i => benchmark[i]))))];
    }

    private ImmutableArray<DatedDrawdown> DescribeDrawdowns(double[] returns)
    {
        DateOnly Date(int index) => index < 0 ? _days[0].Date.AddDays(-1) : _days[index].Date;
        return [.. Performance.Drawdowns.All(returns).OrderBy(fall => fall.Depth).Take(TopDrawdowns).Select(fall =>
            new DatedDrawdown(Date(fall.Peak - 1), Date(fall.Trough), fall.Recovery is { } day ? Date(day) : null, fall.Depth, fall.Periods))];
    }

    private static string Name(string key) => key[(key.LastIndexOf('/') + 1)..];
}

/// <summary>Every item at first, then every 2nd, 4th, ... of a longer series, and always the last: never more than so many.</summary>
internal sealed class Thinned<T>(int most)
{
    private readonly List<T> _items = [];
    private int _stride = 1, _skipped;
    private T? _last;
    private bool _hasLast;

    public void Add(T item)
    {
        (_last, _hasLast) = (item, true);
        if (++_skipped < _stride) return;
        (_skipped, _hasLast) = (0, false);
        _items.Add(item);
        if (_items.Count < most) return;
        for (int i = 1; i < most / 2; i++) _items[i] = _items[2 * i];
        _items.RemoveRange(most / 2, most / 2);
        // The last item kept lies one old stride back.
        (_skipped, _hasLast) = (_stride, true);
        _stride *= 2;
    }

    public ImmutableArray<T> ToImmutable() => _hasLast ? [.. _items, _last!] : [.. _items];
}
