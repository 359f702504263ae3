using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Api.Reports;

/// <summary>The analysis of one run as a page.</summary>
public static class TearSheet
{
    private const int FewReturns = 60;
    private static readonly string[] MonthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    private static readonly (string Title, string Path, MetricFormat Format)[] Tiles =
    [
        ("Net profit", "equity.net", MetricFormat.Money), ("CAGR", "returns.cagr", MetricFormat.Percent),
            ("Sharpe", "returns.sharpe", MetricFormat.Ratio),
        ("Max drawdown", "equity.maxDrawdown", MetricFormat.Percent), ("Profit factor", "trades.profitFactor", MetricFormat.Ratio),
        ("Win rate", "trades.winRate", MetricFormat.Percent), ("Closed trades", "trades.count", MetricFormat.Count),
            ("Time in market", "activity.timeInMarket", MetricFormat.Percent),
    ];

    public static string Render(RunAnalysis analysis)
    {
        // The page carries its figures; the series are in the drawings, and whole in the JSON and CSV files.
        string json = ReportFiles.Json(analysis with { Daily = [], Curve = [], Prices = [], TradeList = [] });
        JsonNode root = JsonNode.Parse(json)!;
        var body = new StringBuilder();
        Header(body, analysis, root);
        body.Append(Drawings.Equity(analysis)).Append(Drawings.Underwater(analysis));
        body.Append(Grid(Drawings.RollingSharpe(analysis), Drawings.Benchmark(analysis), Drawings.Distribution(analysis),
            Drawings.Exposure(analysis)));
        Months(body, analysis);
        foreach (PriceLine line in analysis.Prices) body.Append(Drawings.Trades(analysis, line));

        body.Append("<label class=\"toggle\"><input type=\"checkbox\" id=\"conv\"> Show the convention of every figure</label>\n");
        body.Append(Cards("", [.. MetricCatalog.Groups.Select(group => Section(group.Title, Figures.Table(root, group.Metrics, ("", "")))),
            Denied(analysis)]));
        body.Append(Section("Closed trades", Figures.Table(root, MetricCatalog.Trades, ("All", "trades."), ("Long", "long."), ("Short", "short."))));
        MonteCarlos(body, analysis, root);
        body.Append(Cards(" two", Attributions(analysis)));
        body.Append(Cards(" two", Falls(analysis), Years(analysis, root)));
        Footer(body, analysis);
        return Page.Render($"{analysis.Run.Title} · HybridTrading", body.ToString(), json);
    }

    public static string Section(string title, string content) => content.Length == 0 ? ""
        : $"<section><h2>{Chart.Html(title)}</h2>{content}</section>\n";

    /// <summary>Drawings side by side.</summary>
    private static string Grid(params string[] drawings) => $"<div class=\"grid\">\n{string.Concat(drawings)}</div>\n";

    /// <summary>Tables that fill columns from the top.</summary>
    private static string Cards(string style, params string[] tables) => $"<div class=\"cards{style}\">\n{string.Concat(tables)}</div>\n";

    private static void Header(StringBuilder body, RunAnalysis analysis, JsonNode root)
    {
        RunDescription run = analysis.Run;
        body.Append(CultureInfo.InvariantCulture, $"<header><h1>{Chart.Html(run.Title)}</h1>");
        body.Append(CultureInfo.InvariantCulture,
            $"<p class=\"sub\">{run.From:yyyy-MM-dd} to {run.To:yyyy-MM-dd} · {Chart.Html(run.Mode)}{(run.RunId is { } id ? $" {Chart.Html(id)}" : "")} · {Chart.Html(string.Join(", ", run.Symbols))} · {run.DataPoints:N0} market events · {run.Currency}</p>");
        foreach (string strategy in run.Strategies) body.Append(CultureInfo.InvariantCulture,
            $"<p class=\"sub\"><code>{Chart.Html(strategy)}</code></p>");
        if (analysis.Returns.Count < FewReturns)
        {
            body.Append(CultureInfo.InvariantCulture,
                $"<p class=\"sub warn\">Only {analysis.Returns.Count} returns: annualised figures say little.</p>");
        }
        body.Append("</header>\n<div class=\"tiles\">");
        foreach ((string title, string path, MetricFormat format) in Tiles)
        {
            body.Append("<div class=\"tile\">").Append(Figures.Cell(root, path, format, "b",
                coloured: path is "equity.net" or "returns.cagr")).Append($"<span>{title}</span></div>");
        }
        body.Append("</div>\n");
    }

