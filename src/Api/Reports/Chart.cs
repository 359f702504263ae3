using System.Globalization;
using System.Net;
using System.Text;

namespace HybridTrading.Api.Reports;

/// <summary>A rectangle with round ticks on which lines, areas and bars are drawn as SVG. X is a plain number: for times, their ticks.</summary>
internal sealed class Chart
{
    private const int Top = 10, Right = 12, Foot = 24;
    private readonly int _width, _height, _left;
    private readonly double _fromX, _toX, _fromY, _toY;
    private readonly StringBuilder _axes = new(), _marks = new();
    private readonly List<(double X, string Text)> _readings = [];

    /// <param name="y">Range of the values; widened to round ticks.</param>
    /// <param name="label">Writes a tick of the y axis, given the step.</param>
    public Chart(int width, int height, (double From, double To) x, (double From, double To) y, Func<double, double, string> label)
    {
        (_width, _height) = (width, height);
        (_fromX, _toX) = x.To > x.From ? x : (x.From - 1, x.From + 1);
        (double[] ticks, double step) = Scale.Round(y.From, y.To, Math.Max(2, height / 40));
        (_fromY, _toY) = (ticks[0], ticks[^1]);
        string[] labels = [.. ticks.Select(tick => label(tick, step))];
        _left = 14 + labels.Max(text => text.Length) * 6;
        for (int i = 0; i < ticks.Length; i++)
        {
            double at = Y(ticks[i]);
            _axes.Append(CultureInfo.InvariantCulture,
                $"<line class=\"{(ticks[i] == 0 ? "zero" : "grid")}\" x1=\"{_left}\" x2=\"{_width - Right}\" y1=\"{Text(at)}\" y2=\"{Text(at)}\"/>");
            _axes.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{_left - 6}\" y=\"{Text(at + 3.5)}\" text-anchor=\"end\">{Html(labels[i])}</text>");
        }
    }

    /// <summary>Pixels that the drawing has from left to right.</summary>
    public int PlotWidth => _width - Right - _left;

    public double X(double x) => _left + (x - _fromX) / (_toX - _fromX) * PlotWidth;

    public double Y(double y) => Top + (_toY - y) / (_toY - _fromY) * (_height - Top - Foot);

    /// <summary>Ticks of a time axis.</summary>
    public Chart WithTimes()
    {
        foreach ((DateTime time, string label) in Scale.Times(new DateTime((long)_fromX), new DateTime((long)_toX), PlotWidth)) LabelX(time.Ticks,
            label);
        return this;
    }

    /// <summary>Ticks of a plain axis.</summary>
    public Chart WithNumbers(Func<double, double, string> label)
    {
        (double[] ticks, double step) = Scale.Round(_fromX, _toX, PlotWidth / 60);
        foreach (double tick in ticks.Where(tick => tick >= _fromX && tick <= _toX)) LabelX(tick, label(tick, step));
        return this;
    }

    public void LabelX(double x, string label)
    {
        double at = X(x);
        string anchor = at < _left + 18 ? "start" : at > _width - Right - 18 ? "end" : "middle";
        _axes.Append(CultureInfo.InvariantCulture,
            $"<line class=\"tick\" x1=\"{Text(at)}\" x2=\"{Text(at)}\" y1=\"{_height - Foot}\" y2=\"{_height - Foot + 4}\"/>");
        _axes.Append(CultureInfo.InvariantCulture, $"<text x=\"{Text(at)}\" y=\"{_height - 6}\" text-anchor=\"{anchor}\">{Html(label)}</text>");
    }

    /// <summary>A line through the points (x ascending), thinned to what the pixels can show: of each column first, lowest, highest and
    /// last.</summary>
    public void Line(IEnumerable<(double X, double Y)> points, string style) =>
        _marks.Append(CultureInfo.InvariantCulture, $"<path class=\"{style}\" d=\"{Path(points)}\"/>");

    /// <summary>The area between a line and a value.</summary>
    public void Area(IReadOnlyList<(double X, double Y)> points, double bottom, string style)
    {
        if (points.Count == 0) return;
        string path = Path(points);
        _marks.Append(CultureInfo.InvariantCulture,
            $"<path class=\"{style}\" d=\"{path}L{Text(X(points[^1].X))} {Text(Y(bottom))}L{Text(X(points[0].X))} {Text(Y(bottom))}Z\"/>");
    }

    /// <summary>The area between two lines.</summary>
    public void Band(IReadOnlyList<(double X, double Low, double High)> points, string style)
    {
        string high = Path(points.Select(point => (point.X, point.High)));
        string low = string.Concat(points.Reverse().Select(point => $"L{Text(X(point.X))} {Text(Y(point.Low))}"));
        _marks.Append(CultureInfo.InvariantCulture, $"<path class=\"{style}\" d=\"{high}{low}Z\"/>");
    }

    public void Bar(double fromX, double toX, double value, string style)
    {
        double left = X(fromX), right = X(toX), top = Y(Math.Max(value, 0)), bottom = Y(Math.Min(value, 0));
        _marks.Append(CultureInfo.InvariantCulture,
            $"<rect class=\"{style}\" x=\"{Text(left + 0.5)}\" y=\"{Text(top)}\" width=\"{Text(Math.Max(0.5, right - left - 1))}\" height=\"{Text(Math.Max(0.5, bottom - top))}\"/>");
    }

    /// <summary>Separate strokes in one path.</summary>
    public void Strokes(IEnumerable<(double X1, double Y1, double X2, double Y2)> strokes, string style)
    {
        string path = string.Concat(strokes.Select(each => $"M{Text(X(each.X1))} {Text(Y(each.Y1))}L{Text(X(each.X2))} {Text(Y(each.Y2))}"));
        if (path.Length > 0) _marks.Append(CultureInfo.InvariantCulture, $"<path class=\"{style}\" d=\"{path}\"/>");
    }

    public void Dot(double x, double y, string style) =>
        _marks.Append(CultureInfo.InvariantCulture, $"<circle class=\"{style}\" cx=\"{Text(X(x))}\" cy=\"{Text(Y(y))}\" r=\"2.4\"/>");

    public void Vertical(double x, string label, string style)
    {
        _marks.Append(CultureInfo.InvariantCulture,
            $"<line class=\"{style}\" x1=\"{Text(X(x))}\" x2=\"{Text(X(x))}\" y1=\"{Top}\" y2=\"{_height - Foot}\"/>");
        _marks.Append(CultureInfo.InvariantCulture, $"<text x=\"{Text(X(x) + 4)}\" y=\"{Top + 10}\">{Html(label)}</text>");
    }

    /// <summary>What the pointer reads near x; at most one a few pixels.</summary>
    public void Reading(double x, string text)
    {
        double at = X(x);
        if (_readings.Count == 0 || at - _readings[^1].X >= 4) _readings.Add((at, text));
    }

    /// <param name="style">wide or narrow.</param>
    /// <param name="title">What a reader without eyes hears.</param>
    public string Svg(string style, string title)
    {
        string readings = string.Join(';', _readings.Select(reading => $"{Text(reading.X)}|{reading.Text.Replace(';', ',')}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"<svg class=\"{style}\" viewBox=\"0 0 {_width} {_height}\" role=\"img\" aria-label=\"{Html(title)}\"{(readings.Length == 0 ? "" : $" data-h=\"{Html(readings)}\"")}>")
            + string.Create(CultureInfo.InvariantCulture,
                $"{_axes}{_marks}<line class=\"cursor\" visibility=\"hidden\" y1=\"{Top}\" y2=\"{_height - Foot}\"/></svg>");
    }

    public static string Text(double value) => Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);

    public static string Html(string text) => WebUtility.HtmlEncode(text);

    private string Path(IEnumerable<(double X, double Y)> points)
    {
        var path = new StringBuilder();
        var column = new List<(double X, double Y)>(8);
        int at = int.MinValue;
        foreach ((double x, double y) in points)
        {
            (double px, double py) = (X(x), Y(y));
            if ((int)px != at)
            {
                Flush();
                at = (int)px;
            }
            column.Add((px, py));
        }
        Flush();
        return path.ToString();

        void Flush()
        {
            if (column.Count == 0) return;
            int lowest = 0, highest = 0;
            for (int i = 1; i < column.Count; i++)
            {
                if (column[i].Y > column[lowest].Y) lowest = i;
                if (column[i].Y < column[highest].Y) highest = i;
            }
            foreach (int i in new SortedSet<int> { 0, lowest, highest, column.Count - 1 })
            {
                path.Append(path.Length == 0 ? 'M' : 'L').Append(Text(column[i].X)).Append(' ').Append(Text(column[i].Y));
            }
            column.Clear();
        }
    }
}

