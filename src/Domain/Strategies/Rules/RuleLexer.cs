using System.Globalization;

namespace HybridTrading.Domain.Strategies.Rules;

internal enum TokenKind { Name, Number, Time, Duration, Symbol, End }

/// <summary>A word of a rule.</summary>
/// <param name="Text">Names in lower case; else as it stands.</param>
/// <param name="Start">Index in the text.</param>
/// <param name="Value">Of a number; minutes of a time; seconds of a duration.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Start, SourcePlace At, decimal Value = 0);

/// <summary>A fault that ends the statement, or the text, that it is in.</summary>
internal sealed class RuleFault(RuleDiagnostic diagnostic) : Exception
{
    public RuleDiagnostic Diagnostic => diagnostic;
}

/// <summary>Takes a text apart into words. Space and what follows a <c>#</c> on its line say nothing.</summary>
internal sealed class RuleLexer(string text)
{
    private static readonly ImmutableArray<string> Symbols =
        ["<=", ">=", "==", "!=", "<", ">", "=", ";", ",", "(", ")", "[", "]", "+", "-", "*", "/", "%"];

    private int _next;
    private int _line = 1;
    private int _lineStart;

    /// <exception cref="RuleFault">What comes next is no word; it has been passed over.</exception>
    public Token Next()
    {
        SkipSpace();
        int start = _next;
        if (start == text.Length) return new Token(TokenKind.End, "", start, Place(start, 1));
        char first = text[start];
        if (char.IsAsciiLetter(first) || first == '_') return Name(start);
        if (char.IsAsciiDigit(first) || (first == '.' && start + 1 < text.Length && char.IsAsciiDigit(text[start + 1]))) return Number(start);
        foreach (string symbol in Symbols)
        {
            if (string.CompareOrdinal(text, start, symbol, 0, symbol.Length) != 0) continue;
            _next += symbol.Length;
            return new Token(TokenKind.Symbol, symbol, start, Place(start, symbol.Length));
        }
        _next += char.IsSurrogatePair(text, start) ? 2 : 1;
        throw Stranger(start, first);
    }

    /// <summary>Reads a time zone, which is written with signs and in a case of its own, where <paramref name="token"/> was read.</summary>
    public Token Zone(Token token)
    {
        _next = token.Start;
        while (_next < text.Length && (char.IsAsciiLetterOrDigit(text[_next]) || text[_next] is '/' or '_' or '-' or '+')) _next++;
        return token with { Text = text[token.Start.._next], At = Place(token.Start, _next - token.Start) };
    }

    private Token Name(int start)
    {
        while (_next < text.Length && IsNamePart(_next)) _next++;
        SourcePlace at = Place(start, _next - start);
        return _next - start > RuleLimits.Name
            ? throw new RuleFault(RuleDiagnostic.Of(at, $"the name is {_next - start} characters long; expected at most {RuleLimits.Name}"))
            : new Token(TokenKind.Name, text[start.._next].ToLowerInvariant(), start, at);
    }

    private bool IsNamePart(int at) => char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'
        || (text[at] == '.' && at + 1 < text.Length && char.IsAsciiLetter(text[at + 1]));

    private Token Number(int start)
    {
        while (_next < text.Length && (char.IsAsciiLetterOrDigit(text[_next]) || text[_next] is '.' or ':' or '_')) _next++;
        string word = text[start.._next];
        SourcePlace at = Place(start, word.Length);
        if (word.Contains(':')) return Time(word, start, at);
        string digits = char.IsAsciiLetter(word[^1]) ? word[..^1] : word;
        if (digits.Count(char.IsAsciiDigit) > RuleLimits.Digits)
        {
            throw new RuleFault(RuleDiagnostic.Of(at,
                $"the number has {digits.Count(char.IsAsciiDigit)} digits; expected at most {RuleLimits.Digits}"));
        }
        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value) || digits.EndsWith('.'))
        {
            throw new RuleFault(RuleDiagnostic.Of(at, $"'{Shown(word)}' is no number; expected for example 14, 0.5, 08:30 or 4h"));
        }
        if (digits.Length == word.Length) return new Token(TokenKind.Number, word, start, at, value);
        int unit = char.ToLowerInvariant(word[^1]) switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 };
        decimal seconds = value * unit;
        if (unit == 0 || seconds != decimal.Truncate(seconds) || seconds > 1_000_000_000)
        {
            throw new RuleFault(RuleDiagnostic.Of(at,
                $"'{Shown(word)}' is no number and no length of time; expected for example 30s, 15m, 4h or 2d"));
        }
        return new Token(TokenKind.Duration, word, start, at, seconds);
    }

    private static Token Time(string word, int start, SourcePlace at)
    {
        int colon = word.IndexOf(':');
        bool isHours = int.TryParse(word.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out int hours);
        bool isMinutes = int.TryParse(word.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int minutes);
        return isHours && isMinutes && hours < 24 && minutes < 60 && colon <= 2 && word.Length == colon + 3
            ? new Token(TokenKind.Time, word, start, at, 60 * hours + minutes)
            : throw new RuleFault(RuleDiagnostic.Of(at, $"'{Shown(word)}' is no time of day; expected 00:00 to 23:59"));
    }

    private RuleFault Stranger(int start, char first)
    {
        string? word = first switch { '&' => "and", '|' => "or", '!' => "not", '{' or '}' => null, _ => null };
        string shown = char.IsControl(first) || char.IsSurrogate(first) ? $"U+{(int)first:X4}" : first.ToString();
        return new RuleFault(RuleDiagnostic.Of(Place(start, 1), $"unexpected character '{shown}'", word));
    }

    private void SkipSpace()
    {
        for (; _next < text.Length; _next++)
        {
            char c = text[_next];
            if (c == '#')
            {
                while (_next + 1 < text.Length && text[_next + 1] is not ('\n' or '\r')) _next++;
            }
            else if (c == '\n' || (c == '\r' && (_next + 1 == text.Length || text[_next + 1] != '\n')))
            {
                _line++;
                _lineStart = _next + 1;
            }
            else if (c is not (' ' or '\t' or '\r' or '\uFEFF'))
            {
                return;
            }
        }
    }

    private SourcePlace Place(int start, int length) => new(_line, start - _lineStart + 1, length);

    private static string Shown(string word) => word.Length > 40 ? word[..40] + "..." : word;
}
