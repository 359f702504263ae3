using System.Text.Json;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Trading;
using HybridTrading.Storage;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;
using Microsoft.Extensions.Hosting;
using DomainOrderChanged = HybridTrading.Domain.Accounts.OrderChanged;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// Follows the journal from where it ends at the start: one reader for all connections. What happened to orders, fills and decisions is read from
/// the projections, once they hold it, so that a push and a list never tell different things.
/// </summary>
public sealed partial class JournalBoard(
    IJournal journal, ProjectionRunner projections, AccountQueries accounts, StrategyQueries strategies, HubConnections connections,
    ApiOptions options,
    ILogger<JournalBoard> log) : BackgroundService
{
    private const int MaxBatch = 500;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<RecordedEvent>(MaxBatch);
        try
        {
            await using IAsyncEnumerator<RecordedEvent> events =
                journal.SubscribeAsync(journal.DurableSize, stoppingToken).GetAsyncEnumerator(stoppingToken);
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
        foreach (IGrouping<string, HubConnection> person in connections.Subscribed.GroupBy(one => one.Caller.Person()).ToArray())
        {
            try
            {
                News news = Collect(batch.Where(one => one.Subject == person.Key && !one.Erased));
                if (news.IsEmpty) continue;
                await projections.WaitForAsync(AccountProjection.ProjectionName, batch[^1].Position, cancellation);
                await projections.WaitForAsync(StrategyProjection.ProjectionName, batch[^1].Position, cancellation);
                Tell(person, news);
            }
            catch (Exception failed) when (failed is StorageException or InvalidDataException or JsonException)
            {
                LogFailed(failed, person.Key);
                foreach (HubConnection connection in person) connection.Missed(batch[0].Position);
            }
        }
    }

    private void Tell(IGrouping<string, HubConnection> person, News news)
    {
        ICaller caller = person.First().Caller;
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
        foreach (HubConnection connection in person)
        {
            if (news.Lists is { } lists) connection.Push(lists);
            connection.Push(news.First, decisions,
                [.. orders.Where(one => connection.Follows(one.Account)).Select(one => one.View)],
                [.. fills.Where(one => connection.Follows(one.Account)).Select(one => one.View)]);
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

    private sealed class News
    {
        public long First { get; private set; } = -1;
        public HashSet<(string Account, long Ordinal)> Orders { get; } = [];
        public HashSet<(string Account, long Position)> Fills { get; } = [];
        public HashSet<string> Decisions { get; } = [];
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
