using System.Text.Json;

namespace HybridTrading.Domain.Configuration;

/// <summary>What came of a change that somebody asked for.</summary>
public enum ConfigurationOutcome : byte
{
    Done,

    /// <summary>The values, or what else was given, cannot be taken.</summary>
    Invalid,

    /// <summary>There is no such document.</summary>
    Unknown,

    /// <summary>There is one already.</summary>
    Exists,

    /// <summary>It has another version by now.</summary>
    Conflict,
}

/// <summary>Who changes something, when and why.</summary>
public sealed record Authorship(string By, DateTime At, string Comment);

/// <summary>A document's next version. It is what is recorded.</summary>
/// <param name="Sealed">The secrets of the document from then on, by name.</param>
public sealed record DocumentChange(string Id, DocumentVersion Version, ImmutableSortedDictionary<string, string> Sealed);

/// <summary>What is to be done about a request.</summary>
/// <param name="Change">What to record; null when nothing changes.</param>
/// <param name="CurrentVersion">Of the document, before it; 0 where there never was one.</param>
public sealed record ConfigurationVerdict(
    ConfigurationOutcome Outcome, DocumentChange? Change, ImmutableArray<ConfigurationFault> Faults, long CurrentVersion);

/// <summary>The versions of one document, the oldest first, and its secrets as they are now.</summary>
public sealed record DocumentHistory(ImmutableArray<DocumentVersion> Versions, ImmutableSortedDictionary<string, string> Sealed)
{
    public DocumentVersion Current => Versions[^1];

    /// <returns>Null for one that never was, or is too long ago.</returns>
    public DocumentVersion? Find(long number) => Versions.FirstOrDefault(version => version.Number == number);
}

/// <summary>
/// All documents of one owner, a tenant or a user. Immutable: a request is decided, and what is to be recorded makes the next book.
/// </summary>
public sealed class ConfigurationBook
{
    /// <summary>Older versions of a document are in the journal alone.</summary>
    public const int MostVersions = 200;

    public const int MostDocuments = 1000;

    private static readonly ImmutableSortedDictionary<string, string> Nothing =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    private static readonly ImmutableSortedDictionary<string, DateTime> NoSecrets =
        ImmutableSortedDictionary.Create<string, DateTime>(StringComparer.Ordinal);

    private readonly bool _ofTenant;

    private ConfigurationBook(bool ofTenant, ImmutableSortedDictionary<string, DocumentHistory> documents)
    {
        _ofTenant = ofTenant;
        Documents = documents;
        Layer = new LayerDocuments(documents.Where(pair => !pair.Value.Current.IsRemoved).ToImmutableSortedDictionary(
            pair => pair.Key, pair => new LayerDocument(pair.Value.Current.Values, pair.Value.Current.Secrets, pair.Value.Sealed),
            StringComparer.Ordinal));
    }

    /// <summary>By id, removed ones among them.</summary>
    public ImmutableSortedDictionary<string, DocumentHistory> Documents { get; }

    /// <summary>What all of it says now.</summary>
    public LayerDocuments Layer { get; }

    public static ConfigurationBook Empty(bool ofTenant) =>
        new(ofTenant, ImmutableSortedDictionary.Create<string, DocumentHistory>(StringComparer.Ordinal));

    public ConfigurationBook With(DocumentChange change)
    {
        ImmutableArray<DocumentVersion> before = Documents.GetValueOrDefault(change.Id)?.Versions ?? [];
        if (before.Length >= MostVersions) before = before.RemoveRange(0, before.Length - MostVersions + 1);
        var history = new DocumentHistory(before.Add(Ordinal(change.Version)), Ordinal(change.Sealed));
        return new ConfigurationBook(_ofTenant, Documents.SetItem(change.Id, history));
    }

    /// <summary>Makes a document that is not there.</summary>
    /// <param name="values">JSON by the setting's name.</param>
    /// <param name="seal">Takes purpose and secret.</param>
    public ConfigurationVerdict Create(string id, IReadOnlyDictionary<string, string> values, Authorship author, Func<string, string, string> seal)
    {
        if (Refusal(id) is { } refused) return refused;
        DocumentHistory? history = Documents.GetValueOrDefault(id);
        if (history is { Current.IsRemoved: false }) return Refuse(ConfigurationOutcome.Exists, id);
        if (history is null && Documents.Count >= MostDocuments)
        {
            return Invalid(id, new ConfigurationFault("id", id, $"at most {MostDocuments} documents"));
        }
        return Take(id, values, author, seal, VersionAction.Created);
    }

    /// <summary>Puts other values in the place of those of a document; secrets that are left out stay.</summary>
    public ConfigurationVerdict Replace(
        string id, IReadOnlyDictionary<string, string> values, long version, Authorship author, Func<string, string, string> seal) =>
        Refusal(id) ?? Stale(id, version, alsoRemoved: false) ?? Take(id, values, author, seal, VersionAction.Changed);

    /// <summary>Makes a document say nothing; its secrets are gone.</summary>
    public ConfigurationVerdict Remove(string id, long version, Authorship author) =>
        Refusal(id) ?? Stale(id, version, alsoRemoved: false) ?? Done(id, Next(id, author, VersionAction.Removed, null, Nothing, NoSecrets), Nothing);

