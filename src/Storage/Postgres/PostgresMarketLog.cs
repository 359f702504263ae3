using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using HybridTrading.Domain.Markets;
using HybridTrading.Storage.MarketLog;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>
/// The log of one feed in the database. One process writes it at a time (the feed's grain); compare-and-set keeps a process out whose feed was taken
/// over elsewhere. An append is on the medium when it is answered: a position that grains have acted on must not come back with another event. After
/// the database was away, or somebody else wrote, the next append looks up where the log stands.
/// </summary>
public sealed class PostgresMarketLog : IMarketLog
{
    private const int PageBlocks = 64;

    private static readonly TimeSpan DropEvery = TimeSpan.FromHours(1);

    private readonly PostgresDatabase _database;
    private readonly string _feed;
    private readonly TimeSpan? _maxAge;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private long _firstPosition;
    private long _nextPosition;
    private bool _isStale;
    private long? _dropped;

    private PostgresMarketLog(PostgresDatabase database, string feed, TimeSpan? maxAge, TimeProvider time, (long First, long Next) extent)
    {
        _database = database;
        _feed = feed;
        _maxAge = maxAge;
        _time = time;
        (_firstPosition, _nextPosition) = extent;
    }

    /// <summary>As of the last append or read of this process.</summary>
    public long FirstPosition => Volatile.Read(ref _firstPosition);

    /// <inheritdoc cref="FirstPosition"/>
    public long NextPosition => Volatile.Read(ref _nextPosition);

    /// <param name="feed">1 to 64 characters.</param>
    /// <param name="maxAge">Events written longer ago are dropped; null keeps them.</param>
    /// <exception cref="StorageException">The database refused, or is away.</exception>
    public static PostgresMarketLog Open(PostgresDatabase database, string feed, TimeSpan? maxAge = null, TimeProvider? time = null)
    {
        if (feed.Length is < 1 or > 64) throw new ArgumentException($"'{feed}' is no name of a feed; expected 1 to 64 characters");
        if (maxAge is { } age && age <= TimeSpan.Zero) throw new ArgumentException($"maxAge is {age}; expected more than zero, or null");
        (long, long) extent = database.Repeatable("open a market log", connection =>
        {
            using NpgsqlCommand command = connection.Command("INSERT INTO market_feed (feed, next_position) VALUES ($1, 0) ON CONFLICT DO NOTHING", feed);
            command.ExecuteNonQuery();
            using NpgsqlCommand look = connection.Command(Extent, feed);
            using NpgsqlDataReader row = look.ExecuteReader();
            row.Read();
            return (row.GetInt64(0), row.GetInt64(1));
        });
        return new PostgresMarketLog(database, feed, maxAge, time ?? TimeProvider.System, extent);
    }

