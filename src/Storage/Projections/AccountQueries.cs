using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Orders;
using HybridTrading.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace HybridTrading.Storage.Projections;

/// <summary>Which orders a list is to show.</summary>
public enum OrderFilter
{
    All,
    Open,
    Closed,
}

/// <summary>An order as its events left it: accepted (<paramref name="Order"/>) or refused by risk (<paramref name="Denied"/>).</summary>
/// <param name="Account">Key of the account.</param>
/// <param name="Position">Journal position of the last event that touched it.</param>
public sealed record OrderRow(string Account, long Ordinal, long Position, Order? Order, OrderDenied? Denied);

/// <summary>A fill with the order behind it.</summary>
/// <param name="Position">Journal position of the fill.</param>
/// <param name="Points">Price in points.</param>
public sealed record FillRow(
    string Account, long Position, Order Order, DateTime Time, long Points, decimal Volume, decimal Commission, decimal Realised);

/// <summary>The equity of an account at one time, in its currency.</summary>
public sealed record EquityRow(DateTime Time, decimal Balance, decimal Equity);

/// <summary>Reads the tables of <see cref="AccountProjection"/>.</summary>
public sealed class AccountQueries(SqliteDatabase database)
{
    private const string OrderColumns = "account, ordinal, position, state, denied";

    private const string FillColumns =
        """
        SELECT f.account, f.position, o.state, f.time, f.points, f.volume, f.commission, f.realised
        FROM account_fill f JOIN account_order o ON o.account = f.account AND o.ordinal = f.ordinal
        """;

    /// <summary>Keys of a person's accounts, in ordinal order.</summary>
    public ImmutableArray<string> Accounts(string subject) =>
        Read("SELECT key FROM account WHERE subject = $1 ORDER BY key", row => row.GetString(0), subject);

    /// <summary>How the account was opened; null when it never was (or the projection has not got there).</summary>
    public AccountOpened? Opening(string account) => Read(
        "SELECT opening FROM account WHERE key = $1",
        row => JsonSerializer.Deserialize(row.GetString(0), AccountJson.Default.AccountOpened)!, account).FirstOrDefault();

    /// <summary>Accounts with orders at work or with holdings: they must see the market whether somebody asks for them or not.</summary>
    public ImmutableArray<string> AccountsInTheMarket() => Read(
        "SELECT account FROM account_order WHERE is_open = 1 UNION SELECT account FROM account_holdings ORDER BY 1", row => row.GetString(0));

    /// <summary>The same with the instruments of each.</summary>
    public ImmutableArray<(string Account, string Symbol)> InstrumentsInTheMarket() => Read(
        "SELECT account, symbol FROM account_order WHERE is_open = 1 UNION SELECT account, symbol FROM account_holdings ORDER BY 1, 2",
        row => (row.GetString(0), row.GetString(1)));

    /// <summary>Orders of an account, the latest first.</summary>
    /// <param name="before">Only ordinals below it; null for all.</param>
    public ImmutableArray<OrderRow> Orders(string account, OrderFilter filter, string? symbol, long? before, int limit)
    {
        string which = filter switch
        {
            OrderFilter.Open => " AND is_open = 1",
            OrderFilter.Closed => " AND is_open = 0",
            _ => "",
        };
        if (symbol is not null) which += " AND symbol = $4";
        string sql = $"SELECT {OrderColumns} FROM account_order WHERE account = $1 AND ordinal < $2{which} ORDER BY ordinal DESC LIMIT $3";
        return symbol is null
            ? Read(sql, Order, account, before ?? long.MaxValue, limit)
            : Read(sql, Order, account, before ?? long.MaxValue, limit, symbol);
    }

    public OrderRow? Order(string account, long ordinal) => Read(
        $"SELECT {OrderColumns} FROM account_order WHERE account = $1 AND ordinal = $2", Order, account, ordinal).FirstOrDefault();

