using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace HybridTrading.Silo.Commands;

/// <summary>
/// Any option may come from the environment, which is what containers have: <c>--cluster-listen</c> is <c>HYBRID_CLUSTER_LISTEN</c>. The command line
/// comes first, an empty variable counts as none, and an option without a value (<c>--no-demo</c>) takes true or false.
/// </summary>
public static class EnvironmentOptions
{
    public const string Prefix = "HYBRID_";

    /// <summary>The variable of an option: <c>--cluster-listen</c> gives <c>HYBRID_CLUSTER_LISTEN</c>.</summary>
    public static string VariableOf(Option option) => Prefix + option.Name.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>What the environment adds to a command line.</summary>
    /// <returns>Words for the end of the line: one for each option of the chosen command that has a variable and is not on the line.</returns>
    public static string[] Read(ParseResult parsed, Func<string, string?> environment) =>
    [
        .. from option in OptionsOf(parsed.CommandResult)
           where parsed.GetResult(option) is null or { Implicit: true }
           let value = environment(VariableOf(option))
           where !string.IsNullOrWhiteSpace(value)
           select $"{option.Name}={value}",
    ];

    private static IEnumerable<Option> OptionsOf(CommandResult chosen)
    {
        IEnumerable<Option> inherited = Ancestors(chosen).SelectMany(command => command.Options).Where(option => option.Recursive);
        return chosen.Command.Options.Concat(inherited).Where(option => option is not (HelpOption or VersionOption));
    }

    private static IEnumerable<Command> Ancestors(CommandResult chosen)
    {
        for (SymbolResult? above = chosen.Parent; above is not null; above = above.Parent)
        {
            if (above is CommandResult result) yield return result.Command;
        }
    }
}
