using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>What a value of a rule is; only what is alike is compared and added.</summary>
public enum RuleType
{
    /// <summary>
    /// A plain number: an index, a ratio, a count of bars, points of profit. As a constant it stands for a price, distance or volume,
    /// too.
    /// </summary>
    Number,

    /// <summary>A level of price.</summary>
    Price,

    /// <summary>A difference of prices.</summary>
    Distance,

    /// <summary>Traded volume, or ticks.</summary>
    Volume,

    /// <summary>Percent.</summary>
    Share,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A time of day, in minutes.</summary>
    TimeOfDay,

    /// <summary>A length of time, in seconds.</summary>
    Duration,

    /// <summary>A day of the week.</summary>
    Weekday,

    /// <summary>long, short or flat.</summary>
    Stance,
}

/// <summary>What a rule knows of its own position and of the time, besides the features.</summary>
public enum RuleFact
{
    Position, BarsInTrade, TimeInTrade, EntryPrice, Profit, Time, Hour, Minute, Weekday,

    // Not named by rules: what their statements are compiled to.
    InSession, Close, PointSize, TickSize,
}

/// <summary>A fact, function or constant word, as it is documented.</summary>
public sealed record RuleWord(string Name, string Usage, RuleType Type, string Description);

/// <summary>The words of the language.</summary>
public static class RuleVocabulary
{
    public static readonly ImmutableArray<(RuleFact Fact, RuleWord Word)> Facts =
    [
        (RuleFact.Position, new("position", "position", RuleType.Stance, "where the rule stands: long, short or flat")),
        (RuleFact.BarsInTrade, new("bars_in_trade", "bars_in_trade", RuleType.Number,
            "bars closed since the bar at whose close it entered; 0 when flat")),
        (RuleFact.TimeInTrade, new("time_in_trade", "time_in_trade", RuleType.Duration, "time since that close; 0 when flat")),
        (RuleFact.EntryPrice, new("entry_price", "entry_price", RuleType.Price, "that close (bid); not ready when flat")),
        (RuleFact.Profit, new("profit", "profit", RuleType.Number, "points from that close to this one, in the position's favour; 0 when flat")),
        (RuleFact.Time, new("time", "time", RuleType.TimeOfDay, "time of day of the bar's close")),
        (RuleFact.Hour, new("hour", "hour", RuleType.Number, "its hour, 0 to 23")),
        (RuleFact.Minute, new("minute", "minute", RuleType.Number, "its minute, 0 to 59")),
        (RuleFact.Weekday, new("weekday", "weekday", RuleType.Weekday, "its day, monday to sunday, in this order")),
    ];

    public static readonly ImmutableArray<RuleWord> Functions =
    [
        new("crosses_above", "crosses_above(a, b)", RuleType.Boolean, "a comes to lie above b at this close; touching is not crossing"),
        new("crosses_below", "crosses_below(a, b)", RuleType.Boolean, "a comes to lie below b at this close"),
        new("highest", "highest(x, bars)", RuleType.Number, "highest x of the last bars, this one included; of the type of x"),
        new("lowest", "lowest(x, bars)", RuleType.Number, "lowest x of the last bars, this one included; of the type of x"),
        new("rising", "rising(x, bars)", RuleType.Boolean, "x is above each of its values of so many bars before (1 when left out)"),
        new("falling", "falling(x, bars)", RuleType.Boolean, "x is below each of its values of so many bars before (1 when left out)"),
        new("abs", "abs(x)", RuleType.Number, "x without its sign; of the type of x"),
        new("min", "min(a, b)", RuleType.Number, "the lesser; of the type of both"),
        new("max", "max(a, b)", RuleType.Number, "the greater; of the type of both"),
    ];

    /// <summary>Words that are values by themselves.</summary>
    public static readonly ImmutableArray<(string Name, RuleType Type, double Value)> Constants =
    [
        ("long", RuleType.Stance, 1), ("short", RuleType.Stance, -1), ("flat", RuleType.Stance, 0),
        ("monday", RuleType.Weekday, 1), ("tuesday", RuleType.Weekday, 2), ("wednesday", RuleType.Weekday, 3), ("thursday", RuleType.Weekday, 4),
        ("friday", RuleType.Weekday, 5), ("saturday", RuleType.Weekday, 6), ("sunday", RuleType.Weekday, 7),
    ];

    /// <summary>Words that are no values.</summary>
    public static readonly ImmutableHashSet<string> Reserved =
    [
        "param", "let", "require", "enter", "exit", "stop", "target", "trail", "reentry", "size", "session", "timezone",
        "when", "and", "or", "not", "points", "ticks",
    ];

    /// <summary>The features that a rule can name: those of the bars themselves; functions and <c>x[n]</c> make the others.</summary>
    public static IEnumerable<FeatureDefinition> Features => FeatureCatalog.All.Where(feature => feature.Operands == 0);

    /// <summary>Everything that can stand for a value, parameters and lets apart; features with each of their outputs.</summary>
    public static IEnumerable<string> Values =>
        Facts.Select(fact => fact.Word.Name).Concat(Functions.Select(function => function.Name)).Concat(Constants.Select(constant => constant.Name))
            .Concat(Features.SelectMany(feature => feature.Outputs
                .Select(output => output.Name.Length == 0 ? feature.Name : $"{feature.Name}.{output.Name}")
                .Prepend(feature.Name)).Distinct());

    /// <summary>A name that parameters and lets cannot have.</summary>
    public static bool IsTaken(string name) =>
        Reserved.Contains(name) || name is "units" || PriceSources.Contains(name) || Values.Contains(name)
        || FeatureCatalog.Find(name) is not null;

    internal static readonly ImmutableArray<string> PriceSources = [.. Enum.GetValues<PriceSource>().Select(FeatureSpec.Name)];
}
