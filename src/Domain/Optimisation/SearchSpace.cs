using System.Globalization;
using HybridTrading.Domain.Markets.Simulation;
using HybridTrading.Domain.Strategies;

namespace HybridTrading.Domain.Optimisation;

/// <summary>One parameter that is varied, and the values that it takes, in the order given.</summary>
public sealed record SearchDimension(string Name, ImmutableArray<decimal> Values)
{
    public const int MostValues = 100_000;

    /// <summary>
    /// Reads <c>fast=5..50</c> (whole numbers, or the parameter's own step), <c>width=1..3/0.5</c>, <c>slow=20,50,100</c>, or <c>fast</c> alone: all that the
    /// parameter says of itself, which needs a step.
    /// </summary>
    /// <exception cref="ArgumentException">Names the dimension, what is wrong and what was expected.</exception>
    public static SearchDimension Parse(string text, StrategyDefinition definition)
    {
        int equals = text.IndexOf('=');
        string name = equals < 0 ? text : text[..equals];
        ParameterDefinition parameter = definition.AllParameters.FirstOrDefault(each => each.Name == name)
            ?? throw new ArgumentException($"strategy {definition.Name} has no parameter '{name}'{NearestName.Suggestion(name, definition.AllParameters.Select(each => each.Name))}");
        ImmutableArray<decimal> values = equals < 0 ? Steps(text, parameter, parameter.Minimum, parameter.Maximum, parameter.Step) : Read(text, text[(equals + 1)..], parameter);
        foreach (decimal value in values)
        {
            if (value < parameter.Minimum || value > parameter.Maximum || (parameter.Whole && value != decimal.Truncate(value)))
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"'{text}': {name} is {value}; expected {(parameter.Whole ? "a whole number" : "a number")} from {parameter.Minimum} to {parameter.Maximum}"));
            }
        }
        return values.Distinct().Count() == values.Length ? new SearchDimension(name, values) : throw new ArgumentException($"'{text}': a value stands there twice");
    }

    private static ImmutableArray<decimal> Read(string text, string values, ParameterDefinition parameter)
    {
        int dots = values.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0) return [.. values.Split(',').Select(each => Number(text, each))];
        int slash = values.IndexOf('/');
        decimal? step = slash < 0 ? parameter.Step ?? (parameter.Whole ? 1 : null) : Number(text, values[(slash + 1)..]);
        return Steps(text, parameter, Number(text, values[..dots]), Number(text, slash < 0 ? values[(dots + 2)..] : values[(dots + 2)..slash]), step);
    }

    private static ImmutableArray<decimal> Steps(string text, ParameterDefinition parameter, decimal from, decimal to, decimal? step)
    {
        if (step is not { } by) throw new ArgumentException($"'{text}': how far apart the values are is not known; expected for example {parameter.Name}=FROM..TO/STEP");
        if (by <= 0) throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"'{text}': the step is {by}; expected more than 0"));
        if (from > to) throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"'{text}': {from} is more than {to}"));
        if ((to - from) / by >= MostValues) throw new ArgumentException($"'{text}': more than {MostValues} values");
        return [.. Enumerable.Range(0, (int)((to - from) / by) + 1).Select(i => from + i * by)];
    }

    private static decimal Number(string text, string number) =>
        decimal.TryParse(number, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal value) && Math.Abs(value) <= 1_000_000_000_000m ? value
        : throw new ArgumentException($"'{text}': '{number}' is no number; expected for example fast=5..50/5, fast=5,10,20 or fast");
}

/// <summary>The settings of one strategy that a search may try: the dimensions in their order, all else fixed.</summary>
public sealed class SearchSpace
{
    public const int MostTrials = 1_000_000;
    private readonly StrategyDefinition _definition;
    private readonly ImmutableSortedDictionary<string, decimal> _fixed;

    /// <param name="given">Values of what is not varied; the rest has its defaults.</param>
    /// <exception cref="ArgumentException">No dimension, one twice, or one that is given a value, too.</exception>
    public SearchSpace(StrategyDefinition definition, ImmutableArray<SearchDimension> dimensions, IEnumerable<KeyValuePair<string, decimal>> given)
    {
        _definition = definition;
        _fixed = given.ToImmutableSortedDictionary(StringComparer.Ordinal);
        Dimensions = dimensions;
        if (dimensions.IsEmpty) throw new ArgumentException("nothing is varied; name at least one parameter, for example fast=5..50/5");
        foreach (IGrouping<string, SearchDimension> same in dimensions.GroupBy(dimension => dimension.Name))
        {
            if (same.Count() > 1) throw new ArgumentException($"{same.Key} is varied twice");
            if (_fixed.ContainsKey(same.Key)) throw new ArgumentException($"{same.Key} is set and varied");
        }
    }

    public ImmutableArray<SearchDimension> Dimensions { get; }

    /// <summary>Combinations, also those that do not go together.</summary>
    public decimal Combinations => Dimensions.Aggregate(1m, (product, dimension) => Math.Min(1e20m, product * dimension.Values.Length));

    /// <summary>Every combination that goes together; the last dimension changes fastest.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MostTrials"/>, or none.</exception>
    public ImmutableArray<StrategyParameters> Grid()
    {
        if (Combinations > MostTrials) throw new ArgumentException($"the grid has {Combinations:N0} combinations; at most {MostTrials:N0}, or a random search");
        ImmutableArray<StrategyParameters>.Builder trials = ImmutableArray.CreateBuilder<StrategyParameters>();
        int[] at = new int[Dimensions.Length];
        while (true)
        {
            if (At(at) is { } parameters) trials.Add(parameters);
            int dimension = at.Length - 1;
            while (dimension >= 0 && ++at[dimension] == Dimensions[dimension].Values.Length) at[dimension--] = 0;
            if (dimension < 0) break;
        }
        return trials.Count > 0 ? trials.ToImmutable() : throw new ArgumentException("no combination goes together; the parameters' conditions exclude all");
    }

    /// <summary>Different combinations drawn uniformly, in the order drawn: the same of the same seed everywhere. Fewer where there are no more to be found.</summary>
    public ImmutableArray<StrategyParameters> Random(int count, ulong seed)
    {
        if (count is < 1 or > MostTrials) throw new ArgumentException($"the random search is of {count} trials; expected 1 to {MostTrials}");
        if (Combinations <= count) return Grid();
        var random = new SplitMix64(seed);
        var seen = new HashSet<StrategyParameters>();
        ImmutableArray<StrategyParameters>.Builder trials = ImmutableArray.CreateBuilder<StrategyParameters>();
        int[] at = new int[Dimensions.Length];
        // What is seldom found at random is not worth more draws than this.
        for (long draws = 0; trials.Count < count && draws < 1000L * count; draws++)
        {
            for (int i = 0; i < at.Length; i++) at[i] = (int)(random.NextUniform() * Dimensions[i].Values.Length);
            if (At(at) is { } parameters && seen.Add(parameters)) trials.Add(parameters);
        }
        return trials.Count > 0 ? trials.ToImmutable() : throw new ArgumentException("no combination goes together; the parameters' conditions exclude all");
    }

    private StrategyParameters? At(int[] at) =>
        _definition.BindIfTogether(_fixed.Concat(Dimensions.Select((dimension, i) => KeyValuePair.Create(dimension.Name, dimension.Values[at[i]]))));
}
