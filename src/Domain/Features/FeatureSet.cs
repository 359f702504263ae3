using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>
/// Features of one instrument and time frame, updated together once a closed bar. What several features need (the sma(20) inside a cross,
/// the outputs of one macd) is computed once. Values are NaN until their feature has seen enough bars. Not thread-safe: one writer.
/// </summary>
public sealed class FeatureSet
{
    // In order of dependency: what a feature of other features is made of stands before it.
    private readonly List<Indicator> _indicators = [];
    private readonly Dictionary<string, Indicator> _indicatorByKey = [];
    private readonly List<FeatureSpec> _specs = [];
    private readonly Dictionary<FeatureSpec, int> _indexOf = [];
    private Operand[] _outputs = [];
    private double[] _values = [];
    private double[] _previous = [];
    private Bar _lastBar;

    /// <param name="specs">What <see cref="Values"/> holds, in this order; repeated ones count once.</param>
    /// <exception cref="FormatException">A spec is empty (<c>default</c>).</exception>
    public FeatureSet(Instrument instrument, TimeFrame timeFrame, IEnumerable<FeatureSpec> specs)
    {
        Instrument = instrument;
        TimeFrame = timeFrame;
        foreach (FeatureSpec spec in specs) Add(spec);
    }

    public Instrument Instrument { get; }

    public TimeFrame TimeFrame { get; }

    /// <summary>What <see cref="Values"/> holds, index by index.</summary>
    public ImmutableArray<FeatureSpec> Specs => [.. _specs];

    public int Count => _specs.Count;

    /// <summary>The values at <see cref="LastBar"/>; overwritten by the next update.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The values one bar ago; overwritten by the next update.</summary>
    public ReadOnlySpan<double> Previous => _previous;

    public long BarsSeen { get; private set; }

    /// <summary>The newest bar; default before the first.</summary>
    public Bar LastBar => _lastBar;

    /// <summary>Bars until every feature is ready, counted from a fresh set.</summary>
    public int WarmUp => _indicators.Count == 0 ? 0 : _indicators.Max(indicator => indicator.WarmUp);

    /// <exception cref="KeyNotFoundException">The set does not hold it.</exception>
    public int IndexOf(FeatureSpec spec) => _indexOf.TryGetValue(spec, out int index)
        ? index
        : throw new KeyNotFoundException($"{Instrument.Symbol}/{TimeFrame} has no feature '{spec}'");

    /// <summary>Adds a feature at the end, or finds it; its index never changes. One that comes late starts as not ready,
    /// unless its indicator was there already.</summary>
    public int Add(FeatureSpec spec)
    {
        if (_indexOf.TryGetValue(spec, out int index)) return index;
        FeatureExpression expression = spec.Expression;
        var output = new Operand(IndicatorOf(expression), expression.Output);
        index = _specs.Count;
        _specs.Add(spec);
        _indexOf.Add(spec, index);
        _outputs = [.. _outputs, output];
        _values = [.. _values, output.Value];
        _previous = [.. _previous, double.NaN];
        return index;
    }

    /// <summary>Takes the next closed bar, later than the last.</summary>
    public void Update(in Bar bar)
    {
        foreach (Indicator indicator in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_indicators)) indicator.Update(bar);

