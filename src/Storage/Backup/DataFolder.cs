using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using HybridTrading.Storage.Files;

namespace HybridTrading.Storage.Backup;

/// <summary>
/// The layout of a data folder:
/// <code>
/// version        one line, "hybrid-trading data 1"
/// lock, lock.pid held by the process that uses the folder
/// journal/       segments and their indices
/// keys/          master key and wrapped data keys
/// snapshots/     short cuts to streams; disposable
/// blobs/         contents: uploaded data sets, results of jobs
/// work/          files while they are taken in or read; emptied at the start
/// market/FEED/   the log of each feed
/// state.db       grain state, reminders, positions
/// bars.db        bars by symbol and time frame
/// views.db       projections of the journal; disposable
/// views.erasures how many data keys were destroyed when views.db was begun
/// outbox/        mails, where no server takes them
/// demo           whether the demonstration of a first start is still to be made
/// runs/ID/       a replay: a data folder of its own
/// </code>
/// </summary>
public sealed partial class DataFolder : IDisposable
{
    private const int FormatVersion = 1;
    private const string Stamp = "hybrid-trading data ";

    private readonly FolderLock? _lock;

    private DataFolder(string root, FolderLock? folderLock, bool isNew)
    {
        Root = root;
        _lock = folderLock;
        IsNew = isNew;
    }

    public string Root { get; }

    /// <summary>This opening made it.</summary>
    public bool IsNew { get; }

    public string Journal => Path.Combine(Root, "journal");
    public string Keys => Path.Combine(Root, "keys");
    public string Snapshots => Path.Combine(Root, "snapshots");
    public string Blobs => Path.Combine(Root, "blobs");
    public string Work => Path.Combine(Root, "work");
    public string Market => Path.Combine(Root, "market");
    public string StateDatabase => Path.Combine(Root, "state.db");
    public string BarDatabase => Path.Combine(Root, "bars.db");
    public string ViewDatabase => Path.Combine(Root, "views.db");
    public string Outbox => Path.Combine(Root, "outbox");
    public string ViewErasures => Path.Combine(Root, "views.erasures");

    /// <summary>Where data lies when nobody says: <c>HybridTrading</c> in the platform's folder for application data.</summary>
    public static string DefaultPath => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "HybridTrading");

    /// <summary>Takes a folder for this process; makes it, readable by this user only, where there is none.</summary>
    /// <exception cref="StorageException">In use by another process, not ours, of a newer format, or not writable.</exception>
    public static DataFolder Open(string? path = null, IFileDoor? door = null)
    {
        string root = Path.GetFullPath(path ?? DefaultPath);
        door ??= new FileDoor();
        FolderLock? folderLock = null;
        try
        {
            door.CreateFolder(root);
            if (!HasStamp(root) && !IsEmpty(root))
            {
                throw new StorageException($"{root} is not empty and holds no data of HybridTrading; name another folder");
            }
            folderLock = FolderLock.Take(door, root);
            string stamp = Path.Combine(root, "version");
            bool isNew = !door.Exists(stamp);
            if (isNew) WriteStamp(door, root);
            else CheckStamp(stamp, door);
            return new DataFolder(root, folderLock, isNew);
        }
        catch (Exception refused)
        {
            folderLock?.Dispose();
            if (refused is IOException or UnauthorizedAccessException) throw StorageException.From(refused, "open data folder", root);
            throw;
        }
    }

    /// <summary>Looks at a folder that another process may be using: for tools that only read.</summary>
    /// <exception cref="StorageException">No data folder there, or of a newer format.</exception>
    public static DataFolder Look(string? path = null)
    {
        string root = Path.GetFullPath(path ?? DefaultPath);
        if (!HasStamp(root)) throw new StorageException($"{root} holds no data of HybridTrading; name its folder with --data");
        CheckStamp(Path.Combine(root, "version"), new FileDoor());
        return new DataFolder(root, null, isNew: false);
    }

    /// <summary>The folder of a feed's market log.</summary>
    /// <exception cref="ArgumentException">The name could not be a folder's on every system.</exception>
    public string Feed(string name) => Path.Combine(Market, Checked(name, "feed"));

    /// <summary>The folder of a replay; open it as a data folder.</summary>
    /// <inheritdoc cref="Feed"/>
    public string Run(string id) => Path.Combine(Root, "runs", Checked(id, "run"));

    /// <summary>The replays that have a folder.</summary>
    public IReadOnlyList<string> Runs()
    {
        string runs = Path.Combine(Root, "runs");
        return Directory.Exists(runs) ? [.. Directory.GetDirectories(runs).Select(run => Path.GetFileName(run)).Order(StringComparer.Ordinal)] : [];
    }

    public void Dispose() => _lock?.Dispose();

    /// <summary>Declares a folder that was filled by a restore to be a data folder.</summary>
    internal static void Adopt(string root)
    {
        try
        {
            WriteStamp(new FileDoor(), root);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageException.From(refused, "write", root);
        }
    }

    internal static bool IsEmpty(string folder) =>
        !Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).All(entry => Path.GetFileName(entry) is "lock" or "lock.pid" or "runs");

    private static void WriteStamp(IFileDoor door, string root) => door.WriteWhole(
        Path.Combine(root, "version"), Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Stamp}{FormatVersion}\n")));

    private static bool HasStamp(string root) => File.Exists(Path.Combine(root, "version"));

    private static void CheckStamp(string path, IFileDoor door)
    {
        string text = Encoding.ASCII.GetString(door.ReadWhole(path)).Trim();
        if (!text.StartsWith(Stamp, StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(Stamp.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int version))
        {
            throw new StorageException($"{path} says '{text}'; expected '{Stamp}{FormatVersion}'");
        }
        if (version > FormatVersion)
        {
            throw new StorageException(
                $"{path} says data format {version}; this program reads format {FormatVersion}: use the newer program that wrote it");
        }
    }

    private static string Checked(string name, string what) => NamePattern().IsMatch(name)
        ? name
        : throw new ArgumentException(
            $"'{name}' is no name of a {what}; expected 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-', beginning with a letter or digit");

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
