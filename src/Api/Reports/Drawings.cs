using System.Globalization;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Api.Reports;

/// <summary>The charts of a tear sheet: each drawn twice, for a wide and for a narrow screen, so that its words keep their size.</summary>
internal static class Drawings
{
    private const int Wide = 1110, Half = 540, Narrow = 330;

    private static readonly Func<double, double, string> Amounts = (value, step) =>
        value.ToString(step < 1 ? "N2" : "N0", CultureInfo.InvariantCulture);
    private static readonly Func<double, double, string> Percents = (value, step) =>
        (value * 100).ToString(step < 0.00099 ? "0.00" : step < 0.0099 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";
    private static readonly Func<double, double, string> Numbers = (value, step) =>
        value.ToString(step < 0.1 ? "0.00" : step < 1 ? "0.0" : "0", CultureInfo.InvariantCulture);

    public static string Equity(RunAnalysis analysis)
    {
        (double X, double Y)[] equity = [(analysis.Run.From.Ticks, (double)analysis.Equity.Start),
            .. analysis.Curve.Select(mark => ((double)mark.Time.Ticks, (double)mark.Equity))];
        return Figure("Equity", $"{analysis.Run.Currency}, all accounts", false, (width, narrow) =>
        {
            Chart chart = new Chart(width, narrow ? 220 : 280, Times(analysis), Range(equity.Select(point => point.Y)), Amounts).WithTimes();
            chart.Line(equity, "l1");
            foreach (EquityMark mark in analysis.Curve) chart.Reading(mark.Time.Ticks,
                $"{Time(mark.Time, analysis)}  {Figures.Money((double)mark.Equity)}");
            return chart;
        });
    }

    public static string Benchmark(RunAnalysis analysis)
    {
        (double X, double Y)[] own = [(analysis.Run.From.Ticks, 0), .. Growth(analysis.Daily, day => day.Return, 1).Select(point =>
            (point.X, point.Y - 1))];
        (double X, double Y)[] market = [(analysis.Run.From.Ticks, 0), .. Growth(analysis.Daily, day => day.BenchmarkReturn, 1).Select(point =>
            (point.X, point.Y - 1))];
        (double, double) times = (analysis.Run.From.Ticks, Math.Max(own[^1].X, analysis.Run.To.Ticks));
        return Figure("Against buy and hold", "growth by day", true, (width, narrow) =>
        {
            Chart chart = new Chart(width, 190, times, Range(own.Concat(market).Select(point => point.Y)), Percents).WithTimes();
            chart.Line(market, "l2");
            chart.Line(own, "l1");
            for (int i = 0; i < own.Length; i++) chart.Reading(own[i].X,
                $"{Figures.Text(DateOnly.FromDateTime(new DateTime((long)own[i].X).AddTicks(-1)))}  {Figures.Percent(own[i].Y)}, market {Figures.Percent(market[i].Y)}");
            return chart;
        }, ("this run", "c1"), ("buy and hold", "c2"));
    }

    public static string Underwater(RunAnalysis analysis)
    {
        double peak = (double)analysis.Equity.Start;
        (double X, double Y)[] depth = [.. analysis.Curve.Select(mark =>
        {
            peak = Math.Max(peak, (double)mark.Equity);
            return ((double)mark.Time.Ticks, (double)mark.Equity / peak - 1);
        })];
        return Figure("Drawdown", "below the highest equity so far", false, (width, narrow) =>
        {
            Chart chart = new Chart(width, narrow ? 130 : 150, Times(analysis), (depth.Select(point => point.Y).DefaultIfEmpty(-0.01).Min(), 0),
                Percents).WithTimes();
            chart.Area(depth, 0, "fall");
            chart.Line(depth, "lose");
            foreach ((double x, double y) in depth) chart.Reading(x, $"{Time(new DateTime((long)x), analysis)}  {Figures.Percent(y)}");
            return chart;
        });
    }

    public static string RollingSharpe(RunAnalysis analysis)
    {
        (double X, double Y)[] sharpe = [.. analysis.Daily.Where(day => day.RollingSharpe is not null).Select(day =>
            (Ticks(day.Date), day.RollingSharpe!.Value))];
        return sharpe.Length < 2 ? "" : Figure("Rolling Sharpe", $"{analysis.Convention.RollingWindow} returns, annualised", true, (width, narrow) =>
        {
            Chart chart = new Chart(width, 190, Times(analysis), Range(sharpe.Select(point => point.Y).Append(0)), Numbers).WithTimes();
            chart.Line(sharpe, "l1");
            foreach ((double x, double y) in sharpe) chart.Reading(x,
                $"{Figures.Text(DateOnly.FromDateTime(new DateTime((long)x)))}  {y.ToString("0.00", CultureInfo.InvariantCulture)}");
            return chart;
        });
    }

    /// <summary>A run that turns often would be one black area: means over equal parts of it are drawn.</summary>
    public static string Exposure(RunAnalysis analysis)
    {
        const int parts = 120;
        EquityMark[] marks = [.. analysis.Curve.Where(mark => mark.Equity > 0)];
        if (marks.Length < 2) return "";
        (DateTime Time, double Net, double Gross)[] means = [.. marks.Chunk(Math.Max(1, marks.Length / parts)).Select(part =>
            (part[^1].Time, part.Average(mark => (double)(mark.Net / mark.Equity)), part.Average(mark => (double)(mark.Gross / mark.Equity))))];
        return Figure("Exposure", means.Length == marks.Length ? "notional / equity" : $"notional / equity, means of {means.Length} parts", true,
            (width, narrow) =>
        {
            Chart chart = new Chart(width, 190, Times(analysis), Range(means.SelectMany(mean => (double[])[mean.Net, mean.Gross, 0])),
                Percents).WithTimes();
            chart.Line(means.Select(mean => ((double)mean.Time.Ticks, mean.Gross)), "l2");
            chart.Line(means.Select(mean => ((double)mean.Time.Ticks, mean.Net)), "l1");
            foreach ((DateTime time, double net, double gross) in means) chart.Reading(time.Ticks,
                $"{Time(time, analysis)}  net {Figures.Percent(net)}, gross {Figures.Percent(gross)}");
            return chart;
        }, ("net", "c1"), ("gross", "c2"));
    }

    public static string Distribution(RunAnalysis analysis)
    {
        double[] returns = [.. analysis.Daily.Select(day => day.Return)];
        if (returns.Length < 5) return "";
        // Beyond four standard deviations lie few days, which would make all others one column; they are counted at the ends.
        double mean = returns.Average(), deviation = Statistics.StandardDeviation(returns)!.Value;
        double low = Math.Max(returns.Min(), mean - 4 * deviation), high = Math.Min(returns.Max(), mean + 4 * deviation);
        if (!(high > low)) return "";
        (double[] ticks, double step) = Scale.Round(low, high, 45);
        int[] counts = new int[ticks.Length - 1];
        foreach (double value in returns) counts[Math.Clamp((int)Math.Floor((value - ticks[0]) / step), 0, counts.Length - 1)]++;
        double top = counts.Max();
        double Normal(double x) => returns.Length * step / (deviation * Math.Sqrt(2 * Math.PI)) * Math.Exp(-0.5 * Math.Pow((x - mean) / deviation,
            2));
        return Figure("Return distribution", "days; the curve is a normal distribution of the same mean and spread", true, (width, narrow) =>
        {
            Chart chart = new Chart(width, 190, (ticks[0], ticks[^1]), (0, Math.Max(top, Normal(mean))), Numbers).WithNumbers(Percents);
            for (int i = 0; i < counts.Length; i++)
            {
                chart.Bar(ticks[i], ticks[i + 1], counts[i], "b1");
                chart.Reading((ticks[i] + ticks[i + 1]) / 2, $"{Figures.Percent(ticks[i])} to {Figures.Percent(ticks[i + 1])}  {counts[i]} days");
            }
            chart.Line(Enumerable.Range(0, 121).Select(i => ticks[0] + (ticks[^1] - ticks[0]) * i / 120).Select(x => (x, Normal(x))), "dash");
            if (analysis.Returns.ValueAtRisk95 is { } var && var > ticks[0]) chart.Vertical(var, "VaR 95 %", "lose");
            return chart;
        });
    }

    public static string MonteCarlo(string title, string note, MonteCarloResult? result, string currency, string unit,
        (double X, double Y)[] actual) => result is null ? "" :
        Figure(title, note, true, (width, narrow) =>
        {
            Chart chart = new Chart(width, 210, (0, result.Bands[^1].Step),
                Range(result.Bands.SelectMany(band => (double[])[band.P5, band.P95]).Concat(actual.Select(point => point.Y))),
                    Amounts).WithNumbers((value, _) => value.ToString("N0", CultureInfo.InvariantCulture));
            chart.Band([.. result.Bands.Select(band => ((double)band.Step, band.P5, band.P95))], "wash");
            chart.Band([.. result.Bands.Select(band => ((double)band.Step, band.P25, band.P75))], "wash");
            chart.Line(result.Bands.Select(band => ((double)band.Step, band.P50)), "l1");
            chart.Line(actual, "l3");
            foreach (Band band in result.Bands) chart.Reading(band.Step,
                $"{unit} {band.Step}: 5 % {Figures.Money(band.P5)}, median {Figures.Money(band.P50)}, 95 % {Figures.Money(band.P95)} {currency}");
            return chart;
        }, ("median, 50 % and 90 % of the paths", "c1"), ("this run", "c3"));

    /// <summary>The trades of an instrument on its price, and where they are many the last of them from near.</summary>
    public static string Trades(RunAnalysis analysis, PriceLine line)
    {
        const int few = 80;
        RunTrade[] trades = [.. analysis.TradeList.Where(trade => trade.Symbol == line.Symbol)];
        string all = Trades($"Trades on {line.Symbol}", string.Create(CultureInfo.InvariantCulture,
            $"{trades.Length:N0} closed trades, entry to exit"), Times(analysis), trades, line);
        if (trades.Length <= few) return all;
        RunTrade[] last = trades[^(few / 2)..];
        DateTime from = last.Min(trade => trade.Entry), to = last.Max(trade => trade.Exit);
        TimeSpan edge = (to - from) / 40;
        return all + Trades($"The last {last.Length} trades on {line.Symbol}", "entry to exit; the dot is the entry, green to buy, red to sell",
            (from.Ticks - edge.Ticks, to.Ticks + edge.Ticks), last, line);
    }

    /// <summary>A stroke from entry to exit, green for a gain, red for a loss.</summary>
    private static string Trades(string title, string note, (double From, double To) times, RunTrade[] trades, PriceLine line)
    {
        (double X, double Y)[] price = [.. line.Points.Where(point => point.Time.Ticks >= times.From && point.Time.Ticks <= times.To).Select(point =>
            ((double)point.Time.Ticks, (double)point.Close))];
        if (price.Length < 2) return "";
        string places = $"F{line.Digits}";
        IEnumerable<double> prices = price.Select(point => point.Y).Concat(trades.SelectMany(trade =>
            (double[])[(double)trade.EntryPrice, (double)trade.ExitPrice]));
        return Figure(title, note, false, (width, narrow) =>
        {
            Chart chart = new Chart(width, narrow ? 220 : 280, times, Range(prices),
                (value, step) => value.ToString($"F{Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, line.Digits)}",
                    CultureInfo.InvariantCulture)).WithTimes();
            chart.Line(price, "fine");
            (double, double, double, double) Stroke(RunTrade trade) => (trade.Entry.Ticks, (double)trade.EntryPrice, trade.Exit.Ticks,
                (double)trade.ExitPrice);
            chart.Strokes(trades.Where(trade => trade.Net > 0).Select(Stroke), "win");
            chart.Strokes(trades.Where(trade => trade.Net <= 0).Select(Stroke), "lose");
            if (trades.Length <= 80)
            {
                foreach (RunTrade trade in trades) chart.Dot(trade.Entry.Ticks, (double)trade.EntryPrice, trade.Side == Side.Buy ? "dg" : "dl");
            }
            foreach ((double x, double y) in price) chart.Reading(x,
                $"{new DateTime((long)x).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  {y.ToString(places, CultureInfo.InvariantCulture)}");
            return chart;
        }, ("gain", "gain"), ("loss", "loss"), ("price", "c2"));
    }

    /// <summary>Lines of several runs on one axis.</summary>
    public static string Lines(string title, string note, (string Name, (double X, double Y)[] Points)[] lines, bool ofDepth)
    {
        double from = lines.Min(line => line.Points[0].X), to = lines.Max(line => line.Points[^1].X);
        return Figure(title, note, false, (width, narrow) =>
        {
            (double, double) range = Range(lines.SelectMany(line => line.Points).Select(point => point.Y));
            Chart chart = new Chart(width, ofDepth ? 180 : narrow ? 220 : 300, (from, to), range, Percents).WithTimes();
            for (int i = 0; i < lines.Length; i++) chart.Line(lines[i].Points, $"l{Colour(i)}");
            return chart;
        }, [.. lines.Select((line, i) => (line.Name, $"c{Colour(i)}"))]);
    }

    public static double Ticks(DateOnly date) => date.ToDateTime(default).Ticks;

    /// <summary>The compounded value of daily returns at the end of each day.</summary>
    public static IEnumerable<(double X, double Y)> Growth(ImmutableArray<DayPoint> days, Func<DayPoint, double> of, double start)
    {
        double value = start;
        foreach (DayPoint day in days)
        {
            value *= 1 + of(day);
            yield return (Ticks(day.Date.AddDays(1)), value);
        }
    }

    private static int Colour(int index) => (int[])[1, 3, 4, 5, 6, 2] is var order ? order[index % order.Length] : 1;

    private static (double, double) Times(RunAnalysis analysis) => (analysis.Run.From.Ticks,
        Math.Max(analysis.Run.To.Ticks, analysis.Run.From.Ticks + 1));

    private static (double, double) Range(IEnumerable<double> values)
    {
        (double low, double high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (double value in values) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        return high >= low ? (low, high) : (0, 1);
    }

    private static string Time(DateTime time, RunAnalysis analysis) =>
        time.ToString((analysis.Run.To - analysis.Run.From).TotalDays > 3 * 365 ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Figure(string title, string note, bool half, Func<int, bool, Chart> draw, params (string Name, string Style)[] key)
    {
        string keys = string.Concat(key.Select(each =>
            $"<small class=\"key\"><span class=\"{each.Style}\"><i></i></span>{Chart.Html(each.Name)}</small>"));
        return $"<figure><figcaption><h2>{Chart.Html(title)}</h2><small>{Chart.Html(note)}</small>{keys}</figcaption>"
            + draw(half ? Half : Wide, false).Svg("wide", title) + draw(Narrow, true).Svg("narrow", title) + "</figure>\n";
    }
}
