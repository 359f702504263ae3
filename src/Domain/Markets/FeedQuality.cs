namespace HybridTrading.Domain.Markets;

/// <summary>What a feed delivered and what was dropped from it.</summary>
/// <param name="Received">Everything that came in.</param>
/// <param name="Duplicates">Dropped: a bar that opens when the last one did, or a quote equal to the last in time and prices.</param>
/// <param name="Late">Dropped: earlier than the last one taken.</param>
/// <param name="Invalid">Dropped: a price that is not above zero, ask below bid, or a bar whose low and high do not enclose it.</param>
/// <param name="Gaps">
/// Places where bars are missing, or quotes were silent for more than 5 minutes, although the market was open. Nothing is dropped.
/// </param>
[GenerateSerializer, Immutable, Alias("ht.FeedQuality")]
public readonly record struct FeedQuality(long Received, long Duplicates, long Late, long Invalid, long Gaps)
{
    public long Accepted => Received - Duplicates - Late - Invalid;
}

/// <summary>Lets quotes or bars through in order of time and counts what it drops. Not thread-safe.</summary>
public struct FeedGuard(TradingCalendar calendar)
{
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);

    private Quote _lastQuote;
    private DateTime _notBefore;
    private DateTime _lastOpen;
    private DateTime _lastEnd;
    private long _received;
    private long _duplicates;
    private long _late;
    private long _invalid;
    private long _gaps;

    public readonly FeedQuality Quality => new(_received, _duplicates, _late, _invalid, _gaps);

    /// <summary>True when the quote is to be used.</summary>
    public bool Accept(in Quote quote)
    {
        _received++;
        if (quote.Bid <= 0 || quote.Ask < quote.Bid || quote.Ask > Instrument.MaxPricePoints)
        {
            _invalid++;
            return false;
        }
        if (quote.Time < _lastQuote.Time || quote.Time < _notBefore)
        {
            _late++;
            return false;
        }
        if (quote.Time == _lastQuote.Time && quote == _lastQuote)
        {
            _duplicates++;
            return false;
        }
        if (_lastQuote.Bid != 0 && quote.Time - _lastQuote.Time > Silence && calendar.IsOpen(_lastQuote.Time + Silence)) _gaps++;
        _lastQuote = quote;
        return true;
    }

    /// <summary>True when the bar is to be used.</summary>
    public bool Accept(in Bar bar, TimeFrame timeFrame)
    {
        _received++;
        if (!bar.Bid.IsValid || !bar.Ask.IsValid || bar.Ask.Close < bar.Bid.Close || bar.Ask.Open < bar.Bid.Open
            || bar.Ask.High > Instrument.MaxPricePoints || !(bar.Volume >= 0))
        {
            _invalid++;
            return false;
        }
        if (_lastEnd != default)
        {
            if (bar.OpenTime == _lastOpen)
            {
                _duplicates++;
                return false;
            }
            if (bar.OpenTime < _lastOpen || bar.OpenTime < _notBefore)
            {
                _late++;
                return false;
            }
            if (bar.OpenTime > _lastEnd && calendar.IsOpen(_lastEnd)) _gaps++;
        }
        _lastOpen = bar.OpenTime;
        _lastEnd = timeFrame.End(bar.OpenTime);
        return true;
    }

    /// <summary>From now on a quote before <paramref name="time"/> is late: the clock has passed it.</summary>
    public void AdvanceTo(DateTime time)
    {
        if (time > _notBefore) _notBefore = time;
    }

    /// <summary>Counts one that could not be read as a quote or a bar at all.</summary>
    public void Reject()
    {
        _received++;
        _invalid++;
    }
}
