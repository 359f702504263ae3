using System.Text.Json.Serialization;
using HybridTrading.Domain.Journal;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Grains.Trading;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HaltEngaged))]
[JsonSerializable(typeof(ReleaseAsked))]
[JsonSerializable(typeof(HaltReleased))]
public sealed partial class HaltJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a tenant's kill switch stream.</summary>
public static class HaltEventCatalog
{
    public static readonly EventCatalog<HaltEvent> Events = new EventCatalog<HaltEvent>()
        .Add("halt-engaged", 1, HaltJson.Default.HaltEngaged)
        .Add("halt-release-asked", 1, HaltJson.Default.ReleaseAsked)
        .Add("halt-released", 1, HaltJson.Default.HaltReleased);
}
