using System.Buffers.Binary;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>Encrypts an event and writes its record, the same bytes for every store.</summary>
internal static class RecordEncoder
{
    /// <summary>The longest record, in bytes.</summary>
    public const int MaxRecord = SegmentFormat.MaxRecord;

    /// <summary>The most bytes that an event can take.</summary>
    /// <exception cref="ArgumentException">A field of the header is not usable, or the record would be too long.</exception>
    public static int MaxSize(in RecordHeader header, int payloadLength)
    {
        RecordCodec.Check(header);
        int size = RecordCodec.MaxSize(header, payloadLength);
        return size <= MaxRecord
            ? size
            : throw new ArgumentException($"{header.Name} in {header.Stream} takes up to {size} bytes; expected at most {MaxRecord}");
    }

    /// <param name="fillRandom">Writes the nonce: array, offset, count.</param>
    /// <returns>The record's length.</returns>
    public static int Write(
        byte[] destination, int offset, in RecordHeader header, ReadOnlySpan<byte> payload, SubjectKey key, Action<byte[], int, int> fillRandom)
    {
        Span<byte> record = destination.AsSpan(offset);
        int headerSize = RecordCodec.WriteHeader(record, header);
        fillRandom(destination, offset + headerSize, RecordCodec.NonceSize);
        Span<byte> nonce = record.Slice(headerSize, RecordCodec.NonceSize);
        BinaryPrimitives.WriteInt32LittleEndian(record[(headerSize + RecordCodec.NonceSize)..], payload.Length);
        int length = headerSize + RecordCodec.NonceSize + 4 + payload.Length + RecordCodec.TagSize;
        Span<byte> cipher = record.Slice(headerSize + RecordCodec.NonceSize + 4, payload.Length);
        key.Encrypt(nonce, payload, cipher, record[(length - RecordCodec.TagSize)..length], record[..headerSize]);
        return length;
    }
}
