namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>A checked expression: types fit, names are resolved, the past is pushed down to the features.</summary>
/// <param name="Constant">Known once the parameters are.</param>
internal abstract record RuleTerm(RuleType Type, bool Constant);

internal sealed record ConstantTerm(RuleType Type, double Value) : RuleTerm(Type, true);

/// <param name="Index">Among the rule's parameters.</param>
internal sealed record ParameterTerm(int Index) : RuleTerm(RuleType.Number, true);

internal sealed record FactTerm(RuleFact Fact, RuleType Type) : RuleTerm(Type, false);

/// <param name="Index">Among the rule's readings.</param>
internal sealed record ReadingTerm(int Index, RuleType Type) : RuleTerm(Type, false);

internal sealed record NegatedTerm(RuleTerm Operand) : RuleTerm(Operand.Type, Operand.Constant);

internal sealed record NotTerm(RuleTerm Operand) : RuleTerm(RuleType.Boolean, Operand.Constant);

internal sealed record OperatorTerm(BinaryOperator Operator, RuleTerm Left, RuleTerm Right, RuleType Type)
    : RuleTerm(Type, Left.Constant && Right.Constant);

internal enum TermFunction { Abs, Min, Max }

internal sealed record FunctionTerm(TermFunction Function, ImmutableArray<RuleTerm> Arguments, RuleType Type)
    : RuleTerm(Type, Arguments.All(argument => argument.Constant));

/// <summary>A feature whose numbers may depend on parameters.</summary>
/// <param name="Parts">Text, and constant expressions between.</param>
internal sealed record FeatureTemplate(ImmutableArray<(string Text, RuleExpression? Constant)> Parts)
{
    /// <summary>As it is written in the rule's own words: equal templates have one.</summary>
    public string Key { get; } = string.Concat(Parts.Select(part => part.Constant is null ? part.Text : $"{{{RuleWriter.Write(part.Constant)}}}"));

    /// <exception cref="RuleConstantException">A number cannot be computed.</exception>
    public string Text(RuleConstants constants) =>
        string.Concat(Parts.Select(part => part.Constant is null ? part.Text : RuleWriter.Number(constants.Number(part.Constant))));
}

/// <summary>A value of a feature that conditions read.</summary>
/// <param name="Feature">Among the rule's features.</param>
/// <param name="Previous">The value one bar ago.</param>
internal readonly record struct FeatureReadingPlace(int Feature, bool Previous);

/// <summary>A rule whose text has been found good: what is compiled.</summary>
internal sealed record RuleModel(
    RuleSyntax Syntax,
    ImmutableArray<ParamStatement> Parameters,
    ImmutableDictionary<string, RuleExpression> Lets,
    ImmutableArray<RequireStatement> Requirements,
    ImmutableArray<FeatureTemplate> Features,
    ImmutableArray<FeatureReadingPlace> Readings,
    ImmutableArray<(EnterStatement Statement, RuleTerm Condition)> Entries,
    ImmutableArray<(ExitStatement Statement, RuleTerm Condition)> Exits,
    RuleTerm? Stop, RuleTerm? Target, RuleTerm? Trail,
    SizeStatement? Size,
    ImmutableArray<SessionStatement> Sessions,
    string Zone,
    bool ReentryAfterExit,
    ImmutableHashSet<RuleFact> Facts);
