using System.CommandLine;

namespace HybridTrading.Silo.Commands;

/// <summary><c>--data</c>: where everything is kept.</summary>
public static class DataOption
{
    public static Option<string?> Create() => new("--data", "-d") { Description = $"data folder; default: {Default}" };

    public static string Path(string? given) => System.IO.Path.GetFullPath(given ?? Default);

    private static string Default => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "HybridTrading");
}
