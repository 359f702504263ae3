using System.Collections.Concurrent;
using System.Diagnostics;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Observability;
using HybridTrading.Domain.Configuration;
using Microsoft.AspNetCore.SignalR;

namespace HybridTrading.Api.Hubs;

/// <summary>The connections of this process.</summary>
public sealed class HubConnections : IDisposable
{
    private readonly IHubContext<TradingHub> _hub;
    private readonly TokenVerifier _tokens;
    private readonly TimeProvider _clock;
    private readonly ILogger<HubConnections> _log;
    private readonly ConcurrentDictionary<string, (CallerIdentity Identity, Action Abort)> _identities = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HubConnection> _byId = new(StringComparer.Ordinal);

    /// <summary>Those that have subscribed.</summary>
    public IEnumerable<HubConnection> Subscribed => _byId.Values.Where(one => one.IsSubscribed);

    public int Count => _byId.Count;

    /// <summary>Decisions, orders and fills that wait to be pushed, of all connections.</summary>
    public int Waiting => _byId.Values.Sum(one => one.Waiting);

    /// <summary>Keys of the accounts that their owners look at.</summary>
    public IEnumerable<string> WatchedAccounts() => _byId.Values.Select(one => one.Account).OfType<string>().Distinct(StringComparer.Ordinal);

    public IEnumerable<string> WatchedSymbols() => _byId.Values.SelectMany(one => one.Symbols).Distinct(StringComparer.Ordinal);

    public HubConnections(IHubContext<TradingHub> hub, TokenVerifier tokens, TimeProvider clock, ILogger<HubConnections> log)
    {
        (_hub, _tokens, _clock, _log) = (hub, tokens, clock, log);
        _tokens.Revoked += DropRevoked;
    }

    /// <param name="identity">Who stands behind it: when that is revoked, the connection ends.</param>
    public void Add(string connectionId, ICaller caller, CallerIdentity? identity, Action abort)
    {
        if (identity is not null) _identities[connectionId] = (identity, abort);
        var connection = new HubConnection(connectionId, caller, _hub.Clients.Client(connectionId), _clock, _log);
        _byId[connectionId] = connection;
        connection.Start();
    }

    public HubConnection Find(string connectionId) =>
        _byId.GetValueOrDefault(connectionId) ?? throw new HubException("the connection is closing");

    public void Remove(string connectionId)
    {
        _identities.TryRemove(connectionId, out _);
        if (_byId.TryRemove(connectionId, out HubConnection? connection)) connection.Stop();
    }

    public void Dispose() => _tokens.Revoked -= DropRevoked;

    private void DropRevoked()
    {
        foreach ((_, (CallerIdentity identity, Action abort)) in _identities)
        {
            if (_tokens.IsRevoked(identity)) abort();
        }
    }
}

/// <summary>
/// One connection and what waits to be sent to it. Nothing here blocks the sender of news. At the bound: of quotes, forming bars, jobs and the account
/// the latest is kept; of closed bars the last 500; of what the journal tells (decisions, orders, fills) at most 1000 wait, and when more come all
/// of them are dropped and the client is told from which position to read. What the journal tells is a chain: it begins where the connection joins,
/// and each push goes on where the one before it ended.
/// </summary>
public sealed partial class HubConnection(string id, ICaller caller, IClientProxy client, TimeProvider clock, ILogger log)
{
    public const int MostNews = 1000;
    public const int MostClosedBars = 500;
    private const int MostJobs = 1000;

    private const int MostTraces = 32;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
    private static readonly ActivitySource Source = new(TelemetryProviders.SourceName);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private Pending _pending = new();
    private readonly Dictionary<string, (long Version, double Progress)> _jobs = new(StringComparer.Ordinal);
    private bool _joined;
    private long? _told;

    public ICaller Caller => caller;

