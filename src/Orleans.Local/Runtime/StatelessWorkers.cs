using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>The activations that together serve one id of a stateless worker class.</summary>
internal sealed class StatelessWorkers(LocalRuntime runtime, GrainId grainId, GrainClass grainClass) : CallTarget
{
    private readonly Lock _lock = new();
    private readonly List<Activation> _workers = [];

    public override bool IsGone => false;

    public Activation[] Workers
    {
        get
        {
            lock (_lock) return [.. _workers];
        }
    }

    public override void Receive(Request request)
    {
        lock (_lock)
        {
            Activation? least = null;
            foreach (Activation worker in _workers)
            {
                if (least is null || worker.Load < least.Load) least = worker;
            }
            if (least is null || (least.Load > 0 && _workers.Count < grainClass.MaxWorkers))
            {
                least = runtime.CreateActivation(grainId, grainClass, this);
                _workers.Add(least);
            }
            // Inside the lock: the next caller must see this request in the load.
            least.Receive(request);
        }
    }

    public void Remove(Activation worker)
    {
        lock (_lock) _workers.Remove(worker);
    }
}
