using System.Globalization;
using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Storage.Projections;

/// <summary>
/// Accounts with their orders, fills and sampled equity, as the events of <c>account/</c> streams tell. Prices stay in points and amounts in
/// exact decimals: what they are called outside is not this table's business.
/// </summary>
public sealed class AccountProjection(InstrumentUniverse universe) : IProjection
{
    /// <summary>An account's stream is this and its key.</summary>
    public const string StreamPrefix = "account/";

    public const string ProjectionName = "accounts";

    public string Name => ProjectionName;

    public int Version => 1;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS account;
        CREATE TABLE account (
            key TEXT PRIMARY KEY, subject TEXT NOT NULL, opened INTEGER NOT NULL, position INTEGER NOT NULL, opening TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX account_subject ON account (subject, key);
        DROP TABLE IF EXISTS account_order;
        CREATE TABLE account_order (
            account TEXT NOT NULL, ordinal INTEGER NOT NULL, client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, is_open INTEGER NOT NULL,
            position INTEGER NOT NULL, state TEXT, denied TEXT, PRIMARY KEY (account, ordinal)) WITHOUT ROWID;
        CREATE INDEX account_order_client ON account_order (account, client_order_id);
        CREATE INDEX account_order_open ON account_order (account, ordinal) WHERE is_open = 1;
        CREATE INDEX account_order_symbol ON account_order (account, symbol, ordinal);
        DROP TABLE IF EXISTS account_fill;
        CREATE TABLE account_fill (
            account TEXT NOT NULL, position INTEGER NOT NULL, ordinal INTEGER NOT NULL, time INTEGER NOT NULL, points INTEGER NOT NULL,
            volume TEXT NOT NULL, commission TEXT NOT NULL, realised TEXT NOT NULL, PRIMARY KEY (account, position)) WITHOUT ROWID;
        DROP TABLE IF EXISTS account_holdings;
        CREATE TABLE account_holdings (
            account TEXT NOT NULL, symbol TEXT NOT NULL, holdings TEXT NOT NULL, PRIMARY KEY (account, symbol)) WITHOUT ROWID;
        DROP TABLE IF EXISTS account_equity;
        CREATE TABLE account_equity (
            account TEXT NOT NULL, time INTEGER NOT NULL, balance TEXT NOT NULL, equity TEXT NOT NULL, PRIMARY KEY (account, time)) WITHOUT ROWID;
        """);

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased || !one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        string account = one.Stream[StreamPrefix.Length..];
        switch (AccountEventCatalog.Events.Decode(one))
        {
            case AccountOpened e:
                writer.Execute(
                    "INSERT OR REPLACE INTO account (key, subject, opened, position, opening) VALUES ($1, $2, $3, $4, $5)",
                    account, one.Subject, e.Time.Ticks, one.Position, JsonSerializer.Serialize(e, AccountJson.Default.AccountOpened));
                break;
            case OrderAccepted e:
                Insert(account, e.Order.Ordinal, e.Order.ClientOrderId, e.Order.Symbol, e.Order, null, one, writer);
                break;
            case OrderDenied e:
                Insert(account, e.Ordinal, e.Request.ClientOrderId, e.Request.Symbol, null, e, one, writer);
                break;
            case OrderFilled e:
                Fill(account, e, one, writer);
                break;
            case OrderWorking e:
                Update(account, e.Ordinal, one, writer, order => order with
                {
                    Status = order.Status == OrderStatus.Submitted ? OrderStatus.Working : order.Status,
                    Arrived = true,
                    Rested = e.Rests,
                    UpdatedAt = e.Time,
                });
                break;
            case OrderRested e:
                Update(account, e.Ordinal, one, writer, order => order with { Rested = true, UpdatedAt = e.Time });
                break;
            case OrderTriggered e:
                Update(account, e.Ordinal, one, writer, order => order with { Triggered = true, Rested = e.Rests, UpdatedAt = e.Time });
                break;
            case StopTrailed e:
                Update(account, e.Ordinal, one, writer, order => order with { Stop = e.Stop, UpdatedAt = e.Time });
                break;
            case OrderChangeRequested e:
                Update(account, e.Ordinal, one, writer, order => order with
                {
                    Status = OrderStatus.PendingModify,
                    PendingChange = e.Change,
                    RequestDue = e.ActiveFrom,
                    UpdatedAt = e.Time,
                });
                break;
            case OrderChanged e:
                Update(account, e.Ordinal, one, writer, order => order with
                {
                    Status = !e.Answers ? order.Status : order.Filled > 0 ? OrderStatus.PartiallyFilled : OrderStatus.Working,
                    Rested = e.Rested,
                    Volume = e.Volume,
                    Limit = e.Limit,
                    Stop = e.Stop,
                    Trail = e.Trail,
                    PendingChange = e.Answers ? null : order.PendingChange,
                    RequestDue = e.Answers ? null : order.RequestDue,
                    UpdatedAt = e.Time,
                });
                break;
            case OrderCancelRequested e:
                Update(account, e.Ordinal, one, writer, order => order with
                {
                    Status = OrderStatus.PendingCancel,
                    PendingChange = null,
                    RequestDue = e.ActiveFrom,
                    Reason = e.Reason,
                    UpdatedAt = e.Time,
                });
                break;
            case OrderEnded e:
                Update(account, e.Ordinal, one, writer, order => order with { Status = e.Status, Reason = e.Reason, UpdatedAt = e.Time });
                break;
            case EquitySampled e:
                writer.Execute(
                    "INSERT OR REPLACE INTO account_equity (account, time, balance, equity) VALUES ($1, $2, $3, $4)",
                    account, e.Time.Ticks, Text(e.Balance), Text(e.Equity));
                break;
        }
    }

    public void Erase(string subject, ProjectionWriter writer)
    {
        foreach (string table in (string[])["account_order", "account_fill", "account_holdings", "account_equity"])
        {
            writer.Execute($"DELETE FROM {table} WHERE account IN (SELECT key FROM account WHERE subject = $1)", subject);
        }
        writer.Execute("DELETE FROM account WHERE subject = $1", subject);
    }

    internal static string Text(decimal value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Insert(
        string account, long ordinal, string clientOrderId, string symbol, Order? order, OrderDenied? denied, RecordedEvent one,
        ProjectionWriter writer) =>
        writer.Execute(
            """
            INSERT OR REPLACE INTO account_order (account, ordinal, client_order_id, symbol, is_open, position, state, denied)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            account, ordinal, clientOrderId, symbol, order is { IsOpen: true } ? 1 : 0, one.Position,
            order is null ? null : JsonSerializer.Serialize(order, AccountJson.Default.Order),
            denied is null ? null : JsonSerializer.Serialize(denied, AccountJson.Default.OrderDenied));