    /// <summary>The latest order that was sent under a client order id.</summary>
    public OrderRow? Order(string account, string clientOrderId) => Read(
        $"SELECT {OrderColumns} FROM account_order WHERE account = $1 AND client_order_id = $2 ORDER BY ordinal DESC LIMIT 1",
        Order, account, clientOrderId).FirstOrDefault();

    /// <summary>Fills of an account, the latest first.</summary>
    /// <param name="before">Only journal positions below it; null for all.</param>
    public ImmutableArray<FillRow> Fills(string account, long? before, int limit) => Read(
        $"{FillColumns} WHERE f.account = $1 AND f.position < $2 ORDER BY f.position DESC LIMIT $3", Fill, account, before ?? long.MaxValue, limit);

    /// <summary>The fill that was recorded at a journal position.</summary>
    public FillRow? FillAt(string account, long position) =>
        Read($"{FillColumns} WHERE f.account = $1 AND f.position = $2", Fill, account, position).FirstOrDefault();

    /// <summary>
    /// Equity samples from <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive), oldest first; of more than
    /// <paramref name="most"/> the last in each of that many equal stretches of time.
    /// </summary>
    public ImmutableArray<EquityRow> Equity(string account, DateTime from, DateTime to, int most)
    {
        const string range = "FROM account_equity WHERE account = $1 AND time >= $2 AND time < $3";
        (long Count, long First, long Last) extent = Read(
            $"SELECT COUNT(*), COALESCE(MIN(time), 0), COALESCE(MAX(time), 0) {range}",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), account, from.Ticks, to.Ticks)[0];
        if (extent.Count <= most) return Read($"SELECT time, balance, equity {range} ORDER BY time", Sample, account, from.Ticks, to.Ticks);

        long stretch = (extent.Last - extent.First) / most + 1;
        return Read(
            $"SELECT MAX(time), balance, equity {range} GROUP BY (time - $4) / $5 ORDER BY 1", Sample,
            account, from.Ticks, to.Ticks, extent.First, stretch);
    }

    private static EquityRow Sample(SqliteDataReader row) => new(Time(row, 0), Number(row, 1), Number(row, 2));

    private static OrderRow Order(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt64(1), row.GetInt64(2),
        row.IsDBNull(3) ? null : JsonSerializer.Deserialize(row.GetString(3), AccountJson.Default.Order),
        row.IsDBNull(4) ? null : JsonSerializer.Deserialize(row.GetString(4), AccountJson.Default.OrderDenied));

    private static FillRow Fill(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt64(1), JsonSerializer.Deserialize(row.GetString(2), AccountJson.Default.Order)!,
        Time(row, 3), row.GetInt64(4), Number(row, 5), Number(row, 6), Number(row, 7));

    private static DateTime Time(SqliteDataReader row, int column) => new(row.GetInt64(column), DateTimeKind.Utc);

    private static decimal Number(SqliteDataReader row, int column) => decimal.Parse(row.GetString(column), CultureInfo.InvariantCulture);

    private ImmutableArray<T> Read<T>(string sql, Func<SqliteDataReader, T> read, params object[] values) =>
        ProjectionReader.Read(database, sql, read, values);
}

/// <summary>Runs one query over a projection's tables.</summary>
public static class ProjectionReader
{
    /// <param name="values">Of the parameters <c>$1</c>, <c>$2</c>, ...</param>
    /// <exception cref="StorageException">The database refused.</exception>
    public static ImmutableArray<T> Read<T>(SqliteDatabase database, string sql, Func<SqliteDataReader, T> read, params object[] values) =>
        database.Read(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 0; i < values.Length; i++) command.Parameters.AddWithValue("$" + (i + 1), values[i]);
            using SqliteDataReader row = command.ExecuteReader();
            ImmutableArray<T>.Builder rows = ImmutableArray.CreateBuilder<T>();
            while (row.Read()) rows.Add(read(row));
            return rows.ToImmutable();
        });
}
