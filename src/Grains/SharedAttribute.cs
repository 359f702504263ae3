namespace HybridTrading.Grains;

/// <summary>
/// On a grain interface: its grains belong to no tenant, their keys begin with none, and what they call they call as the system.
/// On a method: everybody may call it, whoever they are; it checks for itself what an argument names
/// (<see cref="Hosting.Principal.RequireOwner"/>).
/// </summary>
[AttributeUsage(AttributeTargets.Interface | AttributeTargets.Method)]
public sealed class SharedAttribute : Attribute;

/// <summary>
/// On a grain interface or a method: the gateway calls it for itself, before it knows who is at the door
/// (<see cref="Hosting.Principal.OfGateway"/>). What a stranger says is an argument; the grain trusts nothing of it.
/// </summary>
[AttributeUsage(AttributeTargets.Interface | AttributeTargets.Method)]
public sealed class ForGatewayAttribute : Attribute;