    private static Order? Find(string account, long ordinal, ProjectionWriter writer) =>
        writer.Scalar("SELECT state FROM account_order WHERE account = $1 AND ordinal = $2", account, ordinal) is string state
            ? JsonSerializer.Deserialize(state, AccountJson.Default.Order)
            : null;

    private static void Update(string account, long ordinal, RecordedEvent one, ProjectionWriter writer, Func<Order, Order> change)
    {
        // An order whose acceptance was erased is not in the table.
        if (Find(account, ordinal, writer) is { } order) Save(account, change(order), one, writer);
    }

    private static void Save(string account, Order order, RecordedEvent one, ProjectionWriter writer) => writer.Execute(
        "UPDATE account_order SET state = $1, is_open = $2, position = $3 WHERE account = $4 AND ordinal = $5",
        JsonSerializer.Serialize(order, AccountJson.Default.Order), order.IsOpen ? 1 : 0, one.Position, account, order.Ordinal);

    private void Fill(string account, OrderFilled e, RecordedEvent one, ProjectionWriter writer)
    {
        if (Find(account, e.Ordinal, writer) is not { } order) return;
        writer.Execute(
            """
            INSERT OR REPLACE INTO account_fill (account, position, ordinal, time, points, volume, commission, realised)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            account, one.Position, e.Ordinal, e.FillTime.Ticks, e.Points, Text(e.Volume), Text(e.Commission), Text(e.Realised));
        Hold(account, order, e, writer);
        decimal filled = order.Filled + e.Volume;
        Save(account, order with
        {
            Filled = filled,
            FilledNotional = order.FilledNotional + e.Volume * e.Points,
            Fills = e.Fill,
            Status = filled == order.Volume ? OrderStatus.Filled
                : order.Status is OrderStatus.PendingCancel or OrderStatus.PendingModify ? order.Status
                : OrderStatus.PartiallyFilled,
            UpdatedAt = e.Time,
        }, one, writer);
    }

    /// <summary>Keeps what the account holds, by the account's own rule of how a fill falls on holdings.</summary>
    private void Hold(string account, Order order, OrderFilled e, ProjectionWriter writer)
    {
        if (universe.Find(order.Symbol) is not { } instrument) return;
        if (writer.Scalar("SELECT opening FROM account WHERE key = $1", account) is not string opening) return;
        PositionMode mode = JsonSerializer.Deserialize(opening, AccountJson.Default.AccountOpened)!.Settings.Mode;
        var book = new SymbolBook(instrument, mode, [instrument.Symbol]);
        if (writer.Scalar("SELECT holdings FROM account_holdings WHERE account = $1 AND symbol = $2", account, order.Symbol) is string known)
        {
            foreach (Holding holding in JsonSerializer.Deserialize(known, AccountJson.Default.ImmutableArrayHolding)) book.Put(holding);
        }
        book.Apply(book.Allocate(order, e.Volume, e.Points, e.FillTime), 0, _ => 0);
        if (book.Holdings.Count == 0)
        {
            writer.Execute("DELETE FROM account_holdings WHERE account = $1 AND symbol = $2", account, order.Symbol);
            return;
        }
        writer.Execute(
            "INSERT OR REPLACE INTO account_holdings (account, symbol, holdings) VALUES ($1, $2, $3)",
            account, order.Symbol, JsonSerializer.Serialize([.. book.Holdings], AccountJson.Default.ImmutableArrayHolding));
    }
}
