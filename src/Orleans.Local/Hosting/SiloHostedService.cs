using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>Starts and stops the silo with its host.</summary>
internal sealed class SiloHostedService(
    LocalRuntime runtime, LifecycleSubject lifecycle, IEnumerable<ILifecycleParticipant<ISiloLifecycle>> participants) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        lifecycle.Subscribe(nameof(LocalRuntime), ServiceLifecycleStage.RuntimeInitialize, _ => runtime.Start());
        // Grains leave after what became active last and before everything that they use.
        lifecycle.Subscribe(nameof(LocalRuntime), ServiceLifecycleStage.BecomeActive - 1, _ => Task.CompletedTask, runtime.StopAsync);
        foreach (ILifecycleParticipant<ISiloLifecycle> participant in participants) participant.Participate(lifecycle);
        await lifecycle.OnStart(int.MinValue, int.MaxValue, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => lifecycle.OnStop(cancellationToken);
}
