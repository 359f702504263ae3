using HybridTrading.Domain.Features;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// Gives every name its meaning and every expression its type, and turns what looks back into features: <c>x[n]</c>, crosses and extremes become
/// features of features, which are computed once a bar for everybody, warmed up from history and kept over a restart as all others.
/// </summary>
internal sealed class RuleChecker
{
    private readonly List<RuleDiagnostic> _faults;
    private readonly List<ParamStatement> _parameters = [];
    private readonly Dictionary<string, RuleExpression> _lets = [];
    private readonly HashSet<string> _broken;
    private readonly List<FeatureTemplate> _features = [];
    private readonly Dictionary<string, int> _featureByKey = [];
    private readonly List<FeatureReadingPlace> _readings = [];
    private readonly HashSet<RuleFact> _facts = [];
    private RuleConstants _standards;
    private int _terms;

    // While only types are asked for nothing becomes a reading.
    private int _asking;

    private RuleChecker(List<RuleDiagnostic> faults, HashSet<string> broken)
    {
        (_faults, _broken) = (faults, broken);
        _standards = Standards();
    }

    /// <summary>The rule ready to be compiled; null when there are faults.</summary>
    /// <param name="broken">Names whose statements could not be read.</param>
    public static RuleModel? Check(RuleSyntax syntax, List<RuleDiagnostic> faults, HashSet<string> broken) =>
        new RuleChecker(faults, broken).Check(syntax);

    private RuleModel? Check(RuleSyntax syntax)
    {
        List<RequireStatement> requirements = [];
        List<(EnterStatement, RuleTerm)> entries = [];
        List<(ExitStatement, RuleTerm)> exits = [];
        List<SessionStatement> sessions = [];
        RuleTerm?[] protections = new RuleTerm?[3];
        SizeStatement? size = null;
        TimeZoneStatement? zone = null;
        ReentryStatement? reentry = null;
        foreach (RuleStatement statement in syntax.Statements)
        {
            if (_faults.Count >= RuleLimits.Diagnostics) break;
            Guarded(() =>
            {
                switch (statement)
                {
                    case ParamStatement param:
                        AddParameter(param);
                        break;
                    case LetStatement let:
                        AddLet(let);
                        break;
                    case RequireStatement require:
                        AddRequirement(require);
                        requirements.Add(require);
                        break;
                    case EnterStatement enter:
                        entries.Add((enter, Condition(enter.Condition)));
                        break;
                    case ExitStatement exit:
                        exits.Add((exit, Condition(exit.Condition)));
                        break;
                    case ProtectionStatement protection:
                        ref RuleTerm? slot = ref protections[(int)protection.Kind];
                        if (slot is not null) throw Second(statement, Lower(protection.Kind));
                        slot = Distance(protection);
                        break;
                    case SizeStatement sized:
                        if (size is not null) throw Second(statement, "size");
                        size = sized;
                        CheckSize(sized);
                        break;
                    case SessionStatement session:
                        sessions.Add(session);
                        break;
                    case TimeZoneStatement named:
                        if (zone is not null) throw Second(statement, "timezone");
                        zone = named;
                        break;
                    case ReentryStatement again:
                        if (reentry is not null) throw Second(statement, "reentry");
                        reentry = again;
                        break;
                }
            });
        }
        if (_faults.Count == 0) Guarded(() => CheckWhole(syntax, protections, size, reentry));
        if (_faults.Count == 0) CheckStandards(requirements);
        if (_faults.Count > 0) return null;
        if (sessions.Count > 0) _facts.Add(RuleFact.InSession);
        return new RuleModel(syntax, [.. _parameters], _lets.ToImmutableDictionary(), [.. requirements], [.. _features], [.. _readings],
            [.. entries], [.. exits], protections[0], protections[1], protections[2], size, [.. sessions], zone?.Zone ?? "UTC",
            reentry is not null, [.. _facts]);
    }

    private void Guarded(Action check)
    {
        _asking = 0;
        try
        {
            check();
        }
        catch (RuleFault fault)
        {
            _faults.Add(fault.Diagnostic);
        }
        catch (BrokenName)
        {
            // What it names has been reported.
        }
    }

    private void AddParameter(ParamStatement param)
    {
        _broken.Add(param.Name);
        if (_parameters.Any(known => known.Name == param.Name) || _lets.ContainsKey(param.Name))
        {
            throw Fault(param.At, $"'{param.Name}' is there already");
        }
        if (_parameters.Count == RuleLimits.Parameters) throw Fault(param.At, $"the rule has more than {RuleLimits.Parameters} parameters");
        if (param.From > param.To) throw Fault(param.At, $"{param.Name} goes from {Text(param.From)} to {Text(param.To)}; expected the lesser first");
        if (param.Default < param.From || param.Default > param.To)
        {
            throw Fault(param.At, $"{param.Name} is {Text(param.Default)}; expected {Text(param.From)} to {Text(param.To)}, as it says itself");
        }
        if (param.Step is <= 0) throw Fault(param.At, $"the step of {param.Name} is {Text(param.Step.Value)}; expected more than 0");
        _parameters.Add(param);
        _broken.Remove(param.Name);
        _standards = Standards();
    }

