using System.Collections.Concurrent;
using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans.Local;

/// <summary>What is known of a grain class: its type name, its rules and how to construct it.</summary>
internal sealed class GrainClass
{
    // Compiling takes a millisecond, and a class is the same in every silo of the process.
    private static readonly ConcurrentDictionary<Type, Func<Activation, object>> Constructors = new();

    private readonly Func<Activation, object> _create;
    private long _activated;
    private long _deactivated;
    private long _retiredRequests;

    public GrainClass(Type type, GrainCollectionOptions collection)
    {
        Type = type;
        GrainType = type.GetCustomAttribute<GrainTypeAttribute>()?.GrainType ?? GrainType.Create(ConventionalName(type));
        IsReentrant = type.IsDefined(typeof(ReentrantAttribute), inherit: true);
        MaxWorkers = type.GetCustomAttribute<StatelessWorkerAttribute>()?.MaxLocalWorkers ?? 0;
        MayInterleave = CompilePredicate(type);
        CollectionAge = AgeOf(type, collection);
        _create = Constructors.GetOrAdd(type, CompileConstructor);
    }

    public Type Type { get; }

    public GrainType GrainType { get; }

    public bool IsReentrant { get; }

    /// <summary>Zero for classes that are not stateless workers.</summary>
    public int MaxWorkers { get; }

    /// <summary>The class's own rule on which calls may interleave.</summary>
    public Func<object, IInvokable, bool>? MayInterleave { get; }

    /// <summary>Null for classes that are never idle.</summary>
    public TimeSpan? CollectionAge { get; }

    public long Activations => Interlocked.Read(ref _activated) - Interlocked.Read(ref _deactivated);

    public long Activated => Interlocked.Read(ref _activated);

    /// <summary>Requests that were finished by activations that are gone.</summary>
    public long RetiredRequests => Interlocked.Read(ref _retiredRequests);

    /// <summary>Makes the object of a grain; runs in a turn of its activation.</summary>
    public object Create(Activation activation) => _create(activation);

    public void CountActivated() => Interlocked.Increment(ref _activated);

    public void CountDeactivated(long requests)
    {
        Interlocked.Increment(ref _deactivated);
        Interlocked.Add(ref _retiredRequests, requests);
    }

    /// <summary>The class name in lower case without "Grain": AccountGrain is <c>account</c>.</summary>
    private static string ConventionalName(Type type)
    {
        string name = type.Name.ToLower(CultureInfo.InvariantCulture);
        int arity = name.IndexOf('`', StringComparison.Ordinal);
        if (arity >= 0) name = name[..arity];
        return name.Length > 5 && name.EndsWith("grain", StringComparison.Ordinal) ? name[..^5] : name;
    }

    private static TimeSpan? AgeOf(Type type, GrainCollectionOptions collection)
    {
        if (type.IsDefined(typeof(KeepAliveAttribute), inherit: true)) return null;
        if (type.GetCustomAttribute<CollectionAgeLimitAttribute>() is { } limit) return limit.AlwaysActive ? null : limit.AgeLimit;
        return collection.ClassSpecificCollectionAge.TryGetValue(type.FullName!, out TimeSpan age) ? age : collection.CollectionAge;
    }

    private static Func<object, IInvokable, bool>? CompilePredicate(Type type)
    {
        if (type.GetCustomAttribute<MayInterleaveAttribute>() is not { } attribute) return null;
        const BindingFlags Any =
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.FlattenHierarchy;
        MethodInfo? method = type.GetMethod(attribute.CallbackMethodName, Any, [typeof(IInvokable)]);
        if (method?.ReturnType != typeof(bool))
        {
            throw new OrleansConfigurationException(
                $"{type}: [MayInterleave] expects a method bool {attribute.CallbackMethodName}({nameof(IInvokable)})");
        }
        ParameterExpression instance = Expression.Parameter(typeof(object));
        ParameterExpression request = Expression.Parameter(typeof(IInvokable));
        return Expression.Lambda<Func<object, IInvokable, bool>>(
            Expression.Call(method.IsStatic ? null : Expression.Convert(instance, type), method, request), instance, request).Compile();
    }

    private static Func<Activation, object> CompileConstructor(Type type)
    {
        ConstructorInfo[] constructors = type.GetConstructors();
        ConstructorInfo constructor =
            constructors.FirstOrDefault(c => c.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)))
            ?? constructors.MaxBy(c => c.GetParameters().Length)
            ?? throw new OrleansConfigurationException($"{type} has no public constructor");
        ParameterExpression activation = Expression.Parameter(typeof(Activation));
        return Expression.Lambda<Func<Activation, object>>(
            Expression.New(constructor, constructor.GetParameters().Select(Argument)), activation).Compile();

        Expression Argument(ParameterInfo parameter)
        {
            if (parameter.GetCustomAttribute<PersistentStateAttribute>() is { } state)
            {
                if (!parameter.ParameterType.IsGenericType || parameter.ParameterType.GetGenericTypeDefinition() != typeof(IPersistentState<>))
                {
                    throw new OrleansConfigurationException(
                        $"{type}: [PersistentState] parameter {parameter.Name} is {parameter.ParameterType}, expected IPersistentState<T>");
                }
                Type made = typeof(PersistentState<>).MakeGenericType(parameter.ParameterType.GetGenericArguments());
                return Expression.New(
                    made.GetConstructors().Single(),
                    activation,
                    Expression.Constant(state.StateName),
                    Expression.Constant(state.StorageName, typeof(string)));
            }
            if (parameter.ParameterType == typeof(IGrainContext)) return activation;
            MemberExpression services = Expression.Property(activation, nameof(Activation.ActivationServices));
            return Expression.Convert(Expression.Call(Resolver, services, Expression.Constant(parameter)), parameter.ParameterType);
        }
    }

    private static readonly MethodInfo Resolver = typeof(GrainClass).GetMethod(nameof(Resolve), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static object? Resolve(IServiceProvider services, ParameterInfo parameter)
    {
        object? service = parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed
            ? ((IKeyedServiceProvider)services).GetKeyedService(parameter.ParameterType, keyed.Key)
            : services.GetService(parameter.ParameterType);
        if (service is not null) return service;
        if (parameter.HasDefaultValue) return parameter.DefaultValue;
        throw new InvalidOperationException(
            $"{parameter.Member.DeclaringType} needs {parameter.ParameterType} for its constructor parameter {parameter.Name}; "
            + "no such service is registered");
    }
}
