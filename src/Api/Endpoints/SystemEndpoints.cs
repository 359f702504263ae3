using HybridTrading.Api.Ports;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Market;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

/// <summary>What runs here, for a person who looks.</summary>
internal static class SystemEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/system", GetAsync).WithTags("System").WithName("getSystem").WithSummary("What runs here, what is simulated, and where the data lies")
            .Query(Permission.ReadSystem);

    private static async Task<Ok<SystemView>> GetAsync(
        ApiOptions options, StartTime started, LatestMarket market, IJournal journal, TimeProvider clock, IServiceProvider services)
    {
        MarketView? latest = await market.GetAsync();
        long position = latest?.Position ?? -1;
        DateTime? time = latest is { Position: >= 0 } ? latest.Quote.Time : null;
        double? age = options.RecordedFrom is null && time is { } seen ? Math.Max(0, (clock.GetUtcNow().UtcDateTime - seen).TotalSeconds) : null;
        IEnumerable<HostedService> hosted = services.GetService<ServiceEndpoints>()?.Hosted ?? [];
        return TypedResults.Ok(new SystemView(
            HybridApi.Version, options.Host, options.Simulated, options.Notices, options.DataFolder, started.Utc,
            new FeedView(options.FeedName, position, time, age), new JournalView(journal.DurableSize),
            [.. hosted.Select(one => new ServiceView(one.Name, one.Port))]));
    }
}

/// <summary>When the process put its services together.</summary>
public sealed class StartTime(TimeProvider clock)
{
    public DateTime Utc { get; } = clock.GetUtcNow().UtcDateTime;
}
