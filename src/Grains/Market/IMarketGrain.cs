using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Telemetry;
using HybridTrading.Grains.Views;

namespace HybridTrading.Grains.Market;

/// <summary>A quote at its place in the market log.</summary>
[GenerateSerializer, Immutable, Alias("ht.PlacedQuote")]
public readonly record struct PlacedQuote(long Position, Quote Quote);

/// <summary>A closed bar at its place in the market log.</summary>
[GenerateSerializer, Immutable, Alias("ht.PlacedBar")]
public readonly record struct PlacedBar(long Position, Bar Bar);

/// <summary>Quotes of one instrument in feed order.</summary>
/// <param name="WarmUp">They were seen in an earlier life: bars and features are rebuilt, nobody trades.</param>
[GenerateSerializer, Immutable, Alias("ht.QuoteBatch")]
public sealed record QuoteBatch(ImmutableArray<PlacedQuote> Quotes, bool WarmUp = false);

/// <summary>Closed bars of the source's own time frame, where the source has no ticks.</summary>
[GenerateSerializer, Immutable, Alias("ht.BarBatch")]
public sealed record BarBatch(TimeFrame TimeFrame, ImmutableArray<PlacedBar> Bars, bool WarmUp = false);

/// <summary>The market of one instrument as of now.</summary>
/// <param name="Position">Place of the latest event in the market log; -1 before the first.</param>
/// <param name="Quote">Zero prices before the first.</param>
/// <param name="Frames">The forming bars.</param>
/// <param name="Closed">Of each time frame the last bar that closed, since the grain came up.</param>
[GenerateSerializer, Immutable, Alias("ht.MarketView")]
public sealed record MarketView(string Symbol, long Position, Quote Quote, ImmutableArray<FrameView> Frames, ImmutableArray<LastBar> Closed);

/// <summary>The last bar of one time frame that has closed.</summary>
[GenerateSerializer, Immutable, Alias("ht.LastBar")]
public sealed record LastBar(TimeFrame TimeFrame, Bar Bar);

/// <summary>The forming bar of one time frame.</summary>
[GenerateSerializer, Immutable, Alias("ht.FrameView")]
public sealed record FrameView(TimeFrame TimeFrame, Bar Forming);

/// <summary>One instrument: takes the feed's events in order, builds bars, and hands both on: to the accounts that it touches, then to features.</summary>
[Shared, Alias("ht.IMarketGrain")]
public interface IMarketGrain : IGrainWithStringKey
{
    /// <summary>Returns when everything that follows from the events has been done.</summary>
    [Alias("OnQuotes")] Task OnQuotes(QuoteBatch batch);

    [Alias("OnBars")] Task OnBars(BarBatch batch);

    /// <summary>Lets time pass: closes bars that ended and moves what is due in the accounts.</summary>
    [Alias("OnClock")] Task OnClock(DateTime time, bool warmUp);

    /// <summary>A quote that cannot be logged now: for screens only, nobody acts on it.</summary>
    [AlwaysInterleave, Alias("Show")] Task Show(Quote quote);

    /// <summary>From the next event on the account gets this instrument's events, until it says that it needs them no more.</summary>
    [Shared, AlwaysInterleave, Alias("Watch")] Task<MarketView> Watch(string account);

    /// <summary>The account gets nothing more, and is not remembered.</summary>
    [Shared, AlwaysInterleave, Alias("Unwatch")] Task Unwatch(string account);

    /// <summary>From the next event on bars of this time frame are built.</summary>
    [AlwaysInterleave, Alias("EnsureFrame")] Task EnsureFrame(TimeFrame timeFrame);

    [Shared, AlwaysInterleave, Alias("GetView")] Task<MarketView> GetView();

    /// <summary>The view as soon as it is another than the known one, or as it is after a bounded wait: for replicas.</summary>
    [AlwaysInterleave, LongPoll, Alias("GetViewAfter")] Task<Versioned<MarketView>> GetViewAfter(ViewVersion known, CancellationToken cancellation);

