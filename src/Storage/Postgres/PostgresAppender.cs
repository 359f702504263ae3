using System.Diagnostics;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Journal;
using Npgsql;
using Polly.CircuitBreaker;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// Writes the appends of this process: what waits while one transaction is on its way becomes the next one. An append is refused only when it is
/// certain that it is not recorded: a transaction whose commit was sent and not answered is looked up first, for as long as that takes.
/// </summary>
internal sealed class PostgresAppender : IAsyncDisposable
{
    private const int Attempts = 3;

    private const string Append =
        """
        WITH wanted AS (
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[]) AS w (stream, expected, version, subject, key)
        ), advanced AS (
            INSERT INTO stream_head AS head (stream, version, previous)
            SELECT stream, version, expected FROM wanted
            WHERE (expected = 0 OR EXISTS (SELECT FROM stream_head old WHERE old.stream = wanted.stream))
                AND NOT EXISTS (SELECT FROM subject_key k WHERE k.subject = wanted.subject AND k.number = wanted.key AND k.wrapped IS NULL)
            ORDER BY stream COLLATE "C"
            ON CONFLICT (stream) DO UPDATE SET version = excluded.version, previous = excluded.previous WHERE head.version = excluded.previous
            RETURNING head.stream
        ), written AS (
            INSERT INTO journal_event (xid, ordinal, recorded_at, stream, version, record)
            SELECT pg_current_xact_id()::text::bigint, row_number() OVER (ORDER BY event.place) - 1, now(), stream, version, record
            FROM unnest($6::integer[], $7::text[], $8::bigint[], $9::bytea[]) AS event (place, stream, version, record) JOIN advanced USING (stream)
        )
        SELECT pg_current_xact_id()::text::bigint, (SELECT coalesce(array_agg(stream), '{}') FROM advanced)
        """;

    private readonly PostgresDatabase _database;
    private readonly PostgresJournalOptions _options;
    private readonly Action<CommittedBatch> _committed;
    private readonly Action<string, int> _keyDestroyed;
    private readonly JournalMetrics? _metrics;
    private readonly CancellationTokenSource _abandon = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly Task _running;

    // Guards what is below.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PendingStream> _streams = new(StringComparer.Ordinal);
    private readonly Queue<PendingAppend> _pending = new();
    private long _pendingBytes;
    private bool _closing;

    // The writer's own.
    private NpgsqlConnection? _connection;

    /// <param name="committed">Told of each committed transaction, in order.</param>
    /// <param name="keyDestroyed">Told of a subject and key number that were used although the key was destroyed elsewhere.</param>
    public PostgresAppender(
        PostgresDatabase database, PostgresJournalOptions options, Action<CommittedBatch> committed, Action<string, int> keyDestroyed,
        JournalMetrics? metrics)
    {
        _database = database;
        _options = options;
        _committed = committed;
        _keyDestroyed = keyDestroyed;
        _metrics = metrics;
        _running = Task.Run(WriteAsync);
    }

    /// <summary>Of appends that are not committed yet.</summary>
    public long PendingBytes => Volatile.Read(ref _pendingBytes);

    /// <returns>Why not; null when it is enqueued, after which its task tells.</returns>
    public Exception? Enqueue(PendingAppend append)
    {
        lock (_gate)
        {
            if (_closing) return new NotRecordedException($"{append.StreamName} is not recorded: the journal is closed");
            bool known = _streams.TryGetValue(append.StreamName, out PendingStream? stream);
            if (known && stream!.Version != append.Expected) return new JournalConflictException(append.StreamName, append.Expected, stream.Version);
            if (_pendingBytes + append.Bytes > _options.PendingBytes && _pendingBytes > 0)
            {
                return new NotRecordedException($"{append.StreamName} is not recorded: {_pendingBytes} bytes wait for the database, "
                    + $"which does not keep up (bound {_options.PendingBytes})");
            }
            if (!known) _streams.Add(append.StreamName, stream = new PendingStream(append.StreamName, append.Expected));
            append.Stream = stream;
            stream!.Version = append.Version;
            stream.Count++;
            _pendingBytes += append.Bytes;
            _pending.Enqueue(append);
        }
        _work.Release();
        return null;
    }

