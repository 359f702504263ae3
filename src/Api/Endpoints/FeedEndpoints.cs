using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Market;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>What drives the market, and the play button where that is past data.</summary>
internal static class FeedEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder feed = api.MapGroup("/feed").WithTags("Market");
        feed.MapGet("/", GetAsync).WithName("getFeed").WithSummary("Where the market stands").Query(Permission.ReadMarket);
        feed.MapPut("/", PlayAsync).WithName("playFeed").WithSummary("Plays past data on, or halts them, at a speed")
            .WithDescription("Only where the system was started with --market: the simulated market goes by the clock.")
            .Mutation(Permission.Operate, Status409Conflict);
    }

    private static async Task<Ok<FeedStatus>> GetAsync(IGrainFactory grains, ApiOptions options)
    {
        Grains.Market.FeedView view = await grains.GetGrain<IFeedGrain>(Keys.Feed).GetView();
        return TypedResults.Ok(new FeedStatus(
            view.Simulated, view.Position, view.Time == default ? options.RecordedFrom : view.Time, view.Playback is { } playback ? Of(playback) : null));
    }

    private static async Task<Results<Ok<Playback>, ProblemHttpResult>> PlayAsync(Body<PlayFeed> body, IGrainFactory grains)
    {
        PlayFeed asked = body.Value;
        return await grains.GetGrain<IFeedGrain>(Keys.Feed).Play(asked.Running!.Value, asked.Speed) is { } playback
            ? TypedResults.Ok(Of(playback))
            : Problems.Conflict(ApiReason.NoPlayback, "the market is simulated and goes by the clock; past data are played with run --market FILE");
    }

    private static Playback Of(PlaybackView view) => new(view.Running, view.Speed, view.Done, view.Total);
}
