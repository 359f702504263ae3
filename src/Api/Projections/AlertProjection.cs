using System.Text.Json;
using System.Text.Json.Serialization;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Domain.Journal;
using HybridTrading.Storage.Projections;
using HybridTrading.Storage.Sqlite;

namespace HybridTrading.Api.Projections;

/// <summary>Alerts with what became of them on each channel, as the events of <c>alerts/</c> streams tell.</summary>
public sealed class AlertProjection : IProjection
{
    /// <summary>The stream of a person's alerts is this and the person.</summary>
    public const string StreamPrefix = "alerts/";

    public const string ProjectionName = "alerts";

    public string Name => ProjectionName;

    public int Version => 1;

    public void Create(ProjectionWriter writer) => writer.Execute(
        """
        DROP TABLE IF EXISTS alert;
        CREATE TABLE alert (subject TEXT NOT NULL, number INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (subject, number)) WITHOUT ROWID;
        DROP TABLE IF EXISTS alert_message;
        CREATE TABLE alert_message (subject TEXT NOT NULL, number INTEGER NOT NULL, alerts TEXT NOT NULL, PRIMARY KEY (subject, number)) WITHOUT ROWID;
        """);

    public void Apply(RecordedEvent one, ProjectionWriter writer)
    {
        if (one.Erased || !one.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal)) return;
        string person = one.Stream[StreamPrefix.Length..];
        switch (AlertEventCatalog.Events.Decode(one))
        {
            case AlertRaised e:
                Insert(person, one.Version, new AlertRow(one.Version, e.Alert, 1, [.. e.Channels.Select(AlertDelivery.Waiting)]), writer);
                break;
            case AlertsFolded e:
                var folded = new Alert(e.Kind, e.Time, "", $"{e.Count} more at once, only counted");
                Insert(person, one.Version, new AlertRow(one.Version, folded, e.Count, [.. e.Channels.Select(AlertDelivery.Waiting)]), writer);
                break;
            case MessageMade e:
                ImmutableArray<long> numbers = [.. e.Alerts, .. FoldedInto(person, e, one.Version, writer)];
                writer.Execute("INSERT OR REPLACE INTO alert_message (subject, number, alerts) VALUES ($1, $2, $3)",
                    person, one.Version, JsonSerializer.Serialize(numbers, AlertRowJson.Default.ImmutableArrayInt64));
                Update(person, numbers, e.Channel,
                    delivery => delivery with { State = AlertDeliveryState.Sending, Message = one.Version, Next = e.Time }, writer);
                break;
            case MessageFailed e:
                Update(person, AlertsOf(person, e.Message, writer), e.Channel,
                    delivery => delivery with { Failures = e.Attempt, Why = e.Why, Next = e.Next }, writer);
                break;
            case MessageSettled e:
                Update(person, AlertsOf(person, e.Message, writer), e.Channel,
                    delivery => delivery with { State = StateOf(e.Outcome), Why = e.Why, Next = null, Settled = e.Time }, writer);
                writer.Execute("DELETE FROM alert_message WHERE subject = $1 AND number = $2", person, e.Message);
                break;
            case ChannelClosed e:
                Update(person, WaitingFor(person, e.Channel, writer), e.Channel,
                    delivery => delivery with { State = AlertDeliveryState.Refused, Why = e.Why, Settled = e.Time }, writer);
                break;
        }
    }

    public void Erase(string subject, ProjectionWriter writer)
    {
        writer.Execute("DELETE FROM alert WHERE subject = $1", subject);
        writer.Execute("DELETE FROM alert_message WHERE subject = $1", subject);
    }

    private static AlertDeliveryState StateOf(MessageOutcome outcome) => outcome switch
    {
        MessageOutcome.Delivered => AlertDeliveryState.Delivered,
        MessageOutcome.Refused => AlertDeliveryState.Refused,
        _ => AlertDeliveryState.GivenUp,
    };

    private static void Insert(string person, long number, AlertRow row, ProjectionWriter writer) => writer.Execute(
        "INSERT OR REPLACE INTO alert (subject, number, row) VALUES ($1, $2, $3)", person, number, JsonSerializer.Serialize(row, AlertRowJson.Default.AlertRow));

    /// <summary>Rows that are only counted have no number in the message: they are those that wait for it.</summary>
    private static IEnumerable<long> FoldedInto(string person, MessageMade message, long before, ProjectionWriter writer) =>
        message.Folded.IsEmpty ? [] : WaitingFor(person, message.Channel, writer).Where(number => number < before && !message.Alerts.Contains(number));

    /// <summary>Of the latest alerts, those that wait for a channel; more than these never wait.</summary>
    private static ImmutableArray<long> WaitingFor(string person, AlertChannel channel, ProjectionWriter writer)
    {
        const int Most = 1000;
        ImmutableArray<long>.Builder waiting = ImmutableArray.CreateBuilder<long>();
        long below = long.MaxValue;
        for (int i = 0; i < Most && writer.Scalar("SELECT max(number) FROM alert WHERE subject = $1 AND number < $2", person, below) is long number; i++)
        {
            below = number;
            if (Find(person, number, writer) is { } row
                && row.Deliveries.Any(one => one.Channel == channel && one.State == AlertDeliveryState.Waiting)) waiting.Add(number);
        }
        return waiting.ToImmutable();
    }

    private static ImmutableArray<long> AlertsOf(string person, long message, ProjectionWriter writer) =>
        writer.Scalar("SELECT alerts FROM alert_message WHERE subject = $1 AND number = $2", person, message) is string alerts
            ? JsonSerializer.Deserialize(alerts, AlertRowJson.Default.ImmutableArrayInt64) : [];

    private static AlertRow? Find(string person, long number, ProjectionWriter writer) =>
        writer.Scalar("SELECT row FROM alert WHERE subject = $1 AND number = $2", person, number) is string row
            ? JsonSerializer.Deserialize(row, AlertRowJson.Default.AlertRow) : null;

    private static void Update(
        string person, ImmutableArray<long> numbers, AlertChannel channel, Func<AlertDelivery, AlertDelivery> change, ProjectionWriter writer)
    {
        foreach (long number in numbers)
        {
            if (Find(person, number, writer) is not { } row) continue;
            Insert(person, number, row with { Deliveries = [.. row.Deliveries.Select(one => one.Channel == channel ? change(one) : one)] }, writer);
        }
    }
}

