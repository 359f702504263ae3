using System.Buffers.Binary;
using System.Text;

namespace HybridTrading.Domain.Journal;

/// <summary>What a record says in clear: everything but its payload.</summary>
/// <param name="KeyNumber">Which of the subject's data keys encrypts the payload, 1 upwards.</param>
public readonly record struct RecordHeader(
    string Stream, long Version, string Name, int Schema, DateTime Time, string Causation, string Tenant, string Subject, int KeyNumber);

/// <summary>A record that does not follow the format.</summary>
public sealed class RecordFormatException(string message) : FormatException(message);

/// <summary>
/// Record v1: the bytes of one event without its global position. They are what a leaf of the Merkle tree is taken over, so they are the
/// same in every store. Integers are little-endian; a text is its count of UTF-8 bytes (2) and the bytes.
/// <code>
/// offset  bytes   field
/// 0       1       record version, 1
/// 1       4       schema version of the payload, 1 upwards
/// 5       8       version inside the stream, 1 upwards
/// 13      8       UTC time of the event in ticks of 100 ns since 0001-01-01T00:00
/// 21      4       number of the subject's data key, 1 upwards
/// 25      2 + n   stream
///         2 + n   event name
///         2 + n   causation
///         2 + n   tenant
///         2 + n   subject
///         ------- up to here the header: the associated data of the encryption
///         12      nonce
///         4       length of the ciphertext
///         n       ciphertext (AES-256-GCM)
///         16      authentication tag
/// </code>
/// Binding the header to the ciphertext means that no record can pass as another stream's, version's, tenant's or time's.
/// </summary>
public static class RecordCodec
{
    public const byte FormatVersion = 1;
    public const int NonceSize = 12;
    public const int TagSize = 16;

    /// <summary>Longest text of a header, in UTF-8 bytes.</summary>
    public const int MaxText = 1024;

    private const int FixedSize = 25;
    private const int TextCount = 5;

    // Bad surrogates are refused, never replaced: two different texts must not become the same bytes.
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The most bytes that a record with this header and payload can take.</summary>
    public static int MaxSize(in RecordHeader header, int payloadLength) => checked(
        FixedSize + TextCount * 2
        + 3 * (header.Stream.Length + header.Name.Length + header.Causation.Length + header.Tenant.Length + header.Subject.Length)
        + NonceSize + 4 + payloadLength + TagSize);

    /// <summary>Refuses a header that could not be read back as it was written.</summary>
    /// <exception cref="ArgumentException">Names the field, its value and what was expected.</exception>
    public static void Check(in RecordHeader header)
    {
        CheckText(header.Stream, "stream", mayBeEmpty: false);
        CheckText(header.Name, "event name", mayBeEmpty: false);
        CheckText(header.Causation, "causation", mayBeEmpty: true);
        CheckText(header.Tenant, "tenant", mayBeEmpty: true);
        CheckText(header.Subject, "subject", mayBeEmpty: false);
        if (header.Version < 1) throw new ArgumentException($"version {header.Version} of stream {header.Stream}; expected 1 or more");
        if (header.Schema < 1) throw new ArgumentException($"schema version {header.Schema} of {header.Name}; expected 1 or more");
        if (header.KeyNumber < 1) throw new ArgumentException($"key number {header.KeyNumber} of {header.Subject}; expected 1 or more");
        if (header.Time.Kind != DateTimeKind.Utc)
        {
            throw new ArgumentException($"time {header.Time:O} of {header.Name} in {header.Stream} is {header.Time.Kind}; expected UTC");
        }
    }

