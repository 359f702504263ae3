using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using HybridTrading.Grains.Views;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Market;

/// <summary>Who takes part in one instrument and time frame, and where the features stand.</summary>
[GenerateSerializer, Immutable, Alias("ht.FeaturesState")]
public sealed record FeaturesState
{
    [Id(0)] public ImmutableArray<ShardEntry> Shards { get; init; } = [];
    [Id(1)] public FeatureSetSnapshot? Snapshot { get; init; }
    [Id(2)] public long Position { get; init; } = -1;
    [Id(3)] public BarCount Count { get; init; } = BarCount.None;
}

/// <summary>How many bars there were up to one: what bars in a trade are counted by, so it goes on over restarts and new features.</summary>
/// <param name="OpenTime">Of that bar.</param>
[GenerateSerializer, Immutable, Alias("ht.BarCount")]
public sealed record BarCount(long Number, DateTime OpenTime)
{
    public static readonly BarCount None = new(0, default);

    public BarCount Next(in Bar bar) => new(Number + 1, bar.OpenTime);

    /// <summary>With those of the bars, in order, that are later.</summary>
    public BarCount With(IReadOnlyList<Bar> bars)
    {
        int later = bars.Count(bar => bar.OpenTime > OpenTime);
        return later == 0 ? this : new BarCount(Number + later, bars[^1].OpenTime);
    }
}

/// <summary>The members of one shard, by strategy key.</summary>
[GenerateSerializer, Immutable, Alias("ht.ShardEntry")]
public sealed record ShardEntry(int Number, ImmutableSortedDictionary<string, ShardMember> Members);

