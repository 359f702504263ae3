using HybridTrading.Api.Contract;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Ports;
using HybridTrading.Api.Requests;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>The door: everything that is open to somebody who is not yet known.</summary>
internal static class AuthEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder auth = api.MapGroup("/auth").WithTags("Sign-in");
        auth.MapGet("/state", (SignInDesk desk) => desk.StateAsync()).WithName("getSignInState")
            .WithSummary("Whether there is an owner, and who may sign up").OpenToAll();
        auth.MapPost("/setup", async (Body<SetUp> body, SignInDesk desk) => TypedResults.Ok(await desk.SetUpAsync(body.Value))).WithName("setUp")
            .WithSummary("Makes the first owner, by the link that the program has printed").OpenToAll(Status403Forbidden, Status409Conflict);
        auth.MapPost("/sign-in", async (Body<SignIn> body, SignInDesk desk) => TypedResults.Ok(await desk.SignInAsync(body.Value))).WithName("signIn")
            .WithSummary("Begins a session")
            .WithDescription("With a second factor the first answer is SecondFactorNeeded; the same again with the code. Five wrong passwords in a row close the door for half a minute, each further one for twice as long, to a quarter of an hour.")
            .OpenToAll(Status401Unauthorized, Status403Forbidden, Status423Locked, Status503ServiceUnavailable);
        auth.MapPost("/refresh", async (Body<RefreshSession> body, SignInDesk desk) => TypedResults.Ok(await desk.RefreshAsync(body.Value.RefreshToken)))
            .WithName("refreshSession").WithSummary("Renews a session: a new access token, and a new refresh token in place of the old")
            .WithDescription("A refresh token that was used before, shown again later than ten seconds after, ends its session: somebody else has it.")
            .OpenToAll(Status401Unauthorized);
        auth.MapPost("/sign-out", async (Body<RefreshSession> body, SignInDesk desk) =>
        {
            await desk.SignOutAsync(body.Value.RefreshToken);
            return TypedResults.NoContent();
        }).WithName("signOut").WithSummary("Ends the session").OpenToAll();
        auth.MapPost("/sign-up", async (Body<SignUp> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.SignUpAsync(body.Value, cancellation);
            return TypedResults.Accepted((string?)null);
        }).WithName("signUp").WithSummary("Makes a user with a tenant of their own, where strangers may").OpenToAll(Status403Forbidden);
        auth.MapPost("/verify-email", async (Body<UseLink> body, SignInDesk desk) =>
        {
            await desk.VerifyEmailAsync(body.Value.Token!);
            return TypedResults.NoContent();
        }).WithName("verifyEmail").WithSummary("Proves an address by the link that was mailed to it").OpenToAll(Status403Forbidden);
        auth.MapPost("/change-email", async (Body<UseLink> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.ConfirmEmailAsync(body.Value.Token!, cancellation);
            return TypedResults.NoContent();
        }).WithName("confirmEmail")
            .WithSummary("Proves a new address by the link that was mailed to it: from now on it is what its user signs in with")
            .WithDescription("All sessions end but the one that asked. The address before gets a link to take it back, for seven days.")
            .OpenToAll(Status403Forbidden, Status409Conflict);
        auth.MapPost("/undo-email", async (Body<UseLink> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.UndoEmailAsync(body.Value.Token!, cancellation);
            return TypedResults.NoContent();
        }).WithName("undoEmail").WithSummary("Takes back an address that somebody else has changed")
            .WithDescription("All sessions end; API keys and a second factor that were made since, and a planned erasure, are undone; "
                + "a link for another password is mailed.")
            .OpenToAll(Status403Forbidden, Status409Conflict);
        auth.MapPost("/forgot-password", async (Body<ForgotPassword> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.ForgotPasswordAsync(body.Value.Email!, cancellation);
            return TypedResults.Accepted((string?)null);
        }).WithName("forgotPassword").WithSummary("Mails a link to set another password; answers alike whether the address is known or not").OpenToAll();
        auth.MapPost("/reset-password", async (Body<ResetPassword> body, SignInDesk desk) =>
        {
            await desk.ResetPasswordAsync(body.Value.Token!, body.Value.Password!);
            return TypedResults.NoContent();
        }).WithName("resetPassword").WithSummary("Sets another password by a mailed link, and ends all sessions").OpenToAll(Status403Forbidden);
        auth.MapGet("/invitations/{token}", async Task<Results<Ok<InvitationShown>, ProblemHttpResult>> (string token, SignInDesk desk) =>
            await desk.InvitationAsync(token) is { } shown ? TypedResults.Ok(shown) : Problems.NotFound(ApiReason.LinkInvalid, "the invitation is used up, too old, or withdrawn"))
            .WithName("getInvitation").WithSummary("What an invitation is to").OpenToAll(Status404NotFound);
        auth.MapPost("/invitations/{token}/accept", async (string token, Body<AcceptInvitation> body, SignInDesk desk) =>
            TypedResults.Ok(await desk.AcceptAsync(token, body.Value))).WithName("acceptInvitation")
            .WithSummary("Joins the tenant: as a new user, or as the one who has signed in").OpenToAll(Status403Forbidden, Status409Conflict);
    }

    /// <summary>The public keys of access tokens, as RFC 7517 has them.</summary>
    public static void MapKeys(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/.well-known/jwks.json", async (IGrainFactory grains, HttpContext context) =>
    {
        using Principal.Scope scope = Principal.OfGateway();
        ImmutableArray<PublicKey> keys = await grains.GetGrain<ISigningKeysGrain>(Keys.SigningKeys).GetPublicKeys();
        context.Response.Headers.CacheControl = "public, max-age=300";
        return TypedResults.Json(new JsonWebKeySet([.. keys.Select(key => new JsonWebKey("EC", "P-256", "sig", "ES256", key.Id, key.X, key.Y))]));
    }).OnService(ServiceEndpoints.Gateway).ExcludeFromDescription().WithMetadata(new OpenToAll());
}

/// <summary>RFC 7517.</summary>
internal sealed record JsonWebKeySet(ImmutableArray<JsonWebKey> Keys);

internal sealed record JsonWebKey(string Kty, string Crv, string Use, string Alg, string Kid, string X, string Y);
