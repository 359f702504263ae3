using System.Globalization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Grains.Alerts;

/// <summary>Makes alerts of the events of other streams.</summary>
public sealed class AlertReader(IJournal journal, TradingOptions trading)
{
    private const string AccountPrefix = "account/", StrategyPrefix = "strategy/", KillSwitchPrefix = "kill-switch/";

    /// <summary>The events that can be worth an alert, and its kind: all that is known of them without reading what they say.</summary>
    private static readonly ImmutableDictionary<string, AlertKind> Kinds = ImmutableDictionary.CreateRange(StringComparer.Ordinal,
    [
        KeyValuePair.Create("order-filled", AlertKind.Fill), KeyValuePair.Create("order-denied", AlertKind.Denial),
        KeyValuePair.Create("trading-state-changed", AlertKind.Halt), KeyValuePair.Create("halt-engaged", AlertKind.Halt),
        KeyValuePair.Create("strategy-stopped", AlertKind.StrategyStopped), KeyValuePair.Create("limits-near", AlertKind.LimitNear),
    ]);

    /// <summary>Null for an event that is never worth an alert.</summary>
    public static AlertKind? KindOf(RecordedEvent recorded) => Kinds.TryGetValue(recorded.Name, out AlertKind kind) ? kind : null;

    /// <summary>Whose alerts a stream makes: tenant/user, or tenant/* for every member of a tenant.</summary>
    public static string AudienceOf(string stream)
    {
        string key = stream[(stream.IndexOf('/') + 1)..];
        return stream.StartsWith(KillSwitchPrefix, StringComparison.Ordinal) ? Keys.TenantConfiguration(key) : Keys.PersonOf(key);
    }

    /// <summary>What of a notice is worth an alert to a person, in the order of the stream.</summary>
    /// <param name="person">tenant/user.</param>
    /// <param name="kinds">That the person wants to hear of.</param>
    /// <param name="after">The version up to which the stream has been read before.</param>
    public async Task<ImmutableArray<AlertFact>> ReadAsync(
        string person, AlertNotice notice, IReadOnlySet<AlertKind> kinds, long after, CancellationToken cancellation)
    {
        ImmutableArray<AlertFact>.Builder facts = ImmutableArray.CreateBuilder<AlertFact>();
        var orders = new Dictionary<long, Order>();
        await foreach (RecordedEvent recorded in journal.ReadAsync(notice.Stream, Math.Max(notice.From, after + 1), cancellation))
        {
            if (recorded.Version > notice.To) break;
            if (recorded.Erased) continue;
            if (recorded.Name == "order-accepted" && kinds.Contains(AlertKind.Fill)) Remember(recorded, orders);
            if (KindOf(recorded) is not { } kind || !kinds.Contains(kind)) continue;
            if (await MakeAsync(person, recorded, kind, orders, cancellation) is { } alert)
            {
                facts.Add(new AlertFact(alert, new AlertSource(recorded.Stream, recorded.Version)));
            }
        }
        return facts.ToImmutable();
    }

    /// <summary>Null for an event that is nothing to the person: a release, a halt of somebody else, a use that has left its limit.</summary>
    private async Task<Alert?> MakeAsync(
        string person, RecordedEvent recorded, AlertKind kind, Dictionary<long, Order> orders, CancellationToken cancellation)
    {
        if (recorded.Stream.StartsWith(KillSwitchPrefix, StringComparison.Ordinal))
        {
            return HaltEventCatalog.Events.Decode(recorded) is HaltEngaged e && (e.Member is null || e.Member == person)
                ? new Alert(kind, e.Time, "", $"{(e.Member is null ? "The tenant is" : "All of your accounts and strategies are")} halted{Because(e.Why)}")
                : null;
        }
        string name = Keys.NameOf(recorded.Stream);
        if (recorded.Stream.StartsWith(StrategyPrefix, StringComparison.Ordinal)) return new Alert(kind, recorded.Time, name, $"Strategy {name} has stopped");
        if (!recorded.Stream.StartsWith(AccountPrefix, StringComparison.Ordinal)) return null;
        return AccountEventCatalog.Events.Decode(recorded) switch
        {
            OrderFilled e => new Alert(kind, e.FillTime, name, FillText(name, e, await OrderOfAsync(recorded, e.Ordinal, orders, cancellation))),
            OrderDenied e => new Alert(kind, e.Time, name,
                $"{name} refused to {Verb(e.Request.Side)} {Number(e.Request.Volume)} {e.Request.Symbol}: {e.Denial.Reason}{Because(e.Denial.Detail)}"),
            TradingStateChanged { State: not TradingState.Active } e => new Alert(kind, e.Time, name,
                $"{name} {(e.State == TradingState.Halted ? "is halted" : "only reduces")}: {e.Reason}{Because(e.Detail)}"),
            LimitsNear { Reached.IsEmpty: false } e => new Alert(kind, e.Time, name, $"{name} is near {string.Join(", ", e.Reached.Select(Use))}"),
            _ => null,
        };
    }

    private static void Remember(RecordedEvent recorded, Dictionary<long, Order> orders)
    {
        if (AccountEventCatalog.Events.Decode(recorded) is OrderAccepted accepted) orders[accepted.Order.Ordinal] = accepted.Order;
    }

    /// <summary>The order behind a fill: mostly accepted just before it, sometimes long ago.</summary>
    private async Task<Order?> OrderOfAsync(RecordedEvent fill, long ordinal, Dictionary<long, Order> orders, CancellationToken cancellation)
    {
        long from = fill.Version;
        for (long back = 16; !orders.ContainsKey(ordinal) && from > 1; back *= 8)
        {
            long end = from;
            from = Math.Max(1, fill.Version - back);
            await foreach (RecordedEvent recorded in journal.ReadAsync(fill.Stream, from, cancellation))
            {
                if (recorded.Version >= end) break;
                if (!recorded.Erased && recorded.Name == "order-accepted") Remember(recorded, orders);
            }
        }
        return orders.GetValueOrDefault(ordinal);
    }

    private string FillText(string account, OrderFilled fill, Order? order)
    {
        if (order is null || trading.Universe.Find(order.Symbol) is not { } instrument) return $"{account} had a fill of {Number(fill.Volume)}";
        return $"{account} {(order.Side == Side.Buy ? "bought" : "sold")} {Number(fill.Volume)} {order.Symbol} at {Price(instrument, fill.Points)}";
    }

    private static string Verb(Side side) => side == Side.Buy ? "buy" : "sell";

    private static string Use(LimitUse use) =>
        string.Create(CultureInfo.InvariantCulture, $"{use.Limit}: {use.Share * 100m:0.#} % ({use.Used:0.##} of {use.Most:0.##})");

    private static string Because(string text) => text.Length == 0 ? "" : $" ({(text.Length > 300 ? text[..300] + "..." : text)})";

    private static string Number(decimal value) => value.ToString("0.########", CultureInfo.InvariantCulture);

    private static string Price(Instrument instrument, long points) =>
        instrument.ToPrice(points).ToString(CultureInfo.InvariantCulture);
}
