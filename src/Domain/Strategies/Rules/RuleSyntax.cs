using System.Text.Json.Serialization;

namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// A rule as it was read: its statements in their order. Two rules that say the same in the same order are equal, wherever it
/// stood.
/// </summary>
public sealed record RuleSyntax(ImmutableArray<RuleStatement> Statements)
{
    public bool Equals(RuleSyntax? other) => other is not null && Statements.SequenceEqual(other.Statements);

    public override int GetHashCode() => Statements.Length;
}

/// <summary>A place in a text, counted from 1. Where a node stands is no part of what it says, so all places are equal.</summary>
public readonly record struct SourcePlace(int Line, int Column, int Length)
{
    public bool Equals(SourcePlace other) => true;

    public override int GetHashCode() => 0;
}

/// <summary>Which way an entry goes, or an exit leaves.</summary>
public enum RuleDirection { Long = 1, Short = -1 }

/// <summary>What the size of an entry is counted in.</summary>
public enum SizeBasis
{
    /// <summary>The loss at the stop, in percent of equity.</summary>
    Risk,

    /// <summary>The notional, in percent of equity.</summary>
    Equity,

    /// <summary>Lots of the instrument.</summary>
    Lots,

    /// <summary>Units of the base.</summary>
    Units,

    /// <summary>The notional, in the account's currency.</summary>
    Notional,
}

/// <summary>Days of the week, together.</summary>
[Flags]
public enum RuleDays
{
    None = 0,
    Monday = 1,
    Tuesday = 2,
    Wednesday = 4,
    Thursday = 8,
    Friday = 16,
    Saturday = 32,
    Sunday = 64,
    Weekdays = Monday | Tuesday | Wednesday | Thursday | Friday,
    Weekend = Saturday | Sunday,
}

/// <summary>One statement of a rule.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "statement")]
[JsonDerivedType(typeof(ParamStatement), "param")]
[JsonDerivedType(typeof(LetStatement), "let")]
[JsonDerivedType(typeof(RequireStatement), "require")]
[JsonDerivedType(typeof(EnterStatement), "enter")]
[JsonDerivedType(typeof(ExitStatement), "exit")]
[JsonDerivedType(typeof(ProtectionStatement), "protection")]
[JsonDerivedType(typeof(ReentryStatement), "reentry")]
[JsonDerivedType(typeof(SizeStatement), "size")]
[JsonDerivedType(typeof(SessionStatement), "session")]
[JsonDerivedType(typeof(TimeZoneStatement), "timezone")]
public abstract record RuleStatement
{
    [JsonIgnore]
    public SourcePlace At { get; init; }
}

/// <summary><c>param fast = 20 from 5 to 50 step 5;</c></summary>
/// <param name="Step">How far apart the values are that an optimiser tries; null where it may choose.</param>
public sealed record ParamStatement(string Name, decimal Default, decimal From, decimal To, decimal? Step) : RuleStatement;

/// <summary><c>let trend = sma(20) - sma(50);</c></summary>
public sealed record LetStatement(string Name, RuleExpression Value) : RuleStatement;

/// <summary><c>require fast &lt; slow;</c> what must hold between parameters.</summary>
public sealed record RequireStatement(RuleExpression Condition) : RuleStatement;

/// <summary><c>enter long when ...;</c></summary>
public sealed record EnterStatement(RuleDirection Direction, RuleExpression Condition) : RuleStatement;

/// <summary><c>exit when ...;</c> or <c>exit long when ...;</c></summary>
/// <param name="Direction">What is left; null for either.</param>
public sealed record ExitStatement(RuleDirection? Direction, RuleExpression Condition) : RuleStatement;

/// <summary>How a position is protected.</summary>
public enum ProtectionKind { Stop, Target, Trail }

/// <summary><c>stop atr(14) * 2;</c>, <c>target 1.5%;</c> or <c>trail 200 points;</c></summary>
public sealed record ProtectionStatement(ProtectionKind Kind, RuleExpression Distance) : RuleStatement;

/// <summary>
/// <c>reentry after exit;</c> after a stop or a target nothing is entered until an exit condition, or an entry the other way,
/// holds.
/// </summary>
public sealed record ReentryStatement : RuleStatement;

/// <summary><c>size risk 1%;</c></summary>
public sealed record SizeStatement(SizeBasis Basis, RuleExpression Value) : RuleStatement;

