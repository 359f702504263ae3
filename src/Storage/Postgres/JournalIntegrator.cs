using HybridTrading.Domain.Journal;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Gives positions after the commit. The order is that of the transactions' ids: what lies below every transaction that still runs can get no
/// neighbour before it any more, so a reader who follows the positions never passes a row that commits late. Every process has an integrator, and an
/// advisory lock lets one of them work at a time; if that failed, compare-and-set on the size of the tree would.
/// </summary>
/// <remarks>
/// A round commits without waiting for the disk: a round that a crash takes back is done again, and the order of ids gives the same positions.
/// </remarks>
internal sealed partial class JournalIntegrator : IAsyncDisposable
{
    // "hybr" and "intg" in ASCII.
    private const long LockKey = 0x68796272_696e7467;
    private const int RoundEvents = 10_000;
    private const int MonthsAhead = 4;
    public const string Channel = "journal";

    private static readonly TimeSpan PartitionsEvery = TimeSpan.FromHours(1);

    private readonly PostgresDatabase _database;
    private readonly JournalTail _tail;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Task _running;

    // Guards the batches of this process that wait for their positions.
    private readonly Lock _gate = new();
    private readonly Dictionary<long, CommittedBatch> _waiting = [];

    // The loop's own.
    private NpgsqlConnection? _connection;
    private long? _partitionsChecked;
    private long _integrated = long.MinValue;
    private volatile bool _closing;

    public JournalIntegrator(PostgresDatabase database, JournalTail tail, TimeProvider time, ILogger log)
    {
        _database = database;
        _tail = tail;
        _time = time;
        _log = log;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Whether nothing of this process waits for a position.</summary>
    private bool IsIdle
    {
        get
        {
            lock (_gate) return _waiting.Count == 0;
        }
    }

    public void Add(CommittedBatch batch)
    {
        lock (_gate) _waiting.Add(batch.Xid, batch);
        Signal();
    }

    /// <summary>Says that there may be something to do.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
    }