    private void AddLet(LetStatement let)
    {
        if (_parameters.Any(known => known.Name == let.Name) || _lets.ContainsKey(let.Name)) throw Fault(let.At, $"'{let.Name}' is there already");
        _broken.Add(let.Name);
        _asking++;
        Bind(let.Value, [], 1);
        _lets.Add(let.Name, let.Value);
        _broken.Remove(let.Name);
        _standards = Standards();
    }

    private void AddRequirement(RequireStatement require)
    {
        RuleTerm term = Bind(require.Condition, [], 1);
        if (term.Type != RuleType.Boolean || !term.Constant)
        {
            throw Fault(require.Condition.At, "a requirement compares parameters and numbers, for example 'require fast < slow'");
        }
    }

    private RuleTerm Condition(RuleExpression expression)
    {
        RuleTerm term = Bind(expression, [], 1);
        return term.Type == RuleType.Boolean
            ? term
            : throw Fault(expression.At, $"a condition is true or false; found {Article(term.Type)}, compare it with something");
    }

    /// <summary>What a stop, target or trail comes to in units of price.</summary>
    private RuleTerm Distance(ProtectionStatement protection)
    {
        RuleTerm term = Bind(protection.Distance, [], 1);
        if (term.Type == RuleType.Share)
        {
            _facts.Add(RuleFact.Close);
            var share = new OperatorTerm(BinaryOperator.Divide, term, new ConstantTerm(RuleType.Number, 100), RuleType.Number);
            return new OperatorTerm(BinaryOperator.Multiply, new FactTerm(RuleFact.Close, RuleType.Price), share, RuleType.Distance);
        }
        return term.Type == RuleType.Distance || (term.Type == RuleType.Number && term.Constant)
            ? term
            : throw Fault(protection.Distance.At,
                $"a {Lower(protection.Kind)} is a distance such as atr(14) * 2, 1.5% or 200 points; found {Article(term.Type)}");
    }

    private void CheckSize(SizeStatement size)
    {
        RuleTerm term = Bind(size.Value, [], 1);
        bool share = size.Basis is SizeBasis.Risk or SizeBasis.Equity;
        string word = Lower(size.Basis);
        if (!term.Constant || term.Type != (share ? RuleType.Share : RuleType.Number))
        {
            throw Fault(size.Value.At, share
                ? $"size {word} is a percentage of the equity such as 1%, of numbers and parameters; found {Article(term.Type)}"
                : $"size {word} is a number such as {(size.Basis == SizeBasis.Lots ? "0.1" : "10000")}, or a parameter; found {Article(term.Type)}");
        }
        if (SizeFault(size, Constant(size.Value)) is { } fault) throw Fault(size.Value.At, fault);
    }

    public static string? SizeFault(SizeStatement size, decimal value)
    {
        decimal most = size.Basis switch { SizeBasis.Risk => 100m, SizeBasis.Equity => 100_000m, SizeBasis.Lots => 1_000_000m, _ => 1_000_000_000m };
        return value > 0 && value <= most ? null
            : $"size {Lower(size.Basis)} is {Text(value)}; expected more than 0, at most {Text(most)}";
    }

    /// <summary>What no statement shows by itself.</summary>
    private static void CheckWhole(RuleSyntax syntax, RuleTerm?[] protections, SizeStatement? size, ReentryStatement? reentry)
    {
        EnterStatement[] entries = [.. syntax.Statements.OfType<EnterStatement>()];
        if (entries.Length == 0)
        {
            throw Fault(new SourcePlace(1, 1, 1), "nothing is entered; expected a statement 'enter long when ...' or 'enter short when ...'");
        }
        if (size is { Basis: SizeBasis.Risk } && protections[(int)ProtectionKind.Stop] is null && protections[(int)ProtectionKind.Trail] is null)
        {
            throw Fault(size.At, "size risk needs a stop or a trail: the risk is what is lost there");
        }
        RuleStatement? held = syntax.Statements.FirstOrDefault(statement =>
            statement is ProtectionStatement { Kind: ProtectionKind.Trail }) ?? reentry;
        if (held is null) return;
        foreach (EnterStatement entry in entries)
        {
            bool left = syntax.Statements.Any(statement =>
                (statement is ExitStatement exit && (exit.Direction ?? entry.Direction) == entry.Direction)
                || (statement is EnterStatement other && other.Direction != entry.Direction));
            if (left) continue;
            throw Fault(held.At, held is ReentryStatement
                ? $"reentry after exit, but nothing ever exits {Lower(entry.Direction)}; add 'exit when ...'"
                : $"when a trailing stop was hit a rule cannot see; add 'exit when ...' after which it may enter {Lower(entry.Direction)} again");
        }
    }

