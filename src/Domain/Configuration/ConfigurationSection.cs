using System.Text.Json;
using System.Text.Json.Nodes;

namespace HybridTrading.Domain.Configuration;

/// <summary>What lies on what: a later one hides an earlier one, setting by setting. Names are part of the API.</summary>
public enum ConfigurationLayer : byte
{
    /// <summary>The product's own.</summary>
    Default,

    /// <summary>What a tenant's members begin with.</summary>
    Tenant,

    User,

    /// <summary>A user's, for one strategy of theirs.</summary>
    Strategy,
}

/// <summary>One thing that can be set.</summary>
/// <param name="Title">A few words, for people.</param>
/// <param name="Description">What it does, its unit, and who reads it.</param>
/// <param name="DefaultJson">Its value where no layer says one; of a secret always <c>null</c>.</param>
/// <param name="Layers">Who may set it, in their order.</param>
/// <param name="IsSecret">A text that is stored sealed and never shown.</param>
public sealed record ConfigurationSetting(
    string Name, string Title, string Description, Shape Shape, string DefaultJson, ImmutableArray<ConfigurationLayer> Layers, bool IsSecret = false)
{
    public JsonElement Default { get; } = JsonElement.Parse(DefaultJson);
}

/// <summary>Settings that belong together: what one document holds.</summary>
/// <param name="IsPrivate">Shown to nobody but its owner: addresses and the like.</param>
public sealed record ConfigurationSection(
    string Name, string Title, string Description, ImmutableArray<ConfigurationSetting> Settings, bool IsPrivate = false)
{
    public ConfigurationSetting? Find(string name) => Settings.FirstOrDefault(setting => setting.Name == name);

    /// <summary>Whether a document of this section can be in a layer.</summary>
    public bool IsIn(ConfigurationLayer layer) => Settings.Any(setting => setting.Layers.Contains(layer));

    /// <summary>The JSON schema of a document's values.</summary>
    public JsonObject Schema()
    {
        var properties = new JsonObject();
        foreach (ConfigurationSetting setting in Settings)
        {
            JsonObject schema = setting.IsSecret ? new OptionalShape(setting.Shape).Schema() : setting.Shape.Schema();
            schema["title"] = setting.Title;
            schema["description"] = setting.Description;
            if (setting.IsSecret) schema["writeOnly"] = true;
            else schema["default"] = JsonNode.Parse(setting.DefaultJson);
            properties[setting.Name] = schema;
        }
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = $"urn:hybridtrading:configuration:{Name}",
            ["title"] = Title,
            ["description"] = Description,
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }

    /// <summary>Everything that is wrong with a document's values in a layer.</summary>
    /// <param name="values">By the setting's name; JSON.</param>
    public ImmutableArray<ConfigurationFault> Check(ConfigurationLayer layer, IEnumerable<KeyValuePair<string, JsonElement>> values)
    {
        var faults = new List<ConfigurationFault>();
        foreach ((string name, JsonElement value) in values)
        {
            if (Find(name) is not { } setting)
            {
                IEnumerable<string> known = Settings.Where(each => each.Layers.Contains(layer)).Select(each => each.Name);
                faults.Add(new ConfigurationFault(name, "unknown", string.Join(", ", known)));
            }
            else if (!setting.Layers.Contains(layer))
            {
                faults.Add(new ConfigurationFault(
                    name, $"set for a {layer.ToString().ToLowerInvariant()}", $"in the layer {string.Join(" or ", setting.Layers)} only"));
            }
            else if (!setting.IsSecret)
            {
                setting.Shape.Check(value, name, faults);
            }
            else if (value.ValueKind != JsonValueKind.Null)
            {
                int before = faults.Count;
                setting.Shape.Check(value, name, faults);
                // What was meant as a secret is not shown, not even a wrong one.
                for (int i = before; i < faults.Count; i++) faults[i] = faults[i] with { Value = "not as it must be" };
            }
        }
        return [.. faults];
    }
}
