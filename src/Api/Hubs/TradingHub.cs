using HybridTrading.Api.Identity;
using HybridTrading.Api.Projections;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Trading;
using Microsoft.AspNetCore.SignalR;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// What happens, as it happens. A client invokes <c>Subscribe</c>; the server calls <c>quotes</c>, <c>bars</c>, <c>account</c>, <c>job</c>, <c>configuration</c>,
/// <c>journal</c> (decisions, orders, fills, and lists that have to be read again) and, when a client was too slow or away for too long, <c>gap</c>. It is reached by
/// WebSockets alone, without negotiation. A client that lost its connection subscribes at any process with the journal sequence that it has seen.
/// </summary>
public sealed class TradingHub(
    HubConnections connections, MarketBoard markets, AccountBoard accounts, JournalBoard journal, JobBoard jobs, IGrainFactory grains,
    StrategyQueries strategies, ApiOptions options) : Hub
{
    private const int MostSymbols = 100;

    /// <summary>Of the request that the connection began with: a call of the hub has a scope of its own, which knows no request.</summary>
    private ICaller Caller => Context.GetHttpContext()!.RequestServices.GetRequiredService<ICaller>();

    public override Task OnConnectedAsync()
    {
        connections.Add(Context.ConnectionId, Caller, Context.User?.Identity as CallerIdentity, Context.Abort);
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        connections.Remove(Context.ConnectionId);
        return Task.CompletedTask;
    }

    /// <summary>Replaces what the connection wants to see.</summary>
    /// <returns>How things stand: changes after it are pushed.</returns>
    /// <exception cref="HubException">Names field, value and expectation.</exception>
    public async Task<Snapshot> Subscribe(Subscription subscription)
    {
        ICaller caller = Caller;
        ImmutableHashSet<string> symbols = Symbols(subscription);
        string? account = subscription.Account is null ? null : Key(subscription.Account);
        if (subscription.After < -1) throw new HubException($"after is {subscription.After}; expected a journal sequence that was seen, or null");
        using Principal.Scope scope = Principal.Of(caller.Tenant);
        GrainTracing.Join();
        HubConnection connection = connections.Find(Context.ConnectionId);
        // First the subscription, then the snapshot: what changes in between is pushed, and nothing is missed.
        connection.Watch(symbols, account);

        Task<MarketView?[]> shown = Task.WhenAll(symbols.Order(StringComparer.Ordinal).Select(MarketAsync));
        AccountView? view = null;
        if (account is not null)
        {
            view = await accounts.WatchAsync(account) is { } found
                ? AccountView.Of(found, caller, options.Universe)
                : throw new HubException($"account is '{subscription.Account}'; no such account");
        }
        long sequence = await journal.JoinAsync(connection, subscription.After, Context.ConnectionAborted);
        jobs.Join(caller);
        Grains.Trading.StrategyView?[] running = await Task.WhenAll(
            strategies.Strategies(caller.Person()).Select(key => grains.GetGrain<IStrategyGrain>(key).GetView()));
        return new Snapshot(
            sequence,
            [.. (await shown).OfType<MarketView>()
                .Select(market => QuoteView.Of(market, options.Universe.Find(market.Symbol)!, options.Simulated)).OfType<QuoteView>()],
            view,
            [.. running.OfType<Grains.Trading.StrategyView>().Select(one => StrategyView.Of(one, caller, options.Universe))]);
    }

    /// <summary>Null for a market that does not answer: the board goes on asking, and its quotes are pushed when it does.</summary>
    private async Task<MarketView?> MarketAsync(string symbol)
    {
        try
        {
            return (await markets.WatchAsync(symbol))?.View;
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            return null;
        }
    }

    private ImmutableHashSet<string> Symbols(Subscription subscription)
    {
        if (subscription.Symbols.IsDefault) throw new HubException("symbols is missing; expected a list");
        if (subscription.Symbols.Length > MostSymbols)
        {
            throw new HubException($"symbols has {subscription.Symbols.Length} names; expected at most {MostSymbols}");
        }
        foreach (string? symbol in subscription.Symbols)
        {
            if (symbol is null || options.Universe.Find(symbol) is null)
            {
                throw new HubException($"symbols has {ApiException.Quote(symbol)}; no such instrument here");
            }
        }
        return subscription.Symbols.ToImmutableHashSet(StringComparer.Ordinal);
    }

    private string Key(string account)
    {
        try
        {
            return Caller.Key(account, "account");
        }
        catch (ApiException e)
        {
            throw new HubException(e.Message);
        }
    }
}