    /// <summary>Writes the header.</summary>
    /// <returns>Its length: where <see cref="NonceSize"/> bytes of nonce, the length, the ciphertext and the tag follow.</returns>
    public static int WriteHeader(Span<byte> destination, in RecordHeader header)
    {
        destination[0] = FormatVersion;
        BinaryPrimitives.WriteInt32LittleEndian(destination[1..], header.Schema);
        BinaryPrimitives.WriteInt64LittleEndian(destination[5..], header.Version);
        BinaryPrimitives.WriteInt64LittleEndian(destination[13..], header.Time.Ticks);
        BinaryPrimitives.WriteInt32LittleEndian(destination[21..], header.KeyNumber);
        int at = FixedSize;
        at += WriteText(destination[at..], header.Stream);
        at += WriteText(destination[at..], header.Name);
        at += WriteText(destination[at..], header.Causation);
        at += WriteText(destination[at..], header.Tenant);
        at += WriteText(destination[at..], header.Subject);
        return at;
    }

    /// <summary>Takes a record apart without copying.</summary>
    /// <exception cref="RecordFormatException">Not a well-formed record v1 of exactly this length.</exception>
    public static RecordView Parse(ReadOnlySpan<byte> record)
    {
        if (record.Length < FixedSize) throw new RecordFormatException($"a record of {record.Length} bytes is too short");
        if (record[0] != FormatVersion)
        {
            throw new RecordFormatException($"record version {record[0]}; this program reads version {FormatVersion}");
        }
        int at = FixedSize;
        var view = new RecordView
        {
            Schema = BinaryPrimitives.ReadInt32LittleEndian(record[1..]),
            Version = BinaryPrimitives.ReadInt64LittleEndian(record[5..]),
            Ticks = BinaryPrimitives.ReadInt64LittleEndian(record[13..]),
            KeyNumber = BinaryPrimitives.ReadInt32LittleEndian(record[21..]),
            Stream = ReadText(record, ref at),
            Name = ReadText(record, ref at),
            Causation = ReadText(record, ref at),
            Tenant = ReadText(record, ref at),
            Subject = ReadText(record, ref at),
            Header = record[..at],
        };
        if (view.Version < 1 || view.Schema < 1 || view.KeyNumber < 1 || view.Ticks < 0 || view.Ticks > DateTime.MaxValue.Ticks)
        {
            throw new RecordFormatException("a field of the record is out of its range");
        }
        if (record.Length - at < NonceSize + 4 + TagSize) throw new RecordFormatException("the record ends before its ciphertext");
        view.Nonce = record.Slice(at, NonceSize);
        int length = BinaryPrimitives.ReadInt32LittleEndian(record[(at + NonceSize)..]);
        at += NonceSize + 4;
        if (length != record.Length - at - TagSize) throw new RecordFormatException("the length of the ciphertext does not fit the record");
        view.Ciphertext = record.Slice(at, length);
        view.Tag = record[(at + length)..];
        return view;
    }

    private static void CheckText(string text, string field, bool mayBeEmpty)
    {
        if (text is null) throw new ArgumentException($"{field} is null");
        if (text.Length == 0 && !mayBeEmpty) throw new ArgumentException($"{field} is empty");
        int bytes;
        try
        {
            bytes = Utf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException($"{field} '{text}' is no well-formed Unicode text");
        }
        if (bytes > MaxText) throw new ArgumentException($"{field} takes {bytes} bytes; expected at most {MaxText}");
    }

    private static int WriteText(Span<byte> destination, string text)
    {
        int length = Utf8.GetBytes(text, destination[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)length);
        return 2 + length;
    }

    private static ReadOnlySpan<byte> ReadText(ReadOnlySpan<byte> record, scoped ref int at)
    {
        if (record.Length - at < 2) throw new RecordFormatException("the record ends inside its header");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(record[at..]);
        if (record.Length - at - 2 < length) throw new RecordFormatException("the record ends inside its header");
        ReadOnlySpan<byte> text = record.Slice(at + 2, length);
        at += 2 + length;
        return text;
    }
}

/// <summary>The fields of a record where they lie; texts are UTF-8.</summary>
public ref struct RecordView
{
    public int Schema;
    public long Version;
    public long Ticks;
    public int KeyNumber;
    public ReadOnlySpan<byte> Stream, Name, Causation, Tenant, Subject;

    /// <summary>The associated data of the encryption.</summary>
    public ReadOnlySpan<byte> Header;

    public ReadOnlySpan<byte> Nonce, Ciphertext, Tag;
}