/// <summary>Round ticks.</summary>
internal static class Scale
{
    /// <summary>Multiples of 1, 2 or 5 times a power of ten that enclose a range, about so many.</summary>
    public static (double[] Ticks, double Step) Round(double from, double to, int about)
    {
        if (!(to > from))
        {
            double around = from == 0 ? 1 : Math.Abs(from) * 0.01;
            (from, to) = (from - around, to + around);
        }
        double rough = (to - from) / Math.Max(1, about), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * ((rough / power) switch { <= 1.05 => 1, <= 2.1 => 2, <= 5.25 => 5, _ => 10 });
        long first = (long)Math.Floor(from / step + 1e-9), last = (long)Math.Ceiling(to / step - 1e-9);
        return ([.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)], step);
    }

    /// <summary>Starts of years, months, days, hours or minutes between two times: the finest whose labels find room.</summary>
    /// <param name="width">Pixels that there are.</param>
    public static IEnumerable<(DateTime Time, string Label)> Times(DateTime from, DateTime to, int width)
    {
        const int hour = 48, dayAndHour = 92, day = 50, month = 56, year = 44;
        double days = (to - from).TotalDays;
        bool Fits(double step, int label) => days / step <= Math.Max(2, width / label);
        bool longer = days > 1.5;
        foreach (int minutes in (int[])[1, 5, 15, 30, 60, 180, 360, 720])
        {
            if (Fits(minutes / 1440.0, longer ? dayAndHour : hour)) return Starts(from.Date, time => time.AddMinutes(minutes), from, to, longer
                ? "d MMM HH:mm" : "HH:mm");
        }
        foreach (int step in (int[])[1, 2, 7, 14])
        {
            if (Fits(step, day)) return Starts(from.Date, time => time.AddDays(step), from, to, "d MMM");
        }
        foreach (int months in (int[])[1, 3, 6])
        {
            if (Fits(months * 30.4, month)) return Starts(new DateTime(from.Year, 1, 1), time => time.AddMonths(months), from, to, "MMM yy");
        }
        int years = Array.Find((int[])[1, 2, 5, 10, 20, 50, 100], each => Fits(each * 365.25, year)) is > 0 and int found ? found : 1000;
        return Starts(new DateTime((from.Year + years - 1) / years * years, 1, 1), time => time.AddYears(years), from, to, "yyyy");
    }

    private static IEnumerable<(DateTime, string)> Starts(DateTime first, Func<DateTime, DateTime> next, DateTime from, DateTime to, string format)
    {
        for (DateTime time = first; time <= to; time = next(time))
        {
            if (time >= from) yield return (time, time.ToString(format, CultureInfo.InvariantCulture));
        }
    }
}
