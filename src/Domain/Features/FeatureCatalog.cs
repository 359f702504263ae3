using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Features;

/// <summary>A number that a feature takes.</summary>
/// <param name="IsInteger">Whole numbers only.</param>
public sealed record FeatureParameter(string Name, double Default, double Minimum, double Maximum, bool IsInteger, string Description);

/// <summary>What the numbers of a feature count: what may be compared with what.</summary>
public enum FeatureUnit
{
    /// <summary>A plain number: an index, a percentage, a ratio.</summary>
    Number,

    /// <summary>A level of price.</summary>
    Price,

    /// <summary>A difference of prices.</summary>
    Distance,

    /// <summary>Traded volume, or ticks.</summary>
    Volume,
}

/// <summary>One value that a feature gives; the first of a feature is what its bare name means.</summary>
/// <param name="Name">As written after the dot; empty when the feature's own name says it.</param>
public sealed record FeatureOutput(string Name, string Description, FeatureUnit Unit = FeatureUnit.Number);

/// <summary>What is known of a feature: for parsing, documentation and error messages.</summary>
/// <param name="HasSource">Takes a price source (open, high, low, close, median, typical) after its numbers; close when left out.</param>
/// <param name="Source">The publication or convention that defines it.</param>
public sealed record FeatureDefinition(
    string Name,
    string Description,
    string Source,
    ImmutableArray<FeatureParameter> Parameters,
    ImmutableArray<FeatureOutput> Outputs,
    bool HasSource)
{
    /// <summary>How many features or levels it takes before its numbers; 0 for a feature of the bars themselves.</summary>
    public int Operands { get; init; }

    /// <summary>Makes the indicator; null for a feature of other features.</summary>
    internal Func<Instrument, ImmutableArray<double>, PriceSource, Indicator>? Create { get; init; }

    /// <summary>Makes the indicator of a feature of other features; null for others.</summary>
    internal Func<ImmutableArray<Operand>, ImmutableArray<double>, Indicator>? Derive { get; init; }

    private static readonly ImmutableArray<string> OperandNames = ["a", "b"];

    /// <summary>As it is written, with default numbers: <c>macd.signal(12,26,9)</c>.</summary>
    public string Usage(int output = 0)
    {
        string name = Outputs[output].Name is { Length: > 0 } suffix ? $"{Name}.{suffix}" : Name;
        IEnumerable<string> arguments = OperandNames.Take(Operands).Concat(Parameters.Select(parameter => FeatureSpec.Number(parameter.Default)));
        return Operands == 0 && Parameters.IsEmpty ? name : $"{name}({string.Join(',', arguments)})";
    }
}

