using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Backtesting;

/// <summary>One event of a run at its place in the run's total order.</summary>
/// <param name="Position">0 upwards without a gap.</param>
/// <param name="Series">Which series it is of.</param>
/// <param name="Index">Which item of it; -1 for a clock event, which only lets a bar of the series' instrument end.</param>
/// <param name="Time">UTC: the quote's time, the bar's close, or the end of the bar that the clock closes.</param>
public readonly record struct RunEvent(long Position, int Series, int Index, DateTime Time);

/// <summary>
/// All events of a run in one total order: the data by time, ties by the order of the series, and before an event of one instrument the clock events
/// that end the others' bars by then. Back-test and replay read the same sequence.
/// </summary>
public sealed class RunSequence
{
    private readonly ImmutableArray<MarketSeries> _series;
    private readonly ImmutableArray<ImmutableArray<TimeFrame>> _frames;
    private readonly int[] _next;
    private readonly DateTime[] _pendingEnd;
    private readonly bool _single;
    private int _due = -1;
    private long _position;

    /// <param name="series">In ordinal order of their symbols.</param>
    public RunSequence(ImmutableArray<MarketSeries> series, RunPlan plan)
    {
        _series = series;
        _frames = [.. series.Select(each => plan.FramesOf(each.Instrument.Symbol))];
        _next = new int[series.Length];
        _pendingEnd = new DateTime[series.Length];
        Array.Fill(_pendingEnd, DateTime.MaxValue);
        _single = series.Length == 1;
    }

    public ImmutableArray<MarketSeries> Series => _series;

    /// <summary>Data items in all series; clock events are not data.</summary>
    public long DataPoints => _series.Sum(series => (long)series.Count);

    public long Position => _position;

    public RunEvent Current { get; private set; }

    public bool MoveNext()
    {
        int first = _single ? (_next[0] < _series[0].Count ? 0 : -1) : First();
        if (first < 0) return false;
        DateTime time = _series[first].EventTime(_next[first]);
        if (!_single)
        {
            int ending = Ending(first, time);
            if (ending >= 0)
            {
                Current = new RunEvent(_position++, ending, -1, _pendingEnd[ending]);
                _pendingEnd[ending] = DateTime.MaxValue;
                return true;
            }
        }
        int index = _next[first]++;
        if (!_single)
        {
            _pendingEnd[first] = EndOf(first, index);
            _due = -1;
        }
        Current = new RunEvent(_position++, first, index, time);
        return true;
    }

    /// <summary>When an item began: a quote's time, a bar's open.</summary>
    public static DateTime StartOf(MarketSeries series, int index) =>
        series.IsTicks ? series.Quotes.Span[index].Time : series.Bars.Span[index].OpenTime;

    /// <summary>When the run begins; the epoch for one without data.</summary>
    public DateTime Start => _series.Where(series => series.Count > 0).Select(series => StartOf(series, 0)).DefaultIfEmpty(DateTime.UnixEpoch).Min();

    /// <summary>The time of the last event.</summary>
    public DateTime End => _series.Where(series => series.Count > 0).Select(series => series.EventTime(series.Count - 1)).DefaultIfEmpty(DateTime.UnixEpoch).Max();

    private int First()
    {
        if (_due >= 0) return _due;
        int first = -1;
        DateTime least = DateTime.MaxValue;
        for (int i = 0; i < _series.Length; i++)
        {
            if (_next[i] >= _series[i].Count) continue;
            DateTime time = _series[i].EventTime(_next[i]);
            if (first < 0 || time < least) (first, least) = (i, time);
        }
        return _due = first;
    }

    /// <summary>The series, other than the one whose event comes next, whose bar ends first by then; -1 for none.</summary>
    private int Ending(int next, DateTime time)
    {
        int ending = -1;
        for (int i = 0; i < _pendingEnd.Length; i++)
        {
            if (i != next && _pendingEnd[i] <= time && (ending < 0 || _pendingEnd[i] < _pendingEnd[ending])) ending = i;
        }
        return ending;
    }

    private DateTime EndOf(int series, int index)
    {
        DateTime end = DateTime.MaxValue;
        MarketSeries each = _series[series];
        DateTime start = StartOf(each, index), time = each.EventTime(index);
        foreach (TimeFrame frame in _frames[series])
        {
            if (frame.IsTick || frame == each.TimeFrame) continue;
            DateTime frameEnd = frame.End(frame.Floor(start));
            // A bar that ends with its last source bar is closed by that.
            if ((each.TimeFrame.IsTick || frameEnd > time) && frameEnd < end) end = frameEnd;
        }
        return end;
    }
}