    /// <summary>Puts the values of an earlier version back, also of a removed document; secrets stay as they are.</summary>
    public ConfigurationVerdict RollBack(string id, long to, long version, Authorship author)
    {
        if ((Refusal(id) ?? Stale(id, version, alsoRemoved: true)) is { } refused) return refused;
        DocumentHistory history = Documents[id];
        if (history.Find(to) is not { IsRemoved: false } restored)
        {
            return Invalid(id, new ConfigurationFault("to", $"{to}", "the number of a version that is kept and has values"));
        }
        ImmutableArray<ConfigurationFault> faults = Check(id, restored.Values);
        if (!faults.IsEmpty) return new ConfigurationVerdict(ConfigurationOutcome.Invalid, null, faults, history.Current.Number);
        return Done(id, Next(id, author, VersionAction.RolledBack, to, restored.Values, history.Current.Secrets), history.Sealed);
    }

    private ConfigurationVerdict Take(
        string id, IReadOnlyDictionary<string, string> values, Authorship author, Func<string, string, string> seal, VersionAction action)
    {
        ImmutableArray<ConfigurationFault> faults = Check(id, values);
        if (!faults.IsEmpty) return new ConfigurationVerdict(ConfigurationOutcome.Invalid, null, faults, Current(id));
        DocumentId.TryParse(id, out DocumentId document);
        ConfigurationSection section = ConfigurationCatalog.Find(document.Section)!;
        DocumentHistory? history = Documents.GetValueOrDefault(id);
        ImmutableSortedDictionary<string, string> open = Nothing, sealedSecrets = history?.Sealed ?? Nothing;
        ImmutableSortedDictionary<string, DateTime> secrets = history?.Current.Secrets ?? NoSecrets;
        bool sealedAnew = false;
        foreach ((string name, string json) in values)
        {
            if (!section.Find(name)!.IsSecret)
            {
                open = open.SetItem(name, json);
            }
            else if (JsonElement.Parse(json).GetString() is { } secret)
            {
                sealedSecrets = sealedSecrets.SetItem(name, seal(EffectiveSettings.SecretPurpose(document, name), secret));
                secrets = secrets.SetItem(name, author.At);
                sealedAnew = true;
            }
            else
            {
                sealedSecrets = sealedSecrets.Remove(name);
                secrets = secrets.Remove(name);
            }
        }
        DocumentVersion next = Next(id, author, action, null, open, secrets);
        bool same = !sealedAnew && history is not null && history.Current.SaysTheSameAs(next);
        return same ? new ConfigurationVerdict(ConfigurationOutcome.Done, null, [], Current(id)) : Done(id, next, sealedSecrets);
    }

    private DocumentVersion Next(string id, Authorship author, VersionAction action, long? restores, ImmutableSortedDictionary<string, string> values,
        ImmutableSortedDictionary<string, DateTime> secrets) =>
        new(Current(id) + 1, author.At, author.By, author.Comment, action, restores, values, secrets);

    private ConfigurationVerdict Done(string id, DocumentVersion next, ImmutableSortedDictionary<string, string> sealedSecrets) =>
        new(ConfigurationOutcome.Done, new DocumentChange(id, next, sealedSecrets), [], next.Number - 1);

    private ConfigurationLayer LayerOf(DocumentId id) =>
        _ofTenant ? ConfigurationLayer.Tenant : id.Strategy is null ? ConfigurationLayer.User : ConfigurationLayer.Strategy;

    /// <summary>Whether this owner can have such a document at all; null when so.</summary>
    private ConfigurationVerdict? Refusal(string id)
    {
        bool possible = DocumentId.TryParse(id, out DocumentId document) && (!_ofTenant || document.Strategy is null)
            && ConfigurationCatalog.Find(document.Section)!.IsIn(LayerOf(document));
        return possible ? null : Refuse(ConfigurationOutcome.Unknown, id);
    }

    private ConfigurationVerdict? Stale(string id, long version, bool alsoRemoved)
    {
        DocumentHistory? history = Documents.GetValueOrDefault(id);
        if (history is null || history.Current.IsRemoved && !alsoRemoved) return Refuse(ConfigurationOutcome.Unknown, id);
        return history.Current.Number == version ? null : Refuse(ConfigurationOutcome.Conflict, id);
    }

    private ImmutableArray<ConfigurationFault> Check(string id, IEnumerable<KeyValuePair<string, string>> values)
    {
        DocumentId.TryParse(id, out DocumentId document);
        return ConfigurationCatalog.Find(document.Section)!.Check(
            LayerOf(document), values.Select(pair => KeyValuePair.Create(pair.Key, JsonElement.Parse(pair.Value))));
    }

    private long Current(string id) => Documents.GetValueOrDefault(id)?.Current.Number ?? 0;

    private ConfigurationVerdict Refuse(ConfigurationOutcome outcome, string id) => new(outcome, null, [], Current(id));

    private ConfigurationVerdict Invalid(string id, ConfigurationFault fault) => new(ConfigurationOutcome.Invalid, null, [fault], Current(id));

    /// <summary>What comes out of storage compares by the culture of the process.</summary>
    private static DocumentVersion Ordinal(DocumentVersion version) =>
        version with { Values = Ordinal(version.Values), Secrets = Ordinal(version.Secrets) };

    private static ImmutableSortedDictionary<string, T> Ordinal<T>(ImmutableSortedDictionary<string, T> values) =>
        values.WithComparers(StringComparer.Ordinal);
}