    /// <summary>What the parameters' own defaults come to.</summary>
    private void CheckStandards(List<RequireStatement> requirements)
    {
        foreach (RequireStatement require in requirements)
        {
            Guarded(() =>
            {
                if (!Constant(require.Condition, _standards.Holds)) throw Fault(require.At, "the parameters' defaults do not meet it");
            });
        }
    }

    private RuleTerm Bind(RuleExpression expression, ImmutableArray<RuleExpression> lag, int depth)
    {
        if (depth > RuleLimits.Depth) throw Fault(expression.At, $"with its lets written out it is nested more than {RuleLimits.Depth} deep");
        if (++_terms > RuleLimits.Nodes)
        {
            throw Fault(expression.At, $"with its lets written out the rule has more than {RuleLimits.Nodes} values and operators");
        }
        switch (expression)
        {
            case NumberExpression number:
                return new ConstantTerm(RuleType.Number, (double)number.Value);
            case TimeExpression time:
                return new ConstantTerm(RuleType.TimeOfDay, time.Minute);
            case DurationExpression duration:
                return new ConstantTerm(RuleType.Duration, duration.Seconds);
            case NameExpression name:
                return Named(name, lag, depth);
            case CallExpression call:
                return Called(call, lag, depth);
            case PastExpression past:
                return Past(past, lag, depth);
            case QuantityExpression quantity:
                return Quantity(quantity, lag, depth);
            case UnaryExpression { Operator: UnaryOperator.Not } not:
                RuleTerm condition = Bind(not.Operand, lag, depth + 1);
                return condition.Type == RuleType.Boolean ? new NotTerm(condition)
                    : throw Fault(not.Operand.At, $"'not' turns a condition round; found {Article(condition.Type)}");
            case UnaryExpression negation:
                RuleTerm operand = Bind(negation.Operand, lag, depth + 1);
                return operand.Type is RuleType.Number or RuleType.Distance or RuleType.Volume or RuleType.Share or RuleType.Duration
                    ? new NegatedTerm(operand)
                    : throw Fault(negation.At, $"{Article(operand.Type)} has no negative");
            case BinaryExpression binary:
                return Operated(binary, Bind(binary.Left, lag, depth + 1), Bind(binary.Right, lag, depth + 1));
            default:
                throw new InvalidOperationException($"unknown expression {expression.GetType().Name}");
        }
    }

    private RuleTerm Named(NameExpression name, ImmutableArray<RuleExpression> lag, int depth)
    {
        if (_broken.Contains(name.Name)) throw new BrokenName();
        int parameter = _parameters.FindIndex(known => known.Name == name.Name);
        if (parameter >= 0) return new ParameterTerm(parameter);
        if (_lets.TryGetValue(name.Name, out RuleExpression? let)) return Bind(let, lag, depth + 1);
        foreach ((string word, RuleType type, double value) in RuleVocabulary.Constants)
        {
            if (word == name.Name) return new ConstantTerm(type, value);
        }
        foreach ((RuleFact fact, RuleWord word) in RuleVocabulary.Facts)
        {
            if (word.Name != name.Name) continue;
            if (lag.Length > 0) throw Fault(name.At, $"{name.Name} has no past; only features of the market have");
            if (_asking == 0) _facts.Add(fact);
            return new FactTerm(fact, word.Type);
        }
        return Feature(name.Name, [], name.At, lag);
    }

