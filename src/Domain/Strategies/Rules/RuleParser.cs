namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>
/// Reads a rule by recursive descent; the grammar is in docs/rules.md. A faulty statement is reported and passed over, so that all errors of a text
/// come together.
/// </summary>
internal sealed class RuleParser
{
    private static readonly ImmutableArray<string> StatementWords =
        ["param", "let", "require", "enter", "exit", "stop", "target", "trail", "reentry", "size", "session", "timezone"];

    private readonly RuleLexer _lexer;
    private readonly List<RuleDiagnostic> _faults = [];
    private readonly HashSet<string> _broken;
    private Token _token;
    private string? _naming;
    private int _nodes;
    private int _nesting;

    private RuleParser(string text, HashSet<string> broken) => (_lexer, _broken) = (new RuleLexer(text), broken);

    /// <summary>The statements that could be read, and what is wrong with the others.</summary>
    /// <param name="broken">Gets the names that the others would have given: who uses one is not at fault.</param>
    public static RuleSyntax Parse(string text, List<RuleDiagnostic> faults, HashSet<string> broken)
    {
        if (text.Length > RuleLimits.Text)
        {
            faults.Add(RuleDiagnostic.Of(new SourcePlace(1, 1, 1), $"the rule is {text.Length} characters long; expected at most {RuleLimits.Text}"));
            return new RuleSyntax([]);
        }
        var parser = new RuleParser(text, broken);
        RuleSyntax syntax = parser.Rule();
        faults.AddRange(parser._faults);
        return syntax;
    }

    private RuleSyntax Rule()
    {
        ImmutableArray<RuleStatement>.Builder statements = ImmutableArray.CreateBuilder<RuleStatement>();
        Advance(recover: true);
        while (_token.Kind != TokenKind.End && _faults.Count < RuleLimits.Diagnostics)
        {
            int start = _token.Start;
            _naming = null;
            try
            {
                if (statements.Count == RuleLimits.Statements) throw Fault(_token.At, $"the rule has more than {RuleLimits.Statements} statements");
                statements.Add(Statement());
                if (_token.Kind != TokenKind.End) Expect(";");
            }
            catch (RuleFault fault)
            {
                _faults.Add(fault.Diagnostic);
                if (_naming is not null) _broken.Add(_naming);
                if (statements.Count == RuleLimits.Statements || _nodes > RuleLimits.Nodes) break;
                _nesting = 0;
                Recover(start);
            }
        }
        return new RuleSyntax(statements.ToImmutable());
    }

    /// <summary>Goes to the next statement: behind a semicolon, or at a word that only begins one.</summary>
    private void Recover(int start)
    {
        while (_token.Kind != TokenKind.End)
        {
            if (Is(";"))
            {
                Advance(recover: true);
                return;
            }
            if (_token.Start > start && _token.Kind == TokenKind.Name && StatementWords.Contains(_token.Text)) return;
            Advance(recover: true);
        }
    }

    private RuleStatement Statement()
    {
        Token word = _token;
        if (word.Kind != TokenKind.Name || !StatementWords.Contains(word.Text))
        {
            throw Fault(word.At, $"expected a statement, found {Shown(word)}; statements begin with {string.Join(", ", StatementWords)}",
                word.Kind == TokenKind.Name ? NearestName.Find(word.Text, StatementWords) : null);
        }
        Advance();
        RuleStatement statement = word.Text switch
        {
            "param" => Param(),
            "let" => Let(),
            "require" => new RequireStatement(Expression()),
            "enter" => Enter(),
            "exit" => Exit(),
            "stop" => new ProtectionStatement(ProtectionKind.Stop, Expression()),
            "target" => new ProtectionStatement(ProtectionKind.Target, Expression()),
            "trail" => new ProtectionStatement(ProtectionKind.Trail, Expression()),
            "reentry" => Reentry(),
            "size" => Size(),
            "session" => Session(),
            _ => new TimeZoneStatement(Zone()),
        };
        return statement with { At = word.At };
    }

