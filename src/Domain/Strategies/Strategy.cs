using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Strategies;

/// <summary>
/// A trading idea: a pure function from what the market shows to what one wants. It holds no state, places no order and knows no account;
/// equal strategies on the same instrument are evaluated once for everybody.
/// </summary>
public abstract class Strategy
{
    private readonly List<FeatureSpec> _inputs = [];

    /// <summary>The features that it reads, in the order of <see cref="Use"/>.</summary>
    public IReadOnlyList<FeatureSpec> Inputs => _inputs;

    /// <summary>Called at each close of the strategy's time frame, once every input is ready.</summary>
    /// <returns>What is wanted from now on; null for nothing new.</returns>
    public abstract Intent? Evaluate(in StrategyContext context);

    /// <summary>Declares an input; call it in the constructor.</summary>
    protected FeatureInput Use(FeatureSpec feature)
    {
        int index = _inputs.IndexOf(feature);
        if (index >= 0) return new FeatureInput(index);
        _inputs.Add(feature);
        return new FeatureInput(_inputs.Count - 1);
    }
}

/// <summary>A declared input of a strategy: its place among them.</summary>
public readonly record struct FeatureInput(int Index);

/// <summary>What a strategy sees at a bar's close: nothing after it.</summary>
public readonly ref struct StrategyContext
{
    // By reference: a bar is 80 bytes, and each strategy looks at every one.
    private readonly ref readonly Bar _bar;
    private readonly ref readonly StrategyState _state;
    private readonly ReadOnlySpan<double> _values;
    private readonly ReadOnlySpan<double> _previous;
    private readonly ReadOnlySpan<int> _slots;

    public StrategyContext(Instrument instrument, in Bar bar, DateTime time, in StrategyState state,
        ReadOnlySpan<double> values, ReadOnlySpan<double> previous, ReadOnlySpan<int> slots)
    {
        Instrument = instrument;
        _bar = ref bar;
        _state = ref state;
        Time = time;
        _values = values;
        _previous = previous;
        _slots = slots;
    }

    public Instrument Instrument { get; }

    /// <summary>The bar that closed.</summary>
    public Bar Bar => _bar;

    /// <summary>UTC of the close.</summary>
    public DateTime Time { get; }

    /// <summary>Where the strategy stands.</summary>
    public StrategyState State => _state;

    /// <summary>Closing bid in units of price.</summary>
    public double Close => _bar.Bid.Close / Instrument.PointsPerUnit;

    /// <summary>The value of an input at this close.</summary>
    public double this[FeatureInput input] => _values[_slots[input.Index]];

    /// <summary>The value of an input one bar ago.</summary>
    public double Previous(FeatureInput input) => _previous[_slots[input.Index]];
}

/// <summary>What a strategy remembers between evaluations: all of it follows from its decisions.</summary>
/// <param name="Stance">Where it stands.</param>
/// <param name="Decisions">How many it has made.</param>
/// <param name="LastPosition">Market log position of the latest decision; evaluations up to it are not repeated.</param>
/// <param name="EntryPoints">Close at which it took its stance, in points; 0 when flat.</param>
/// <param name="Since">When it took its stance.</param>
[GenerateSerializer, Immutable, Alias("ht.StrategyState")]
public readonly record struct StrategyState(Stance Stance, long Decisions, long LastPosition, long EntryPoints, DateTime Since)
{
    public static readonly StrategyState Initial = new(Stance.Flat, 0, -1, 0, default);

    public StrategyState After(Decision decision) => new(
        decision.Intent.Stance, Decisions + 1, decision.MarketPosition,
        decision.Intent.Stance == Stance.Flat ? 0 : decision.Bar.Bid.Close, decision.Time);
}
