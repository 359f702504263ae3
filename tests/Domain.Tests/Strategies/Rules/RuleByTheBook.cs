using HybridTrading.Domain.Features;
using HybridTrading.Domain.Markets;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;

namespace HybridTrading.Domain.Tests.Strategies.Rules;

/// <summary>
/// The meaning of a rule straight from docs/rules.md: the tree is walked at each bar over the whole history, in three-valued logic, without readings,
/// derived features or compilation. Null is what is not known.
/// </summary>
internal sealed class RuleByTheBook(RuleSyntax rule, Instrument instrument, Bar[] bars)
{
    private readonly Dictionary<string, double[]> _features = [];

    /// <summary>The stance that the rule wants at the close of bar <paramref name="i"/>; null for nothing new.</summary>
    public Stance? Wants(int i, StrategyState state)
    {
        foreach (EnterStatement enter in rule.Statements.OfType<EnterStatement>())
        {
            if ((int)state.Stance != (int)enter.Direction && Holds(enter.Condition, i, state, 0) == true) return (Stance)(int)enter.Direction;
        }
        foreach (ExitStatement exit in rule.Statements.OfType<ExitStatement>())
        {
            bool held = exit.Direction is { } direction ? (int)state.Stance == (int)direction : state.Stance != Stance.Flat;
            if (held && Holds(exit.Condition, i, state, 0) == true) return Stance.Flat;
        }
        return null;
    }

    private bool? Holds(RuleExpression expression, int i, StrategyState state, int lag)
    {
        switch (expression)
        {
            case UnaryExpression { Operator: UnaryOperator.Not } not:
                return !Holds(not.Operand, i, state, lag);
            case BinaryExpression { Operator: BinaryOperator.And } and:
                return Holds(and.Left, i, state, lag) & Holds(and.Right, i, state, lag);
            case BinaryExpression { Operator: BinaryOperator.Or } or:
                return Holds(or.Left, i, state, lag) | Holds(or.Right, i, state, lag);
            case CallExpression { Name: "crosses_above" or "crosses_below" } cross:
                int sign = cross.Name == "crosses_above" ? 1 : -1;
                if (Difference(cross, i - lag, state) is not { } now) return null;
                if (Math.Sign(now) != sign) return false;
                for (int before = i - lag - 1; before >= 0; before--)
                {
                    if (Difference(cross, before, state) is { } then && then != 0) return Math.Sign(then) == -sign;
                }
                return false;
            case CallExpression { Name: "rising" or "falling" } trend:
                int bars = (int)((NumberExpression)trend.Arguments[1]).Value;
                if (Value(trend.Arguments[0], i, state, lag) is not { } value) return null;
                double?[] earlier = [.. Enumerable.Range(1, bars).Select(n => Value(trend.Arguments[0], i, state, lag + n))];
                if (earlier.Any(each => each is null)) return null;
                return trend.Name == "rising" ? value > earlier.Max() : value < earlier.Min();
            case BinaryExpression comparison:
                if (Value(comparison.Left, i, state, lag) is not { } a || Value(comparison.Right, i, state, lag) is not { } b) return null;
                return comparison.Operator switch
                {
                    BinaryOperator.Less => a < b,
                    BinaryOperator.LessOrEqual => a <= b,
                    BinaryOperator.Greater => a > b,
                    BinaryOperator.GreaterOrEqual => a >= b,
                    BinaryOperator.Equal => a == b,
                    _ => a != b,
                };
            default:
                throw new InvalidOperationException(expression.ToString());
        }
    }

    private double? Difference(CallExpression cross, int i, StrategyState state) =>
        Value(cross.Arguments[0], i, state, 0) - Value(cross.Arguments[1], i, state, 0);

    private double? Value(RuleExpression expression, int i, StrategyState state, int lag)
    {
        double? known = Compute(expression, i, state, lag);
        return known is { } value && double.IsNaN(value) ? null : known;
    }

    private double? Compute(RuleExpression expression, int i, StrategyState state, int lag)
    {
        double? Of(RuleExpression part) => Value(part, i, state, lag);
        bool flat = state.Stance == Stance.Flat;
        switch (expression)
        {
            case NumberExpression number:
                return (double)number.Value;
            case QuantityExpression { Unit: QuantityUnit.Points } points:
                return Of(points.Value) * (1 / instrument.PointsPerUnit);
            case PastExpression past:
                return Value(past.Of, i, state, lag + (int)((NumberExpression)past.Bars).Value);
            case UnaryExpression negation:
                return -Of(negation.Operand);
            case BinaryExpression { Operator: BinaryOperator.Add } sum:
                return Of(sum.Left) + Of(sum.Right);
            case BinaryExpression { Operator: BinaryOperator.Subtract } difference:
                return Of(difference.Left) - Of(difference.Right);
            case BinaryExpression { Operator: BinaryOperator.Multiply } product:
                return Of(product.Left) * Of(product.Right);
            case BinaryExpression { Operator: BinaryOperator.Divide } quotient:
                return Of(quotient.Right) is { } divisor && divisor != 0 ? Of(quotient.Left) / divisor : null;
            case CallExpression { Name: "abs" } abs:
                return Of(abs.Arguments[0]) is { } x ? Math.Abs(x) : null;
            case CallExpression { Name: "min" or "max" } chosen:
                if (Of(chosen.Arguments[0]) is not { } a || Of(chosen.Arguments[1]) is not { } b) return null;
                return chosen.Name == "min" ? Math.Min(a, b) : Math.Max(a, b);
            case CallExpression { Name: "highest" or "lowest" } extreme:
                double?[] window = [.. Enumerable.Range(0, (int)((NumberExpression)extreme.Arguments[1]).Value).Select(n => Value(extreme.Arguments[0], i, state, lag + n))];
                return window.Any(each => each is null) ? null : extreme.Name == "highest" ? window.Max() : window.Min();
            case NameExpression { Name: var name }:
                return name switch
                {
                    "position" => (sbyte)state.Stance,
                    "long" => 1,
                    "short" => -1,
                    "flat" => 0,
                    "bars_in_trade" => flat ? 0 : i + 1 - state.EntryBar,
                    "profit" => flat ? 0 : (sbyte)state.Stance * (bars[i].Bid.Close - state.EntryPoints),
                    "entry_price" => flat ? null : state.EntryPoints / instrument.PointsPerUnit,
                    "hour" => TimeFrame.H1.End(bars[i].OpenTime).Hour,
                    _ when rule.Statements.OfType<ParamStatement>().FirstOrDefault(param => param.Name == name) is { } param => (double)param.Default,
                    _ when rule.Statements.OfType<LetStatement>().FirstOrDefault(let => let.Name == name) is { } let => Of(let.Value),
                    _ => Feature(name, i - lag),
                };
            case CallExpression feature:
                return Feature($"{feature.Name}({string.Join(',', feature.Arguments.Select(RuleWriter.Write))})", i - lag);
            default:
                throw new InvalidOperationException(expression.ToString());
        }
    }

    private double? Feature(string text, int i)
    {
        if (i < 0) return null;
        if (!_features.TryGetValue(text, out double[]? values))
        {
            var set = new FeatureSet(instrument, TimeFrame.H1, [FeatureSpec.Parse(text)]);
            _features[text] = values = new double[bars.Length];
            for (int k = 0; k < bars.Length; k++)
            {
                set.Update(bars[k]);
                values[k] = set.Values[0];
            }
        }
        return values[i];
    }
}
