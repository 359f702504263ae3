using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Strategies;

/// <summary>What a strategy wants, before it has become somebody's decision.</summary>
/// <param name="Readings">The inputs as they stood.</param>
[GenerateSerializer, Immutable, Alias("ht.Evaluation")]
public sealed record Evaluation(
    string Symbol, TimeFrame TimeFrame, DateTime Time, long MarketPosition, Bar Bar, ImmutableArray<FeatureReading> Readings, Intent Intent,
    long BarNumber = 0);

/// <summary>One strategy bound to the features it reads: evaluated at each bar, the same in back-test, replay and live.</summary>
public sealed class StrategyEvaluator
{
    private readonly Strategy _strategy;
    private readonly Instrument _instrument;
    private readonly TimeFrame _timeFrame;
    private readonly int[] _slots;
    private readonly bool _needsAllInputs;

    /// <param name="slotOf">Where the value of a feature will stand in the spans given to <see cref="Evaluate"/>.</param>
    public StrategyEvaluator(Strategy strategy, Instrument instrument, TimeFrame timeFrame, Func<FeatureSpec, int> slotOf)
    {
        _strategy = strategy;
        _instrument = instrument;
        _timeFrame = timeFrame;
        _slots = [.. strategy.Inputs.Select(slotOf)];
        _needsAllInputs = strategy.NeedsAllInputs;
    }

    /// <summary>Asks the strategy at a bar's close. Values stand where the evaluator was bound to find them.</summary>
    /// <param name="barNumber">The bar's place among the bars that the features have seen, from 1.</param>
    /// <returns>Null when it wants nothing new, or where an input that it needs is not ready yet.</returns>
    public Evaluation? Evaluate(
        in Bar bar, long barNumber, DateTime time, long position, in StrategyState state, ReadOnlySpan<double> values, ReadOnlySpan<double> previous)
    {
        if (position <= state.LastPosition) return null;
        if (_needsAllInputs)
        {
            foreach (int slot in _slots)
            {
                if (double.IsNaN(values[slot]) || double.IsNaN(previous[slot])) return null;
            }
        }
        var context = new StrategyContext(_instrument, bar, barNumber, time, state, values, previous, _slots);
        if (_strategy.Evaluate(context) is not { } intent || (intent.Stance == state.Stance && intent.Stance == Stance.Flat)) return null;
        // Holding on is nothing new.
        if (intent.Stance == state.Stance && intent is { EntryLimit: null, EntryStop: null }) return null;

        ImmutableArray<FeatureReading>.Builder readings = ImmutableArray.CreateBuilder<FeatureReading>(_slots.Length);
        for (int i = 0; i < _slots.Length; i++) readings.Add(new FeatureReading(_strategy.Inputs[i].ToString(), values[_slots[i]]));
        return new Evaluation(_instrument.Symbol, _timeFrame, time, position, bar, readings.MoveToImmutable(), intent, barNumber);
    }
}
