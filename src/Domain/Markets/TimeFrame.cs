using System.Text.Json;
using System.Text.Json.Serialization;

namespace HybridTrading.Domain.Markets;

/// <summary>
/// How long a bar lasts, named as traders do: <c>tick</c>, <c>S1</c>..., <c>M1</c>..., <c>H1</c>..., <c>D1</c>, <c>W1</c>, <c>MN1</c>.
/// Spans up to a week are aligned to Monday 00:00 UTC, months to the first of the month. <c>tick</c> is a bar a quote.
/// </summary>
[GenerateSerializer, Immutable, Alias("ht.TimeFrame"), JsonConverter(typeof(TimeFrameJsonConverter))]
public readonly record struct TimeFrame : IComparable<TimeFrame>
{
    private const int Month = -1;

    // 0 = tick, -1 = month, else seconds
    [Id(0)] private readonly int _seconds;

    private TimeFrame(int seconds) => _seconds = seconds;

    public static readonly TimeFrame Tick = new(0);
    public static readonly TimeFrame S1 = new(1);
    public static readonly TimeFrame M1 = new(60);
    public static readonly TimeFrame M5 = new(5 * 60);
    public static readonly TimeFrame M15 = new(15 * 60);
    public static readonly TimeFrame M30 = new(30 * 60);
    public static readonly TimeFrame H1 = new(3600);
    public static readonly TimeFrame H4 = new(4 * 3600);
    public static readonly TimeFrame D1 = new(86400);
    public static readonly TimeFrame W1 = new(7 * 86400);
    public static readonly TimeFrame MN1 = new(Month);

    public bool IsTick => _seconds == 0;

    /// <summary>The start of the bar that contains <paramref name="time"/>.</summary>
    public DateTime Floor(DateTime time)
    {
        if (_seconds > 0)
        {
            // 0001-01-01 is a Monday, so whole weeks of ticks start on Mondays.
            long span = _seconds * TimeSpan.TicksPerSecond;
            return new DateTime(time.Ticks / span * span, DateTimeKind.Utc);
        }
        return _seconds == Month ? new DateTime(time.Year, time.Month, 1, 0, 0, 0, DateTimeKind.Utc) : time;
    }

    /// <summary>The end (exclusive) of the bar that starts at <paramref name="openTime"/>.</summary>
    public DateTime End(DateTime openTime) =>
        _seconds == Month ? openTime.AddMonths(1) : openTime.AddTicks(_seconds * TimeSpan.TicksPerSecond);

    /// <summary>Parses <c>M1</c>, <c>H4</c>, <c>tick</c> and the like, in any case.</summary>
    /// <returns>False when the text names no time frame; spans must divide a day, or be whole days dividing a week.</returns>
    public static bool TryParse(string? text, out TimeFrame timeFrame)
    {
        timeFrame = default;
        string upper = (text ?? "").Trim().ToUpperInvariant();
        if (upper is "TICK" or "T1") { timeFrame = Tick; return true; }
        if (upper == "MN1") { timeFrame = MN1; return true; }
        int unit = upper.Length < 2 ? 0 : upper[0] switch { 'S' => 1, 'M' => 60, 'H' => 3600, 'D' => 86400, 'W' => 7 * 86400, _ => 0 };
        if (unit == 0 || !int.TryParse(upper.AsSpan(1), System.Globalization.NumberStyles.None, null, out int count)
            || count < 1 || count > 86400)
        {
            return false;
        }
        long seconds = (long)unit * count;
        if (seconds > 7 * 86400 || (seconds <= 86400 ? 86400 % seconds : 7 * 86400 % seconds) != 0) return false;
        timeFrame = new TimeFrame((int)seconds);
        return true;
    }

    /// <exception cref="FormatException">The text names no time frame.</exception>
    public static TimeFrame Parse(string text) => TryParse(text, out TimeFrame timeFrame)
        ? timeFrame
        : throw new FormatException($"'{text}' is no time frame; expected tick, S1..S30, M1..M30, H1..H12, D1, W1 or MN1");

    public int CompareTo(TimeFrame other) => Rank.CompareTo(other.Rank);

    private int Rank => _seconds == Month ? int.MaxValue : _seconds;

    public override string ToString() => _seconds switch
    {
        0 => "tick",
        Month => "MN1",
        _ when _seconds % (7 * 86400) == 0 => $"W{_seconds / (7 * 86400)}",
        _ when _seconds % 86400 == 0 => $"D{_seconds / 86400}",
        _ when _seconds % 3600 == 0 => $"H{_seconds / 3600}",
        _ when _seconds % 60 == 0 => $"M{_seconds / 60}",
        _ => $"S{_seconds}",
    };
}

/// <summary>A time frame is its name in JSON.</summary>
public sealed class TimeFrameJsonConverter : JsonConverter<TimeFrame>
{
    public override TimeFrame Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeFrame.TryParse(reader.GetString(), out TimeFrame timeFrame) ? timeFrame : throw new JsonException("expected a time frame such as M1 or H4");

    public override void Write(Utf8JsonWriter writer, TimeFrame value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
