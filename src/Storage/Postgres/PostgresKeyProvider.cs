using System.Collections.Concurrent;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Data keys in the database, each wrapped by the master key, which every process reads from its own secret file and which is never in the database.
/// Destroying a key overwrites its row; it is final together with the backups and the write-ahead log that still hold the row.
/// </summary>
/// <remarks>
/// A key that another process destroys is forgotten here within <see cref="CheckEvery"/>, and no append that uses it commits once it is destroyed:
/// the append itself looks.
/// </remarks>
public sealed class PostgresKeyProvider : IKeyProvider, IDisposable
{
    /// <summary>How often this process asks which keys were destroyed elsewhere.</summary>
    public static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(5);

    private readonly PostgresDatabase _database;
    private readonly byte[] _master;
    private readonly ITimer _checking;
    private readonly ConcurrentDictionary<string, SubjectKey> _current = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Subject, int Number), SubjectKey?> _known = new();
    private readonly Lock _changing = new();
    private DateTime _checked = DateTime.UnixEpoch;

    private PostgresKeyProvider(PostgresDatabase database, byte[] master, TimeProvider time)
    {
        _database = database;
        _master = master;
        _checking = time.CreateTimer(_ => TryCheck(), null, CheckEvery, CheckEvery);
    }

    /// <param name="masterKeyFile">A file as <see cref="FileKeyProvider"/> makes it (<c>keys/master.key</c>), the same for every process.</param>
    /// <exception cref="StorageException">There is none, or others can read it.</exception>
    public static PostgresKeyProvider Open(PostgresDatabase database, string masterKeyFile, TimeProvider? time = null) =>
        new(database, FileKeyProvider.ReadMaster(masterKeyFile), time ?? TimeProvider.System);

    public SubjectKey GetOrCreate(string subject)
    {
        if (_current.TryGetValue(subject, out SubjectKey? key)) return key;
        lock (_changing)
        {
            if (_current.TryGetValue(subject, out key)) return key;
            // Whoever is first makes the key, and all use it.
            (int Number, byte[]? Wrapped) last = Last(subject);
            if (last.Number == 0)
            {
                byte[] wrapped = WrappedKey.Create(_master, subject, 1).Wrapped;
                _database.Repeatable("make a key", connection => Execute(
                    connection, "INSERT INTO subject_key (subject, number, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    subject, 1, wrapped));
                last = Last(subject);
            }
            if (last.Wrapped is null) throw new SubjectErasedException(subject);
            key = WrappedKey.Open(_master, subject, last.Number, last.Wrapped, Where(subject, last.Number));
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
            List<byte[]?> found = _database.Repeatable("read a key", connection =>
            {
                using NpgsqlCommand command = connection.Command("SELECT wrapped FROM subject_key WHERE subject = $1 AND number = $2", subject, number);
                using NpgsqlDataReader row = command.ExecuteReader();
                List<byte[]?> rows = [];
                while (row.Read()) rows.Add(row.IsDBNull(0) ? null : row.GetFieldValue<byte[]>(0));
                return rows;
            });
            if (found.Count == 0) throw new StorageException($"{Where(subject, number)} is missing and was not destroyed; restore it from a backup");
            return _known[(subject, number)] = found[0] is { } wrapped ? WrappedKey.Open(_master, subject, number, wrapped, Where(subject, number)) : null;
        }
    }

    public int DestroyedKeys() => _database.Repeatable("count destroyed keys", connection =>
    {
        using NpgsqlCommand command = connection.Command("SELECT count(*)::integer FROM subject_key WHERE wrapped IS NULL");
        return (int)command.ExecuteScalar()!;
    });

    public void Destroy(string subject)
    {
        lock (_changing)
        {
            // Who has none yet never gets one.
            _database.Repeatable("destroy keys", connection => Execute(
                connection, "INSERT INTO subject_key (subject, number, wrapped, destroyed) VALUES ($1, 1, NULL, now()) ON CONFLICT DO NOTHING",
                subject));
            _database.Repeatable("destroy keys", connection => Execute(
                connection, "UPDATE subject_key SET wrapped = NULL, destroyed = now() WHERE subject = $1 AND wrapped IS NOT NULL", subject));
            foreach ((string known, int number) in _known.Keys)
            {
                if (known == subject) Forget(known, number);
            }
        }
    }

    public void Dispose() => _checking.Dispose();

    /// <summary>A key was destroyed elsewhere.</summary>
    internal void Forget(string subject, int number)
    {
        if (_current.TryGetValue(subject, out SubjectKey? current) && current.Number == number) _current.TryRemove(subject, out _);
        if (_known.TryGetValue((subject, number), out SubjectKey? key)) key?.Destroy();
        _known[(subject, number)] = null;
    }

    /// <summary>Forgets what was destroyed elsewhere since the last look.</summary>
    /// <exception cref="StorageException">The database is away.</exception>
    internal void Check()
    {
        // A transaction that began before the last look may have committed after it.
        DateTime since = _checked.AddMinutes(-1);
        _database.Repeatable("look for destroyed keys", connection =>
        {
            using NpgsqlCommand command = connection.Command("SELECT subject, number, destroyed FROM subject_key WHERE destroyed >= $1", since);
            using NpgsqlDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                if (row.GetDateTime(2) > _checked) _checked = row.GetDateTime(2);
                if (!_known.TryGetValue((row.GetString(0), row.GetInt32(1)), out SubjectKey? known) || known is not null) Forget(row.GetString(0), row.GetInt32(1));
            }
            return true;
        });
    }

    private void TryCheck()
    {
        try
        {
            Check();
        }
        catch (Exception away) when (away is StorageException or ObjectDisposedException)
        {
            // Asked again at the next interval; appends look by themselves.
        }
    }

    private (int Number, byte[]? Wrapped) Last(string subject) => _database.Repeatable("read a key", connection =>
    {
        using NpgsqlCommand command = connection.Command("SELECT number, wrapped FROM subject_key WHERE subject = $1 ORDER BY number DESC LIMIT 1", subject);
        using NpgsqlDataReader row = command.ExecuteReader();
        return row.Read() ? (row.GetInt32(0), row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1)) : (0, (byte[]?)null);
    });

    private string Where(string subject, int number) => $"key {number} of {subject} in {_database.Name}";

    private static int Execute(NpgsqlConnection connection, string sql, params object?[] values)
    {
        using NpgsqlCommand command = connection.Command(sql, values);
        return command.ExecuteNonQuery();
    }
}
