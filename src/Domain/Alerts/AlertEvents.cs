using System.Text.Json.Serialization;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Domain.Alerts;

/// <summary>Where alerts go. Names are stored and part of the API.</summary>
public enum AlertChannel : byte { WebHook, Email }

/// <summary>How a message ended. Names are stored and part of the API.</summary>
public enum MessageOutcome : byte
{
    /// <summary>The receiver took it.</summary>
    Delivered,

    /// <summary>The receiver, or a rule of ours, will not have it, now or later.</summary>
    Refused,

    /// <summary>It was tried for as long as messages are tried.</summary>
    GivenUp,
}

/// <summary>Something that somebody should know.</summary>
/// <param name="At">When it happened: the time of the event behind it.</param>
/// <param name="About">Name of the account, strategy or instrument; of a tenant's halt empty.</param>
/// <param name="Text">One sentence.</param>
public sealed record Alert(AlertKind Kind, DateTime At, string About, string Text);

/// <summary>What an alert was made of, so that it is made once: a place in a stream, or something else that only goes up.</summary>
/// <param name="Stream">Of the journal; <c>feed/SYMBOL</c> for a stale price, whose version is the market's position.</param>
public sealed record AlertSource(string Stream, long Version);

/// <summary>An alert with its source, before it is decided what becomes of it.</summary>
public sealed record AlertFact(Alert Alert, AlertSource Source);

/// <summary>Something that happened to a person's alerts. The number of an alert or message is the version of its event in the stream.</summary>
/// <param name="Time">UTC, the clock's.</param>
public abstract record AlertEvent(DateTime Time);

/// <summary>An alert, recorded before anything is sent.</summary>
/// <param name="Channels">Where it is to go; none where none is set up.</param>
public sealed record AlertRaised(DateTime Time, Alert Alert, AlertSource Source, ImmutableArray<AlertChannel> Channels) : AlertEvent(Time);

/// <summary>So many alerts came at once that these are only counted.</summary>
/// <param name="Source">The last of them.</param>
/// <param name="Channels">Whose next message tells the count; none where none is set up.</param>
public sealed record AlertsFolded(DateTime Time, AlertKind Kind, int Count, AlertSource Source, ImmutableArray<AlertChannel> Channels)
    : AlertEvent(Time);

/// <summary>Everything that waited for a channel has become one message. What it holds never changes, so it may be sent again.</summary>
/// <param name="Alerts">Numbers of the alerts.</param>
/// <param name="Folded">Counts of those that are only counted.</param>
public sealed record MessageMade(
    DateTime Time, AlertChannel Channel, ImmutableArray<long> Alerts, ImmutableSortedDictionary<AlertKind, int> Folded) : AlertEvent(Time);

/// <param name="Attempt">1 upwards.</param>
/// <param name="Next">When it is tried again.</param>
public sealed record MessageFailed(DateTime Time, AlertChannel Channel, long Message, int Attempt, string Why, DateTime Next) : AlertEvent(Time);

/// <param name="Why">Empty for a delivered one.</param>
public sealed record MessageSettled(DateTime Time, AlertChannel Channel, long Message, MessageOutcome Outcome, string Why) : AlertEvent(Time);

/// <summary>The receiver said that it is gone for good (HTTP 410): nothing more is sent to this target.</summary>
/// <param name="Target">The web hook's address.</param>
public sealed record ChannelClosed(DateTime Time, AlertChannel Channel, string Target, string Why) : AlertEvent(Time);

/// <summary>Somebody tries it again, or has set another target.</summary>
public sealed record ChannelReopened(DateTime Time, AlertChannel Channel) : AlertEvent(Time);

/// <summary>Nothing waits to be sent.</summary>
public sealed record AlertsSettled(DateTime Time) : AlertEvent(Time);

/// <summary>The JSON of a person's alerts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(AlertRaised))]
[JsonSerializable(typeof(AlertsFolded))]
[JsonSerializable(typeof(MessageMade))]
[JsonSerializable(typeof(MessageFailed))]
[JsonSerializable(typeof(MessageSettled))]
[JsonSerializable(typeof(ChannelClosed))]
[JsonSerializable(typeof(ChannelReopened))]
[JsonSerializable(typeof(AlertsSettled))]
[JsonSerializable(typeof(AlertBook))]
public sealed partial class AlertJson : JsonSerializerContext;

/// <summary>Stable names and schema versions of the events in a stream of alerts.</summary>
public static class AlertEventCatalog
{
    /// <summary>These two say that something is to be sent; <see cref="Settled"/> says that nothing is any more.</summary>
    public const string Raised = "alert-raised", Folded = "alerts-folded", Settled = "alerts-settled";

    public static readonly EventCatalog<AlertEvent> Events = new EventCatalog<AlertEvent>()
        .Add(Raised, 1, AlertJson.Default.AlertRaised)
        .Add(Folded, 1, AlertJson.Default.AlertsFolded)
        .Add("alert-message-made", 1, AlertJson.Default.MessageMade)
        .Add("alert-message-failed", 1, AlertJson.Default.MessageFailed)
        .Add("alert-message-settled", 1, AlertJson.Default.MessageSettled)
        .Add("alert-channel-closed", 1, AlertJson.Default.ChannelClosed)
        .Add("alert-channel-reopened", 1, AlertJson.Default.ChannelReopened)
        .Add(Settled, 1, AlertJson.Default.AlertsSettled);
}