    /// <summary>Writes what waits and ends. What the database cannot be asked about by then stays unanswered until its callers give up.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closing) return;
            _closing = true;
        }
        _work.Release();
        _abandon.CancelAfter(_options.AppendTimeout);
        try
        {
            await _running.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            // The database was away to the end, and what became of its last transaction is not known.
        }
        await DropConnectionAsync().ConfigureAwait(false);
        _abandon.Dispose();
        _work.Dispose();
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            await _work.WaitAsync().ConfigureAwait(false);
            while (TakeBatch() is { } batch) await CommitAsync(batch).ConfigureAwait(false);
            lock (_gate)
            {
                if (_closing && _pending.Count == 0) return;
            }
        }
    }

    /// <summary>Appends that go into one transaction, in order; those of one stream follow each other without a gap.</summary>
    private Batch? TakeBatch()
    {
        var batch = new Batch();
        List<(PendingAppend Append, string Why)> refused = [];
        lock (_gate)
        {
            while (_pending.TryPeek(out PendingAppend? append))
            {
                if (append.Stream!.IsBroken || append.Age > _options.AppendTimeout)
                {
                    refused.Add((append, append.Stream.IsBroken ? "an earlier append of the stream was not" : Late));
                    Forget(_pending.Dequeue(), broken: true);
                    continue;
                }
                bool fits = batch.Events == 0
                    || (batch.Events + append.Records.Length <= _options.BatchEvents && batch.Bytes + append.Bytes <= _options.BatchBytes);
                if (!fits || !batch.TryAdd(append)) break;
                _pending.Dequeue();
            }
        }
        foreach ((PendingAppend append, string why) in refused) append.Refuse(why);
        return batch.Events == 0 ? null : batch;
    }

    private string Late => $"the database did not take it within {_options.AppendTimeout.TotalSeconds} s";

    private async Task CommitAsync(Batch batch)
    {
        long began = Stopwatch.GetTimestamp();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await _database.Breaker.ExecuteAsync(async token => await TryCommitAsync(batch, token).ConfigureAwait(false), _abandon.Token)
                    .ConfigureAwait(false);
                _metrics?.Committed(Stopwatch.GetElapsedTime(began), batch.Events);
                Settle(batch);
                return;
            }
            catch (Exception failed)
            {
                await DropConnectionAsync().ConfigureAwait(false);
                if (batch.CommitWasSent)
                {
                    if (await ResolveAsync(batch).ConfigureAwait(false)) Settle(batch);
                    else Refuse(batch, $"its transaction did not commit: {failed.Message}", failed);
                    return;
                }
                // Rolled back for certain, so it may be tried again, as long as somebody waits.
                bool again = attempt < Attempts && !_abandon.IsCancellationRequested && batch.Appends[0].Age < _options.AppendTimeout
                    && failed is not BrokenCircuitException && (PostgresDatabase.IsAway(failed) || PostgresDatabase.IsCollision(failed));
                if (!again)
                {
                    Refuse(batch, _database.Refused(failed, "append")?.Message ?? failed.Message, failed);
                    return;
                }
            }
        }
    }

    private async Task TryCommitAsync(Batch batch, CancellationToken cancellation)
    {
        batch.Reset();
        _connection ??= await _database.Source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using NpgsqlTransaction transaction = await _connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        HashSet<string> advanced;
        await using (NpgsqlCommand command = batch.Command(_connection, Append))
        {
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await row.ReadAsync(cancellation).ConfigureAwait(false);
            batch.Xid = row.GetInt64(0);
            advanced = [.. row.GetFieldValue<string[]>(1)];
        }
        if (advanced.Count < batch.Streams.Count)
        {
            batch.SetAside(await HeadsAsync(_connection, batch.Streams.Keys.Where(stream => !advanced.Contains(stream)), cancellation).ConfigureAwait(false));
        }
        if (advanced.Count == 0) return;
        batch.CommitWasSent = true;
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private static async Task<Dictionary<string, long>> HeadsAsync(
        NpgsqlConnection connection, IEnumerable<string> streams, CancellationToken cancellation)
    {
        Dictionary<string, long> heads = streams.ToDictionary(stream => stream, _ => 0L, StringComparer.Ordinal);
        await using NpgsqlCommand command = connection.Command("SELECT stream, version FROM stream_head WHERE stream = ANY($1)", (object)heads.Keys.ToArray());
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        while (await row.ReadAsync(cancellation).ConfigureAwait(false)) heads[row.GetString(0)] = row.GetInt64(1);
        return heads;
    }

    /// <summary>
    /// Whether a transaction committed whose answer did not come. Waits until the database can be asked and the transaction has ended. An id alone
    /// does not tell: a server that crashed before it wrote anything of the transaction gives its id again.
    /// </summary>
    private async Task<bool> ResolveAsync(Batch batch)
    {
        for (TimeSpan delay = TimeSpan.FromMilliseconds(20); ; delay = delay < TimeSpan.FromSeconds(0.5) ? delay * 2 : delay)
        {
            try
            {
                await using NpgsqlConnection connection = await _database.Source.OpenConnectionAsync(_abandon.Token).ConfigureAwait(false);
                if (!await IsRunningAsync(connection, batch.Xid, _abandon.Token).ConfigureAwait(false))
                {
                    return await connection.ScalarAsync<bool>(
                        "SELECT EXISTS (SELECT FROM journal_event WHERE xid = $1 AND ordinal = 0 AND record = $2)", [batch.Xid, batch.FirstRecord],
                        _abandon.Token).ConfigureAwait(false);
                }
            }
            catch (Exception away) when (PostgresDatabase.IsAway(away))
            {
            }
            RefuseLate();
            // Closing, the outcome stays open: the callers are not told what nobody knows.
            await Task.Delay(delay, _abandon.Token).ConfigureAwait(false);
        }
    }

    private static async Task<bool> IsRunningAsync(NpgsqlConnection connection, long xid, CancellationToken cancellation)
    {
        try
        {
            return await connection.ScalarAsync<string>("SELECT pg_xact_status($1::text::xid8)", [xid.ToString(System.Globalization.CultureInfo.InvariantCulture)],
                cancellation).ConfigureAwait(false) == "in progress";
        }
        catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // In the future of a server that crashed.
            return false;
        }
    }

    private void Settle(Batch batch)
    {
        List<(PendingAppend Append, Exception Why)> refused = [];
        var recorded = new List<PendingAppend>(batch.Appends.Count);
        lock (_gate)
        {
            foreach (PendingAppend append in batch.Appends)
            {
                bool aside = batch.Aside.TryGetValue(append.StreamName, out long actual);
                Forget(append, broken: aside);
                if (!aside)
                {
                    recorded.Add(append);
                    continue;
                }
                BatchStream stream = batch.Streams[append.StreamName];
                bool keyIsGone = actual == stream.Expected;
                if (keyIsGone) _keyDestroyed(append.Owner.Subject, append.KeyNumber);
                refused.Add((append, keyIsGone
                    ? new NotRecordedException($"{append.StreamName} is not recorded: key {append.KeyNumber} of {append.Owner.Subject} was destroyed")
                    : append.Expected == stream.Expected
                    ? new JournalConflictException(append.StreamName, append.Expected, actual)
                    : new NotRecordedException($"{append.StreamName} is not recorded: an earlier append of the stream was not")));
            }
        }
        foreach ((PendingAppend append, Exception why) in refused) append.Done.TrySetException(why);
        if (recorded.Count > 0) _committed(new CommittedBatch(batch.Xid, recorded));
    }

    private void Refuse(Batch batch, string why, Exception cause)
    {
        lock (_gate)
        {
            foreach (PendingAppend append in batch.Appends) Forget(append, broken: true);
        }
        foreach (PendingAppend append in batch.Appends) append.Refuse(why, cause);
    }

    private void RefuseLate()
    {
        List<PendingAppend> late = [];
        lock (_gate)
        {
            while (_pending.TryPeek(out PendingAppend? append) && append.Age > _options.AppendTimeout)
            {
                late.Add(_pending.Dequeue());
                Forget(append, broken: true);
            }
        }
        foreach (PendingAppend append in late) append.Refuse(Late);
    }

    // Under the gate.
    private void Forget(PendingAppend append, bool broken)
    {
        PendingStream stream = append.Stream!;
        _pendingBytes -= append.Bytes;
        stream.Count--;
        stream.IsBroken |= broken;
        if ((stream.IsBroken || stream.Count == 0) && _streams.TryGetValue(stream.Name, out PendingStream? current) && current == stream)
        {
            _streams.Remove(stream.Name);
        }
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is null) return;
        await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }

    private sealed record BatchStream(long Expected, string Subject, int KeyNumber)
    {
        public long Version { get; set; }
    }

    private sealed class Batch
    {
        public List<PendingAppend> Appends { get; } = [];
        public Dictionary<string, BatchStream> Streams { get; } = new(StringComparer.Ordinal);
        public int Events { get; private set; }
        public long Bytes { get; private set; }
        public long Xid { get; set; }
        public bool CommitWasSent { get; set; }

        /// <summary>Streams that did not advance, with the version at which they are.</summary>
        public Dictionary<string, long> Aside { get; private set; } = [];

        public byte[] FirstRecord => Appends.First(append => !Aside.ContainsKey(append.StreamName)).Records[0];

        /// <returns>False where the append needs a transaction of its own: another key than the stream's in this one.</returns>
        public bool TryAdd(PendingAppend append)
        {
            if (!Streams.TryGetValue(append.StreamName, out BatchStream? stream))
            {
                Streams.Add(append.StreamName, stream = new BatchStream(append.Expected, append.Owner.Subject, append.KeyNumber));
            }
            else if (stream.Subject != append.Owner.Subject || stream.KeyNumber != append.KeyNumber)
            {
                return false;
            }
            stream.Version = append.Version;
            Appends.Add(append);
            Events += append.Records.Length;
            Bytes += append.Bytes;
            return true;
        }

        public void Reset()
        {
            Aside = [];
            CommitWasSent = false;
        }

        public void SetAside(Dictionary<string, long> heads) => Aside = heads;

        public NpgsqlCommand Command(NpgsqlConnection connection, string sql)
        {
            var places = new int[Events];
            var streams = new string[Events];
            var versions = new long[Events];
            var records = new byte[Events][];
            int at = 0;
            foreach (PendingAppend append in Appends)
            {
                for (int i = 0; i < append.Records.Length; i++, at++)
                {
                    (places[at], streams[at], versions[at], records[at]) = (at, append.StreamName, append.Expected + 1 + i, append.Records[i]);
                }
            }
            return connection.Command(
                sql,
                Streams.Keys.ToArray(),
                Streams.Values.Select(stream => stream.Expected).ToArray(),
                Streams.Values.Select(stream => stream.Version).ToArray(),
                Streams.Values.Select(stream => stream.Subject).ToArray(),
                Streams.Values.Select(stream => stream.KeyNumber).ToArray(),
                places, streams, versions, records);
        }
    }
}
