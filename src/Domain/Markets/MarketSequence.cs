namespace HybridTrading.Domain.Markets;

/// <summary>
/// Several series as one totally ordered sequence of events: by time (a quote's own, a bar's end), then symbol (ordinal), then the order
/// in which the series were given; within a series, its own order. Positions count from 0.
/// </summary>
public sealed class MarketSequence
{
    private readonly ImmutableArray<MarketSeries> _series;

    // Series indexes in the order that breaks ties.
    private readonly int[] _byRank;

    public MarketSequence(IEnumerable<MarketSeries> series)
    {
        _series = [.. series];
        _byRank = [.. Enumerable.Range(0, _series.Length).OrderBy(index => _series[index].Instrument.Symbol, StringComparer.Ordinal)];
        foreach (MarketSeries one in _series) Count += one.Count;
    }

    public ImmutableArray<MarketSeries> Series => _series;

    /// <summary>Number of events.</summary>
    public long Count { get; }

    /// <summary>Walks the events without allocating for each.</summary>
    public Enumerator GetEnumerator() => new(_series, _byRank);

    /// <summary>The events from <paramref name="fromPosition"/> on, each with its data.</summary>
    public IEnumerable<MarketEvent> Events(long fromPosition = 0)
    {
        Enumerator entries = GetEnumerator();
        while (entries.MoveNext())
        {
            if (entries.Current.Position >= fromPosition) yield return EventOf(entries.Current);
        }
    }

    /// <summary>The data of an entry.</summary>
    public MarketEvent EventOf(in MarketSequenceEntry entry)
    {
        MarketSeries series = _series[entry.Series];
        string symbol = series.Instrument.Symbol;
        return series.IsTicks
            ? new(entry.Position, entry.Time, symbol, MarketEventKind.Quote, series.Quotes.Span[entry.Index], default, series.TimeFrame)
            : new(entry.Position, entry.Time, symbol, MarketEventKind.Bar, default, series.Bars.Span[entry.Index], series.TimeFrame);
    }

    /// <summary>A heap of the series by their next event.</summary>
    public struct Enumerator
    {
        private readonly ImmutableArray<MarketSeries> _series;
        private readonly Head[] _heap;
        private int _size;
        private MarketSequenceEntry _current;
        private bool _started;

        internal Enumerator(ImmutableArray<MarketSeries> series, int[] byRank)
        {
            _series = series;
            _heap = new Head[series.Length];
            for (int rank = 0; rank < byRank.Length; rank++)
            {
                int index = byRank[rank];
                if (series[index].Count > 0) _heap[_size++] = new Head(series[index].EventTime(0).Ticks, rank, index, 0);
            }
            for (int i = (_size / 2) - 1; i >= 0; i--) SiftDown(i);
            _current = new MarketSequenceEntry(-1, 0, 0, default);
        }

        public readonly MarketSequenceEntry Current => _current;

        public bool MoveNext()
        {
            if (_started) AdvanceTop();
            _started = true;
            if (_size == 0) return false;
            Head top = _heap[0];
            _current = new MarketSequenceEntry(_current.Position + 1, top.Series, top.Index, new DateTime(top.Time, DateTimeKind.Utc));
            return true;
        }

        private void AdvanceTop()
        {
            if (_size == 0) return;
            Head top = _heap[0];
            MarketSeries series = _series[top.Series];
            int next = top.Index + 1;
            _heap[0] = next < series.Count ? new Head(series.EventTime(next).Ticks, top.Rank, top.Series, next) : _heap[--_size];
            SiftDown(0);
        }

        private readonly void SiftDown(int parent)
        {
            while (true)
            {
                int child = (2 * parent) + 1;
                if (child >= _size) return;
                if (child + 1 < _size && _heap[child + 1].IsBefore(_heap[child])) child++;
                if (!_heap[child].IsBefore(_heap[parent])) return;
                (_heap[parent], _heap[child]) = (_heap[child], _heap[parent]);
                parent = child;
            }
        }

        private readonly record struct Head(long Time, int Rank, int Series, int Index)
        {
            public bool IsBefore(in Head other) => Time < other.Time || (Time == other.Time && Rank < other.Rank);
        }
    }
}

/// <summary>Which item of which series comes at a position.</summary>
/// <param name="Time">UTC; when it happens.</param>
public readonly record struct MarketSequenceEntry(long Position, int Series, int Index, DateTime Time);