        double[] values = _previous;
        Operand[] outputs = _outputs;
        for (int i = 0; i < outputs.Length; i++) values[i] = outputs[i].Value;
        (_values, _previous) = (values, _values);
        _lastBar = bar;
        BarsSeen++;
    }

    /// <summary>Everything that the next values depend on.</summary>
    public FeatureSetSnapshot Capture()
    {
        var state = StateTransfer.Writing();
        Transfer(state);
        return new FeatureSetSnapshot(
            FeatureSetSnapshot.CurrentVersion, Instrument.Symbol, Instrument.Digits, TimeFrame, Specs, [.. _indicatorByKey.Keys], state.ToBytes());
    }

    /// <summary>Continues bit for bit where <paramref name="snapshot"/> was captured.</summary>
    /// <exception cref="FormatException">The snapshot has another shape version, is of another instrument, or does not fit its features.</exception>
    public static FeatureSet Restore(Instrument instrument, FeatureSetSnapshot snapshot)
    {
        if (snapshot.Version != FeatureSetSnapshot.CurrentVersion)
        {
            throw new FormatException($"feature snapshot has shape version {snapshot.Version}, expected {FeatureSetSnapshot.CurrentVersion}");
        }
        if (snapshot.Symbol != instrument.Symbol || snapshot.Digits != instrument.Digits)
        {
            throw new FormatException(
                $"feature snapshot is of {snapshot.Symbol} with {snapshot.Digits} digits, expected {instrument.Symbol} with {instrument.Digits}");
        }
        var set = new FeatureSet(instrument, snapshot.TimeFrame, snapshot.Specs);
        if (!set._indicatorByKey.Keys.SequenceEqual(snapshot.Indicators))
        {
            throw new FormatException("feature snapshot does not fit its features: indicators differ");
        }
        var state = StateTransfer.Reading(snapshot.State);
        try
        {
            set.Transfer(state);
        }
        catch (EndOfStreamException)
        {
            throw new FormatException("feature snapshot is cut short");
        }
        return state.AtEnd ? set : throw new FormatException("feature snapshot holds more than its features need");
    }

    private Indicator IndicatorOf(FeatureExpression expression)
    {
        string key = expression.IndicatorKey;
        if (_indicatorByKey.TryGetValue(key, out Indicator? indicator)) return indicator;
        indicator = expression.Definition.Derive is { } derive
            ? derive([.. expression.Operands.Select(OperandOf)], expression.Numbers)
            : expression.Definition.Create!(Instrument, expression.Numbers, expression.Source);
        _indicators.Add(indicator);
        _indicatorByKey.Add(key, indicator);
        return indicator;
    }

    private Operand OperandOf(FeatureOperand operand) => operand.Feature is { } feature
        ? new Operand(IndicatorOf(feature), feature.Output)
        : new Operand(operand.Level);

    private void Transfer(StateTransfer state)
    {
        long seen = BarsSeen;
        state.Of(ref seen);
        BarsSeen = seen;
        TransferLastBar(state);
        state.Of(_values);
        state.Of(_previous);
        foreach (Indicator indicator in _indicators) indicator.Transfer(state);
    }

    private void TransferLastBar(StateTransfer state)
    {
        DateTime time = _lastBar.OpenTime;
        long[] prices =
        [
            _lastBar.Bid.Open, _lastBar.Bid.High, _lastBar.Bid.Low, _lastBar.Bid.Close,
            _lastBar.Ask.Open, _lastBar.Ask.High, _lastBar.Ask.Low, _lastBar.Ask.Close,
        ];
        double volume = _lastBar.Volume;
        state.Of(ref time);
        state.Of(prices);
        state.Of(ref volume);
        _lastBar = new Bar(time, new Ohlc(prices[0], prices[1], prices[2], prices[3]), new Ohlc(prices[4], prices[5], prices[6], prices[7]), volume);
    }
}

/// <summary>The state of a <see cref="FeatureSet"/>, for its snapshot: disposable, rebuilt from bars when its shape is another.</summary>
/// <param name="Version">Shape of <paramref name="State"/>.</param>
/// <param name="Digits">Digits in which the state counts prices.</param>
/// <param name="Indicators">Keys of the indicators whose states follow each other in <paramref name="State"/>.</param>
[GenerateSerializer, Immutable, Alias("ht.FeatureSetSnapshot")]
public sealed record FeatureSetSnapshot(
    int Version, string Symbol, int Digits, TimeFrame TimeFrame, ImmutableArray<FeatureSpec> Specs, ImmutableArray<string> Indicators,
    ImmutableArray<byte> State)
{
    /// <summary>Raised with every change to what an indicator keeps.</summary>
    public const int CurrentVersion = 2;
}
