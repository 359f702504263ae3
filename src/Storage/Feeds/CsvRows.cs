using System.Buffers.Text;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

internal readonly record struct FieldRange(int Start, int End);

internal enum PriceFault { None, NotANumber, NotPositive, TooManyDecimals, TooLarge }

/// <summary>
/// Walks separated rows in bytes without allocating; empty lines are skipped, a field may stand in double quotes, which end with its line at the latest.
/// </summary>
/// <param name="firstLine">Number of the first line of <paramref name="data"/> in its file.</param>
internal ref struct CsvRows(ReadOnlySpan<byte> data, byte separator, long firstLine = 1)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;

    /// <summary>Number of the current line.</summary>
    public long Line { get; private set; } = firstLine - 1;

    /// <summary>Goes to the next row and marks its fields; those beyond the length of <paramref name="fields"/> are passed over.</summary>
    public bool Next(scoped Span<FieldRange> fields, out int count)
    {
        ReadOnlySpan<byte> data = _data;
        int at = _at;
        while (at < data.Length)
        {
            Line++;
            count = 0;
            int start = at;
            while (true)
            {
                if (at < data.Length && data[at] == '"' && at == start)
                {
                    int close = data[(at + 1)..].IndexOfAny((byte)'"', (byte)'\n');
                    if (close >= 0 && data[at + 1 + close] == '"') at += close + 2;
                }
                while (at < data.Length && data[at] != separator && data[at] != '\n') at++;
                if (count < fields.Length) fields[count] = new FieldRange(start, at);
                count++;
                if (at >= data.Length || data[at] == '\n') break;
                start = ++at;
            }
            int end = at;
            at++;
            if (count > 1 || !Trim(data[start..end]).IsEmpty)
            {
                _at = at;
                return true;
            }
        }
        _at = at;
        count = 0;
        return false;
    }

    /// <summary>The bytes of a field without surrounding spaces and quotes.</summary>
    public readonly ReadOnlySpan<byte> this[FieldRange field]
    {
        get
        {
            ReadOnlySpan<byte> text = _data[field.Start..field.End];
            return text.Length > 0 && text[0] > '"' && text[^1] > ' ' ? text : Trim(text);
        }
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> field)
    {
        while (!field.IsEmpty && field[^1] <= ' ') field = field[..^1];
        while (!field.IsEmpty && field[0] <= ' ') field = field[1..];
        return field.Length >= 2 && field[0] == '"' && field[^1] == '"' ? field[1..^1] : field;
    }
}

/// <summary>Exact numbers and times from UTF-8 text.</summary>
internal static class FeedNumbers
{
    /// <summary>Times outside these years are taken for mistakes.</summary>
    public const int FirstYear = 1800;

    /// <inheritdoc cref="FirstYear"/>
    public const int LastYear = 2500;

    private static readonly long[] PowersOfTen =
        [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000];

    /// <summary>Reads a decimal price into whole points of 10^-<paramref name="digits"/>.</summary>
    /// <param name="shift">Decimals that the text leaves out (4 for LEAN's prices in ten-thousandths).</param>
    /// <param name="decimals">With <see cref="PriceFault.TooManyDecimals"/>: what the price needs.</param>
    public static PriceFault TryPrice(ReadOnlySpan<byte> text, int digits, int shift, out long points, out int decimals)
    {
        points = 0;
        decimals = shift;
        int i = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        if (negative) i++;
        int numerals = 0;
        bool inFraction = false;
        for (; i < text.Length; i++)
        {
            uint numeral = text[i] - (uint)'0';
            if (numeral <= 9)
            {
                if (++numerals > 18) return PriceFault.NotANumber;
                points = (points * 10) + numeral;
                if (inFraction) decimals++;
            }
            else if (text[i] == '.' && !inFraction)
            {
                inFraction = true;
            }
            else
            {
                return PriceFault.NotANumber;
            }
        }
        if (numerals == 0) return PriceFault.NotANumber;
        if (negative || points == 0) return PriceFault.NotPositive;
        if (decimals < digits)
        {
            long factor = PowersOfTen[digits - decimals];
            if (points > Instrument.MaxPricePoints / factor) return PriceFault.TooLarge;
            points *= factor;
        }
        else if (decimals > digits)
        {
            while (points % 10 == 0 && decimals > digits)
            {
                points /= 10;
                decimals--;
            }
            if (decimals > digits) return PriceFault.TooManyDecimals;
        }
        return points <= Instrument.MaxPricePoints ? PriceFault.None : PriceFault.TooLarge;
    }

    /// <summary>Reads a volume: a number not below zero.</summary>
    public static bool TryVolume(ReadOnlySpan<byte> text, out double volume)
    {
        volume = 0;
        if (text.Length is > 0 and <= 15)
        {
            foreach (byte character in text)
            {
                uint numeral = character - (uint)'0';
                if (numeral > 9) goto General;
                volume = (volume * 10) + numeral;
            }
            return true;
        }
    General:
        return Utf8Parser.TryParse(text, out volume, out int used) && used == text.Length && volume >= 0 && double.IsFinite(volume);
    }

