using System.Text.Json.Serialization;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Storage.Projections;
using Trading = HybridTrading.Grains.Trading;

namespace HybridTrading.Api;

/// <summary>A trading account as it stands now. Amounts are in its currency.</summary>
/// <param name="Name">As its owner calls it.</param>
/// <param name="Key">tenant/user/name.</param>
/// <param name="StateReason">Why it is not active; None while it is.</param>
/// <param name="Equity">Balance and what closing everything now would bring.</param>
/// <param name="FreeMargin">Equity less used margin.</param>
/// <param name="Time">Of the latest event that it saw.</param>
/// <param name="Version">Count of events in its stream.</param>
/// <param name="Follows">Terms by the name of the strategy.</param>
/// <param name="TenantHalted">The tenant's kill switch stands for it: only what reduces passes, whatever the state says.</param>
/// <param name="LimitUse">How far each limit that fills up has been used.</param>
/// <param name="DayStarted">When the trading day of its calendar began, or the account was opened on it.</param>
/// <param name="DayEnds">When the next one begins: from then on the three below are of another day.</param>
/// <param name="DayStartEquity">Equity with which the day began; 0 on the day of the opening.</param>
/// <param name="DayPayments">Paid in less paid out since.</param>
/// <param name="DayResult">Profit or loss of the day, realised and open together: equity less the two.</param>
public sealed record AccountView(
    string Name, string Key, string Currency, PositionMode Mode, TradingState State, Reason StateReason, decimal Balance, decimal Equity,
    decimal UsedMargin, decimal FreeMargin, decimal Realised, decimal Commissions, decimal Swaps, decimal Deposits, DateTime Time, long Version,
    ImmutableArray<PositionView> Positions, ImmutableArray<OrderView> WorkingOrders, ImmutableSortedDictionary<string, FollowTerms> Follows,
    RiskLimits Limits, ImmutableArray<LimitUseView> LimitUse, bool TenantHalted, DateTime DayStarted, DateTime DayEnds, decimal DayStartEquity,
    decimal DayPayments, decimal DayResult)
{
    public static AccountView Of(Trading.AccountView view, ICaller caller, InstrumentUniverse universe) => new(
        caller.NameOf(view.Key), view.Key, view.Currency, view.Mode, view.State, view.StateReason, view.Balance, view.Equity, view.UsedMargin,
        view.FreeMargin, view.Realised, view.Commissions, view.Swaps, view.Deposits, view.Time, view.Version,
        [.. view.Positions.Select(position => PositionView.Of(position, caller))],
        [.. view.WorkingOrders.Select(order => OrderView.Of(order, caller, universe))],
        view.Follows.ToImmutableSortedDictionary(pair => caller.NameOf(pair.Key), pair => pair.Value, StringComparer.Ordinal), view.Limits,
        [.. view.LimitUse.Select(use => LimitUseView.Of(use, view.NearLimitShare))], view.IsTenantHalted,
        view.Today.Began, view.Today.Ends, view.Today.Equity, view.Today.Payments, view.Today.ResultOf(view.Equity));
}

/// <summary>How much of a limit is used.</summary>
/// <param name="Limit">The limit's name; of a loss limit with its period, such as dayLoss.</param>
/// <param name="Used">Account currency, or a count.</param>
/// <param name="Most">The limit in the same unit; one that is a percentage as the amount that it comes to now.</param>
/// <param name="Share">0 for nothing used, 1 at the limit.</param>
/// <param name="Near">Whether the share has reached the owner's <c>risk.nearLimitShare</c>.</param>
public sealed record LimitUseView(string Limit, decimal Used, decimal Most, decimal Share, bool Near)
{
    public static LimitUseView Of(LimitUse use, decimal nearShare) => new(
        NameOf(use.Limit), use.Used, use.Most, Math.Round(use.Share, 6), use.Share >= nearShare);

    /// <summary>A limit as the API calls it.</summary>
    public static string NameOf(string limit) => char.ToLowerInvariant(limit[0]) + limit[1..];
}

/// <summary>A position at the market.</summary>
/// <param name="Owner">The strategy that holds it; empty for a person.</param>
/// <param name="Volume">Units, signed: positive is long.</param>
/// <param name="AverageEntry">Price.</param>
/// <param name="Mark">Price at which it could be closed.</param>
/// <param name="OpenResult">Account currency.</param>
public sealed record PositionView(
    string Id, string Symbol, string Owner, decimal Volume, decimal AverageEntry, decimal Mark, decimal OpenResult, DateTime Opened)
{
    public static PositionView Of(Trading.PositionView position, ICaller caller) => new(
        position.Id, position.Symbol, caller.NameOf(position.Owner), position.Volume, position.AverageEntry, position.Mark, position.OpenResult,
        position.Opened);
}

