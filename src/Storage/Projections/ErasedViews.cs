using System.Globalization;
using System.Text;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Keys;

namespace HybridTrading.Storage.Projections;

/// <summary>
/// Keeps erased persons out of the tables that queries read: these hold what the journal's events say in plain text, and a row outlives the key. When
/// a data key has been destroyed since the tables were begun, the whole file is deleted (pages, free pages and write-ahead log alike) before it is
/// opened, and the projections build it anew from the journal, where those events are erased.
/// </summary>
public static class ErasedViews
{
    /// <returns>True when the tables were deleted.</returns>
    /// <exception cref="StorageException">The disk refused: the tables must not be opened.</exception>
    public static bool RemoveWhereStale(DataFolder folder, IKeyProvider keys)
    {
        var door = new FileDoor();
        try
        {
            int destroyed = keys.DestroyedKeys();
            if (destroyed == Counted(door, folder.ViewErasures)) return false;
            bool deleted = door.Exists(folder.ViewDatabase);
            foreach (string file in (string[])[folder.ViewDatabase, folder.ViewDatabase + "-wal", folder.ViewDatabase + "-shm"])
            {
                if (door.Exists(file)) door.Delete(file);
            }
            door.FlushFolder(folder.Root);
            // Last: cut off before, the next start deletes again.
            door.WriteWhole(folder.ViewErasures, Encoding.ASCII.GetBytes(destroyed.ToString(CultureInfo.InvariantCulture)));
            return deleted;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "delete", folder.ViewDatabase);
        }
    }

    private static int Counted(FileDoor door, string path) =>
        door.Exists(path)
        && int.TryParse(Encoding.ASCII.GetString(door.ReadWhole(path)), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count
            : 0;
}
