using System.Globalization;
using System.Text;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Storage.Feeds;

/// <summary>Tables with a header, MetaTrader's own exports among them: which column holds what is read from the header or given by a map.</summary>
internal sealed class TableFeed
{
    private const int MaxColumns = 64;
    private const int None = -1;

    private readonly string _file;
    private readonly FeedKind _kind;
    private readonly byte _separator;
    private readonly string[] _names;
    private readonly bool _hasHeader;
    private readonly string? _timeFormat;
    private readonly int _date;
    private readonly int _time;
    private readonly int _open;
    private readonly int _high;
    private readonly int _low;
    private readonly int _close;
    private readonly int _volume;
    private readonly int _spread;
    private readonly int _bid;
    private readonly int _ask;
    private readonly int _needed;

    /// <param name="lines">The beginning of the file, in whole lines.</param>
    /// <exception cref="FeedException">The header does not have the columns of bars or of quotes.</exception>
    public TableFeed(string file, ReadOnlySpan<byte> lines, FeedKind kind, FeedColumns? columns)
    {
        _file = file;
        _kind = kind;
        string header = FirstLine(lines);
        _separator = SeparatorOf(header);
        _names = [.. header.Split((char)_separator).Select(name => name.Trim().Trim('"', '<', '>').Trim().ToLowerInvariant())];
        _hasHeader = _names.Any(name => name.Length > 0 && !char.IsAsciiDigit(name[0]) && name[0] is not ('-' or '+' or '.'));
        _timeFormat = columns?.TimeFormat;
        if (columns is null)
        {
            _date = Find("date", "day");
            _time = Find("time", "datetime", "date_time", "timestamp", "open_time", "opentime", "gmt time", "unix");
            _open = Find("open", "o");
            _high = Find("high", "h");
            _low = Find("low", "l");
            _close = Find("close", "c");
            _volume = Find("tick_volume", "tickvol", "tickvolume", "volume", "vol", "v");
            _spread = Find("spread");
            _bid = Find("bid");
            _ask = Find("ask");
        }
        else
        {
            _date = Mapped("date", columns.Date);
            _time = Mapped("time", columns.Time);
            _open = Mapped("open", columns.Open);
            _high = Mapped("high", columns.High);
            _low = Mapped("low", columns.Low);
            _close = Mapped("close", columns.Close);
            _volume = Mapped("volume", columns.Volume);
            _spread = Mapped("spread", columns.Spread);
            _bid = Mapped("bid", columns.Bid);
            _ask = Mapped("ask", columns.Ask);
        }
        if (_time == None) (_time, _date) = (_date, None);
        _needed = Math.Max(Math.Max(Math.Max(_date, _time), Math.Max(_open, _high)), Math.Max(Math.Max(_low, _close), Math.Max(_bid, _ask)));
        HasBars = _open != None && _high != None && _low != None && _close != None;
        bool hasQuotes = _bid != None && _ask != None;
        if (_time == None || (!HasBars && !hasQuotes))
        {
            throw new FeedException($"{file}, line 1: columns '{Shorten(header)}', expected time, open, high, low, close and at choice volume, "
                + "or time, bid, ask; name other columns with a column map");
        }
    }

    /// <summary>True when rows are bars, false when they are quotes.</summary>
    public bool HasBars { get; }

