using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Alerts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace HybridTrading.Api.Endpoints;

/// <summary>What the caller was told, and how it got there.</summary>
internal static class AlertEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder alerts = api.MapGroup("/alerts").WithTags("Alerts");
        alerts.MapGet("/", ListAsync).WithName("listAlerts").Weighs(5).WithSummary("The caller's alerts, the latest first")
            .WithDescription("before is the next of the page before. Each alert says how it stands on each channel.").Query(Permission.ReadTrading);
        alerts.MapGet("/channels", ChannelsAsync).WithName("listAlertChannels").WithSummary("Where the caller's alerts go, and whether they get there")
            .Query(Permission.Configure);
        alerts.MapPost("/test", TestAsync).WithName("testAlerts").Weighs(10).WithSummary("Sends a test alert to all channels now")
            .WithDescription("A web hook that was switched off after a 410 is switched on again. What came of it is in the list.").Mutation(Permission.Configure);
    }

    private static async Task<Ok<AlertPage>> ListAsync(
        ICaller caller, AlertQueries alerts, ReadSide reads, CancellationToken cancellation, int? limit = null, long? before = null, long? minPosition = null)
    {
        int size = EndpointConventions.Limit(limit, 50);
        await reads.WaitForAsync(AlertProjection.ProjectionName, minPosition, cancellation);
        ImmutableArray<AlertRow> rows = alerts.Alerts(caller.Person(), before, size);
        return TypedResults.Ok(new AlertPage([.. rows.Select(AlertView.Of)], rows.Length == size ? rows[^1].Number : null));
    }

    private static async Task<Ok<ImmutableArray<AlertChannelState>>> ChannelsAsync(IGrainFactory grains, ICaller caller)
    {
        ImmutableArray<AlertChannelView> channels = await grains.GetGrain<IAlertsGrain>(caller.Person()).GetChannels();
        return TypedResults.Ok<ImmutableArray<AlertChannelState>>([.. channels.Select(AlertChannelState.Of)]);
    }

    private static async Task<Ok<AlertTestStarted>> TestAsync(IGrainFactory grains, ICaller caller, HttpContext context)
    {
        AlertTested tested = await grains.GetGrain<IAlertsGrain>(caller.Person()).Test();
        return TypedResults.Ok(new AlertTestStarted(context.SetMinPosition(tested.Position), tested.Number, tested.Channels));
    }
}
