using HybridTrading.Api.Projections;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;
using HybridTrading.Grains.Trading;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// Sets going what must not wait for a caller: the feed, accounts with positions or orders, running strategies, a first start's demonstration, the
/// outbox. In this order, so that prices are there for the accounts, and the accounts for the strategies' open decisions.
/// </summary>
internal sealed class TradingStart(IGrainFactory grains, IStartupQueries queries, Demonstration demonstration) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using Principal.Scope scope = Principal.OfHost();
        await queries.CatchUpAsync(cancellationToken);
        await grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        foreach (string account in queries.AccountsToWake()) await grains.GetGrain<IAccountGrain>(account).Wake();
        foreach (string strategy in queries.RunningStrategies()) await grains.GetGrain<IStrategyGrain>(strategy).Wake();
        await demonstration.MakeAsync(grains);
        await grains.GetGrain<IOutboxGrain>(Keys.Outbox).Start();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