/// <summary>Updates the features once a bar and has the shards evaluate their strategies.</summary>
[HostedBy("feature-engineering")]
public sealed partial class FeaturesGrain(
    [PersistentState("features")] IPersistentState<FeaturesState> state, IBarStore bars, TradingOptions options, TimeProvider clock,
    IHostApplicationLifetime host, ILogger<FeaturesGrain> log) : Grain, IFeaturesGrain
{
    private static readonly TimeSpan SnapshotInterval = TimeSpan.FromMinutes(1);

    private FeatureSet _features = null!;
    private Instrument _instrument = null!;
    private TimeFrame _timeFrame;
    private FeatureUpdate? _last;
    private ViewSource<FeatureUpdate?> _views = null!;
    private BarCount _count = BarCount.None;
    private ImmutableArray<string> _specs = [];
    private readonly SerialWriter _writer = new();
    private readonly SerialWriter _extension = new();
    private List<Bar>? _arriving;
    private bool _changed;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _views = new ViewSource<FeatureUpdate?>(() => _last, clock, host.ApplicationStopping);
        (string symbol, _timeFrame) = Keys.ParseFeatures(this.GetPrimaryKeyString());
        _instrument = options.Universe.Find(symbol) ?? throw new ArgumentException($"features of '{symbol}': no such instrument here");
        _features = await RestoreAsync(cancellationToken);
        _specs = Names();
        await GrainFactory.GetGrain<IMarketGrain>(symbol).EnsureFrame(_timeFrame);
        if (!options.IsRun)
        {
            this.RegisterGrainTimer(static (self, _) => self.SaveAsync(), this,
                new GrainTimerCreationOptions(SnapshotInterval, SnapshotInterval) { Interleave = true });
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => options.IsRun ? Task.CompletedTask : SaveAsync();

    public async Task OnBar(ClosedBar bar, bool warmUp)
    {
        // A bar that the set has already seen (a repeated delivery, or the one that woke this grain, which the bar store had first) changes no
        // feature, but the shards may not have had it.
        if (bar.Bar.OpenTime > _features.LastBar.OpenTime || _features.BarsSeen == 0 || _timeFrame.IsTick && _last?.Closed.Position < bar.Position)
        {
            _features.Update(bar.Bar);
            _count = _count.Next(bar.Bar);
            _arriving?.Add(bar.Bar);
            _changed = true;
            Show(bar);
        }
        else if (_last is null && bar.Bar.OpenTime == _features.LastBar.OpenTime)
        {
            Show(bar);
        }
        if (warmUp || _last is null || _last.Closed.Position != bar.Position || state.State.Shards.IsEmpty) return;

        FeatureUpdate update = _last;
        if (options.InOrder)
        {
            foreach (ShardEntry shard in state.State.Shards) await Shard(shard.Number).OnFeatures(update);
        }
        else
        {
            await Task.WhenAll(state.State.Shards.Select(shard => Shard(shard.Number).OnFeatures(update)));
        }
    }

    public async Task Join(ShardMember member)
    {
        Principal.RequireOwner(member.Strategy);
        Strategy strategy = member.Make();
        ShardEntry? current = state.State.Shards.FirstOrDefault(shard => shard.Members.ContainsKey(member.Strategy));
        bool known = current is not null && current.Members[member.Strategy].IsLike(member);
        if (!known)
        {
            if (current is not null) await RemoveAsync(member.Strategy);
            ShardEntry shard = state.State.Shards.FirstOrDefault(shard => shard.Members.Count < options.ShardSize)
                ?? new ShardEntry(state.State.Shards.Length, ImmutableSortedDictionary.Create<string, ShardMember>(StringComparer.Ordinal));
            ShardEntry grown = shard with { Members = shard.Members.Add(member.Strategy, member) };
            state.State = state.State with { Shards = [.. state.State.Shards.Where(other => other.Number != shard.Number).Append(grown).OrderBy(other => other.Number)] };
            current = grown;
            await WriteAsync();
        }
        await ExtendAsync(strategy);
        await Shard(current!.Number).Add(member);
    }

    public Task Compute(string definition, ImmutableSortedDictionary<string, decimal> parameters, string? rule) =>
        ExtendAsync(StrategyCatalog.Find(definition, rule).Make(parameters));

    public Task Leave(string strategy)
    {
        Principal.RequireOwner(strategy);
        return RemoveAsync(strategy);
    }

    public Task<FeatureUpdate?> GetView() => Task.FromResult(_last);

    public Task<Versioned<FeatureUpdate?>> GetViewAfter(ViewVersion known, CancellationToken cancellation) => _views.AfterAsync(known, cancellation);

    private async Task RemoveAsync(string strategy)
    {
        ShardEntry? shard = state.State.Shards.FirstOrDefault(shard => shard.Members.ContainsKey(strategy));
        if (shard is null) return;
        ShardEntry shrunk = shard with { Members = shard.Members.Remove(strategy) };
        state.State = state.State with { Shards = state.State.Shards.Replace(shard, shrunk) };
        await WriteAsync();
        await Shard(shard.Number).Remove(strategy);
    }

    private IShardGrain Shard(int number) => GrainFactory.GetGrain<IShardGrain>(Keys.Shard(this.GetPrimaryKeyString(), number));

    /// <summary>Features that nobody had asked for yet are warmed with the bars of history; the set that goes on is a whole new one.</summary>
    private Task ExtendAsync(Strategy strategy) => _extension.RunAsync(async () =>
    {
        if (strategy.Inputs.All(_features.Specs.Contains)) return;
        _arriving = [];
        IReadOnlyList<Bar> history = await HistoryAsync(CancellationToken.None);
        FeatureSet set = Build([.. _features.Specs.Union(strategy.Inputs)], history);
        // What came in while the history was read; some of it the history has.
        foreach (Bar bar in _arriving)
        {
            if (set.BarsSeen == 0 || bar.OpenTime > set.LastBar.OpenTime) set.Update(bar);
        }
        _arriving = null;
        _features = set;
        _count = _count.With(history);
        _specs = Names();
        _changed = true;
    });

    private async Task<IReadOnlyList<Bar>> HistoryAsync(CancellationToken cancellation) => options.WarmUpBars == 0
        ? []
        : await bars.ReadLastAsync(_instrument.Symbol, _timeFrame, options.WarmUpBars, DateTime.MaxValue, cancellation);

    private FeatureSet Build(ImmutableArray<FeatureSpec> specs, IReadOnlyList<Bar> history)
    {
        var set = new FeatureSet(_instrument, _timeFrame, specs);
        foreach (Bar bar in history) set.Update(bar);
        return set;
    }

    private async Task<FeatureSet> RestoreAsync(CancellationToken cancellation)
    {
        ImmutableArray<FeatureSpec> specs = [.. state.State.Shards.SelectMany(shard => shard.Members.Values)
            .SelectMany(member => member.Make().Inputs).Distinct()];
        IReadOnlyList<Bar> history = await HistoryAsync(cancellation);
        // A run is played from its first bar on, or counts once more what it is taken up from.
        _count = (options.IsRun ? BarCount.None : state.State.Count).With(history);
        if (options.IsRun || state.State.Snapshot is not { } snapshot || !specs.All(snapshot.Specs.Contains)) return Build(specs, history);
        try
        {
            FeatureSet restored = FeatureSet.Restore(_instrument, snapshot);
            foreach (Bar bar in history)
            {
                if (bar.OpenTime > restored.LastBar.OpenTime) restored.Update(bar);
            }
            return restored;
        }
        catch (FormatException e)
        {
            LogSnapshotUnusable(e, this.GetPrimaryKeyString());
            return Build(specs, history);
        }
    }

    private async Task SaveAsync()
    {
        if (!_changed) return;
        _changed = false;
        state.State = state.State with { Snapshot = _features.Capture(), Position = _last?.Closed.Position ?? -1 };
        await WriteAsync();
    }

    private void Show(ClosedBar bar)
    {
        _last = new FeatureUpdate(bar, _specs, [.. _features.Values], [.. _features.Previous], _count.Number);
        _views.Change();
    }

    private Task WriteAsync() => _writer.RunAsync(() =>
    {
        state.State = state.State with { Count = _count };
        return state.WriteStateAsync();
    });

    private ImmutableArray<string> Names() => [.. _features.Specs.Select(spec => spec.ToString())];

    [LoggerMessage(Level = LogLevel.Warning, Message = "snapshot of features {Features} is not usable; rebuilding from bars")]
    private partial void LogSnapshotUnusable(Exception exception, string features);
}
