using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Execution;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Orders;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Tests.Accounts;

/// <summary>An account at a market that a test moves: hands quotes and bars in as a host does, and keeps every event.</summary>
internal sealed class Desk
{
    public static readonly DateTime Start = new(2024, 1, 9, 10, 0, 0, DateTimeKind.Utc);
    public static readonly Instrument Eurusd = InstrumentCatalog.Get("EURUSD");
    public static readonly Instrument Gbpusd = InstrumentCatalog.Get("GBPUSD");
    public static readonly Instrument Usdjpy = InstrumentCatalog.Get("USDJPY");

    /// <summary>No costs, exact money, no stop-out: a test adds what it is about.</summary>
    public static readonly AccountSettings Plain = new(
        "USD", PositionMode.Netting, null, null, null, null, new ExecutionModel(), TradingCalendar.Forex, null);

    private readonly Dictionary<string, (Quote Quote, long Position)> _last = [];
    private long _position;
    private int _ids;

    public Desk(AccountSettings? settings = null, RiskLimits? limits = null, decimal deposit = 100_000, ImmutableArray<Instrument>? instruments = null)
    {
        Universe = new InstrumentUniverse(instruments ?? [Eurusd, Gbpusd, Usdjpy]);
        Account = new Account("t/u/a", new AccountState(Universe));
        Assert.Null(Account.Open(settings ?? Plain, limits ?? RiskLimits.None, deposit, Start));
        Keep();
    }

    public InstrumentUniverse Universe { get; }
    public Account Account { get; private set; }
    public AccountState State => Account.State;
    public DateTime Time { get; private set; } = Start;
    public long Position => _position;

    /// <summary>Everything recorded so far.</summary>
    public List<AccountEvent> Events { get; } = [];

    public IEnumerable<OrderFilled> Fills => Events.OfType<OrderFilled>();

    public decimal Net(string symbol = "EURUSD") => State.FindBook(symbol)?.NetVolume ?? 0;

    /// <summary>The next quote, <paramref name="after"/> (a second) later.</summary>
    public Desk Quote(decimal bid, decimal ask, long bidSize = 0, long askSize = 0, string symbol = "EURUSD", TimeSpan? after = null)
    {
        Instrument instrument = Universe.Find(symbol)!;
        Time += after ?? TimeSpan.FromSeconds(1);
        return Deliver(symbol, new Quote(Time, instrument.ToPoints(bid), instrument.ToPoints(ask), bidSize, askSize), ++_position);
    }

    public Desk Deliver(string symbol, in Quote quote, long position)
    {
        _last[symbol] = (quote, position);
        Quote delivered = quote;
        return Deliver(account => account.OnQuote(symbol, delivered, position));
    }

    /// <summary>The market events so far, as they can be delivered once more.</summary>
    public List<Action<Account>> Delivered { get; } = [];

    /// <summary>Delivers a market event that the account has seen.</summary>
    public void DeliverAgain(int index) => Do(Delivered[index]);

    private Desk Deliver(Action<Account> marketEvent)
    {
        Delivered.Add(marketEvent);
        Do(marketEvent);
        return this;
    }

    /// <summary>The next hour as a bar, or the one that begins at <paramref name="from"/>; the ask lies <paramref name="spread"/> above.</summary>
    public Desk Bar(decimal open, decimal high, decimal low, decimal close, decimal spread = 0, string symbol = "EURUSD", DateTime? from = null)
    {
        Instrument instrument = Universe.Find(symbol)!;
        var bid = new Ohlc(instrument.ToPoints(open), instrument.ToPoints(high), instrument.ToPoints(low), instrument.ToPoints(close));
        var bar = new Bar(from ?? Time, bid, bid.Shift(instrument.ToPoints(spread)), 1);
        Time = bar.OpenTime.AddHours(1);
        _last[symbol] = (new Quote(Time, bar.Bid.Close, bar.Ask.Close), ++_position);
        (DateTime end, long position) = (Time, _position);
        return Deliver(account => account.OnBar(symbol, bar, end, position));
    }

    public Desk Wait(TimeSpan time)
    {
        Time += time;
        Account.AdvanceTo(Time);
        Keep();
        return this;
    }

    /// <summary>Shows the account what a host would before a command.</summary>
    public Desk See(string symbol)
    {
        if (Universe.Find(symbol) is not { } instrument) return this;
        foreach (string needed in State.QuotesNeeded(instrument))
        {
            if (_last.TryGetValue(needed, out (Quote Quote, long Position) last)) Account.Observe(needed, last.Quote, last.Position);
        }
        return this;
    }

    public OrderResult Submit(OrderRequest request)
    {
        See(request.Symbol);
        OrderResult result = Account.Submit(request, Time);
        Keep();
        return result;
    }

    public Order Accepted(OrderRequest request)
    {
        OrderResult result = Submit(request);
        Assert.Null(result.Denial);
        return State.FindOrder(result.Ordinal)!;
    }

    public Reason Denied(OrderRequest request)
    {
        OrderResult result = Submit(request);
        Assert.Equal(0, result.Accepted);
        Assert.False(string.IsNullOrWhiteSpace(result.Denial!.Detail));
        return result.Denial.Reason;
    }

    public OrderRequest Market(Side side, decimal volume, string symbol = "EURUSD") => new($"c{++_ids}", symbol, side, OrderType.Market, volume);

    public OrderRequest Limit(Side side, decimal volume, decimal price, string symbol = "EURUSD") =>
        new($"c{++_ids}", symbol, side, OrderType.Limit, volume, LimitPrice: price);

    public OrderRequest Stop(Side side, decimal volume, decimal price, string symbol = "EURUSD") =>
        new($"c{++_ids}", symbol, side, OrderType.Stop, volume, StopPrice: price);

    /// <summary>A position by a market order that fills at the same quote shown again.</summary>
    public Desk Hold(Side side, decimal volume, decimal bid, decimal ask, string strategy = "", string symbol = "EURUSD")
    {
        Quote(bid, ask, symbol: symbol);
        Accepted(Market(side, volume, symbol) with { Strategy = strategy });
        return Quote(bid, ask, symbol: symbol);
    }

    public void Do(Action<Account> command)
    {
        command(Account);
        Keep();
    }

    public T Do<T>(Func<Account, T> command)
    {
        T result = command(Account);
        Keep();
        return result;
    }

    /// <summary>How an order ended; null while it is open.</summary>
    public (OrderStatus Status, Reason Reason)? EndOf(long ordinal) => Events.OfType<OrderEnded>().SingleOrDefault(end => end.Ordinal == ordinal) is { } end
        ? (end.Status, end.Reason)
        : null;

    /// <summary>Puts the account away and takes it out again, through the JSON that a host stores.</summary>
    public void PutAwayAndRestore()
    {
        string json = JsonSerializer.Serialize(State.Capture(), AccountJson.Default.AccountSnapshot);
        AccountSnapshot snapshot = JsonSerializer.Deserialize(json, AccountJson.Default.AccountSnapshot)!;
        Account = new Account(Account.Key, AccountState.Restore(Universe, snapshot));
    }

    /// <summary>The whole state, comparable.</summary>
    public static JsonNode Picture(AccountState state) => JsonSerializer.SerializeToNode(state.Capture(), AccountJson.Default.AccountSnapshot)!;

    private void Keep() => Events.AddRange(Account.TakeUncommitted());
}
