using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>A part of the runtime as a caller of grains, so that filters can tell it from a client.</summary>
internal sealed class SystemContext(LocalRuntime runtime, string name) : IGrainContext
{
    public GrainReference GrainReference => new(runtime, GrainId);

    public GrainId GrainId { get; } = GrainId.Create($"sys.svc.user.{name}", "local");

    public object? GrainInstance => null;

    public ActivationId ActivationId => default;

    public IServiceProvider ActivationServices => runtime.Services;

    public IGrainLifecycle ObservableLifecycle => throw new NotSupportedException($"{GrainId} lives as long as the silo");

    public Task Deactivated => throw new NotSupportedException($"{GrainId} lives as long as the silo");

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException($"{GrainId} lives as long as the silo");

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    /// <summary>Makes a call as this part of the runtime.</summary>
    public Task CallAsync(Func<Task> call)
    {
        IGrainContext? outer = RuntimeContext.Current;
        RuntimeContext.Current = this;
        try
        {
            return call();
        }
        finally
        {
            RuntimeContext.Current = outer;
        }
    }
}
