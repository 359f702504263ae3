using System.Globalization;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Sqlite;

public enum SqliteDurability
{
    /// <summary>A commit is on the medium when it returns (<c>synchronous=FULL</c>).</summary>
    Full,

    /// <summary>A power cut may lose the last commits but leaves the file sound (<c>synchronous=NORMAL</c>): for what can be made anew.</summary>
    Normal,
}

/// <summary>
/// One SQLite file in WAL mode: one writing connection, used by one caller at a time in the order of asking, and a connection for each read.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private const int ApplicationId = 0x48544442;
    private const int FormatVersion = 1;
    private const int MostCheckpoints = 100;

    private static readonly TimeSpan CheckpointPause = TimeSpan.FromMilliseconds(50);

    private readonly SqliteConnection _writer;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly string _connectionString;

    private SqliteDatabase(string path, string connectionString, SqliteConnection writer, StorageInfo info)
    {
        Path = path;
        _connectionString = connectionString;
        _writer = writer;
        Info = info;
    }

    public string Path { get; }

    public StorageInfo Info { get; }

    /// <summary>Opens or makes the file; its folder must exist.</summary>
    /// <exception cref="StorageException">Not a database of ours, a newer format, damaged, or the disk refused.</exception>
    public static SqliteDatabase Open(string path, SqliteDurability durability = SqliteDurability.Full)
    {
        StorageInfo info = SqliteLibrary.Load();
        string connectionString = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate }.ToString();
        SqliteConnection? writer = null;
        try
        {
            if (!File.Exists(path) && !OperatingSystem.IsWindows())
            {
                using FileStream created = new(path, new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
            }
            writer = new SqliteConnection(connectionString);
            writer.Open();
            Execute(writer, "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;");
            CheckFormat(path, writer);
            Execute(writer, "PRAGMA journal_mode = WAL;");
            Execute(writer, $"PRAGMA synchronous = {(durability == SqliteDurability.Full ? "FULL" : "NORMAL")};");
            Execute(
                writer,
                "CREATE TABLE IF NOT EXISTS position (name TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL) WITHOUT ROWID;");
            return new SqliteDatabase(path, connectionString, writer, info);
        }
        catch (Exception refused)
        {
            writer?.Dispose();
            if (refused is SqliteException or IOException or UnauthorizedAccessException) throw Refused(refused, "open", path);
            throw;
        }
    }

    /// <summary>Runs work in one transaction on the writing connection; a throw rolls it back.</summary>
    /// <exception cref="StorageException">SQLite refused: disk full, damaged, read-only.</exception>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, SqliteTransaction, T> work, CancellationToken cancellation = default)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            using SqliteTransaction transaction = _writer.BeginTransaction();
            T result = work(_writer, transaction);
            transaction.Commit();
            return result;
        }
        catch (SqliteException refused)
        {
            throw Refused(refused, "write", Path);
        }
        finally
        {
            _writing.Release();
        }
    }

    public Task WriteAsync(Action<SqliteConnection, SqliteTransaction> work, CancellationToken cancellation = default) => WriteAsync(
        (connection, transaction) =>
        {
            work(connection, transaction);
            return true;
        },
        cancellation);

    /// <summary>Runs work on a connection of its own; it sees what was committed before and never blocks the writer.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        try
        {
            using var connection = new SqliteConnection(_connectionString);
            connection.Open();
            return work(connection);
        }
        catch (SqliteException refused)
        {
            throw Refused(refused, "read", Path);
        }
    }

    /// <summary>Runs statements that make tables where they are missing.</summary>
    public void Ensure(string schema)
    {
        _writing.Wait();
        try
        {
            Execute(_writer, schema);
        }
        catch (SqliteException refused)
        {
            throw Refused(refused, "write", Path);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// Writes the whole file anew, so that no free page, no gap inside a page and no write-ahead log holds what was deleted. Readers that are at work
    /// are waited for.
    /// </summary>
    /// <exception cref="StorageException">SQLite refused, or a reader does not end.</exception>
    public async Task ScrubAsync(CancellationToken cancellation = default)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            Execute(_writer, "VACUUM");
            for (int attempt = 0; ; attempt++)
            {
                // 1: a reader still needs pages of the log.
                if (Number(_writer, "PRAGMA wal_checkpoint(TRUNCATE)") == 0) return;
                if (attempt == MostCheckpoints) throw new StorageException($"cannot clean {Path}: it is being read all the time; it is tried again");
                await Task.Delay(CheckpointPause, cancellation).ConfigureAwait(false);
            }
        }
        catch (SqliteException refused)
        {
            throw Refused(refused, "clean", Path);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes a consistent copy of a database, as of now, while others (other processes too) read and write it.</summary>
    /// <exception cref="StorageException">The database cannot be read or the copy not written.</exception>
    public static void Backup(string path, string target)
    {
        SqliteLibrary.Load();
        try
        {
            var open = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
            using var source = new SqliteConnection(open.ToString());
            source.Open();
            using SqliteCommand command = source.CreateCommand();
            command.CommandText = "PRAGMA busy_timeout = 10000; VACUUM INTO $target";
            command.Parameters.AddWithValue("$target", target);
            command.ExecuteNonQuery();
        }
        catch (SqliteException refused)
        {
            throw Refused(refused, $"back up to {target} from", path);
        }
    }

    public void Dispose()
    {
        _writing.Wait();
        // Pooled readers would keep the file and its WAL open.
        SqliteConnection.ClearPool(_writer);
        _writer.Dispose();
        SqliteConnection.ClearPool(_writer);
        _writing.Dispose();
    }

    internal static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    internal static StorageException Refused(Exception refused, string action, string path)
    {
        const int busy = 5, readOnly = 8, corrupt = 11, full = 13, cannotOpen = 14, notDatabase = 26;
        return refused is not SqliteException sqlite ? StorageException.From(refused, action, path) : new StorageException(
            $"cannot {action} {path}: " + sqlite.SqliteErrorCode switch
            {
                busy => "another process is writing it; stop it",
                readOnly => "it is read-only; the file and its folder must be writable by this user",
                corrupt or notDatabase => "it is damaged or no SQLite database; restore it from a backup",
                full => "the disk is full; free space and start again",
                cannotOpen => "it cannot be opened; its folder must exist and be writable by this user",
                _ => sqlite.Message,
            },
            refused);
    }

    private static void CheckFormat(string path, SqliteConnection connection)
    {
        long id = Number(connection, "PRAGMA application_id");
        long version = Number(connection, "PRAGMA user_version");
        long tables = Number(connection, "SELECT COUNT(*) FROM sqlite_master");
        if (id != ApplicationId && (id != 0 || tables != 0))
        {
            throw new StorageException($"{path} is no database of HybridTrading; name another folder");
        }
        if (version > FormatVersion)
        {
            throw new StorageException(
                $"{path} has format {version}; this program reads format {FormatVersion}: use the newer program that wrote it");
        }
        if (id == 0) Execute(connection, $"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {FormatVersion};");
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
