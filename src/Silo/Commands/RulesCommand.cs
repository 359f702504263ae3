using System.CommandLine;
using System.Globalization;
using HybridTrading.Domain.Features;
using HybridTrading.Domain.Strategies;
using HybridTrading.Domain.Strategies.Rules;
using Spectre.Console;

namespace HybridTrading.Silo.Commands;

/// <summary><c>rules</c>: checks strategies without code, and says what they can be made of.</summary>
public static class RulesCommand
{
    public static Command Create()
    {
        var given = new Argument<string[]>("rules") { Description = "files, or texts of rules", Arity = ArgumentArity.OneOrMore };
        var tree = new Option<bool>("--tree") { Description = "print the rule as JSON, for programs, instead" };
        var check = new Command("check", """
            Read and check rules, and print each in its canonical form with what it reads. Exits 2 where one has errors, and shows each at its line.

            Examples:
              rules check trend.rule
              rules check 'enter long when crosses_above(sma(20), sma(50)) and rsi(14) < 70; exit when bars_in_trade > 96; stop atr(14) * 2; size risk 1%'
              rules check trend.rule --tree
            """) { given, tree };
        check.Handle((parsed, _) =>
        {
            foreach (string one in parsed.GetValue(given)!)
            {
                var rule = NamedRule.Read("rule", one);
                RuleSummary summary = rule.Check();
                if (parsed.GetValue(tree)) Console.Out.WriteLine(RuleJson.Write(summary.Syntax));
                else Print(rule.Name, summary);
            }
            return Task.FromResult(0);
        });

        var words = new Command("words", "List the facts, functions and features that rules can be made of, with what each gives.");
        words.Handle((_, _) =>
        {
            PrintWords();
            return Task.FromResult(0);
        });

        return new Command("rules", "Strategies without code: check them (rules check), or list what they can be made of (rules words). The language is in docs/rules.md.")
        {
            check, words,
        };
    }

    private static void Print(string name, RuleSummary summary)
    {
        Console.Out.WriteLine($"# {name}");
        Console.Out.WriteLine(summary.Text);
        Console.Out.WriteLine();
        Console.Out.WriteLine($"features  {string.Join(", ", summary.Features)}");
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warm-up   {summary.WarmUp} bars"));
        Console.Out.WriteLine($"size      {summary.Size ?? "units, a parameter"}");
        foreach (ParameterDefinition each in summary.Definition.AllParameters)
        {
            string step = each.Step is { } by ? string.Create(CultureInfo.InvariantCulture, $" step {by}") : "";
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"parameter {each.Name} = {each.Default}, {(each.Whole ? "whole " : "")}{each.Minimum} to {each.Maximum}{step}"));
        }
    }

    private static void PrintWords()
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("word").AddColumn("gives").AddColumn("meaning");
        void Row(string usage, string type, string meaning) => table.AddRow(Markup.Escape(usage), Markup.Escape(type), Markup.Escape(meaning));
        foreach ((_, RuleWord word) in RuleVocabulary.Facts) Row(word.Usage, word.Type.ToString(), word.Description);
        foreach (RuleWord word in RuleVocabulary.Functions) Row(word.Usage, word.Type.ToString(), word.Description);
        foreach (FeatureDefinition feature in RuleVocabulary.Features)
        {
            for (int output = 0; output < feature.Outputs.Length; output++)
            {
                FeatureOutput each = feature.Outputs[output];
                Row(feature.Usage(output), each.Unit.ToString(), $"{feature.Description} {each.Description}".Trim());
            }
        }
        Tables.Print(table);
    }
}