    private const string Extent = "SELECT first_position, next_position FROM market_feed WHERE feed = $1";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An event has no symbol, a time that is not UTC, or an unknown kind; none is appended.</exception>
    /// <exception cref="StorageException">The database is away, or another process writes the feed; all are appended or none.</exception>
    public async ValueTask<long> AppendAsync(ReadOnlyMemory<MarketEvent> events, CancellationToken cancellation = default)
    {
        foreach (ref readonly MarketEvent one in events.Span) MarketBlock.Check(one);
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_isStale)
            {
                (_, long next) = await LookAsync(cancellation).ConfigureAwait(false);
                Interlocked.Exchange(ref _nextPosition, next);
                _isStale = false;
            }
            long first = _nextPosition;
            if (events.IsEmpty) return first;
            _isStale = true;
            await WriteAsync(events, first, cancellation).ConfigureAwait(false);
            _isStale = false;
            Interlocked.Exchange(ref _nextPosition, first + events.Length);
            if (_maxAge is not null && (_dropped is not { } last || _time.GetElapsedTime(last) > DropEvery)) await DropAsync(cancellation).ConfigureAwait(false);
            return first;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">The database is away, or blocks are missing.</exception>
    public async IAsyncEnumerable<MarketEvent> ReadAsync(long fromPosition = 0, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromPosition);
        (long first, long end) = await LookAsync(cancellation).ConfigureAwait(false);
        long position = Math.Max(fromPosition, first);
        while (position < end)
        {
            List<(long First, byte[] Body)> page = await PageAsync(position, end, cancellation).ConfigureAwait(false);
            if (page.Count == 0 || page[0].First > position)
            {
                // Retention dropped it in the meantime.
                (first, _) = await LookAsync(cancellation).ConfigureAwait(false);
                if (first <= position) throw new StorageException($"the market log {_feed} in {_database.Name} lacks position {position}; restore it from a backup");
                position = first;
                continue;
            }
            foreach ((long at, byte[] body) in page)
            {
                MarketEvent[] events = MarketBlock.Read(body, at);
                if (at > position) throw new StorageException($"the market log {_feed} in {_database.Name} lacks position {position}; restore it from a backup");
                for (long i = position - at; i < events.Length && position < end; i++, position++) yield return events[i];
            }
        }
    }

    /// <summary>Drops what is too old, whole appends, never the last; runs by itself now and then.</summary>
    /// <exception cref="StorageException">The database is away.</exception>
    public async Task DropExpiredAsync(CancellationToken cancellation = default)
    {
        await _writing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await DropAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task DropAsync(CancellationToken cancellation)
    {
        if (_maxAge is not { } age) return;
        DateTime oldest = _time.GetUtcNow().UtcDateTime - age;
        await _database.RepeatableAsync("drop old market data", (connection, token) => connection.ExecuteAsync(
            """
            WITH kept AS (
                SELECT coalesce(
                    (SELECT min(first_position) FROM market_block WHERE feed = $1 AND written_at >= $2),
                    (SELECT max(first_position) FROM market_block WHERE feed = $1)) AS position
            ), gone AS (
                DELETE FROM market_block USING kept WHERE feed = $1 AND first_position < kept.position
            )
            UPDATE market_feed SET first_position = kept.position FROM kept WHERE feed = $1 AND kept.position > first_position
            """, [_feed, oldest], token), cancellation).ConfigureAwait(false);
        _dropped = _time.GetTimestamp();
        await LookAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<(long First, long Next)> LookAsync(CancellationToken cancellation)
    {
        (long first, long next) = await _database.RepeatableAsync("read a market log", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(Extent, _feed);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            await row.ReadAsync(token).ConfigureAwait(false);
            return (row.GetInt64(0), row.GetInt64(1));
        }, cancellation).ConfigureAwait(false);
        Advance(ref _firstPosition, first);
        Advance(ref _nextPosition, next);
        return (first, next);

        // A reader may see less than the writer beside it has got an answer for by now.
        static void Advance(ref long known, long seen)
        {
            long before = Volatile.Read(ref known);
            while (seen > before && Interlocked.CompareExchange(ref known, seen, before) is var current && current != before) before = current;
        }
    }

    private async Task WriteAsync(ReadOnlyMemory<MarketEvent> events, long first, CancellationToken cancellation)
    {
        List<(long First, int Count, byte[] Body)> blocks = MarketBlock.Write(events.Span, first);
        long[] positions = [.. blocks.Select(block => block.First)];
        int[] counts = [.. blocks.Select(block => block.Count)];
        byte[][] bodies = [.. blocks.Select(block => block.Body)];
        int written = await _database.OnceAsync("append market data", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                """
                WITH moved AS (
                    UPDATE market_feed SET next_position = $3 WHERE feed = $1 AND next_position = $2 RETURNING 1
                )
                INSERT INTO market_block (feed, first_position, events, written_at, body)
                SELECT $1, one.position, one.events, $7, one.body
                FROM unnest($4::bigint[], $5::integer[], $6::bytea[]) AS one (position, events, body), moved
                """, _feed, first, first + events.Length, positions, counts, bodies, _time.GetUtcNow().UtcDateTime);
            return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
        }, cancellation).ConfigureAwait(false);
        if (written == 0) throw new StorageException($"the market log {_feed} in {_database.Name} was written by another process");
    }

    private Task<List<(long First, byte[] Body)>> PageAsync(long from, long end, CancellationToken cancellation) =>
        _database.RepeatableAsync("read a market log", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                """
                SELECT first_position, body FROM market_block
                WHERE feed = $1 AND first_position < $3 AND first_position >= coalesce(
                    (SELECT max(first_position) FROM market_block WHERE feed = $1 AND first_position <= $2), 0)
                ORDER BY first_position LIMIT $4
                """, _feed, from, end, PageBlocks);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            List<(long, byte[])> blocks = [];
            while (await row.ReadAsync(token).ConfigureAwait(false)) blocks.Add((row.GetInt64(0), row.GetFieldValue<byte[]>(1)));
            return blocks;
        }, cancellation);
}