    private RuleTerm Called(CallExpression call, ImmutableArray<RuleExpression> lag, int depth)
    {
        switch (call.Name)
        {
            case "crosses_above" or "crosses_below":
                {
                    Arity(call, 2);
                    (RuleTerm a, RuleTerm b) = (Ask(call.Arguments[0], depth), Ask(call.Arguments[1], depth));
                    Alike(a, b, call.At, "cross");
                    if (a.Constant && b.Constant) throw Fault(call.At, $"{call.Name} of two constants; expected a feature");
                    RuleTerm cross = Reading(Derived("cross", [call.Arguments[0], call.Arguments[1]], [], depth), RuleType.Number, lag, call.At);
                    BinaryOperator sign = call.Name == "crosses_above" ? BinaryOperator.Greater : BinaryOperator.Less;
                    return new OperatorTerm(sign, cross, new ConstantTerm(RuleType.Number, 0), RuleType.Boolean);
                }
            case "highest" or "lowest":
                {
                    Arity(call, 2);
                    RuleTerm of = AskFeature(call, depth);
                    RuleExpression bars = Bars(call.Arguments[1], 1, Indicator.MaxPeriod, "bars");
                    return Reading(Derived(call.Name, [call.Arguments[0]], [bars], depth), of.Type, lag, call.At);
                }
            case "rising" or "falling":
                {
                    if (call.Arguments.Length is not (1 or 2))
                    {
                        throw Fault(call.At, $"{call.Name} takes a value and a count of bars, found {call.Arguments.Length} arguments");
                    }
                    RuleTerm of = AskFeature(call, depth);
                    RuleExpression bars = call.Arguments.Length == 2 ? Bars(call.Arguments[1], 1, Indicator.MaxPeriod, "bars") : new NumberExpression(1);
                    bool rises = call.Name == "rising";
                    RuleTerm now = Bind(call.Arguments[0], lag, depth + 1);
                    FeatureTemplate extreme = Derived(rises ? "highest" : "lowest", [call.Arguments[0]], [bars], depth);
                    RuleTerm before = Reading(extreme, of.Type, lag.Add(new NumberExpression(1)), call.At);
                    return new OperatorTerm(rises ? BinaryOperator.Greater : BinaryOperator.Less, now, before, RuleType.Boolean);
                }
            case "abs":
                {
                    Arity(call, 1);
                    RuleTerm of = Bind(call.Arguments[0], lag, depth + 1);
                    if (!IsNumeric(of.Type)) throw Fault(call.At, $"abs of {Article(of.Type)}; expected a number");
                    return new FunctionTerm(TermFunction.Abs, [of], of.Type);
                }
            case "min" or "max":
                {
                    Arity(call, 2);
                    (RuleTerm a, RuleTerm b) = (Bind(call.Arguments[0], lag, depth + 1), Bind(call.Arguments[1], lag, depth + 1));
                    RuleType type = Alike(a, b, call.At, call.Name);
                    if (!IsNumeric(type)) throw Fault(call.At, $"{call.Name} of {Article(type)}; expected numbers");
                    return new FunctionTerm(call.Name == "min" ? TermFunction.Min : TermFunction.Max, [a, b], type);
                }
            default:
                return Feature(call.Name, call.Arguments, call.At, lag);
        }
    }

    private RuleTerm Past(PastExpression past, ImmutableArray<RuleExpression> lag, int depth)
    {
        RuleExpression bars = Bars(past.Bars, 0, RuleLimits.Lag, "the lag");
        return Bind(past.Of, Constant(bars) == 0 && bars is NumberExpression ? lag : lag.Add(bars), depth + 1);
    }

    private RuleTerm Quantity(QuantityExpression quantity, ImmutableArray<RuleExpression> lag, int depth)
    {
        RuleTerm value = Bind(quantity.Value, lag, depth + 1);
        string unit = Lower(quantity.Unit);
        if (value.Type != RuleType.Number) throw Fault(quantity.At, $"{unit} of {Article(value.Type)}; expected a number");
        if (quantity.Unit == QuantityUnit.Percent)
        {
            return new OperatorTerm(BinaryOperator.Multiply, value, new ConstantTerm(RuleType.Number, 1), RuleType.Share);
        }
        RuleFact size = quantity.Unit == QuantityUnit.Points ? RuleFact.PointSize : RuleFact.TickSize;
        if (_asking == 0) _facts.Add(size);
        return new OperatorTerm(BinaryOperator.Multiply, value, new FactTerm(size, RuleType.Distance), RuleType.Distance);
    }