/// <summary><c>session 08:00-17:00 Europe/London on weekdays;</c> when entries may be made.</summary>
/// <param name="From">Minute of the day, inclusive; null, as <paramref name="To"/>, for the whole day.</param>
/// <param name="To">Minute of the day, exclusive; before <paramref name="From"/> for a session over midnight.</param>
/// <param name="Zone">IANA time zone; null for the rule's own.</param>
/// <param name="Days">On which days it begins; none for all.</param>
public sealed record SessionStatement(int? From, int? To, string? Zone, RuleDays Days) : RuleStatement;

/// <summary><c>timezone America/New_York;</c> what the facts of time, and sessions without a zone of their own, are counted in; else UTC.</summary>
public sealed record TimeZoneStatement(string Zone) : RuleStatement;

/// <summary>One expression of a rule.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "expression")]
[JsonDerivedType(typeof(NumberExpression), "number")]
[JsonDerivedType(typeof(TimeExpression), "time")]
[JsonDerivedType(typeof(DurationExpression), "duration")]
[JsonDerivedType(typeof(NameExpression), "name")]
[JsonDerivedType(typeof(CallExpression), "call")]
[JsonDerivedType(typeof(PastExpression), "past")]
[JsonDerivedType(typeof(QuantityExpression), "quantity")]
[JsonDerivedType(typeof(UnaryExpression), "unary")]
[JsonDerivedType(typeof(BinaryExpression), "binary")]
public abstract record RuleExpression
{
    [JsonIgnore]
    public SourcePlace At { get; init; }

    /// <summary>Nodes on the longest way down, this one included.</summary>
    [JsonIgnore]
    public virtual int Depth => 1;
}

/// <summary><c>1.5</c>; not negative.</summary>
public sealed record NumberExpression(decimal Value) : RuleExpression;

/// <summary><c>08:30</c>, a time of day.</summary>
/// <param name="Minute">0 to 1439.</param>
public sealed record TimeExpression(int Minute) : RuleExpression;

/// <summary><c>90m</c>, a length of time.</summary>
public sealed record DurationExpression(long Seconds) : RuleExpression;

/// <summary>A parameter, a let, a fact, or a feature without arguments.</summary>
public sealed record NameExpression(string Name) : RuleExpression;

/// <summary>A function or a feature with its arguments.</summary>
public sealed record CallExpression(string Name, ImmutableArray<RuleExpression> Arguments) : RuleExpression
{
    // Of JSON an argument may be null until it is refused.
    [JsonIgnore]
    public override int Depth { get; } = 1 + Arguments.Select(argument => argument?.Depth ?? 0).DefaultIfEmpty(0).Max();

    public bool Equals(CallExpression? other) => other is not null && Name == other.Name && Arguments.SequenceEqual(other.Arguments);

    public override int GetHashCode() => HashCode.Combine(Name, Arguments.Length);
}

/// <summary><c>close[1]</c>: the value some bars ago.</summary>
public sealed record PastExpression(RuleExpression Of, RuleExpression Bars) : RuleExpression
{
    [JsonIgnore]
    public override int Depth { get; } = 1 + Math.Max(Of.Depth, Bars.Depth);
}

/// <summary>What a number is made by a unit behind it.</summary>
public enum QuantityUnit { Percent, Points, Ticks }

/// <summary><c>1%</c>, <c>200 points</c> or <c>15 ticks</c>.</summary>
public sealed record QuantityExpression(RuleExpression Value, QuantityUnit Unit) : RuleExpression
{
    [JsonIgnore]
    public override int Depth { get; } = 1 + Value.Depth;
}

public enum UnaryOperator { Negate, Not }

public sealed record UnaryExpression(UnaryOperator Operator, RuleExpression Operand) : RuleExpression
{
    [JsonIgnore]
    public override int Depth { get; } = 1 + Operand.Depth;
}

public enum BinaryOperator { Or, And, Less, LessOrEqual, Greater, GreaterOrEqual, Equal, NotEqual, Add, Subtract, Multiply, Divide }

public sealed record BinaryExpression(BinaryOperator Operator, RuleExpression Left, RuleExpression Right) : RuleExpression
{
    [JsonIgnore]
    public override int Depth { get; } = 1 + Math.Max(Left.Depth, Right.Depth);
}
