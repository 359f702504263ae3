using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>Starts and stops the silo with its host.</summary>
internal sealed class SiloHostedService(
    LocalRuntime runtime, LifecycleSubject lifecycle, IEnumerable<ILifecycleParticipant<ISiloLifecycle>> participants) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        lifecycle.Subscribe(
            nameof(LocalRuntime),
            // Stops before everything of the application and storage, and after what became active last.
            ServiceLifecycleStage.BecomeActive - 1,
            _ =>
            {
                runtime.Start();
                return Task.CompletedTask;
            },
            runtime.StopAsync);
        foreach (ILifecycleParticipant<ISiloLifecycle> participant in participants) participant.Participate(lifecycle);
        await lifecycle.OnStart(int.MinValue, int.MaxValue, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => lifecycle.OnStop(cancellationToken);
}
