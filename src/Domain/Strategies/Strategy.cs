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

    /// <summary>Whether it is asked only while every input is ready, now and one bar ago; else it judges itself what it sees as not a number.</summary>
    public virtual bool NeedsAllInputs => true;

    /// <summary>Called at each close of the strategy's time frame.</summary>
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

    public StrategyContext(Instrument instrument, in Bar bar, long barNumber, DateTime time, in StrategyState state,
        ReadOnlySpan<double> values, ReadOnlySpan<double> previous, ReadOnlySpan<int> slots)
    {
        Instrument = instrument;
        _bar = ref bar;
        BarNumber = barNumber;
        _state = ref state;
        Time = time;
        _values = values;
        _previous = previous;
        _slots = slots;
    }

    public Instrument Instrument { get; }

    /// <summary>The bar that closed.</summary>
    public ref readonly Bar Bar => ref _bar;

    /// <summary>Its place among the bars of this instrument and time frame; only differences mean something.</summary>
    public long BarNumber { get; }

    /// <summary>UTC of the close.</summary>
    public DateTime Time { get; }

    /// <summary>Where the strategy stands.</summary>
    public ref readonly StrategyState State => ref _state;

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
/// <param name="EntryBar">Number of the bar at whose close it took its stance; 0 when flat, or where bars were not counted yet.</param>
/// <param name="EntryAskPoints">The ask of that close; 0 when flat.</param>
/// <param name="StopDistance">The protective stop that it took its stance with; null for none.</param>
/// <param name="TakeDistance">The target likewise.</param>
[GenerateSerializer, Immutable, Alias("ht.StrategyState")]
public readonly record struct StrategyState(
    Stance Stance, long Decisions, long LastPosition, long EntryPoints, DateTime Since,
    long EntryBar = 0, long EntryAskPoints = 0, decimal? StopDistance = null, decimal? TakeDistance = null)
{
    public static readonly StrategyState Initial = new(Stance.Flat, 0, -1, 0, default);

    public StrategyState After(Decision decision)
    {
        var after = new StrategyState(decision.Intent.Stance, Decisions + 1, decision.MarketPosition, 0, decision.Time);
        return decision.Intent.Stance == Stance.Flat ? after : after with
        {
            EntryPoints = decision.Bar.Bid.Close,
            EntryBar = decision.BarNumber,
            EntryAskPoints = decision.Bar.Ask.Close,
            StopDistance = decision.Intent.StopDistance,
            TakeDistance = decision.Intent.TakeDistance,
        };
    }
}
