using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>The first thing that is wrong with a journal in a database.</summary>
/// <param name="Position">Global position at which the walk stopped.</param>
public sealed record PostgresJournalFault(long Position, string What)
{
    public override string ToString() => $"position {Position}: {What}";
}

/// <summary>What a walk over the whole journal found.</summary>
/// <param name="Events">Events before the fault, or all.</param>
/// <param name="Bytes">Of their records.</param>
/// <param name="Erased">Of these, how many belong to a destroyed key and so were checked by hash only.</param>
/// <param name="Tree">Size and root over the events.</param>
public sealed record PostgresJournalReport(
    long Events, long Streams, long Transactions, long Bytes, long Erased, TreeHead Tree, PostgresJournalFault? Fault)
{
    public bool IsSound => Fault is null;
}

/// <summary>
/// Reads every event of a journal in one snapshot, without changing any: positions, the order of transactions, stream versions and heads, the
/// encryption's tags where the key still exists, leaf hashes, and the tree that the database has stored. Runs beside writers.
/// </summary>
public sealed class PostgresJournalVerifier(PostgresDatabase database, IKeyProvider keys)
{
    private const int PageEvents = 5000;

    /// <exception cref="StorageException">The database is away, or a key is missing.</exception>
    public Task<PostgresJournalReport> VerifyAsync(IProgress<StorageProgress>? progress = null, CancellationToken cancellation = default) =>
        database.OnceAsync("verify the journal", async (connection, token) =>
        {
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, token).ConfigureAwait(false);
            return await VerifyAsync(connection, progress, token).ConfigureAwait(false);
        }, cancellation);

    /// <summary>Verifies what a connection's transaction sees.</summary>
    internal async Task<PostgresJournalReport> VerifyAsync(NpgsqlConnection connection, IProgress<StorageProgress>? progress, CancellationToken cancellation)
    {
        (long size, TreeHash root, long last) = await TreeAsync(connection, cancellation).ConfigureAwait(false);
        var walk = new Walk(new RecordDecoder(keys));
        while (walk.Fault is null && walk.Tree.Size < size)
        {
            List<StoredEvent> page = await PostgresJournalPages.ReadAsync(
                connection, walk.Tree.Size, Math.Min(size, walk.Tree.Size + PageEvents), cancellation).ConfigureAwait(false);
            if (page.Count == 0) walk.Stop("there is no event, although the tree counts more");
            foreach (StoredEvent one in page)
            {
                if (!walk.Take(one)) break;
            }
            progress?.Report(new StorageProgress(walk.Tree.Size, size));
        }
        if (walk.Fault is null && walk.Tree.Root() != root) walk.Stop($"the root over the events is not the stored one, {root}");
        if (walk.Fault is null && walk.LastXid != last && size > 0) walk.Stop($"the last transaction with a position is {walk.LastXid}, the tree says {last}");
        if (walk.Fault is null) await HeadsAsync(connection, walk, last, cancellation).ConfigureAwait(false);
        return new PostgresJournalReport(
            walk.Tree.Size, walk.Versions.Count, walk.Transactions, walk.Bytes, walk.Erased, new TreeHead(walk.Tree.Size, walk.Tree.Root()), walk.Fault);
    }

    private static async Task<(long Size, TreeHash Root, long Last)> TreeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using NpgsqlCommand command = connection.Command("SELECT size, peaks, xid FROM journal_tree");
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        if (!await row.ReadAsync(cancellation).ConfigureAwait(false)) throw new StorageException("the journal has no tree; restore it from a backup");
        long size = row.GetInt64(0);
        return (size, new MerkleFrontier(size, JournalIntegrator.Peaks(row.GetFieldValue<byte[]>(1))).Root(), row.GetInt64(2));
    }

    // Heads against what was read, together with events that have no position yet; and none was left behind the tree.
    private static async Task HeadsAsync(NpgsqlConnection connection, Walk walk, long last, CancellationToken cancellation)
    {
        await using (NpgsqlCommand left = connection.Command("SELECT count(*) FROM journal_event event WHERE xid <= $1 AND NOT EXISTS (SELECT FROM journal_batch batch WHERE batch.xid = event.xid)", last))
        {
            left.CommandTimeout = 0;
            if (await left.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is long count and > 0)
            {
                walk.Stop($"{count} events of transactions before the last have no position");
                return;
            }
        }
        await using NpgsqlCommand command = connection.Command(
            """
            SELECT head.stream, head.version, (SELECT count(*) FROM journal_event event WHERE event.stream = head.stream AND event.xid > $1)
            FROM stream_head head
            """, last);
        command.CommandTimeout = 0;
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        int heads = 0;
        while (await row.ReadAsync(cancellation).ConfigureAwait(false))
        {
            string stream = row.GetString(0);
            long read = walk.Versions.GetValueOrDefault(stream);
            if (read > 0) heads++;
            if (row.GetInt64(1) == read + row.GetInt64(2)) continue;
            walk.Stop($"stream {stream} has {read + row.GetInt64(2)} events and stands at version {row.GetInt64(1)}");
            return;
        }
        if (heads != walk.Versions.Count) walk.Stop($"{walk.Versions.Count - heads} streams have events and no version");
    }

    private sealed class Walk(RecordDecoder decoder)
    {
        public MerkleFrontier Tree { get; } = new();
        public Dictionary<string, long> Versions { get; } = new(StringComparer.Ordinal);
        public long Transactions { get; private set; }
        public long LastXid { get; private set; } = long.MinValue;
        public long Bytes { get; private set; }
        public long Erased { get; private set; }
        public PostgresJournalFault? Fault { get; private set; }

        private int _nextOrdinal;

        public void Stop(string what) => Fault = new PostgresJournalFault(Tree.Size, what);

        /// <returns>False at a fault.</returns>
        public bool Take(StoredEvent one)
        {
            if (one.Xid != LastXid)
            {
                if (one.Xid < LastXid) return Wrong($"transaction {one.Xid} comes after {LastXid}");
                Transactions++;
                LastXid = one.Xid;
                _nextOrdinal = 0;
            }
            if (one.Position != Tree.Size || one.Ordinal != _nextOrdinal) return Wrong($"event {one.Ordinal} of transaction {one.Xid} lies there, expected {_nextOrdinal}");
            RecordedEvent record;
            try
            {
                record = decoder.Decode(Tree.Size, one.Record);
            }
            catch (RecordFormatException malformed)
            {
                return Wrong(malformed.Message);
            }
            long version = Versions.GetValueOrDefault(record.Stream) + 1;
            if (record.Version != version) return Wrong($"version {record.Version} of {record.Stream}, expected {version}");
            Versions[record.Stream] = version;
            Tree.Append(TreeHash.Leaf(one.Record));
            _nextOrdinal++;
            Bytes += one.Record.Length;
            if (record.Erased) Erased++;
            return true;
        }

        private bool Wrong(string what)
        {
            Stop(what);
            return false;
        }
    }
}
