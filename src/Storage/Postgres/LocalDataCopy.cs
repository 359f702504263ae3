using System.Globalization;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Backup;
using HybridTrading.Storage.Blobs;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using HybridTrading.Storage.MarketLog;
using HybridTrading.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace HybridTrading.Storage.Postgres;

/// <summary>What was copied.</summary>
/// <param name="Journal">The same at both ends.</param>
public sealed record DataCopyReport(TreeHead Journal, long Streams, long Keys, long MarketEvents, long Bars, long GrainStates, long Positions, long Contents);

/// <summary>Where a copy is.</summary>
/// <param name="Part">For example <c>journal</c>.</param>
public readonly record struct DataCopyProgress(string Part, long Done, long Total);

/// <summary>
/// Moves the data of a local installation into the empty database of a cluster, in one transaction: journal, keys, market logs, bars, grain state,
/// positions of followers, contents. The source is verified while it is read and the target before the commit; their trees must be equal. Positions, versions and hashes stay what
/// they are. The master key is not copied: it goes to where the cluster keeps its secrets.
/// </summary>
public sealed class LocalDataCopy(DataFolder source, PostgresDatabase target)
{
    // Copied events lie in chunks as if each were a transaction long before the first of this server.
    private const long FirstXid = -(1L << 62);
    private const int ChunkEvents = 4096;
    private const string Key = ".key", Destroyed = ".destroyed";

    // For the server to take in what it was sent.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <exception cref="StorageException">The source is not sound, the target is not empty, or one of them refused; nothing is copied then.</exception>
    public async Task<DataCopyReport> RunAsync(IProgress<DataCopyProgress>? progress = null, CancellationToken cancellation = default)
    {
        await new PostgresMigrations(target).RequireCurrentAsync(cancellation).ConfigureAwait(false);
        return await target.OnceAsync("copy data", async (connection, token) =>
        {
            // Until the commit writers of the target wait, and a lock that somebody holds ends this with a message.
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
            await connection.ExecuteAsync(
                "LOCK TABLE stream_head, journal_event, journal_tree, journal_batch, subject_key, market_feed IN EXCLUSIVE MODE", [], token).ConfigureAwait(false);
            await RequireEmptyAsync(connection, token).ConfigureAwait(false);

            FileKeyProvider keys = FileKeyProvider.Open(source.Keys);
            (JournalReport journal, HashSet<string> subjects) = await CopyJournalAsync(connection, keys, progress, token).ConfigureAwait(false);
            long keyCount = await CopyKeysAsync(connection, subjects, token).ConfigureAwait(false);
            long marketEvents = await CopyMarketAsync(connection, progress, token).ConfigureAwait(false);
            long bars = await CopyBarsAsync(connection, token).ConfigureAwait(false);
            long states = await CopyGrainStateAsync(connection, token).ConfigureAwait(false);
            long positions = await CopyPositionsAsync(connection, token).ConfigureAwait(false);
            long contents = await CopyContentsAsync(connection, subjects, token).ConfigureAwait(false);

            PostgresJournalReport copied = await new PostgresJournalVerifier(target, keys).VerifyAsync(
                connection, new Part(progress, "verify"), token).ConfigureAwait(false);
            if (copied.Fault is { } fault) throw new StorageException($"the copy of the journal is not sound: {fault}; nothing was copied");
            if (copied.Tree != journal.Tree || copied.Streams != journal.Streams)
            {
                throw new StorageException($"the copy of the journal has root {copied.Tree.Root}, the source {journal.Tree.Root}; nothing was copied");
            }
            await transaction.CommitAsync(token).ConfigureAwait(false);
            return new DataCopyReport(journal.Tree, journal.Streams, keyCount, marketEvents, bars, states, positions, contents);
        }, cancellation).ConfigureAwait(false);
    }

