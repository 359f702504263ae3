using System.Linq.Expressions;
using System.Reflection;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// A rule as delegates. All of them read one row of numbers: first the facts by <see cref="RuleFact"/>, then the parameters, then the readings.
/// So one compilation serves all parameters.
/// </summary>
/// <param name="Decide">The statement that holds, entries before exits by their order; -1 for none.</param>
/// <param name="Stop">In units of price; null where the rule has none.</param>
internal sealed record CompiledRule(Func<double[], int> Decide, Func<double[], double>? Stop, Func<double[], double>? Target,
    Func<double[], double>? Trail)
{
    public static readonly int FactCount = Enum.GetValues<RuleFact>().Length;

    public static int ParameterAt(int index) => FactCount + index;

    public static int ReadingAt(int parameters, int index) => FactCount + parameters + index;
}

/// <summary>
/// Compiles checked rules. A comparison with what is not a number is neither true nor false, so negations are pushed down to the comparisons: there
/// each is one that does not hold either way, and a condition holds only where all that makes it true is known (Kleene's strong three-valued logic).
/// </summary>
internal sealed class RuleCompiler
{
    /// <summary>Beyond it a distance is no order's; within it a decimal holds it.</summary>
    private const double MaxDistance = 1e15;

    private static readonly MethodInfo Abs = typeof(Math).GetMethod(nameof(Math.Abs), [typeof(double)])!;
    private static readonly MethodInfo Min = typeof(Math).GetMethod(nameof(Math.Min), [typeof(double), typeof(double)])!;
    private static readonly MethodInfo Max = typeof(Math).GetMethod(nameof(Math.Max), [typeof(double), typeof(double)])!;

    private readonly ParameterExpression _row = Expression.Parameter(typeof(double[]), "row");
    private readonly List<ParameterExpression> _kept = [];
    private readonly RuleModel _model;

    private RuleCompiler(RuleModel model) => _model = model;

    public static CompiledRule Compile(RuleModel model) => new(
        new RuleCompiler(model).Decide(), Distance(model, model.Stop), Distance(model, model.Target), Distance(model, model.Trail));

    private static Func<double[], double>? Distance(RuleModel model, RuleTerm? term)
    {
        if (term is null) return null;
        var compiler = new RuleCompiler(model);
        Expression value = compiler.Value(term);
        return Expression.Lambda<Func<double[], double>>(Expression.Block(compiler._kept, value), compiler._row).Compile();
    }

    private Func<double[], int> Decide()
    {
        LabelTarget end = Expression.Label(typeof(int));
        Expression stance = Fact(RuleFact.Position);
        List<Expression> body = [];
        for (int i = 0; i < _model.Entries.Length; i++)
        {
            (EnterStatement statement, RuleTerm condition) = _model.Entries[i];
            Expression holds = Expression.AndAlso(
                Expression.NotEqual(stance, Number((int)statement.Direction)), Condition(condition, negated: false));
            if (!_model.Sessions.IsEmpty) holds = Expression.AndAlso(Expression.Equal(Fact(RuleFact.InSession), Number(1)), holds);
            // What cannot be protected as the rule says is not entered.
            foreach (RuleTerm? distance in (RuleTerm?[])[_model.Stop, _model.Target, _model.Trail])
            {
                if (distance is null) continue;
                ParameterExpression value = Keep();
                holds = Expression.AndAlso(holds, Expression.Block(
                    Expression.Assign(value, Value(distance)),
                    Expression.AndAlso(Expression.GreaterThan(value, Number(0)), Expression.LessThan(value, Number(MaxDistance)))));
            }
            body.Add(Expression.IfThen(holds, Expression.Return(end, Expression.Constant(i))));
        }
        for (int i = 0; i < _model.Exits.Length; i++)
        {
            (ExitStatement statement, RuleTerm condition) = _model.Exits[i];
            Expression held = statement.Direction is { } direction
                ? Expression.Equal(stance, Number((int)direction))
                : Expression.NotEqual(stance, Number(0));
            body.Add(Expression.IfThen(Expression.AndAlso(held, Condition(condition, negated: false)),
                Expression.Return(end, Expression.Constant(_model.Entries.Length + i))));
        }
        body.Add(Expression.Label(end, Expression.Constant(-1)));
        return Expression.Lambda<Func<double[], int>>(Expression.Block(_kept, body), _row).Compile();
    }

