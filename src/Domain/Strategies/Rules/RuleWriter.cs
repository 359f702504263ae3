using System.Globalization;
using System.Text;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// Writes a rule in its canonical text: a statement a line, lower case, only the parentheses that are needed, no comments. Rules that say the same
/// in the same order have one text, and reading it gives the rule again.
/// </summary>
public static class RuleWriter
{
    private const int OrLevel = 1, AndLevel = 2, NotLevel = 3, ComparisonLevel = 4, SumLevel = 5, ProductLevel = 6, SignLevel = 7, PostfixLevel = 8;

    public static string Write(RuleSyntax rule)
    {
        var text = new StringBuilder();
        foreach (RuleStatement statement in rule.Statements)
        {
            if (text.Length > 0) text.Append('\n');
            Write(text, statement);
            text.Append(';');
        }
        return text.ToString();
    }

    public static string Write(RuleStatement statement)
    {
        var text = new StringBuilder();
        Write(text, statement);
        return text.ToString();
    }

    public static string Write(RuleExpression expression)
    {
        var text = new StringBuilder();
        Write(text, expression, 0);
        return text.ToString();
    }

    internal static string Number(decimal value) => (value / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture);

    internal static string TimeOfDay(int minute) => string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");

    private static void Write(StringBuilder text, RuleStatement statement)
    {
        switch (statement)
        {
            case ParamStatement param:
                text.Append($"param {param.Name} = {Number(param.Default)} from {Number(param.From)} to {Number(param.To)}");
                if (param.Step is { } step) text.Append($" step {Number(step)}");
                break;
            case LetStatement let:
                Write(text.Append($"let {let.Name} = "), let.Value, 0);
                break;
            case RequireStatement require:
                Write(text.Append("require "), require.Condition, 0);
                break;
            case EnterStatement enter:
                Write(text.Append($"enter {Word(enter.Direction)} when "), enter.Condition, 0);
                break;
            case ExitStatement exit:
                Write(text.Append(exit.Direction is { } direction ? $"exit {Word(direction)} when " : "exit when "), exit.Condition, 0);
                break;
            case ProtectionStatement protection:
                Write(text.Append($"{Word(protection.Kind)} "), protection.Distance, 0);
                break;
            case ReentryStatement:
                text.Append("reentry after exit");
                break;
            case SizeStatement size:
                Write(text.Append($"size {Word(size.Basis)} "), size.Value, 0);
                break;
            case SessionStatement session:
                text.Append("session");
                if (session is { From: { } from, To: { } to }) text.Append($" {TimeOfDay(from)}-{TimeOfDay(to)}");
                if (session.Zone is { } zone) text.Append($" {zone}");
                if (session.Days != RuleDays.None) text.Append($" on {Days(session.Days)}");
                break;
            case TimeZoneStatement timeZone:
                text.Append($"timezone {timeZone.Zone}");
                break;
        }
    }

    private static void Write(StringBuilder text, RuleExpression expression, int outer)
    {
        int level = Level(expression);
        if (level < outer) text.Append('(');
        switch (expression)
        {
            case NumberExpression number:
                text.Append(Number(number.Value));
                break;
            case TimeExpression time:
                text.Append(TimeOfDay(time.Minute));
                break;
            case DurationExpression duration:
                (long count, char unit) = duration.Seconds switch
                {
                    var s when s != 0 && s % 86_400 == 0 => (s / 86_400, 'd'),
                    var s when s != 0 && s % 3600 == 0 => (s / 3600, 'h'),
                    var s when s != 0 && s % 60 == 0 => (s / 60, 'm'),
                    var s => (s, 's'),
                };
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
                break;
            case NameExpression name:
                text.Append(name.Name);
                break;
            case CallExpression call:
                text.Append(call.Name).Append('(');
                for (int i = 0; i < call.Arguments.Length; i++)
                {
                    if (i > 0) text.Append(", ");
                    Write(text, call.Arguments[i], 0);
                }
                text.Append(')');
                break;
            case PastExpression past:
                Write(text, past.Of, PostfixLevel);
                Write(text.Append('['), past.Bars, 0);
                text.Append(']');
                break;
            case QuantityExpression quantity:
                Write(text, quantity.Value, PostfixLevel);
                text.Append(quantity.Unit switch { QuantityUnit.Percent => "%", QuantityUnit.Points => " points", _ => " ticks" });
                break;
            case UnaryExpression { Operator: UnaryOperator.Negate } negation:
                Write(text.Append('-'), negation.Operand, SignLevel);
                break;
            case UnaryExpression not:
                Write(text.Append("not "), not.Operand, NotLevel);
                break;
            case BinaryExpression binary:
                // All chains lean to the left; a comparison does not chain.
                Write(text, binary.Left, level == ComparisonLevel ? level + 1 : level);
                text.Append($" {Word(binary.Operator)} ");
                Write(text, binary.Right, level + 1);
                break;
        }
        if (level < outer) text.Append(')');
    }

    private static int Level(RuleExpression expression) => expression switch
    {
        BinaryExpression { Operator: BinaryOperator.Or } => OrLevel,
        BinaryExpression { Operator: BinaryOperator.And } => AndLevel,
        BinaryExpression { Operator: BinaryOperator.Add or BinaryOperator.Subtract } => SumLevel,
        BinaryExpression { Operator: BinaryOperator.Multiply or BinaryOperator.Divide } => ProductLevel,
        BinaryExpression => ComparisonLevel,
        UnaryExpression { Operator: UnaryOperator.Not } => NotLevel,
        UnaryExpression => SignLevel,
        _ => PostfixLevel,
    };

    internal static string Word(BinaryOperator one) => one switch
    {
        BinaryOperator.Or => "or",
        BinaryOperator.And => "and",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        BinaryOperator.GreaterOrEqual => ">=",
        BinaryOperator.Equal => "==",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Add => "+",
        BinaryOperator.Subtract => "-",
        BinaryOperator.Multiply => "*",
        _ => "/",
    };

    private static string Word<T>(T one) where T : struct, Enum => one.ToString().ToLowerInvariant();

    private static string Days(RuleDays days) => days switch
    {
        RuleDays.Weekdays or RuleDays.Weekend => Word(days),
        _ => string.Join(", ", Enum.GetValues<RuleDays>().Where(day => int.PopCount((int)day) == 1 && days.HasFlag(day)).Select(Word)),
    };
}
