using HybridTrading.Domain.Users;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Tests.Worlds;
using HybridTrading.Grains.Users;

namespace HybridTrading.Grains.Tests;

public sealed class TenantDepartureTests
{
    [Theory]
    [InlineData("Ann's desk", "Desk")]
    [InlineData("Trading (ANN)", "Desk")]
    [InlineData("Annual returns", "Annual returns")]
    [InlineData("Joanna and Hannah", "Joanna and Hannah")]
    [InlineData("Annual, by Ann", "Desk")]
    public async Task A_tenant_keeps_its_name_unless_the_member_who_is_erased_stands_in_it(string name, string after)
    {
        await using TestWorld world = TestWorld.Create();
        await world.StartAsync();
        using Principal.Scope gateway = Principal.OfGateway();
        ITenantGrain tenant = world.Grains.GetGrain<ITenantGrain>(Keys.Tenant(TestWorld.Tenant));
        await tenant.Found(name, "olive");
        InvitationAnswer invited;
        using (Principal.Of(TestWorld.Tenant)) invited = await tenant.Invite("ann@example.org", [Role.Trader], "olive");
        // The link names the tenant before the token.
        string token = invited.Link!.Value[(invited.Link.Value.IndexOf('.') + 1)..];
        Assert.Equal(UserFault.None, (await tenant.Accept(new Secret(token), "ann")).Fault);

        using Principal.Scope member = Principal.Of(TestWorld.Tenant);
        Assert.Equal(Departure.GoesOn, await tenant.Depart("ann", ["ann@example.org"], ["Ann"]));
        TenantView view = (await tenant.GetView())!;
        Assert.Equal(after, view.Name);
        Assert.Equal("olive", Assert.Single(view.Members).User);
    }
}
