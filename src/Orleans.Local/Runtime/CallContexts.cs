using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans.Local;

/// <summary>Walks a call through its filters.</summary>
internal abstract class CallContext(Call call) : IGrainCallContext
{
    private int _stage;

    public Call Call { get; protected set; } = call;

    public IInvokable Request => Call;

    public abstract object Grain { get; }

    public abstract GrainId? SourceId { get; }

    public GrainId TargetId => Call.Proxy.GrainId;

    public GrainInterfaceType InterfaceType => Call.Proxy.InterfaceType;

    public string InterfaceName => Call.Method.InterfaceName;

    public string MethodName => Call.Method.Info.Name;

    public MethodInfo InterfaceMethod => Call.Method.Info;

    public object? Result
    {
        get => Call.Result;
        set => Call.Result = value;
    }

    protected abstract int FilterCount { get; }

    public Task Invoke()
    {
        int stage = _stage;
        return stage < FilterCount ? InvokeFilter(stage) : InvokeMethod();
    }

    protected abstract Task CallFilter(int stage);

    protected abstract Task InvokeMethod();

    /// <summary>
    /// The stage is put back afterwards, so that a filter may call Invoke again. Nobody calls the first filter again, so there is nothing to put back
    /// behind it: a call with one filter that passes on costs no task of its own.
    /// </summary>
    private Task InvokeFilter(int stage)
    {
        _stage = stage + 1;
        if (stage > 0) return InvokeInnerFilter(stage);
        try
        {
            return CallFilter(stage);
        }
        catch (Exception refusal)
        {
            return Task.FromException(refusal);
        }
    }

    private async Task InvokeInnerFilter(int stage)
    {
        try
        {
            await CallFilter(stage);
        }
        finally
        {
            _stage = stage;
        }
    }
}

/// <param name="receiver">The object whose method is called: the grain, or a timer of it.</param>
internal sealed class IncomingCallContext(Call call, TurnTarget target, object grain, object receiver, IIncomingGrainCallFilter[] filters)
    : CallContext(call), IIncomingGrainCallContext
{
    private readonly IIncomingGrainCallFilter? _own = grain as IIncomingGrainCallFilter;

    public override object Grain => grain;

    // As in a cluster, where even a client inside the silo calls under a name of its own.
    public override GrainId? SourceId => Call.Source?.GrainId ?? LocalRuntime.ClientId;

    public IGrainContext TargetContext => target.Context!;

    public MethodInfo ImplementationMethod => ImplementationMethods.Find(receiver.GetType(), Call.Method.Info);

    protected override int FilterCount => filters.Length + (_own is null ? 0 : 1);

    protected override Task CallFilter(int stage) => (stage < filters.Length ? filters[stage] : _own!).Invoke(this);

    protected override Task InvokeMethod()
    {
        Task task;
        try
        {
            task = Call.Method.Invoke(receiver, Call.Arguments);
        }
        catch (Exception failure)
        {
            return Task.FromException(failure);
        }
        if (!task.IsCompletedSuccessfully) return TakeResult(task);
        Call.TakeResult(task);
        return task;
    }

    private async Task TakeResult(Task task)
    {
        await task;
        Call.TakeResult(task);
    }
}

internal sealed class OutgoingCallContext(Call call, LocalRuntime runtime) : CallContext(call), IOutgoingGrainCallContext
{
    public override object Grain => Call.Proxy;

    public IGrainContext? SourceContext { get; } = RuntimeContext.Current;

    public override GrainId? SourceId => SourceContext?.GrainId;

    protected override int FilterCount => runtime.OutgoingFilters.Length;

    protected override Task CallFilter(int stage) => runtime.OutgoingFilters[stage].Invoke(this);

    protected override async Task InvokeMethod()
    {
        if (Call.WasSent) Call = Call.Renew();
        Call.Send(runtime, SourceContext);
        if (Call.Method.IsOneWay) return;
        await Call.Answer;
        Call.TakeResult(Call.Answer);
    }
}

/// <summary>The method of a class that implements a method of an interface.</summary>
internal static class ImplementationMethods
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<(Type Class, MethodInfo Method), MethodInfo> Known = new();

    public static MethodInfo Find(Type type, MethodInfo method) => Known.GetOrAdd((type, method), static key =>
    {
        MethodInfo declared = key.Method.IsGenericMethod ? key.Method.GetGenericMethodDefinition() : key.Method;
        InterfaceMapping map = key.Class.GetInterfaceMap(declared.DeclaringType!);
        MethodInfo implementation = map.TargetMethods[Array.IndexOf(map.InterfaceMethods, declared)];
        return key.Method.IsGenericMethod ? implementation.MakeGenericMethod(key.Method.GetGenericArguments()) : implementation;
    });
}
