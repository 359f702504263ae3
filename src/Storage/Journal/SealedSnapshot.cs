using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// A snapshot as it is stored, wherever that is: encrypted with its subject's key and bound to its stream and version.
/// <code>
/// 0   8      magic "HTSNAPSH"
/// 8   2      format version, 1
/// 10  2      zero
/// 12  4      shape
/// 16  4      key number
/// 20  8      version of the stream
///     2 + n  stream
///     2 + n  subject
///     12     nonce
///     n      ciphertext (AES-256-GCM; what precedes the nonce is the associated data)
///     16     tag
///     4      CRC-32C of what precedes
/// </code>
/// </summary>
internal static class SealedSnapshot
{
    private const ushort FormatVersion = 1;
    private const int FixedSize = 28;

    private static ReadOnlySpan<byte> Magic => "HTSNAPSH"u8;

    /// <exception cref="StorageException">The key cannot be read or made.</exception>
    public static byte[] Seal(string stream, StreamOwner owner, long version, int shape, ReadOnlySpan<byte> payload, IKeyProvider keys)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        SubjectKey key = keys.GetOrCreate(owner.Subject);
        byte[] name = Encoding.UTF8.GetBytes(stream);
        byte[] subject = Encoding.UTF8.GetBytes(owner.Subject);
        int headerSize = FixedSize + 2 + name.Length + 2 + subject.Length;
        byte[] file = new byte[headerSize + RecordCodec.NonceSize + payload.Length + RecordCodec.TagSize + 4];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), shape);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), key.Number);
        BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(20), version);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(FixedSize), checked((ushort)name.Length));
        name.CopyTo(file, FixedSize + 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(FixedSize + 2 + name.Length), checked((ushort)subject.Length));
        subject.CopyTo(file, FixedSize + 4 + name.Length);
        Span<byte> nonce = file.AsSpan(headerSize, RecordCodec.NonceSize);
        RandomNumberGenerator.Fill(nonce);
        int cipherAt = headerSize + RecordCodec.NonceSize;
        key.Encrypt(
            nonce, payload, file.AsSpan(cipherAt, payload.Length), file.AsSpan(cipherAt + payload.Length, RecordCodec.TagSize),
            file.AsSpan(0, headerSize));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32C.Compute(file.AsSpan(0, file.Length - 4)));
        return file;
    }

    /// <param name="durableVersion">The stream's version in the journal.</param>
    /// <returns>Null for whatever is wrong with it.</returns>
    public static Snapshot? TryOpen(byte[] file, string stream, long durableVersion, IKeyProvider keys)
    {
        int smallest = FixedSize + 4 + RecordCodec.NonceSize + RecordCodec.TagSize + 4;
        if (file.Length < smallest || !file.AsSpan(0, 8).SequenceEqual(Magic)) return null;
        if (BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)) != FormatVersion) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(file.Length - 4)) != Crc32C.Compute(file.AsSpan(0, file.Length - 4))) return null;

        // The checksum holds, so lengths are those that were written; the authentication tag below settles the rest.
        int shape = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12));
        int number = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(16));
        long version = BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(20));
        int nameSize = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(FixedSize));
        int subjectSize = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(FixedSize + 2 + nameSize));
        int headerSize = FixedSize + 4 + nameSize + subjectSize;
        string subject = Encoding.UTF8.GetString(file.AsSpan(FixedSize + 4 + nameSize, subjectSize));
        if (Encoding.UTF8.GetString(file.AsSpan(FixedSize + 2, nameSize)) != stream || version > durableVersion) return null;
        byte[] payload = new byte[file.Length - headerSize - RecordCodec.NonceSize - RecordCodec.TagSize - 4];
        try
        {
            SubjectKey? key = keys.Find(subject, number);
            if (key is null) return null;
            int cipherAt = headerSize + RecordCodec.NonceSize;
            key.Decrypt(
                file.AsSpan(headerSize, RecordCodec.NonceSize), file.AsSpan(cipherAt, payload.Length),
                file.AsSpan(cipherAt + payload.Length, RecordCodec.TagSize), payload, file.AsSpan(0, headerSize));
        }
        catch (Exception unreadable) when (unreadable is StorageException or CryptographicException or ObjectDisposedException)
        {
            return null;
        }
        return new Snapshot(version, shape, payload);
    }
}
