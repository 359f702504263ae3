using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans
{
    /// <summary>A call on its way, as filters see it.</summary>
    public interface IGrainCallContext
    {
        IInvokable Request { get; }

        /// <summary>For an incoming call the grain object, for an outgoing one the reference that is called.</summary>
        object Grain { get; }

        /// <summary>
        /// Who calls: a grain, or a part of the runtime, whose type begins with <c>sys.</c>. Code outside of grains is null for an outgoing
        /// call and <c>sys.client/...</c> for an incoming one.
        /// </summary>
        GrainId? SourceId { get; }

        GrainId TargetId { get; }

        GrainInterfaceType InterfaceType { get; }

        string InterfaceName { get; }

        string MethodName { get; }

        MethodInfo InterfaceMethod { get; }

        /// <summary>The result after <see cref="Invoke"/>; a filter may replace it by a value of the same type.</summary>
        object? Result { get; set; }

        /// <summary>Goes on to the next filter or to the call itself; throws what the call throws.</summary>
        Task Invoke();
    }

    /// <summary>A call that reached its grain.</summary>
    public interface IIncomingGrainCallContext : IGrainCallContext
    {
        IGrainContext TargetContext { get; }

        /// <summary>The method of the grain class.</summary>
        MethodInfo ImplementationMethod { get; }
    }

    /// <summary>A call that is about to leave its caller.</summary>
    public interface IOutgoingGrainCallContext : IGrainCallContext
    {
        /// <summary>The activation that calls; null when the caller is not a grain.</summary>
        IGrainContext? SourceContext { get; }
    }

    /// <summary>
    /// Stands around every incoming call of the silo, or, where a grain class implements it, of that grain (innermost). Ticks of grain timers
    /// are such calls too: <c>IGrainTimerInvoker.InvokeCallbackAsync</c>, from the grain to itself.
    /// </summary>
    public interface IIncomingGrainCallFilter
    {
        Task Invoke(IIncomingGrainCallContext context);
    }

    /// <summary>Stands around every call that leaves a grain or a client of the silo.</summary>
    public interface IOutgoingGrainCallFilter
    {
        Task Invoke(IOutgoingGrainCallContext context);
    }

    public delegate Task IncomingGrainCallFilterDelegate(IIncomingGrainCallContext context);

    public delegate Task OutgoingGrainCallFilterDelegate(IOutgoingGrainCallContext context);
}

namespace Orleans.Serialization.Invocation
{
    /// <summary>The request of a call: method and arguments.</summary>
    public interface IInvokable
    {
        /// <summary>The grain object, once the call reached it.</summary>
        object? GetTarget();

        int GetArgumentCount();

        /// <exception cref="ArgumentOutOfRangeException">There is no such argument.</exception>
        object? GetArgument(int index);

        /// <exception cref="ArgumentOutOfRangeException">There is no such argument.</exception>
        void SetArgument(int index, object value);

        string GetMethodName();

        string GetInterfaceName();

        MethodInfo GetMethod();

        Type GetInterfaceType();

        TimeSpan? GetDefaultResponseTimeout() => default;

        CancellationToken GetCancellationToken() => default;

        bool IsCancellable => false;
    }
}
