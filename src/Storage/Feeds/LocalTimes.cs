using NodaTime;
using NodaTime.TimeZones;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// Turns local times into UTC, remembering the offset in force so that a run of rows asks the zone once a season. In the repeated hour of
/// autumn the earlier instant counts, a skipped time in spring moves on by an hour.
/// </summary>
internal sealed class LocalTimes
{
    private readonly DateTimeZone _zone;
    private long _validFrom = 1;
    private long _validTo;
    private long _offset;

    /// <exception cref="FeedException">No such zone.</exception>
    public LocalTimes(string timeZone) => _zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(timeZone)
        ?? throw new FeedException($"unknown time zone '{timeZone}'; expected an IANA name such as Europe/Athens");

    public DateTime ToUtc(long localTicks)
    {
        if (localTicks < _validFrom || localTicks >= _validTo) Resolve(localTicks);
        return new DateTime(localTicks - _offset, DateTimeKind.Utc);
    }

    private void Resolve(long localTicks)
    {
        ZoneLocalMapping mapping = _zone.MapLocal(LocalDateTime.FromDateTime(new DateTime(localTicks)));
        ZoneInterval interval = mapping.EarlyInterval;
        _offset = interval.WallOffset.Ticks;
        (_validFrom, _validTo) = mapping.Count == 0 ? (localTicks, localTicks + 1) : (
            interval.HasStart ? interval.IsoLocalStart.ToDateTimeUnspecified().Ticks : 0,
            interval.HasEnd ? interval.IsoLocalEnd.ToDateTimeUnspecified().Ticks : long.MaxValue);
        // The repeated hour at the start of this interval belongs to the one before.
        if (mapping.Count == 1 && interval.HasStart)
        {
            Offset before = _zone.GetZoneInterval(interval.Start - Duration.Epsilon).WallOffset;
            _validFrom += Math.Max(0, before.Ticks - interval.WallOffset.Ticks);
        }
    }
}
