using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.Files;
using Microsoft.Win32.SafeHandles;

namespace HybridTrading.Storage.Feeds;

/// <summary>
/// A series as it lies in the cache: its rows exactly as this process has them in memory, so that they are used where they lie. Integers are little-endian.
/// <code>
/// header  0     8   magic "HTSERIES"
///         8     4   format version, 1
///         12    4   bytes of a row
///         16    32  key: what the series was made of
///         48    8   rows
///         56    4   rows of a block
///         60    4   digits of the instrument
///         64    16  time frame, ASCII, zeros behind it
///         80    40  quality: received, duplicates, late, invalid, gaps
///         120   96  a row of known values as this process lays it out, zeros behind it
///         216   ..  zeros
///         4092  4   CRC-32C of the 4092 bytes before
/// rows    4096  ..
/// sums          4   of each block: CRC-32C of its rows
///               4   CRC-32C of the sums
/// </code>
/// Every byte is under a checksum, and all of them are proved before a row is used. A file that does not pass is no file of ours.
/// </summary>
internal static class SeriesFile
{
    public const int FormatVersion = 1;
    public const int HeaderSize = 4096;
    public const int KeySize = 32;
    private const int HeaderSum = HeaderSize - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "HTSERIES"u8;

    /// <summary>What a file says of its series.</summary>
    public sealed record Head(TimeFrame TimeFrame, int Digits, long Rows, FeedQuality Quality)
    {
        public int RowSize => TimeFrame.IsTick ? Unsafe.SizeOf<Quote>() : Unsafe.SizeOf<Bar>();

        public long Blocks => (Rows + SeriesBuilder.Block - 1) / SeriesBuilder.Block;

        public long FileSize => HeaderSize + Rows * RowSize + (Blocks + 1) * sizeof(uint);
    }

