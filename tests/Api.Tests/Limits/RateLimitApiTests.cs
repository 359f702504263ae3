using HybridTrading.Api;
using HybridTrading.Api.Limits;
using HybridTrading.Tests.Host;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HybridTrading.Tests.Limits;

public sealed class RateLimitApiTests
{
    private static readonly Budget Small = new(20, 2, 10);

    /// <summary>Counts by a clock that stands still: the minute does not end in the middle of a test.</summary>
    private static Task<ApiHost> StartAsync() => ApiHost.StartAsync(services =>
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 5, 10, 0, 15, TimeSpan.Zero));
        services.AddSingleton(new RateLimiter(new RateLimitOptions { User = Small, Address = Small, Loopback = Small, RefusalsBeforeBan = 3 }, clock));
    });

    [Fact]
    public async Task Every_endpoint_of_the_API_says_what_it_costs()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        RouteEndpoint[] endpoints = [.. host.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/api/v1", StringComparison.Ordinal))];
        Assert.NotEmpty(endpoints);
        Assert.All(endpoints, endpoint => Assert.InRange(endpoint.Metadata.GetMetadata<RouteCost>()?.Weight ?? 0, 1, RouteCost.Heaviest));
        string[] Of(RouteClass routes) => [.. endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<RouteCost>()!.Class == routes)
            .Select(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName).Order(StringComparer.Ordinal)];
        Assert.Equal(["cancelOrder", "changeOrder", "placeOrder"], Of(RouteClass.Order));
        Assert.Equal(["approveRelease", "askRelease", "engageAccountKillSwitch", "engageKillSwitch", "engageTenantHalt", "flatten", "getKillSwitch"], Of(RouteClass.Safety));
    }

    [Fact]
    public async Task What_is_used_is_in_the_headers_and_too_much_is_refused_with_the_time_to_wait()
    {
        await using ApiHost host = await StartAsync();
        Answer first = (await host.GetAsync("system")).Expect(200);
        Assert.Equal(("1", "20"), (first.Headers["X-Weight-Used-1m"], first.Headers["X-Weight-Limit-1m"]));
        (await host.GetAsync("accounts")).Expect(200);
        Answer refused = (await host.GetAsync("journal")).ExpectProblem(429, ApiReason.RateLimited);
        Assert.Equal("45", refused.Headers["Retry-After"]);
        Assert.Equal("11", refused.Headers["X-Weight-Used-1m"]);
        Assert.Contains("used is 11 of 20, and this takes 10", refused.Detail);
    }

    [Fact]
    public async Task Orders_and_the_kill_switch_go_on_when_reading_is_used_up_and_the_kill_switch_when_banned()
    {
        await using ApiHost host = await StartAsync();
        await host.OpenAsync("main");
        await host.QuoteAsync("EURUSD", 1.1m, 1.1001m);
        for (int i = 0; i < 19; i++) (await host.GetAsync("system")).Expect(200);
        (await host.GetAsync("system")).ExpectProblem(429, ApiReason.RateLimited);
        Answer placed = (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side = "Buy", type = "Market", volume = 1000 })).Expect(201);
        Assert.Equal(("1", "2"), (placed.Headers["X-Orders-Used-10s"], placed.Headers["X-Orders-Limit-10s"]));
        (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side = "Buy", type = "Market", volume = 1000 })).Expect(201);
        (await host.PostAsync("accounts/main/orders", new { symbol = "EURUSD", side = "Buy", type = "Market", volume = 1000 })).ExpectProblem(429, ApiReason.RateLimited);
        (await host.GetAsync("system")).ExpectProblem(429, ApiReason.Banned);
        Assert.Equal("120", (await host.GetAsync("system")).Headers["Retry-After"]);
        (await host.PostAsync("kill-switch", new { })).Expect(200);
        (await host.GetAsync("kill-switch")).Expect(200);
        (await host.PostAsync("accounts/main/flatten", null)).Expect(200);
    }
}