/// <summary>An order. Prices in price, volumes in units of the base.</summary>
/// <param name="Ordinal">1 upwards inside the account, of refused ones too.</param>
/// <param name="AverageFill">Volume-weighted mean price of its fills; null before the first.</param>
/// <param name="Strategy">The strategy that wants it; empty for a person.</param>
/// <param name="Decision">The decision behind it; empty for a person.</param>
/// <param name="Purpose">Trade, or why the system made it.</param>
/// <param name="Reason">Why it ended or was refused; None while it works or when it filled.</param>
/// <param name="Detail">The refusal in one sentence.</param>
public sealed record OrderView(
    long Ordinal, string ClientOrderId, string Symbol, Side Side, OrderType Type, decimal Volume, decimal Filled, decimal? AverageFill,
    decimal? LimitPrice, decimal? StopPrice, decimal? TrailDistance, TimeInForce TimeInForce, DateTime? Expires, bool ReduceOnly,
    decimal? StopLoss, decimal? TakeProfit, string Strategy, string Decision, OrderPurpose Purpose, OrderStatus Status, Reason Reason,
    string? Detail, DateTime CreatedAt, DateTime UpdatedAt)
{
    /// <summary>Name of the account; in pushes only.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Account { get; init; }

    /// <summary>Journal position of the event that it shows; in pushes only.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Position { get; init; }

    public static OrderView Of(Order order, ICaller caller, InstrumentUniverse universe)
    {
        decimal point = universe.PointSize(order.Symbol);
        return new OrderView(
            order.Ordinal, order.ClientOrderId, order.Symbol, order.Side, order.Type, order.Volume, order.Filled,
            order.AverageFillPoints is { } average ? Math.Round(average * point, 12) : null,
            order.Limit * point, order.Stop * point, order.Trail * point, order.TimeInForce, order.Expires, order.ReduceOnly,
            order.StopLoss * point, order.TakeProfit * point, caller.NameOf(order.Strategy), caller.NameOf(order.Decision), order.Purpose,
            order.Status,
            order.Reason, null, order.CreatedAt, order.UpdatedAt);
    }

    public static OrderView Of(OrderDenied denied, ICaller caller)
    {
        OrderRequest asked = denied.Request;
        return new OrderView(
            denied.Ordinal, asked.ClientOrderId, asked.Symbol, asked.Side, asked.Type, asked.Volume, 0, null, asked.LimitPrice, asked.StopPrice,
            asked.TrailDistance, asked.TimeInForce, asked.GoodTill, asked.ReduceOnly, asked.StopLoss, asked.TakeProfit, caller.NameOf(asked.Strategy),
            caller.NameOf(asked.Decision), OrderPurpose.Trade, OrderStatus.Denied, denied.Denial.Reason, denied.Denial.Detail, denied.Time,
            denied.Time);
    }

    public static OrderView Of(OrderRow row, ICaller caller, InstrumentUniverse universe) =>
        row.Order is { } order ? Of(order, caller, universe) : Of(row.Denied!, caller);
}

/// <summary>A fill.</summary>
/// <param name="Position">Journal position at which it is recorded.</param>
/// <param name="Ordinal">The order's.</param>
/// <param name="Commission">Account currency.</param>
/// <param name="Realised">Account currency, before commission.</param>
/// <param name="Strategy">Empty for a person's.</param>
public sealed record FillView(
    long Position, long Ordinal, string Symbol, Side Side, DateTime Time, decimal Price, decimal Volume, decimal Commission, decimal Realised,
    string Strategy)
{
    /// <summary>Name of the account; in pushes only.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Account { get; init; }

    public static FillView Of(FillRow row, ICaller caller, InstrumentUniverse universe) => new(
        row.Position, row.Order.Ordinal, row.Order.Symbol, row.Order.Side, row.Time, row.Points * universe.PointSize(row.Order.Symbol), row.Volume,
        row.Commission, row.Realised, caller.NameOf(row.Order.Strategy));
}

/// <summary>The equity of an account at one time.</summary>
public sealed record EquityPoint(DateTime Time, decimal Balance, decimal Equity);

