using HybridTrading.Api.Contract;
using HybridTrading.Api.Gateway;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>What users do to their own identity: name, password, second factor, sessions, API keys.</summary>
internal static class ProfileEndpoints
{
    private const string Issuer = "HybridTrading";

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder me = api.MapGroup("/me").WithTags("Profile");
        me.MapGet("/", (SignInDesk desk) => desk.MeAsync(desk.Caller())).WithName("getMe").WithSummary("Who one is, where, and what one may do").Query(Permission.ReadSystem);
        me.MapPatch("/", RenameAsync).WithName("changeProfile").WithSummary("Changes what one is called").Confidential(Permission.ManageProfile);
        me.MapGet("/export", ExportAsync).WithName("exportMe").WithSummary("What is kept of one's identity, as a file").AnswersSecret().Query(Permission.ManageProfile);
        me.MapPost("/password", ChangePasswordAsync).WithName("changePassword").WithSummary("Sets another password, and ends all other sessions")
            .Confidential(Permission.ManageProfile, Status409Conflict, Status423Locked);
        me.MapPost("/email", async (Body<ChangeEmail> body, SignInDesk desk, CancellationToken cancellation) =>
        {
            await desk.AskEmailAsync(body.Value, cancellation);
            return TypedResults.Accepted((string?)null);
        }).WithName("changeEmail").WithSummary("Another address to sign in with; it counts once the link that is mailed to it was opened").Weighs(20)
            .Confidential(Permission.ManageProfile, Status409Conflict, Status423Locked);
        me.MapGet("/erasure", async (ErasureDesk desk, CancellationToken cancellation) => TypedResults.Ok(await desk.LookAsync(cancellation)))
            .WithName("getErasure").Weighs(10)
            .WithSummary("What stands in the way of erasing one's user, and what is kept").Query(Permission.ManageProfile);
        me.MapPost("/erasure", async (Body<EraseMe> body, ErasureDesk desk, CancellationToken cancellation) =>
                TypedResults.Accepted((string?)null, await desk.AskAsync(body.Value, cancellation)))
            .WithName("eraseMe").WithSummary("Has one's user erased, with everything that is theirs").Weighs(20)
            .WithDescription("All sessions end now, and API keys rest. Nothing can be undone after the time in the answer; "
                + "whoever signs in before that keeps the user.")
            .Confidential(Permission.ManageProfile, Status409Conflict, Status423Locked);
        me.MapPost("/second-factor", OfferAsync).WithName("offerSecondFactor").WithSummary("A secret for an authenticator; it counts once a code of it is shown")
            .Confidential(Permission.ManageProfile, Status409Conflict, Status423Locked);
        me.MapPost("/second-factor/confirm", AddAsync).WithName("addSecondFactor").WithSummary("Proves the authenticator: from now on its code is asked for")
            .Confidential(Permission.ManageProfile, Status409Conflict);
        me.MapPost("/second-factor/remove", RemoveAsync).WithName("removeSecondFactor").WithSummary("Codes are asked for no more")
            .Confidential(Permission.ManageProfile, Status409Conflict, Status423Locked);
        me.MapGet("/sessions", SessionsAsync).WithName("listSessions").WithSummary("Where one is signed in").Query(Permission.ManageProfile);
        me.MapDelete("/sessions/{id}", EndAsync).WithName("endSession").WithSummary("Ends a session at once").Confidential(Permission.ManageProfile);
        me.MapDelete("/sessions", EndOthersAsync).WithName("endOtherSessions").WithSummary("Ends all sessions but this one").Confidential(Permission.ManageProfile);
        me.MapPost("/tenant", async (Body<EnterTenant> body, SignInDesk desk) => TypedResults.Ok(await desk.EnterAsync(body.Value.Tenant!))).WithName("enterTenant")
            .WithSummary("Goes on as a member of another tenant").Confidential(Permission.ReadSystem);
        me.MapGet("/api-keys", KeysAsync).WithName("listApiKeys").WithSummary("Keys of one's programs in this tenant").Query(Permission.ManageKeys);
        me.MapPost("/api-keys", AddKeyAsync).WithName("addApiKey").WithSummary("A key for a program; an HMAC secret is told this once")
            .WithDescription("A request is signed over five lines: method, path with query, milliseconds since 1970, a nonce of 16 to 64 letters and digits, and the SHA-256 of "
                + "the body in hexadecimal. HMAC-SHA-256 with the secret, or ECDSA on P-256 (r and s, 64 bytes), in base64url, goes into X-HT-Signature, beside X-HT-Key, "
                + "X-HT-Timestamp and X-HT-Nonce. The time may be off by five seconds, and a nonce counts once.")
            .Confidential(Permission.ManageKeys, Status422UnprocessableEntity);
        me.MapDelete("/api-keys/{id}", RemoveKeyAsync).WithName("removeApiKey").WithSummary("The key is worth nothing from now on").Confidential(Permission.ManageKeys, Status404NotFound);
    }

    private static async Task<Ok<Me>> RenameAsync(Body<ChangeProfile> body, SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        await AskAsync(grains, caller, user => user.Rename(body.Value.Name!));
        return TypedResults.Ok(await desk.MeAsync(caller));
    }

    private static async Task<Ok<IdentityExport>> ExportAsync(SignInDesk desk, IGrainFactory grains, HttpContext context, TimeProvider clock)
    {
        CallerIdentity caller = desk.Caller();
        Me me = await desk.MeAsync(caller);
        using Principal.Scope scope = Principal.OfGateway();
        IUserGrain user = grains.GetGrain<IUserGrain>(caller.User);
        context.Response.Headers.ContentDisposition = "attachment; filename=\"hybridtrading-export.json\"";
        return TypedResults.Ok(new IdentityExport(
            clock.GetUtcNow().UtcDateTime, me, (await user.GetView())!.Created,
            [.. (await user.GetSessions()).Select(one => new SessionView(one.Id, one.Id == caller.Session, one.Created, one.Renewed, one.Agent, one.Address))],
            [.. (await user.GetApiKeys()).Select(ApiKeyShown.Of)]));
    }

    private static async Task<NoContent> ChangePasswordAsync(Body<ChangePassword> body, SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        await AskAsync(grains, caller, user => user.ChangePassword(new Secret(body.Value.Current!), new Secret(body.Value.Password!), caller.Session));
        return TypedResults.NoContent();
    }

    private static async Task<Ok<SecondFactorOffer>> OfferAsync(Body<ProvePassword> body, SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        string secret = (await AskAsync(grains, caller, user => user.OfferSecondFactor(new Secret(body.Value.Password!)))).Secret!.Value;
        Me me = await desk.MeAsync(caller);
        return TypedResults.Ok(new SecondFactorOffer(secret, Totp.Uri(Issuer, me.Email, secret)));
    }

    private static async Task<Ok<RecoveryCodeList>> AddAsync(Body<ProveCode> body, SignInDesk desk, IGrainFactory grains)
    {
        UserAnswer answer = await AskAsync(grains, desk.Caller(), user => user.AddSecondFactor(new Secret(body.Value.Code!)));
        return TypedResults.Ok(new RecoveryCodeList(answer.Secret!.Value.Split('\n')));
    }

    private static async Task<NoContent> RemoveAsync(Body<RemoveSecondFactor> body, SignInDesk desk, IGrainFactory grains)
    {
        await AskAsync(grains, desk.Caller(), user => user.RemoveSecondFactor(new Secret(body.Value.Password!), new Secret(body.Value.Code!)));
        return TypedResults.NoContent();
    }

    private static async Task<Ok<IEnumerable<SessionView>>> SessionsAsync(SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        using Principal.Scope scope = Principal.OfGateway();
        ImmutableArray<Session> sessions = await grains.GetGrain<IUserGrain>(caller.User).GetSessions();
        return TypedResults.Ok(sessions.Select(one => new SessionView(one.Id, one.Id == caller.Session, one.Created, one.Renewed, one.Agent, one.Address)));
    }

    private static async Task<NoContent> EndAsync(string id, SignInDesk desk, IGrainFactory grains)
    {
        using Principal.Scope scope = Principal.OfGateway();
        await grains.GetGrain<IUserGrain>(desk.Caller().User).EndSession(id);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> EndOthersAsync(SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        using Principal.Scope scope = Principal.OfGateway();
        await grains.GetGrain<IUserGrain>(caller.User).EndOtherSessions(caller.Session);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<IEnumerable<ApiKeyShown>>> KeysAsync(SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        using Principal.Scope scope = Principal.OfGateway();
        ImmutableArray<ApiKeyView> keys = await grains.GetGrain<IUserGrain>(caller.User).GetApiKeys();
        return TypedResults.Ok(keys.Where(key => key.Tenant == caller.Tenant).Select(ApiKeyShown.Of));
    }

    private static async Task<Created<ApiKeyMade>> AddKeyAsync(Body<AddApiKey> body, SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity caller = desk.Caller();
        AddApiKey asked = body.Value;
        using Principal.Scope scope = Principal.OfGateway();
        ApiKeyAnswer answer = await grains.GetGrain<IUserGrain>(caller.User).AddApiKey(
            new NewApiKey(asked.Name!, caller.Tenant, asked.Kind, asked.PublicKey, [.. asked.Scopes!], asked.ExpiresDays!.Value));
        SignInDesk.ThrowIf(answer.Fault, answer.Detail);
        return TypedResults.Created((string?)null, new ApiKeyMade(ApiKeyShown.Of(answer.Key!), answer.Secret?.Value));
    }

    private static async Task<NoContent> RemoveKeyAsync(string id, SignInDesk desk, IGrainFactory grains)
    {
        await AskAsync(grains, desk.Caller(), user => user.RemoveApiKey(id));
        return TypedResults.NoContent();
    }

    private static async Task<UserAnswer> AskAsync(IGrainFactory grains, CallerIdentity caller, Func<IUserGrain, Task<UserAnswer>> ask)
    {
        using Principal.Scope scope = Principal.OfGateway();
        UserAnswer answer = await ask(grains.GetGrain<IUserGrain>(caller.User));
        SignInDesk.ThrowIf(answer);
        return answer;
    }
}
