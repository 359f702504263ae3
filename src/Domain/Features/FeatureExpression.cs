using System.Globalization;

namespace HybridTrading.Domain.Features;

/// <summary>
/// A feature taken apart. Grammar: <c>feature = name ['.' output] ['(' argument {',' argument} ')']</c>, where an argument is a number or a
/// price source; a feature of other features takes those, or levels, before its numbers.
/// </summary>
internal sealed record FeatureExpression(FeatureDefinition Definition, int Output, ImmutableArray<double> Numbers, PriceSource Source)
{
    private const int MaxDepth = 16;

    /// <summary>What a feature of other features is made of; empty for others.</summary>
    public ImmutableArray<FeatureOperand> Operands { get; private init; } = [];

    /// <summary>What the outputs of one indicator share.</summary>
    public string IndicatorKey => Definition.Name + Arguments;

    public static FeatureExpression Parse(string text)
    {
        int at = 0;
        FeatureExpression expression = ParseFeature(text, ref at, depth: 0);
        SkipSpace(text, ref at);
        return at == text.Length ? expression : throw Fault(text, at, "expected the end");
    }

    public override string ToString() =>
        Definition.Name + (Definition.Outputs[Output].Name is { Length: > 0 } output ? "." + output : "") + Arguments;

    private string Arguments
    {
        get
        {
            IEnumerable<string> arguments = Operands.Select(operand => operand.ToString()).Concat(Numbers.Select(FeatureSpec.Number));
            if (Source != PriceSource.Close) arguments = arguments.Append(FeatureSpec.Name(Source));
            string list = string.Join(',', arguments);
            return list.Length == 0 ? "" : $"({list})";
        }
    }

