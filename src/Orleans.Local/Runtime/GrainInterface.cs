using System.Collections.Concurrent;
using System.Reflection;
using Orleans.Runtime;

namespace Orleans.Local;

/// <summary>What is known of a grain or observer interface: its name, its methods and how to make a proxy for it.</summary>
internal sealed class GrainInterface
{
    private static readonly ConcurrentDictionary<Type, GrainInterface> Known = new();

    private readonly ConcurrentDictionary<MethodInfo, GrainMethod> _methods = new();
    private readonly GrainProxy _prototype;

    private GrainInterface(Type type)
    {
        if (!type.IsInterface || !typeof(IAddressable).IsAssignableFrom(type))
        {
            throw new ArgumentException(
                $"{type} is not a grain interface: expected an interface that extends {nameof(IGrain)} or {nameof(IGrainObserver)}");
        }
        Type = type;
        Name = NameOf(type);
        _prototype = (GrainProxy)DispatchProxy.Create(type, typeof(GrainProxy));
    }

    public Type Type { get; }

    public GrainInterfaceType Name { get; }

    public static GrainInterface Of(Type type) =>
        Known.TryGetValue(type, out GrainInterface? known) ? known : Known.GetOrAdd(type, new GrainInterface(type));

    /// <summary>The alias of an interface, or else its full name.</summary>
    public static GrainInterfaceType NameOf(Type type) =>
        GrainInterfaceType.Create(type.GetCustomAttributes<AliasAttribute>(inherit: false).FirstOrDefault()?.Alias ?? type.FullName ?? type.Name);

    public GrainProxy CreateProxy(LocalRuntime runtime, GrainId grainId) => _prototype.For(runtime, this, grainId);

    public GrainMethod Method(MethodInfo info) =>
        _methods.TryGetValue(info, out GrainMethod? method) ? method : _methods.GetOrAdd(info, GrainMethod.Create);
}

/// <summary>
/// The base of the generated proxies. Making one through <see cref="DispatchProxy"/> is slow, so one prototype an interface is made and copied.
/// </summary>
#pragma warning disable CA1852 // DispatchProxy derives from it
internal class GrainProxy : DispatchProxy
#pragma warning restore CA1852
{
    private GrainInterface _interface = null!;
    private CallTarget? _target;

    public LocalRuntime Runtime { get; private set; } = null!;

    public GrainId GrainId { get; private set; }

    public GrainInterfaceType InterfaceType => _interface.Name;

    /// <summary>Where calls go: the activation of the grain, made when there is none.</summary>
    public CallTarget Target
    {
        get
        {
            CallTarget? target = _target;
            if (target is { IsGone: false }) return target;
            return _target = Runtime.GetTarget(GrainId);
        }
    }

    public GrainProxy For(LocalRuntime runtime, GrainInterface type, GrainId grainId)
    {
        GrainProxy proxy = (GrainProxy)MemberwiseClone();
        proxy.Runtime = runtime;
        proxy._interface = type;
        proxy.GrainId = grainId;
        return proxy;
    }

    public object Cast(Type interfaceType) => interfaceType.IsInstanceOfType(this) ? this : Runtime.CreateProxy(interfaceType, GrainId);

    public sealed override bool Equals(object? obj) => obj is GrainProxy other && GrainId.Equals(other.GrainId);

    public sealed override int GetHashCode() => GrainId.GetHashCode();

    public sealed override string ToString() => $"GrainReference:{GrainId}:{InterfaceType}";

    protected sealed override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _interface.Method(targetMethod!).Dispatch(this, args ?? []);
}
