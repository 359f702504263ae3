using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using HybridTrading.Domain.Performance;

namespace HybridTrading.Api.Reports;

/// <summary>Figures as text and as tables. What a cell shows is read from the JSON of the page, under the path that it names.</summary>
internal static class Figures
{
    public const string None = "–";

    public static string Text(JsonNode? value, MetricFormat format)
    {
        if (value is null) return None;
        if (format == MetricFormat.Duration) return Text(TimeSpan.Parse((string)value!, CultureInfo.InvariantCulture));
        double number = (double)value;
        return format switch
        {
            MetricFormat.Percent => Percent(number),
            MetricFormat.Money => Money(number),
            MetricFormat.Ratio => Sign(number.ToString(number != 0 && Math.Abs(number) < 0.01 ? "N6" : "N3", CultureInfo.InvariantCulture)),
            _ => Sign(number.ToString("N0", CultureInfo.InvariantCulture)),
        };
    }

    public static string Percent(double share) => Sign((share * 100).ToString("N2", CultureInfo.InvariantCulture)) + " %";

    public static string Money(double amount) => Sign(amount.ToString("N2", CultureInfo.InvariantCulture));

    public static string Text(TimeSpan duration) => duration switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)duration.TotalDays} d {duration.Hours} h"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.Hours} h {duration.Minutes} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration.Minutes} min {duration.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s"),
    };

    public static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>The value at a path of names and indexes joined by dots; null where there is none.</summary>
    public static JsonNode? At(JsonNode root, string path)
    {
        JsonNode? node = root;
        foreach (string name in path.Split('.'))
        {
            node = node switch
            {
                JsonArray array => array[int.Parse(name, CultureInfo.InvariantCulture)],
                JsonObject found => found[name],
                _ => null,
            };
        }
        return node;
    }

    /// <summary>A cell that shows the figure at a path; losses and gains of money and returns may be coloured.</summary>
    public static string Cell(JsonNode root, string path, MetricFormat format, string tag = "td", bool coloured = false)
    {
        JsonNode? value = At(root, path);
        string colour = coloured && value is not null && format != MetricFormat.Duration ? Colour((double)value) : "";
        return $"<{tag}{colour} data-path=\"{path}\" data-format=\"{format}\">{Text(value, format)}</{tag}>";
    }

    public static string Colour(double value) => value > 0 ? " class=\"gain\"" : value < 0 ? " class=\"loss\"" : "";

    /// <summary>The name of a figure with its convention, on hover and beside.</summary>
    public static string Name(Metric metric) =>
        $"<th scope=\"row\" title=\"{Chart.Html(metric.Convention)}\">{Chart.Html(metric.Title)}<span class=\"conv\">{Chart.Html(metric.Convention)}</span></th>";

    /// <summary>A table of figures, a column for each prefix of the paths.</summary>
    public static string Table(JsonNode root, IEnumerable<Metric> metrics, params (string Heading, string Prefix)[] columns)
    {
        var html = new StringBuilder($"<div class=\"scroll\"><table{(columns.Length > 1 ? " class=\"even\"" : "")}>");
        if (columns.Length > 1) html.Append("<thead><tr><th></th>").AppendJoin("",
            columns.Select(column => $"<th scope=\"col\">{Chart.Html(column.Heading)}</th>")).Append("</tr></thead>");
        html.Append("<tbody>");
        foreach (Metric metric in metrics)
        {
            html.Append("<tr>").Append(Name(metric));
            foreach ((_, string prefix) in columns) html.Append(Cell(root, prefix + metric.Path, metric.Format));
            html.Append("</tr>");
        }
        return html.Append("</tbody></table></div>").ToString();
    }

    /// <summary>A plain table; cells are HTML.</summary>
    public static string Rows(string style, string[] headings, IEnumerable<string[]> rows)
    {
        var html = new StringBuilder($"<div class=\"scroll\"><table{(style.Length == 0 ? "" : $" class=\"{style}\"")}><thead><tr>");
        html.AppendJoin("", headings.Select(heading => $"<th scope=\"col\">{heading}</th>")).Append("</tr></thead><tbody>");
        foreach (string[] row in rows) html.Append("<tr>").AppendJoin("",
            row.Select((cell, i) => i == 0 ? $"<th scope=\"row\">{cell}</th>" : $"<td>{cell}</td>")).Append("</tr>");
        return html.Append("</tbody></table></div>").ToString();
    }

    /// <summary>A minus sign as wide as the digits, and none before what is written as zero.</summary>
    public static string Sign(string number)
    {
        if (!number.StartsWith('-')) return number;
        return number.AsSpan(1).IndexOfAnyExcept("0.,") < 0 ? number[1..] : "\u2212" + number[1..];
    }
}