    private static FeatureExpression ParseFeature(string text, ref int at, int depth)
    {
        if (depth > MaxDepth) throw Fault(text, at, $"nested more than {MaxDepth} deep");
        SkipSpace(text, ref at);
        int start = at;
        string name = ReadName(text, ref at);
        if (name.Length == 0) throw Fault(text, at, "expected the name of a feature");
        FeatureDefinition definition = FeatureCatalog.Find(name)
            ?? throw Fault(text, start, $"unknown feature '{name}'" + NearestName.Suggestion(name, FeatureCatalog.All.Select(known => known.Name)));

        int output = 0;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            start = at;
            string outputName = ReadName(text, ref at);
            while (output < definition.Outputs.Length && definition.Outputs[output].Name != outputName) output++;
            if (output == definition.Outputs.Length || outputName.Length == 0)
            {
                string known = string.Join(", ", definition.Outputs.Select(o => o.Name).Where(o => o.Length > 0));
                throw Fault(text, start, $"{name} has no output '{outputName}'; {(known.Length == 0 ? "it has one value" : "it has " + known)}");
            }
        }
        SkipSpace(text, ref at);
        return ParseArguments(definition, output, text, ref at, depth);
    }

    private static FeatureOperand ParseOperand(string text, ref int at, int depth)
    {
        SkipSpace(text, ref at);
        return at < text.Length && char.IsAsciiLetter(text[at])
            ? new FeatureOperand(ParseFeature(text, ref at, depth + 1), 0)
            : new FeatureOperand(null, ReadNumber(text, ref at));
    }

    private static FeatureExpression ParseArguments(FeatureDefinition definition, int output, string text, ref int at, int depth)
    {
        ImmutableArray<FeatureOperand>.Builder operands = ImmutableArray.CreateBuilder<FeatureOperand>(definition.Operands);
        double[] numbers = [.. definition.Parameters.Select(parameter => parameter.Default)];
        PriceSource source = PriceSource.Close;
        int start = at;
        if (definition.Operands > 0 && (at >= text.Length || text[at] != '(')) throw Fault(text, at, "expected '('");
        if (at < text.Length && text[at] == '(')
        {
            at++;
            for (int i = 0; i < definition.Operands; i++)
            {
                if (i > 0) Expect(text, ref at, ',');
                operands.Add(ParseOperand(text, ref at, depth));
            }
            SkipSpace(text, ref at);
            int count = 0;
            bool sourceRead = false;
            while (at < text.Length && text[at] != ')')
            {
                if (count > 0 || sourceRead || operands.Count > 0)
                {
                    Expect(text, ref at, ',');
                    SkipSpace(text, ref at);
                }
                if (sourceRead) throw Fault(text, at, "the price source comes last");
                if (at < text.Length && char.IsAsciiLetter(text[at]))
                {
                    source = ReadSource(definition, text, ref at);
                    sourceRead = true;
                }
                else
                {
                    if (count == numbers.Length)
                    {
                        throw Fault(text, at, $"{definition.Name} takes {numbers.Length} number(s), as in {definition.Usage(output)}");
                    }
                    int place = at;
                    double number = ReadNumber(text, ref at);
                    Check(definition.Parameters[count], number, text, place);
                    numbers[count++] = number;
                }
                SkipSpace(text, ref at);
            }
            Expect(text, ref at, ')');
        }
        if (definition.Name == "macd" && numbers[0] >= numbers[1])
        {
            throw Fault(text, start, $"macd needs fast < slow, found {FeatureSpec.Number(numbers[0])} and {FeatureSpec.Number(numbers[1])}");
        }
        if (operands.Count > 0 && operands.All(operand => operand.Feature is null))
        {
            throw Fault(text, start, $"{definition.Name} of {(operands.Count == 1 ? "a number" : "two numbers")}; expected a feature");
        }
        return new FeatureExpression(definition, output, [.. numbers], source) { Operands = operands.MoveToImmutable() };
    }

    private static PriceSource ReadSource(FeatureDefinition definition, string text, ref int at)
    {
        int start = at;
        string name = ReadName(text, ref at);
        if (!definition.HasSource) throw Fault(text, start, $"{definition.Name} takes no price source, found '{name}'");
        foreach (PriceSource source in Enum.GetValues<PriceSource>())
        {
            if (FeatureSpec.Name(source) == name) return source;
        }
        throw Fault(text, start, $"unknown price source '{name}'; expected open, high, low, close, median or typical");
    }

    private static void Check(FeatureParameter parameter, double number, string text, int at)
    {
        bool valid = number >= parameter.Minimum && number <= parameter.Maximum && (!parameter.IsInteger || number == Math.Floor(number));
        if (valid) return;
        string kind = parameter.IsInteger ? "a whole number from" : "a number from";
        throw Fault(text, at, $"{parameter.Name} is {FeatureSpec.Number(number)}; expected {kind} "
            + $"{FeatureSpec.Number(parameter.Minimum)} to {FeatureSpec.Number(parameter.Maximum)}");
    }

    private static string ReadName(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_')) at++;
        return text[start..at].ToLowerInvariant();
    }

    private static double ReadNumber(string text, ref int at)
    {
        SkipSpace(text, ref at);
        int start = at;
        while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] is '.' or '-' or '+' or 'e' or 'E')) at++;
        return double.TryParse(text.AsSpan(start, at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number)
            ? number + 0.0
            : throw Fault(text, start, "expected a number");
    }

    private static void Expect(string text, ref int at, char expected)
    {
        SkipSpace(text, ref at);
        if (at >= text.Length || text[at] != expected) throw Fault(text, at, $"expected '{expected}'");
        at++;
    }

    private static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
    }

    private static FormatException Fault(string text, int at, string fault) => new($"feature '{text}', character {at + 1}: {fault}");
}

/// <summary>What a feature of other features is made of: a feature, or a level.</summary>
internal sealed record FeatureOperand(FeatureExpression? Feature, double Level)
{
    public override string ToString() => Feature?.ToString() ?? FeatureSpec.Number(Level);
}
