namespace HybridTrading.Storage;

/// <summary>Data on disk cannot be used as asked. The message is one line for the operator: which file, what is wrong, what to do.</summary>
public class StorageException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Turns what the operating system refused into a line that says which file and why.</summary>
    internal static StorageException From(Exception refused, string action, string path) => refused switch
    {
        StorageException storage => storage,
        UnauthorizedAccessException => new StorageException(
            $"cannot {action} {path}: permission denied; the folder must be writable by this user", refused),
        IOException io when IsDiskFull(io) => new StorageException(
            $"cannot {action} {path}: the disk is full; free space and start again, nothing acknowledged is lost", refused),
        _ => new StorageException($"cannot {action} {path}: {refused.Message}", refused),
    };

    private static bool IsDiskFull(IOException exception)
    {
        const int unixNoSpace = 28, unixQuota = 122, windowsDiskFull = unchecked((int)0x80070070), windowsHandleFull = unchecked((int)0x80070027);
        return exception.HResult is unixNoSpace or unixQuota or windowsDiskFull or windowsHandleFull;
    }
}

/// <summary>Bytes on disk are not what was written. They are never repaired silently; restore them from a backup.</summary>
/// <param name="position">The global position at which reading stopped, where there is one.</param>
public sealed class DamagedDataException(string path, long offset, long? position, string what) : StorageException(
    position is null
        ? $"{path} is damaged at byte {offset}: {what}; restore it from a backup"
        : $"{path} is damaged at byte {offset}, position {position}: {what}; restore it from a backup")
{
    public string Path => path;
    public long Offset => offset;
    public long? Position => position;
}
