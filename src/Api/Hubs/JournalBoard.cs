using System.Diagnostics;
using System.Text.Json;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Configuration;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage;
using HybridTrading.Storage.Journal;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using Microsoft.Extensions.Hosting;
using DomainOrderChanged = HybridTrading.Domain.Accounts.OrderChanged;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// Follows the journal from where it ends at the start: one reader for all connections. What happened to orders, fills and decisions is read from
/// the projections, once they hold it, so that a push and a list never tell different things. A connection that comes from elsewhere is first told
/// what it has missed; both come out of the same events by the same code.
/// </summary>
public sealed partial class JournalBoard(
    IJournal journal, JournalQueries own, ProjectionRunner projections, AccountQueries accounts, StrategyQueries strategies, JobQueries jobs,
    HubConnections connections, AccountBoard observed, JobBoard running, ApiOptions options, JournalTraces traces, TimeProvider clock,
    ILogger<JournalBoard> log) : BackgroundService
{
    /// <summary>Of more events than this that a connection has missed it is not told: reading the lists again is less work.</summary>
    public const int MostMissed = 2000;

    private const int MaxBatch = 500;

    /// <summary>What the streams of configuration begin with.</summary>
    private static readonly string ConfigurationStreams = Grains.Keys.ConfigurationStream("");

    /// <summary>How long a connection that has seen more than this process waits for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly ImmutableArray<string> Needed =
        [AccountProjection.ProjectionName, StrategyProjection.ProjectionName, JobProjection.ProjectionName, JournalIndexProjection.ProjectionName];

    // Held while a batch is told and while a connection joins: whoever joins does so between two batches.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _told = -1;

    /// <summary>Makes a connection one that is told of the journal's news, from the sequence on that it has seen.</summary>
    /// <param name="after">Journal position that the client has seen; null when it has seen none.</param>
    /// <returns>The sequence after which its news begins.</returns>
    public async Task<long> JoinAsync(HubConnection connection, long? after, CancellationToken cancellation)
    {
        await _begun.Task.WaitAsync(cancellation);
        // Without a word of the client it goes on where this connection was.
        long? told = connection.Leave();
        if ((after ?? told) is not { } seen)
        {
            await _turn.WaitAsync(cancellation);
            long now = _told;
            connection.Join(now);
            _turn.Release();
            return now;
        }
        await ReachAsync(seen, cancellation);
        await CatchUpAsync(connection, seen, cancellation);
        return seen;
    }

    /// <summary>Tells a connection what it has missed, and joins it.</summary>
    private async Task CatchUpAsync(HubConnection connection, long seen, CancellationToken cancellation)
    {
        // Most of it is read while others are told; what came meanwhile is read in turn.
        List<RecordedEvent>? missed = await MissedAsync(connection.Caller, seen, cancellation);
        await _turn.WaitAsync(cancellation);
        try
        {
            long now = _told;
            connection.Join(seen);
            if (missed is { Count: <= MostMissed })
            {
                List<RecordedEvent>? rest = await MissedAsync(connection.Caller, missed.Count == 0 ? seen : missed[^1].Position, cancellation);
                // What was read and is yet to be told to all is told with them.
                missed = rest is null ? null : [.. missed.Concat(rest).Where(one => one.Position <= now)];
            }
            // A client that has seen more than there is comes from another journal, or from before this one was restored.
            if (missed is null or { Count: > MostMissed } || seen > now) connection.Missed(Math.Min(seen, now) + 1, now);
            else await TellAsync(missed, now, [connection], cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<RecordedEvent>(MaxBatch);
        try
        {
            long size = journal.DurableSize;
            _told = size - 1;
            _begun.SetResult();
            await using IAsyncEnumerator<RecordedEvent> events = journal.SubscribeAsync(size, stoppingToken).GetAsyncEnumerator(stoppingToken);
            while (await events.MoveNextAsync())
            {
                batch.Clear();
                batch.Add(events.Current);
                while (batch.Count < MaxBatch && batch[^1].Position + 1 < journal.DurableSize && await events.MoveNextAsync())
                {
                    batch.Add(events.Current);
                }
                await TellAsync(batch, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (ObjectDisposedException)
        {
            // The journal closed: the process is on its way out.
        }
    }

    private async Task TellAsync(List<RecordedEvent> batch, CancellationToken cancellation)
    {
        long last = batch[^1].Position;
        await _turn.WaitAsync(cancellation);
        try
        {
            foreach (RecordedEvent one in batch)
            {
                if (!one.Erased && one.Stream.StartsWith(ConfigurationStreams, StringComparison.Ordinal)) TellConfiguration(one);
            }
            foreach (IGrouping<string, HubConnection> person in connections.Subscribed.GroupBy(one => one.Caller.Person()).ToArray())
            {
                RecordedEvent[] events = [.. batch.Where(one => one.Subject == person.Key)];
                foreach (RecordedEvent one in events.Where(one => one.Stream.StartsWith(AccountProjection.StreamPrefix, StringComparison.Ordinal)))
                {
                    observed.Expect(one.Stream[AccountProjection.StreamPrefix.Length..], one.Version);
                }
                await TellAsync(events, last, [.. person], cancellation);
            }
        }
        finally
        {
            _told = last;
            _turn.Release();
        }
        Interlocked.Exchange(ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>Tells those for whom a document counts that it has changed: its user, or the members of its tenant.</summary>
    private void TellConfiguration(RecordedEvent one)
    {
        string key = one.Stream[ConfigurationStreams.Length..];
        DocumentChange change;
        try
        {
            change = ConfigurationEventCatalog.Events.Decode(one).Change;
        }
        catch (Exception unread) when (unread is InvalidDataException or JsonException)
        {
            // Written by a newer program: what it is about is told by a process of that.
            LogUnread(unread, key);
            return;
        }
        bool ofTenant = Grains.Keys.IsTenantConfiguration(key);
        ConfigurationLayer layer = ofTenant ? ConfigurationLayer.Tenant : change.Id.Contains('@') ? ConfigurationLayer.Strategy : ConfigurationLayer.User;
        var push = new ConfigurationPush(layer, change.Id, change.Version.Number, one.Position);
        foreach (HubConnection connection in connections.Subscribed.Where(each =>
            ofTenant ? Grains.Keys.IsTenantOf(each.Caller.Tenant, key) : each.Caller.Person() == key))
        {
            connection.Push(push);
        }
    }

    /// <summary>Tells connections of one person what that person's events up to <paramref name="sequence"/> have changed.</summary>
    private async Task TellAsync(
        IReadOnlyCollection<RecordedEvent> events, long sequence, ImmutableArray<HubConnection> person, CancellationToken cancellation)
    {
        if (events.Count == 0) return;
        try
        {
            News news = Collect(events.Where(one => !one.Erased));
            if (news.IsEmpty) return;
            foreach (string projection in Needed) await projections.WaitForAsync(projection, sequence, cancellation);
            Tell(person, news, sequence, [.. events.Select(traces.Of).Where(trace => trace != default).Distinct()]);
        }
        catch (Exception failed) when (failed is StorageException or InvalidDataException or JsonException)
        {
            LogFailed(failed, person[0].Caller.Person());
            foreach (HubConnection connection in person) connection.Missed(events.First().Position, sequence);
        }
    }

    private void Tell(ImmutableArray<HubConnection> person, News news, long sequence, ImmutableArray<ActivityContext> wrote)
    {
        ICaller caller = person[0].Caller;
        (string Account, OrderView View)[] orders =
        [
            .. news.Orders.Select(one => (one.Account, Row: accounts.Order(one.Account, one.Ordinal))).Where(one => one.Row is not null)
                .Select(one => (one.Account, OrderView.Of(one.Row!, caller, options.Universe)
                    with { Account = caller.NameOf(one.Account), Position = one.Row!.Position })),
        ];
        (string Account, FillView View)[] fills =
        [
            .. news.Fills.Select(one => (one.Account, Row: accounts.FillAt(one.Account, one.Position))).Where(one => one.Row is not null)
                .Select(one => (one.Account, FillView.Of(one.Row!, caller, options.Universe) with { Account = caller.NameOf(one.Account) })),
        ];
        DecisionView[] decisions =
            [.. news.Decisions.Select(strategies.Decision).OfType<DecisionRow>().Select(row => DecisionView.Of(row, caller, options.Universe))];
        foreach (JobRow job in news.Jobs.Select(jobs.Job).OfType<JobRow>()) running.Tell(job, person);
        foreach (HubConnection connection in person)
        {
            connection.Push(news.First, sequence, news.Lists, decisions,
                [.. orders.Where(one => connection.Follows(one.Account)).Select(one => one.View)],
                [.. fills.Where(one => connection.Follows(one.Account)).Select(one => one.View)], wrote);
        }
    }

    /// <summary>A person's own events after a position, in order; at most one more than a connection is told of. Null when they cannot be read.</summary>
    private async Task<List<RecordedEvent>?> MissedAsync(ICaller caller, long after, CancellationToken cancellation)
    {
        try
        {
            await projections.WaitForAsync(JournalIndexProjection.ProjectionName, Volatile.Read(ref _told), cancellation);
            return [.. await own.ReadAsync(caller.Person(), after + 1, MostMissed + 1, cancellation)];
        }
        catch (Exception failed) when (failed is StorageException or InvalidDataException)
        {
            LogFailed(failed, caller.Person());
            return null;
        }
    }

    /// <summary>Waits until everything up to a position has been told here, for a while.</summary>
    private async Task ReachAsync(long position, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        while (true)
        {
            Task moved = Volatile.Read(ref _moved).Task;
            if (Volatile.Read(ref _told) >= position) return;
            await moved.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
            if (patience.IsCancellationRequested) return;
        }
    }

    /// <summary>Which rows of the lists the events touched, each once.</summary>
    private static News Collect(IEnumerable<RecordedEvent> events)
    {
        var news = new News();
        foreach (RecordedEvent one in events)
        {
            if (one.Stream.StartsWith(AccountProjection.StreamPrefix, StringComparison.Ordinal))
            {
                string account = one.Stream[AccountProjection.StreamPrefix.Length..];
                AccountEvent happened = AccountEventCatalog.Events.Decode(one);
                if (happened is AccountOpened or FollowChanged) news.Change(new ListsChanged(one.Position, Accounts: true, Strategies: false));
                if (OrdinalOf(happened) is not { } ordinal) continue;
                news.See(one.Position);
                news.Orders.Add((account, ordinal));
                if (happened is OrderFilled) news.Fills.Add((account, one.Position));
            }
            else if (one.Stream.StartsWith(StrategyProjection.StreamPrefix, StringComparison.Ordinal))
            {
                string? decision = StrategyEventCatalog.Events.Decode(one) switch
                {
                    DecisionMade e => e.Decision.Id,
                    DecisionSettled e => e.Decision,
                    _ => null,
                };
                if (decision is null)
                {
                    news.Change(new ListsChanged(one.Position, Accounts: false, Strategies: true));
                    continue;
                }
                news.See(one.Position);
                news.Decisions.Add(decision);
            }
            else if (one.Stream.StartsWith(JobProjection.StreamPrefix, StringComparison.Ordinal))
            {
                news.See(one.Position);
                news.Jobs.Add(one.Stream[JobProjection.StreamPrefix.Length..]);
            }
        }
        return news;
    }

    private static long? OrdinalOf(AccountEvent happened) => happened switch
    {
        OrderAccepted e => e.Order.Ordinal,
        OrderDenied e => e.Ordinal,
        OrderWorking e => e.Ordinal,
        OrderTriggered e => e.Ordinal,
        StopTrailed e => e.Ordinal,
        OrderFilled e => e.Ordinal,
        OrderChangeRequested e => e.Ordinal,
        DomainOrderChanged e => e.Ordinal,
        OrderCancelRequested e => e.Ordinal,
        OrderEnded e => e.Ordinal,
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "the lists failed: {Person} is told to read again")]
    private partial void LogFailed(Exception failure, string person);

    [LoggerMessage(Level = LogLevel.Error, Message = "a change of the configuration {Key} cannot be read: nobody is told of it here")]
    private partial void LogUnread(Exception failure, string key);

    private sealed class News
    {
        public long First { get; private set; } = -1;
        public HashSet<(string Account, long Ordinal)> Orders { get; } = [];
        public HashSet<(string Account, long Position)> Fills { get; } = [];
        public HashSet<string> Decisions { get; } = [];
        public HashSet<string> Jobs { get; } = [];
        public ListsChanged? Lists { get; private set; }
        public bool IsEmpty => First < 0;

        public void Change(ListsChanged lists)
        {
            See(lists.MinPosition);
            Lists = lists.With(Lists);
        }

        public void See(long position)
        {
            if (First < 0) First = position;
        }
    }
}
