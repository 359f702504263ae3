using HybridTrading.Api.Ports;
using HybridTrading.Domain.Journal;
using HybridTrading.Grains.Market;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

/// <summary>What runs here, for a person who looks.</summary>
internal static class SystemEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/system", GetAsync).WithTags("System").WithName("getSystem").WithSummary("What runs here, what is simulated, and where the data lies");

    private static async Task<Ok<SystemView>> GetAsync(
        ApiOptions options, StartTime started, IGrainFactory grains, IJournal journal, TimeProvider clock, IServiceProvider services)
    {
        MarketView?[] markets = await Task.WhenAll(options.Universe.Instruments.Select(one => MarketAsync(grains, one.Symbol)));
        MarketView? latest = markets.MaxBy(market => market?.Position ?? -1);
        long position = latest?.Position ?? -1;
        DateTime? time = latest is { Position: >= 0 } ? latest.Quote.Time : null;
        double? age = time is { } seen ? Math.Max(0, (clock.GetUtcNow().UtcDateTime - seen).TotalSeconds) : null;
        IEnumerable<HostedService> hosted = services.GetService<ServiceEndpoints>()?.Hosted ?? [];
        return TypedResults.Ok(new SystemView(
            HybridApi.Version, options.Host, options.Simulated, options.Notices, options.DataFolder, started.Utc,
            new FeedView(options.FeedName, position, time, age), new JournalView(journal.DurableSize),
            [.. hosted.Select(one => new ServiceView(one.Name, one.Port))]));
    }

    /// <summary>Null for a market that does not answer: who asks what runs here is to see that, and the rest.</summary>
    private static async Task<MarketView?> MarketAsync(IGrainFactory grains, string symbol)
    {
        try
        {
            return await grains.GetGrain<IMarketReplicaGrain>(symbol).GetView();
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            return null;
        }
    }
}

/// <summary>When the process put its services together.</summary>
public sealed class StartTime(TimeProvider clock)
{
    public DateTime Utc { get; } = clock.GetUtcNow().UtcDateTime;
}
