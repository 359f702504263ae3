using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;

namespace HybridTrading.Api.Hubs;

/// <summary>The connections of this process.</summary>
public sealed class HubConnections(IHubContext<TradingHub> hub, TimeProvider clock, ILogger<HubConnections> log)
{
    private readonly ConcurrentDictionary<string, HubConnection> _byId = new(StringComparer.Ordinal);

    /// <summary>Those that have subscribed.</summary>
    public IEnumerable<HubConnection> Subscribed => _byId.Values.Where(one => one.IsSubscribed);

    /// <summary>Accounts that somebody looks at, by key, with the one who owns them.</summary>
    public IEnumerable<(string Account, ICaller Caller)> WatchedAccounts() =>
        _byId.Values.Where(one => one.Account is not null).Select(one => (one.Account!, one.Caller)).DistinctBy(one => one.Item1);

    public void Add(string connectionId, ICaller caller)
    {
        var connection = new HubConnection(connectionId, caller, hub.Clients.Client(connectionId), clock, log);
        _byId[connectionId] = connection;
        connection.Start();
    }

    public HubConnection Find(string connectionId) =>
        _byId.GetValueOrDefault(connectionId) ?? throw new HubException("the connection is closing");

    public void Remove(string connectionId)
    {
        if (_byId.TryRemove(connectionId, out HubConnection? connection)) connection.Stop();
    }
}

/// <summary>
/// One connection and what waits to be sent to it. Nothing here blocks the sender of news. At the bound: of quotes, forming bars and the account
/// the latest is kept; of closed bars the last 500; of what the journal tells (decisions, orders, fills) at most 1000 wait, and when more come all
/// of them are dropped and the client is told from which position to read.
/// </summary>
public sealed partial class HubConnection(string id, ICaller caller, IClientProxy client, TimeProvider clock, ILogger log)
{
    public const int MostNews = 1000;
    public const int MostClosedBars = 500;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Pending _pending = new();
    private ImmutableHashSet<string> _symbols = [];

    public ICaller Caller => caller;

    /// <summary>Before it has subscribed nothing is pushed to it.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>Key of the account that it looks at.</summary>
    public string? Account { get; private set; }

    public void Watch(ImmutableHashSet<string> symbols, string? account)
    {
        lock (_gate)
        {
            _symbols = symbols;
            Account = account;
            IsSubscribed = true;
            // Prices that wait were for the former subscription; the journal's news must not be lost.
            _pending.DropPrices();
        }
    }

    public bool Sees(string symbol)
    {
        lock (_gate) return _symbols.Contains(symbol);
    }

    /// <summary>Does it want to know of this account's orders and fills?</summary>
    public bool Follows(string account) => Account is null || Account == account;

    public void Push(QuotePush? quote, IReadOnlyCollection<BarPush> bars) => Add(pending =>
    {
        if (quote is not null) pending.Quotes[quote.Symbol] = quote;
        foreach (BarPush bar in bars)
        {
            if (bar.Forming)
            {
                pending.Forming[(bar.Symbol, bar.TimeFrame)] = bar;
                continue;
            }
            pending.Closed.Enqueue(bar);
            if (pending.Closed.Count > MostClosedBars) pending.Closed.Dequeue();
            if (pending.Forming.TryGetValue((bar.Symbol, bar.TimeFrame), out BarPush? forming) && forming.Time <= bar.Time)
            {
                pending.Forming.Remove((bar.Symbol, bar.TimeFrame));
            }
        }
    });

    public void Push(AccountView account) => Add(pending => pending.Account = account);

    /// <summary>News of the journal, in its order.</summary>
    /// <param name="first">Journal position of the first event in it.</param>
    public void Push(long first, IReadOnlyCollection<DecisionView> decisions, IReadOnlyCollection<OrderView> orders,
        IReadOnlyCollection<FillView> fills)
    {
        if (decisions.Count + orders.Count + fills.Count == 0) return;
        Add(pending =>
        {
            if (pending.News == 0) pending.FirstNews = first;
            if (pending.News + decisions.Count + orders.Count + fills.Count > MostNews)
            {
                pending.Gap ??= pending.FirstNews;
                pending.DropNews();
                return;
            }
            pending.Decisions.AddRange(decisions);
            pending.Orders.AddRange(orders);
            pending.Fills.AddRange(fills);
        });
    }

    public void Push(ListsChanged lists) => Add(pending => pending.Lists = lists.With(pending.Lists));

    /// <summary>Tells the client that events from a position on could not be pushed.</summary>
    public void Missed(long first) => Add(pending => pending.Gap ??= pending.News == 0 ? first : pending.FirstNews);

    public void Start() => _ = SendAsync();

    public void Stop() => _stop.Cancel();

    private void Add(Action<Pending> add)
    {
        lock (_gate) add(_pending);
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    private async Task SendAsync()
    {
        CancellationToken stop = _stop.Token;
        try
        {
            while (true)
            {
                await _signal.WaitAsync(stop);
                Pending now;
                lock (_gate)
                {
                    now = _pending;
                    _pending = new Pending();
                }
                await SendAsync(now, stop);
                await Task.Delay(Pace, clock, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception failed)
        {
            LogFailed(failed, id);
        }
    }

    private async Task SendAsync(Pending now, CancellationToken stop)
    {
        if (now.Gap is { } position) await client.SendAsync("gap", new Gap(position), stop);
        if (now.Lists is { } lists) await client.SendAsync("lists", lists, stop);
        if (now.Quotes.Count > 0) await client.SendAsync("quotes", now.Quotes.Values, stop);
        if (now.Closed.Count + now.Forming.Count > 0) await client.SendAsync("bars", now.Closed.Concat(now.Forming.Values), stop);
        if (now.Decisions.Count > 0) await client.SendAsync("decisions", now.Decisions, stop);
        if (now.Orders.Count > 0) await client.SendAsync("orders", now.Orders, stop);
        if (now.Fills.Count > 0) await client.SendAsync("fills", now.Fills, stop);
        if (now.Account is { } account) await client.SendAsync("account", account, stop);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "sending to hub connection {Connection} failed")]
    private partial void LogFailed(Exception failure, string connection);

    private sealed class Pending
    {
        public Dictionary<string, QuotePush> Quotes { get; } = new(StringComparer.Ordinal);
        public Dictionary<(string Symbol, string TimeFrame), BarPush> Forming { get; } = [];
        public Queue<BarPush> Closed { get; } = new();
        public List<DecisionView> Decisions { get; } = [];
        public List<OrderView> Orders { get; } = [];
        public List<FillView> Fills { get; } = [];
        public AccountView? Account { get; set; }
        public ListsChanged? Lists { get; set; }
        public long? Gap { get; set; }
        public long FirstNews { get; set; }
        public int News => Decisions.Count + Orders.Count + Fills.Count;

        public void DropPrices()
        {
            Quotes.Clear();
            Forming.Clear();
            Closed.Clear();
            Account = null;
        }

        public void DropNews()
        {
            Decisions.Clear();
            Orders.Clear();
            Fills.Clear();
        }
    }
}
