using NodaTime;
using NodaTime.TimeZones;

namespace HybridTrading.Domain.Markets;

/// <summary>An interval of the trading week in the calendar's own time zone; <see cref="Close"/> may be 24:00 (as 1.00:00:00).</summary>
/// <param name="Day">The day on which it opens.</param>
/// <param name="Open">Time of day at which it opens.</param>
/// <param name="Close">Time of day at which it closes, after <paramref name="Open"/>, at most 24 hours.</param>
[GenerateSerializer, Immutable, Alias("ht.TradingSession")]
public sealed record TradingSession(DayOfWeek Day, TimeSpan Open, TimeSpan Close);

/// <summary>
/// When an instrument trades and when its trading day turns (swap, day orders, daily limits), in an IANA time zone,
/// so that summer time is right. An empty session list means always open.
/// </summary>
/// <param name="Name">Names the calendar in messages.</param>
/// <param name="TimeZone">IANA id, for example America/New_York.</param>
/// <param name="DayTurn">Time of day in that zone at which the trading day ends (17:00 in New York for forex).</param>
/// <param name="TripleSwapDay">The day whose turn is charged three nights (Wednesday for T+2 markets); null for none.</param>
[GenerateSerializer, Immutable, Alias("ht.TradingCalendar")]
public sealed record TradingCalendar(
    string Name, string TimeZone, TimeSpan DayTurn, DayOfWeek? TripleSwapDay, ImmutableArray<TradingSession> Sessions)
{
    private static readonly TimeSpan WholeDay = TimeSpan.FromHours(24);

    /// <summary>Around the clock from Sunday 17:00 to Friday 17:00 New York, the day turning at 17:00, triple swap on Wednesday.</summary>
    public static readonly TradingCalendar Forex = new("forex", "America/New_York", TimeSpan.FromHours(17), DayOfWeek.Wednesday,
    [
        new(DayOfWeek.Sunday, TimeSpan.FromHours(17), WholeDay),
        new(DayOfWeek.Monday, TimeSpan.Zero, WholeDay),
        new(DayOfWeek.Tuesday, TimeSpan.Zero, WholeDay),
        new(DayOfWeek.Wednesday, TimeSpan.Zero, WholeDay),
        new(DayOfWeek.Thursday, TimeSpan.Zero, WholeDay),
        new(DayOfWeek.Friday, TimeSpan.Zero, TimeSpan.FromHours(17)),
    ]);

    /// <summary>As <see cref="Forex"/>, with the hour from 17:00 to 18:00 New York closed every day.</summary>
    public static readonly TradingCalendar Metals = Forex with
    {
        Name = "metals",
        Sessions =
        [
            new(DayOfWeek.Sunday, TimeSpan.FromHours(18), WholeDay),
            .. from day in new[] { DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday }
               from session in new TradingSession[]
               {
                   new(day, TimeSpan.Zero, TimeSpan.FromHours(17)), new(day, TimeSpan.FromHours(18), WholeDay),
               }
               select session,
            new(DayOfWeek.Friday, TimeSpan.Zero, TimeSpan.FromHours(17)),
        ],
    };

    /// <summary>Always open; the day turns at 00:00 UTC.</summary>
    public static readonly TradingCalendar Always = new("always", "Etc/UTC", TimeSpan.Zero, null, []);

    /// <summary>Monday to Friday 09:30 to 16:00 New York, the day turning at 16:00.</summary>
    public static readonly TradingCalendar UsEquity = new("us-equity", "America/New_York", TimeSpan.FromHours(16), null,
        [.. Enum.GetValues<DayOfWeek>().Where(day => day is not (DayOfWeek.Saturday or DayOfWeek.Sunday))
            .Select(day => new TradingSession(day, new TimeSpan(9, 30, 0), TimeSpan.FromHours(16)))]);

    /// <summary>Is the market open at <paramref name="utc"/>?</summary>
    public bool IsOpen(DateTime utc)
    {
        if (Sessions.IsEmpty) return true;
        LocalDateTime local = Local(utc);
        DayOfWeek day = local.DayOfWeek.ToDayOfWeek();
        var time = TimeSpan.FromTicks(local.TimeOfDay.TickOfDay);
        foreach (TradingSession session in Sessions)
        {
            if (session.Day == day && time >= session.Open && time < session.Close) return true;
        }
        return false;
    }

    /// <summary>When the market next opens, if it is closed at <paramref name="utc"/>, or closes, if it is open; null when it never does.</summary>
    public DateTime? NextChange(DateTime utc)
    {
        if (Sessions.IsEmpty) return null;
        DateTimeZone zone = Zone;
        LocalDate today = Local(utc).Date;
        bool open = IsOpen(utc);
        DateTime? next = null;
        for (int days = 0; days <= 8 && next is null; days++)
        {
            LocalDate date = today.PlusDays(days);
            foreach (TradingSession session in Sessions)
            {
                if (session.Day != date.DayOfWeek.ToDayOfWeek()) continue;
                LocalDateTime turn = date.AtMidnight().PlusTicks((open ? session.Close : session.Open).Ticks);
                DateTime at = zone.ResolveLocal(turn, Resolvers.LenientResolver).ToDateTimeUtc();
                if (at > utc && IsOpen(at) != open && !(at >= next)) next = at;
            }
        }
        return next;
    }

    /// <summary>The first day turn after <paramref name="utc"/>, in UTC.</summary>
    public DateTime NextDayTurn(DateTime utc)
    {
        DateTimeZone zone = Zone;
        LocalDate date = Local(utc).Date;
        var turn = LocalTime.FromTicksSinceMidnight(DayTurn.Ticks);
        while (true)
        {
            DateTime next = zone.ResolveLocal(date + turn, Resolvers.LenientResolver).ToDateTimeUtc();
            if (next > utc) return next;
            date = date.PlusDays(1);
        }
    }

    /// <summary>
    /// The day that trading at <paramref name="utc"/> belongs to: a day that turns in the afternoon (17:00 in New York) is named by the date it ends on,
    /// so forex trading of Monday begins on Sunday evening.
    /// </summary>
    public DateOnly TradingDate(DateTime utc)
    {
        return DateOf(Local(utc).ToDateTimeUnspecified());
    }

    internal DateOnly DateOf(DateTime local)
    {
        bool turned = local.TimeOfDay >= DayTurn;
        bool namedByEnd = DayTurn >= TimeSpan.FromHours(12);
        return DateOnly.FromDateTime(local).AddDays(turned && namedByEnd ? 1 : !turned && !namedByEnd ? -1 : 0);
    }

    /// <summary>Nights of swap charged at the day turn <paramref name="turnUtc"/>: 1, 3 on the triple day, 0 at a weekend's turns.</summary>
    public int SwapNights(DateTime turnUtc)
    {
        // The turn ends the local day it lies in, or the day before when it lies at midnight.
        DayOfWeek ended = Local(turnUtc).PlusTicks(-1).DayOfWeek.ToDayOfWeek();
        if (Sessions.IsEmpty) return 1;
        if (ended is DayOfWeek.Saturday or DayOfWeek.Sunday) return 0;
        return ended == TripleSwapDay ? 3 : 1;
    }

    internal DateTimeZone Zone => DateTimeZoneProviders.Tzdb[TimeZone];

    private LocalDateTime Local(DateTime utc) => Instant.FromDateTimeUtc(utc).InZone(Zone).LocalDateTime;
}

