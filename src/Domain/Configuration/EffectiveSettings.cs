using System.Text.Json;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Risk;

namespace HybridTrading.Domain.Configuration;

/// <summary>What counts of one setting.</summary>
/// <param name="Source">The uppermost layer that says something.</param>
/// <param name="SecretChanged">Of a secret that is set: when it was.</param>
/// <param name="Sealed">Of a secret that is set: what <see cref="ISecretBox"/> opens.</param>
public sealed record EffectiveSetting(JsonElement Value, ConfigurationLayer Source, DateTime? SecretChanged = null, string? Sealed = null);

/// <summary>What counts for a user, or for one of their strategies, when all layers lie on one another.</summary>
public sealed class EffectiveSettings
{
    private readonly ImmutableDictionary<(string Section, string Setting), EffectiveSetting> _settings;

    private EffectiveSettings(ImmutableDictionary<(string, string), EffectiveSetting> settings) => _settings = settings;

    /// <summary>The product's own.</summary>
    public static readonly EffectiveSettings Defaults = Of(LayerDocuments.None, LayerDocuments.None, null);

    /// <param name="strategy">Whose layer lies on top; null for none.</param>
    public static EffectiveSettings Of(LayerDocuments tenant, LayerDocuments user, string? strategy)
    {
        var settings = ImmutableDictionary.CreateBuilder<(string, string), EffectiveSetting>();
        foreach (ConfigurationSection section in ConfigurationCatalog.Sections)
        {
            LayerDocument? ofTenant = tenant.Documents.GetValueOrDefault(section.Name), ofUser = user.Documents.GetValueOrDefault(section.Name);
            LayerDocument? ofStrategy = strategy is null ? null : user.Documents.GetValueOrDefault(new DocumentId(section.Name, strategy).ToString());
            foreach (ConfigurationSetting setting in section.Settings)
            {
                settings[(section.Name, setting.Name)] = Said(setting, ConfigurationLayer.Strategy, ofStrategy)
                    ?? Said(setting, ConfigurationLayer.User, ofUser)
                    ?? Said(setting, ConfigurationLayer.Tenant, ofTenant)
                    ?? new EffectiveSetting(setting.Default, ConfigurationLayer.Default);
            }
        }
        return new EffectiveSettings(settings.ToImmutable());
    }

    /// <exception cref="KeyNotFoundException">No such setting.</exception>
    public EffectiveSetting this[ConfigurationSection section, string setting] => _settings[(section.Name, setting)];

    /// <summary>The limits that an account is opened with which brings none.</summary>
    public RiskLimits NewAccountLimits => ConfigurationCatalog.ReadLimits(this[ConfigurationCatalog.Trading, "limits"].Value);

    /// <summary>The size of an account that begins to follow and brings none.</summary>
    public Sizing NewFollowerSizing => ConfigurationCatalog.ReadSizing(this[ConfigurationCatalog.Trading, "sizing"].Value);

    /// <summary>The share of a limit, 0.1 to 1, from which its use is near it.</summary>
    public decimal NearLimitShare => this[ConfigurationCatalog.Risk, "nearLimitShare"].Value.GetDecimal();

    /// <summary>How long a price may stay the same in an open market.</summary>
    public TimeSpan StaleFeed => TimeSpan.FromSeconds(this[ConfigurationCatalog.Risk, "staleFeedSeconds"].Value.GetInt32());

    public ImmutableArray<PausedHours> PausedHours =>
        [.. this[ConfigurationCatalog.Schedule, "pausedHours"].Value.EnumerateArray().Select(Configuration.PausedHours.Read)];

    public ImmutableHashSet<AlertKind> AlertKinds =>
        [.. this[ConfigurationCatalog.Notifications, "kinds"].Value.EnumerateArray().Select(kind => Enum.Parse<AlertKind>(kind.GetString()!))];

    /// <summary>Null: messages are posted nowhere.</summary>
    public string? WebHookUrl => this[ConfigurationCatalog.Notifications, "webHookUrl"].Value.GetString();

    /// <summary>Null where none is set. It opens for <see cref="SecretPurpose"/> of the section and setting.</summary>
    public string? SealedWebHookSecret => this[ConfigurationCatalog.Notifications, "webHookSecret"].Sealed;

    /// <summary>The one before, while it signs as well; null where none is set.</summary>
    public string? SealedWebHookOldSecret => this[ConfigurationCatalog.Notifications, "webHookOldSecret"].Sealed;

    /// <summary>Null: no messages by e-mail.</summary>
    public string? Email => this[ConfigurationCatalog.Notifications, "email"].Value.GetString();

    /// <summary>For what a document's secret is sealed.</summary>
    public static string SecretPurpose(DocumentId document, string setting) => $"configuration/{document}/{setting}";

    /// <summary>What a layer says of a setting; null for nothing, or for what this version of the product would not take.</summary>
    private static EffectiveSetting? Said(ConfigurationSetting setting, ConfigurationLayer layer, LayerDocument? document)
    {
        if (document is null || !setting.Layers.Contains(layer)) return null;
        if (setting.IsSecret)
        {
            return document.Secrets.TryGetValue(setting.Name, out DateTime changed)
                ? new EffectiveSetting(setting.Default, layer, changed, document.Sealed.GetValueOrDefault(setting.Name)) : null;
        }
        if (!document.Values.TryGetValue(setting.Name, out string? json)) return null;
        JsonElement value = JsonElement.Parse(json);
        var faults = new List<ConfigurationFault>();
        setting.Shape.Check(value, setting.Name, faults);
        return faults.Count == 0 ? new EffectiveSetting(value, layer) : null;
    }
}
