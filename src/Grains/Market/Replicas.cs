using HybridTrading.Grains.Views;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Market;

/// <summary>A market as its readers see it: a copy on each silo, behind by milliseconds. Its key is the market's.</summary>
[Shared, Alias("ht.IMarketReplicaGrain")]
public interface IMarketReplicaGrain : IGrainWithStringKey
{
    [Shared, AlwaysInterleave, Alias("GetView")] Task<MarketView> GetView();
}

/// <summary>The features of one instrument and time frame as their readers see them. Its key is that of the features.</summary>
[Shared, Alias("ht.IFeaturesReplicaGrain")]
public interface IFeaturesReplicaGrain : IGrainWithStringKey
{
    /// <summary>Null before the first bar.</summary>
    [Shared, AlwaysInterleave, Alias("GetView")] Task<FeatureUpdate?> GetView();
}

[HostedBy("data-bridge"), StatelessWorker(1, removeIdleWorkers: false)]
public sealed class MarketReplicaGrain(TimeProvider clock, ILogger<MarketReplicaGrain> log) : ReplicaGrain<MarketView>(clock, log), IMarketReplicaGrain
{
    public Task<MarketView> GetView() => ReadAsync();

    protected override Task<Versioned<MarketView>> AskAsync(ViewVersion known, CancellationToken cancellation) =>
        GrainFactory.GetGrain<IMarketGrain>(this.GetPrimaryKeyString()).GetViewAfter(known, cancellation);
}

[HostedBy("feature-engineering"), StatelessWorker(1, removeIdleWorkers: false)]
public sealed class FeaturesReplicaGrain(TimeProvider clock, ILogger<FeaturesReplicaGrain> log)
    : ReplicaGrain<FeatureUpdate?>(clock, log), IFeaturesReplicaGrain
{
    public Task<FeatureUpdate?> GetView() => ReadAsync();

    protected override Task<Versioned<FeatureUpdate?>> AskAsync(ViewVersion known, CancellationToken cancellation) =>
        GrainFactory.GetGrain<IFeaturesGrain>(this.GetPrimaryKeyString()).GetViewAfter(known, cancellation);
}
