using System.Net;
using HybridTrading.Api.Limits;
using Microsoft.Extensions.Configuration;

namespace HybridTrading.Tests.Limits;

public sealed class RateLimiterTests
{
    private static readonly IPAddress Stranger = IPAddress.Parse("203.0.113.7");

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 5, 10, 0, 0, TimeSpan.Zero));

    private readonly RateLimitOptions _options = new()
    {
        User = new Budget(100, 5, 10), Address = new Budget(20, 2, 10), Loopback = new Budget(1000, 1000, 1000), RefusalsBeforeBan = 3,
        FirstBan = TimeSpan.FromMinutes(2), LongestBan = TimeSpan.FromMinutes(5), MostPartitions = 100,
    };

    private RateLimiter Limiter => field ??= new RateLimiter(_options, _clock);

    [Fact]
    public void Weights_add_up_within_a_minute_and_the_next_minute_begins_anew()
    {
        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(40, Limiter.Admit("acme/ann", Stranger, new RouteCost(RouteClass.General, 40)).Used);
        Admission second = Limiter.Admit("acme/ann", Stranger, new RouteCost(RouteClass.General, 60));
        Assert.True(second.IsAdmitted);
        Assert.Equal((100, 100), (second.Used, second.Limit));
        Admission third = Limiter.Admit("acme/ann", Stranger, RouteCost.Usual);
        Assert.False(third.IsAdmitted);
        Assert.Equal(TimeSpan.FromSeconds(40), third.RetryAfter);
        _clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(1, Limiter.Admit("acme/ann", Stranger, RouteCost.Usual).Used);
    }

    [Fact]
    public void Orders_are_counted_apart_in_tens_of_seconds()
    {
        for (int i = 0; i < 5; i++) Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Order).IsAdmitted);
        Assert.False(Limiter.Admit("acme/ann", Stranger, RouteCost.Order).IsAdmitted);
        Assert.True(Limiter.Admit("acme/ann", Stranger, new RouteCost(RouteClass.General, 100)).IsAdmitted);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Order).IsAdmitted);
    }

    [Fact]
    public void Users_behind_one_address_have_each_their_own_and_strangers_there_share_one()
    {
        var most = new RouteCost(RouteClass.General, 100);
        Assert.True(Limiter.Admit("acme/ann", Stranger, most).IsAdmitted);
        Assert.True(Limiter.Admit("acme/bob", Stranger, most).IsAdmitted);
        Assert.Equal(20, Limiter.Admit(null, Stranger, new RouteCost(RouteClass.General, 20)).Limit);
        Assert.False(Limiter.Admit(null, Stranger, RouteCost.Usual).IsAdmitted);
        Assert.True(Limiter.Admit(null, IPAddress.Parse("203.0.113.8"), RouteCost.Usual).IsAdmitted);
        Assert.Equal(1000, Limiter.Admit(null, IPAddress.IPv6Loopback, RouteCost.Usual).Limit);
    }

    [Fact]
    public void Who_goes_on_after_refusals_is_banned_longer_each_time_but_never_from_the_kill_switch()
    {
        var most = new RouteCost(RouteClass.General, 100);
        var bans = new List<TimeSpan>();
        for (int round = 0; round < 3; round++)
        {
            Assert.True(Limiter.Admit("acme/ann", Stranger, most).IsAdmitted);
            Assert.False(Limiter.Admit("acme/ann", Stranger, most).IsBanned);
            Assert.False(Limiter.Admit("acme/ann", Stranger, most).IsBanned);
            Admission banned = Limiter.Admit("acme/ann", Stranger, most);
            Assert.True(banned is { IsBanned: true, IsAdmitted: false });
            Assert.False(Limiter.Admit("acme/ann", Stranger, RouteCost.Order).IsAdmitted);
            Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Safety).IsAdmitted);
            bans.Add(banned.RetryAfter);
            _clock.Advance(banned.RetryAfter);
        }
        Assert.Equal([TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5)], bans);
        // After a quiet time it begins small again.
        _clock.Advance(_options.LongestBan + TimeSpan.FromSeconds(1));
        Assert.True(Limiter.Admit("acme/ann", Stranger, most).IsAdmitted);
        for (int i = 0; i < 2; i++) Limiter.Admit("acme/ann", Stranger, most);
        Assert.Equal(TimeSpan.FromMinutes(2), Limiter.Admit("acme/ann", Stranger, most).RetryAfter);
    }

    [Fact]
    public void The_kill_switch_has_a_bound_of_its_own_that_bans_nobody()
    {
        for (int i = 0; i < 10; i++) Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Safety).IsAdmitted);
        for (int i = 0; i < 10; i++) Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Safety) is { IsAdmitted: false, IsBanned: false });
        Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Usual).IsAdmitted);
    }

    [Fact]
    public void A_flood_of_addresses_takes_no_more_memory_and_is_limited_all_the_same()
    {
        Assert.True(Limiter.Admit(null, Stranger, new RouteCost(RouteClass.General, 20)).IsAdmitted);
        int admitted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            if (Limiter.Admit(null, new IPAddress(0x0A000000 + i), RouteCost.Usual).IsAdmitted) admitted++;
        }
        Assert.InRange(Limiter.Partitions, 1, 100);
        // 99 newcomers of their own, and 256 shared counters of 20.
        Assert.InRange(admitted, 99, 99 + 256 * 20);
        Assert.False(Limiter.Admit(null, Stranger, RouteCost.Usual).IsAdmitted);
        Assert.True(Limiter.Admit("acme/ann", Stranger, RouteCost.Usual).IsAdmitted);
        // When the flood is over its counters make room.
        _clock.Advance(TimeSpan.FromHours(1));
        Limiter.Admit(null, IPAddress.Parse("198.51.100.1"), RouteCost.Usual);
        Assert.InRange(Limiter.Partitions, 1, 3);
    }

    [Fact]
    public void One_subscriber_of_IPv6_is_one_address()
    {
        AddressBlock Of(string text) => AddressBlock.Of(IPAddress.Parse(text));
        Assert.Equal(Of("2001:db8:1:2::1"), Of("2001:db8:1:2:ffff::9"));
        Assert.NotEqual(Of("2001:db8:1:2::1"), Of("2001:db8:1:3::1"));
        Assert.Equal(Of("203.0.113.7"), Of("::ffff:203.0.113.7"));
        Assert.NotEqual(Of("203.0.113.7"), Of("203.0.113.8"));
        Assert.NotEqual(Of("0.0.0.1"), Of("::1"));
    }

    [Theory]
    [InlineData("UserWeight", "many", "Gateway__Limits__UserWeight is 'many'; expected a whole number from 100")]
    [InlineData("AddressSafety", "0", "Gateway__Limits__AddressSafety is '0'; expected a whole number from 10")]
    [InlineData("FirstBanSeconds", "-1", "Gateway__Limits__FirstBanSeconds is '-1'")]
    public void What_is_wrong_in_the_configuration_is_named(string name, string value, string fault)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create($"Gateway:Limits:{name}", (string?)value)]).Build();
        Assert.StartsWith(fault, Assert.Throws<FormatException>(() => RateLimitOptions.Read(configuration)).Message);
    }

    [Fact]
    public void The_configuration_sets_each_bound()
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [KeyValuePair.Create("Gateway:Limits:UserOrders", (string?)"7"), KeyValuePair.Create("Gateway:Limits:LongestBanSeconds", (string?)"60")]).Build();
        RateLimitOptions read = RateLimitOptions.Read(configuration);
        Assert.Equal((7, TimeSpan.FromSeconds(60)), (read.User.Orders, read.LongestBan));
        Assert.Equal(new RateLimitOptions().Address, read.Address);
    }
}
