using HybridTrading.Api.Projections;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;
using Microsoft.AspNetCore.SignalR;

namespace HybridTrading.Api.Hubs;

/// <summary>
/// What happens, as it happens. A client invokes <c>Subscribe</c>; the server calls <c>quotes</c>, <c>bars</c>, <c>decisions</c>, <c>orders</c>,
/// <c>fills</c>, <c>account</c>, <c>lists</c> when accounts or strategies have to be read again and, when a client was too slow, <c>gap</c>.
/// </summary>
public sealed class TradingHub(HubConnections connections, ICaller caller, IGrainFactory grains, StrategyQueries strategies, ApiOptions options) : Hub
{
    private const int MostSymbols = 100;

    public override Task OnConnectedAsync()
    {
        connections.Add(Context.ConnectionId, caller);
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
        ImmutableHashSet<string> symbols = Symbols(subscription);
        string? account = subscription.Account is null ? null : Key(subscription.Account);
        using Principal.Scope scope = Principal.Of(caller.Tenant);
        // First the subscription, then the snapshot: what changes in between is pushed, and nothing is missed.
        connections.Find(Context.ConnectionId).Watch(symbols, account);

        MarketView[] markets = await Task.WhenAll(
            symbols.Order(StringComparer.Ordinal).Select(symbol => grains.GetGrain<IMarketGrain>(symbol).GetView()));
        AccountView? view = null;
        if (account is not null)
        {
            view = await grains.GetGrain<IAccountGrain>(account).GetView() is { } found
                ? AccountView.Of(found, caller, options.Universe)
                : throw new HubException($"account is '{subscription.Account}'; no such account");
        }
        Grains.Trading.StrategyView?[] running = await Task.WhenAll(
            strategies.Strategies(caller.Person()).Select(key => grains.GetGrain<IStrategyGrain>(key).GetView()));
        return new Snapshot(
            [.. markets.Select(market => QuoteView.Of(market, options.Universe.Find(market.Symbol)!, options.Simulated)).OfType<QuoteView>()],
            view,
            [.. running.OfType<Grains.Trading.StrategyView>().Select(one => StrategyView.Of(one, caller, options.Universe))]);
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
            return caller.Key(account, "account");
        }
        catch (ApiException e)
        {
            throw new HubException(e.Message);
        }
    }
}
