using HybridTrading.Api.Contract;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>The services that sign in for the caller's tenant, and how they do.</summary>
internal static class ClientEndpoints
{
    /// <param name="api">Before anybody is known.</param>
    public static void MapDoor(IEndpointRouteBuilder api) => api.MapPost("/auth/token", (HttpContext context, ClientTokens tokens) => tokens.IssueAsync(context))
        .WithTags("Sign-in").WithName("getClientToken").WithSummary("A token for a service: OAuth 2.0 client credentials")
        .WithDescription("RFC 6749, section 4.4. The client shows its secret by Authorization: Basic, or as client_id and client_secret in the form. "
            + "Failures have that document's form, not that of a problem. A token lasts ten minutes; there is no refresh token.")
        .Accepts<ClientTokenRequest>("application/x-www-form-urlencoded").Produces<ClientToken>()
        .Produces<ClientTokenFault>(Status400BadRequest).Produces<ClientTokenFault>(Status401Unauthorized).OpenToAll();

    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder clients = api.MapGroup("/clients").WithTags("Clients");
        clients.MapGet("/", async (ICaller caller, IGrainFactory grains) => TypedResults.Ok((await Clients(grains, caller).GetClients()).Select(ClientShown.Of)))
            .WithName("listClients").WithSummary("Services that sign in for the tenant").Query(Permission.ManageClients);
        clients.MapPost("/", AddAsync).WithName("addClient").WithSummary("Lets a service sign in for the tenant; its secret is told this once")
            .WithDescription("With client_id and client_secret it gets tokens at /auth/token. It is nobody's: it stays when the member who made it leaves.")
            .Confidential(Permission.ManageClients, Status422UnprocessableEntity);
        clients.MapPost("/{id}/secrets", RotateAsync).WithName("rotateClient").WithSummary("Another secret, told this once; the one before ends after an overlap")
            .Confidential(Permission.ManageClients, Status404NotFound);
        clients.MapDelete("/{id}", RemoveAsync).WithName("removeClient").WithSummary("The client and its tokens are worth nothing from now on")
            .Confidential(Permission.ManageClients, Status404NotFound);
    }

    private static async Task<Created<ClientWithSecret>> AddAsync(Body<AddClient> body, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        CallerIdentity by = desk.Caller();
        AddClient asked = body.Value;
        ImmutableArray<Permission> scopes = [.. asked.Scopes!];
        if (ServiceClient.Fault(scopes, by.Permissions) is { } fault) throw ApiException.Invalid("scopes", fault);
        ClientChange made = await Clients(grains, caller).Add(asked.Name!, scopes, asked.ExpiresDays!.Value, by.User);
        SignInDesk.ThrowIf(made.Fault, made.Detail);
        return TypedResults.Created((string?)null, new ClientWithSecret(ClientShown.Of(made.Client!), made.Secret!.Value));
    }

    private static async Task<Ok<ClientWithSecret>> RotateAsync(string id, Body<RotateClient> body, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        CallerIdentity by = desk.Caller();
        // Whoever has the new secret may do what the client may: nobody gets more by it than they could give.
        ClientView? client = (await Clients(grains, caller).GetClients()).FirstOrDefault(one => one.Id == id);
        if (client is not null && ServiceClient.Fault(client.Scopes, by.Permissions) is { } fault) throw ApiException.Invalid("id", $"id is a client whose {fault}");
        ClientChange made = await Clients(grains, caller).Rotate(id, body.Value.ExpiresDays!.Value, body.Value.OverlapHours, by.User);
        SignInDesk.ThrowIf(made.Fault, made.Detail);
        // A secret that ends at once is one that somebody else may have: so are the tokens that it brought.
        if (body.Value.OverlapHours == 0) await RevokeAsync(id, grains);
        return TypedResults.Ok(new ClientWithSecret(ClientShown.Of(made.Client!), made.Secret!.Value));
    }

    private static async Task<NoContent> RemoveAsync(string id, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        UserAnswer removed = await Clients(grains, caller).Remove(id, desk.Caller().User);
        SignInDesk.ThrowIf(removed);
        await RevokeAsync(id, grains);
        return TypedResults.NoContent();
    }

    private static IClientsGrain Clients(IGrainFactory grains, ICaller caller) => grains.GetGrain<IClientsGrain>(Keys.Clients(caller.Tenant));

    private static async Task RevokeAsync(string client, IGrainFactory grains)
    {
        using Principal.Scope scope = Principal.OfGateway();
        await grains.GetGrain<IRevocationsGrain>(Keys.Revocations).Revoke([client]);
    }
}
