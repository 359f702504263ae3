using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace HybridTrading.Api.Observability;

/// <summary>
/// All metrics of the process in Prometheus' text format 0.0.4, made when somebody asks. Names follow OpenTelemetry's rules for Prometheus: points become underscores,
/// the unit is the end of the name, counters end with <c>_total</c>. One rule is ours: what is no histogram does not end with <c>_count</c>, which Prometheus keeps for those.
/// </summary>
public sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly string _target;

    /// <param name="target">Attributes of the process, for <c>target_info</c>.</param>
    public PrometheusExporter(IEnumerable<KeyValuePair<string, object?>> target)
    {
        var labels = new StringBuilder();
        foreach ((string key, object? value) in target) Label(labels, key, value);
        _target = $"# HELP target_info The process that tells.\n# TYPE target_info gauge\ntarget_info{Braces(labels)} 1\n";
    }

    public Func<int, bool>? Collect { get; set; }

    /// <summary>Reads every metric as of now. Who asks meanwhile waits.</summary>
    /// <exception cref="InvalidOperationException">The exporter is not part of a meter provider.</exception>
    public string Scrape()
    {
        lock (_gate)
        {
            _families.Clear();
            if (Collect is not { } collect) throw new InvalidOperationException("the exporter has no reader");
            collect(Timeout.Infinite);
            var text = new StringBuilder(_target);
            foreach ((string name, Family family) in _families)
            {
                text.Append("# HELP ").Append(name).Append(' ').Append(Escape(family.Help, quote: false)).Append('\n');
                text.Append("# TYPE ").Append(name).Append(' ').Append(family.Type).Append('\n');
                text.Append(family.Lines);
            }
            return text.ToString();
        }
    }

    public override ExportResult Export(in Batch<Metric> batch)
    {
        foreach (Metric metric in batch)
        {
            if (TypeOf(metric) is not { } type) continue;
            string name = NameOf(metric, type);
            if (!_families.TryGetValue(name, out Family? family))
            {
                _families.Add(name, family = new Family(type, metric.Description is { Length: > 0 } help ? help : metric.Name));
            }
            // A name that two meters use for different things is the first one's.
            if (family.Type != type) continue;
            foreach (ref readonly MetricPoint point in metric.GetMetricPoints()) Write(family, name, metric, point);
        }
        return ExportResult.Success;
    }

    private static void Write(Family family, string name, Metric metric, in MetricPoint point)
    {
        var labels = new StringBuilder();
        foreach ((string key, object? value) in point.Tags) Label(labels, key, value);
        if (!family.Series.Add(labels.ToString())) return;
        StringBuilder lines = family.Lines;
        switch (metric.MetricType)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Line(lines, name, Braces(labels), point.GetSumLong());
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Line(lines, name, Braces(labels), point.GetSumDouble());
                break;
            case MetricType.LongGauge:
                Line(lines, name, Braces(labels), point.GetGaugeLastValueLong());
                break;
            case MetricType.DoubleGauge:
                Line(lines, name, Braces(labels), point.GetGaugeLastValueDouble());
                break;
            case MetricType.Histogram:
                long below = 0;
                foreach (HistogramBucket bucket in point.GetHistogramBuckets())
                {
                    below += bucket.BucketCount;
                    var bounded = new StringBuilder().Append(labels);
                    Label(bounded, "le", Number(bucket.ExplicitBound));
                    Line(lines, name + "_bucket", Braces(bounded), below);
                }
                Line(lines, name + "_sum", Braces(labels), point.GetHistogramSum());
                Line(lines, name + "_count", Braces(labels), point.GetHistogramCount());
                break;
        }
    }

    /// <summary>Null for kinds that the format does not have, and that nothing here makes.</summary>
    private static string? TypeOf(Metric metric) => metric.MetricType switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic or MetricType.LongGauge or MetricType.DoubleGauge => "gauge",
        MetricType.Histogram => "histogram",
        _ => null,
    };

    private static string NameOf(Metric metric, string type)
    {
        string name = Identifier(metric.Name);
        string unit = metric.Unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "1" when type == "gauge" => "_ratio",
            _ => "",
        };
        if (type != "histogram" && name.EndsWith("_count", StringComparison.Ordinal)) name = name[..^"_count".Length];
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return type == "counter" ? name + "_total" : name;
    }

    private static string Identifier(string name) =>
        string.Create(name.Length, name, static (into, from) =>
        {
            for (int i = 0; i < from.Length; i++) into[i] = char.IsAsciiLetterOrDigit(from[i]) || from[i] == ':' ? from[i] : '_';
        });

    private static void Label(StringBuilder labels, string key, object? value) => labels.Append(labels.Length > 0 ? "," : "").Append(Identifier(key)).Append("=\"")
        .Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quote: true)).Append('"');

    private static string Braces(StringBuilder labels) => labels.Length > 0 ? $"{{{labels}}}" : "";

    private static string Escape(string text, bool quote)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quote ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static void Line(StringBuilder lines, string name, string labels, double value) => lines.Append(name).Append(labels).Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Family(string type, string help)
    {
        public string Type => type;

        public string Help => help;

        public StringBuilder Lines { get; } = new();

        public HashSet<string> Series { get; } = new(StringComparer.Ordinal);
    }
}