/// <summary>
/// Events of one kind in one row, with the table of their series, so that each row can be read alone. Integers are little-endian.
/// <code>
/// 0   1      kind: 0 quotes, 1 bars, 2 clock
/// 1   4      count of series
///     n      series: 2 + n symbol, 2 + n time frame
///     n      records as in a segment of the market log on disk
/// </code>
/// </summary>
internal static class MarketBlock
{
    private const int MaxEvents = 4096;

    public static void Check(in MarketEvent one)
    {
        if (one.Time.Kind != DateTimeKind.Utc) throw new ArgumentException($"time {one.Time:O} of {one.Symbol} is {one.Time.Kind}; expected UTC");
        if (one.Kind > MarketEventKind.Clock) throw new ArgumentException($"kind {(int)one.Kind} of {one.Symbol}; expected quote, bar or clock");
        if (one.Kind == MarketEventKind.Clock) return;
        if (string.IsNullOrEmpty(one.Symbol)) throw new ArgumentException($"a {one.Kind} at {one.Time:O} has no symbol");
        if (System.Text.Encoding.UTF8.GetByteCount(one.Symbol) > MarketLogFormat.MaxSymbol)
        {
            throw new ArgumentException($"symbol {one.Symbol} is too long; expected at most {MarketLogFormat.MaxSymbol} bytes");
        }
    }

    public static List<(long First, int Count, byte[] Body)> Write(ReadOnlySpan<MarketEvent> events, long first)
    {
        List<(long, int, byte[])> blocks = [];
        while (!events.IsEmpty)
        {
            int count = 1;
            while (count < events.Length && count < MaxEvents && events[count].Kind == events[0].Kind) count++;
            blocks.Add((first, count, Write(events[..count])));
            first += count;
            events = events[count..];
        }
        return blocks;
    }

    public static MarketEvent[] Read(byte[] body, long first)
    {
        var kind = (MarketEventKind)body[0];
        int count = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(1));
        List<Series> table = [];
        int at = 5 + MarketLogFormat.ReadSeries(body.AsSpan(5), count, table);
        int size = MarketLogFormat.RecordSize(kind);
        var events = new MarketEvent[(body.Length - at) / size];
        for (int i = 0; i < events.Length; i++) events[i] = MarketLogFormat.Read(body.AsSpan(at + i * size, size), kind, first + i, table);
        return events;
    }

    private static byte[] Write(ReadOnlySpan<MarketEvent> run)
    {
        var table = new Dictionary<Series, int>();
        var numbers = new int[run.Length];
        if (run[0].Kind != MarketEventKind.Clock)
        {
            for (int i = 0; i < run.Length; i++)
            {
                var series = new Series(run[i].Symbol, run[i].TimeFrame);
                if (!table.TryGetValue(series, out numbers[i])) table.Add(series, numbers[i] = table.Count);
            }
        }
        int size = MarketLogFormat.RecordSize(run[0].Kind);
        byte[] body = new byte[5 + table.Count * (MarketLogFormat.MaxSymbol + 32) + run.Length * size];
        body[0] = (byte)run[0].Kind;
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(1), table.Count);
        int at = 5;
        foreach (Series series in table.Keys) at += MarketLogFormat.WriteSeries(body.AsSpan(at), series);
        for (int i = 0; i < run.Length; i++, at += size) MarketLogFormat.Write(body.AsSpan(at, size), run[i], numbers[i]);
        return body[..at];
    }
}
