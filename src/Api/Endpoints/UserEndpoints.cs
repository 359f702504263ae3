using HybridTrading.Api.Contract;
using HybridTrading.Api.Identity;
using HybridTrading.Api.Limits;
using HybridTrading.Api.Projections;
using HybridTrading.Api.Requests;
using HybridTrading.Domain.Users;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace HybridTrading.Api.Endpoints;

/// <summary>All users of the installation, for its administrators.</summary>
internal static class UserEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder users = api.MapGroup("/users").WithTags("Users");
        users.MapGet("/", ListAsync).WithName("listUsers").Weighs(10).WithSummary("Users in the order of registration")
            .WithDescription("after is the id of the last one of the page before.").Query(Permission.Administer);
        users.MapPut("/{id}", ChangeAsync).WithName("changeUser").WithSummary("Closes or opens a user's access, makes them an administrator or no longer one")
            .WithDescription("Nobody does so to themselves, so that there is always an administrator. All sessions of the user end.")
            .Mutation(Permission.Administer, Status404NotFound);
        users.MapPost("/{id}/erasure", async (string id, Body<EraseUser> body, ErasureDesk desk, CancellationToken cancellation) =>
                TypedResults.Accepted((string?)null, await desk.EraseAsync(Checked(id), body.Value, cancellation)))
            .WithName("eraseUser").WithSummary("Has a user erased, with everything that is theirs").Weighs(20)
            .WithDescription("What stands in the way (running strategies, positions, orders at work, a tenant that would be without an owner) "
                + "must be settled first. After the time of grace, which immediately leaves out, nothing can be undone.")
            .Mutation(Permission.Administer, Status404NotFound, Status409Conflict);
        users.MapDelete("/{id}/erasure", async (string id, ErasureDesk desk) =>
        {
            await desk.CancelAsync(Checked(id));
            return TypedResults.NoContent();
        }).WithName("cancelErasure").WithSummary("The user stays; possible until the erasure has begun")
            .Mutation(Permission.Administer, Status404NotFound);
    }

    private static string Checked(string id) => Keys.IsName(id)
        ? id
        : throw ApiException.Invalid("id", $"id is {ApiException.Quote(id)}; expected the id of a user");

    private static async Task<Ok<IEnumerable<UserRecord>>> ListAsync(
        UserQueries users, ReadSide reads, IGrainFactory grains, CancellationToken cancellation, string? after = null, int? limit = null, long? minPosition = null)
    {
        if (after is not null && !Keys.IsName(after)) throw ApiException.Invalid("after", $"after is {ApiException.Quote(after)}; expected the id of a user");
        await reads.WaitForAsync(UserProjection.ProjectionName, minPosition, cancellation);
        UserRecord?[] page = await Task.WhenAll(users.Users(after, EndpointConventions.Limit(limit, 50)).Select(id => RecordAsync(id, grains)));
        return TypedResults.Ok(page.OfType<UserRecord>());
    }

    private static async Task<Ok<UserRecord>> ChangeAsync(string id, Body<ChangeUser> body, SignInDesk desk, IGrainFactory grains)
    {
        CallerIdentity by = desk.Caller();
        if (Checked(id) == by.User) throw ApiException.Invalid("id", $"id is '{id}', which is the caller; expected another administrator to do this");
        using Principal.Scope scope = Principal.OfGateway();
        SignInDesk.ThrowIf(await grains.GetGrain<IUserGrain>(id).SetAccess(body.Value.Locked, body.Value.Administrator, by.User));
        return TypedResults.Ok((await RecordAsync(id, grains))!);
    }

    /// <summary>Null for a user that is no more.</summary>
    private static async Task<UserRecord?> RecordAsync(string id, IGrainFactory grains)
    {
        using Principal.Scope scope = Principal.OfGateway();
        if (await grains.GetGrain<IUserGrain>(id).GetView() is not { } user) return null;
        return new UserRecord(
            id, user.Email, user.Name, await Memberships.OfAsync(user, grains), user.Created, user.LastSignIn,
            user.HasSecondFactor, user.Administrator, user.Locked, user.ErasureDue);
    }
}

internal static class Memberships
{
    /// <summary>What a user is in each tenant, as the tenants have it. Asked as the gateway.</summary>
    public static async Task<ImmutableArray<Membership>> OfAsync(UserView user, IGrainFactory grains)
    {
        var memberships = ImmutableArray.CreateBuilder<Membership>();
        foreach (string tenant in user.Tenants)
        {
            ITenantGrain grain = grains.GetGrain<ITenantGrain>(Keys.Tenant(tenant));
            if (await grain.GetMember(user.Id) is { } member) memberships.Add(new Membership(tenant, await grain.GetName() ?? tenant, member.Roles));
        }
        return memberships.ToImmutable();
    }
}
