using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>A callback object outside of grains: calls of it come one at a time. It is held weakly, as its owner decides how long it lives.</summary>
internal sealed class ObserverTarget(LocalRuntime runtime, GrainId id, IGrainObserver observer) : TurnTarget(runtime, id)
{
    private readonly WeakReference<IGrainObserver> _observer = new(observer);
    private bool _deleted;

    public override object? Instance => !Volatile.Read(ref _deleted) && _observer.TryGetTarget(out IGrainObserver? observer) ? observer : null;

    // Its id is never given again, so there is no successor to look for.
    public override bool IsGone => false;

    public void Delete() => Volatile.Write(ref _deleted, true);
}

/// <summary>What calls of a deleted observer reach.</summary>
internal sealed class MissingObserver(GrainId id) : CallTarget
{
    public override bool IsGone => true;

    public override void Receive(Request request) => request.Refuse(new ClientNotAvailableException(id));
}
