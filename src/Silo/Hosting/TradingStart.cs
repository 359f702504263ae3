using HybridTrading.Grains;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Market;

namespace HybridTrading.Silo.Hosting;

/// <summary>Sets going what must not wait for a caller: the feed, the outbox, running strategies, accounts with something open.</summary>
internal sealed class TradingStart(IGrainFactory grains) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await grains.GetGrain<IFeedGrain>(Keys.Feed).Start();
        await grains.GetGrain<IOutboxGrain>("silo").Start();
    }
}