    private static RuleTerm Operated(BinaryExpression binary, RuleTerm left, RuleTerm right)
    {
        string sign = RuleWriter.Word(binary.Operator);
        switch (binary.Operator)
        {
            case BinaryOperator.And or BinaryOperator.Or:
                if (left.Type != RuleType.Boolean)
                {
                    throw Fault(binary.Left.At, $"'{sign}' joins conditions; found {Article(left.Type)}, compare it with something");
                }
                if (right.Type != RuleType.Boolean)
                {
                    throw Fault(binary.Right.At, $"'{sign}' joins conditions; found {Article(right.Type)}, compare it with something");
                }
                return new OperatorTerm(binary.Operator, left, right, RuleType.Boolean);
            case BinaryOperator.Add or BinaryOperator.Subtract:
                {
                    bool subtract = binary.Operator == BinaryOperator.Subtract;
                    RuleType? type = (left.Type, right.Type) switch
                    {
                        (RuleType.Price, RuleType.Price) => subtract ? RuleType.Distance : RuleType.Price,
                        (RuleType.Price, RuleType.Distance) => RuleType.Price,
                        (RuleType.Distance, RuleType.Price) when !subtract => RuleType.Price,
                        var (a, b) when a == b && (IsNumeric(a) || a is RuleType.Duration or RuleType.Share) => a,
                        var (a, _) when IsLiteral(right) && IsNumeric(a) => a,
                        var (_, b) when IsLiteral(left) && IsNumeric(b) => b,
                        _ => null,
                    };
                    return type is { } sum ? new OperatorTerm(binary.Operator, left, right, sum)
                        : throw Fault(binary.At, $"'{sign}' between {Article(left.Type)} and {Article(right.Type)}");
                }
            case BinaryOperator.Multiply or BinaryOperator.Divide:
                {
                    bool divide = binary.Operator == BinaryOperator.Divide;
                    RuleType? type = (left.Type, right.Type) switch
                    {
                        var (a, b) when b == RuleType.Number && (IsNumeric(a) || a is RuleType.Duration or RuleType.Share) => a,
                        var (a, b) when !divide && a == RuleType.Number && (IsNumeric(b) || b is RuleType.Duration or RuleType.Share) => b,
                        var (a, b) when divide && a == b && (IsNumeric(a) || a == RuleType.Duration) => RuleType.Number,
                        (RuleType.Price, RuleType.Distance) or (RuleType.Distance, RuleType.Price) when divide => RuleType.Number,
                        _ => null,
                    };
                    return type is { } product ? new OperatorTerm(binary.Operator, left, right, product)
                        : throw Fault(binary.At, $"'{sign}' between {Article(left.Type)} and {Article(right.Type)}");
                }
            default:
                RuleType compared = Alike(left, right, binary.At, sign);
                bool equality = binary.Operator is BinaryOperator.Equal or BinaryOperator.NotEqual;
                if (compared == RuleType.Boolean) throw Fault(binary.At, $"'{sign}' between conditions; join them with and, or, not");
                if (compared == RuleType.Stance && !equality) throw Fault(binary.At, "a position is compared by == and !=");
                return new OperatorTerm(binary.Operator, left, right, RuleType.Boolean);
        }
    }

    private RuleTerm Feature(string name, ImmutableArray<RuleExpression> arguments, SourcePlace at, ImmutableArray<RuleExpression> lag)
    {
        (FeatureDefinition definition, int output) = Find(name, at, arguments.Length > 0);
        FeatureTemplate template = Plain(definition, output, arguments, at);
        RuleType type = definition.Outputs[output].Unit switch
        {
            FeatureUnit.Price => RuleType.Price,
            FeatureUnit.Distance => RuleType.Distance,
            FeatureUnit.Volume => RuleType.Volume,
            _ => RuleType.Number,
        };
        return Reading(template, type, lag, at);
    }

    private (FeatureDefinition Definition, int Output) Find(string name, SourcePlace at, bool called)
    {
        int dot = name.IndexOf('.');
        string bare = dot < 0 ? name : name[..dot];
        FeatureDefinition? definition = FeatureCatalog.Find(bare);
        if (definition is null || definition.Operands > 0)
        {
            IEnumerable<string> known = RuleVocabulary.Values.Concat(_parameters.Select(parameter => parameter.Name)).Concat(_lets.Keys);
            throw Fault(at, $"unknown {(called ? "feature" : "name")} '{name}'", name.Length < 3 ? null : NearestName.Find(name, known));
        }
        if (dot < 0) return (definition, 0);
        string outputName = name[(dot + 1)..];
        for (int output = 0; output < definition.Outputs.Length; output++)
        {
            if (definition.Outputs[output].Name == outputName) return (definition, output);
        }
        string[] outputs = [.. definition.Outputs.Select(output => output.Name).Where(each => each.Length > 0)];
        throw Fault(at, outputs.Length == 0 ? $"{bare} has no output '{outputName}'; it has one value"
            : $"{bare} has no output '{outputName}'; it has {string.Join(", ", outputs)}",
            NearestName.Find(outputName, outputs) is { } near ? $"{bare}.{near}" : null);
    }

    /// <summary>A feature of the bars themselves with its numbers and source.</summary>
    private FeatureTemplate Plain(FeatureDefinition definition, int output, ImmutableArray<RuleExpression> arguments, SourcePlace at)
    {
        List<(string, RuleExpression?)> parts = [];
        string suffix = definition.Outputs[output].Name;
        parts.Add((suffix.Length == 0 ? definition.Name : $"{definition.Name}.{suffix}", null));
        string opening = "(";
        int numbers = 0;
        for (int i = 0; i < arguments.Length; i++)
        {
            RuleExpression argument = arguments[i];
            if (argument is NameExpression { Name: { } word } && RuleVocabulary.PriceSources.Contains(word))
            {
                if (!definition.HasSource) throw Fault(argument.At, $"{definition.Name} takes no price source, found '{word}'");
                if (i < arguments.Length - 1) throw Fault(argument.At, "the price source comes last");
                parts.Add((opening + word, null));
                opening = ",";
                continue;
            }
            if (numbers == definition.Parameters.Length)
            {
                throw Fault(argument.At,
                    $"{definition.Name} takes {numbers} number(s){(definition.HasSource ? " and a price source" : "")}, as in {definition.Usage(output)}");
            }
            FeatureParameter parameter = definition.Parameters[numbers++];
            Number(argument, parameter.Name, (decimal)parameter.Minimum, (decimal)parameter.Maximum, parameter.IsInteger);
            parts.Add((opening, null));
            parts.Add(("", argument));
            opening = ",";
        }
        if (opening == ",") parts.Add((")", null));
        return new FeatureTemplate(Joined(parts));
    }

