namespace HybridTrading.Domain.Strategies.Rules;

/// <summary>What is wrong in a rule, and where.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 code units.</param>
/// <param name="Length">How much of the line it is about; at least 1.</param>
/// <param name="Suggestion">The known name that was probably meant; null when none is near.</param>
public sealed record RuleDiagnostic(int Line, int Column, int Length, string Message, string? Suggestion)
{
    internal static RuleDiagnostic Of(SourcePlace at, string message, string? suggestion = null) =>
        new(at.Line, at.Column, Math.Max(1, at.Length), message, suggestion);

    /// <summary><c>line 1, column 34: unknown feature 'smaa'; nearest is 'sma'</c></summary>
    public override string ToString() => $"line {Line}, column {Column}: {Message}{(Suggestion is null ? "" : $"; nearest is '{Suggestion}'")}";

    /// <summary>The line of <paramref name="text"/> that it is about, and a caret below the column; a long line is cut.</summary>
    public string Excerpt(string text)
    {
        const int widest = 100;
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        string line = Line <= lines.Length ? lines[Line - 1] : "";
        int column = Math.Min(Column - 1, line.Length);
        int start = Math.Max(0, column - widest / 2);
        string shown = line.Substring(start, Math.Min(widest, line.Length - start));
        // What would move the caret, or the terminal, is shown as a space.
        shown = string.Concat(shown.Select(c => char.IsControl(c) ? ' ' : c));
        int carets = Math.Clamp(Length, 1, Math.Max(1, shown.Length - (column - start)));
        return $"  {shown}\n  {new string(' ', column - start)}{new string('^', carets)}";
    }
}

/// <summary>A rule with errors in it: nothing was made of it.</summary>
public sealed class RuleException(ImmutableArray<RuleDiagnostic> diagnostics)
    : ArgumentException(string.Join(" | ", diagnostics.Select(diagnostic => diagnostic.ToString())))
{
    public ImmutableArray<RuleDiagnostic> Diagnostics => diagnostics;
}