/// <summary>
/// The day turns of a calendar, one after the other. Within one interval of the zone (half a year of summer or winter time) they lie a day apart:
/// 10 ns where the zone's own arithmetic takes over a microsecond, and an account asks once a day of data.
/// </summary>
internal sealed class DayTurns(TradingCalendar calendar)
{
    private DateTime _first = DateTime.MaxValue, _last;
    private TimeSpan _offset;

    /// <summary>As <see cref="TradingCalendar.NextDayTurn"/>.</summary>
    public DateTime After(DateTime utc)
    {
        if (utc < _first || utc >= _last) Enter(utc);
        DateTime local = utc + _offset;
        DateTime next = local.Date + calendar.DayTurn;
        if (next <= local) next = next.AddDays(1);
        next -= _offset;
        return next < _last ? next : calendar.NextDayTurn(utc);
    }

    /// <summary>As <see cref="TradingCalendar.TradingDate"/>.</summary>
    public DateOnly DateOf(DateTime utc)
    {
        if (utc < _first || utc >= _last) Enter(utc);
        return calendar.DateOf(utc + _offset);
    }

    private void Enter(DateTime utc)
    {
        ZoneInterval interval = calendar.Zone.GetZoneInterval(Instant.FromDateTimeUtc(utc));
        _offset = interval.WallOffset.ToTimeSpan();
        // At the ends of time a day is kept for the additions.
        _first = interval.HasStart ? interval.Start.ToDateTimeUtc() : DateTime.MinValue.AddDays(2);
        _last = interval.HasEnd ? interval.End.ToDateTimeUtc() : DateTime.MaxValue.AddDays(-2);
    }
}

file static class IsoDays
{
    public static DayOfWeek ToDayOfWeek(this IsoDayOfWeek day) => (DayOfWeek)((int)day % 7);
}
