using HybridTrading.Domain.Strategies.Rules;

namespace HybridTrading.Api;

/// <summary>What a text of a rule comes to.</summary>
/// <param name="Valid">It can be traded.</param>
/// <param name="Diagnostics">What is wrong, by place; empty when it is valid.</param>
/// <param name="Rule">Null when it is not valid.</param>
public sealed record RuleCheckView(bool Valid, ImmutableArray<RuleDiagnosticView> Diagnostics, RuleView? Rule)
{
    public static RuleCheckView Of(RuleCheck check) => new(
        check.Rule is not null,
        [.. check.Diagnostics.Select(each => new RuleDiagnosticView(each.Line, each.Column, each.Length, each.Message, each.Suggestion))],
        check.Rule is { } rule ? RuleView.Of(rule) : null);
}

/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 code units.</param>
/// <param name="Length">How much of the line it is about.</param>
/// <param name="Suggestion">The known name that was probably meant; null when none is near.</param>
public sealed record RuleDiagnosticView(int Line, int Column, int Length, string Message, string? Suggestion);

/// <summary>A rule that can be traded.</summary>
/// <param name="Text">In its canonical form.</param>
/// <param name="Features">What it reads, its parameters at their defaults.</param>
/// <param name="WarmUp">Bars until all of them are ready.</param>
/// <param name="Size">How its size is said; null where it takes its units.</param>
public sealed record RuleView(string Text, ImmutableArray<string> Features, int WarmUp, string? Size, ImmutableArray<ParameterView> Parameters)
{
    public static RuleView Of(RuleSummary rule) => new(
        rule.Text, [.. rule.Features.Select(feature => feature.ToString())], rule.WarmUp, rule.Size,
            StrategyDefinitionView.Of(rule.Definition).Parameters);
}

/// <summary>A word that rules can be made of.</summary>
/// <param name="Kind">Fact, Function or Feature.</param>
/// <param name="Usage">As it is written, with its defaults.</param>
/// <param name="Gives">Number, Price, Distance, Volume, Boolean, TimeOfDay, Duration, Weekday or Stance.</param>
public sealed record RuleWordView(string Kind, string Usage, string Gives, string Description);
