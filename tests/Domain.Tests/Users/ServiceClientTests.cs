using System.Collections.Frozen;
using HybridTrading.Domain.Users;

namespace HybridTrading.Domain.Tests.Users;

public sealed class ServiceClientTests
{
    private static readonly DateTime Start = new(2026, 3, 4, 5, 6, 0, DateTimeKind.Utc);

    [Fact]
    public void No_role_gives_the_scope_of_the_compliance_services() =>
        Assert.Equal([], Enum.GetValues<Role>().Where(role => RolePermissions.Of(role).Contains(Permission.Compliance)));

    [Fact]
    public void Scopes_are_words_of_the_list_each_once()
    {
        Assert.Equal([Permission.ReadMarket, Permission.Trade], ServiceClient.ScopesOf("ReadMarket Trade"));
        Assert.Equal("ReadMarket Trade", ServiceClient.ScopeText([Permission.ReadMarket, Permission.Trade]));
        foreach (string text in (string[])["", " ", "ReadMarket ", "readmarket", "0", "ReadMarket,Trade", "Trade Trade", "Everything", "-1"])
        {
            Assert.Null(ServiceClient.ScopesOf(text));
        }
    }

    [Fact]
    public void A_maker_gives_what_they_have_and_nothing_for_persons()
    {
        FrozenSet<Permission> owner = RolePermissions.Of(Role.Owner), both = RolePermissions.Of([Role.Owner, Role.Administrator]);
        Assert.Null(ServiceClient.Fault([Permission.Trade], owner));
        Assert.NotNull(ServiceClient.Fault([Permission.Trade], RolePermissions.Of(Role.Viewer)));
        Assert.All(ServiceClient.OfInstallation, scope => Assert.True(ServiceClient.Fault([scope], owner) is not null && ServiceClient.Fault([scope], both) is null));
        Assert.All(ServiceClient.ForPersonsOnly, scope => Assert.NotNull(ServiceClient.Fault([scope], both)));
        Assert.NotNull(ServiceClient.Fault([], both));
        Assert.NotNull(ServiceClient.Fault([(Permission)200], both));
    }

    [Fact]
    public void Of_secrets_the_last_two_count_each_to_its_end()
    {
        var clients = new ServiceClients();
        clients.Apply(new ClientMade(Start, "t.c1", "one", [Permission.ReadMarket], Secret("a", Start, 90), "ann"));
        clients.Apply(new ClientSecretMade(Start.AddDays(1), "t.c1", Secret("b", Start.AddDays(1), 90), Start.AddDays(2), "ann"));
        ServiceClient two = clients.Find("t.c1")!;
        Assert.True(two.IsSecret("a", Start.AddDays(2).AddTicks(-1)) && two.IsSecret("b", Start.AddDays(2)));
        Assert.False(two.IsSecret("a", Start.AddDays(2)) || two.IsSecret("b", Start.AddDays(91)) || two.IsSecret("c", Start) || two.IsSecret("", Start));
        clients.Apply(new ClientSecretMade(Start.AddDays(1.5), "t.c1", Secret("c", Start.AddDays(1.5), 90), Start.AddDays(200), "ann"));
        ServiceClient three = clients.Find("t.c1")!;
        Assert.False(three.IsSecret("a", Start.AddDays(1.6)));
        // An overlap makes no secret last longer than it would have.
        Assert.Equal(Start.AddDays(91), three.Secrets[0].Expires);
        clients.Apply(new ClientRemoved(Start.AddDays(3), "t.c1", "ann"));
        Assert.Null(clients.Find("t.c1"));
    }

    [Fact]
    public void Wrong_secrets_close_the_door_to_their_address_alone()
    {
        var limits = new ClientLimits();
        for (int i = 0; i < Lockout.Free; i++) limits.Failed("t.c1", "203.0.113.7", Start);
        Assert.Equal(Start + Lockout.First, limits.ClosedUntil("t.c1", "203.0.113.7", Start));
        Assert.Null(limits.ClosedUntil("t.c1", "203.0.113.8", Start));
        Assert.Null(limits.ClosedUntil("t.c2", "203.0.113.7", Start));
        Assert.Null(limits.ClosedUntil("t.c1", "203.0.113.7", Start + Lockout.First));
    }

    [Fact]
    public void Tokens_of_a_minute_are_counted_and_memory_is_bounded()
    {
        var limits = new ClientLimits();
        for (int i = 0; i < ClientLimits.TokensPerMinute; i++) Assert.Null(limits.Take("t.c1", "", Start));
        Assert.Equal(Start.AddMinutes(1), limits.Take("t.c1", "", Start));
        Assert.Null(limits.Take("t.c2", "", Start));
        Assert.Null(limits.Take("t.c1", "", Start.AddMinutes(1)));
        // However many addresses a stranger has, the service's own stays open.
        for (int i = 0; i < ClientLimits.MostRemembered; i++) limits.Failed("t.c1", $"address {i}", Start);
        for (int i = 0; i < Lockout.Free; i++) limits.Failed("t.c1", "one more", Start);
        Assert.Null(limits.ClosedUntil("t.c1", "one more", Start));
        for (int i = 0; i < Lockout.Free; i++) limits.Failed("t.c1", "one more", Start + Lockout.Longest + TimeSpan.FromSeconds(1));
        Assert.NotNull(limits.ClosedUntil("t.c1", "one more", Start + Lockout.Longest + TimeSpan.FromSeconds(1)));
    }

    private static ClientSecret Secret(string text, DateTime created, int days) => new($"s{text}", Sessions.HashOf(text), created, created.AddDays(days));
}
