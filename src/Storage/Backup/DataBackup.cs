using System.Security.Cryptography;
using HybridTrading.Storage.Files;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Storage.Backup;

/// <summary>
/// Copies a data folder while a process works in it: state and bars by SQLite's own copying, then the journal up to its last whole append,
/// then contents, keys and market logs. In this order nothing in the copy refers to what came later: no stored position lies beyond the journal, and
/// no record beyond the keys and market events that it needs. Snapshots and projections, which are made anew, and replays are left out.
/// The copy is verified before its manifest is written. It holds the keys: keep it as private as the original.
/// </summary>
public static class DataBackup
{
    /// <param name="target">A folder that is empty or does not exist.</param>
    /// <param name="progress">Bytes copied, of bytes found at the start.</param>
    /// <exception cref="StorageException">The target is not empty, the disk is too small or refuses, or the journal is damaged.</exception>
    public static BackupManifest Run(
        DataFolder source, string target, TimeProvider time, IProgress<StorageProgress>? progress = null, CancellationToken cancellation = default)
    {
        target = Path.GetFullPath(target);
        var copy = new FolderCopy(target, progress, cancellation);
        try
        {
            if (!DataFolder.IsEmpty(target)) throw new StorageException($"{target} is not empty; back up into a new folder");
            copy.Begin(source.Root, Size(source));
            CopyDatabase(source.StateDatabase, copy);
            CopyDatabase(source.BarDatabase, copy);
            CopyJournal(source.Journal, copy);
            CopyFolder(source.Blobs, source.Root, copy);
            CopyFolder(source.Keys, source.Root, copy);
            if (Directory.Exists(source.Market))
            {
                foreach (string feed in Directory.GetDirectories(source.Market)) CopyFolder(feed, source.Root, copy);
            }
            var keys = FileKeyProvider.Open(Path.Combine(target, "keys"));
            JournalReport report = new JournalVerifier(Path.Combine(target, "journal"), keys).Verify(cancellation: cancellation);
            if (report.Fault is { } fault) throw new StorageException($"the journal is damaged, so there is no backup: {fault}");
            var manifest = new BackupManifest(
                BackupManifest.CurrentFormat, time.GetUtcNow().UtcDateTime, report.Events, report.Tree.Root.ToString(), copy.Files());
            copy.Finish(BackupManifest.FileName, manifest.ToJson());
            return manifest;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "back up to", target);
        }
    }

    private static long Size(DataFolder source) =>
        new[] { source.Journal, source.Keys, source.Blobs, source.Market }.Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Concat(new[] { source.StateDatabase, source.BarDatabase }.Where(File.Exists))
            .Sum(file => new FileInfo(file) is { Exists: true } info ? info.Length : 0);

    private static void CopyDatabase(string path, FolderCopy copy)
    {
        if (!File.Exists(path)) return;
        string name = Path.GetFileName(path);
        SqliteDatabase.Backup(path, copy.PathOf(name));
        copy.Adopt(name);
    }

    private static void CopyJournal(string folder, FolderCopy copy)
    {
        string[] segments = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.log") : [];
        Array.Sort(segments, StringComparer.Ordinal);
        for (int i = 0; i < segments.Length; i++)
        {
            string name = "journal/" + Path.GetFileName(segments[i]);
            if (i == segments.Length - 1)
            {
                if (WholeLength(segments[i]) is { } length) copy.Add(segments[i], name, length);
                continue;
            }
            copy.Add(segments[i], name);
            string index = SegmentFormat.IndexPath(segments[i]);
            if (File.Exists(index)) copy.Add(index, "journal/" + Path.GetFileName(index));
        }
    }

    // Where the last whole append of a segment ends that may be growing; null without a header.
    private static long? WholeLength(string path)
    {
        var door = new FileDoor();
        using IDoorFile file = door.OpenRead(path);
        if (!SegmentFormat.TryReadHeader(path, file, out _, out _)) return null;
        using var reader = new FrameReader(door.OpenRead(path), 1 << 20);
        long end = file.Length;
        long offset = SegmentFormat.HeaderSize;
        long whole = offset;
        while (offset < end && reader.Read(offset, end, out Frame frame) is null)
        {
            offset += frame.Size;
            if (frame.Remaining == 0) whole = offset;
        }
        // Damage is not a torn tail: then all of it is copied, and found.
        return offset < end && reader.WasFlushedOnce(offset, offset + 1, end) ? end : whole;
    }

    private static void CopyFolder(string folder, string root, FolderCopy copy)
    {
        if (!Directory.Exists(folder)) return;
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (Path.GetFileName(file) is "lock" or "lock.pid" || file.EndsWith(".tmp", StringComparison.Ordinal)) continue;
            try
            {
                copy.Add(file, Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/'));
            }
            catch (FileNotFoundException)
            {
                // Dropped by retention, or a destroyed key, in the meantime.
            }
        }
    }
}

/// <summary>Makes a data folder of a backup.</summary>
public static class DataRestore
{
    /// <summary>Checks every file of a backup against its manifest.</summary>
    /// <exception cref="StorageException">A file is missing, has another size or another hash.</exception>
    public static BackupManifest Check(string backup, IProgress<StorageProgress>? progress = null, CancellationToken cancellation = default)
    {
        backup = Path.GetFullPath(backup);
        try
        {
            BackupManifest manifest = BackupManifest.Read(Path.Combine(backup, BackupManifest.FileName));
            long done = 0;
            foreach (BackupFile file in manifest.Files)
            {
                cancellation.ThrowIfCancellationRequested();
                string path = FolderCopy.Inside(backup, file.Path);
                if (!File.Exists(path)) throw new StorageException($"{path} of the backup is missing");
                using FileStream content = File.OpenRead(path);
                if (content.Length != file.Size) throw new StorageException($"{path} has {content.Length} bytes, expected {file.Size}");
                if (Convert.ToHexStringLower(SHA256.HashData(content)) != file.Sha256)
                {
                    throw new StorageException($"{path} is not what was backed up (SHA-256)");
                }
                progress?.Report(new StorageProgress(done += file.Size, manifest.Bytes));
            }
            return manifest;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "read backup", backup);
        }
    }

    /// <summary>Checks a backup and copies it.</summary>
    /// <param name="target">A folder that is empty or does not exist; afterwards it opens as a data folder.</param>
    /// <exception cref="StorageException">The target is not empty, the backup is damaged, or the disk refuses.</exception>
    public static BackupManifest Run(
        string backup, string target, IProgress<StorageProgress>? progress = null, CancellationToken cancellation = default)
    {
        backup = Path.GetFullPath(backup);
        target = Path.GetFullPath(target);
        if (!DataFolder.IsEmpty(target)) throw new StorageException($"{target} is not empty; restore into a new folder");
        BackupManifest manifest = Check(backup, cancellation: cancellation);
        try
        {
            var copy = new FolderCopy(target, progress, cancellation);
            copy.Begin(backup, manifest.Bytes);
            foreach (BackupFile file in manifest.Files) copy.Add(FolderCopy.Inside(backup, file.Path), file.Path);
            // Files that changed while they were copied are no restored data either.
            if (!copy.Files().SequenceEqual(manifest.Files)) throw new StorageException($"{backup} changed while it was restored; restore it again");
            copy.Flush();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "restore to", target);
        }
        // Last: a restore that was broken off is not empty and has no stamp, so nothing opens it.
        DataFolder.Adopt(target);
        return manifest;
    }
}
