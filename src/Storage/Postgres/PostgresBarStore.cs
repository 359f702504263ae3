using HybridTrading.Domain.Markets;
using Npgsql;

namespace HybridTrading.Storage.Postgres;

/// <summary>Bars by symbol, time frame and open time; writing a bar again replaces it.</summary>
public sealed class PostgresBarStore(PostgresDatabase database) : IBarStore
{
    private const string Columns = "bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, volume";

    private const string Upsert =
        $"""
        INSERT INTO bar (symbol, time_frame, open_time, {Columns})
        SELECT $1, $2, one.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::double precision[]) AS one
        ON CONFLICT (symbol, time_frame, open_time) DO UPDATE SET
            bid_open = excluded.bid_open, bid_high = excluded.bid_high, bid_low = excluded.bid_low, bid_close = excluded.bid_close,
            ask_open = excluded.ask_open, ask_high = excluded.ask_high, ask_low = excluded.ask_low, ask_close = excluded.ask_close,
            volume = excluded.volume
        """;

    /// <exception cref="ArgumentException">An open time is not UTC, or a volume is no number.</exception>
    /// <exception cref="StorageException">The database refused, or is away.</exception>
    public Task AppendAsync(string symbol, TimeFrame timeFrame, ReadOnlyMemory<Bar> bars, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(symbol);
        // One statement may touch a row once: of two bars of one time the later counts.
        var byTime = new Dictionary<long, Bar>(bars.Length);
        foreach (ref readonly Bar bar in bars.Span)
        {
            if (bar.OpenTime.Kind != DateTimeKind.Utc)
            {
                throw new ArgumentException($"bar {symbol} {bar.OpenTime:O} is {bar.OpenTime.Kind}; expected UTC");
            }
            if (double.IsNaN(bar.Volume)) throw new ArgumentException($"bar {symbol} {bar.OpenTime:O} has no volume; expected a number");
            byTime[bar.OpenTime.Ticks] = bar;
        }
        return byTime.Count == 0 ? Task.CompletedTask : WriteAsync(database, symbol, timeFrame, [.. byTime.Values], cancellation);
    }

    /// <exception cref="StorageException">The database is away.</exception>
    public Task<ImmutableArray<Bar>> ReadLastAsync(
        string symbol, TimeFrame timeFrame, int count, DateTime before, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return database.RepeatableAsync("read bars", async (connection, token) =>
        {
            await using NpgsqlCommand command = connection.Command(
                $"SELECT open_time, {Columns} FROM bar WHERE symbol = $1 AND time_frame = $2 AND open_time < $3 ORDER BY open_time DESC LIMIT $4",
                symbol, timeFrame.ToString(), before.Ticks, count);
            await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
            ImmutableArray<Bar>.Builder bars = ImmutableArray.CreateBuilder<Bar>();
            while (await row.ReadAsync(token).ConfigureAwait(false))
            {
                bars.Add(new Bar(new DateTime(row.GetInt64(0), DateTimeKind.Utc), Ohlc(row, 1), Ohlc(row, 5), row.GetDouble(9)));
            }
            bars.Reverse();
            return bars.ToImmutable();
        }, cancellation);

        static Ohlc Ohlc(NpgsqlDataReader row, int at) => new(row.GetInt64(at), row.GetInt64(at + 1), row.GetInt64(at + 2), row.GetInt64(at + 3));
    }

    /// <exception cref="StorageException">The database is away.</exception>
    public Task<ImmutableArray<BarStock>> ListAsync(CancellationToken cancellation = default) => database.RepeatableAsync("list bars", async (connection, token) =>
    {
        await using NpgsqlCommand command = connection.Command(
            "SELECT symbol, time_frame, min(open_time), max(open_time), count(*) FROM bar GROUP BY symbol, time_frame ORDER BY symbol, time_frame");
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
        ImmutableArray<BarStock>.Builder stocks = ImmutableArray.CreateBuilder<BarStock>();
        while (await row.ReadAsync(token).ConfigureAwait(false))
        {
            stocks.Add(new BarStock(row.GetString(0), TimeFrame.Parse(row.GetString(1)), new DateTime(row.GetInt64(2), DateTimeKind.Utc),
                new DateTime(row.GetInt64(3), DateTimeKind.Utc), row.GetInt64(4)));
        }
        return stocks.ToImmutable();
    }, cancellation);

    private static Task WriteAsync(PostgresDatabase database, string symbol, TimeFrame timeFrame, Bar[] bars, CancellationToken cancellation)
    {
        return database.RepeatableAsync("write bars", async (connection, token) =>
        {
            // Bars can be made again from the market log: they need not wait for the medium.
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
            await connection.ExecuteAsync("SET LOCAL synchronous_commit = off", [], token).ConfigureAwait(false);
            await using NpgsqlCommand command = connection.Command(
                Upsert, symbol, timeFrame.ToString(), Column(bar => bar.OpenTime.Ticks),
                Column(bar => bar.Bid.Open), Column(bar => bar.Bid.High), Column(bar => bar.Bid.Low), Column(bar => bar.Bid.Close),
                Column(bar => bar.Ask.Open), Column(bar => bar.Ask.High), Column(bar => bar.Ask.Low), Column(bar => bar.Ask.Close),
                Array.ConvertAll(bars, bar => bar.Volume));
            int written = await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            await transaction.CommitAsync(token).ConfigureAwait(false);
            return written;
        }, cancellation);

        long[] Column(Converter<Bar, long> of) => Array.ConvertAll(bars, of);
    }
}