    private ParamStatement Param()
    {
        string name = NewName("parameter");
        Expect("=");
        decimal standard = SignedNumber();
        ExpectWord("from");
        decimal from = SignedNumber();
        ExpectWord("to");
        decimal to = SignedNumber();
        decimal? step = null;
        if (IsWord("step"))
        {
            Advance();
            step = SignedNumber();
        }
        return new ParamStatement(name, standard, from, to, step);
    }

    private LetStatement Let()
    {
        string name = NewName("let");
        Expect("=");
        return new LetStatement(name, Expression());
    }

    private EnterStatement Enter()
    {
        RuleDirection direction = Direction() ?? throw Fault(_token.At, $"expected long or short, found {Shown(_token)}");
        ExpectWord("when");
        return new EnterStatement(direction, Expression());
    }

    private ExitStatement Exit()
    {
        RuleDirection? direction = Direction();
        ExpectWord("when");
        return new ExitStatement(direction, Expression());
    }

    private ReentryStatement Reentry()
    {
        ExpectWord("after");
        ExpectWord("exit");
        return new ReentryStatement();
    }

    private SizeStatement Size()
    {
        SizeBasis basis = _token switch
        {
            { Kind: TokenKind.Name, Text: "risk" } => SizeBasis.Risk,
            { Kind: TokenKind.Name, Text: "equity" } => SizeBasis.Equity,
            { Kind: TokenKind.Name, Text: "lots" } => SizeBasis.Lots,
            { Kind: TokenKind.Name, Text: "units" } => SizeBasis.Units,
            { Kind: TokenKind.Name, Text: "notional" } => SizeBasis.Notional,
            _ => throw Fault(_token.At, $"expected risk, equity, lots, units or notional, found {Shown(_token)}",
                _token.Kind == TokenKind.Name ? NearestName.Find(_token.Text, ["risk", "equity", "lots", "units", "notional"]) : null),
        };
        Advance();
        return new SizeStatement(basis, Expression());
    }

    private SessionStatement Session()
    {
        int? from = null, to = null;
        string? zone = null;
        RuleDays days = RuleDays.None;
        Token start = _token;
        if (_token.Kind == TokenKind.Time)
        {
            from = TimeOfDay();
            Expect("-");
            to = TimeOfDay();
        }
        if (_token.Kind == TokenKind.Name && !IsWord("on")) zone = Zone();
        if (IsWord("on"))
        {
            do
            {
                Advance();
                days |= Day();
            }
            while (Is(","));
        }
        return from is null && days == RuleDays.None
            ? throw Fault(start.At, $"expected a session such as 08:00-17:00 or on weekdays, found {Shown(start)}")
            : new SessionStatement(from, to, zone, days);
    }

    private int TimeOfDay()
    {
        if (_token.Kind != TokenKind.Time) throw Fault(_token.At, $"expected a time of day such as 17:00, found {Shown(_token)}");
        int minute = (int)_token.Value;
        Advance();
        return minute;
    }

    private RuleDays Day()
    {
        ReadOnlySpan<string> names = Enum.GetNames<RuleDays>().AsSpan()[1..];
        foreach (string name in names)
        {
            if (!IsWord(name.ToLowerInvariant())) continue;
            Advance();
            return Enum.Parse<RuleDays>(name);
        }
        throw Fault(_token.At, $"expected a day of the week, weekdays or weekend, found {Shown(_token)}",
            _token.Kind == TokenKind.Name ? NearestName.Find(_token.Text, names.ToArray().Select(name => name.ToLowerInvariant())) : null);
    }

    private string Zone()
    {
        if (_token.Kind != TokenKind.Name) throw Fault(_token.At, $"expected a time zone such as Europe/London, found {Shown(_token)}");
        Token zone = _lexer.Zone(_token);
        if (RuleTime.FindZone(zone.Text) is null)
        {
            _token = zone;
            throw Fault(zone.At,
                $"unknown time zone '{(zone.Text.Length > 40 ? zone.Text[..40] : zone.Text)}'", NearestName.Find(zone.Text, RuleTime.ZoneNames));
        }
        Advance();
        return zone.Text;
    }

