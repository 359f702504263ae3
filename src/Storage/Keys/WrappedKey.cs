using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Keys;

/// <summary>
/// A data key as it is stored, wherever that is: encrypted with the master key (AES-256-GCM), bound to its subject and number.
/// <code>
/// 8 magic "HTSUBKEY", 2 format version 1, 4 number, 2 + n subject, 12 nonce, 32 wrapped key, 16 tag, 4 CRC-32C of what precedes
/// </code>
/// </summary>
internal static class WrappedKey
{
    private const int PrefixSize = KeyFile.PrefixSize;

    private static ReadOnlySpan<byte> Magic => "HTSUBKEY"u8;

    /// <summary>Makes a new key.</summary>
    public static (SubjectKey Key, byte[] Wrapped) Create(byte[] master, string subject, int number)
    {
        byte[] name = Encoding.UTF8.GetBytes(subject);
        byte[] file = new byte[PrefixSize + 4 + 2 + name.Length + RecordCodec.NonceSize + SubjectKey.Size + RecordCodec.TagSize + 4];
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), KeyFile.FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), number);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(14), checked((ushort)name.Length));
        name.CopyTo(file, 16);
        int at = 16 + name.Length;
        Span<byte> nonce = file.AsSpan(at, RecordCodec.NonceSize);
        Span<byte> wrapped = file.AsSpan(at + RecordCodec.NonceSize, SubjectKey.Size);
        Span<byte> tag = file.AsSpan(at + RecordCodec.NonceSize + SubjectKey.Size, RecordCodec.TagSize);
        Span<byte> plain = stackalloc byte[SubjectKey.Size];
        RandomNumberGenerator.Fill(plain);
        RandomNumberGenerator.Fill(nonce);
        using (var aes = new AesGcm(master, RecordCodec.TagSize)) aes.Encrypt(nonce, plain, wrapped, tag, file.AsSpan(0, at));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32C.Compute(file.AsSpan(0, file.Length - 4)));
        var key = new SubjectKey(number, plain);
        CryptographicOperations.ZeroMemory(plain);
        return (key, file);
    }

    /// <param name="where">Names the stored key in messages.</param>
    /// <exception cref="StorageException">Damaged, of a newer format, of another subject or number, or wrapped by another master key.</exception>
    public static SubjectKey Open(byte[] master, string subject, int number, byte[] file, string where)
    {
        KeyFile.Check(where, file, Magic);
        byte[] name = Encoding.UTF8.GetBytes(subject);
        int at = 16 + name.Length;
        bool fits = file.Length == at + RecordCodec.NonceSize + SubjectKey.Size + RecordCodec.TagSize + 4
            && BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(10)) == number
            && BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(14)) == name.Length
            && file.AsSpan(16, name.Length).SequenceEqual(name);
        if (!fits) throw new StorageException($"{where} is not key {number} of {subject}; restore it from a backup");
        Span<byte> plain = stackalloc byte[SubjectKey.Size];
        try
        {
            using var aes = new AesGcm(master, RecordCodec.TagSize);
            aes.Decrypt(
                file.AsSpan(at, RecordCodec.NonceSize),
                file.AsSpan(at + RecordCodec.NonceSize, SubjectKey.Size),
                file.AsSpan(at + RecordCodec.NonceSize + SubjectKey.Size, RecordCodec.TagSize),
                plain,
                file.AsSpan(0, at));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new StorageException($"{where} was wrapped by another master key");
        }
        var key = new SubjectKey(number, plain);
        CryptographicOperations.ZeroMemory(plain);
        return key;
    }

    /// <summary>Whose key it is, as it says itself.</summary>
    /// <exception cref="StorageException">Damaged, or of a newer format.</exception>
    public static (string Subject, int Number) Owner(byte[] file, string where)
    {
        KeyFile.Check(where, file, Magic);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(14));
        if (file.Length < 16 + length) throw new StorageException($"{where} is damaged; restore it from a backup");
        return (Encoding.UTF8.GetString(file.AsSpan(16, length)), BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(10)));
    }
}

/// <summary>What the files of keys have in common: 8 magic, 2 format version, ..., 4 CRC-32C of what precedes.</summary>
internal static class KeyFile
{
    public const ushort FormatVersion = 1;
    public const int PrefixSize = 10;

    public static void Check(string where, byte[] file, ReadOnlySpan<byte> magic)
    {
        if (file.Length < PrefixSize + 4 || !file.AsSpan(0, 8).SequenceEqual(magic))
        {
            throw new StorageException($"{where} is no key file of HybridTrading; restore it from a backup");
        }
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        if (version != FormatVersion)
        {
            throw new StorageException($"{where} has format version {version}; this program reads version {FormatVersion}: use a newer one");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(file.Length - 4)) != Crc32C.Compute(file.AsSpan(0, file.Length - 4)))
        {
            throw new StorageException($"{where} is damaged (checksum); restore it from a backup");
        }
    }
}
