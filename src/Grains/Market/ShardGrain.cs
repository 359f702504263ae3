using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Grains.Journal;
using HybridTrading.Grains.Trading;
using Microsoft.Extensions.Logging;

namespace HybridTrading.Grains.Market;

/// <summary>The strategies of one shard.</summary>
[GenerateSerializer, Immutable, Alias("ht.ShardState")]
public sealed record ShardState
{
    [Id(0)] public ImmutableSortedDictionary<string, ShardMember> Members { get; init; } = ImmutableSortedDictionary.Create<string, ShardMember>(StringComparer.Ordinal);
}

/// <summary>
/// Evaluates its strategies at each bar, in the order of their keys; strategies that are equal and stand alike are evaluated once. Only those that
/// want something are called.
/// </summary>
[HostedBy("trading-engine")]
public sealed partial class ShardGrain(
    [PersistentState("shard")] IPersistentState<ShardState> state, TradingOptions options, ILogger<ShardGrain> log) : Grain, IShardGrain
{
    private readonly Dictionary<string, StrategyState> _standing = new(StringComparer.Ordinal);
    private readonly Dictionary<ModelKey, StrategyEvaluator> _models = [];
    private ImmutableArray<string> _boundTo = [];
    private ImmutableArray<Seat> _seats = [];
    private Instrument _instrument = null!;
    private TimeFrame _timeFrame;
    private readonly SerialWriter _writer = new();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string key = this.GetPrimaryKeyString();
        (string symbol, _timeFrame) = Keys.ParseFeatures(key[..key.LastIndexOf('/')]);
        _instrument = options.Universe.Find(symbol) ?? throw new ArgumentException($"shard of '{symbol}': no such instrument here");
        foreach (ShardMember member in state.State.Members.Values) await SeatAsync(member);
        Reseat();
    }

    public async Task OnFeatures(FeatureUpdate update)
    {
        Bind(update.Specs);
        List<(Seat Seat, Evaluation Evaluation)> wanting = Evaluate(update);
        if (options.IsRun)
        {
            foreach ((Seat seat, Evaluation evaluation) in wanting) await DecideAsync(seat.Strategy, evaluation);
        }
        else
        {
            await Task.WhenAll(wanting.Select(want => TryDecideAsync(want.Seat.Strategy, want.Evaluation)));
        }
    }

    public async Task Add(ShardMember member)
    {
        if (!state.State.Members.TryGetValue(member.Strategy, out ShardMember? known) || !known.Parameters.SequenceEqual(member.Parameters))
        {
            state.State = state.State with { Members = state.State.Members.SetItem(member.Strategy, member) };
            await WriteAsync();
        }
        _standing.TryAdd(member.Strategy, member.State);
        Reseat();
    }

    public async Task Remove(string strategy)
    {
        if (!state.State.Members.ContainsKey(strategy)) return;
        state.State = state.State with { Members = state.State.Members.Remove(strategy) };
        _standing.Remove(strategy);
        Reseat();
        await WriteAsync();
    }

    private List<(Seat, Evaluation)> Evaluate(FeatureUpdate update)
    {
        List<(Seat, Evaluation)> wanting = [];
        Dictionary<(ModelKey, StrategyState), Evaluation?> done = [];
        foreach (Seat seat in _seats)
        {
            StrategyState standing = _standing[seat.Strategy];
            // Decisions counted do not change what an equal strategy wants; the position only guards against repeats.
            (ModelKey, StrategyState) alike = (seat.Model, standing with { Decisions = 0, LastPosition = standing.LastPosition < update.Closed.Position ? -1 : standing.LastPosition });
            if (!done.TryGetValue(alike, out Evaluation? evaluation))
            {
                evaluation = _models[seat.Model].Evaluate(update.Closed.Bar, update.Closed.Time, update.Closed.Position, alike.Item2,
                    update.Values.AsSpan(), update.Previous.AsSpan());
                done[alike] = evaluation;
            }
            if (evaluation is not null) wanting.Add((seat, evaluation));
        }
        return wanting;
    }

    private async Task DecideAsync(string strategy, Evaluation evaluation)
    {
        StrategyState after = await GrainFactory.GetGrain<IStrategyGrain>(strategy).Decide(evaluation);
        if (_standing.ContainsKey(strategy)) _standing[strategy] = after;
    }

    /// <summary>One strategy's failure is not the others'.</summary>
    private async Task TryDecideAsync(string strategy, Evaluation evaluation)
    {
        try
        {
            await DecideAsync(strategy, evaluation);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotDecided(e, strategy, evaluation.Time);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "strategy {Strategy} could not decide at {Time}")]
    private partial void LogNotDecided(Exception exception, string strategy, DateTime time);

    /// <summary>Evaluators read features by their place in the update; they are bound anew when the places change.</summary>
    private void Bind(ImmutableArray<string> specs)
    {
        if (_boundTo.SequenceEqual(specs) && _models.Count > 0) return;
        _boundTo = specs;
        _models.Clear();
        Dictionary<FeatureSpec, int> slots = specs.Select((text, index) => (Spec: FeatureSpec.Parse(text), index)).ToDictionary(pair => pair.Spec, pair => pair.index);
        foreach (Seat seat in _seats)
        {
            if (_models.ContainsKey(seat.Model)) continue;
            ShardMember member = state.State.Members[seat.Strategy];
            Strategy strategy = StrategyCatalog.Find(member.Definition).Make(member.Parameters);
            _models[seat.Model] = new StrategyEvaluator(strategy, _instrument, _timeFrame, spec => slots[spec]);
        }
    }

    private async Task SeatAsync(ShardMember member) =>
        _standing[member.Strategy] = await GrainFactory.GetGrain<IStrategyGrain>(member.Strategy).GetState();

    private Task WriteAsync() => _writer.RunAsync(() => state.WriteStateAsync());

    private void Reseat()
    {
        _seats = [.. state.State.Members.Values.Select(member => new Seat(member.Strategy, ModelKey.Of(member)))];
        _boundTo = [];
        _models.Clear();
    }

    /// <summary>A strategy in its shard, and which model it is evaluated by.</summary>
    private sealed record Seat(string Strategy, ModelKey Model);

    /// <summary>Equal definition and parameters (the size apart) are one model.</summary>
    private readonly record struct ModelKey(string Text)
    {
        public static ModelKey Of(ShardMember member) => new(
            $"{member.Definition};{string.Join(';', member.Parameters.Where(pair => pair.Key != StrategyDefinition.Units.Name).Select(pair => $"{pair.Key}={pair.Value}"))}");
    }
}
