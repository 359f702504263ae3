namespace HybridTrading.Storage.Files;

/// <summary>
/// Every touch of the disk by the journal, the market log, the keys and the snapshots, so that a test can stand in for the disk: one that
/// forgets what was not flushed, is full, or refuses. Calls block; what the operating system refuses comes as
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
/// </summary>
public interface IFileDoor
{
    void CreateFolder(string folder);

    bool Exists(string path);

    /// <summary>Full paths of the files directly in the folder, in ordinal order; empty where there is no such folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    IDoorFile OpenRead(string path);

    /// <summary>Opens an existing file for reading and writing.</summary>
    IDoorFile OpenWrite(string path);

    /// <summary>Makes a new, empty file that only this user can read. It survives a power cut once it and its folder are flushed.</summary>
    /// <exception cref="IOException">It exists already.</exception>
    IDoorFile Create(string path);

    /// <summary>Renames, replacing the target at once: after a crash there is the old file or the new one.</summary>
    void Replace(string from, string to);

    void Delete(string path);

    /// <summary>Makes the creations, renames and deletions in a folder durable.</summary>
    void FlushFolder(string folder);

    /// <summary>Holds a file exclusively, against other processes too, until disposed.</summary>
    /// <returns>Null when somebody else holds it.</returns>
    IDisposable? TryLock(string path);

    /// <summary>Bytes that can still be written to the disk that holds the folder.</summary>
    long FreeSpace(string folder);
}

/// <summary>An open file; reads and writes at an offset may run at the same time.</summary>
public interface IDoorFile : IDisposable
{
    long Length { get; }

    /// <returns>Bytes read: fewer than asked only at the end of the file.</returns>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Writes all bytes or throws; what was written reaches the disk with <see cref="Flush"/>.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    void Flush();

    void SetLength(long length);
}

public static class FileDoorExtensions
{
    /// <summary>Puts a whole small file in place so that after a crash there is the old content or the new, never a part.</summary>
    /// <param name="flushFolder">False where losing the newest version to a power cut does not matter.</param>
    public static void WriteWhole(this IFileDoor door, string path, ReadOnlySpan<byte> content, bool flushFolder = true)
    {
        string temporary = path + ".tmp";
        if (door.Exists(temporary)) door.Delete(temporary);
        using (IDoorFile file = door.Create(temporary))
        {
            file.Write(content, 0);
            file.Flush();
        }
        door.Replace(temporary, path);
        if (flushFolder) door.FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static byte[] ReadWhole(this IFileDoor door, string path)
    {
        using IDoorFile file = door.OpenRead(path);
        byte[] content = new byte[file.Length];
        int read = file.Read(content, 0);
        return read == content.Length ? content : content[..read];
    }
}
