using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Views;

namespace HybridTrading.Grains.Trading;

/// <summary>The answer to an account command.</summary>
/// <param name="MinPosition">Journal position that contains it: lists that are to show it wait for this.</param>
/// <param name="Fault">Bad input: field, value and expectation; null when it was done.</param>
/// <param name="Reason">Where nothing is wrong with the input and it was refused: why.</param>
[GenerateSerializer, Immutable, Alias("ht.CommandResult")]
public sealed record CommandResult(long MinPosition, string? Fault = null, Reason Reason = Reason.None);

/// <summary>The answer to an order command.</summary>
[GenerateSerializer, Immutable, Alias("ht.OrderAnswer")]
public sealed record OrderAnswer(long MinPosition, OrderResult Result, Order? Order);

/// <summary>What an account looks like now.</summary>
/// <param name="FreeMargin">Equity less used margin.</param>
/// <param name="IsTenantHalted">The tenant's kill switch stands for it: only what reduces passes, whatever <paramref name="State"/> says.</param>
/// <param name="Today">The trading day that it is in, by the account's own calendar.</param>
/// <param name="NearLimitShare">The share of a limit from which its owner has it shown as near.</param>
[GenerateSerializer, Immutable, Alias("ht.AccountView")]
public sealed record AccountView(
    string Key, string Currency, PositionMode Mode, TradingState State, Reason StateReason, decimal Balance, decimal Equity, decimal UsedMargin,
    decimal FreeMargin, decimal Realised, decimal Commissions, decimal Swaps, decimal Deposits, DateTime Time, long Version,
    ImmutableArray<PositionView> Positions, ImmutableArray<Order> WorkingOrders, ImmutableSortedDictionary<string, FollowTerms> Follows, RiskLimits Limits,
    ImmutableArray<LimitUse> LimitUse, decimal NearLimitShare, TradingDay Today, bool IsTenantHalted = false)
{
    /// <summary>Equal in what the journal says and in the marks, whatever the time of the last event.</summary>
    public bool ShowsTheSameAs(AccountView other) =>
        Version == other.Version && NearLimitShare == other.NearLimitShare && Today == other.Today && Equity == other.Equity
        && UsedMargin == other.UsedMargin && Positions.SequenceEqual(other.Positions);
}

/// <summary>A holding at the market. Prices in price units.</summary>
[GenerateSerializer, Immutable, Alias("ht.PositionView")]
public sealed record PositionView(
    string Id, string Symbol, string Owner, decimal Volume, decimal AverageEntry, decimal Mark, decimal OpenResult, DateTime Opened);

/// <summary>One trading account: its only writer. Every answer waits until what it says is durable.</summary>
[Alias("ht.IAccountGrain")]
public interface IAccountGrain : IGrainWithStringKey
{
    [Alias("Open")] Task<CommandResult> Open(AccountSettings settings, RiskLimits limits, decimal deposit);

    [Alias("Adjust")] Task<CommandResult> Adjust(decimal amount, string note, string requestId);

    [Alias("SetLimits")] Task<CommandResult> SetLimits(RiskLimits limits);

    [Alias("SetFollow")] Task<CommandResult> SetFollow(string strategy, FollowTerms? terms);

    [Alias("SetState")] Task<CommandResult> SetState(TradingState state, string who);

    [Alias("Flatten")] Task<CommandResult> Flatten(string who);

    /// <summary>From the kill switch of the tenant: all halts that stand now for the account's owner.</summary>
    [Alias("SetTenantHalts")] Task SetTenantHalts(ImmutableArray<TenantHalt> standing);

    [Alias("Place")] Task<OrderAnswer> Place(OrderRequest order);

    /// <summary>What <see cref="Place"/> would answer now; nothing is recorded. Null when the account was never opened.</summary>
    [Alias("Preview")] Task<OrderPreview?> Preview(OrderRequest order);

    [Alias("Change")] Task<OrderAnswer> Change(string clientOrderId, OrderChange change);

    [Alias("Cancel")] Task<OrderAnswer> Cancel(string clientOrderId);

    /// <summary>A strategy's decision; a repeat answers as the first time.</summary>
    [Alias("Receive")] Task<DecisionVerdict> Receive(Decision decision);

    /// <summary>Market events of an instrument that the account watches.</summary>
    /// <returns>False when it needs them no more.</returns>
    [Alias("OnQuote")] Task<bool> OnQuote(string symbol, Quote quote, long position);

    [Alias("OnBar")] Task<bool> OnBar(string symbol, Bar bar, DateTime closeTime, long position);

    [Alias("OnClock")] Task<bool> OnClock(string symbol, DateTime time);

    /// <summary>Null when the account was never opened.</summary>
    [Alias("GetView")] Task<AccountView?> GetView();

    /// <summary>
    /// Shows the account to an observer when it changes, ten times a second at most and never ahead of the journal, for
    /// <see cref="Observing.Expiration"/> from the last time that this was called.
    /// </summary>
    /// <returns>How the account stands now; null, and nobody observes, when it was never opened.</returns>
    [Alias("Observe")] Task<AccountView?> Observe(IAccountObserver observer);

    [Alias("Forget")] Task Forget(IAccountObserver observer);

    /// <summary>Its owner is being erased: lets go of what is kept beside the journal, and leaves memory.</summary>
    [Alias("Leave")] Task Leave();

    /// <summary>Activates the account, which finishes what was left open.</summary>
    [Alias("Wake")] Task Wake();
}

/// <summary>Somebody outside of grains who looks at an account for its owner. Calls may be lost; whoever hears nothing observes anew.</summary>
[Alias("ht.IAccountObserver")]
public interface IAccountObserver : IGrainObserver
{
    [Alias("Show")] void Show(AccountView account);
}
