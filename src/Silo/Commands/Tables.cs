using Spectre.Console;

namespace HybridTrading.Silo.Commands;

/// <summary>Prints tables on standard output: as wide as a terminal is, and unbroken, a row a line, into a file or a pipe.</summary>
public static class Tables
{
    // Wider than any table of ours; a table takes what it needs of it.
    private const int Unbroken = 10_000;

    private static readonly IAnsiConsole Output = Open();

    public static void Print(Table table) => Output.Write(table);

    private static IAnsiConsole Open()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) });
        if (Console.IsOutputRedirected) console.Profile.Width = Unbroken;
        return console;
    }
}
