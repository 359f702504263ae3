using HybridTrading.Domain.Strategies.Rules;
using HybridTrading.Silo.Commands;

namespace HybridTrading.Silo;

/// <summary>A rule as a run was given it.</summary>
/// <param name="Name">What its strategy is called: of a file its own name.</param>
/// <param name="Text">As it was written.</param>
public sealed record NamedRule(string Name, string Text)
{
    /// <summary>Reads what <c>--rule</c> says: a file, or the text itself.</summary>
    /// <exception cref="UsageException">There is no such file, or it is too large.</exception>
    public static NamedRule Read(string option, string given)
    {
        if (File.Exists(given))
        {
            if (new FileInfo(given).Length > 4 * RuleLimits.Text) throw new UsageException($"{option} {given}: expected at most {RuleLimits.Text} characters");
            string name = string.Concat(Path.GetFileNameWithoutExtension(given).ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
            return new NamedRule(Grains.Keys.IsName(name) ? name : RuleLanguage.DefinitionName, File.ReadAllText(given));
        }
        // A text has several words, a file that is not there has none.
        return given.Trim().Contains(' ') || given.Contains(';')
            ? new NamedRule(RuleLanguage.DefinitionName, given)
            : throw new UsageException($"{option} is '{given}'; expected a file, or a rule such as 'enter long when close > sma(50); exit when close < sma(50);'");
    }

    /// <summary>The rule, checked.</summary>
    /// <exception cref="UsageException">It has errors: the first in the message, each with its line below.</exception>
    public RuleSummary Check()
    {
        RuleCheck check = RuleLanguage.Check(Text);
        return check.Rule ?? throw new UsageException($"{Name}: {check.Diagnostics[0]}", Details(check));
    }

    private List<string> Details(RuleCheck check)
    {
        List<string> lines = [check.Diagnostics[0].Excerpt(Text)];
        foreach (RuleDiagnostic diagnostic in check.Diagnostics.Skip(1))
        {
            lines.Add($"{Name}: {diagnostic}");
            lines.Add(diagnostic.Excerpt(Text));
        }
        return lines;
    }
}
