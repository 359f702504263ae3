using System.Text.Json;

namespace HybridTrading.Domain.Configuration;

/// <summary>Which document of a layer's owner: <c>section</c>, or <c>section@strategy</c> for what a user says of one strategy.</summary>
public readonly record struct DocumentId(string Section, string? Strategy = null)
{
    /// <summary>The id of a text; false where it names no section.</summary>
    public static bool TryParse(string text, out DocumentId id)
    {
        int at = text.IndexOf('@');
        id = at < 0 ? new DocumentId(text) : new DocumentId(text[..at], text[(at + 1)..]);
        return ConfigurationCatalog.Find(id.Section) is not null && id.Strategy != "";
    }

    public override string ToString() => Strategy is null ? Section : $"{Section}@{Strategy}";
}

/// <summary>How a version came about. Names are stored.</summary>
public enum VersionAction : byte { Created, Changed, Removed, RolledBack }

/// <summary>One state of a document, and who made it so.</summary>
/// <param name="Number">1 upwards, without holes, also over a removal.</param>
/// <param name="By">The user.</param>
/// <param name="Comment">Why; empty where nobody said.</param>
/// <param name="Restores">Of a roll-back: the version whose values these are.</param>
/// <param name="Values">JSON by the setting's name, secrets apart.</param>
/// <param name="Secrets">When each secret that is set was changed last; never what it is.</param>
[GenerateSerializer, Immutable, Alias("ht.DocumentVersion")]
public sealed record DocumentVersion(
    long Number, DateTime At, string By, string Comment, VersionAction Action, long? Restores,
    ImmutableSortedDictionary<string, string> Values, ImmutableSortedDictionary<string, DateTime> Secrets)
{
    public bool IsRemoved => Action == VersionAction.Removed;

    /// <summary>Equal in all that is set; the order of members and the writing of numbers do not count.</summary>
    public bool SaysTheSameAs(DocumentVersion other) =>
        IsRemoved == other.IsRemoved && Values.Count == other.Values.Count && Secrets.SequenceEqual(other.Secrets)
        && Values.All(pair => other.Values.TryGetValue(pair.Key, out string? value) && Same(pair.Value, value));

    /// <summary>What was changed from this version to another, by setting.</summary>
    public ImmutableArray<SettingDifference> DifferencesTo(DocumentVersion other)
    {
        ImmutableArray<SettingDifference>.Builder differences = ImmutableArray.CreateBuilder<SettingDifference>();
        foreach (string setting in Values.Keys.Union(other.Values.Keys).Union(Secrets.Keys).Union(other.Secrets.Keys).Order(StringComparer.Ordinal))
        {
            (string? from, string? to) = (Of(this, setting), Of(other, setting));
            if (from is null || to is null || !Same(from, to)) differences.Add(new SettingDifference(setting, from, to));
        }
        return differences.ToImmutable();
    }

    private static string? Of(DocumentVersion version, string setting) => version.Values.GetValueOrDefault(setting)
        ?? (version.Secrets.TryGetValue(setting, out DateTime changed) ? JsonSerializer.Serialize(changed) : null);

    private static bool Same(string json, string other)
    {
        using JsonDocument a = JsonDocument.Parse(json), b = JsonDocument.Parse(other);
        return JsonElement.DeepEquals(a.RootElement, b.RootElement);
    }
}

/// <summary>One setting in two versions.</summary>
/// <param name="From">JSON; null where it was not set. Of a secret the time of its change.</param>
public sealed record SettingDifference(string Setting, string? From, string? To);

/// <summary>What a layer says now, in one document.</summary>
/// <param name="Sealed">Its secrets, for <see cref="ISecretBox"/>.</param>
[GenerateSerializer, Immutable, Alias("ht.LayerDocument")]
public sealed record LayerDocument(
    ImmutableSortedDictionary<string, string> Values, ImmutableSortedDictionary<string, DateTime> Secrets,
    ImmutableSortedDictionary<string, string> Sealed);

/// <summary>Everything that one owner's documents say now, by <see cref="DocumentId"/>. An owner is a tenant or a user.</summary>
[GenerateSerializer, Immutable, Alias("ht.LayerDocuments")]
public sealed record LayerDocuments(ImmutableSortedDictionary<string, LayerDocument> Documents)
{
    public static readonly LayerDocuments None = new(ImmutableSortedDictionary.Create<string, LayerDocument>(StringComparer.Ordinal));
}
