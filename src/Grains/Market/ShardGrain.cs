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
    private readonly Dictionary<string, Standing> _standing = new(StringComparer.Ordinal);
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
        if (options.InOrder)
        {
            foreach ((Seat seat, Evaluation evaluation) in wanting)
            {
                await (options.IsRun ? DecideAsync(seat.Strategy, evaluation) : TryDecideAsync(seat.Strategy, evaluation));
            }
        }
        else
        {
            await Task.WhenAll(wanting.Select(want => TryDecideAsync(want.Seat.Strategy, want.Evaluation)));
        }
    }

    public async Task Add(ShardMember member)
    {
        // Before anything is awaited: whoever seats the members meanwhile finds where each stands.
        _standing.TryAdd(member.Strategy, new Standing(member.State));
        if (!state.State.Members.TryGetValue(member.Strategy, out ShardMember? known) || !known.IsLike(member))
        {
            state.State = state.State with { Members = state.State.Members.SetItem(member.Strategy, member) };
            await WriteAsync();
        }
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
            StrategyState standing = seat.Standing.Value;
            // Decisions counted do not change what an equal strategy wants; the position only guards against repeats.
            StrategyState alike = standing with { Decisions = 0, LastPosition = standing.LastPosition < update.Closed.Position ? -1 : standing.LastPosition };
            Evaluation? evaluation;
            if (!seat.HasEqual)
            {
                evaluation = Evaluate(_models[seat.Model], alike, update);
            }
            else if (!done.TryGetValue((seat.Model, alike), out evaluation))
            {
                evaluation = Evaluate(_models[seat.Model], alike, update);
                done[(seat.Model, alike)] = evaluation;
            }
            if (evaluation is not null) wanting.Add((seat, evaluation));
        }
        return wanting;
    }

    private static Evaluation? Evaluate(StrategyEvaluator model, StrategyState standing, FeatureUpdate update) =>
        model.Evaluate(update.Closed.Bar, update.BarNumber, update.Closed.Time, update.Closed.Position, standing, update.Values.AsSpan(), update.Previous.AsSpan());

    private async Task DecideAsync(string strategy, Evaluation evaluation)
    {
        StrategyState after = await GrainFactory.GetGrain<IStrategyGrain>(strategy).Decide(evaluation);
        if (_standing.TryGetValue(strategy, out Standing? standing)) standing.Value = after;
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
            _models[seat.Model] = new StrategyEvaluator(member.Make(), _instrument, _timeFrame, spec => slots[spec]);
        }
    }

    private async Task SeatAsync(ShardMember member) =>
        _standing[member.Strategy] = new Standing(await GrainFactory.GetGrain<IStrategyGrain>(member.Strategy).GetState());

    private Task WriteAsync() => _writer.RunAsync(() => state.WriteStateAsync());

    private void Reseat()
    {
        ILookup<ModelKey, ShardMember> models = state.State.Members.Values.ToLookup(ModelKey.Of);
        _seats =
        [
            .. from member in state.State.Members.Values
               let model = ModelKey.Of(member)
               select new Seat(member.Strategy, model, _standing[member.Strategy], models[model].Skip(1).Any()),
        ];
        _boundTo = [];
        _models.Clear();
    }

    /// <summary>A strategy in its shard, and which model it is evaluated by.</summary>
    /// <param name="HasEqual">Others are evaluated by the same model.</param>
    private sealed record Seat(string Strategy, ModelKey Model, Standing Standing, bool HasEqual);

    /// <summary>Where a strategy stands after its latest decision.</summary>
    private sealed class Standing(StrategyState value)
    {
        public StrategyState Value { get; set; } = value;
    }

    /// <summary>Equal definition, rule and parameters (the size apart) are one model.</summary>
    private readonly record struct ModelKey(string Text)
    {
        public static ModelKey Of(ShardMember member) => new(
            $"{member.Definition};{member.Rule};{string.Join(';', member.Parameters.Where(pair => pair.Key != StrategyDefinition.Units.Name).Select(pair => $"{pair.Key}={pair.Value}"))}");
    }
}