    /// <summary>The shortest step between the first rows, as a time frame; null when there is none.</summary>
    /// <param name="lines">The beginning of the file, in whole lines.</param>
    public TimeFrame? InferTimeFrame(ReadOnlySpan<byte> lines)
    {
        long shortest = long.MaxValue;
        long last = 0;
        var rows = new CsvRows(lines, _separator);
        Span<FieldRange> fields = stackalloc FieldRange[MaxColumns];
        if (_hasHeader) rows.Next(fields, out _);
        for (int i = 0; i < 2000 && rows.Next(fields, out int count); i++)
        {
            long time = LocalTime(rows, fields, count, out _);
            if (i > 0 && time > last) shortest = Math.Min(shortest, time - last);
            last = time;
        }
        if (shortest is long.MaxValue || shortest % TimeSpan.TicksPerSecond != 0) return null;
        long seconds = shortest / TimeSpan.TicksPerSecond;
        string name = seconds % 86400 == 0 ? seconds / 86400 is >= 28 and <= 31 ? "MN1" : seconds == 7 * 86400 ? "W1" : $"D{seconds / 86400}"
            : seconds % 3600 == 0 ? $"H{seconds / 3600}" : seconds % 60 == 0 ? $"M{seconds / 60}" : $"S{seconds}";
        return TimeFrame.TryParse(name, out TimeFrame timeFrame) ? timeFrame : null;
    }

    /// <summary>Reads rows into <paramref name="series"/>.</summary>
    /// <param name="pointFactor">Points of the series in one point of the spread column.</param>
    public IRowParser Into(SeriesBuilder series, long pointFactor) =>
        new Rows(this, series, new LocalTimes(series.Options.TimeZone ?? (_kind == FeedKind.MetaTrader ? "Europe/Athens" : "Etc/UTC")), pointFactor);

    private long LocalTime(in CsvRows rows, scoped ReadOnlySpan<FieldRange> fields, int count, out bool isUtc)
    {
        var place = new RowPlace(_file, rows.Line);
        if (count <= Math.Max(_date, _time)) throw place.Fault($"{count} columns, expected at least {Math.Max(_date, _time) + 1}");
        ReadOnlySpan<byte> text = rows[fields[_time]];
        if (_timeFormat is not null) return FormattedTime(place, rows, fields, out isUtc);

        if (_date != None)
        {
            ReadOnlySpan<byte> date = rows[fields[_date]];
            if (!FeedNumbers.TryTime(date, out long day, out _)) throw place.Fault(_names[_date], date, "a date such as 2020.01.31");
            return FeedNumbers.TryTimeOfDay(text, out long timeOfDay, out isUtc)
                ? day + timeOfDay
                : throw place.Fault(_names[_time], text, "a time such as 23:59:00");
        }
        if (text.Length is 10 or 13 && TryUnix(text, out long ticks))
        {
            isUtc = true;
            return ticks;
        }
        return FeedNumbers.TryTime(text, out ticks, out isUtc)
            ? ticks
            : throw place.Fault(_names[_time], text, "a time such as 2020-01-31T23:59:00Z");
    }

