using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using HybridTrading.Domain.Accounts;
using HybridTrading.Domain.Risk;
using static HybridTrading.Domain.Configuration.ConfigurationLayer;

namespace HybridTrading.Domain.Configuration;

/// <summary>Of what a person can be told by web hook or e-mail. Names are stored.</summary>
public enum AlertKind : byte
{
    Fill,

    /// <summary>An order was refused.</summary>
    Denial,

    /// <summary>An account was halted, by a limit or by a person.</summary>
    Halt,

    /// <summary>A price has not changed for longer than <c>risk.staleFeedSeconds</c> while its market is open.</summary>
    StaleFeed,

    StrategyStopped,

    /// <summary>A limit's use has reached <c>risk.nearLimitShare</c>.</summary>
    LimitNear,

    /// <summary>Somebody tries where their alerts go: told to whoever asks, and nothing to choose.</summary>
    Test,
}

/// <summary>
/// All sections. A setting is here only if something reads it. Names are stored and part of the API: they never change their meaning.
/// </summary>
public static partial class ConfigurationCatalog
{
    private const decimal MostAmount = 1_000_000_000_000_000m, MostPercent = 1_000_000m;
    private const int LongestUrl = 2048, LongestAddress = 254;

    private static readonly ImmutableArray<ConfigurationLayer> Shared = [Tenant, User], Personal = [User], Everywhere = [Tenant, User, Strategy];

    private static readonly ImmutableArray<string> Kinds = [.. Enum.GetNames<AlertKind>().Where(name => name != nameof(AlertKind.Test))];

    public static readonly ConfigurationSection Display = new("display", "Display", "How the console shows things.",
    [
        new("timeZone", "Times in", "UTC or the reader's own time zone. Read by the console.", new ChoiceShape("utc", "local"), "\"utc\"", Shared),
        new("locale", "Number format",
            "Language tag (BCP 47) by which numbers and dates are written; null for the browser's own. Read by the console.",
            new OptionalShape(new TextShape(2, 35, "a language tag such as de-CH", text => Fits(LanguageTag(), text), pattern: LanguageTagPattern)),
            "null", Shared),
        new("theme", "Theme", "Colours; system follows the machine's. Read by the console.", new ChoiceShape("system", "light", "dark"), "\"system\"",
            Shared),
    ]);

    public static readonly ConfigurationSection Trading = new("trading", "Trading", "What new accounts, followers and order tickets begin with.",
    [
        new("limits", "Limits of new accounts",
            "Pre-trade limits of an account that is opened without its own; amounts are in its currency, and what is left out has no limit.",
            LimitsShape(), Json(RiskLimits.Default, SettingsJson.Default.RiskLimits), Shared),
        new("sizing", "Size of new followers", "How much an account trades that begins to follow a strategy without terms of its own.",
            SizingShape(), Json(Sizing.AsTheStrategySays, SettingsJson.Default.Sizing), Everywhere),
        new("confirmOrders", "Confirm orders", "Whether the order ticket asks once more before it sends. Read by the console.", new FlagShape(),
            "true", Shared),
    ]);

    public static readonly ConfigurationSection Notifications = new("notifications", "Notifications", "Of what its owner is told, and where.",
    [
        new("kinds", "Kinds", "What is worth a message.",
            new ListShape(new ChoiceShape([.. Kinds]), Kinds.Length, distinct: true),
            Json([AlertKind.Halt, AlertKind.StaleFeed, AlertKind.StrategyStopped, AlertKind.LimitNear], SettingsJson.Default.ImmutableArrayAlertKind),
            Shared),
        new("webHookUrl", "Web hook", "Where messages are posted as JSON; nowhere without one.",
            new OptionalShape(new TextShape(8, LongestUrl, "an https URL (http on loopback) without user and fragment", IsHookUrl, format: "uri")),
            "null", Personal),
        new("webHookSecret", "Web hook secret", "Signs what is posted, so that the receiver knows the sender.",
            new TextShape(16, 128, "16 to 128 printable ASCII characters", text => text.All(c => c is >= ' ' and <= '~'), pattern: "^[ -~]*$"),
            "null", Personal, IsSecret: true),
        new("webHookOldSecret", "Web hook secret before",
            "Signs what is posted as well, for as long as it is set: the receiver changes from one secret to the next without a gap.",
            new TextShape(16, 128, "16 to 128 printable ASCII characters", text => text.All(c => c is >= ' ' and <= '~'), pattern: "^[ -~]*$"),
            "null", Personal, IsSecret: true),
        new("email", "E-mail", "Where messages are sent: the address of one's user, once it is verified. Nowhere without one.",
            new OptionalShape(new TextShape(3, LongestAddress, "an e-mail address", text => Fits(Address(), text), format: "email")),
            "null", Personal),
    ], IsPrivate: true);

    public static readonly ConfigurationSection Risk = new("risk", "Risk", "When something is worth a look.",
    [
        new("nearLimitShare", "Near a limit from", "The share of a limit from which its use is shown, and told, as near it.",
            new NumberShape(0.1m, 1m), "0.8", Shared),
        new("staleFeedSeconds", "Stale after",
            "Seconds without a new price, in an open market, after which a price is stale. Read by alerts and the console.",
            new NumberShape(1, 3600, whole: true), "10", Shared),
    ]);