    /// <summary>A feature of expressions.</summary>
    private FeatureTemplate Derived(string name, ImmutableArray<RuleExpression> operands, ImmutableArray<RuleExpression> numbers, int depth)
    {
        List<(string, RuleExpression?)> parts = [(name + "(", null)];
        for (int i = 0; i < operands.Length; i++)
        {
            if (i > 0) parts.Add((",", null));
            Write(parts, operands[i], [], depth + 1);
        }
        foreach (RuleExpression number in numbers)
        {
            parts.Add((",", null));
            parts.Add(("", number));
        }
        parts.Add((")", null));
        return new FeatureTemplate(Joined(parts));
    }

    /// <summary>Writes an expression whose types have been checked as a feature.</summary>
    private void Write(List<(string Text, RuleExpression? Constant)> parts, RuleExpression expression, ImmutableArray<RuleExpression> lag, int depth)
    {
        if (++_terms > RuleLimits.Nodes || depth > RuleLimits.Depth)
        {
            throw Fault(expression.At,
                $"with its lets written out the rule has more than {RuleLimits.Nodes} values and operators, or is nested too deep");
        }
        if (IsConstant(expression))
        {
            parts.Add(("", expression));
            return;
        }
        void Operator(string name, params ReadOnlySpan<RuleExpression> operands)
        {
            parts.Add((name + "(", null));
            for (int i = 0; i < operands.Length; i++)
            {
                if (i > 0) parts.Add((",", null));
                Write(parts, operands[i], lag, depth + 1);
            }
            parts.Add((")", null));
        }
        switch (expression)
        {
            case NameExpression { Name: { } name } when _lets.TryGetValue(name, out RuleExpression? let):
                Write(parts, let, lag, depth + 1);
                break;
            case NameExpression { Name: { } name } when RuleVocabulary.Facts.All(fact => fact.Word.Name != name):
                Leaf(Plain(Find(name, expression.At, false).Definition, Find(name, expression.At, false).Output, [], expression.At));
                break;
            case PastExpression past:
                Write(parts, past.Of, Constant(past.Bars) == 0 && past.Bars is NumberExpression ? lag : lag.Add(past.Bars), depth + 1);
                break;
            case UnaryExpression { Operator: UnaryOperator.Negate } negation:
                Operator("sub", new NumberExpression(0), negation.Operand);
                break;
            case BinaryExpression { Operator: BinaryOperator.Add } sum:
                Operator("add", sum.Left, sum.Right);
                break;
            case BinaryExpression { Operator: BinaryOperator.Subtract } difference:
                Operator("sub", difference.Left, difference.Right);
                break;
            case BinaryExpression { Operator: BinaryOperator.Multiply } product:
                Operator("mul", product.Left, product.Right);
                break;
            case BinaryExpression { Operator: BinaryOperator.Divide } quotient:
                Operator("div", quotient.Left, quotient.Right);
                break;
            case CallExpression { Name: "abs" or "min" or "max" } function:
                Operator(function.Name, [.. function.Arguments]);
                break;
            case CallExpression { Name: "highest" or "lowest" } extreme:
                Leaf(Derived(extreme.Name, [extreme.Arguments[0]], [extreme.Arguments[1]], depth));
                break;
            case CallExpression call when RuleVocabulary.Functions.All(function => function.Name != call.Name):
                (FeatureDefinition definition, int output) = Find(call.Name, call.At, true);
                Leaf(Plain(definition, output, call.Arguments, call.At));
                break;
            default:
                throw Fault(expression.At,
                    $"'{Cut(RuleWriter.Write(expression))}' has no past; what crosses, rises or is highest is made of features and numbers");
        }

        void Leaf(FeatureTemplate leaf)
        {
            if (lag.Length > 0) parts.Add(("lag(", null));
            parts.AddRange(leaf.Parts);
            if (lag.Length == 0) return;
            parts.Add((",", null));
            parts.Add(("", Sum(lag)));
            parts.Add((")", null));
        }
    }