    /// <summary>Before it has subscribed nothing is pushed to it.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>Decisions, orders and fills that wait to be pushed.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _pending.Count;
        }
    }

    /// <summary>Key of the account that it looks at.</summary>
    public string? Account { get; private set; }

    public ImmutableHashSet<string> Symbols { get; private set; } = [];

    public void Watch(ImmutableHashSet<string> symbols, string? account)
    {
        lock (_gate)
        {
            Symbols = symbols;
            Account = account;
            IsSubscribed = true;
            // Prices that wait were for the former subscription; the journal's news must not be lost.
            _pending.DropPrices();
        }
    }

    /// <summary>Takes no more of the journal's news, until it joins again.</summary>
    /// <returns>The journal position up to which it has been told everything; null when it never joined.</returns>
    public long? Leave()
    {
        lock (_gate)
        {
            _joined = false;
            _pending.DropNews();
            return _told;
        }
    }

    /// <summary>Takes the journal's news from here on.</summary>
    /// <param name="told">The journal position up to which it knows everything.</param>
    public void Join(long told)
    {
        lock (_gate) (_joined, _told) = (true, told);
    }

    public bool Sees(string symbol) => Symbols.Contains(symbol);

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

    /// <summary>A job, unless the connection has been told more of it: news of one job come by two ways, and it must never seem to go back.</summary>
    public void Push(JobView job) => Add(pending =>
    {
        (long, double) now = (job.Version, job.Progress);
        if (_jobs.TryGetValue(job.Id, out (long, double) told) && now.CompareTo(told) < 0) return;
        if (_jobs.Count >= MostJobs && !_jobs.ContainsKey(job.Id)) _jobs.Clear();
        _jobs[job.Id] = now;
        pending.Jobs[job.Id] = job;
    });

    /// <summary>That a document has changed; of one document the latest is kept.</summary>
    public void Push(ConfigurationPush changed) => Add(pending => pending.Configuration[(changed.Layer, changed.Id)] = changed);

    public void Push(AccountView account) => Add(pending => pending.Account = account);

    /// <summary>News of the journal, in its order.</summary>
    /// <param name="first">Journal position of the first event in it.</param>
    /// <param name="sequence">Journal position up to which it goes.</param>
    /// <param name="traces">Spans that wrote what it tells; null for none.</param>
    public void Push(long first, long sequence, ListsChanged? lists, IReadOnlyCollection<DecisionView> decisions, IReadOnlyCollection<OrderView> orders,
        IReadOnlyCollection<FillView> fills, IReadOnlyCollection<ActivityContext>? traces = null)
    {
        if (lists is null && decisions.Count + orders.Count + fills.Count == 0) return;
        Add(pending =>
        {
            if (!_joined) return;
            if (pending.First is null) pending.First = first;
            pending.Sequence = sequence;
            if (pending.Count + decisions.Count + orders.Count + fills.Count > MostNews)
            {
                pending.Miss();
                return;
            }
            pending.Lists = lists?.With(pending.Lists) ?? pending.Lists;
            pending.Decisions.AddRange(decisions);
            pending.Orders.AddRange(orders);
            pending.Fills.AddRange(fills);
            if (traces is not null) pending.Traces.AddRange(traces.Take(MostTraces - pending.Traces.Count));
        });
    }

    /// <summary>Tells the client that events could not be pushed.</summary>
    /// <param name="first">Journal position of the first of them.</param>
    /// <param name="sequence">Journal position up to which it cannot know.</param>
    public void Missed(long first, long sequence) => Add(pending =>
    {
        if (!_joined) return;
        if (pending.First is null) pending.First = first;
        pending.Sequence = sequence;
        pending.Miss();
    });

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
        // It outlives the request that opened the connection, and is no part of that request's trace.
        Activity.Current = null;
        try
        {
            while (true)
            {
                await _signal.WaitAsync(stop);
                Pending now;
                Gap? gap;
                JournalPush? news;
                lock (_gate)
                {
                    now = _pending;
                    _pending = new Pending();
                    gap = now.Gap;
                    if (gap is not null) _told = gap.Sequence;
                    news = now.Push(_told);
                    if (news is not null) _told = news.Sequence;
                }
                await SendAsync(now, gap, news, stop);
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

    private async Task SendAsync(Pending now, Gap? gap, JournalPush? news, CancellationToken stop)
    {
        if (gap is not null) await client.SendAsync("gap", gap, stop);
        if (now.Quotes.Count > 0) await client.SendAsync("quotes", now.Quotes.Values, stop);
        if (now.Closed.Count + now.Forming.Count > 0) await client.SendAsync("bars", now.Closed.Concat(now.Forming.Values), stop);
        if (news is not null) await SendAsync(news, now.Traces, stop);
        foreach (JobView job in now.Jobs.Values) await client.SendAsync("job", job, stop);
        if (now.Account is { } account) await client.SendAsync("account", account, stop);
        foreach (ConfigurationPush changed in now.Configuration.Values) await client.SendAsync("configuration", changed, stop);
    }

    /// <summary>A push is a span of each trace that has something in it.</summary>
    private async Task SendAsync(JournalPush news, List<ActivityContext> traces, CancellationToken stop)
    {
        Activity[] spans = [.. traces.Distinct().Select(wrote => Source.StartActivity("hub push", ActivityKind.Producer, wrote)).OfType<Activity>()];
        try
        {
            await client.SendAsync("journal", news, stop);
        }
        finally
        {
            foreach (Activity span in spans) span.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "sending to hub connection {Connection} failed")]
    private partial void LogFailed(Exception failure, string connection);

    private sealed class Pending
    {
        public Dictionary<string, QuotePush> Quotes { get; } = new(StringComparer.Ordinal);
        public Dictionary<(string Symbol, string TimeFrame), BarPush> Forming { get; } = [];
        public Queue<BarPush> Closed { get; } = new();
        public Dictionary<string, JobView> Jobs { get; } = new(StringComparer.Ordinal);
        public Dictionary<(ConfigurationLayer Layer, string Id), ConfigurationPush> Configuration { get; } = [];
        public List<DecisionView> Decisions { get; } = [];
        public List<OrderView> Orders { get; } = [];
        public List<FillView> Fills { get; } = [];
        public List<ActivityContext> Traces { get; } = [];
        public ListsChanged? Lists { get; set; }

        /// <summary>Journal position of the first of the news; null while there is none.</summary>
        public long? First { get; set; }

        /// <summary>Journal position up to which the news goes.</summary>
        public long Sequence { get; set; }

        public Gap? Gap { get; private set; }
        public AccountView? Account { get; set; }
        public int Count => Decisions.Count + Orders.Count + Fills.Count;

        /// <summary>What waits as one push that goes on after <paramref name="told"/>; null when nothing does.</summary>
        public JournalPush? Push(long? told) => First is null || told is not { } after ? null
            : new JournalPush(JournalPush.StreamName, after, Sequence, Lists, [.. Decisions], [.. Orders], [.. Fills]);

        public void DropPrices()
        {
            Quotes.Clear();
            Forming.Clear();
            Closed.Clear();
            Account = null;
        }

        /// <summary>All that waits is dropped, and the client told so.</summary>
        public void Miss()
        {
            Gap = new Gap(JournalPush.StreamName, Gap?.Position ?? First!.Value, Sequence);
            Clear();
        }

        /// <summary>All that waits is dropped, as if it had not been.</summary>
        public void DropNews()
        {
            Gap = null;
            Clear();
        }

        private void Clear()
        {
            Decisions.Clear();
            Orders.Clear();
            Fills.Clear();
            Traces.Clear();
            Lists = null;
            First = null;
        }
    }
}