    /// <summary>
    /// Shows the market to an observer when it changes, ten times a second at most, for <see cref="Observing.Expiration"/> from the last time that
    /// this was called.
    /// </summary>
    /// <returns>How the market stands now.</returns>
    [Shared, AlwaysInterleave, Alias("Observe")] Task<Versioned<MarketView>> Observe(IMarketObserver observer);

    [Shared, AlwaysInterleave, Alias("Forget")] Task Forget(IMarketObserver observer);
}

/// <summary>Somebody outside of grains who looks at a market. Calls may be lost; whoever hears nothing observes anew.</summary>
[Alias("ht.IMarketObserver")]
public interface IMarketObserver : IGrainObserver
{
    [Alias("Show")] void Show(Versioned<MarketView> market);
}

/// <summary>The features of one instrument and time frame, each computed once for everybody.</summary>
[Shared, Alias("ht.IFeaturesGrain")]
public interface IFeaturesGrain : IGrainWithStringKey
{
    [Alias("OnBar")] Task OnBar(ClosedBar bar, bool warmUp);

    /// <summary>A strategy joins: its features are computed and a shard evaluates it from the next bar on. Joining twice is joining once.</summary>
    [Shared, AlwaysInterleave, Alias("Join")] Task Join(ShardMember member);

    /// <summary>From the next bar on the inputs of such a strategy are computed, whether or not one has joined.</summary>
    [AlwaysInterleave, Alias("Compute")] Task Compute(string definition, ImmutableSortedDictionary<string, decimal> parameters, string? rule = null);

    [Shared, AlwaysInterleave, Alias("Leave")] Task Leave(string strategy);

    /// <summary>The features as of the last bar.</summary>
    [Shared, AlwaysInterleave, Alias("GetView")] Task<FeatureUpdate?> GetView();

    /// <inheritdoc cref="IMarketGrain.GetViewAfter"/>
    [AlwaysInterleave, LongPoll, Alias("GetViewAfter")] Task<Versioned<FeatureUpdate?>> GetViewAfter(ViewVersion known, CancellationToken cancellation);
}

/// <summary>A bar that closed.</summary>
/// <param name="Time">Its end.</param>
/// <param name="Position">Market log position of the last event in it.</param>
[GenerateSerializer, Immutable, Alias("ht.ClosedBar")]
public sealed record ClosedBar(Bar Bar, DateTime Time, long Position);

/// <summary>All features of an instrument and time frame at a bar's close, in the order of <paramref name="Specs"/>; NaN where not ready.</summary>
/// <param name="BarNumber">The bar's place among the bars of this time frame, from 1.</param>
[GenerateSerializer, Immutable, Alias("ht.FeatureUpdate")]
public sealed record FeatureUpdate(
    ClosedBar Closed, ImmutableArray<string> Specs, ImmutableArray<double> Values, ImmutableArray<double> Previous,
    long BarNumber = 0);

/// <summary>A running strategy as its shard knows it.</summary>
/// <param name="State">Where it stood when it joined.</param>
/// <param name="Rule">Canonical text of the rule that it is; null for one of the catalogue.</param>
[GenerateSerializer, Immutable, Alias("ht.ShardMember")]
public sealed record ShardMember(
    string Strategy, string Definition, ImmutableSortedDictionary<string, decimal> Parameters, StrategyState State, string? Rule = null)
{
    /// <summary>A strategy as it says; its own.</summary>
    public Strategy Make() => StrategyCatalog.Find(Definition, Rule).Make(Parameters);

    /// <summary>Whether both are evaluated by equal strategies of equal size.</summary>
    public bool IsLike(ShardMember other) => Definition == other.Definition && Rule == other.Rule && Parameters.SequenceEqual(other.Parameters);
}

/// <summary>Up to some hundred strategies on one instrument and time frame, evaluated in one go.</summary>
[Shared, Alias("ht.IShardGrain")]
public interface IShardGrain : IGrainWithStringKey
{
    [Alias("OnFeatures")] Task OnFeatures(FeatureUpdate update);

    [AlwaysInterleave, Alias("Add")] Task Add(ShardMember member);

    [AlwaysInterleave, Alias("Remove")] Task Remove(string strategy);
}