    /// <summary>A value of a feature as it is read at a bar's close: now, one bar ago, or as a feature of its own longer ago.</summary>
    private RuleTerm Reading(FeatureTemplate template, RuleType type, ImmutableArray<RuleExpression> lag, SourcePlace at)
    {
        bool previous = false;
        if (lag.Length > 0)
        {
            previous = lag.All(bars => bars is NumberExpression) && Constant(Sum(lag)) == 1;
            if (!previous) template = new FeatureTemplate(Joined([("lag(", null), .. template.Parts, (",", null), ("", Sum(lag)), (")", null)]));
        }
        if (!_featureByKey.TryGetValue(template.Key, out int feature))
        {
            if (_features.Count == RuleLimits.Features) throw Fault(at, $"the rule reads more than {RuleLimits.Features} features");
            if (TemplateFault(template, _standards) is { } fault) throw Fault(at, fault);
            feature = _features.Count;
            _features.Add(template);
            _featureByKey.Add(template.Key, feature);
        }
        if (_asking > 0) return new ReadingTerm(-1, type);
        var place = new FeatureReadingPlace(feature, previous);
        int reading = _readings.IndexOf(place);
        if (reading < 0)
        {
            reading = _readings.Count;
            _readings.Add(place);
        }
        return new ReadingTerm(reading, type);
    }

    /// <summary>What is wrong with a feature for these parameters; null when nothing is.</summary>
    public static string? TemplateFault(FeatureTemplate template, RuleConstants constants)
    {
        try
        {
            string text = template.Text(constants);
            if (text.Length > RuleLimits.FeatureText)
            {
                return $"what it is made of is too long by {text.Length - RuleLimits.FeatureText} characters for one feature";
            }
            if (FeatureSpec.TryParse(text, out _, out string? error)) return null;
            return $"{text}: {error[(error.IndexOf(": ", StringComparison.Ordinal) + 2)..]}";
        }
        catch (RuleConstantException e)
        {
            return e.Message;
        }
    }

    /// <summary>The type of an operand that becomes part of a feature.</summary>
    private RuleTerm Ask(RuleExpression expression, int depth)
    {
        _asking++;
        RuleTerm term = Bind(expression, [], depth + 1);
        _asking--;
        return IsNumeric(term.Type) ? term : throw Fault(expression.At, $"expected a number or a feature, found {Article(term.Type)}");
    }

    private RuleTerm AskFeature(CallExpression call, int depth)
    {
        RuleTerm of = Ask(call.Arguments[0], depth);
        return of.Constant ? throw Fault(call.Arguments[0].At, $"{call.Name} of a constant; expected a feature") : of;
    }

    private RuleExpression Bars(RuleExpression expression, int least, int most, string what)
    {
        Number(expression, what, least, most, whole: true);
        // A parameter is 1 or more: what it looks back on is a feature whatever it is set to.
        if (least == 0 && expression is not NumberExpression) Number(expression, what, 1, most, whole: true);
        return expression;
    }

    /// <summary>
    /// Checks a constant where a feature or a lag takes one: at the parameters' defaults, and for a parameter alone over its whole
    /// range.
    /// </summary>
    private void Number(RuleExpression expression, string what, decimal least, decimal most, bool whole)
    {
        string expected = $"expected {(whole ? "a whole number" : "a number")} from {Text(least)} to {Text(most)}";
        if (!IsConstant(expression) || expression is TimeExpression or DurationExpression or QuantityExpression)
        {
            if (expression is NameExpression { Name: { } name } && _broken.Contains(name)) throw new BrokenName();
            // A name that means nothing is a better error than one that means no number.
            _asking++;
            Bind(expression, [], 1);
            _asking--;
            throw Fault(expression.At, $"{what} is '{Cut(RuleWriter.Write(expression))}'; {expected}, of numbers and parameters");
        }
        decimal value = Constant(expression);
        if (value < least || value > most || (whole && value != decimal.Truncate(value)))
        {
            throw Fault(expression.At, $"{what} is {Text(value)}; {expected}");
        }
        string? parameterName = (expression as NameExpression)?.Name;
        if (_parameters.Find(known => known.Name == parameterName) is not { } parameter) return;
        if (parameter.From < least || parameter.To > most)
        {
            throw Fault(expression.At, $"{what} is {parameterName}, which goes from {Text(parameter.From)} to {Text(parameter.To)}; {expected}");
        }
        if (whole && !IsWhole(parameter)) throw Fault(expression.At, $"{what} is {parameterName}, whose values are not all whole; {expected}");
    }

    /// <summary>Whether all values of a parameter are whole numbers.</summary>
    public static bool IsWhole(ParamStatement param) =>
        IsWhole(param.Default) && IsWhole(param.From) && IsWhole(param.To) && (param.Step is null || IsWhole(param.Step.Value));

