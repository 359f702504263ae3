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
    // Some megabytes of each series stay in memory behind the run.
    private const int ReleaseEvery = 1 << 16;

    private readonly MarketSequence _data;
    private readonly ImmutableArray<ImmutableArray<TimeFrame>> _frames;
    private readonly DateTime[] _pendingEnd;
    private readonly MarketSeries? _single;
    // Of each series: what has been handed out, and what of it has been given back.
    private readonly int[] _passed, _released;
    private MarketSequence.Enumerator _next;
    private bool _hasNext;
    private long _position;

    public RunSequence(ImmutableArray<MarketSeries> series, RunPlan plan) : this(series, each => plan.FramesOf(each.Instrument.Symbol))
    {
    }

    /// <param name="frames">The time frames whose bars end on time although the instrument itself is silent.</param>
    public RunSequence(ImmutableArray<MarketSeries> series, Func<MarketSeries, ImmutableArray<TimeFrame>> frames)
    {
        _data = new MarketSequence(series);
        _frames = [.. series.Select(frames)];
        _pendingEnd = new DateTime[series.Length];
        Array.Fill(_pendingEnd, DateTime.MaxValue);
        _single = series.Length == 1 ? series[0] : null;
        _passed = new int[series.Length];
        _released = new int[series.Length];
        _next = _data.GetEnumerator();
        _hasNext = _next.MoveNext();
    }

    public ImmutableArray<MarketSeries> Series => _data.Series;

    /// <summary>Data items in all series; clock events are not data.</summary>
    public long DataPoints => _data.Count;

    public RunEvent Current { get; private set; }

    /// <summary>Events handed out so far, clock events among them.</summary>
    public long Length => _position;

    public bool MoveNext()
    {
        if (_single is { } series)
        {
            // Nothing to be merged with, and no other instrument whose bars would have to end.
            if (_position == series.Count) return false;
            if ((_position & (ReleaseEvery - 1)) == 0)
            {
                _passed[0] = (int)_position;
                Release();
            }
            Current = new RunEvent(_position, 0, (int)_position, series.EventTime((int)_position));
            _position++;
            return true;
        }
        if (!_hasNext) return false;
        if ((_position & (ReleaseEvery - 1)) == 0) Release();
        MarketSequenceEntry next = _next.Current;
        int ending = Ending(next.Series, next.Time);
        if (ending >= 0)
        {
            Current = new RunEvent(_position++, ending, -1, _pendingEnd[ending]);
            _pendingEnd[ending] = DateTime.MaxValue;
            return true;
        }
        _pendingEnd[next.Series] = EndOf(next.Series, next.Index);
        _passed[next.Series] = next.Index;
        Current = new RunEvent(_position++, next.Series, next.Index, next.Time);
        _hasNext = _next.MoveNext();
        return true;
    }

    /// <summary>Gives back the memory of what lies behind, where the data are in files.</summary>
    private void Release()
    {
        for (int i = 0; i < _passed.Length; i++)
        {
            if (_passed[i] == _released[i]) continue;
            Series[i].Release(_released[i], _passed[i]);
            _released[i] = _passed[i];
        }
    }

    /// <summary>When an item began: a quote's time, a bar's open.</summary>
    public static DateTime StartOf(MarketSeries series, int index) =>
        series.IsTicks ? series.Quotes.Span[index].Time : series.Bars.Span[index].OpenTime;

    /// <summary>When the run begins; the epoch for one without data.</summary>
    public DateTime Start => Series.Where(series => series.Count > 0).Select(series => StartOf(series, 0)).DefaultIfEmpty(DateTime.UnixEpoch).Min();

    /// <summary>The time of the last event.</summary>
    public DateTime End => Series.Where(series => series.Count > 0).Select(series => series.EventTime(series.Count - 1)).DefaultIfEmpty(DateTime.UnixEpoch).Max();

    /// <summary>The series, other than the one whose event comes next, whose bar ends first by then; -1 for none.</summary>
    private int Ending(int next, DateTime time)
    {
        int ending = -1;
        for (int i = 0; i < _pendingEnd.Length; i++)
        {
            // Of bars, the one that ends with the bar that is pending may still come at this very time.
            bool ended = Series[i].IsTicks ? _pendingEnd[i] <= time : _pendingEnd[i] < time;
            if (i != next && ended && (ending < 0 || _pendingEnd[i] < _pendingEnd[ending])) ending = i;
        }
        return ending;
    }

    private DateTime EndOf(int series, int index)
    {
        DateTime end = DateTime.MaxValue;
        MarketSeries each = Series[series];
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
