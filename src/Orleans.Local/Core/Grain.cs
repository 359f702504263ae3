using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace Orleans;

/// <summary>
/// The base of grain classes. The runtime makes at most one activation of a grain at a time and runs its code, awaits included, one turn
/// after the other; a request waits until the one before it has finished, unless the class or the method says otherwise.
/// </summary>
public abstract class Grain : IGrainBase, IAddressable
{
    /// <summary>For classes that the runtime makes.</summary>
    protected Grain() : this(RuntimeContext.Current!, grainRuntime: null) { }

    /// <summary>For unit tests that make the grain by hand.</summary>
    protected Grain(IGrainContext grainContext, IGrainRuntime? grainRuntime = null)
    {
        GrainContext = grainContext;
        Runtime = grainRuntime ?? grainContext?.ActivationServices.GetService<IGrainRuntime>();
    }

    /// <summary>The activation that this object is the code of.</summary>
    [AllowNull]
    public IGrainContext GrainContext { get; private set; }

    public GrainReference GrainReference => GrainContext.GrainReference;

    /// <summary>The grain id as text, for logs.</summary>
    public string IdentityString => GrainContext.GrainId.ToString();

    /// <summary>The name of the silo, for logs.</summary>
    public string RuntimeIdentity => Runtime?.SiloIdentity ?? "";

    protected IGrainFactory GrainFactory => RequiredRuntime.GrainFactory;

    protected internal IServiceProvider ServiceProvider => GrainContext?.ActivationServices ?? RequiredRuntime.ServiceProvider;

    internal IGrainRuntime? Runtime { get; }

    internal IGrainRuntime RequiredRuntime =>
        Runtime ?? throw new InvalidOperationException($"{GetType()} was made outside of the runtime and was given no IGrainRuntime");

    /// <summary>Runs before the first request; a failure here fails every waiting caller and drops the activation.</summary>
    /// <param name="cancellationToken">Cancelled after <see cref="Configuration.GrainCollectionOptions.ActivationTimeout"/>.</param>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs after the last request. Not guaranteed: a process can die without it.</summary>
    /// <param name="cancellationToken">Cancelled after <see cref="Configuration.GrainCollectionOptions.DeactivationTimeout"/>.</param>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends this activation once its running requests are done; requests that wait go to the next activation.</summary>
    protected void DeactivateOnIdle() => RequiredRuntime.DeactivateOnIdle(GrainContext);

    /// <summary>
    /// Keeps the activation from idle collection for a time; <see cref="Timeout.InfiniteTimeSpan"/> for ever, zero or less cancels.
    /// </summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => RequiredRuntime.DelayDeactivation(GrainContext, timeSpan);
}
