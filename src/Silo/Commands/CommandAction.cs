using System.CommandLine;
using HybridTrading.Api.Ports;
using HybridTrading.Storage;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary>The input was wrong: one line for the user, exit code 2.</summary>
/// <param name="details">Lines to be shown below it; null for none.</param>
public sealed class UsageException(string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    public IReadOnlyList<string> Details => details ?? [];
}

/// <summary>How every command ends: 0 done, 1 failed, 2 wrong input, 130 interrupted; never a stack trace for what the user can mend.</summary>
public static class CommandAction
{
    public const int Failed = 1, Usage = 2, Interrupted = 130;

    public static void Handle(this Command command, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                return await action(parsed, cancellation);
            }
            catch (Exception e) when (e is UsageException or PortMapException or FeedException or ArgumentException or FormatException)
            {
                int code = Error(e.Message, Usage);
                foreach (string line in (e as UsageException)?.Details ?? []) Console.Error.WriteLine(line);
                return code;
            }
            catch (Exception e) when (e is StorageException or IOException or UnauthorizedAccessException or TimeoutException)
            {
                return Error(e.Message, Failed);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return Error("interrupted", Interrupted);
            }
        });

    /// <summary>Says on one line of standard error what is wrong.</summary>
    /// <returns>The exit code.</returns>
    public static int Error(string message, int code)
    {
        Console.Error.WriteLine($"error: {message.ReplaceLineEndings(" ")}");
        return code;
    }
}
