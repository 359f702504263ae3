using System.CommandLine;

namespace HybridTrading.Silo.Commands;

/// <summary><c>run</c>: the live system.</summary>
public static class RunCommand
{
    public static Command Create() { var c = new Command("run", "live"); c.Handle((_, _) => Task.FromResult(0)); return c; }
    public static void MakeDefault(RootCommand root, Command run) { }
}
