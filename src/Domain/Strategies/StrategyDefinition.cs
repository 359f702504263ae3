using System.Globalization;
using HybridTrading.Domain.Strategies.Rules;

namespace HybridTrading.Domain.Strategies;

/// <summary>One parameter of a strategy.</summary>
/// <param name="Whole">Only whole numbers.</param>
/// <param name="Step">How far apart the values are that are worth trying; null where nothing was said.</param>
public sealed record ParameterDefinition(
    string Name, string Description, decimal Default, decimal Minimum, decimal Maximum, bool Whole, decimal? Step = null);

/// <summary>The parameters of one strategy instance, checked against its definition; equal values are equal.</summary>
public sealed class StrategyParameters : IEquatable<StrategyParameters>
{
    internal StrategyParameters(ImmutableSortedDictionary<string, decimal> values) => Values = values;

    public ImmutableSortedDictionary<string, decimal> Values { get; }

    public decimal this[string name] => Values[name];

    public int Whole(string name) => (int)Values[name];

    /// <summary>The same with another value: not checked, to compare with such as are.</summary>
    internal StrategyParameters With(string name, decimal value) => new(Values.SetItem(name, value));

    public bool Equals(StrategyParameters? other) => other is not null && Values.SequenceEqual(other.Values);

    public override bool Equals(object? obj) => Equals(obj as StrategyParameters);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>Canonical text, for example <c>fast=20;slow=50;units=10000</c>.</summary>
    public override string ToString() =>
        string.Join(';', Values.Select(pair => $"{pair.Key}={(pair.Value / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture)}"));
}

/// <summary>A kind of strategy that can be started: its name, parameters and how to make one.</summary>
/// <param name="Check">The fault of parameters that are each in range but not together; null when all is well.</param>
public sealed record StrategyDefinition(
    string Name, string Title, string Description, ImmutableArray<ParameterDefinition> Parameters,
    Func<StrategyParameters, string?> Check, Func<StrategyParameters, Strategy> Create)
{
    /// <summary>The size every strategy has: units of the base that it trades unless the account says otherwise.</summary>
    public static readonly ParameterDefinition Units = new("units", "units of the base that the strategy trades", 10_000m, 0.00000001m, 1_000_000_000m, false);

    /// <summary>The rule that it was made of, in canonical text; null for one of the catalogue.</summary>
    public string? Rule { get; init; }

    /// <summary>Its intents say their size, so it has no <see cref="Units"/>.</summary>
    public bool SizesItself { get; init; }

    public IEnumerable<ParameterDefinition> AllParameters => SizesItself ? Parameters : Parameters.Append(Units);

    /// <summary>The strategy's own size in units, as its parameters have it; 0 where its intents say it.</summary>
    public static decimal UnitsOf(IReadOnlyDictionary<string, decimal> parameters, string? rule) =>
        parameters.TryGetValue(Units.Name, out decimal units) ? units : rule is null ? Units.Default : 0;

    /// <summary>The strategy of these values (see <see cref="Bind"/>).</summary>
    /// <exception cref="ArgumentException">As <see cref="Bind"/>.</exception>
    public Strategy Make(IEnumerable<KeyValuePair<string, decimal>> given) => Create(Bind(given));

    /// <summary>Checks values given by name and fills in the defaults.</summary>
    /// <exception cref="ArgumentException">Names parameter, value and expectation.</exception>
    public StrategyParameters Bind(IEnumerable<KeyValuePair<string, decimal>> given)
    {
        StrategyParameters parameters = BindEach(given);
        return Check(parameters) is { } fault ? throw new ArgumentException($"strategy {Name}: {fault}") : parameters;
    }

    /// <summary>As <see cref="Bind"/>, but values that are each in range and do not go together are no error.</summary>
    /// <returns>Null where they do not go together.</returns>
    /// <exception cref="ArgumentException">Names parameter, value and expectation.</exception>
    public StrategyParameters? BindIfTogether(IEnumerable<KeyValuePair<string, decimal>> given) =>
        BindEach(given) is var parameters && Check(parameters) is null ? parameters : null;

    private StrategyParameters BindEach(IEnumerable<KeyValuePair<string, decimal>> given)
    {
        Dictionary<string, decimal> values = AllParameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Default);
        foreach ((string name, decimal value) in given)
        {
            ParameterDefinition? parameter = AllParameters.FirstOrDefault(parameter => parameter.Name == name);
            if (parameter is null)
            {
                throw new ArgumentException($"strategy {Name} has no parameter '{name}'{NearestName.Suggestion(name, values.Keys)}");
            }
            if (value < parameter.Minimum || value > parameter.Maximum || (parameter.Whole && value != decimal.Truncate(value)))
            {
                string kind = parameter.Whole ? "a whole number" : "a number";
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"strategy {Name}: {name} is {value}; expected {kind} from {parameter.Minimum} to {parameter.Maximum}"));
            }
            values[name] = value;
        }
        return new StrategyParameters(values.ToImmutableSortedDictionary(StringComparer.Ordinal));
    }
}

/// <summary>The strategies that this program knows by name.</summary>
public static class StrategyCatalog
{
    public static readonly ImmutableArray<StrategyDefinition> All =
    [
        SmaCross.Definition,
        RsiReversion.Definition,
        DonchianBreakout.Definition,
        BollingerReversion.Definition,
    ];

    /// <summary>The definition of that name, or the one that a rule is.</summary>
    /// <param name="rule">Text of a rule, whose definition is called <see cref="RuleLanguage.DefinitionName"/>; null for one of the catalogue.</param>
    /// <exception cref="ArgumentException">Unknown name, or a rule with errors (<see cref="RuleException"/>).</exception>
    public static StrategyDefinition Find(string name, string? rule) => rule is null ? Find(name)
        : name == RuleLanguage.DefinitionName ? RuleLanguage.Define(rule)
        : throw new ArgumentException($"strategy is '{name}' with a rule; expected {RuleLanguage.DefinitionName}");

    /// <exception cref="ArgumentException">Unknown name; the message has the nearest one.</exception>
    public static StrategyDefinition Find(string name) =>
        All.FirstOrDefault(definition => definition.Name == name)
        ?? throw new ArgumentException($"strategy is '{name}'; expected {string.Join(", ", All.Select(definition => definition.Name))}");
}
