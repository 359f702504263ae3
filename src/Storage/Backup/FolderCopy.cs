using System.Security.Cryptography;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Journal;

namespace HybridTrading.Storage.Backup;

/// <summary>Copies files into a new folder, hashing what is written, and flushes all of it at the end.</summary>
internal sealed class FolderCopy(string target, IProgress<StorageProgress>? progress, CancellationToken cancellation)
{
    private readonly FileDoor _door = new();
    private readonly List<BackupFile> _files = [];
    private readonly byte[] _buffer = new byte[1 << 20];
    private long _done;
    private long _total;

    /// <exception cref="StorageException">The disk has not enough room.</exception>
    public void Begin(string source, long bytes)
    {
        _total = bytes;
        _door.CreateFolder(target);
        long free = _door.FreeSpace(target);
        if (free < bytes) throw new StorageException($"{target} has {free} bytes free, {source} takes {bytes}: free space or name another disk");
    }

    public string PathOf(string name) => Inside(target, name);

    /// <summary>The path of a manifest's file below a folder.</summary>
    /// <exception cref="StorageException">The name leads out of the folder.</exception>
    public static string Inside(string folder, string name)
    {
        string path = Path.GetFullPath(Path.Combine(folder, name));
        string relative = Path.GetRelativePath(folder, path);
        bool isInside = relative != ".."
            && !relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            && !Path.IsPathRooted(relative);
        return isInside ? path : throw new StorageException($"the backup names a file outside of itself: {name}");
    }

    /// <summary>Copies the first <paramref name="length"/> bytes of a file that may be growing; by default as many as it has now.</summary>
    public void Add(string source, string name, long? length = null)
    {
        using IDoorFile from = _door.OpenRead(source);
        long size = length ?? from.Length;
        string path = PathOf(name);
        _door.CreateFolder(Path.GetDirectoryName(path)!);
        using IDoorFile to = _door.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < size;)
        {
            cancellation.ThrowIfCancellationRequested();
            int read = from.Read(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, size - at)), at);
            if (read == 0) throw new IOException($"{source} became shorter while it was copied");
            to.Write(_buffer.AsSpan(0, read), at);
            hash.AppendData(_buffer, 0, read);
            at += read;
            progress?.Report(new StorageProgress(_done += read, Math.Max(_total, _done)));
        }
        to.Flush();
        _files.Add(new BackupFile(name, size, Convert.ToHexStringLower(hash.GetHashAndReset())));
    }

    /// <summary>Takes in a file that something else has put into the target.</summary>
    public void Adopt(string name)
    {
        using IDoorFile file = _door.OpenWrite(PathOf(name));
        file.Flush();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using FileStream content = File.OpenRead(PathOf(name));
        _files.Add(new BackupFile(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content))));
        progress?.Report(new StorageProgress(_done += content.Length, Math.Max(_total, _done)));
    }

    public ImmutableArray<BackupFile> Files() => [.. _files];

    /// <summary>Makes the names of all files durable.</summary>
    public void Flush()
    {
        foreach (string folder in Directory.EnumerateDirectories(target, "*", SearchOption.AllDirectories)) _door.FlushFolder(folder);
        _door.FlushFolder(target);
    }

    public void Finish(string name, ReadOnlySpan<byte> content)
    {
        Flush();
        _door.WriteWhole(PathOf(name), content);
    }
}
