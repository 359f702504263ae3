using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;

namespace HybridTrading.Silo.Hosting;

/// <summary>Sets going what must not wait for a caller: the feed, the outbox, running strategies, accounts with something open.</summary>
internal sealed class TradingStart(IGrainFactory grains) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using Principal.Scope scope = Principal.OfHost();
        await grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        await grains.GetGrain<IOutboxGrain>("silo").Start();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
