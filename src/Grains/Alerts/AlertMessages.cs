using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Grains.Alerts;

/// <summary>What is posted to a web hook (docs/alerts.md).</summary>
/// <param name="Version">Of the schema: 1. Members may be added without a new one.</param>
/// <param name="Id">As in the header <c>webhook-id</c>.</param>
/// <param name="Folded">By kind: how many more happened that are only counted.</param>
public sealed record WebHookBody(int Version, string Id, ImmutableArray<WebHookAlert> Alerts, ImmutableSortedDictionary<AlertKind, int> Folded);

/// <param name="Time">When it happened, UTC.</param>
public sealed record WebHookAlert(long Number, AlertKind Kind, DateTime Time, string About, string Text)
{
    public static WebHookAlert Of(NumberedAlert one) => new(one.Number, one.Alert.Kind, one.Alert.At, one.Alert.About, one.Alert.Text);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WebHookBody))]
internal sealed partial class WebHookJson : JsonSerializerContext;

/// <summary>A message as each channel writes it. The same message is always the same bytes.</summary>
public static class AlertMessages
{
    /// <summary>What tells a message from all others.</summary>
    /// <param name="person">tenant/user.</param>
    public static string IdOf(string person, AlertMessage message) => string.Create(CultureInfo.InvariantCulture, $"{person}#{message.Number}");

    public static byte[] WebHook(string person, AlertMessage message) => JsonSerializer.SerializeToUtf8Bytes(
        new WebHookBody(1, IdOf(person, message), [.. message.Alerts.Select(WebHookAlert.Of)], message.Folded),
        WebHookJson.Default.WebHookBody);

    /// <param name="console">Where the settings are; null says it in words.</param>
    public static Mail Email(string person, string to, AlertMessage message, Uri? console)
    {
        int count = message.Alerts.Length + message.Folded.Values.Sum();
        string subject = message.Alerts.Length == 1 && count == 1
            ? $"HybridTrading: {Words(message.Alerts[0].Alert.Kind)}{(message.Alerts[0].Alert.About is { Length: > 0 } about ? $", {about}" : "")}"
            : string.Create(CultureInfo.InvariantCulture, $"HybridTrading: {count} alerts");
        var text = new StringBuilder();
        foreach (NumberedAlert one in message.Alerts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{one.Alert.At:yyyy-MM-dd HH:mm:ss} UTC  {one.Alert.Text}\r\n");
        }
        if (!message.Folded.IsEmpty)
        {
            text.Append("\r\nMore happened at once than is told one by one:\r\n");
            foreach ((AlertKind kind, int more) in message.Folded) text.Append(CultureInfo.InvariantCulture, $"{more} more: {Words(kind)}\r\n");
        }
        string where = console is null ? "on the page Settings, Notifications" : $"at {new Uri(console, "/#/settings/notifications")}";
        text.Append("\r\n--\r\nYou get this because your notifications name this address. Choose the kinds, or take the address out, ")
            .Append(CultureInfo.InvariantCulture, $"{where}.\r\n");
        // An address has no slash and no number sign in its atoms that every server takes.
        return new Mail(to, subject, text.ToString(), IdOf(person, message).Replace('/', '.').Replace('#', '.')) { IsAutomatic = true };
    }

    private static string Words(AlertKind kind) => kind switch
    {
        AlertKind.Fill => "fill",
        AlertKind.Denial => "order refused",
        AlertKind.Halt => "halt",
        AlertKind.StaleFeed => "no new price",
        AlertKind.StrategyStopped => "strategy stopped",
        AlertKind.LimitNear => "limit near",
        _ => "test",
    };
}
