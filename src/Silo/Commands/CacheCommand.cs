using System.CommandLine;
using System.Globalization;
using HybridTrading.Storage.Feeds;

namespace HybridTrading.Silo.Commands;

/// <summary><c>cache status</c> and <c>cache clear</c>: parsed data that back-tests keep.</summary>
public static class CacheCommand
{
    public static Command Create()
    {
        var command = new Command("cache", """
            Parsed price data that back-tests, searches and replays keep so that a file is parsed once. All of it can be deleted at any time.

            Examples:
              cache status
              cache clear
              cache clear --cache /srv/cache
            """);
        command.Add(Create("status", "Show where the cache is and how much it holds.", SeriesCache.Status, "holds"));
        command.Add(Create("clear", "Delete all parsed data that no run is using.", SeriesCache.Clear, "deleted"));
        return command;
    }

    private static Command Create(string name, string description, Func<string, SeriesCacheStatus> act, string verb)
    {
        Option<string?> folder = CacheOptions.FolderOption();
        var command = new Command(name, description) { folder };
        command.Handle((parsed, _) =>
        {
            SeriesCacheStatus status = act(parsed.GetValue(folder) ?? SeriesCache.DefaultFolder);
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{status.Folder}: {verb} {status.Series:N0} series, {status.Bytes / 1e6:N1} MB"));
            return Task.FromResult(0);
        });
        return command;
    }
}
