using HybridTrading.Domain.Markets;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Sqlite;

/// <summary>Bars by symbol, time frame and open time; writing a bar again replaces it.</summary>
public sealed class SqliteBarStore : IBarStore
{
    private const string Upsert =
        """
        INSERT INTO bar (symbol, time_frame, open_time, bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, volume)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (symbol, time_frame, open_time) DO UPDATE SET
            bid_open = excluded.bid_open, bid_high = excluded.bid_high, bid_low = excluded.bid_low, bid_close = excluded.bid_close,
            ask_open = excluded.ask_open, ask_high = excluded.ask_high, ask_low = excluded.ask_low, ask_close = excluded.ask_close,
            volume = excluded.volume
        """;

    private readonly SqliteDatabase _database;

    public SqliteBarStore(SqliteDatabase database)
    {
        _database = database;
        database.Ensure(
            """
            CREATE TABLE IF NOT EXISTS bar (
                symbol TEXT NOT NULL, time_frame TEXT NOT NULL, open_time INTEGER NOT NULL,
                bid_open INTEGER NOT NULL, bid_high INTEGER NOT NULL, bid_low INTEGER NOT NULL, bid_close INTEGER NOT NULL,
                ask_open INTEGER NOT NULL, ask_high INTEGER NOT NULL, ask_low INTEGER NOT NULL, ask_close INTEGER NOT NULL,
                volume REAL NOT NULL,
                PRIMARY KEY (symbol, time_frame, open_time)) WITHOUT ROWID
            """);
    }

    /// <exception cref="ArgumentException">An open time is not UTC, or a volume is no number.</exception>
    public Task AppendAsync(string symbol, TimeFrame timeFrame, ReadOnlyMemory<Bar> bars, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(symbol);
        foreach (ref readonly Bar bar in bars.Span)
        {
            if (bar.OpenTime.Kind != DateTimeKind.Utc)
            {
                throw new ArgumentException($"bar {symbol} {bar.OpenTime:O} is {bar.OpenTime.Kind}; expected UTC");
            }
            if (double.IsNaN(bar.Volume)) throw new ArgumentException($"bar {symbol} {bar.OpenTime:O} has no volume; expected a number");
        }
        return bars.IsEmpty ? Task.CompletedTask : _database.WriteAsync(Write, cancellation);

        void Write(SqliteConnection connection, SqliteTransaction transaction)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = Upsert;
            for (int i = 1; i <= 12; i++) command.Parameters.Add(new SqliteParameter("$" + i, null));
            SqliteParameterCollection values = command.Parameters;
            values[0].Value = symbol;
            values[1].Value = timeFrame.ToString();
            foreach (ref readonly Bar bar in bars.Span)
            {
                values[2].Value = bar.OpenTime.Ticks;
                Set(3, bar.Bid);
                Set(7, bar.Ask);
                values[11].Value = bar.Volume;
                command.ExecuteNonQuery();
            }

            void Set(int at, in Ohlc ohlc)
            {
                values[at].Value = ohlc.Open;
                values[at + 1].Value = ohlc.High;
                values[at + 2].Value = ohlc.Low;
                values[at + 3].Value = ohlc.Close;
            }
        }
    }

    public Task<ImmutableArray<Bar>> ReadLastAsync(
        string symbol, TimeFrame timeFrame, int count, DateTime before, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Task.FromResult(_database.Read(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText =
                """
                SELECT open_time, bid_open, bid_high, bid_low, bid_close, ask_open, ask_high, ask_low, ask_close, volume FROM bar
                WHERE symbol = $symbol AND time_frame = $timeFrame AND open_time < $before ORDER BY open_time DESC LIMIT $count
                """;
            command.Parameters.AddWithValue("$symbol", symbol);
            command.Parameters.AddWithValue("$timeFrame", timeFrame.ToString());
            command.Parameters.AddWithValue("$before", before.Ticks);
            command.Parameters.AddWithValue("$count", count);
            var bars = ImmutableArray.CreateBuilder<Bar>();
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read()) bars.Add(new Bar(new DateTime(row.GetInt64(0), DateTimeKind.Utc), Ohlc(row, 1), Ohlc(row, 5), row.GetDouble(9)));
            bars.Reverse();
            return bars.ToImmutable();
        }));

        static Ohlc Ohlc(SqliteDataReader row, int at) => new(row.GetInt64(at), row.GetInt64(at + 1), row.GetInt64(at + 2), row.GetInt64(at + 3));
    }

    public Task<ImmutableArray<BarStock>> ListAsync(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(_database.Read(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "SELECT symbol, time_frame, min(open_time), max(open_time), count(*) FROM bar GROUP BY symbol, time_frame ORDER BY symbol, time_frame";
            ImmutableArray<BarStock>.Builder stocks = ImmutableArray.CreateBuilder<BarStock>();
            using SqliteDataReader row = command.ExecuteReader();
            while (row.Read())
            {
                stocks.Add(new BarStock(row.GetString(0), TimeFrame.Parse(row.GetString(1)), new DateTime(row.GetInt64(2), DateTimeKind.Utc),
                    new DateTime(row.GetInt64(3), DateTimeKind.Utc), row.GetInt64(4)));
            }
            return stocks.ToImmutable();
        }));
    }
}
