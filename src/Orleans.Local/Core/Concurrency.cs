namespace Orleans.Concurrency;

/// <summary>Requests to grains of this class may interleave at every await; turns still never overlap.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ReentrantAttribute : Attribute;

/// <summary>
/// Names a method of the class, <c>bool Name(IInvokable request)</c>, static or not, that says which requests may interleave with the running one.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MayInterleaveAttribute(string callbackMethodName) : Attribute
{
    internal string CallbackMethodName { get; } = callbackMethodName;
}

/// <summary>Calls of this method start at once, between the awaits of whatever runs, and hold up nothing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AlwaysInterleaveAttribute : Attribute;

/// <summary>The method changes no state: calls of such methods may interleave with each other, not with others.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReadOnlyAttribute : Attribute;

/// <summary>The caller's task completes when the call is sent; failures are logged at the callee.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OneWayAttribute : Attribute;

/// <summary>
/// Several activations serve one grain id at the same time; a call goes to an idle one, or to a new one up to the limit, or else to the one with
/// the fewest requests.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StatelessWorkerAttribute : Attribute
{
    /// <summary>As many workers as the machine has processors.</summary>
    public StatelessWorkerAttribute() : this(-1) { }

    public StatelessWorkerAttribute(int maxLocalWorkers) : this(maxLocalWorkers, removeIdleWorkers: true) { }

    /// <param name="maxLocalWorkers">Zero or less: as many workers as the machine has processors.</param>
    /// <param name="removeIdleWorkers">
    /// True lets a cluster end idle workers early. In one process idle collection takes them in both cases, at their collection age.
    /// </param>
    public StatelessWorkerAttribute(int maxLocalWorkers, bool removeIdleWorkers)
    {
        _ = removeIdleWorkers;
        MaxLocalWorkers = maxLocalWorkers > 0 ? maxLocalWorkers : Environment.ProcessorCount;
    }

    internal int MaxLocalWorkers { get; }
}
