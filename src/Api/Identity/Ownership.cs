using System.Net;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;

namespace HybridTrading.Api.Identity;

/// <summary>As long as an installation has no owner only its own machine is served: whoever came first from elsewhere could not even be told to wait.</summary>
public sealed class Ownership(IGrainFactory grains)
{
    // Once there is an owner there is one for good.
    private volatile bool _isOwned;

    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (!_isOwned && context.Connection.RemoteIpAddress is { } address && !IPAddress.IsLoopback(address) && !await IsOwnedAsync())
        {
            await Problems.Of(
                StatusCodes.Status503ServiceUnavailable, ApiReason.SetupNeeded, "nobody owns this installation yet; expected its first owner on the machine itself, by the link on its console")
                .ExecuteAsync(context);
            return;
        }
        await next(context);
    }

    private async Task<bool> IsOwnedAsync()
    {
        using Principal.Scope scope = Principal.OfGateway();
        return _isOwned = await grains.GetGrain<IInstallationGrain>(Keys.Installation).IsOwned();
    }
}
