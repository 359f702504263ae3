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

/// <summary>Who belongs to the caller's tenant, and as what.</summary>
internal static class MemberEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        RouteGroupBuilder members = api.MapGroup("/members").WithTags("Members");
        members.MapGet("/", ListAsync).WithName("listMembers").WithSummary("The tenant's members").Query(Permission.ReadTenant);
        members.MapPut("/{user}/roles", SetRolesAsync).WithName("setRoles").WithSummary("Makes a member something else; the last owner stays one")
            .Mutation(Permission.ManageMembers, Status404NotFound);
        members.MapDelete("/{user}", RemoveAsync).WithName("removeMember").WithSummary("Ends a membership at once; what the member has here stays")
            .Mutation(Permission.ManageMembers, Status404NotFound);
        members.MapGet("/invitations", InvitationsAsync).WithName("listInvitations").WithSummary("Invitations that are out").Query(Permission.ManageMembers);
        members.MapPost("/invitations", InviteAsync).WithName("inviteMember").WithSummary("Invites somebody by mail, for seven days").Mutation(Permission.ManageMembers);
        members.MapDelete("/invitations/{id}", WithdrawAsync).WithName("withdrawInvitation").WithSummary("The invitation is worth nothing from now on")
            .Mutation(Permission.ManageMembers, Status404NotFound);
    }

    private static async Task<Ok<IEnumerable<MemberView>>> ListAsync(ICaller caller, IGrainFactory grains)
    {
        TenantView? tenant = await Tenant(grains, caller).GetView();
        return TypedResults.Ok<IEnumerable<MemberView>>(await Task.WhenAll((tenant?.Members ?? []).Select(member => ViewAsync(member, grains))));
    }

    private static async Task<Ok<MemberView>> SetRolesAsync(string user, Body<GiveRoles> body, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        CallerIdentity by = desk.Caller();
        SignInDesk.ThrowIf(await Tenant(grains, caller).SetRoles(user, [.. body.Value.Roles!], by.User));
        await RevokeAsync(user, grains);
        TenantView tenant = (await Tenant(grains, caller).GetView())!;
        return TypedResults.Ok(await ViewAsync(tenant.Members.First(member => member.User == user), grains));
    }

    private static async Task<NoContent> RemoveAsync(string user, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        SignInDesk.ThrowIf(await Tenant(grains, caller).Remove(user, desk.Caller().User));
        using Principal.Scope scope = Principal.OfGateway();
        await grains.GetGrain<IUserGrain>(user).Leave(caller.Tenant);
        await RevokeAsync(user, grains);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<IEnumerable<InvitationView>>> InvitationsAsync(ICaller caller, IGrainFactory grains) =>
        TypedResults.Ok(((await Tenant(grains, caller).GetView())?.Invitations ?? []).Select(InvitationView.Of));

    private static async Task<Created<InvitationView>> InviteAsync(
        Body<InviteMember> body, SignInDesk desk, ICaller caller, IGrainFactory grains, CancellationToken cancellation)
    {
        CallerIdentity by = desk.Caller();
        ITenantGrain tenant = Tenant(grains, caller);
        InvitationAnswer answer = await tenant.Invite(body.Value.Email!, [.. body.Value.Roles!], by.User);
        SignInDesk.ThrowIf(answer.Fault, answer.Detail);
        Me me = await desk.MeAsync(by);
        await desk.InviteMailAsync(answer.Invitation!.Email, me.Tenant.Name, me.Name, answer.Link!, cancellation);
        return TypedResults.Created((string?)null, InvitationView.Of(answer.Invitation));
    }

    private static async Task<NoContent> WithdrawAsync(string id, SignInDesk desk, ICaller caller, IGrainFactory grains)
    {
        SignInDesk.ThrowIf(await Tenant(grains, caller).Withdraw(id, desk.Caller().User));
        return TypedResults.NoContent();
    }

    private static ITenantGrain Tenant(IGrainFactory grains, ICaller caller) => grains.GetGrain<ITenantGrain>(Keys.Tenant(caller.Tenant));

    /// <summary>Tokens that are out say what the user was.</summary>
    private static async Task RevokeAsync(string user, IGrainFactory grains)
    {
        using Principal.Scope scope = Principal.OfGateway();
        await grains.GetGrain<IRevocationsGrain>(Keys.Revocations).Revoke([user]);
    }

    private static async Task<MemberView> ViewAsync(Member member, IGrainFactory grains)
    {
        using Principal.Scope scope = Principal.OfGateway();
        UserView? user = await grains.GetGrain<IUserGrain>(member.User).GetView();
        return new MemberView(
            member.User, user?.Name ?? member.User, user?.Email ?? "", member.Roles, member.Since, user?.LastSignIn, user?.HasSecondFactor ?? false, user?.Locked ?? false);
    }
}
