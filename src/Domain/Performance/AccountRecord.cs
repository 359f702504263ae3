using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Performance;

/// <summary>The record of one account in a run: its orders, its trades, its equity.</summary>
/// <param name="keepsOrders">Else <see cref="Orders"/> stays empty: a run of which only figures are wanted need not remember each order.</param>
public sealed class AccountRecord(string account, AccountState state, InstrumentUniverse universe, bool keepsOrders = true)
{
    private readonly SortedDictionary<Reason, int> _denied = [];
    private int _closed, _won;
    private decimal _start;

    public string Account { get; } = account;

    /// <summary>The account's own name: its key without tenant and user.</summary>
    public string Name => Account[(Account.LastIndexOf('/') + 1)..];

    public AccountState State { get; } = state;
    public OrderList Orders { get; } = new(universe);
    public EquityTracker Equity { get; private set; } = new(0);
    public int ClosedTrades => _closed;
    public int WonTrades => _won;

    /// <summary>Told of every holding that came to zero; null for nobody.</summary>
    public Action<ClosedTrade>? Closed { get; set; }

    /// <summary>Starts the equity at the opening deposit.</summary>
    public void Start()
    {
        _start = State.Balance;
        Equity = new EquityTracker(State.Balance);
    }

    public void Take(ReadOnlySpan<AccountEvent> events)
    {
        foreach (AccountEvent happened in events)
        {
            if (keepsOrders) Orders.Apply(happened);
            if (happened is OrderDenied denied) _denied[denied.Denial.Reason] = _denied.GetValueOrDefault(denied.Denial.Reason) + 1;
        }
        foreach (ClosedTrade trade in State.TakeClosedTrades())
        {
            _closed++;
            if (trade.Holding.Result > 0) _won++;
            Closed?.Invoke(trade);
        }
    }

    /// <summary>The report, under the account's own name: whose tenant it was is of no interest to who compares runs.</summary>
    public AccountReport Report() => new(
        Name, State.Settings!.Currency, _start, State.Balance, State.Equity, _closed, _won, State.Commissions, State.Swaps,
        Equity.MaxDrawdown * 100m, Orders.Count, Orders.Fills, _denied.ToImmutableSortedDictionary());
}
