using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Api;

/// <summary>A section of the configuration, and what can be set in it.</summary>
/// <param name="Private">Its values are shown to nobody but their owner.</param>
/// <param name="Schema">JSON schema (2020-12) of a document's values.</param>
public sealed record ConfigurationSchemaView(
    string Section, string Title, string Description, bool Private, ImmutableArray<ConfigurationSettingView> Settings, JsonElement Schema)
{
    public static ConfigurationSchemaView Of(ConfigurationSection section) => new(
        section.Name, section.Title, section.Description, section.IsPrivate, [.. section.Settings.Select(ConfigurationSettingView.Of)],
        JsonSerializer.SerializeToElement(section.Schema()));
}

/// <param name="Schema">JSON schema of the value.</param>
/// <param name="Layers">Who may set it.</param>
/// <param name="Secret">It is written and never read.</param>
public sealed record ConfigurationSettingView(
    string Name, string Title, string Description, JsonElement Schema, JsonElement Default, ImmutableArray<ConfigurationLayer> Layers, bool Secret)
{
    public static ConfigurationSettingView Of(ConfigurationSetting setting) => new(
        setting.Name, setting.Title, setting.Description, JsonSerializer.SerializeToElement(setting.Shape.Schema()), setting.Default, setting.Layers,
            setting.IsSecret);
}

/// <summary>All that a user or a tenant has set, and what counts.</summary>
/// <param name="User">Null for the tenant's own layer.</param>
/// <param name="Strategy">Whose layer lies on top; null for none.</param>
/// <param name="Effective">By section and setting.</param>
public sealed record ConfigurationView(
    string? User, string? Strategy, ImmutableArray<ConfigurationDocumentView> Documents,
    ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, EffectiveSettingView>> Effective);

/// <summary>What counts of one setting, and who says so.</summary>
/// <param name="Set">Of a secret alone: whether there is one.</param>
/// <param name="ChangedAt">Of a secret that is set: when.</param>
public sealed record EffectiveSettingView(
    JsonElement Value, ConfigurationLayer Source, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Set,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTime? ChangedAt)
{
    public static EffectiveSettingView Of(ConfigurationSetting setting, EffectiveSetting effective) => new(
        effective.Value, effective.Source, setting.IsSecret ? effective.SecretChanged is not null : null, effective.SecretChanged);
}

/// <summary>A document as it stands.</summary>
/// <param name="Id">The section's name, or section@strategy.</param>
/// <param name="Values">By the setting's name; none once it is removed.</param>
/// <param name="Secrets">When each that is set was changed last.</param>
/// <param name="Comment">Why; empty where nobody said.</param>
public sealed record ConfigurationDocumentView(
    string Id, string Section, string? Strategy, long Version, ImmutableSortedDictionary<string, JsonElement> Values,
    ImmutableSortedDictionary<string, DateTime> Secrets, DateTime ChangedAt, string ChangedBy, string Comment, bool Removed)
{
    public static ConfigurationDocumentView Of(string id, DocumentVersion version)
    {
        DocumentId.TryParse(id, out DocumentId document);
        return new ConfigurationDocumentView(id, document.Section, document.Strategy, version.Number, ConfigurationVersionView.Parsed(version.Values),
            version.Secrets, version.At, version.By, version.Comment, version.IsRemoved);
    }
}

/// <summary>One version of a document.</summary>
/// <param name="By">The user who made it.</param>
/// <param name="Restores">Of a roll-back: the version whose values it put back.</param>
public sealed record ConfigurationVersionView(
    long Number, DateTime At, string By, string Comment, VersionAction Action, long? Restores, ImmutableSortedDictionary<string, JsonElement> Values,
    ImmutableSortedDictionary<string, DateTime> Secrets)
{
    public static ConfigurationVersionView Of(DocumentVersion version) => new(
        version.Number, version.At, version.By, version.Comment, version.Action, version.Restores, Parsed(version.Values), version.Secrets);

    internal static ImmutableSortedDictionary<string, JsonElement> Parsed(ImmutableSortedDictionary<string, string> values) =>
        values.ToImmutableSortedDictionary(pair => pair.Key, pair => JsonElement.Parse(pair.Value), StringComparer.Ordinal);
}

/// <summary>What became of a setting from a version to its difference.</summary>
public enum SettingChange : byte { Added, Removed, Changed }

/// <summary>A setting that two versions do not have alike.</summary>
/// <param name="From">Of a secret the time of its change; null where it was not set.</param>
public sealed record ConfigurationDifferenceView(string Setting, SettingChange Change, JsonElement? From, JsonElement? To)
{
    public static ConfigurationDifferenceView Of(SettingDifference difference) => new(
        difference.Setting, difference.From is null ? SettingChange.Added : difference.To is null ? SettingChange.Removed : SettingChange.Changed,
        difference.From is { } from ? JsonElement.Parse(from) : null, difference.To is { } to ? JsonElement.Parse(to) : null);
}

public sealed record ConfigurationDocumentChanged(long MinPosition, ConfigurationDocumentView Document);