    private long FormattedTime(RowPlace place, in CsvRows rows, scoped ReadOnlySpan<FieldRange> fields, out bool isUtc)
    {
        string text = Encoding.UTF8.GetString(rows[fields[_time]]);
        if (_date != None) text = Encoding.UTF8.GetString(rows[fields[_date]]) + " " + text;
        isUtc = true;
        if (_timeFormat is "unix" or "unixms")
        {
            decimal unit = _timeFormat == "unix" ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond;
            return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal stamp)
                && stamp < TimeSpan.TicksPerDay * 365m * 500 / unit
                ? DateTime.UnixEpoch.Ticks + (long)(stamp * unit)
                : throw place.Fault(_names[_time], rows[fields[_time]], $"a {_timeFormat} time stamp");
        }
        bool parsed = DateTimeOffset.TryParseExact(
            text, _timeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time);
        if (!parsed || time.Year is < FeedNumbers.FirstYear or > FeedNumbers.LastYear)
        {
            throw place.Fault(_names[_time], Encoding.UTF8.GetBytes(text), $"a time as {_timeFormat}");
        }
        isUtc = _timeFormat!.Contains('z') || _timeFormat.Contains('K');
        return isUtc ? time.UtcTicks : time.Ticks;
    }

    private static bool TryUnix(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        foreach (byte character in text)
        {
            if (!char.IsAsciiDigit((char)character)) return false;
            ticks = (ticks * 10) + character - '0';
        }
        ticks = DateTime.UnixEpoch.Ticks + (ticks * (text.Length == 10 ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond));
        return true;
    }

    private int Find(params ReadOnlySpan<string> known)
    {
        foreach (string name in known)
        {
            int index = Array.IndexOf(_names, name);
            if (index is >= 0 and < MaxColumns) return index;
        }
        return None;
    }

    private int Mapped(string meaning, string? column)
    {
        if (column is null) return None;
        int index = int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : Array.IndexOf(_names, column.Trim('<', '>').ToLowerInvariant());
        return index >= 0 && index < Math.Min(_names.Length, MaxColumns)
            ? index
            : throw new FeedException($"{_file}: no column '{column}' for {meaning}; the file has {Shorten(string.Join(", ", _names))}");
    }

    private static string FirstLine(ReadOnlySpan<byte> lines)
    {
        lines = lines.TrimStart("\r\n "u8);
        int end = lines.IndexOf((byte)'\n');
        return Encoding.UTF8.GetString(end < 0 ? lines : lines[..end]).TrimEnd('\r');
    }

    private static byte SeparatorOf(string header)
    {
        foreach (char separator in "\t;,")
        {
            if (header.Contains(separator)) return (byte)separator;
        }
        return (byte)',';
    }

    private static string Shorten(string text) => text.Length > 120 ? text[..120] + "..." : text;

    private sealed class Rows(TableFeed table, SeriesBuilder series, LocalTimes zone, long pointFactor) : IRowParser
    {
        private long _lastBid;
        private long _lastAsk;

        public void Read(ReadOnlySpan<byte> lines, long firstLine)
        {
            var rows = new CsvRows(lines, table._separator, firstLine);
            Span<FieldRange> fields = stackalloc FieldRange[MaxColumns];
            if (table._hasHeader && firstLine == 1) rows.Next(fields, out _);
            while (rows.Next(fields, out int count))
            {
                var place = new RowPlace(table._file, rows.Line);
                if (count <= table._needed) throw place.Fault($"{count} columns, expected at least {table._needed + 1}");
                long local = table.LocalTime(rows, fields, count, out bool isUtc);
                DateTime time = isUtc ? new DateTime(local, DateTimeKind.Utc) : zone.ToUtc(local);
                if (table.HasBars) Bar(place, rows, fields, count, time);
                else Quote(place, rows, fields, time);
            }
        }

        private void Bar(RowPlace place, in CsvRows rows, scoped ReadOnlySpan<FieldRange> fields, int count, DateTime time)
        {
            int digits = series.Instrument.Digits;
            string[] names = table._names;
            var bid = new Ohlc(
                place.Price(names[table._open], rows[fields[table._open]], digits), place.Price(names[table._high], rows[fields[table._high]], digits),
                place.Price(names[table._low], rows[fields[table._low]], digits), place.Price(names[table._close], rows[fields[table._close]], digits));
            place.CheckEnclosed(bid, series.Instrument);
            double volume = table._volume != None && table._volume < count ? place.Volume(names[table._volume], rows[fields[table._volume]]) : 0;
            long spread = series.Options.SpreadPoints
                ?? (table._spread != None && table._spread < count ? (long)place.Volume(names[table._spread], rows[fields[table._spread]]) * pointFactor : 0);
            series.Add(new Bar(time, bid, bid.Shift(spread), volume));
        }

        private void Quote(RowPlace place, in CsvRows rows, scoped ReadOnlySpan<FieldRange> fields, DateTime time)
        {
            int digits = series.Instrument.Digits;
            // MetaTrader leaves a side empty that did not change.
            ReadOnlySpan<byte> bid = rows[fields[table._bid]], ask = rows[fields[table._ask]];
            if (!bid.IsEmpty || _lastBid == 0) _lastBid = place.Price(table._names[table._bid], bid, digits);
            if (!ask.IsEmpty || _lastAsk == 0) _lastAsk = place.Price(table._names[table._ask], ask, digits);
            series.Add(new Quote(time, _lastBid, _lastAsk));
        }
    }
}
