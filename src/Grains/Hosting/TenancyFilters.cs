using System.Collections.Concurrent;
using System.Reflection;
using Orleans.Hosting;

namespace HybridTrading.Grains.Hosting;

/// <summary>Keeps tenants apart at the one door that every call passes, on both hosts.</summary>
public static class TenancyHosting
{
    public static ISiloBuilder AddTenancy(this ISiloBuilder silo)
    {
        silo.AddOutgoingGrainCallFilter<PrincipalOfCaller>();
        silo.AddIncomingGrainCallFilter<TenancyGuard>();
        return silo;
    }
}

/// <summary>
/// Sets the principal of every call between grains: a tenant's grain acts as its tenant, a shared one as the system. What came with the request that
/// the grain is working on never goes further, since it flows on through shared grains.
/// </summary>
public sealed class PrincipalOfCaller : IOutgoingGrainCallFilter
{
    private readonly ConcurrentDictionary<Type, bool> _shared = new();

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.SourceContext is { GrainInstance: IGrainBase caller } source)
        {
            string? current = Principal.Current;
            if (_shared.GetOrAdd(caller.GetType(), IsShared))
            {
                if (current != Principal.System) RequestContext.Set(Principal.ContextKey, Principal.System);
            }
            else
            {
                string key = source.GrainId.Key.ToString()!;
                if (current is null || !Keys.IsTenantOf(current, key)) RequestContext.Set(Principal.ContextKey, Keys.TenantOf(key));
            }
        }
        return context.Invoke();
    }

    private static bool IsShared(Type grainClass) =>
        GrainInterfaces.AreOrleans(grainClass) || grainClass.GetInterfaces().Any(each => each.IsDefined(typeof(SharedAttribute), inherit: false));
}

/// <summary>
/// Admits a tenant to its own grains and to shared methods; the system only where a grain calls, the host only where none does, the gateway only where
/// none does and to what is marked for it; nobody else to anything but shared methods.
/// </summary>
public sealed class TenancyGuard : IIncomingGrainCallFilter
{
    private readonly ConcurrentDictionary<MethodInfo, Access> _access = new();
    private readonly ConcurrentDictionary<MethodInfo, bool> _forGateway = new();
    private readonly ConcurrentDictionary<GrainType, bool> _clients = new();

    private enum Access : byte { Owner, Inner, Everybody }

    public Task Invoke(IIncomingGrainCallContext context)
    {
        Access access = _access.GetOrAdd(context.InterfaceMethod, AccessOf);
        if (access == Access.Everybody) return context.Invoke();
        string? principal = Principal.Current;
        bool admitted = principal switch
        {
            null => false,
            Principal.System => IsFromGrain(context),
            _ when Principal.IsHost(principal) => !IsFromGrain(context),
            _ when Principal.IsGateway(principal) => !IsFromGrain(context) && _forGateway.GetOrAdd(context.InterfaceMethod, IsForGateway),
            _ => access == Access.Owner && Principal.IsOwner(principal, context.TargetId.Key.ToString()!),
        };
        if (admitted) return context.Invoke();
        throw new UnauthorizedAccessException(
            $"{context.InterfaceMethod.DeclaringType!.Name}.{context.MethodName} of '{context.TargetId.Key}' is not open to {Principal.Describe(principal)}");
    }

    private static Access AccessOf(MethodInfo method)
    {
        Type grain = method.DeclaringType!;
        // Reminders, streams and the like are Orleans' own calls.
        if (GrainInterfaces.AreOrleans(grain) || method.IsDefined(typeof(SharedAttribute), inherit: false)) return Access.Everybody;
        return grain.IsDefined(typeof(SharedAttribute), inherit: false) ? Access.Inner : Access.Owner;
    }

    private static bool IsForGateway(MethodInfo method) =>
        method.IsDefined(typeof(ForGatewayAttribute), inherit: false) || method.DeclaringType!.IsDefined(typeof(ForGatewayAttribute), inherit: false);

    private bool IsFromGrain(IIncomingGrainCallContext context) =>
        context.SourceId is { } source && !_clients.GetOrAdd(source.Type, static type => type.ToString()!.StartsWith("sys.client", StringComparison.Ordinal));
}

internal static class GrainInterfaces
{
    public static bool AreOrleans(Type type) => type.Namespace is { } name && (name == "Orleans" || name.StartsWith("Orleans.", StringComparison.Ordinal));
}
