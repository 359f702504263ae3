using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HybridTrading.Grains.Users;

public static class UsersHosting
{
    /// <summary>What the grains of the user-service need.</summary>
    /// <param name="iterations">Of password hashes; null for what is safe.</param>
    public static IServiceCollection AddUsers(this IServiceCollection services, int? iterations = null)
    {
        services.TryAddSingleton<SecretSource>();
        services.TryAddSingleton(_ => iterations is { } fewer ? new PasswordHashing(fewer) : new PasswordHashing());
        return services;
    }
}
