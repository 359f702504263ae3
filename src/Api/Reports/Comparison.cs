using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Api.Reports;

/// <summary>Several runs on one page: curves, figures side by side, correlations, and what choosing the best of them proves.</summary>
public static class Comparison
{
    public const int Most = 24;
    private const int MostBlocks = 16;

    private static readonly string[] TradeFigures = ["count", "winRate", "net", "average", "profitLossRatio", "profitFactor", "expectancy",
        "largestLoss", "duration.mean", "maxConsecutiveLosses"];

    /// <param name="runs">2 to <see cref="Most"/> reports.</param>
    public static string Render(IReadOnlyList<RunAnalysis> runs)
    {
        string[] names = Names(runs);
        (DateOnly[] dates, double[][] returns) = Common(runs);
        // Parsed anew, so that every number is of the same kind as in a file.
        JsonNode json = JsonNode.Parse(new JsonObject
        {
            ["runs"] = new JsonArray([.. runs.Select(run => JsonNode.Parse(ReportFiles.Json(run with { Daily = [], Curve = [], Prices = [],
                TradeList = [], Months = [], Drawdowns = [] })))]),
            ["selection"] = Selection(runs, returns),
        }.ToJsonString())!;
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture,
            $"<header><h1>{runs.Count} runs compared</h1><p class=\"sub\">{runs.Min(run => run.Run.From):yyyy-MM-dd} to {runs.Max(run => run.Run.To):yyyy-MM-dd} · {dates.Length:N0} common days</p></header>\n");
        body.Append(Drawings.Lines("Growth", "compounded daily returns since each run's start", Curves(runs, names, value => value), false));
        body.Append(Drawings.Lines("Drawdown", "of the daily equity", [.. runs.Select((run, i) => (names[i], Points(run, day => day.Drawdown)))],
            true));

        (string, string)[] columns = [.. names.Select((name, i) => (name, $"runs.{i}."))];
        body.Append("<label class=\"toggle\"><input type=\"checkbox\" id=\"conv\"> Show the convention of every figure</label>\n");
        foreach (MetricGroup group in MetricCatalog.Groups) body.Append(TearSheet.Section(group.Title, Figures.Table(json, group.Metrics, columns)));
        body.Append(TearSheet.Section("Closed trades", Figures.Table(json,
            MetricCatalog.Trades.Where(metric => TradeFigures.Contains(metric.Path)).Select(metric =>
                metric with { Path = $"trades.{metric.Path}" }), columns)));
        body.Append(TearSheet.Section("Choosing the best of them", Figures.Table(json, SelectionFigures, ("", "selection."))
            + "<p>All runs are counted as trials. Runs over the same data are not independent, so the deflated Sharpe ratio is on the strict side.</p>"));
        body.Append(Correlations(names, returns));
        return Page.Render($"{runs.Count} runs compared · HybridTrading", body.ToString(), json.ToJsonString());
    }

    private static readonly ImmutableArray<Metric> SelectionFigures =
    [
        new("trials", "Runs", MetricFormat.Count, "compared here, all counted as trials"),
        new("commonReturns", "Common days", MetricFormat.Count, "days that every run has"),
        new("bestSharpe", "Best Sharpe ratio", MetricFormat.Ratio, "annualised, over the common days"),
        new("trialVariance", "Variance of the Sharpe ratios", MetricFormat.Ratio, "annualised, over the common days"),
        new("deflatedSharpe", "Deflated Sharpe of the best", MetricFormat.Percent,
            "probability that its true ratio is above what the best of so many without skill shows (Bailey, Lopez de Prado 2014)"),
        new("overfitting", "Probability of back-test overfitting", MetricFormat.Percent,
            "CSCV: share of the splits in which the best in sample is at or below the median out of sample (Bailey et al. 2015)"),
        new("blocks", "Blocks", MetricFormat.Count, "into which the common days are cut"),
        new("lossProbability", "Probability of loss", MetricFormat.Percent, "share of the splits in which the chosen one loses out of sample"),
    ];

    private static JsonObject Selection(IReadOnlyList<RunAnalysis> runs, double[][] returns)
    {
        var convention = new ReturnConvention(runs[0].Convention.PeriodsPerYear, runs[0].Convention.RiskFreeRate);
        double?[] sharpes = [.. returns.Select(each => ReturnMetrics.Of(each, convention).Sharpe)];
        double[] known = [.. sharpes.Where(sharpe => sharpe is not null).Select(sharpe => sharpe!.Value)];
        double? variance = Statistics.Variance(known), best = known.Length == 0 ? null : known.Max(), deflated = null;
        if (variance is { } spread && best is { } highest) deflated = ReturnMetrics.Of(returns[Array.IndexOf(sharpes, highest)], convention,
            runs.Count, spread).DeflatedSharpe;
        int blocks = Math.Min(MostBlocks, returns[0].Length / 4 * 2);
        OverfittingResult? overfitting = blocks >= 2 ? Overfitting.Assess(returns, blocks) : null;
        return new JsonObject
        {
            ["trials"] = runs.Count, ["commonReturns"] = returns[0].Length, ["bestSharpe"] = best, ["trialVariance"] = variance,
            ["deflatedSharpe"] = deflated,
            ["overfitting"] = overfitting?.Probability, ["blocks"] = overfitting is null ? null : blocks,
            ["lossProbability"] = overfitting?.LossProbability,
        };
    }

    /// <summary>The days that every run has, and the returns of each run on them.</summary>
    private static (DateOnly[] Dates, double[][] Returns) Common(IReadOnlyList<RunAnalysis> runs)
    {
        HashSet<DateOnly> common = [.. runs[0].Daily.Select(day => day.Date)];
        foreach (RunAnalysis run in runs) common.IntersectWith(run.Daily.Select(day => day.Date));
        return ([.. common.Order()], [.. runs.Select(run => run.Daily.Where(day => common.Contains(day.Date)).Select(day => day.Return).ToArray())]);
    }

    private static string Correlations(string[] names, double[][] returns) => TearSheet.Section("Correlation of the daily returns, common days",
        Figures.Rows("", ["", .. names.Select(Chart.Html)], names.Select((name, i) => (string[])
        [
            Chart.Html(name), .. names.Select((_, j) => Figures.Text(Statistics.Correlation(returns[i], returns[j]), MetricFormat.Ratio)),
        ])));

    private static (string, (double, double)[])[] Curves(IReadOnlyList<RunAnalysis> runs, string[] names, Func<double, double> of) =>
        [.. runs.Select((run, i) => (names[i], ((double, double)[])[(run.Run.From.Ticks, 0),
            .. Drawings.Growth(run.Daily, day => day.Return, 1).Select(point => (point.X, of(point.Y - 1)))]))];

    private static (double, double)[] Points(RunAnalysis run, Func<DayPoint, double> of) =>
        [(run.Run.From.Ticks, 0), .. run.Daily.Select(day => (Drawings.Ticks(day.Date.AddDays(1)), of(day)))];

    /// <summary>The runs' titles; where two are the same, with a number.</summary>
    private static string[] Names(IReadOnlyList<RunAnalysis> runs) =>
        [.. runs.Select((run, i) => runs.Count(other => other.Run.Title == run.Run.Title) > 1 ? $"{run.Run.Title} ({i + 1})" : run.Run.Title)];
}