    public static readonly ConfigurationSection Schedule = new("schedule", "Schedule", "When strategies may enter.",
    [
        new("pausedHours", "Paused hours",
            "Hours of the week (UTC) in which strategies enter nothing new; exits are taken, and an entry order that waits at the market stays. "
            + "To is exclusive, and not after from means the next day.",
            new ListShape(PausedHours.Shape, 50), "[]", Everywhere),
    ]);

    /// <summary>In the order in which they are shown.</summary>
    public static readonly ImmutableArray<ConfigurationSection> Sections = [Display, Trading, Notifications, Risk, Schedule];

    /// <returns>Null when there is none of that name.</returns>
    public static ConfigurationSection? Find(string name) => Sections.FirstOrDefault(section => section.Name == name);

    /// <summary>Reads limits that the catalogue has found good.</summary>
    public static RiskLimits ReadLimits(JsonElement value)
    {
        RiskLimits limits = value.Deserialize(SettingsJson.Default.RiskLimits)!;
        return limits with
        {
            LossLimits = limits.LossLimits.IsDefault ? [] : limits.LossLimits,
            AllowedInstruments = limits.AllowedInstruments.IsDefault ? [] : limits.AllowedInstruments,
        };
    }

    /// <summary>Reads a size that the catalogue has found good.</summary>
    public static Sizing ReadSizing(JsonElement value) => value.Deserialize(SettingsJson.Default.Sizing)!;

    private static ObjectShape LimitsShape()
    {
        var amount = new OptionalShape(new NumberShape(0, MostAmount, above: true));
        var percent = new OptionalShape(new NumberShape(0, MostPercent, above: true));
        var count = new OptionalShape(new NumberShape(1, int.MaxValue, whole: true));
        var rate = new OptionalShape(new ObjectShape(
        [
            new("count", new NumberShape(1, 100_000, whole: true)),
            new("window", new TextShape(8, 16, "a span such as 00:01:00, at most a day", IsWindow)),
        ]));
        var loss = new ObjectShape(
        [
            new("period", ChoiceShape.Of<LossPeriod>()), new("amount", amount, Required: false), new("percent", percent, Required: false),
            new("action", ChoiceShape.Of<BreachAction>(), Required: false),
        ]);
        var symbol = new TextShape(1, 64, "the symbol of an instrument", text => !text.Any(char.IsControl));
        return new ObjectShape(
        [
            new("maxOrderVolume", amount, false), new("minOrderNotional", amount, false), new("maxOrderNotional", amount, false),
            new("priceCollarPercent", percent, false), new("maxExposure", amount, false), new("maxExposurePercent", percent, false),
            new("maxInstrumentExposure", amount, false), new("maxOpenPositions", count, false), new("maxInstrumentPositions", count, false),
            new("maxWorkingOrders", count, false), new("maxInstrumentWorkingOrders", count, false), new("submitRate", rate, false),
            new("modifyRate", rate, false), new("lossLimits", new ListShape(loss, 10), false), new("maxDrawdownPercent", percent, false),
            new("drawdownAction", ChoiceShape.Of<BreachAction>(), false),
            new("allowedInstruments", new ListShape(symbol, 1000, distinct: true), false),
        ], LimitsFault);
    }

    private static string? LimitsFault(JsonElement value)
    {
        try
        {
            return ReadLimits(value).Fault();
        }
        catch (JsonException e)
        {
            return $"limits that can be read, which {e.Path} cannot";
        }
    }

    private static ObjectShape SizingShape() => new(
        [new("kind", ChoiceShape.Of<SizingKind>()), new("value", new NumberShape(0, 1_000_000_000_000m, above: true))],
        value => new FollowTerms(ReadSizing(value)).Fault());

    private static bool IsWindow(string text) => !text.Any(char.IsWhiteSpace)
        && TimeSpan.TryParseExact(text, "c", null, out TimeSpan window) && window > TimeSpan.Zero && window <= TimeSpan.FromDays(1);

    private static bool IsHookUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? url)
        && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)
        && url is { UserInfo: "", Fragment: "", IsFile: false } && url.Host.Length > 0 && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));

    /// <summary>The whole text: a dollar alone lets the end of a line through.</summary>
    private static bool Fits(Regex form, string text) => form.Match(text).Length == text.Length;

    private static string Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);

    private const string LanguageTagPattern = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$";

    [GeneratedRegex(LanguageTagPattern, RegexOptions.CultureInvariant)]
    private static partial Regex LanguageTag();

    /// <summary>A valid e-mail address as the HTML standard has it, whose domain has a dot.</summary>
    [GeneratedRegex(
        """^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$""",
        RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(RiskLimits))]
[JsonSerializable(typeof(Sizing))]
[JsonSerializable(typeof(ImmutableArray<AlertKind>))]
internal sealed partial class SettingsJson : JsonSerializerContext;
