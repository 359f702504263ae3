using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Journal;

/// <summary>
/// Snapshots in a folder, one file a stream, named by the SHA-256 of the stream's name and replaced at once. A snapshot is a short cut:
/// whatever is wrong with one (torn, damaged, of another format, key destroyed, ahead of its journal) it counts as absent.
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
/// <param name="durableVersion">The stream's version in the journal: a snapshot beyond it (the journal was restored from a backup, or lost
/// an unflushed replay) does not count.</param>
public sealed class FileSnapshotStore(string folder, IKeyProvider keys, Func<string, long> durableVersion, IFileDoor? door = null) : ISnapshotStore
{
    private const ushort FormatVersion = 1;
    private const int FixedSize = 28;

    private readonly IFileDoor _door = door ?? new FileDoor();

    private static ReadOnlySpan<byte> Magic => "HTSNAPSH"u8;

    /// <exception cref="StorageException">The disk refused; the snapshot before is still there.</exception>
    public Task SaveAsync(
        string stream, StreamOwner owner, long version, int shape, ReadOnlyMemory<byte> payload, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
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
            nonce, payload.Span, file.AsSpan(cipherAt, payload.Length), file.AsSpan(cipherAt + payload.Length, RecordCodec.TagSize),
            file.AsSpan(0, headerSize));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32C.Compute(file.AsSpan(0, file.Length - 4)));

        string path = PathOf(stream);
        try
        {
            _door.CreateFolder(Path.GetDirectoryName(path)!);
            _door.WriteWhole(path, file, flushFolder: false);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "write snapshot", path);
        }
        return Task.CompletedTask;
    }

    public Task<Snapshot?> LoadAsync(string stream, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(Load(stream));
    }

    private Snapshot? Load(string stream)
    {
        byte[] file;
        try
        {
            string path = PathOf(stream);
            if (!_door.Exists(path)) return null;
            file = _door.ReadWhole(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
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
        if (Encoding.UTF8.GetString(file.AsSpan(FixedSize + 2, nameSize)) != stream || version > durableVersion(stream)) return null;
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

    private string PathOf(string stream)
    {
        string hash = TreeHash.Sha256(Encoding.UTF8.GetBytes(stream)).ToString();
        return Path.Combine(folder, hash[..2], hash + ".snapshot");
    }
}
