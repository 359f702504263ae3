using System.Linq.Expressions;
using System.Reflection;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>A method of a grain or observer interface with its compiled invoker.</summary>
internal abstract class GrainMethod
{
    private readonly Func<object, object?[], Task> _invoke;

    // Parameters that are references: a grain that passes itself passes its reference.
    private readonly (int Index, Type Type)[] _references;

    protected GrainMethod(MethodInfo info)
    {
        Info = info;
        InterfaceName = GrainInterface.NameOf(info.DeclaringType!).ToString();
        IsOneWay = info.IsDefined(typeof(OneWayAttribute)) || info.ReturnType == typeof(void);
        IsAlwaysInterleave = info.IsDefined(typeof(AlwaysInterleaveAttribute));
        IsReadOnly = info.IsDefined(typeof(ReadOnlyAttribute));
        ResponseTimeout = info.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout;
        ParameterInfo[] parameters = info.GetParameters();
        CancellationTokenIndex = Array.FindIndex(parameters, p => p.ParameterType == typeof(CancellationToken));
        _references =
        [
            .. parameters.Where(p => p.ParameterType.IsInterface && typeof(IAddressable).IsAssignableFrom(p.ParameterType))
                .Select(p => (p.Position, p.ParameterType)),
        ];
        _invoke = Compile(info, parameters);
    }

    public MethodInfo Info { get; }

    public string InterfaceName { get; }

    public bool IsOneWay { get; }

    public bool IsAlwaysInterleave { get; }

    public bool IsReadOnly { get; }

    public TimeSpan? ResponseTimeout { get; }

    /// <summary>-1 where the method takes no token.</summary>
    public int CancellationTokenIndex { get; }

    public static GrainMethod Create(MethodInfo info)
    {
        Type returned = info.ReturnType;
        Type? definition = returned.IsGenericType ? returned.GetGenericTypeDefinition() : null;
        if (definition == typeof(Task<>) || definition == typeof(ValueTask<>))
        {
            Type method = definition == typeof(Task<>) ? typeof(TaskMethod<>) : typeof(ValueTaskMethod<>);
            return (GrainMethod)Activator.CreateInstance(method.MakeGenericType(returned.GetGenericArguments()), info)!;
        }
        if (returned == typeof(Task)) return new TaskMethod<VoidResult>(info);
        if (returned == typeof(ValueTask)) return new ValueTaskMethod(info);
        if (returned == typeof(void)) return new VoidMethod(info);
        throw new NotSupportedException(
            $"{info.DeclaringType}.{info.Name} returns {returned}; a grain method returns Task, Task<T>, ValueTask, ValueTask<T> or (one way) void");
    }

    /// <summary>Makes the call that a proxy was asked for and returns what the method returns.</summary>
    public object? Dispatch(GrainProxy proxy, object?[] arguments)
    {
        foreach ((int index, Type type) in _references)
        {
            if (arguments[index] is IGrainBase grain) arguments[index] = ((IAddressable)grain).AsReference(type);
        }
        LocalRuntime runtime = proxy.Runtime;
        Call call = CreateCall(proxy, arguments);
        if (runtime.OutgoingFilters.Length > 0)
        {
            Task filtered = SendFiltered(new OutgoingCallContext(call, runtime));
            if (!IsOneWay) return ToReturnValue(filtered);
            _ = NoteFailure(filtered, call);
            return ToReturnValue(Task.CompletedTask);
        }
        call.Send(runtime, RuntimeContext.Current);
        return ToReturnValue(IsOneWay ? Task.CompletedTask : call.Answer);
    }

    /// <summary>Calls the method on the object; a value task comes as a task.</summary>
    public Task Invoke(object instance, object?[] arguments) => _invoke(instance, arguments);

    public abstract Call CreateCall(GrainProxy proxy, object?[] arguments);

    protected abstract Task SendFiltered(OutgoingCallContext context);

    protected abstract object? ToReturnValue(Task answer);

    protected static async Task<TResult> SendFiltered<TResult>(OutgoingCallContext context)
    {
        await context.Invoke();
        return ((Call<TResult>)context.Call).TypedResult!;
    }

    // A filter may refuse a one-way call, which has no caller to hear of it.
    private static async Task NoteFailure(Task filtered, Call call)
    {
        try
        {
            await filtered;
        }
        catch (Exception refusal)
        {
            call.Proxy.Runtime.OnOneWayFailed(call, refusal);
        }
    }

    private static Func<object, object?[], Task> Compile(MethodInfo info, ParameterInfo[] parameters)
    {
        ParameterExpression instance = Expression.Parameter(typeof(object));
        ParameterExpression arguments = Expression.Parameter(typeof(object?[]));
        Expression call = Expression.Call(
            Expression.Convert(instance, info.DeclaringType!),
            info,
            parameters.Select(p => Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(p.Position)), p.ParameterType)));
        Expression body =
            info.ReturnType == typeof(void) ? Expression.Block(call, Expression.Constant(Task.CompletedTask))
            : info.ReturnType.IsValueType ? Expression.Call(call, nameof(ValueTask.AsTask), null)
            : call;
        return Expression.Lambda<Func<object, object?[], Task>>(Expression.Convert(body, typeof(Task)), instance, arguments).Compile();
    }

    private sealed class TaskMethod<TResult>(MethodInfo info) : GrainMethod(info)
    {
        public override Call CreateCall(GrainProxy proxy, object?[] arguments) => new Call<TResult>(proxy, this, arguments);

        protected override Task SendFiltered(OutgoingCallContext context) => SendFiltered<TResult>(context);

        protected override object ToReturnValue(Task answer) => answer;
    }

    private sealed class ValueTaskMethod<TResult>(MethodInfo info) : GrainMethod(info)
    {
        public override Call CreateCall(GrainProxy proxy, object?[] arguments) => new Call<TResult>(proxy, this, arguments);

        protected override Task SendFiltered(OutgoingCallContext context) => SendFiltered<TResult>(context);

        protected override object ToReturnValue(Task answer) => new ValueTask<TResult>((Task<TResult>)answer);
    }

    private sealed class ValueTaskMethod(MethodInfo info) : GrainMethod(info)
    {
        public override Call CreateCall(GrainProxy proxy, object?[] arguments) => new Call<VoidResult>(proxy, this, arguments);

        protected override Task SendFiltered(OutgoingCallContext context) => SendFiltered<VoidResult>(context);

        protected override object ToReturnValue(Task answer) => new ValueTask(answer);
    }

    private sealed class VoidMethod(MethodInfo info) : GrainMethod(info)
    {
        public override Call CreateCall(GrainProxy proxy, object?[] arguments) => new Call<VoidResult>(proxy, this, arguments);

        protected override Task SendFiltered(OutgoingCallContext context) => SendFiltered<VoidResult>(context);

        protected override object? ToReturnValue(Task answer) => null;
    }
}
