using System.Text.Json.Serialization;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Grains.Configuration;

/// <summary>A document has another version.</summary>
public sealed record ConfigurationChanged(DateTime Time, DocumentChange Change);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ConfigurationChanged))]
public sealed partial class ConfigurationJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a configuration stream.</summary>
public static class ConfigurationEventCatalog
{
    public static readonly EventCatalog<ConfigurationChanged> Events = new EventCatalog<ConfigurationChanged>()
        .Add("configuration-changed", 1, ConfigurationJson.Default.ConfigurationChanged);
}
