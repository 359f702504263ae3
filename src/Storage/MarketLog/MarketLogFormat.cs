using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.MarketLog;

/// <summary>A symbol in a time frame, as the table of a segment numbers them; a clock event has neither.</summary>
internal readonly record struct Series(string Symbol, TimeFrame TimeFrame);

/// <summary>
/// A segment file of a market log: a header and then blocks, each of records of one kind and so of one size. Integers are little-endian,
/// times are UTC in ticks of 100 ns since 0001-01-01T00:00.
/// <code>
/// header  0   8  magic "HTMARKET"
///         8   2  format version, 1
///         10  2  size of this header, 32
///         12  8  position of the first event
///         20  8  zero
///         28  4  CRC-32C of the 28 bytes before
/// block   0   4  CRC-32C of the block from here + 4 to its end
///         4   4  length of what follows the block's header
///         8   8  position of its first event (of the next event for a table block, of the first that is left out for a gap)
///         16  4  count of records
///         20  1  kind: 0 quotes, 1 bars, 2 clock, 254 gap, 255 table of series
///         21  3  zero
///         24  8  when it was written
/// quote   4 series, 8 event time, 8 quote time, 8 bid, 8 ask, 8 bid size, 8 ask size
/// bar     4 series, 8 event time, 8 open time, 4 * 8 bid OHLC, 4 * 8 ask OHLC, 8 volume (IEEE 754)
/// clock   8 event time
/// gap     8 position with which the log goes on
/// table   2 + n symbol, 2 + n time frame; numbers are given from 0 in the order of the file, so every segment can be read alone
/// </code>
/// </summary>
internal static class MarketLogFormat
{
    public const ushort FormatVersion = 1;
    public const int HeaderSize = 32;
    public const int BlockHeaderSize = 32;
    public const int QuoteSize = 52;
    public const int BarSize = 92;
    public const int ClockSize = 8;
    public const byte Gap = 254;
    public const byte Table = 255;
    public const int MaxBlock = 16 << 20;
    public const int MaxSymbol = 256;

    private static ReadOnlySpan<byte> Magic => "HTMARKET"u8;

    public static string FileName(long firstPosition) => firstPosition.ToString("D20", CultureInfo.InvariantCulture) + ".market";

