using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
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
/// master.key    8 magic "HTMASTER", 2 format version 1, 32 key, 4 CRC-32C of what precedes; or base64 of that
/// subject key   see WrappedKey
/// </code>
/// A destroyed key leaves an empty file <c>.destroyed</c>, by which a lost key is told from a destroyed one, and whose subject never gets
/// another. Deleting overwrites the key first; on a medium that keeps old blocks (SSD, snapshots), destroying is final only together
/// with those.
/// </summary>
public sealed class FileKeyProvider : IKeyProvider
{
    private const int MasterSize = KeyFile.PrefixSize + SubjectKey.Size + 4;

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

    /// <summary>Makes a master key that is kept apart, for the processes of a cluster.</summary>
    /// <param name="path">A file that does not exist; its folder is made where it is missing.</param>
    /// <exception cref="StorageException">The file cannot be written.</exception>
    public static void CreateMaster(string path)
    {
        try
        {
            if (File.Exists(path)) throw new StorageException($"{path} exists; expected a new file");
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            CreateMaster(new FileDoor(), path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "make master key", path);
        }
    }

    /// <summary>Reads a master key that is kept apart, for a store of keys elsewhere.</summary>
    /// <exception cref="StorageException">There is none, it cannot be read, or others can read it.</exception>
    internal static byte[] ReadMaster(string path)
    {
        try
        {
            // In a container there are no other users, and a mounted secret is the platform's own, which the program may only read.
            if (Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") != "true") CheckMode(path);
            return ReadMaster(new FileDoor(), path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read master key", path);
        }
    }

    public SubjectKey GetOrCreate(string subject)
    {
        if (_current.TryGetValue(subject, out SubjectKey? key)) return key;
        lock (_changing)
        {
            if (_current.TryGetValue(subject, out key)) return key;
            int number = LastNumber(subject);
            if (number > 0 && _door.Exists(DestroyedPath(subject, number))) throw new SubjectErasedException(subject);
            key = number == 0 ? Create(subject, 1) : Read(subject, number);
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
            // Who has none yet never gets one.
            int last = Math.Max(1, LastNumber(subject));
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
        (SubjectKey key, byte[] file) = WrappedKey.Create(_master, subject, number);
        string path = KeyPath(subject, number);
        try
        {
            _door.WriteWhole(path, file);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "make key", path);
        }
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
        return WrappedKey.Open(_master, subject, number, file, path);
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
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), KeyFile.FormatVersion);
        RandomNumberGenerator.Fill(file.AsSpan(KeyFile.PrefixSize, SubjectKey.Size));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(MasterSize - 4), Crc32C.Compute(file.AsSpan(0, MasterSize - 4)));
        door.WriteWhole(path, file);
        CryptographicOperations.ZeroMemory(file);
    }

    private static byte[] ReadMaster(IFileDoor door, string path)
    {
        byte[] file = OfText(door.ReadWhole(path));
        KeyFile.Check(path, file, MasterMagic);
        if (file.Length != MasterSize) throw new StorageException($"{path} has {file.Length} bytes, expected {MasterSize}; restore it from a backup");
        return file[KeyFile.PrefixSize..(KeyFile.PrefixSize + SubjectKey.Size)];
    }

    /// <summary>Stores of secrets hold text: the file may be base64 of the key file.</summary>
    private static byte[] OfText(byte[] file)
    {
        if (file.AsSpan().StartsWith(MasterMagic)) return file;
        byte[] decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(file.Length)];
        OperationStatus status = Base64.DecodeFromUtf8(file.AsSpan().TrimEnd("\r\n "u8), decoded, out _, out int length);
        return status == OperationStatus.Done ? decoded[..length] : file;
    }

    private static void CheckMode(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path)) return;
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        string target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if ((File.GetUnixFileMode(target) & others) != 0)
        {
            throw new StorageException($"{path} can be read or written by other users; run chmod 600 on it");
        }
    }
}
