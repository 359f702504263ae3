using HybridTrading.Api.Identity;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>Sign-in by an external OpenID Connect provider, and the links between its users and ours.</summary>
internal static class ProviderEndpoints
{
    /// <param name="api">Before anybody is known.</param>
    public static void MapDoor(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder auth = api.MapGroup("/auth/provider").WithTags("Sign-in");
        auth.MapPost("/", async (Body<StartProvider> _, SignInDesk desk, CancellationToken cancellation) =>
            TypedResults.Ok(await desk.StartProviderAsync(cancellation))).WithName("startProviderSignIn").WithSummary("Where to send the browser that signs in by the external provider")
            .WithDescription("A cookie binds what follows to this browser, for ten minutes. The provider sends the browser back to the console, with code and "
                + "state in the query.")
            .OpenToAll(Status404NotFound, Status503ServiceUnavailable);
        auth.MapPost("/complete", async (Body<CompleteProvider> body, SignInDesk desk, CancellationToken cancellation) =>
            TypedResults.Ok(await desk.CompleteProviderAsync(body.Value, cancellation))).WithName("completeProviderSignIn")
            .WithSummary("Begins a session with what the provider has answered")
            .WithDescription("With a second factor of this installation the answer is a ticket, which the code makes a session. Who has no user here needs "
                + "an invitation, or open sign-up.")
            .OpenToAll(Status401Unauthorized, Status403Forbidden, Status404NotFound, Status409Conflict, Status503ServiceUnavailable);
        auth.MapPost("/confirm", async (Body<ConfirmProvider> body, SignInDesk desk) => TypedResults.Ok(await desk.ConfirmProviderAsync(body.Value)))
            .WithName("confirmProviderSignIn").WithSummary("The code of the second factor that was still missing")
            .OpenToAll(Status401Unauthorized, Status403Forbidden, Status423Locked);
    }

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder links = api.MapGroup("/me/provider-links").WithTags("Profile");
        links.MapGet("/", (SignInDesk desk) => desk.LinksAsync()).WithName("listProviderLinks")
            .WithSummary("By which sign-ins of the external provider one gets in")
            .Query(Permission.ManageProfile);
        links.MapPost("/", async (Body<ProveToLink> body, SignInDesk desk, CancellationToken cancellation) =>
            TypedResults.Ok(await desk.StartLinkAsync(body.Value.Password, cancellation))).WithName("startProviderLink")
            .WithSummary("Where to send the browser that links the provider's sign-in to one's user")
            .Confidential(Permission.ManageProfile, Status404NotFound, Status423Locked);
        links.MapPost("/complete", async (Body<LinkProvider> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.CompleteLinkAsync(body.Value, cancellation);
            return TypedResults.Ok(await desk.LinksAsync());
        }).WithName("completeProviderLink").WithSummary("Links with what the provider has answered")
            .Confidential(Permission.ManageProfile, Status404NotFound, Status409Conflict);
        links.MapDelete("/{id}", async (string id, SignInDesk desk) =>
        {
            await desk.UnlinkAsync(id);
            return TypedResults.NoContent();
        }).WithName("removeProviderLink").WithSummary("That sign-in gets one in no more; the last way in stays")
            .Confidential(Permission.ManageProfile, Status404NotFound, Status409Conflict);
    }
}