    private Expression Condition(RuleTerm term, bool negated)
    {
        switch (term)
        {
            case NotTerm not:
                return Condition(not.Operand, !negated);
            case OperatorTerm { Operator: BinaryOperator.And or BinaryOperator.Or } join:
                (Expression a, Expression b) = (Condition(join.Left, negated), Condition(join.Right, negated));
                return join.Operator == BinaryOperator.And != negated ? Expression.AndAlso(a, b) : Expression.OrElse(a, b);
            case OperatorTerm comparison:
                (Expression left, Expression right) = (Value(comparison.Left), Value(comparison.Right));
                return (negated ? Opposite(comparison.Operator) : comparison.Operator) switch
                {
                    BinaryOperator.Less => Expression.LessThan(left, right),
                    BinaryOperator.LessOrEqual => Expression.LessThanOrEqual(left, right),
                    BinaryOperator.Greater => Expression.GreaterThan(left, right),
                    BinaryOperator.GreaterOrEqual => Expression.GreaterThanOrEqual(left, right),
                    BinaryOperator.Equal => Expression.Equal(left, right),
                    _ => Different(left, right),
                };
            default:
                throw new InvalidOperationException($"{term.GetType().Name} is no condition");
        }
    }

    /// <summary>Unlike the processor's, this != does not hold for what is not a number.</summary>
    private BlockExpression Different(Expression left, Expression right)
    {
        (ParameterExpression a, ParameterExpression b) = (Keep(), Keep());
        return Expression.Block(
            Expression.Assign(a, left), Expression.Assign(b, right),
            Expression.OrElse(Expression.LessThan(a, b), Expression.GreaterThan(a, b)));
    }

    private Expression Value(RuleTerm term)
    {
        switch (term)
        {
            case ConstantTerm constant:
                return Number(constant.Value);
            case ParameterTerm parameter:
                return At(CompiledRule.ParameterAt(parameter.Index));
            case FactTerm fact:
                return Fact(fact.Fact);
            case ReadingTerm reading:
                return At(CompiledRule.ReadingAt(_model.Parameters.Length, reading.Index));
            case NegatedTerm negation:
                return Expression.Negate(Value(negation.Operand));
            case FunctionTerm { Function: TermFunction.Abs } function:
                return Expression.Call(Abs, Value(function.Arguments[0]));
            case FunctionTerm function:
                return Expression.Call(function.Function == TermFunction.Min ? Min : Max, Value(function.Arguments[0]), Value(function.Arguments[1]));
            case OperatorTerm { Operator: BinaryOperator.Divide } division:
                ParameterExpression divisor = Keep(), dividend = Keep();
                return Expression.Block(
                    Expression.Assign(dividend, Value(division.Left)), Expression.Assign(divisor, Value(division.Right)),
                    Expression.Condition(Expression.Equal(divisor, Number(0)), Number(double.NaN), Expression.Divide(dividend, divisor)));
            case OperatorTerm arithmetic:
                (Expression left, Expression right) = (Value(arithmetic.Left), Value(arithmetic.Right));
                return arithmetic.Operator switch
                {
                    BinaryOperator.Add => Expression.Add(left, right),
                    BinaryOperator.Subtract => Expression.Subtract(left, right),
                    BinaryOperator.Multiply => Expression.Multiply(left, right),
                    _ => throw new InvalidOperationException($"{arithmetic.Operator} gives no number"),
                };
            default:
                throw new InvalidOperationException($"{term.GetType().Name} is no number");
        }
    }

    private static BinaryOperator Opposite(BinaryOperator comparison) => comparison switch
    {
        BinaryOperator.Less => BinaryOperator.GreaterOrEqual,
        BinaryOperator.LessOrEqual => BinaryOperator.Greater,
        BinaryOperator.Greater => BinaryOperator.LessOrEqual,
        BinaryOperator.GreaterOrEqual => BinaryOperator.Less,
        BinaryOperator.Equal => BinaryOperator.NotEqual,
        _ => BinaryOperator.Equal,
    };

    private ParameterExpression Keep()
    {
        ParameterExpression kept = Expression.Variable(typeof(double));
        _kept.Add(kept);
        return kept;
    }

    private Expression Fact(RuleFact fact) => At((int)fact);

    private Expression At(int index) => Expression.ArrayIndex(_row, Expression.Constant(index));

    private static ConstantExpression Number(double value) => Expression.Constant(value);
}