    private static bool IsWhole(decimal value) => value == decimal.Truncate(value);

    private bool IsConstant(RuleExpression expression) => expression switch
    {
        NumberExpression or TimeExpression or DurationExpression => true,
        NameExpression { Name: { } name } => _parameters.Any(parameter => parameter.Name == name) || (_lets.ContainsKey(name) && ConstantLets.Contains(name)),
        UnaryExpression { Operator: UnaryOperator.Negate } negation => IsConstant(negation.Operand),
        BinaryExpression { Operator: >= BinaryOperator.Add } binary => IsConstant(binary.Left) && IsConstant(binary.Right),
        CallExpression { Name: "abs" or "min" or "max" } call => call.Arguments.All(IsConstant),
        _ => false,
    };

    private readonly HashSet<string> _constantLets = [];
    private int _letsSeen;

    /// <summary>The lets that are constant: each is looked at once.</summary>
    private HashSet<string> ConstantLets
    {
        get
        {
            while (_letsSeen < _lets.Count)
            {
                (string name, RuleExpression value) = _lets.ElementAt(_letsSeen++);
                if (IsConstant(value)) _constantLets.Add(name);
            }
            return _constantLets;
        }
    }

    private decimal Constant(RuleExpression expression) => Constant(expression, _standards.Number);

    private static T Constant<T>(RuleExpression expression, Func<RuleExpression, T> compute)
    {
        try
        {
            return compute(expression);
        }
        catch (RuleConstantException e)
        {
            throw Fault(expression.At, e.Message);
        }
    }

    private RuleConstants Standards() => new(_lets, name => _parameters.Find(parameter => parameter.Name == name)?.Default);

    private static RuleExpression Sum(ImmutableArray<RuleExpression> bars) =>
        bars.All(each => each is NumberExpression) ? new NumberExpression(bars.Sum(each => ((NumberExpression)each).Value))
        : bars.Skip(1).Aggregate(bars[0], (sum, each) => new BinaryExpression(BinaryOperator.Add, sum, each));

    private static ImmutableArray<(string, RuleExpression?)> Joined(IEnumerable<(string Text, RuleExpression? Constant)> parts)
    {
        ImmutableArray<(string, RuleExpression?)>.Builder joined = ImmutableArray.CreateBuilder<(string, RuleExpression?)>();
        string text = "";
        foreach ((string more, RuleExpression? constant) in parts)
        {
            text += more;
            if (constant is null) continue;
            joined.Add((text, null));
            joined.Add(("", constant));
            text = "";
        }
        joined.Add((text, null));
        return joined.ToImmutable();
    }

    /// <summary>The one type of two values that are compared or chosen from.</summary>
    private static RuleType Alike(RuleTerm a, RuleTerm b, SourcePlace at, string what) =>
        a.Type == b.Type ? a.Type
        : IsLiteral(b) && IsNumeric(a.Type) ? a.Type
        : IsLiteral(a) && IsNumeric(b.Type) ? b.Type
        : throw Fault(at, $"'{what}' between {Article(a.Type)} and {Article(b.Type)}");

    /// <summary>A constant number may stand for a price, a distance or a volume.</summary>
    private static bool IsLiteral(RuleTerm term) => term is { Constant: true, Type: RuleType.Number };

    private static bool IsNumeric(RuleType type) => type is RuleType.Number or RuleType.Price or RuleType.Distance or RuleType.Volume;

    private static string Article(RuleType type) => type switch
    {
        RuleType.Number => "a number",
        RuleType.Price => "a price",
        RuleType.Distance => "a distance",
        RuleType.Volume => "a volume",
        RuleType.Share => "a percentage",
        RuleType.Boolean => "a condition",
        RuleType.TimeOfDay => "a time of day",
        RuleType.Duration => "a length of time",
        RuleType.Weekday => "a day of the week",
        _ => "a position",
    };

    private static void Arity(CallExpression call, int count)
    {
        if (call.Arguments.Length == count) return;
        string usage = RuleVocabulary.Functions.First(function => function.Name == call.Name).Usage;
        throw Fault(call.At, $"{call.Name} takes {count} argument(s), as in {usage}; found {call.Arguments.Length}");
    }

    private static string Lower<T>(T word) where T : struct, Enum => word.ToString().ToLowerInvariant();

    private static string Text(decimal value) => RuleWriter.Number(value);

    private static string Cut(string text) => text.Length > 60 ? text[..60] + "..." : text;

    private static RuleFault Second(RuleStatement statement, string what) => Fault(statement.At, $"a second '{what}'; expected one");

    private static RuleFault Fault(SourcePlace at, string message, string? suggestion = null) => new(RuleDiagnostic.Of(at, message, suggestion));

    /// <summary>A name whose own statement is at fault.</summary>
    private sealed class BrokenName : Exception;
}