    /// <summary>Reads milliseconds since midnight, with a fraction at need, into ticks of 100 ns.</summary>
    public static bool TryMilliseconds(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        int point = -1;
        for (int i = 0; i < text.Length; i++)
        {
            uint numeral = text[i] - (uint)'0';
            if (numeral <= 9)
            {
                if (point >= 0 && i - point > 4) continue;
                ticks = (ticks * 10) + numeral;
            }
            else if (text[i] == '.' && point < 0)
            {
                point = i;
            }
            else
            {
                return false;
            }
        }
        int decimals = point < 0 ? 0 : Math.Min(text.Length - point - 1, 4);
        ticks *= PowersOfTen[4 - decimals];
        return text.Length > 0 && ticks < TimeSpan.TicksPerDay;
    }

    /// <summary>
    /// Reads <c>2012-11-16T03:00:00Z</c>, <c>2012.11.16 03:00</c>, <c>20121116 03:00:00.250</c>, <c>2012-11-16</c> and what lies between.
    /// </summary>
    /// <param name="isUtc">True when the text says so (Z or an offset, which is applied).</param>
    public static bool TryTime(ReadOnlySpan<byte> text, out long ticks, out bool isUtc)
    {
        ticks = 0;
        isUtc = false;
        int at = 0;
        if (!Numerals(text, ref at, 4, out int year)) return false;
        Skip(text, ref at, '-', '.', '/');
        if (!Numerals(text, ref at, 2, out int month)) return false;
        Skip(text, ref at, '-', '.', '/');
        if (!Numerals(text, ref at, 2, out int day)) return false;
        if (year is < FirstYear or > LastYear || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        ticks = new DateTime(year, month, day).Ticks;
        if (at == text.Length) return true;

        Skip(text, ref at, 'T', ' ', 't');
        return TryTimeOfDay(text[at..], out long timeOfDay, out isUtc) && (ticks += timeOfDay) >= 0;
    }

    /// <summary>Reads <c>03:00</c>, <c>03:00:00</c>, <c>03:00:00.250</c>, <c>0300</c>, each with Z or an offset at need.</summary>
    public static bool TryTimeOfDay(ReadOnlySpan<byte> text, out long ticks, out bool isUtc)
    {
        ticks = 0;
        isUtc = false;
        int at = 0;
        if (!Numerals(text, ref at, 2, out int hour)) return false;
        Skip(text, ref at, ':', ':', ':');
        if (!Numerals(text, ref at, 2, out int minute)) return false;
        int second = 0;
        if (at < text.Length && (text[at] == ':' || char.IsAsciiDigit((char)text[at])))
        {
            Skip(text, ref at, ':', ':', ':');
            if (!Numerals(text, ref at, 2, out second)) return false;
        }
        if (hour > 23 || minute > 59 || second > 59) return false;
        ticks = (hour * TimeSpan.TicksPerHour) + (minute * TimeSpan.TicksPerMinute) + (second * TimeSpan.TicksPerSecond);
        if (at < text.Length && text[at] == '.')
        {
            long unit = TimeSpan.TicksPerSecond;
            for (at++; at < text.Length && char.IsAsciiDigit((char)text[at]); at++) ticks += (unit /= 10) * (text[at] - '0');
        }
        if (at == text.Length) return true;

        isUtc = true;
        if (text[at] is (byte)'Z' or (byte)'z') return at + 1 == text.Length;
        if (text[at] is not ((byte)'+' or (byte)'-')) return false;
        int sign = text[at++] == '-' ? 1 : -1;
        if (!Numerals(text, ref at, 2, out int offsetHours)) return false;
        Skip(text, ref at, ':', ':', ':');
        int offsetMinutes = 0;
        if (at < text.Length && !Numerals(text, ref at, 2, out offsetMinutes)) return false;
        ticks += sign * ((offsetHours * TimeSpan.TicksPerHour) + (offsetMinutes * TimeSpan.TicksPerMinute));
        return at == text.Length && offsetHours <= 14 && offsetMinutes <= 59;
    }

    private static bool Numerals(ReadOnlySpan<byte> text, ref int at, int count, out int value)
    {
        value = 0;
        if (at + count > text.Length) return false;
        for (int end = at + count; at < end; at++)
        {
            uint numeral = text[at] - (uint)'0';
            if (numeral > 9) return false;
            value = (value * 10) + (int)numeral;
        }
        return true;
    }

    private static void Skip(ReadOnlySpan<byte> text, ref int at, char a, char b, char c)
    {
        if (at < text.Length && (text[at] == a || text[at] == b || text[at] == c)) at++;
    }
}
