using HybridTrading.Api.Gateway;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;
using Microsoft.Extensions.Hosting;

namespace HybridTrading.Api.Identity;

/// <summary>As long as an installation has no owner only its own machine is served: whoever came first from elsewhere could not even be told to wait.</summary>
public sealed partial class Ownership(IGrainFactory grains, TimeProvider clock, ILogger<Ownership> log) : BackgroundService, IPublicAccess
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private volatile bool _isOwned;

    public bool IsOpen => _isOwned;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Once there is an owner there is one for good.
        while (!_isOwned && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                using Principal.Scope scope = Principal.OfGateway();
                _isOwned = await grains.GetGrain<IInstallationGrain>(Keys.Installation).IsOwned();
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                LogNotKnown(failed.Message);
            }
            if (!_isOwned) await Task.Delay(Round, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "whether there is an owner is not known yet: {Reason}")]
    private partial void LogNotKnown(string reason);
}
