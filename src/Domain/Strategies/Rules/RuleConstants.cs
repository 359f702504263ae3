namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>A constant that cannot be computed.</summary>
internal sealed class RuleConstantException(string message) : Exception(message);

/// <summary>
/// The values of a rule's constant expressions for given parameters, in decimals: what periods, sizes and requirements come to. Each let is
/// computed once, however often it is named.
/// </summary>
internal sealed class RuleConstants(IReadOnlyDictionary<string, RuleExpression> lets, Func<string, decimal?> parameter)
{
    private readonly Dictionary<string, decimal> _lets = [];
    private readonly Dictionary<string, bool> _booleanLets = [];

    /// <exception cref="RuleConstantException">It divides by zero, grows too large, or is no constant number.</exception>
    public decimal Number(RuleExpression expression)
    {
        try
        {
            return Compute(expression);
        }
        catch (OverflowException)
        {
            throw new RuleConstantException($"'{RuleWriter.Write(expression)}' grows too large");
        }
        catch (DivideByZeroException)
        {
            throw new RuleConstantException($"'{RuleWriter.Write(expression)}' divides by zero");
        }
    }

    /// <exception cref="RuleConstantException">As <see cref="Number"/>.</exception>
    public bool Holds(RuleExpression expression)
    {
        switch (expression)
        {
            case UnaryExpression { Operator: UnaryOperator.Not } not:
                return !Holds(not.Operand);
            case BinaryExpression { Operator: BinaryOperator.And } and:
                return Holds(and.Left) && Holds(and.Right);
            case BinaryExpression { Operator: BinaryOperator.Or } or:
                return Holds(or.Left) || Holds(or.Right);
            case NameExpression { Name: { } name } when lets.TryGetValue(name, out RuleExpression? let):
                if (!_booleanLets.TryGetValue(name, out bool known)) _booleanLets[name] = known = Holds(let);
                return known;
            case BinaryExpression comparison:
                int order = Number(comparison.Left).CompareTo(Number(comparison.Right));
                return comparison.Operator switch
                {
                    BinaryOperator.Less => order < 0,
                    BinaryOperator.LessOrEqual => order <= 0,
                    BinaryOperator.Greater => order > 0,
                    BinaryOperator.GreaterOrEqual => order >= 0,
                    BinaryOperator.Equal => order == 0,
                    BinaryOperator.NotEqual => order != 0,
                    _ => throw NotConstant(expression),
                };
            default:
                throw NotConstant(expression);
        }
    }

    private decimal Compute(RuleExpression expression) => expression switch
    {
        NumberExpression number => number.Value,
        TimeExpression time => time.Minute,
        DurationExpression duration => duration.Seconds,
        NameExpression { Name: { } name } => Named(name, expression),
        QuantityExpression { Unit: QuantityUnit.Percent } percent => Compute(percent.Value),
        PastExpression past => Compute(past.Of),
        UnaryExpression { Operator: UnaryOperator.Negate } negation => -Compute(negation.Operand),
        BinaryExpression { Operator: BinaryOperator.Add } sum => Compute(sum.Left) + Compute(sum.Right),
        BinaryExpression { Operator: BinaryOperator.Subtract } difference => Compute(difference.Left) - Compute(difference.Right),
        BinaryExpression { Operator: BinaryOperator.Multiply } product => Compute(product.Left) * Compute(product.Right),
        BinaryExpression { Operator: BinaryOperator.Divide } quotient => Compute(quotient.Left) / Compute(quotient.Right),
        CallExpression { Name: "abs", Arguments: [var x] } => Math.Abs(Compute(x)),
        CallExpression { Name: "min", Arguments: [var a, var b] } => Math.Min(Compute(a), Compute(b)),
        CallExpression { Name: "max", Arguments: [var a, var b] } => Math.Max(Compute(a), Compute(b)),
        _ => throw NotConstant(expression),
    };

    private decimal Named(string name, RuleExpression expression)
    {
        if (parameter(name) is { } value) return value;
        if (!lets.TryGetValue(name, out RuleExpression? let))
        {
            foreach ((string word, _, double constant) in RuleVocabulary.Constants)
            {
                if (word == name) return (decimal)constant;
            }
            throw NotConstant(expression);
        }
        if (!_lets.TryGetValue(name, out decimal known)) _lets[name] = known = Compute(let);
        return known;
    }

    private static RuleConstantException NotConstant(RuleExpression expression) => new($"'{RuleWriter.Write(expression)}' is no constant");
}
