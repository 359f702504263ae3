using System.Globalization;
using System.Runtime.CompilerServices;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Keys;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// The journal of a cluster: any number of processes write and read the one in a PostgreSQL database. Callers encode and encrypt in parallel, one
/// transaction at a time a process carries what waits (<see cref="PostgresAppender"/>), and positions are given after the commit
/// (<see cref="JournalIntegrator"/>); an append is answered when it has both. docs/postgresql.md has the tables.
/// </summary>
/// <remarks>Unlike the journal on disk, this one goes on by itself after the database was away: what was refused meanwhile is not recorded.</remarks>
public sealed partial class PostgresJournal : IJournal, IAsyncDisposable
{
    private const int PageEvents = 1000;

    private readonly PostgresDatabase _database;
    private readonly IKeyProvider _keys;
    private readonly PostgresJournalOptions _options;
    private readonly ILogger _log;
    private readonly JournalTail _tail = new();
    private readonly JournalIntegrator _integrator;
    private readonly PostgresAppender _appender;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private bool _closed;

    private PostgresJournal(PostgresDatabase database, IKeyProvider keys, PostgresJournalOptions options, TimeProvider time, ILogger log, JournalMetrics? metrics,
        long size)
    {
        _database = database;
        _keys = keys;
        _options = options;
        _log = log;
        _tail.Advance(size);
        _integrator = new JournalIntegrator(database, _tail, time, log);
        _appender = new PostgresAppender(
            database, options, _integrator.Add, (subject, number) => (keys as PostgresKeyProvider)?.Forget(subject, number), metrics);
        metrics?.Observe(() => DurableSize, () => _appender.PendingBytes);
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>As far as this process knows; whoever appended knows his own event.</summary>
    public long DurableSize => _tail.Size;

    /// <summary>Opens the journal of a database whose schema is current.</summary>
    /// <exception cref="StorageException">The database is away, its schema is another, or it was carried over from another server by a dump.</exception>
    public static async Task<PostgresJournal> OpenAsync(
        PostgresDatabase database, IKeyProvider keys, PostgresJournalOptions? options = null, TimeProvider? time = null, ILogger? log = null,
        JournalMetrics? metrics = null, CancellationToken cancellation = default)
    {
        options ??= new PostgresJournalOptions();
        options.Check();
        await new PostgresMigrations(database).RequireCurrentAsync(cancellation).ConfigureAwait(false);
        long size = await database.RepeatableAsync("open the journal", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                "SELECT size, xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM journal_tree");
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            if (!await row.ReadAsync(token).ConfigureAwait(false)) throw new StorageException($"the journal in {database.Name} has no tree; restore it from a backup");
            return row.GetBoolean(1) ? row.GetInt64(0) : throw new StorageException(JournalIntegrator.OtherServer(database.Name));
        }, cancellation).ConfigureAwait(false);
        return new PostgresJournal(database, keys, options, time ?? TimeProvider.System, log ?? NullLogger.Instance, metrics, size);
    }

    /// <summary>The tree over all events that have a position.</summary>
    /// <exception cref="StorageException">The database refused, or is away.</exception>
    public Task<TreeHead> TreeHeadAsync(CancellationToken cancellation = default) => _database.RepeatableAsync("read the journal's tree", async (connection, token) =>
    {
        await using NpgsqlCommand command = connection.Command("SELECT size, peaks FROM journal_tree");
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
        await row.ReadAsync(token).ConfigureAwait(false);
        long size = row.GetInt64(0);
        return new TreeHead(size, new MerkleFrontier(size, JournalIntegrator.Peaks(row.GetFieldValue<byte[]>(1))).Root());
    }, cancellation);

    /// <inheritdoc/>
    /// <remarks>
    /// The order of calls is the order of events: the call enqueues before it returns. Once enqueued an append cannot be withdrawn, so the
    /// token counts before that only. A conflict with another process shows when the database is asked, so it comes by the task. While the database
    /// is away appends are refused within <see cref="PostgresJournalOptions.AppendTimeout"/>, except one transaction at most whose commit was sent
    /// and not answered: it is answered when the database can tell.
    /// </remarks>
    public Task<Appended> AppendAsync(
        string stream, StreamOwner owner, long expectedVersion, ReadOnlyMemory<NewEvent> events, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expectedVersion);
        if (events.IsEmpty) throw new ArgumentException($"an append to {stream} without events");
        if (cancellation.IsCancellationRequested) return Task.FromCanceled<Appended>(cancellation);
        PendingAppend append;
        try
        {
            append = Encode(stream, owner, expectedVersion, events.Span);
        }
        catch (Exception noKey) when (noKey is StorageException or ObjectDisposedException)
        {
            return Task.FromException<Appended>(new NotRecordedException($"{stream} is not recorded: {noKey.Message}", noKey));
        }
        return _appender.Enqueue(append) is { } refused ? Task.FromException<Appended>(refused) : append.Done.Task;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">The database is away, or the events are not what was written.</exception>
    public async IAsyncEnumerable<RecordedEvent> ReadAsync(
        string stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fromVersion, 1);
        long head = await _database.RepeatableAsync("read a stream", (connection, token) =>
            connection.ScalarAsync<long>("SELECT version FROM stream_head WHERE stream = $1", [stream], token), cancellation).ConfigureAwait(false);
        var decoder = new RecordDecoder(_keys);
        TimeSpan pause = TimeSpan.FromMilliseconds(1);
        for (long version = fromVersion; version <= head;)
        {
            List<StoredEvent> page = await StreamPageAsync(stream, version, head, cancellation).ConfigureAwait(false);
            foreach (StoredEvent one in page)
            {
                // Committed, and its position comes as soon as no transaction before it runs.
                if (one.Position is null) break;
                RecordedEvent read = Decode(decoder, one);
                if (read.Stream != stream || read.Version != version) throw Damaged(one, $"version {read.Version} of {read.Stream} lies where version {version} of {stream} should");
                version++;
                yield return read;
            }
            if (version > head) yield break;
            if (page.Count == 0) throw new StorageException($"version {version} of {stream} is missing in {_database.Name}; restore it from a backup");
            if (page.TrueForAll(one => one.Position is not null)) continue;
            _integrator.Signal();
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
            if (pause < TimeSpan.FromMilliseconds(20)) pause *= 2;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">The database is away, or the events are not what was written.</exception>
    public async IAsyncEnumerable<RecordedEvent> ReadAllAsync(
        long fromPosition = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        long end = await _database.RepeatableAsync("read the journal", (connection, token) =>
            connection.ScalarAsync<long>("SELECT size FROM journal_tree", [], token), cancellation).ConfigureAwait(false);
        _tail.Advance(end);
        await foreach (RecordedEvent one in RangeAsync(fromPosition, end, new RecordDecoder(_keys), cancellation).ConfigureAwait(false)) yield return one;
    }

    /// <inheritdoc/>
    /// <remarks>The subscriber pulls: a slow one reads from the database what it has not seen, and nothing is queued for it. While the database
    /// is away it waits.</remarks>
    /// <exception cref="ObjectDisposedException">The journal was closed.</exception>
    public async IAsyncEnumerable<RecordedEvent> SubscribeAsync(long fromPosition, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        var decoder = new RecordDecoder(_keys);
        while (true)
        {
            await _tail.WaitForAsync(fromPosition, cancellation).ConfigureAwait(false);
            long end = Math.Min(_tail.Size, fromPosition + PageEvents);
            List<StoredEvent> page;
            try
            {
                page = await PageAsync(fromPosition, end, cancellation).ConfigureAwait(false);
            }
            catch (StorageException away) when (away.InnerException is { } cause && (PostgresDatabase.IsAway(cause) || cause is Polly.CircuitBreaker.BrokenCircuitException))
            {
                await Task.Delay(_options.PollInterval, cancellation).ConfigureAwait(false);
                continue;
            }
            foreach (StoredEvent one in page)
            {
                RecordedEvent read = Decode(decoder, one, fromPosition);
                fromPosition++;
                yield return read;
            }
        }
    }

    /// <summary>Waits until the event at a position is there.</summary>
    public Task WaitForAsync(long position, CancellationToken cancellation = default) => _tail.WaitForAsync(position, cancellation);

    /// <summary>Writes what waits, as far as the database takes it, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closed) return;
        _closed = true;
        await _appender.DisposeAsync().ConfigureAwait(false);
        await _integrator.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _tail.Close();
        _stop.Dispose();
    }

    private PendingAppend Encode(string stream, StreamOwner owner, long expectedVersion, ReadOnlySpan<NewEvent> events)
    {
        SubjectKey key = _keys.GetOrCreate(owner.Subject);
        var records = new byte[events.Length][];
        byte[] buffer = [];
        for (int i = 0; i < events.Length; i++)
        {
            ref readonly NewEvent one = ref events[i];
            var header = new RecordHeader(
                stream, expectedVersion + 1 + i, one.Name, one.Schema, one.Time, one.Causation, owner.Tenant, owner.Subject, key.Number);
            int size = RecordEncoder.MaxSize(header, one.Payload.Length);
            if (buffer.Length < size) buffer = new byte[size];
            int length = RecordEncoder.Write(buffer, 0, header, one.Payload.Span, key, _options.FillRandom);
            records[i] = buffer.AsSpan(0, length).ToArray();
        }
        return new PendingAppend(stream, owner, key.Number, expectedVersion, records);
    }

    private async IAsyncEnumerable<RecordedEvent> RangeAsync(
        long from, long end, RecordDecoder decoder, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (from < end)
        {
            foreach (StoredEvent one in await PageAsync(from, Math.Min(end, from + PageEvents), cancellation).ConfigureAwait(false))
            {
                yield return Decode(decoder, one, from);
                from++;
            }
        }
    }

    private async Task<List<StoredEvent>> PageAsync(long from, long end, CancellationToken cancellation)
    {
        List<StoredEvent> page = await _database.RepeatableAsync("read the journal", (connection, token) =>
            PostgresJournalPages.ReadAsync(connection, from, end, token), cancellation).ConfigureAwait(false);
        return page.Count == end - from
            ? page
            : throw new StorageException($"positions {from} to {end - 1} hold {page.Count} events in {_database.Name}; restore it from a backup");
    }

    private Task<List<StoredEvent>> StreamPageAsync(string stream, long from, long to, CancellationToken cancellation) =>
        _database.RepeatableAsync("read a stream", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                """
                SELECT batch.first_position + event.ordinal, event.xid, event.ordinal, event.record
                FROM journal_event event LEFT JOIN journal_batch batch ON batch.xid = event.xid
                WHERE event.stream = $1 AND event.version BETWEEN $2 AND $3 ORDER BY event.version
                """, stream, from, Math.Min(to, from + PageEvents - 1));
            return await PostgresJournalPages.ListAsync(command, token).ConfigureAwait(false);
        }, cancellation);

    private RecordedEvent Decode(RecordDecoder decoder, StoredEvent one, long position) => one.Position == position
        ? Decode(decoder, one)
        : throw Damaged(one, $"it lies where position {position} should");

    private RecordedEvent Decode(RecordDecoder decoder, StoredEvent one)
    {
        try
        {
            return decoder.Decode(one.Position!.Value, one.Record);
        }
        catch (RecordFormatException wrong)
        {
            throw Damaged(one, wrong.Message);
        }
    }

    private StorageException Damaged(StoredEvent one, string what) =>
        new($"event {one.Ordinal} of transaction {one.Xid} in {_database.Name}, position {one.Position}, is damaged: {what}; restore it from a backup");

    /// <summary>Follows the notices of other integrators, asks now and then in case one was missed, and has integrated what a process that died
    /// left behind.</summary>
    private async Task WatchAsync()
    {
        bool isAway = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using NpgsqlConnection connection = await _database.Source.OpenConnectionAsync(_stop.Token).ConfigureAwait(false);
                connection.Notification += (_, notice) =>
                {
                    if (long.TryParse(notice.Payload, NumberStyles.None, CultureInfo.InvariantCulture, out long size)) _tail.Advance(size);
                };
                await connection.ExecuteAsync($"LISTEN {JournalIntegrator.Channel}", [], _stop.Token).ConfigureAwait(false);
                isAway = false;
                long polled = 0;
                while (true)
                {
                    if (polled == 0 || System.Diagnostics.Stopwatch.GetElapsedTime(polled) >= _options.PollInterval)
                    {
                        await PollAsync(connection).ConfigureAwait(false);
                        polled = System.Diagnostics.Stopwatch.GetTimestamp();
                    }
                    await connection.WaitAsync(_options.PollInterval, _stop.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
            }
            catch (Exception failed)
            {
                if (!isAway) Away(_log, _database.Refused(failed, "follow the journal")?.Message ?? failed.Message);
                isAway = true;
                await Task.Delay(_options.PollInterval, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task PollAsync(NpgsqlConnection connection)
    {
        bool unplaced;
        await using (NpgsqlCommand command = connection.Command(
            "SELECT size, EXISTS (SELECT FROM journal_event event WHERE event.xid > tree.xid) FROM journal_tree tree"))
        {
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(_stop.Token).ConfigureAwait(false);
            await row.ReadAsync(_stop.Token).ConfigureAwait(false);
            _tail.Advance(row.GetInt64(0));
            unplaced = row.GetBoolean(1);
        }
        if (unplaced) _integrator.Signal();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Why}; tried again until it succeeds")]
    private static partial void Away(ILogger log, string why);
}

/// <summary>An event as it lies in its table.</summary>
/// <param name="Position">Null where it has none yet.</param>
internal readonly record struct StoredEvent(long? Position, long Xid, int Ordinal, byte[] Record);

internal static class PostgresJournalPages
{
    private const string Range =
        """
        SELECT batch.first_position + event.ordinal, event.xid, event.ordinal, event.record
        FROM journal_batch batch JOIN journal_event event ON event.xid = batch.xid AND event.recorded_at = batch.recorded_at
        WHERE batch.first_position >= coalesce((SELECT max(first_position) FROM journal_batch WHERE first_position <= $1), 0)
            AND batch.first_position < $2 AND event.ordinal >= $1 - batch.first_position AND event.ordinal < $2 - batch.first_position
        ORDER BY batch.first_position, event.ordinal
        """;

    /// <summary>The events from a position to before another, in order.</summary>
    public static async Task<List<StoredEvent>> ReadAsync(NpgsqlConnection connection, long from, long end, CancellationToken cancellation)
    {
        await using NpgsqlCommand command = connection.Command(Range, from, end);
        return await ListAsync(command, cancellation).ConfigureAwait(false);
    }

    /// <summary>Rows of position, xid, ordinal, record.</summary>
    public static async Task<List<StoredEvent>> ListAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        List<StoredEvent> events = [];
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        while (await row.ReadAsync(cancellation).ConfigureAwait(false))
        {
            events.Add(new StoredEvent(
                await row.IsDBNullAsync(0, cancellation).ConfigureAwait(false) ? null : row.GetInt64(0), row.GetInt64(1), row.GetInt32(2),
                row.GetFieldValue<byte[]>(3)));
        }
        return events;
    }
}