    private async Task RequireEmptyAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        string? there = await connection.ScalarAsync<string>(
            """
            SELECT CASE
                WHEN EXISTS (SELECT FROM journal_event) OR (SELECT size FROM journal_tree) > 0 THEN 'events'
                WHEN EXISTS (SELECT FROM subject_key) THEN 'keys'
                WHEN EXISTS (SELECT FROM market_block) THEN 'market data'
                WHEN EXISTS (SELECT FROM bar) THEN 'bars'
                WHEN EXISTS (SELECT FROM grain_state) THEN 'grain state'
                WHEN EXISTS (SELECT FROM follower) THEN 'positions'
                WHEN EXISTS (SELECT FROM blob) THEN 'contents'
            END
            """, [], cancellation).ConfigureAwait(false);
        if (there is not null) throw new StorageException($"the database {target.Name} holds {there}; data can be copied into an empty one only");
    }

    private async Task<(JournalReport Report, HashSet<string> Subjects)> CopyJournalAsync(
        NpgsqlConnection connection, FileKeyProvider keys, IProgress<DataCopyProgress>? progress, CancellationToken cancellation)
    {
        var tree = new MerkleFrontier();
        var subjects = new HashSet<string>(StringComparer.Ordinal);
        DateTime now = await connection.ScalarAsync<DateTime>("SELECT now()", [], cancellation).ConfigureAwait(false);
        // Reading and checking the files is synchronous, and so is what is fed from it.
        JournalReport report = await Task.Run(() =>
        {
            using NpgsqlBinaryImporter copy = connection.BeginBinaryImport(
                "COPY journal_event (xid, ordinal, recorded_at, stream, version, record) FROM STDIN (FORMAT binary)");
            copy.Timeout = LongestWait;
            JournalReport verified = new JournalVerifier(source.Journal, keys).Verify((one, record) =>
            {
                copy.StartRow();
                copy.Write(FirstXid + tree.Size / ChunkEvents, NpgsqlDbType.Bigint);
                copy.Write((int)(tree.Size % ChunkEvents), NpgsqlDbType.Integer);
                copy.Write(now, NpgsqlDbType.TimestampTz);
                copy.Write(one.Stream, NpgsqlDbType.Text);
                copy.Write(one.Version, NpgsqlDbType.Bigint);
                copy.Write(record, NpgsqlDbType.Bytea);
                tree.Append(TreeHash.Leaf(record));
                subjects.Add(one.Subject);
            }, new Part(progress, "journal"), cancellation);
            if (verified.Fault is { } fault) throw new StorageException($"the journal of {source.Root} is not sound: {fault}; nothing was copied");
            copy.Complete();
            return verified;
        }, cancellation).ConfigureAwait(false);
        await connection.ExecuteLongAsync(
            """
            INSERT INTO stream_head (stream, version, previous) SELECT stream, max(version), max(version) - 1 FROM journal_event GROUP BY stream
            """, [], cancellation).ConfigureAwait(false);
        await connection.ExecuteLongAsync(
            """
            INSERT INTO journal_batch (first_position, xid, events, recorded_at)
            SELECT (xid - $1) * $2, xid, count(*), min(recorded_at) FROM journal_event GROUP BY xid
            """, [FirstXid, (long)ChunkEvents], cancellation).ConfigureAwait(false);
        await connection.ExecuteAsync(
            "UPDATE journal_tree SET size = $1, peaks = $2, xid = coalesce((SELECT max(xid) FROM journal_batch), xid)",
            [tree.Size, JournalIntegrator.Bytes(tree.Peaks)], cancellation).ConfigureAwait(false);
        return (report, subjects);
    }

    // A destroyed key has left its number only, under the hash of its subject; whose it is the journal tells.
    private async Task<long> CopyKeysAsync(NpgsqlConnection connection, HashSet<string> subjects, CancellationToken cancellation)
    {
        string folder = Path.Combine(source.Keys, "subjects");
        List<(string Subject, int Number, byte[]? Wrapped)> keys = [];
        foreach (string file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*" + Key) : [])
        {
            byte[] wrapped = await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false);
            (string subject, int number) = WrappedKey.Owner(wrapped, file);
            subjects.Add(subject);
            keys.Add((subject, number, wrapped));
        }
        foreach (string subject in subjects)
        {
            string hash = TreeHash.Sha256(System.Text.Encoding.UTF8.GetBytes(subject)).ToString();
            for (int number = 1; ; number++)
            {
                string name = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{hash}.{number}"));
                if (File.Exists(name + Destroyed)) keys.Add((subject, number, null));
                else if (!File.Exists(name + Key)) break;
            }
        }
        foreach ((string subject, int number, byte[]? wrapped) in keys.OrderByDescending(key => key.Wrapped is null))
        {
            // A crash while a key was being destroyed leaves both; destroyed counts.
            await connection.ExecuteAsync(
                "INSERT INTO subject_key (subject, number, wrapped, destroyed) VALUES ($1, $2, $3::bytea, CASE WHEN $3::bytea IS NULL THEN now() END) ON CONFLICT DO NOTHING",
                [subject, number, wrapped], cancellation).ConfigureAwait(false);
        }
        return keys.Count;
    }

    private async Task<long> CopyMarketAsync(NpgsqlConnection connection, IProgress<DataCopyProgress>? progress, CancellationToken cancellation)
    {
        long events = 0;
        string[] feeds = Directory.Exists(source.Market) ? Directory.GetDirectories(source.Market) : [];
        foreach (string folder in feeds.Order(StringComparer.Ordinal))
        {
            string feed = Path.GetFileName(folder);
            await using SegmentMarketLog log = SegmentMarketLog.Open(folder);
            long position = log.FirstPosition;
            await using (NpgsqlBinaryImporter copy = await connection.BeginBinaryImportAsync(
                "COPY market_block (feed, first_position, events, body) FROM STDIN (FORMAT binary)", cancellation).ConfigureAwait(false))
            {
                copy.Timeout = LongestWait;
                await foreach (ReadOnlyMemory<Domain.Markets.MarketEvent> batch in log.ReadBatchesAsync(position, cancellation).ConfigureAwait(false))
                {
                    foreach ((long first, int count, byte[] body) in MarketBlock.Write(batch.Span, position))
                    {
                        await copy.StartRowAsync(cancellation).ConfigureAwait(false);
                        await copy.WriteAsync(feed, NpgsqlDbType.Text, cancellation).ConfigureAwait(false);
                        await copy.WriteAsync(first, NpgsqlDbType.Bigint, cancellation).ConfigureAwait(false);
                        await copy.WriteAsync(count, NpgsqlDbType.Integer, cancellation).ConfigureAwait(false);
                        await copy.WriteAsync(body, NpgsqlDbType.Bytea, cancellation).ConfigureAwait(false);
                    }
                    position += batch.Length;
                    progress?.Report(new DataCopyProgress($"market log {feed}", position - log.FirstPosition, log.NextPosition - log.FirstPosition));
                }
                await copy.CompleteAsync(cancellation).ConfigureAwait(false);
            }
            if (position != log.NextPosition) throw new StorageException($"the market log {folder} ends at {position}, expected {log.NextPosition}; nothing was copied");
            await connection.ExecuteAsync(
                "INSERT INTO market_feed (feed, first_position, next_position) VALUES ($1, $2, $3)", [feed, log.FirstPosition, log.NextPosition],
                cancellation).ConfigureAwait(false);
            events += log.NextPosition - log.FirstPosition;
        }
        return events;
    }

    private async Task<long> CopyBarsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        const string columns = "symbol, time_frame, open_time, bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, volume";
        if (!File.Exists(source.BarDatabase)) return 0;
        using SqliteDatabase bars = SqliteDatabase.Open(source.BarDatabase, SqliteDurability.Normal);
        if (!HasTable(bars, "bar")) return 0;
        return await Task.Run(() => bars.Read(from =>
        {
            using NpgsqlBinaryImporter copy = connection.BeginBinaryImport($"COPY bar ({columns}) FROM STDIN (FORMAT binary)");
            copy.Timeout = LongestWait;
            using SqliteCommand command = from.CreateCommand();
            command.CommandText = $"SELECT {columns} FROM bar";
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                cancellation.ThrowIfCancellationRequested();
                copy.StartRow();
                copy.Write(row.GetString(0), NpgsqlDbType.Text);
                copy.Write(row.GetString(1), NpgsqlDbType.Text);
                for (int i = 2; i <= 10; i++) copy.Write(row.GetInt64(i), NpgsqlDbType.Bigint);
                copy.Write(row.GetDouble(11), NpgsqlDbType.Double);
            }
            return (long)copy.Complete();
        }), cancellation).ConfigureAwait(false);
    }

    // Etags are given anew: nobody has read one yet.
    /// <summary>Sealed bytes go as they are; a folder's name is the hash of its owner, and who owns contents is in the journal.</summary>
    private async Task<long> CopyContentsAsync(NpgsqlConnection connection, HashSet<string> subjects, CancellationToken cancellation)
    {
        long copied = 0;
        foreach (string subject in subjects)
        {
            foreach (string path in FileBlobStore.Files(source.Blobs, subject))
            {
                await using FileStream file = File.OpenRead(path);
                byte[] header = new byte[SealedBlob.HeaderSize], chunk = new byte[SealedBlob.ChunkSize + SealedBlob.Overhead];
                if (await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false) < header.Length)
                {
                    throw new StorageException($"{path} is damaged: it has no header; nothing was copied");
                }
                Guid content = SealedBlob.ContentOf(header);
                DateTime stored = File.GetLastWriteTimeUtc(path);
                int chunks = 0, read;
                while ((read = await file.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false)) > 0)
                {
                    await connection.ExecuteAsync("INSERT INTO blob_chunk (content, number, sealed, stored) VALUES ($1, $2, $3, $4)",
                        [content, chunks++, chunk[..read], stored], cancellation).ConfigureAwait(false);
                }
                await connection.ExecuteAsync("INSERT INTO blob (subject, id, content, header, chunks, length, stored) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    [subject, Path.GetFileNameWithoutExtension(path), content, header, chunks, SealedBlob.LengthOf(file.Length - SealedBlob.HeaderSize), stored],
                    cancellation).ConfigureAwait(false);
                copied++;
            }
        }
        return copied;
    }

    private async Task<long> CopyGrainStateAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!File.Exists(source.StateDatabase)) return 0;
        using SqliteDatabase state = SqliteDatabase.Open(source.StateDatabase);
        if (!HasTable(state, "grain_state")) return 0;
        return await Task.Run(() => state.Read(from =>
        {
            using NpgsqlBinaryImporter copy = connection.BeginBinaryImport("COPY grain_state (grain, name, payload) FROM STDIN (FORMAT binary)");
            copy.Timeout = LongestWait;
            using SqliteCommand command = from.CreateCommand();
            command.CommandText = "SELECT grain, name, payload FROM grain_state";
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                cancellation.ThrowIfCancellationRequested();
                copy.StartRow();
                copy.Write(row.GetString(0), NpgsqlDbType.Text);
                copy.Write(row.GetString(1), NpgsqlDbType.Text);
                copy.Write(row.GetFieldValue<byte[]>(2), NpgsqlDbType.Bytea);
            }
            return (long)copy.Complete();
        }), cancellation).ConfigureAwait(false);
    }

    private async Task<long> CopyPositionsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!File.Exists(source.StateDatabase)) return 0;
        using SqliteDatabase state = SqliteDatabase.Open(source.StateDatabase);
        List<(string Name, int Version, long Position)> positions = state.Read(from =>
        {
            using SqliteCommand command = from.CreateCommand();
            command.CommandText = "SELECT name, version, position FROM position";
            using SqliteDataReader row = command.ExecuteReader();
            List<(string, int, long)> rows = [];
            while (row.Read()) rows.Add((row.GetString(0), row.GetInt32(1), row.GetInt64(2)));
            return rows;
        });
        foreach ((string name, int version, long position) in positions)
        {
            await connection.ExecuteAsync(
                "INSERT INTO follower (name, version, position) VALUES ($1, $2, $3)", [name, version, position], cancellation).ConfigureAwait(false);
        }
        return positions.Count;
    }

    private static bool HasTable(SqliteDatabase database, string name) => database.Read(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $name";
        command.Parameters.AddWithValue("$name", name);
        return command.ExecuteScalar() is long and > 0;
    });

    private sealed class Part(IProgress<DataCopyProgress>? progress, string name) : IProgress<StorageProgress>
    {
        public void Report(StorageProgress value) => progress?.Report(new DataCopyProgress(name, value.Done, value.Total));
    }
}