    /// <summary>Ends; what this process committed gets its positions first, if the database allows it within some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing) return;
        _closing = true;
        Signal();
        _stop.CancelAfter(_database.Options.CommandTimeout);
        await _running.ConfigureAwait(false);
        await DropConnectionAsync().ConfigureAwait(false);
        _stop.Dispose();
        _signal.Dispose();
    }

    private async Task RunAsync()
    {
        TimeSpan pause = Timeout.InfiniteTimeSpan;
        bool isAway = false;
        while (!(_closing && IsIdle))
        {
            try
            {
                await _signal.WaitAsync(pause, _stop.Token).ConfigureAwait(false);
                while (await RoundAsync(_stop.Token).ConfigureAwait(false)) continue;
                await PlaceIntegratedElsewhereAsync(_stop.Token).ConfigureAwait(false);
                isAway = false;
                // Own events that wait for somebody else's transaction ask again by themselves.
                pause = IsIdle ? Timeout.InfiniteTimeSpan : Longer(pause, TimeSpan.FromMilliseconds(20));
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                if (!isAway) Failed(_log, _database.Refused(failed, "give positions")?.Message ?? failed.Message);
                isAway = true;
                pause = Longer(pause, TimeSpan.FromSeconds(0.5));
                await DropConnectionAsync().ConfigureAwait(false);
            }
        }

        static TimeSpan Longer(TimeSpan pause, TimeSpan most) =>
            pause <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : pause * 2 < most ? pause * 2 : most;
    }

    /// <returns>Whether there is more to do at once.</returns>
    private async Task<bool> RoundAsync(CancellationToken cancellation)
    {
        _connection ??= await _database.Source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        if (_partitionsChecked is not { } last || _time.GetElapsedTime(last) > PartitionsEvery)
        {
            await _connection.ExecuteAsync("SELECT journal_ensure_partitions(now(), $1)", [MonthsAhead], cancellation).ConfigureAwait(false);
            _partitionsChecked = _time.GetTimestamp();
        }
        await using NpgsqlTransaction transaction = await _connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        (long size, MerkleFrontier tree, List<Row> rows) = await ReadAsync(_connection, cancellation).ConfigureAwait(false);
        bool isFull = rows.Count == RoundEvents;
        if (isFull) rows = await WholeTransactionsAsync(_connection, rows, cancellation).ConfigureAwait(false);
        if (rows.Count == 0) return false;

        List<Placed> placed = [];
        foreach (Row row in rows)
        {
            if (placed.Count == 0 || placed[^1].Xid != row.Xid) placed.Add(new Placed(row.Xid, tree.Size, row.RecordedAt));
            if (row.Ordinal != placed[^1].Events)
            {
                throw new StorageException($"transaction {row.Xid} of the journal in {_database.Name} lacks event {placed[^1].Events}; restore it from a backup");
            }
            placed[^1].Events++;
            tree.Append(row.Leaf);
        }
        await WriteAsync(_connection, size, tree, placed, cancellation).ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        _integrated = placed[^1].Xid;
        _tail.Advance(tree.Size);
        foreach (Placed one in placed) Take(one.Xid)?.Place(one.FirstPosition);
        return isFull;
    }

    private async Task<(long Size, MerkleFrontier Tree, List<Row> Rows)> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SET LOCAL synchronous_commit = off"),
                new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock($1)") { Parameters = { new() { Value = LockKey } } },
                // Each statement sees what was committed before it, so these two see what the lock's last holder did.
                new NpgsqlBatchCommand("SELECT size, peaks, xid, pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM journal_tree"),
                new NpgsqlBatchCommand(
                    """
                    SELECT xid, ordinal, recorded_at, sha256('\x00'::bytea || record) FROM journal_event
                    WHERE xid > (SELECT xid FROM journal_tree) AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
                    ORDER BY xid, ordinal LIMIT $1
                    """) { Parameters = { new() { Value = RoundEvents } } },
            },
        };
        await using NpgsqlDataReader reader = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await reader.NextResultAsync(cancellation).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellation).ConfigureAwait(false)) throw new StorageException($"the journal in {_database.Name} has no tree; restore it from a backup");
        long size = reader.GetInt64(0);
        var tree = new MerkleFrontier(size, Peaks(reader.GetFieldValue<byte[]>(1)));
        _integrated = reader.GetInt64(2);
        if (_integrated >= reader.GetInt64(3)) throw new StorageException(OtherServer(_database.Name));
        await reader.NextResultAsync(cancellation).ConfigureAwait(false);
        return (size, tree, await RowsAsync(reader, cancellation).ConfigureAwait(false));
    }

    // The last transaction of a full round may be cut; it comes whole in the next one, or alone now.
    private static async Task<List<Row>> WholeTransactionsAsync(NpgsqlConnection connection, List<Row> rows, CancellationToken cancellation)
    {
        long last = rows[^1].Xid;
        if (rows[0].Xid != last)
        {
            rows.RemoveRange(rows.FindIndex(row => row.Xid == last), rows.Count(row => row.Xid == last));
            return rows;
        }
        await using NpgsqlCommand command = connection.Command(
            "SELECT xid, ordinal, recorded_at, sha256('\\x00'::bytea || record) FROM journal_event WHERE xid = $1 ORDER BY ordinal", last);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        return await RowsAsync(reader, cancellation).ConfigureAwait(false);
    }

    private static async Task<List<Row>> RowsAsync(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        List<Row> rows = [];
        while (await reader.ReadAsync(cancellation).ConfigureAwait(false))
        {
            rows.Add(new Row(
                reader.GetInt64(0), reader.GetInt32(1), reader.GetDateTime(2), new TreeHash(reader.GetFieldValue<byte[]>(3))));
        }
        return rows;
    }

    private async Task WriteAsync(
        NpgsqlConnection connection, long before, MerkleFrontier tree, List<Placed> placed, CancellationToken cancellation)
    {
        await using (NpgsqlCommand insert = connection.Command(
            """
            INSERT INTO journal_batch (first_position, xid, events, recorded_at)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::timestamptz[])
            """,
            placed.Select(one => one.FirstPosition).ToArray(), placed.Select(one => one.Xid).ToArray(),
            placed.Select(one => one.Events).ToArray(), placed.Select(one => one.RecordedAt).ToArray()))
        {
            await insert.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
        await using NpgsqlCommand update = connection.Command(
            """
            WITH moved AS (UPDATE journal_tree SET size = $1, peaks = $2, xid = $3 WHERE size = $4 RETURNING size)
            SELECT count(pg_notify($5, size::text)) FROM moved
            """,
            tree.Size, Bytes(tree.Peaks), placed[^1].Xid, before, Channel);
        if (await update.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not 1L)
        {
            throw new StorageException($"the tree of the journal in {_database.Name} was moved on by somebody who does not hold its lock");
        }
    }

    private async Task PlaceIntegratedElsewhereAsync(CancellationToken cancellation)
    {
        long[] known;
        lock (_gate) known = [.. _waiting.Keys.Where(xid => xid <= _integrated)];
        if (known.Length == 0) return;
        await using NpgsqlCommand command = _connection!.Command("SELECT xid, first_position, events FROM journal_batch WHERE xid = ANY($1)", known);
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        while (await row.ReadAsync(cancellation).ConfigureAwait(false))
        {
            _tail.Advance(row.GetInt64(1) + row.GetInt32(2));
            Take(row.GetInt64(0))?.Place(row.GetInt64(1));
        }
    }

    private CommittedBatch? Take(long xid)
    {
        lock (_gate) return _waiting.Remove(xid, out CommittedBatch? batch) ? batch : null;
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is null) return;
        await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }

    internal static string OtherServer(string name) =>
        $"the journal in {name} was written by another server whose transaction ids are ahead; a dump cannot carry it over: restore a physical backup";

    internal static TreeHash[] Peaks(byte[] bytes)
    {
        var peaks = new TreeHash[bytes.Length / TreeHash.Size];
        for (int i = 0; i < peaks.Length; i++) peaks[i] = new TreeHash(bytes.AsSpan(i * TreeHash.Size, TreeHash.Size));
        return peaks;
    }

    internal static byte[] Bytes(IReadOnlyList<TreeHash> peaks)
    {
        byte[] bytes = new byte[peaks.Count * TreeHash.Size];
        for (int i = 0; i < peaks.Count; i++) peaks[i].CopyTo(bytes.AsSpan(i * TreeHash.Size));
        return bytes;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Why}; tried again until it succeeds")]
    private static partial void Failed(ILogger log, string why);

    private readonly record struct Row(long Xid, int Ordinal, DateTime RecordedAt, TreeHash Leaf);

    private sealed class Placed(long xid, long firstPosition, DateTime recordedAt)
    {
        public long Xid => xid;
        public long FirstPosition => firstPosition;
        public DateTime RecordedAt => recordedAt;
        public int Events { get; set; }
    }
}