    public static byte[] Encode(Head head, ReadOnlySpan<byte> key)
    {
        byte[] header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), head.RowSize);
        key.CopyTo(header.AsSpan(16, KeySize));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), head.Rows);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(56), SeriesBuilder.Block);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(60), head.Digits);
        Encoding.ASCII.GetBytes(head.TimeFrame.ToString()).CopyTo(header.AsSpan(64, 16));
        FeedQuality quality = head.Quality;
        Span<byte> counts = header.AsSpan(80);
        foreach (long count in (ReadOnlySpan<long>)[quality.Received, quality.Duplicates, quality.Late, quality.Invalid, quality.Gaps])
        {
            BinaryPrimitives.WriteInt64LittleEndian(counts, count);
            counts = counts[sizeof(long)..];
        }
        Probe(head.TimeFrame.IsTick).CopyTo(header.AsSpan(120, 96));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderSum), Crc32C.Compute(header.AsSpan(0, HeaderSum)));
        return header;
    }

    /// <summary>Proves a file from its first byte to its last.</summary>
    /// <exception cref="InvalidDataException">It is damaged, of another version or machine, or of another key.</exception>
    public static Head Check(SafeFileHandle file, ReadOnlySpan<byte> key)
    {
        byte[] header = new byte[HeaderSize];
        long length = RandomAccess.GetLength(file);
        if (length < HeaderSize) throw new InvalidDataException($"{length} bytes are no header");
        ReadExactly(file, header, 0);
        if (!header.AsSpan(0, 8).SequenceEqual(Magic)) throw new InvalidDataException("it does not begin as one");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderSum)) != Crc32C.Compute(header.AsSpan(0, HeaderSum)))
        {
            throw new InvalidDataException("the checksum of its header does not fit");
        }
        if (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) is not FormatVersion and var version)
        {
            throw new InvalidDataException($"its format version is {version}, expected {FormatVersion}");
        }
        Head head = Decode(header, key);
        if (length != head.FileSize) throw new InvalidDataException($"it has {length} bytes, expected {head.FileSize}");
        CheckRows(file, head);
        return head;
    }

    private static Head Decode(ReadOnlySpan<byte> header, ReadOnlySpan<byte> key)
    {
        long Count(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadInt64LittleEndian(at);
        if (!header.Slice(16, KeySize).SequenceEqual(key)) throw new InvalidDataException("it is of other data");
        if (!TimeFrame.TryParse(Encoding.ASCII.GetString(header.Slice(64, 16).TrimEnd((byte)0)), out TimeFrame frame))
        {
            throw new InvalidDataException("its time frame is none");
        }
        var head = new Head(frame, BinaryPrimitives.ReadInt32LittleEndian(header[60..]), Count(header[48..]),
            new FeedQuality(Count(header[80..]), Count(header[88..]), Count(header[96..]), Count(header[104..]), Count(header[112..])));
        bool fits = BinaryPrimitives.ReadInt32LittleEndian(header[12..]) == head.RowSize
            && BinaryPrimitives.ReadInt32LittleEndian(header[56..]) == SeriesBuilder.Block
            && header.Slice(120, head.RowSize).SequenceEqual(Probe(frame.IsTick));
        if (!fits) throw new InvalidDataException("its rows are laid out otherwise than here");
        if (head.Digits is < 0 or > 10 || head.Rows is < 1 or > int.MaxValue || head.Rows != head.Quality.Accepted)
        {
            throw new InvalidDataException("its counts contradict each other");
        }
        return head;
    }

    private static void CheckRows(SafeFileHandle file, Head head)
    {
        byte[] sums = new byte[(head.Blocks + 1) * sizeof(uint)];
        ReadExactly(file, sums, HeaderSize + head.Rows * head.RowSize);
        if (BinaryPrimitives.ReadUInt32LittleEndian(sums.AsSpan(^4)) != Crc32C.Compute(sums.AsSpan(..^4)))
        {
            throw new InvalidDataException("the checksum of its checksums does not fit");
        }
        byte[] block = new byte[SeriesBuilder.Block * head.RowSize];
        for (long i = 0; i < head.Blocks; i++)
        {
            int rows = (int)Math.Min(SeriesBuilder.Block, head.Rows - i * SeriesBuilder.Block);
            Span<byte> bytes = block.AsSpan(0, rows * head.RowSize);
            ReadExactly(file, bytes, HeaderSize + i * block.Length);
            if (BinaryPrimitives.ReadUInt32LittleEndian(sums.AsSpan((int)i * sizeof(uint))) != Crc32C.Compute(bytes))
            {
                throw new InvalidDataException($"the checksum of block {i} does not fit");
            }
        }
    }

    private static void ReadExactly(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        for (int total = 0; total < buffer.Length;)
        {
            int read = RandomAccess.Read(file, buffer[total..], offset + total);
            if (read == 0) throw new InvalidDataException("it is cut off");
            total += read;
        }
    }

    /// <summary>A row whose every field has a value of its own: its bytes say where each field lies, and in which byte order.</summary>
    private static byte[] Probe(bool ticks)
    {
        var time = new DateTime(0x0102030405060708, DateTimeKind.Utc);
        return ticks
            ? MemoryMarshal.AsBytes<Quote>([new Quote(time, 0x1112131415161718, 0x2122232425262728, 0x3132333435363738, 0x4142434445464748)]).ToArray()
            : MemoryMarshal.AsBytes<Bar>([new Bar(time, new Ohlc(0x1112131415161718, 2, 3, 4), new Ohlc(5, 6, 7, 8), Math.PI)]).ToArray();
    }
}

/// <summary>Writes a series file as the rows come. Until it is finished it has no header, and nothing takes it for one.</summary>
internal sealed class SeriesFileWriter(SafeFileHandle file, byte[] key) : IRowStore
{
    private readonly List<byte> _sums = [];
    private long _at = SeriesFile.HeaderSize;

    public void Add(ReadOnlySpan<Quote> quotes) => Add(MemoryMarshal.AsBytes(quotes));

    public void Add(ReadOnlySpan<Bar> bars) => Add(MemoryMarshal.AsBytes(bars));

    /// <summary>Completes the file and flushes it to the disk.</summary>
    public void Finish(ParsedSeries parsed)
    {
        Span<byte> sum = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(sum, Crc32C.Compute(CollectionsMarshal.AsSpan(_sums)));
        _sums.AddRange(sum);
        RandomAccess.Write(file, CollectionsMarshal.AsSpan(_sums), _at);
        FeedQuality quality = parsed.Quality;
        RandomAccess.Write(file, SeriesFile.Encode(new SeriesFile.Head(parsed.TimeFrame, parsed.Instrument.Digits, quality.Accepted, quality), key), 0);
        RandomAccess.FlushToDisk(file);
    }

    private void Add(ReadOnlySpan<byte> rows)
    {
        if (rows.IsEmpty) return;
        RandomAccess.Write(file, rows, _at);
        _at += rows.Length;
        Span<byte> sum = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(sum, Crc32C.Compute(rows));
        _sums.AddRange(sum);
    }
}
