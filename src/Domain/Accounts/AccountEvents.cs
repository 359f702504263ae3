using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Accounts;

/// <summary>Something that happened to an account. Its stream is nothing but these.</summary>
/// <param name="Time">UTC, the market's time.</param>
/// <param name="MarketPosition">Position in the market log that the account had seen: -1 before the first event.</param>
[GenerateSerializer, Immutable, Alias("ht.AccountEvent")]
public abstract record AccountEvent(DateTime Time, long MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.AccountOpened")]
public sealed record AccountOpened(DateTime Time, long MarketPosition, AccountSettings Settings, RiskLimits Limits) : AccountEvent(Time, MarketPosition);

/// <param name="Amount">Account currency; negative for a withdrawal.</param>
[GenerateSerializer, Immutable, Alias("ht.BalanceAdjusted")]
public sealed record BalanceAdjusted(DateTime Time, long MarketPosition, decimal Amount, string Note, string RequestId) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.LimitsChanged")]
public sealed record LimitsChanged(DateTime Time, long MarketPosition, RiskLimits Limits) : AccountEvent(Time, MarketPosition);

/// <param name="RebasedEquity">On a release: the equity from which loss and drawdown limits count anew.</param>
[GenerateSerializer, Immutable, Alias("ht.TradingStateChanged")]
public sealed record TradingStateChanged(DateTime Time, long MarketPosition, TradingState State, Reason Reason, string Detail, decimal? RebasedEquity = null) : AccountEvent(Time, MarketPosition);

/// <summary>The account heard which halts of its tenant stand for its owner.</summary>
/// <param name="Halts">Their numbers; empty when the last was released.</param>
/// <param name="Flattens">A new one closed the positions.</param>
[GenerateSerializer, Immutable, Alias("ht.TenantHaltsChanged")]
public sealed record TenantHaltsChanged(DateTime Time, long MarketPosition, ImmutableArray<long> Halts, bool Flattens) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.FollowChanged")]
public sealed record FollowChanged(DateTime Time, long MarketPosition, string Strategy, FollowTerms? Terms) : AccountEvent(Time, MarketPosition);

/// <summary>A strategy's decision reached the account; what came of it is in <see cref="Verdict"/>, so that a repeat gets the same answer.</summary>
[GenerateSerializer, Immutable, Alias("ht.DecisionReceived")]
public sealed record DecisionReceived(DateTime Time, long MarketPosition, string Strategy, string Decision, DecisionVerdict Verdict) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.OrderAccepted")]
public sealed record OrderAccepted(DateTime Time, long MarketPosition, Order Order) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.OrderDenied")]
public sealed record OrderDenied(DateTime Time, long MarketPosition, long Ordinal, OrderRequest Request, Denial Denial) : AccountEvent(Time, MarketPosition);

/// <summary>The order has reached the venue.</summary>
/// <param name="Rests">A limit that the market does not reach as it arrives.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderWorking")]
public sealed record OrderWorking(DateTime Time, long MarketPosition, long Ordinal, bool Rests = false) : AccountEvent(Time, MarketPosition);

/// <summary>What is left of a limit that came marketable rests at its own price from now on.</summary>
[GenerateSerializer, Immutable, Alias("ht.OrderRested")]
public sealed record OrderRested(DateTime Time, long MarketPosition, long Ordinal) : AccountEvent(Time, MarketPosition);

/// <param name="MarketPoints">The price that touched the stop.</param>
/// <param name="Rests">A stop-limit that the market has already left behind: it now rests at its limit.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderTriggered")]
public sealed record OrderTriggered(DateTime Time, long MarketPosition, long Ordinal, long MarketPoints, bool Rests) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.StopTrailed")]
public sealed record StopTrailed(DateTime Time, long MarketPosition, long Ordinal, long Stop) : AccountEvent(Time, MarketPosition);

/// <param name="Fill">1 upwards inside the order.</param>
/// <param name="Points">Price in points, slippage included.</param>
/// <param name="Slippage">Adverse points in the price.</param>
/// <param name="Rate">Account currency for one unit of the quote currency.</param>
/// <param name="Commission">Account currency, booked.</param>
/// <param name="Realised">Account currency, booked, before commission.</param>
/// <param name="Maker">It rested at its own price.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderFilled")]
public sealed record OrderFilled(
    DateTime Time, long MarketPosition, long Ordinal, long Fill, long Points, decimal Volume, long Slippage,
    decimal Rate, decimal Commission, decimal Realised, bool Maker, DateTime FillTime) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.OrderChangeRequested")]
public sealed record OrderChangeRequested(DateTime Time, long MarketPosition, long Ordinal, OrderChange Change, DateTime ActiveFrom) : AccountEvent(Time, MarketPosition);

/// <summary>How the order now stands; made by a change that arrived or by the system (linked orders are cut, protective orders follow their parent).</summary>
/// <param name="Rested">As <see cref="Order.Rested"/>.</param>
/// <param name="Answers">It is the change that was requested, which is no longer pending.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderChanged")]
public sealed record OrderChanged(
    DateTime Time, long MarketPosition, long Ordinal, decimal Volume, long? Limit, long? Stop, long? Trail, bool Rested, bool Answers = false)
    : AccountEvent(Time, MarketPosition);

/// <param name="Reason">Why; also the reason with which the order ends.</param>
[GenerateSerializer, Immutable, Alias("ht.OrderCancelRequested")]
public sealed record OrderCancelRequested(
    DateTime Time, long MarketPosition, long Ordinal, DateTime ActiveFrom, Reason Reason = Reason.Requested) : AccountEvent(Time, MarketPosition);

/// <summary>The order ended without (further) fills: cancelled, expired or rejected.</summary>
[GenerateSerializer, Immutable, Alias("ht.OrderEnded")]
public sealed record OrderEnded(DateTime Time, long MarketPosition, long Ordinal, OrderStatus Status, Reason Reason) : AccountEvent(Time, MarketPosition);

/// <param name="Nights">1, or 3 on the triple day.</param>
/// <param name="Amount">Account currency, booked; negative is paid.</param>
[GenerateSerializer, Immutable, Alias("ht.SwapCharged")]
public sealed record SwapCharged(DateTime Time, long MarketPosition, string Symbol, string Holding, int Nights, decimal Amount) : AccountEvent(Time, MarketPosition);

/// <summary>The account's trading day turned: the base of its loss limits.</summary>
[GenerateSerializer, Immutable, Alias("ht.DayTurned")]
public sealed record DayTurned(DateTime Time, long MarketPosition, decimal Equity, bool NewWeek, bool NewMonth) : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.MarginCalled")]
public sealed record MarginCalled(DateTime Time, long MarketPosition, decimal LevelPercent) : AccountEvent(Time, MarketPosition);

/// <summary>The use of limits has come near them, or has left them. A live account's alone: a run raises none.</summary>
/// <param name="Reached">Those that are near from now on.</param>
/// <param name="Left">Names of those that are near no more.</param>
[GenerateSerializer, Immutable, Alias("ht.LimitsNear")]
public sealed record LimitsNear(DateTime Time, long MarketPosition, ImmutableArray<LimitUse> Reached, ImmutableArray<string> Left)
    : AccountEvent(Time, MarketPosition);

[GenerateSerializer, Immutable, Alias("ht.EquitySampled")]
public sealed record EquitySampled(DateTime Time, long MarketPosition, decimal Balance, decimal Equity) : AccountEvent(Time, MarketPosition);

/// <summary>The JSON of an account's events and snapshot.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AccountOpened))]
[JsonSerializable(typeof(BalanceAdjusted))]
[JsonSerializable(typeof(LimitsChanged))]
[JsonSerializable(typeof(TradingStateChanged))]
[JsonSerializable(typeof(TenantHaltsChanged))]
[JsonSerializable(typeof(FollowChanged))]
[JsonSerializable(typeof(DecisionReceived))]
[JsonSerializable(typeof(OrderAccepted))]
[JsonSerializable(typeof(OrderDenied))]
[JsonSerializable(typeof(OrderWorking))]
[JsonSerializable(typeof(OrderRested))]
[JsonSerializable(typeof(OrderTriggered))]
[JsonSerializable(typeof(StopTrailed))]
[JsonSerializable(typeof(OrderFilled))]
[JsonSerializable(typeof(OrderChangeRequested))]
[JsonSerializable(typeof(OrderChanged))]
[JsonSerializable(typeof(OrderCancelRequested))]
[JsonSerializable(typeof(OrderEnded))]
[JsonSerializable(typeof(SwapCharged))]
[JsonSerializable(typeof(DayTurned))]
[JsonSerializable(typeof(MarginCalled))]
[JsonSerializable(typeof(EquitySampled))]
[JsonSerializable(typeof(LimitsNear))]
[JsonSerializable(typeof(AccountSnapshot))]
public sealed partial class AccountJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in an account's stream.</summary>
public static class AccountEventCatalog
{
    public static readonly EventCatalog<AccountEvent> Events = new EventCatalog<AccountEvent>()
        .Add("account-opened", 1, AccountJson.Default.AccountOpened)
        .Add("balance-adjusted", 1, AccountJson.Default.BalanceAdjusted)
        .Add("limits-changed", 1, AccountJson.Default.LimitsChanged)
        .Add("trading-state-changed", 1, AccountJson.Default.TradingStateChanged)
        .Add("tenant-halts-changed", 1, AccountJson.Default.TenantHaltsChanged)
        .Add("follow-changed", 1, AccountJson.Default.FollowChanged)
        .Add("decision-received", 1, AccountJson.Default.DecisionReceived)
        .Add("order-accepted", 1, AccountJson.Default.OrderAccepted)
        .Add("order-denied", 1, AccountJson.Default.OrderDenied)
        .Add("order-working", 1, AccountJson.Default.OrderWorking)
        .Add("order-rested", 1, AccountJson.Default.OrderRested)
        .Add("order-triggered", 1, AccountJson.Default.OrderTriggered)
        .Add("stop-trailed", 1, AccountJson.Default.StopTrailed)
        .Add("order-filled", 1, AccountJson.Default.OrderFilled)
        .Add("order-change-requested", 1, AccountJson.Default.OrderChangeRequested)
        .Add("order-changed", 1, AccountJson.Default.OrderChanged)
        .Add("order-cancel-requested", 1, AccountJson.Default.OrderCancelRequested)
        .Add("order-ended", 1, AccountJson.Default.OrderEnded)
        .Add("swap-charged", 1, AccountJson.Default.SwapCharged)
        .Add("day-turned", 1, AccountJson.Default.DayTurned)
        .Add("margin-called", 1, AccountJson.Default.MarginCalled)
        .Add("equity-sampled", 1, AccountJson.Default.EquitySampled)
        .Add("limits-near", 1, AccountJson.Default.LimitsNear);
}