    public static byte[] Header(long firstPosition)
    {
        byte[] header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), HeaderSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(12), firstPosition);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(28), Crc32C.Compute(header.AsSpan(0, 28)));
        return header;
    }

    /// <returns>Null where the file does not begin with a whole header.</returns>
    /// <exception cref="StorageException">A newer format.</exception>
    public static long? TryReadHeader(string path, IDoorFile file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (file.Read(header, 0) < HeaderSize || !header[..8].SequenceEqual(Magic)) return null;
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (version > FormatVersion)
        {
            throw new StorageException(
                $"{path} has market log format {version}; this program reads format {FormatVersion}: use the newer program that wrote it");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[28..]) != Crc32C.Compute(header[..28])) return null;
        return BinaryPrimitives.ReadInt64LittleEndian(header[12..]);
    }

    public static int RecordSize(MarketEventKind kind) => kind switch
    {
        MarketEventKind.Quote => QuoteSize,
        MarketEventKind.Bar => BarSize,
        MarketEventKind.Clock => ClockSize,
        _ => throw new ArgumentException($"kind {(int)kind} of a market event; expected quote, bar or clock"),
    };

    public static void SealBlock(Span<byte> block, long firstPosition, int count, byte kind, DateTime written)
    {
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], block.Length - BlockHeaderSize);
        BinaryPrimitives.WriteInt64LittleEndian(block[8..], firstPosition);
        BinaryPrimitives.WriteInt32LittleEndian(block[16..], count);
        BinaryPrimitives.WriteInt32LittleEndian(block[20..], kind);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], written.Ticks);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Crc32C.Compute(block[4..]));
    }

    public static void Write(Span<byte> record, in MarketEvent one, int series)
    {
        switch (one.Kind)
        {
            case MarketEventKind.Quote:
                BinaryPrimitives.WriteInt32LittleEndian(record, series);
                BinaryPrimitives.WriteInt64LittleEndian(record[4..], one.Time.Ticks);
                BinaryPrimitives.WriteInt64LittleEndian(record[12..], one.Quote.Time.Ticks);
                BinaryPrimitives.WriteInt64LittleEndian(record[20..], one.Quote.Bid);
                BinaryPrimitives.WriteInt64LittleEndian(record[28..], one.Quote.Ask);
                BinaryPrimitives.WriteInt64LittleEndian(record[36..], one.Quote.BidSize);
                BinaryPrimitives.WriteInt64LittleEndian(record[44..], one.Quote.AskSize);
                break;
            case MarketEventKind.Bar:
                BinaryPrimitives.WriteInt32LittleEndian(record, series);
                BinaryPrimitives.WriteInt64LittleEndian(record[4..], one.Time.Ticks);
                BinaryPrimitives.WriteInt64LittleEndian(record[12..], one.Bar.OpenTime.Ticks);
                Write(record[20..], one.Bar.Bid);
                Write(record[52..], one.Bar.Ask);
                BinaryPrimitives.WriteDoubleLittleEndian(record[84..], one.Bar.Volume);
                break;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(record, one.Time.Ticks);
                break;
        }
    }

    public static MarketEvent Read(ReadOnlySpan<byte> record, MarketEventKind kind, long position, List<Series> table)
    {
        if (kind == MarketEventKind.Clock) return new MarketEvent(position, Time(record), "", kind, default, default, default);
        Series series = table[BinaryPrimitives.ReadInt32LittleEndian(record)];
        DateTime time = Time(record[4..]);
        DateTime own = Time(record[12..]);
        if (kind == MarketEventKind.Bar)
        {
            var bar = new Bar(own, Ohlc(record[20..]), Ohlc(record[52..]), BinaryPrimitives.ReadDoubleLittleEndian(record[84..]));
            return new MarketEvent(position, time, series.Symbol, kind, default, bar, series.TimeFrame);
        }
        var quote = new Quote(own, Number(record[20..]), Number(record[28..]), Number(record[36..]), Number(record[44..]));
        return new MarketEvent(position, time, series.Symbol, kind, quote, default, series.TimeFrame);
    }

    public static int WriteSeries(Span<byte> destination, Series series)
    {
        int at = WriteText(destination, series.Symbol);
        return at + WriteText(destination[at..], series.TimeFrame.ToString());
    }

    /// <returns>How many bytes they take.</returns>
    public static int ReadSeries(ReadOnlySpan<byte> body, int count, List<Series> table)
    {
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            string symbol = ReadText(body, ref at);
            table.Add(new Series(symbol, TimeFrame.Parse(ReadText(body, ref at))));
        }
        return at;
    }

    private static void Write(Span<byte> record, in Ohlc ohlc)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, ohlc.Open);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], ohlc.High);
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], ohlc.Low);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], ohlc.Close);
    }

    private static Ohlc Ohlc(ReadOnlySpan<byte> record) => new(Number(record), Number(record[8..]), Number(record[16..]), Number(record[24..]));

    private static long Number(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64LittleEndian(record);

    private static DateTime Time(ReadOnlySpan<byte> record) => new(BinaryPrimitives.ReadInt64LittleEndian(record), DateTimeKind.Utc);

    private static int WriteText(Span<byte> destination, string text)
    {
        int length = Encoding.UTF8.GetBytes(text, destination[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)length);
        return 2 + length;
    }

    private static string ReadText(ReadOnlySpan<byte> body, ref int at)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(body[at..]);
        string text = Encoding.UTF8.GetString(body.Slice(at + 2, length));
        at += 2 + length;
        return text;
    }
}