/// <summary>How an alert stands on a channel. Names are part of the API.</summary>
public enum AlertDeliveryState : byte { Waiting, Sending, Delivered, Refused, GivenUp }

/// <param name="Message">Number of the message that it is in; null while it waits for one.</param>
/// <param name="Failures">Attempts that have failed.</param>
/// <param name="Why">Of the last failure, or of the end.</param>
/// <param name="Next">When it is tried again; null for never.</param>
/// <param name="Settled">When it ended.</param>
public sealed record AlertDelivery(
    AlertChannel Channel, AlertDeliveryState State, long? Message = null, int Failures = 0, string Why = "", DateTime? Next = null, DateTime? Settled = null)
{
    public static AlertDelivery Waiting(AlertChannel channel) => new(channel, AlertDeliveryState.Waiting);
}

/// <param name="Count">1, or how many alerts this one stands for.</param>
public sealed record AlertRow(long Number, Alert Alert, int Count, ImmutableArray<AlertDelivery> Deliveries);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AlertRow))]
[JsonSerializable(typeof(ImmutableArray<long>))]
internal sealed partial class AlertRowJson : JsonSerializerContext;

/// <summary>Reads the tables of <see cref="AlertProjection"/>.</summary>
public sealed class AlertQueries(SqliteDatabase database)
{
    /// <summary>A person's alerts, the latest first.</summary>
    /// <param name="before">Only numbers below it; null for all.</param>
    public ImmutableArray<AlertRow> Alerts(string subject, long? before, int limit) => ProjectionReader.Read(
        database, "SELECT row FROM alert WHERE subject = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
        row => JsonSerializer.Deserialize(row.GetString(0), AlertRowJson.Default.AlertRow)!, subject, before ?? long.MaxValue, limit);
}
