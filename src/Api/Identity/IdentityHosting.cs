using HybridTrading.Api.Gateway;
using HybridTrading.Api.Identity.Provider;
using HybridTrading.Api.Limits;
using HybridTrading.Domain.Users;
using HybridTrading.Grains.Alerts;
using HybridTrading.Grains.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Identity;

public static class IdentityHosting
{
    /// <summary>Who calls. A host that has its own <see cref="ICaller"/> or <see cref="IdentityOptions"/> registers them before.</summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.TryAddSingleton<SecretSource>();
        services.AddScoped<SignInDesk>();
        services.AddScoped<ErasureDesk>();
        services.AddSingleton<ClientTokens>();
        return services.AddAuthenticatedCallers();
    }

    /// <summary>Who calls, of a process that lets nobody in itself: its ports take tokens that others have given.</summary>
    public static IServiceCollection AddAuthenticatedCallers(this IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.TryAddSingleton(new IdentityOptions());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ExternalProviders>();
        services.AddSingleton<TokenVerifier>();
        services.AddHostedService(provider => provider.GetRequiredService<TokenVerifier>());
        services.TryAddScoped<ICaller, RequestCaller>();
        services.AddAuthentication(TokenAuthentication.SchemeName).AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.SchemeName, null);
        services.AddSingleton<Ownership>();
        services.AddHostedService(provider => provider.GetRequiredService<Ownership>());
        services.Replace(ServiceDescriptor.Singleton<IPublicAccess>(provider => provider.GetRequiredService<Ownership>()));
        services.AddSingleton<IStartupFilter, Authenticate>();
        return services;
    }

    /// <summary>Of the hub: 401 where nobody has signed in. The caller is found here, while the request is at hand, and stays with the connection.</summary>
    public static TBuilder ForSignedIn<TBuilder>(this TBuilder hub) where TBuilder : IEndpointConventionBuilder
    {
        hub.Finally(builder =>
        {
            RequestDelegate inner = builder.RequestDelegate!;
            builder.RequestDelegate = async context =>
            {
                try
                {
                    if (!context.RequestServices.GetRequiredService<ICaller>().Has(Permission.ReadMarket)) throw new UnauthorizedAccessException();
                }
                catch (Exception failure) when (failure is ApiException or UnauthorizedAccessException)
                {
                    await Problems.Known(failure)!.ExecuteAsync(context);
                    return;
                }
                await inner(context);
            };
        });
        return hub;
    }

    private sealed class Authenticate : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseAuthentication();
            next(app);
        };
    }
}