/// <summary>Orders, the latest first.</summary>
/// <param name="Next">What to give as <c>before</c> for the next page; null when this is the last.</param>
public sealed record OrderPage(ImmutableArray<OrderView> Orders, long? Next);

/// <summary>Fills, the latest first.</summary>
/// <param name="Next">What to give as <c>before</c> for the next page; null when this is the last.</param>
public sealed record FillPage(ImmutableArray<FillView> Fills, long? Next);

/// <summary>What a change answers.</summary>
/// <param name="MinPosition">Journal position that contains it: a list that is to show it is asked with this.</param>
public sealed record Changed(long MinPosition);

public sealed record AccountChanged(long MinPosition, AccountView Account);

/// <summary>What came of an order command.</summary>
/// <param name="Cut">Why risk let less go than was asked; null when all went.</param>
public sealed record OrderChanged(
    long MinPosition, OrderView Order, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Cut? Cut = null);

/// <summary>What came of asking: all goes, a part goes (what reduces), or nothing.</summary>
public enum PreviewVerdict : byte { Accepted, Cut, Denied }

/// <summary>What the account would answer to an order now. It binds nobody, and nothing of it is recorded.</summary>
/// <param name="Volume">Units that would go; of an order that was sent before, those at work.</param>
/// <param name="Reason">Why not all would go; null when all would.</param>
/// <param name="Detail">The same in one sentence with the numbers.</param>
/// <param name="Repeated">The clientOrderId is that of an order that was sent before: this is what was answered then.</param>
/// <param name="Time">As of when.</param>
/// <param name="Figures">What the order comes to; null where it is malformed or was sent before.</param>
public sealed record OrderPreviewView(
    PreviewVerdict Verdict, decimal Volume, Reason? Reason, string? Detail, bool Repeated, DateTime Time, OrderFiguresView? Figures)
{
    public static OrderPreviewView Of(OrderPreview preview)
    {
        OrderResult result = preview.Result;
        PreviewVerdict verdict = result.Denial is null ? PreviewVerdict.Accepted : result.IsAccepted ? PreviewVerdict.Cut : PreviewVerdict.Denied;
        return new OrderPreviewView(
            verdict, result.Accepted, result.Denial?.Reason, result.Denial?.Detail, result.Repeated, preview.Time,
            preview.Figures is { } figures ? OrderFiguresView.Of(figures) : null);
    }
}

/// <summary>What an order comes to as it was asked, however much of it may go. Money is in the account's currency.</summary>
/// <param name="QuoteTime">Of the quote that it is reckoned by.</param>
/// <param name="Spread">Ask less bid, in price.</param>
/// <param name="Price">Where it is expected to fill, slippage included.</param>
/// <param name="Commission">When all of it fills at once.</param>
/// <param name="MarginNeeded">What it takes beside positions and orders at work.</param>
/// <param name="FreeMargin">What they leave.</param>
/// <param name="Limits">The limits that have a word on it; none where it only reduces.</param>
public sealed record OrderFiguresView(
    DateTime QuoteTime, decimal Bid, decimal Ask, decimal Spread, decimal Price, decimal Notional, decimal Commission, decimal MarginNeeded,
    decimal FreeMargin, ImmutableArray<LimitStepView> Limits)
{
    public static OrderFiguresView Of(OrderFigures figures) => new(
        figures.QuoteTime, figures.Bid, figures.Ask, figures.Ask - figures.Bid, figures.Price, figures.Notional, figures.Commission,
        figures.MarginNeeded, figures.FreeMargin, [.. figures.Limits.Select(LimitStepView.Of)]);
}

/// <summary>What an order does to a limit.</summary>
/// <param name="Limit">The limit's name.</param>
/// <param name="Before">Used without the order: account currency, units, percent or a count.</param>
/// <param name="After">Used with all of it; above most the limit is broken.</param>
/// <param name="Most">The limit in the same unit; one that is a percentage of the equity as the amount that it comes to now.</param>
public sealed record LimitStepView(string Limit, decimal Before, decimal After, decimal Most)
{
    public static LimitStepView Of(LimitStep step) => new(LimitUseView.NameOf(step.Limit), step.Before, step.After, step.Most);
}

/// <summary>Why less went than was asked.</summary>
public sealed record Cut(Reason Reason, string Detail);

internal static class UniverseExtensions
{
    /// <summary>The value of one point; 1 for an instrument that this world no longer has.</summary>
    public static decimal PointSize(this InstrumentUniverse universe, string symbol) => universe.Find(symbol)?.PointSize ?? 1m;
}
