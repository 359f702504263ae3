using NodaTime;
using NodaTime.TimeZones;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>Local times of one zone. Within one interval of it (half a year of summer or winter time) only an offset is added.</summary>
internal sealed class RuleTime(string zone)
{
    private readonly DateTimeZone _zone = FindZone(zone) ?? throw new ArgumentException($"unknown time zone '{zone}'");
    private DateTime _first = DateTime.MaxValue, _last;
    private TimeSpan _offset;

    public static IEnumerable<string> ZoneNames => DateTimeZoneProviders.Tzdb.Ids;

    public static DateTimeZone? FindZone(string name) => DateTimeZoneProviders.Tzdb.GetZoneOrNull(name);

    public DateTime Local(DateTime utc)
    {
        if (utc < _first || utc >= _last) Enter(utc);
        return utc + _offset;
    }

    private void Enter(DateTime utc)
    {
        ZoneInterval interval = _zone.GetZoneInterval(Instant.FromDateTimeUtc(utc));
        _offset = interval.WallOffset.ToTimeSpan();
        // At the ends of time a day is kept for the addition.
        _first = interval.HasStart ? interval.Start.ToDateTimeUtc() : DateTime.MinValue.AddDays(2);
        _last = interval.HasEnd ? interval.End.ToDateTimeUtc() : DateTime.MaxValue.AddDays(-2);
    }
}

/// <summary>When a rule may enter.</summary>
internal sealed class RuleSession(SessionStatement session, RuleTime time)
{
    private const int Day = 24 * 60;

    private readonly int _from = session.From ?? 0;

    // Over midnight, and a whole day from 24:00 to 24:00, the end lies on the day after.
    private readonly int _to = session.To is not { } to ? Day : to > (session.From ?? 0) ? to : to + Day;
    private readonly int _days = session.Days == RuleDays.None ? 127 : (int)session.Days;

    public bool Holds(DateTime utc)
    {
        DateTime local = time.Local(utc);
        double minute = local.TimeOfDay.TotalMinutes;
        // Monday is bit 0; what is past midnight belongs to the session that began the day before.
        int day = ((int)local.DayOfWeek + 6) % 7, before = (day + 6) % 7;
        return (minute >= _from && minute < _to && (_days >> day & 1) != 0) || (minute + Day < _to && (_days >> before & 1) != 0);
    }
}