    private static string Years(RunAnalysis analysis, JsonNode root) =>
        Section("Years", Figures.Rows("", ["Year", "Return", "Benchmark", "Difference"],
        analysis.Years.Select((year, i) => (string[])[$"{year.Year}", Span(root, $"years.{i}.return"), Span(root, $"years.{i}.benchmark"),
            Coloured(year.Return - year.Benchmark)])));

    private static void Months(StringBuilder body, RunAnalysis analysis)
    {
        if (analysis.Months.IsEmpty) return;
        double most = analysis.Months.Max(month => Math.Abs(month.Return));
        var html = new StringBuilder("<div class=\"scroll\"><table class=\"heat\"><thead><tr><th></th>").AppendJoin("",
            MonthNames.Select(name => $"<th scope=\"col\">{name}</th>")).Append("<th scope=\"col\">Year</th></tr></thead><tbody>");
        for (int y = 0; y < analysis.Years.Length; y++)
        {
            PeriodReturn year = analysis.Years[y];
            html.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{year.Year}</th>");
            for (int month = 1; month <= 12; month++)
            {
                int at = Index(analysis.Months, year.Year, month);
                html.Append(at < 0 ? "<td></td>" : Heat(analysis.Months[at].Return, most, $"months.{at}.return", ""));
            }
            html.Append(Heat(year.Return, Math.Max(most, analysis.Years.Max(each => Math.Abs(each.Return))), $"years.{y}.return",
                " sum")).Append("</tr>");
        }
        body.Append(Section("Monthly returns, percent", html.Append("</tbody></table></div>").ToString()));
    }

    private static int Index(ImmutableArray<PeriodReturn> months, int year, int month)
    {
        for (int i = 0; i < months.Length; i++)
        {
            if (months[i].Year == year && months[i].Month == month) return i;
        }
        return -1;
    }

    private static string Heat(double value, double most, string path, string further)
    {
        int depth = most > 0 ? (int)Math.Ceiling(Math.Abs(value) / most * 4) : 0;
        string style = (value > 0 ? $"p{depth}" : value < 0 ? $"n{depth}" : "") + further;
        string text = Figures.Sign((value * 100).ToString(most < 0.05 ? "N2" : "N1", CultureInfo.InvariantCulture));
        return $"<td class=\"{style}\" data-path=\"{path}\" data-format=\"Heat\">{text}</td>";
    }

    private static string Denied(RunAnalysis analysis) => analysis.Activity.Denied.IsEmpty ? ""
        : Section("Denied by risk", Figures.Rows("", ["Reason", "Orders"], analysis.Activity.Denied.OrderByDescending(reason => reason.Value)
            .Select(reason => (string[])[Chart.Html($"{reason.Key}"), reason.Value.ToString("N0", CultureInfo.InvariantCulture)])));

    private static void MonteCarlos(StringBuilder body, RunAnalysis analysis, JsonNode root)
    {
        if (analysis.Bootstrap is null && analysis.ResampledTrades is null) return;
        double start = (double)analysis.Equity.Start, sum = start;
        (double, double)[] days = [(0, start), .. Drawings.Growth(analysis.Daily, day => day.Return, start).Select((point, i) => (i + 1.0, point.Y))];
        (double, double)[] trades = [(0, start), .. analysis.TradeList.Select((trade, i) => (i + 1.0, sum += (double)trade.Net))];
        body.Append(Grid(
            Drawings.MonteCarlo("Monte Carlo of days", "stationary bootstrap, by day", analysis.Bootstrap, analysis.Run.Currency, "day", days),
            Drawings.MonteCarlo("Monte Carlo of trades", "drawn with replacement, by trade", analysis.ResampledTrades, analysis.Run.Currency,
                "trade", trades)));
        var columns = new List<(MonteCarloResult Result, string Path)>();
        if (analysis.Bootstrap is { } bootstrap) columns.Add((bootstrap, "bootstrap"));
        if (analysis.ResampledTrades is { } resampled) columns.Add((resampled, "resampledTrades"));
        if (analysis.ShuffledTrades is { } shuffled) columns.Add((shuffled, "shuffledTrades"));
        string[] Row(string name, string path, MetricFormat format) => [name,
            .. columns.Select(column => Span(root, $"{column.Path}.{path}", format))];
        MonteCarloResult first = columns[0].Result;
        body.Append(Section("Monte Carlo", Figures.Rows("", ["", .. columns.Select(column => Chart.Html(column.Result.Method))],
        [
            Row("Final equity, 5 % of the paths below", "final.p5", MetricFormat.Money), Row("Final equity, median", "final.p50", MetricFormat.Money),
            Row("Final equity, 95 % below", "final.p95", MetricFormat.Money),
                Row("Max drawdown, 5 % of the paths deeper", "maxDrawdown.p5", MetricFormat.Percent),
            Row("Max drawdown, median", "maxDrawdown.p50", MetricFormat.Percent), Row("Paths that lose", "lossProbability", MetricFormat.Percent),
        ]) + string.Create(CultureInfo.InvariantCulture,
            $"<p>{first.Paths:N0} paths each, seed {first.Seed}{(first.MeanBlock is { } block ? $"; blocks of {block:0} days on average" : "")}. Shuffled trades end where the run ends; their way there differs.</p>")));
    }

