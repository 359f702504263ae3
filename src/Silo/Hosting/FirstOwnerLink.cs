using HybridTrading.Api.Ports;
using HybridTrading.Grains;
using HybridTrading.Grains.Hosting;
using HybridTrading.Grains.Users;

namespace HybridTrading.Silo.Hosting;

/// <summary>
/// Prints a link that makes whoever opens it first the owner of this installation, as long as there is none: there is no default password to forget to
/// change. Who can read the console of the program is who may own it.
/// </summary>
internal sealed partial class FirstOwnerLink(IGrainFactory grains, ServiceEndpoints plan, TimeProvider clock, ILogger<FirstOwnerLink> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the link is printed, or there is an owner; in a cluster the user-service may be still to come.</summary>
    public Task Told => _told.Task;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                Secret? link;
                using (Principal.OfGateway()) link = await grains.GetGrain<IInstallationGrain>(Keys.Installation).MakeLink();
                if (link is not null)
                {
                    Console.Out.WriteLine($"""

                          FIRST START  nobody owns this installation yet. This link makes you its owner, once:
                                       http://localhost:{plan.PortsOf(ServiceEndpoints.Gateway).Min()}/#/welcome/{link.Value}

                        """);
                }
                _told.TrySetResult();
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                LogWaiting(failed.Message);
                await Task.Delay(Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "whether there is an owner is not known yet: {Reason}")]
    private partial void LogWaiting(string reason);
}
