using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Configuration;

/// <summary>Hours of the week in which a strategy enters nothing new.</summary>
/// <param name="Days">On which it begins.</param>
/// <param name="From">UTC, inclusive.</param>
/// <param name="To">UTC, exclusive; not after <paramref name="From"/> means on the day after, so equal times are a whole day.</param>
public sealed record PausedHours(ImmutableArray<DayOfWeek> Days, TimeOnly From, TimeOnly To)
{
    /// <summary>Names of the days in JSON, by <see cref="DayOfWeek"/>.</summary>
    public static readonly ImmutableArray<string> DayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

    private const string TimeForm = "HH:mm";

    public static readonly Shape Shape = new ObjectShape(
    [
        new("days", new ListShape(new ChoiceShape(DayNames), 7, distinct: true, least: 1)),
        new("from", Time()), new("to", Time()),
    ]);

    /// <summary>Reads what <see cref="Shape"/> has found good.</summary>
    public static PausedHours Read(JsonElement value) => new(
        [.. value.GetProperty("days").EnumerateArray().Select(day => (DayOfWeek)DayNames.IndexOf(day.GetString()!))],
        Parse(value.GetProperty("from").GetString()!), Parse(value.GetProperty("to").GetString()!));

    /// <param name="time">UTC.</param>
    public bool Contains(DateTime time)
    {
        TimeOnly clock = TimeOnly.FromDateTime(time);
        DayOfWeek yesterday = time.DayOfWeek == DayOfWeek.Sunday ? DayOfWeek.Saturday : time.DayOfWeek - 1;
        if (From < To) return Days.Contains(time.DayOfWeek) && clock >= From && clock < To;
        return Days.Contains(time.DayOfWeek) && clock >= From || Days.Contains(yesterday) && clock < To;
    }

    /// <summary>What is left of a strategy's wish when it must not enter: an exit whole, of a turn the exit, of an entry nothing.</summary>
    /// <param name="standing">Where the strategy stands.</param>
    /// <param name="why">It must not.</param>
    public static Intent? WithoutEntry(Intent wanted, Stance standing, string why) =>
        wanted.Stance == Stance.Flat ? wanted
        : standing != Stance.Flat && wanted.Stance != standing ? Intent.Exit($"{wanted.Why}; no entry: {why}")
        : null;

    private static TextShape Time() => new(
        5, 5, "a time of day in UTC such as 22:30",
        text => TimeOnly.TryParseExact(text, TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$");

    private static TimeOnly Parse(string text) => TimeOnly.ParseExact(text, TimeForm, CultureInfo.InvariantCulture);
}