/// <summary>All features by name.</summary>
public static class FeatureCatalog
{
    /// <summary>Every feature, in the order in which they are documented.</summary>
    public static readonly ImmutableArray<FeatureDefinition> All =
    [
        PriceOf(PriceSource.Close, "Close of the bar (bid)."),
        PriceOf(PriceSource.Open, "Open of the bar (bid)."),
        PriceOf(PriceSource.High, "High of the bar (bid)."),
        PriceOf(PriceSource.Low, "Low of the bar (bid)."),
        PriceOf(PriceSource.Median, "(high + low) / 2."),
        PriceOf(PriceSource.Typical, "(high + low + close) / 3."),
        new("volume", "Volume of the bar.", "the bar", [], [Itself("volume or count of ticks", FeatureUnit.Volume)], false) { Create = (_, _, _) => new Volume() },

        new("spread", "Closing ask less closing bid.", "the bar", [], [Itself("units of price", FeatureUnit.Distance)], false)
        { Create = (instrument, _, _) => new Spread(instrument) },

        new("sma", "Simple moving average.", "exact sums, one division", [Bars("period", 20)], [Itself("average price", FeatureUnit.Price)], true)
        { Create = (instrument, p, source) => new Sma(instrument, (int)p[0], source) },
        new("ema", "Exponential moving average, smoothing 2 / (n + 1), seeded with the simple average of the first n.", "TA-Lib's convention",
            [Bars("period", 20)], [Itself("average price", FeatureUnit.Price)], true)
        { Create = (instrument, p, source) => new Ema(instrument, (int)p[0], source) },
        new("wma", "Linearly weighted moving average, the newest heaviest.", "exact sums, one division",
            [Bars("period", 20)], [Itself("average price", FeatureUnit.Price)], true)
        { Create = (instrument, p, source) => new Wma(instrument, (int)p[0], source) },
        new("macd", "Moving average convergence/divergence; every average seeded with the mean of its own first n.",
            "Appel 1979; smoothing 2 / (n + 1)",
            [Bars("fast", 12), Bars("slow", 26), Bars("signal", 9)],
            [
                new("line", "fast average - slow average", FeatureUnit.Distance), new("signal", "average of the line", FeatureUnit.Distance),
                new("histogram", "line - signal", FeatureUnit.Distance),
            ],
            true)
        { Create = (instrument, p, source) => new Macd(instrument, (int)p[0], (int)p[1], (int)p[2], source) },
        new("adx", "Average directional index with its directional indicators.", "Wilder 1978",
            [Bars("period", 14)], [Itself("0 to 100"), new("plus_di", "+DI, 0 to 100"), new("minus_di", "-DI, 0 to 100")], false)
        { Create = (_, p, _) => new Adx((int)p[0]) },

        new("rsi", "Relative strength index, 0 to 100; 50 when nothing moved.", "Wilder 1978", [Bars("period", 14)], [Itself("0 to 100")], true)
        { Create = (_, p, source) => new Rsi((int)p[0], source) },
        new("stoch", "Stochastic oscillator; raw value 50 when the range is empty.", "Lane; slow form",
            [Bars("period", 14), Bars("smooth", 3), Bars("d", 3)], [new("k", "%K, 0 to 100"), new("d", "%D, 0 to 100")], false)
        { Create = (_, p, _) => new Stochastic((int)p[0], (int)p[1], (int)p[2]) },
        new("cci", "Commodity channel index.", "Lambert 1980", [Bars("period", 20, maximum: 1000)], [Itself("0.015 scaling")], false)
        { Create = (_, p, _) => new Cci((int)p[0]) },
        new("roc", "Rate of change.", "100 (x - x[n]) / x[n]", [Bars("period", 10)], [Itself("percent")], true)
        { Create = (_, p, source) => new Roc((int)p[0], source) },
        new("momentum", "Difference to n bars ago.", "x - x[n]", [Bars("period", 10)], [Itself("units of price", FeatureUnit.Distance)], true)
        { Create = (instrument, p, source) => new Momentum(instrument, (int)p[0], source) },

        new("atr", "Average true range.", "Wilder 1978", [Bars("period", 14)], [Itself("units of price", FeatureUnit.Distance)], false)
        { Create = (instrument, p, _) => new Atr(instrument, (int)p[0]) },
        new("bollinger", "Bollinger bands, population standard deviation.", "Bollinger 2001",
            [Bars("period", 20, minimum: 2), new("deviations", 2, 0.01, 100, false, "band distance in standard deviations")],
            [
                new("middle", "simple average", FeatureUnit.Price), new("upper", "upper band", FeatureUnit.Price),
                new("lower", "lower band", FeatureUnit.Price),
                new("width", "(upper - lower) / middle"), new("percent_b", "0 at the lower band, 1 at the upper; 0.5 without width"),
            ],
            true)
        { Create = (instrument, p, source) => new Bollinger(instrument, (int)p[0], p[1], source) },
        new("stdev", "Population standard deviation of the price.", "exact sums", [Bars("period", 20, minimum: 2)], [Itself("units of price", FeatureUnit.Distance)], true)
        { Create = (instrument, p, source) => new StandardDeviation(instrument, (int)p[0], source) },
        new("zscore", "Distance from the mean in population standard deviations; 0 when flat.", "exact sums",
            [Bars("period", 20, minimum: 2)], [Itself("standard deviations")], true)
        { Create = (_, p, source) => new ZScore((int)p[0], source) },
        new("rv", "Realised volatility: root of the mean squared log return, no mean subtracted.", "Andersen and Bollerslev 1998",
            [Bars("period", 20), new("periods_per_year", 1, 1, 1e9, false, "bars in a year to annualise; 1 = per bar")],
            [Itself("share of the price")], false)
        { Create = (_, p, _) => new RealisedVolatility((int)p[0], p[1]) },
        new("donchian", "Highest high and lowest low of the last n bars, the newest included.", "Donchian",
            [Bars("period", 20)], [
                new("upper", "highest high", FeatureUnit.Price), new("lower", "lowest low", FeatureUnit.Price),
                new("middle", "their mean", FeatureUnit.Price),
            ], false)
        { Create = (instrument, p, _) => new Donchian(instrument, (int)p[0]) },

        new("obv", "On-balance volume.", "Granville 1963", [], [Itself("volume", FeatureUnit.Volume)], false) { Create = (_, _, _) => new Obv() },
        new("vwap", "Volume-weighted average of the typical price since the trading day turned; NaN without volume.", "session-anchored",
            [], [Itself("units of price", FeatureUnit.Price)], false)
        { Create = (instrument, _, _) => new SessionVwap(instrument) },
        new("rolling_vwap", "Volume-weighted average of the typical price over the last n bars; NaN without volume.", "rolling",
            [Bars("period", 20)], [Itself("units of price", FeatureUnit.Price)], false)
        { Create = (instrument, p, _) => new RollingVwap(instrument, (int)p[0]) },

        new("cross", "+1 where feature a crosses above b, -1 below, else 0; b, or a, may be a number.",
            "the last non-zero a - b has the other sign", [], [Itself("-1, 0, 1")], false)
        { Operands = 2, Derive = (operands, _) => new Cross(operands[0], operands[1]) },
        new("lag", "Feature a as it was some bars ago.", "a[n]", [Bars("bars", 1)], [Itself("as a")], false)
        { Operands = 1, Derive = (operands, p) => new Lagged(operands[0], (int)p[0]) },
        new("highest", "Highest value of feature a in the last n bars, the newest included; NaN while one of them is.", "exact",
            [Bars("period", 20)], [Itself("as a")], false)
        { Operands = 1, Derive = (operands, p) => new Extreme(operands[0], (int)p[0], highest: true) },
        new("lowest", "Lowest value of feature a in the last n bars, the newest included; NaN while one of them is.", "exact",
            [Bars("period", 20)], [Itself("as a")], false)
        { Operands = 1, Derive = (operands, p) => new Extreme(operands[0], (int)p[0], highest: false) },
        Combined("add", 2, "a + b; either may be a number.", static (a, b) => a + b),
        Combined("sub", 2, "a - b; either may be a number.", static (a, b) => a - b),
        Combined("mul", 2, "a b; either may be a number.", static (a, b) => a * b),
        Combined("div", 2, "a / b; either may be a number; NaN where b is 0.", static (a, b) => b == 0 ? double.NaN : a / b),
        Combined("min", 2, "The lesser of a and b; either may be a number.", Math.Min),
        Combined("max", 2, "The greater of a and b; either may be a number.", Math.Max),
        Combined("abs", 1, "a without its sign.", static (a, _) => Math.Abs(a)),
    ];

    private static readonly ImmutableDictionary<string, FeatureDefinition> ByName = All.ToImmutableDictionary(definition => definition.Name);

    /// <summary>The feature of that name, in lower case.</summary>
    public static FeatureDefinition? Find(string name) => ByName.GetValueOrDefault(name);

    private static FeatureDefinition PriceOf(PriceSource source, string description)
    {
        return new FeatureDefinition(FeatureSpec.Name(source), description, "the bar", [], [Itself("units of price", FeatureUnit.Price)], false)
        {
            Create = (instrument, _, _) => new Price(instrument, source),
        };
    }

    private static FeatureDefinition Combined(string name, int operands, string description, Func<double, double, double> combine) =>
        new(name, description, "arithmetic", [], [Itself("as the operands")], false)
        {
            Operands = operands,
            Derive = (given, _) => new Combination(given[0], operands == 1 ? new Operand(0) : given[1], combine),
        };

    private static FeatureOutput Itself(string description, FeatureUnit unit = FeatureUnit.Number) => new("", description, unit);

    private static FeatureParameter Bars(string name, int standard, int minimum = 1, int maximum = Indicator.MaxPeriod) =>
        new(name, standard, minimum, maximum, true, "bars");
}