    private static string[] Attributions(RunAnalysis analysis)
    {
        AttributionTables of = analysis.Attribution;
        return
        [
            Contributions("By side", of.Side), Contributions("By regime at entry", of.Regime), Contributions("By weekday of entry", of.Weekday),
            Contributions("By hour of entry, UTC", of.Hour), of.Symbol.Length > 1 ? Contributions("By symbol", of.Symbol) : "",
            of.Strategy.Length > 1 ? Contributions("By strategy", of.Strategy) : "", of.Account.Length > 1 ? Contributions("By account", of.Account)
                : "",
        ];
    }

    private static string Contributions(string title, ImmutableArray<Contribution> parts)
    {
        if (parts.IsEmpty) return "";
        decimal most = parts.Max(part => Math.Abs(part.Net));
        return Section(title, Figures.Rows("bars", ["", "Trades", "Won", "Costs", "Net", ""], parts.Select(part => (string[])
        [
            Chart.Html(part.Name), part.Trades.ToString("N0", CultureInfo.InvariantCulture), Figures.Text(part.WinRate, MetricFormat.Percent),
            Figures.Money((double)(part.Commission - part.Swap + part.SpreadCost + part.SlippageCost)), Coloured((double)part.Net, Figures.Money),
                Bar(part.Net, most),
        ])).Replace("<td><svg", "<td class=\"bar\"><svg", StringComparison.Ordinal));
    }

    /// <summary>To the right of the middle for a gain, to the left for a loss.</summary>
    private static string Bar(decimal value, decimal most)
    {
        double length = most == 0 ? 0 : (double)(Math.Abs(value) / most) * 50, from = value < 0 ? 50 - length : 50;
        return $"<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"{(value < 0 ? "bl" : "bg")}\" x=\"{Chart.Text(from)}\" y=\"1\" width=\"{Chart.Text(length)}\" height=\"8\"/></svg>";
    }

    private static string Falls(RunAnalysis analysis) => analysis.Drawdowns.IsEmpty ? ""
        : Section("Deepest drawdowns of the daily equity", Figures.Rows("", ["Peak", "Trough", "Recovered", "Days", "Depth"],
            analysis.Drawdowns.Select(fall => (string[])
        [
            Figures.Text(fall.Peak), Figures.Text(fall.Trough), fall.Recovered is { } day ? Figures.Text(day) : Figures.None,
            fall.Days.ToString("N0", CultureInfo.InvariantCulture), Figures.Percent(fall.Depth),
        ])));

    private static void Footer(StringBuilder body, RunAnalysis analysis)
    {
        AnalysisConvention by = analysis.Convention;
        body.Append(CultureInfo.InvariantCulture,
            $"<footer><p>Returns are simple, of a {Chart.Html(by.Period)}; annualised by {by.PeriodsPerYear:0} periods a year; risk-free rate {Figures.Percent(by.RiskFreeRate)} a year, compounded; ");
        body.Append(CultureInfo.InvariantCulture,
            $"CAGR and turnover over {by.Years:0.00} calendar years. Benchmark: {Chart.Html(by.Benchmark)}. Trials for the deflated Sharpe ratio: {by.Trials:N0}. Losses are negative; – is undefined.</p>");
        body.Append(CultureInfo.InvariantCulture, $"<p>Order list <code>{Chart.Html(analysis.Run.OrderListHash)}</code></p></footer>\n");
    }

    private static string Span(JsonNode root, string path, MetricFormat format = MetricFormat.Percent) => Figures.Cell(root, path, format, "span");

    private static string Coloured(double value, Func<double, string>? text = null) =>
        $"<span{Figures.Colour(value)}>{(text ?? Figures.Percent)(value)}</span>";
}
