using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Postgres;

namespace HybridTrading.Storage;

/// <summary>What a part of the storage takes.</summary>
/// <param name="Files">0 for a part that is no file of this machine.</param>
public sealed record StoragePart(string Name, long Bytes, int Files);

/// <summary>What the storage of a process takes.</summary>
/// <param name="Kind">files or postgresql.</param>
/// <param name="Location">The folder, or the database without its password.</param>
/// <param name="FreeBytes">Of the disk that holds the folder.</param>
public sealed record StorageUse(string Kind, string Location, ImmutableArray<StoragePart> Parts, long FreeBytes);

/// <summary>Looks at what the storage takes.</summary>
public interface IStorageFigures
{
    /// <exception cref="IOException">The storage cannot be looked at now.</exception>
    Task<StorageUse> ReadAsync(CancellationToken cancellation = default);
}

/// <summary>A data folder.</summary>
public sealed class FolderFigures(DataFolder folder) : IStorageFigures
{
    public Task<StorageUse> ReadAsync(CancellationToken cancellation = default) => Task.FromResult(
        new StorageUse("files", folder.Root, Parts(folder), FreeBytes(folder)));

    internal static long FreeBytes(DataFolder folder) => new DriveInfo(folder.Root).AvailableFreeSpace;

    internal static ImmutableArray<StoragePart> Parts(DataFolder folder) =>
    [
        OfFolder("journal", folder.Journal),
        OfFolder("market", folder.Market),
        OfFolder("snapshots", folder.Snapshots),
        OfFolder("blobs", folder.Blobs),
        OfDatabase("state", folder.StateDatabase),
        OfDatabase("bars", folder.BarDatabase),
        OfDatabase("views", folder.ViewDatabase),
    ];

    private static StoragePart OfFolder(string name, string path) =>
        Of(name, Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories) : []);

    /// <summary>With what SQLite keeps beside it.</summary>
    private static StoragePart OfDatabase(string name, string path) =>
        Of(name, new[] { path, path + "-wal", path + "-shm" }.Select(file => new FileInfo(file)));

    private static StoragePart Of(string name, IEnumerable<FileInfo> files)
    {
        long bytes = 0;
        int count = 0;
        foreach (FileInfo file in files)
        {
            try
            {
                bytes += file.Length;
                count++;
            }
            catch (FileNotFoundException)
            {
                // It was there when the folder was listed.
            }
        }
        return new StoragePart(name, bytes, count);
    }
}

/// <summary>The database of a cluster, and the process's own files.</summary>
public sealed class PostgresFigures(PostgresDatabase database, DataFolder own) : IStorageFigures
{
    public async Task<StorageUse> ReadAsync(CancellationToken cancellation = default)
    {
        long bytes = await database.RepeatableAsync("read its size", (connection, token) =>
            connection.ScalarAsync<long>("SELECT pg_database_size(current_database())", [], token), cancellation).ConfigureAwait(false);
        return new StorageUse(
            "postgresql", database.Name, [new StoragePart("database", bytes, 0), .. FolderFigures.Parts(own).Where(part => part.Files > 0)], FolderFigures.FreeBytes(own));
    }
}