    private RuleDirection? Direction()
    {
        RuleDirection? direction = IsWord("long") ? RuleDirection.Long : IsWord("short") ? RuleDirection.Short : null;
        if (direction is not null) Advance();
        return direction;
    }

    private string NewName(string what)
    {
        if (_token.Kind != TokenKind.Name || _token.Text.Contains('.'))
        {
            throw Fault(_token.At, $"expected the name of the {what}, found {Shown(_token)}");
        }
        string name = _token.Text;
        if (RuleVocabulary.IsTaken(name)) throw Fault(_token.At, $"'{name}' has a meaning already; choose another name for the {what}");
        _naming = name;
        Advance();
        return name;
    }

    private decimal SignedNumber()
    {
        bool negative = Is("-");
        if (negative) Advance();
        if (_token.Kind != TokenKind.Number) throw Fault(_token.At, $"expected a number, found {Shown(_token)}");
        decimal value = _token.Value;
        Advance();
        return negative ? -value : value;
    }

    private RuleExpression Expression()
    {
        if (++_nesting > RuleLimits.Depth) throw TooDeep(_token.At);
        RuleExpression expression = Or();
        _nesting--;
        return expression;
    }

    private RuleExpression Or() => Chain(And, token => IsWord(token, "or") ? BinaryOperator.Or : null);

    private RuleExpression And() => Chain(Not, token => IsWord(token, "and") ? BinaryOperator.And : null);

    private RuleExpression Not()
    {
        if (!IsWord("not")) return Comparison();
        Token word = _token;
        Advance();
        if (++_nesting > RuleLimits.Depth) throw TooDeep(word.At);
        RuleExpression operand = Not();
        _nesting--;
        return Node(new UnaryExpression(UnaryOperator.Not, operand), word.At);
    }

    private RuleExpression Comparison()
    {
        RuleExpression left = Sum();
        if (Is("=")) throw Fault(_token.At, "'=' does not compare", "==");
        if (ComparisonOf(_token) is not { } comparison) return left;
        Token sign = _token;
        Advance();
        RuleExpression compared = Node(new BinaryExpression(comparison, left, Sum()), sign.At);
        return ComparisonOf(_token) is null
            ? compared
            : throw Fault(_token.At, "comparisons do not chain; write for example 'a < b and b < c'");
    }

    private static BinaryOperator? ComparisonOf(Token token) => token.Kind != TokenKind.Symbol ? null : token.Text switch
    {
        "<" => BinaryOperator.Less,
        "<=" => BinaryOperator.LessOrEqual,
        ">" => BinaryOperator.Greater,
        ">=" => BinaryOperator.GreaterOrEqual,
        "==" => BinaryOperator.Equal,
        "!=" => BinaryOperator.NotEqual,
        _ => null,
    };

    private RuleExpression Sum() => Chain(Product, token => token is not { Kind: TokenKind.Symbol } ? null
        : token.Text switch { "+" => BinaryOperator.Add, "-" => BinaryOperator.Subtract, _ => null });

    private RuleExpression Product() => Chain(Signed, token => token is not { Kind: TokenKind.Symbol } ? null
        : token.Text switch { "*" => BinaryOperator.Multiply, "/" => BinaryOperator.Divide, _ => null });

    private RuleExpression Chain(Func<RuleExpression> part, Func<Token, BinaryOperator?> joins)
    {
        RuleExpression left = part();
        while (joins(_token) is { } joined)
        {
            SourcePlace at = _token.At;
            Advance();
            left = Node(new BinaryExpression(joined, left, part()), at);
        }
        return left;
    }

    private RuleExpression Signed()
    {
        if (!Is("-")) return Postfix();
        SourcePlace at = _token.At;
        Advance();
        if (++_nesting > RuleLimits.Depth) throw TooDeep(at);
        RuleExpression operand = Signed();
        _nesting--;
        return Node(new UnaryExpression(UnaryOperator.Negate, operand), at);
    }

