using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Keys;

/// <summary>
/// Keys in a folder that only this user can read: <c>master.key</c>, made on the first run, and below <c>subjects/</c> one file for each
/// data key, wrapped by the master key (AES-256-GCM) and named by the SHA-256 of its subject. Losing the master key loses every payload;
/// backups must hold the folder, or copy it apart from the journal so that neither alone can be read.
/// <code>
/// master.key    8 magic "HTMASTER", 2 format version 1, 32 key, 4 CRC-32C of what precedes
/// subject key   8 magic "HTSUBKEY", 2 format version 1, 4 number, 2 + n subject, 12 nonce, 32 wrapped key, 16 tag, 4 CRC-32C
/// </code>
/// A destroyed key leaves an empty file <c>.destroyed</c>, by which a lost key is told from a destroyed one, and whose number is never
/// given again. Deleting overwrites the key first; on a medium that keeps old blocks (SSD, snapshots), destroying is final only together
/// with those.
/// </summary>
public sealed class FileKeyProvider : IKeyProvider
{
    private const ushort FormatVersion = 1;
    private const int PrefixSize = 10;
    private const int MasterSize = PrefixSize + SubjectKey.Size + 4;

    private readonly IFileDoor _door;
    private readonly string _folder;
    private readonly byte[] _master;
    private readonly ConcurrentDictionary<string, SubjectKey> _current = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Subject, int Number), SubjectKey?> _known = new();
    private readonly Lock _changing = new();

    private FileKeyProvider(IFileDoor door, string folder, byte[] master)
    {
        _door = door;
        _folder = Path.Combine(folder, "subjects");
        _master = master;
    }

    private static ReadOnlySpan<byte> MasterMagic => "HTMASTER"u8;
    private static ReadOnlySpan<byte> SubjectMagic => "HTSUBKEY"u8;

    /// <summary>Opens the folder; makes it and the master key where there is neither.</summary>
    /// <exception cref="StorageException">The folder cannot be used, the master key is unreadable, readable by others, or missing
    /// although subject keys exist.</exception>
    public static FileKeyProvider Open(string folder, IFileDoor? door = null)
    {
        door ??= new FileDoor();
        string path = Path.Combine(folder, "master.key");
        try
        {
            door.CreateFolder(folder);
            door.CreateFolder(Path.Combine(folder, "subjects"));
            if (!door.Exists(path))
            {
                if (door.List(Path.Combine(folder, "subjects")).Any(file => file.EndsWith(".key", StringComparison.Ordinal)))
                {
                    throw new StorageException($"{path} is missing, but keys that it wraps exist; restore it from a backup");
                }
                CreateMaster(door, path);
            }
            CheckMode(path);
            return new FileKeyProvider(door, folder, ReadMaster(door, path));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "open", path);
        }
    }

    /// <summary>Opens the folder of a journal that exists, for tools that only read: nothing is made.</summary>
    /// <exception cref="StorageException">The master key is missing, unreadable, or readable by others.</exception>
    public static FileKeyProvider Look(string folder, IFileDoor? door = null)
    {
        door ??= new FileDoor();
        string path = Path.Combine(folder, "master.key");
        if (!door.Exists(path)) throw new StorageException($"{path} is missing; restore it from a backup");
        return Open(folder, door);
    }

    public SubjectKey GetOrCreate(string subject)
    {
        if (_current.TryGetValue(subject, out SubjectKey? key)) return key;
        lock (_changing)
        {
            if (_current.TryGetValue(subject, out key)) return key;
            int number = LastNumber(subject);
            key = number == 0 || _door.Exists(DestroyedPath(subject, number)) ? Create(subject, number + 1) : Read(subject, number);
            _known[(subject, key.Number)] = key;
            return _current[subject] = key;
        }
    }

    public SubjectKey? Find(string subject, int number)
    {
        if (_known.TryGetValue((subject, number), out SubjectKey? key)) return key;
        lock (_changing)
        {
            if (_known.TryGetValue((subject, number), out key)) return key;
            return _known[(subject, number)] = _door.Exists(DestroyedPath(subject, number)) ? null : Read(subject, number);
        }
    }

    public int DestroyedKeys()
    {
        try
        {
            return _door.List(_folder).Count(file => file.EndsWith(".destroyed", StringComparison.Ordinal));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read keys", _folder);
        }
    }

    public void Destroy(string subject)
    {
        lock (_changing)
        {
            int last = LastNumber(subject);
            for (int number = 1; number <= last; number++) Destroy(subject, number);
            _current.TryRemove(subject, out _);
        }
    }

    private void Destroy(string subject, int number)
    {
        string path = KeyPath(subject, number);
        try
        {
            // The tombstone first: a crash in between leaves a key that is still there, never one that is missing without a reason.
            if (!_door.Exists(DestroyedPath(subject, number))) _door.WriteWhole(DestroyedPath(subject, number), []);
            if (_door.Exists(path))
            {
                using (IDoorFile file = _door.OpenWrite(path))
                {
                    file.Write(new byte[file.Length], 0);
                    file.Flush();
                }
                _door.Delete(path);
                _door.FlushFolder(_folder);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "destroy key", path);
        }
        if (_known.TryGetValue((subject, number), out SubjectKey? key)) key?.Destroy();
        _known[(subject, number)] = null;
    }

    private SubjectKey Create(string subject, int number)
    {
        byte[] name = Encoding.UTF8.GetBytes(subject);
        byte[] file = new byte[PrefixSize + 4 + 2 + name.Length + RecordCodec.NonceSize + SubjectKey.Size + RecordCodec.TagSize + 4];
        SubjectMagic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), FormatVersion);
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
        using (var aes = new AesGcm(_master, RecordCodec.TagSize)) aes.Encrypt(nonce, plain, wrapped, tag, file.AsSpan(0, at));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(file.Length - 4), Crc32C.Compute(file.AsSpan(0, file.Length - 4)));

        string path = KeyPath(subject, number);
        try
        {
            _door.WriteWhole(path, file);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "make key", path);
        }
        var key = new SubjectKey(number, plain);
        CryptographicOperations.ZeroMemory(plain);
        return key;
    }

    private SubjectKey Read(string subject, int number)
    {
        string path = KeyPath(subject, number);
        byte[] file;
        try
        {
            file = _door.ReadWhole(path);
        }
        catch (FileNotFoundException)
        {
            throw new StorageException($"key {number} of {subject} is missing ({path}) and was not destroyed; restore it from a backup");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read key", path);
        }
        CheckFile(path, file, SubjectMagic);
        byte[] name = Encoding.UTF8.GetBytes(subject);
        int at = 16 + name.Length;
        bool fits = file.Length == at + RecordCodec.NonceSize + SubjectKey.Size + RecordCodec.TagSize + 4
            && BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(10)) == number
            && BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(14)) == name.Length
            && file.AsSpan(16, name.Length).SequenceEqual(name);
        if (!fits) throw new StorageException($"{path} is not key {number} of {subject}; restore it from a backup");
        Span<byte> plain = stackalloc byte[SubjectKey.Size];
        try
        {
            using var aes = new AesGcm(_master, RecordCodec.TagSize);
            aes.Decrypt(
                file.AsSpan(at, RecordCodec.NonceSize),
                file.AsSpan(at + RecordCodec.NonceSize, SubjectKey.Size),
                file.AsSpan(at + RecordCodec.NonceSize + SubjectKey.Size, RecordCodec.TagSize),
                plain,
                file.AsSpan(0, at));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new StorageException($"{path} was wrapped by another master key; the folder holds keys of two data folders");
        }
        var key = new SubjectKey(number, plain);
        CryptographicOperations.ZeroMemory(plain);
        return key;
    }

    private int LastNumber(string subject)
    {
        int number = 0;
        while (_door.Exists(KeyPath(subject, number + 1)) || _door.Exists(DestroyedPath(subject, number + 1))) number++;
        return number;
    }

    private string KeyPath(string subject, int number) => Path.Combine(_folder, $"{TreeHash.Sha256(Encoding.UTF8.GetBytes(subject))}.{number}.key");

    private string DestroyedPath(string subject, int number) =>
        Path.Combine(_folder, $"{TreeHash.Sha256(Encoding.UTF8.GetBytes(subject))}.{number}.destroyed");

    private static void CreateMaster(IFileDoor door, string path)
    {
        byte[] file = new byte[MasterSize];
        MasterMagic.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), FormatVersion);
        RandomNumberGenerator.Fill(file.AsSpan(PrefixSize, SubjectKey.Size));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(MasterSize - 4), Crc32C.Compute(file.AsSpan(0, MasterSize - 4)));
        door.WriteWhole(path, file);
        CryptographicOperations.ZeroMemory(file);
    }

    private static byte[] ReadMaster(IFileDoor door, string path)
    {
        byte[] file = door.ReadWhole(path);
        CheckFile(path, file, MasterMagic);
        if (file.Length != MasterSize) throw new StorageException($"{path} has {file.Length} bytes, expected {MasterSize}; restore it from a backup");
        return file[PrefixSize..(PrefixSize + SubjectKey.Size)];
    }

    private static void CheckFile(string path, byte[] file, ReadOnlySpan<byte> magic)
    {
        if (file.Length < PrefixSize + 4 || !file.AsSpan(0, 8).SequenceEqual(magic))
        {
            throw new StorageException($"{path} is no key file of HybridTrading; restore it from a backup");
        }
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        if (version != FormatVersion)
        {
            throw new StorageException($"{path} has format version {version}; this program reads version {FormatVersion}: use a newer one");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(file.Length - 4)) != Crc32C.Compute(file.AsSpan(0, file.Length - 4)))
        {
            throw new StorageException($"{path} is damaged (checksum); restore it from a backup");
        }
    }

    private static void CheckMode(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path)) return;
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if ((File.GetUnixFileMode(path) & others) != 0)
        {
            throw new StorageException($"{path} can be read or written by other users; run chmod 600 on it");
        }
    }
}
