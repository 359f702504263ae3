using System.Globalization;
using System.Text;

namespace HybridTrading.Storage.Files;

/// <summary>Keeps a folder to one process. Beside the lock lies a file with the holder's process id, for the error message of the next.</summary>
public sealed class FolderLock : IDisposable
{
    private readonly IDisposable _held;

    private FolderLock(IDisposable held) => _held = held;

    /// <exception cref="StorageException">Another process (or another part of this one) holds the folder.</exception>
    public static FolderLock Take(IFileDoor door, string folder)
    {
        string path = Path.Combine(folder, "lock");
        string holder = Path.Combine(folder, "lock.pid");
        IDisposable held;
        try
        {
            held = door.TryLock(path) ?? throw InUse(door, folder, holder);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "lock", path);
        }
        try
        {
            door.WriteWhole(holder, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), flushFolder: false);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw StorageException.From(refused, "write", holder);
        }
        return new FolderLock(held);
    }

    public void Dispose() => _held.Dispose();

    private static StorageException InUse(IFileDoor door, string folder, string holder)
    {
        string by = "another process";
        try
        {
            if (long.TryParse(Encoding.ASCII.GetString(door.ReadWhole(holder)), CultureInfo.InvariantCulture, out long pid)) by = $"process {pid}";
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Who holds it stays unknown; that it is held is what matters.
        }
        return new StorageException($"folder {folder} is in use by {by}; stop it or name another folder with --data");
    }
}
