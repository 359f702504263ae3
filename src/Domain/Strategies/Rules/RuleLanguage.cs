using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>What a text came to.</summary>
/// <param name="Diagnostics">What is wrong, by place; empty for a rule that can be traded.</param>
/// <param name="Rule">Null when something is wrong.</param>
public sealed record RuleCheck(ImmutableArray<RuleDiagnostic> Diagnostics, RuleSummary? Rule);

/// <summary>A rule that can be traded.</summary>
/// <param name="Text">In its canonical form.</param>
/// <param name="Features">What it reads, its parameters at their defaults.</param>
/// <param name="WarmUp">Bars until all of them are ready.</param>
/// <param name="Size">How its size is said: <c>size risk 1%</c>; null where it takes its units.</param>
public sealed record RuleSummary(
    string Text, RuleSyntax Syntax, StrategyDefinition Definition, ImmutableArray<FeatureSpec> Features, int WarmUp, string? Size);

/// <summary>
/// The rule language: strategies without code. Text becomes a tree, the tree is checked, a good one is compiled; docs/rules.md has grammar
/// and meaning.
/// A rule sees only what a strategy is shown, and reading, checking and evaluating one are bounded by <see cref="RuleLimits"/>.
/// </summary>
public static class RuleLanguage
{
    /// <summary>The name that rules go by among strategy definitions.</summary>
    public const string DefinitionName = "rule";

    private const int CacheSize = 512;

    // What a text means does not change: a rule is compiled once a process, however many grains and runs ask.
    private static readonly Dictionary<string, LinkedListNode<(string Text, StrategyDefinition Definition)>> Cached = new(StringComparer.Ordinal);
    private static readonly LinkedList<(string Text, StrategyDefinition Definition)> Recent = new();
    private static readonly Lock Caching = new();

    /// <summary>Reads and checks a text; throws for none.</summary>
    public static RuleCheck Check(string text)
    {
        List<RuleDiagnostic> faults = [];
        HashSet<string> broken = [];
        RuleSyntax syntax = RuleParser.Parse(text, faults, broken);
        RuleModel? model = RuleChecker.Check(syntax, faults, broken);
        if (model is null)
        {
            return new RuleCheck([.. faults.OrderBy(fault => fault.Line).ThenBy(fault => fault.Column).Take(RuleLimits.Diagnostics)], null);
        }
        string canonical = RuleWriter.Write(syntax);
        // What is only looked at is neither compiled nor kept.
        StrategyDefinition definition = Remembered(canonical) ?? Define(model, canonical);
        RuleConstants standards = Constants(model, definition.Bind([]));
        ImmutableArray<FeatureSpec> features = [.. model.Features.Select(feature => FeatureSpec.Parse(feature.Text(standards))).Distinct()];
        int warmUp = new FeatureSet(InstrumentCatalog.Get("EURUSD"), TimeFrame.H1, features).WarmUp;
        return new RuleCheck([], new RuleSummary(canonical, syntax, definition, features, warmUp,
            model.Size is null ? null : RuleWriter.Write(model.Size)));
    }

    /// <summary>The strategy definition that a text is. Equal rules have one, compiled once.</summary>
    /// <exception cref="RuleException">The text has errors.</exception>
    public static StrategyDefinition Define(string text)
    {
        if (Remembered(text) is { } known) return known;
        RuleCheck check = Check(text);
        return check.Rule is { } rule ? Remember(rule.Text, rule.Definition) : throw new RuleException(check.Diagnostics);
    }

    private static StrategyDefinition Define(RuleModel model, string text)
    {
        var compiled = new Lazy<CompiledRule>(() => RuleCompiler.Compile(model));
        ImmutableArray<string> why =
        [
            .. model.Entries.Select(entry => Sentence(entry.Statement)), .. model.Exits.Select(exit => Sentence(exit.Statement)),
        ];
        ImmutableArray<ParameterDefinition> parameters =
        [
            .. model.Parameters.Select(param => new ParameterDefinition(param.Name, "parameter of the rule", param.Default, param.From, param.To,
                RuleChecker.IsWhole(param), param.Step)),
        ];
        return new StrategyDefinition(DefinitionName, "Rule", text, parameters,
            given => Fault(model, given), given => new RuleStrategy(model, compiled.Value, why, given))
        { Rule = text, SizesItself = model.Size is not null };
    }

    /// <summary>What is wrong with parameters that are each in range; null when nothing is.</summary>
    private static string? Fault(RuleModel model, StrategyParameters given)
    {
        RuleConstants constants = Constants(model, given);
        try
        {
            foreach (RequireStatement require in model.Requirements)
            {
                if (!constants.Holds(require.Condition)) return $"parameters do not meet '{RuleWriter.Write(require)}'";
            }
            if (model.Size is { } size && RuleChecker.SizeFault(size, constants.Number(size.Value)) is { } fault) return fault;
        }
        catch (RuleConstantException e)
        {
            return e.Message;
        }
        return model.Features.Select(feature => RuleChecker.TemplateFault(feature, constants)).FirstOrDefault(wrong => wrong is not null);
    }

    private static RuleConstants Constants(RuleModel model, StrategyParameters given) =>
        new(model.Lets, name => given.Values.TryGetValue(name, out decimal value) ? value : null);

    private static string Sentence(RuleStatement statement)
    {
        const int longest = 200;
        string text = RuleWriter.Write(statement);
        return text.Length > longest ? text[..longest] + "..." : text;
    }

    private static StrategyDefinition? Remembered(string text)
    {
        lock (Caching)
        {
            if (!Cached.TryGetValue(text, out LinkedListNode<(string Text, StrategyDefinition Definition)>? node)) return null;
            Recent.Remove(node);
            Recent.AddFirst(node);
            return node.Value.Definition;
        }
    }

    /// <summary>The definition to go on with: the first that was made, if another was meanwhile.</summary>
    private static StrategyDefinition Remember(string text, StrategyDefinition definition)
    {
        lock (Caching)
        {
            if (Cached.TryGetValue(text, out LinkedListNode<(string Text, StrategyDefinition Definition)>? known)) return known.Value.Definition;
            Cached.Add(text, Recent.AddFirst((text, definition)));
            if (Cached.Count > CacheSize)
            {
                Cached.Remove(Recent.Last!.Value.Text);
                Recent.RemoveLast();
            }
            return definition;
        }
    }
}
