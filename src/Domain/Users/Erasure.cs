using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Users;

/// <summary>
/// What is recorded of the erasure of a person, in the stream <c>erasure/ID</c>. It is encrypted with a key that stays and holds nothing of the
/// person but ids that say nothing.
/// </summary>
public abstract record ErasureEvent(DateTime Time);

/// <summary>From here on there is no way back: lists drop what these subjects own, and nothing of them is shown any more.</summary>
/// <param name="Persons">tenant/user, one for each tenant that the user ever belonged to.</param>
/// <param name="Subjects">Whose keys are destroyed.</param>
/// <param name="Tenants">Tenants that end with their only member.</param>
/// <param name="By">Id of who wanted it.</param>
public sealed record ErasureBegun(
    DateTime Time, string User, ImmutableArray<string> Persons, ImmutableArray<string> Subjects,
    ImmutableArray<string> Tenants, string By, string Reason)
    : ErasureEvent(Time);

/// <summary>Nothing of the person can be read any more.</summary>
public sealed record UserErased(DateTime Time, string User) : ErasureEvent(Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErasureBegun))]
[JsonSerializable(typeof(UserErased))]
internal sealed partial class ErasureJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in an erasure's stream.</summary>
public static class ErasureEventCatalog
{
    /// <summary>What the streams begin with.</summary>
    public const string StreamPrefix = "erasure/";

    public static readonly EventCatalog<ErasureEvent> Events = new EventCatalog<ErasureEvent>()
        .Add("erasure-begun", 1, ErasureJson.Default.ErasureBegun)
        .Add("user-erased", 1, ErasureJson.Default.UserErased);

    /// <summary>Whose key encrypts all of them.</summary>
    public static StreamOwner Owner { get; } = new("users", "erasures");
}

/// <summary>Something that stands in the way of an erasure.</summary>
public enum ErasureObstacle : byte
{
    /// <summary>A strategy runs: stop it.</summary>
    StrategyRunning,

    /// <summary>An account holds a position: close it.</summary>
    PositionOpen,

    /// <summary>An account has an order at work: cancel it.</summary>
    OrderWorking,

    /// <summary>A tenant with other members would be left without an owner: make another member one.</summary>
    LastOwner,

    /// <summary>The installation would be left without an administrator: make another user one.</summary>
    LastAdministrator,
}

/// <summary>What stands in the way, and where.</summary>
/// <param name="Where">Key of the strategy or account, or the tenant's id.</param>
[GenerateSerializer, Immutable, Alias("ht.ErasureHindrance")]
public sealed record ErasureHindrance(ErasureObstacle Obstacle, string Where);