    private RuleExpression Postfix()
    {
        RuleExpression expression = Primary();
        while (true)
        {
            SourcePlace at = _token.At;
            if (Is("["))
            {
                Advance();
                RuleExpression bars = Expression();
                Expect("]");
                expression = Node(new PastExpression(expression, bars), at);
            }
            else if (UnitOf(_token) is { } unit)
            {
                Advance();
                expression = Node(new QuantityExpression(expression, unit), at);
            }
            else
            {
                return expression;
            }
        }
    }

    private static QuantityUnit? UnitOf(Token token) => token switch
    {
        { Kind: TokenKind.Symbol, Text: "%" } => QuantityUnit.Percent,
        { Kind: TokenKind.Name, Text: "points" } => QuantityUnit.Points,
        { Kind: TokenKind.Name, Text: "ticks" } => QuantityUnit.Ticks,
        _ => null,
    };

    private RuleExpression Primary()
    {
        Token token = _token;
        switch (token.Kind)
        {
            case TokenKind.Number:
                Advance();
                return Node(new NumberExpression(token.Value), token.At);
            case TokenKind.Time:
                Advance();
                return Node(new TimeExpression((int)token.Value), token.At);
            case TokenKind.Duration:
                Advance();
                return Node(new DurationExpression((long)token.Value), token.At);
            case TokenKind.Name when !RuleVocabulary.Reserved.Contains(token.Text):
                Advance();
                return Is("(") ? Node(new CallExpression(token.Text, Arguments()), token.At) : Node(new NameExpression(token.Text), token.At);
            case TokenKind.Symbol when token.Text == "(":
                Advance();
                RuleExpression inner = Expression();
                Expect(")");
                return inner;
            default:
                throw Fault(token.At, $"expected a value, found {Shown(token)}");
        }
    }

    private ImmutableArray<RuleExpression> Arguments()
    {
        ImmutableArray<RuleExpression>.Builder arguments = ImmutableArray.CreateBuilder<RuleExpression>();
        Advance();
        if (!Is(")"))
        {
            arguments.Add(Expression());
            while (Is(","))
            {
                Advance();
                arguments.Add(Expression());
            }
        }
        Expect(")");
        return arguments.ToImmutable();
    }

    private RuleExpression Node(RuleExpression expression, SourcePlace at)
    {
        if (++_nodes > RuleLimits.Nodes) throw Fault(at, $"the rule has more than {RuleLimits.Nodes} values and operators");
        return expression.Depth > RuleLimits.Depth ? throw TooDeep(at) : expression with { At = at };
    }

    private bool Is(string symbol) => _token.Kind == TokenKind.Symbol && _token.Text == symbol;

    private bool IsWord(string word) => IsWord(_token, word);

    private static bool IsWord(Token token, string word) => token.Kind == TokenKind.Name && token.Text == word;

    private void Expect(string symbol)
    {
        if (!Is(symbol)) throw Fault(_token.At, $"expected '{symbol}', found {Shown(_token)}");
        Advance();
    }

    private void ExpectWord(string word)
    {
        if (!IsWord(word))
        {
            throw Fault(_token.At,
                $"expected '{word}', found {Shown(_token)}", _token.Kind == TokenKind.Name ? NearestName.Find(_token.Text, [word]) : null);
        }
        Advance();
    }

    /// <param name="recover">What is no word is reported and passed over; else it ends the statement.</param>
    private void Advance(bool recover = false)
    {
        while (true)
        {
            try
            {
                _token = _lexer.Next();
                return;
            }
            catch (RuleFault fault) when (recover)
            {
                if (_faults.Count < RuleLimits.Diagnostics) _faults.Add(fault.Diagnostic);
            }
        }
    }

    private static string Shown(Token token) => token.Kind == TokenKind.End ? "the end"
        : $"'{token.Text}'";

    private static RuleFault TooDeep(SourcePlace at) => Fault(at, $"nested more than {RuleLimits.Depth} deep");

    private static RuleFault Fault(SourcePlace at, string message, string? suggestion = null) => new(RuleDiagnostic.Of(at, message, suggestion));
}
