using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Performance;

/// <summary>
/// The orders of one account with all that became of them, gathered from its events, and the hash that says whether two runs traded alike.
/// </summary>
/// <remarks>
/// Hash v1 is SHA-256 over UTF-8 lines ended by LF. First "order-list v1". Then for each account in ordinal order of its name "account NAME", and for
/// each order by ordinal one line of tab-separated fields: "O", symbol, Buy|Sell, type, purpose, volume, limit, stop, trail, time in force, strategy,
/// time of acceptance, status, reason; followed for each fill by "F", time, price, volume, commission, realised. Prices are decimals in price units, numbers are
/// plain decimals without trailing zeros, absent values are "-", times are UTC to 100 ns (yyyy-MM-ddTHH:mm:ss.fffffffZ). Volume, limit, stop and
/// trail are those of the order's last state. A denied order is listed with status Denied and its reason. No ids take part.
/// </remarks>
public sealed class OrderList(InstrumentUniverse universe)
{
    // By ordinal: an account numbers its orders, denied ones too, from 1 without a gap.
    private readonly List<Entry> _entries = [];

    /// <summary>The accepted orders as they stand.</summary>
    public IEnumerable<Order> Orders => _entries.Where(entry => entry.Order is not null).Select(entry => entry.AsItStands());

    public int Count => _entries.Count;

    public int Fills { get; private set; }

    public IReadOnlyList<OrderFilled> FillsOf(long ordinal) => this[ordinal].Fills;

    /// <summary>Folds an account event in.</summary>
    public void Apply(AccountEvent happened)
    {
        switch (happened)
        {
            case OrderAccepted e:
                Add(e.Order.Ordinal, new Entry { Order = e.Order });
                break;
            case OrderDenied e:
                Add(e.Ordinal, new Entry { Denied = e });
                break;
            case OrderTriggered e:
                Change(e.Ordinal, order => order with { Triggered = true });
                break;
            case StopTrailed e:
                Change(e.Ordinal, order => order with { Stop = e.Stop });
                break;
            case OrderChanged e:
                Change(e.Ordinal, order => order with { Volume = e.Volume, Limit = e.Limit, Stop = e.Stop, Trail = e.Trail });
                break;
            case OrderFilled e:
                Fills++;
                this[e.Ordinal].Fills.Add(e);
                break;
            case OrderEnded e:
                this[e.Ordinal].End = e;
                break;
        }
    }

    /// <summary>The hash over the lists of all accounts of a run, as lower-case hexadecimal.</summary>
    public static string Hash(IEnumerable<KeyValuePair<string, OrderList>> accounts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Line(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Line("order-list v1");
        foreach ((string account, OrderList list) in accounts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Line($"account {account}");
            foreach (Entry entry in list._entries) list.Write(entry, Line);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Each order with its fills, by ordinal, in the words of the hash.</summary>
    public ImmutableArray<string> Describe()
    {
        var orders = ImmutableArray.CreateBuilder<string>(_entries.Count);
        foreach (Entry entry in _entries)
        {
            List<string> lines = [];
            Write(entry, lines.Add);
            orders.Add(string.Join('\n', lines));
        }
        return orders.MoveToImmutable();
    }

    private void Write(Entry entry, Action<string> line)
    {
        if (entry.Denied is { } denied)
        {
            OrderRequest asked = denied.Request;
            line(string.Join('\t', "O", asked.Symbol, asked.Side, asked.Type, OrderPurpose.Trade, Text(asked.Volume), Text(asked.LimitPrice), Text(asked.StopPrice),
                Text(asked.TrailDistance), asked.TimeInForce, Name(asked.Strategy), Text(denied.Time), OrderStatus.Denied, denied.Denial.Reason));
            return;
        }
        Order order = entry.AsItStands();
        Instrument instrument = universe.Find(order.Symbol)!;
        decimal? Price(long? points) => points is { } value ? instrument.ToPrice(value) : null;
        OrderStatus status = order.Status is OrderStatus.Submitted ? OrderStatus.Working : order.Status;
        line(string.Join('\t', "O", order.Symbol, order.Side, order.Type, order.Purpose, Text(order.Volume), Text(Price(order.Limit)), Text(Price(order.Stop)),
            Text(Price(order.Trail)), order.TimeInForce, Name(order.Strategy), Text(order.CreatedAt), status, order.Reason));
        foreach (OrderFilled fill in entry.Fills)
        {
            line(string.Join('\t', "F", Text(fill.FillTime), Text(Price(fill.Points)), Text(fill.Volume), Text(fill.Commission), Text(fill.Realised)));
        }
    }

    private static string Text(decimal? value) =>
        value is { } number ? (number / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture) : "-";

    private static string Text(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "Z";

    /// <summary>A strategy's own name: two runs in different tenants trade alike.</summary>
    private static string Name(string key) => key.Length == 0 ? "-" : key[(key.LastIndexOf('/') + 1)..];

    private void Change(long ordinal, Func<Order, Order> change)
    {
        Entry entry = this[ordinal];
        entry.Order = change(entry.Order!);
    }

    private Entry this[long ordinal] => _entries[(int)(ordinal - 1)];

    private void Add(long ordinal, Entry entry)
    {
        if (ordinal != _entries.Count + 1) throw new InvalidOperationException($"order {ordinal} follows order {_entries.Count}: the account's events are not from its first");
        _entries.Add(entry);
    }

    private sealed class Entry
    {
        /// <summary>As accepted and changed; what filled and how it ended lies beside it until somebody asks. Null for a denied one.</summary>
        public Order? Order { get; set; }
        public OrderDenied? Denied { get; init; }
        public List<OrderFilled> Fills { get; } = new(1);
        public OrderEnded? End { get; set; }

        public Order AsItStands()
        {
            Order order = Order!;
            decimal filled = 0, notional = 0;
            foreach (OrderFilled fill in Fills)
            {
                filled += fill.Volume;
                notional += fill.Volume * fill.Points;
            }
            return order with
            {
                Filled = filled,
                FilledNotional = notional,
                Fills = Fills.Count,
                Status = End?.Status ?? (filled == 0 ? order.Status : filled == order.Volume ? OrderStatus.Filled : OrderStatus.PartiallyFilled),
                Reason = End?.Reason ?? order.Reason,
                UpdatedAt = End?.Time ?? (Fills.Count > 0 ? Fills[^1].Time : order.UpdatedAt),
            };
        }
    }
}
