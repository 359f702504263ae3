using HybridTrading.Api.Limits;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Api.Gateway;

/// <summary>What stands between the network and the API.</summary>
public static class GatewayHosting
{
    public static IServiceCollection AddGateway(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => RateLimitOptions.Read(provider.GetRequiredService<IConfiguration>()));
        services.TryAddSingleton<RateLimiter>();
        return services;
    }
}
