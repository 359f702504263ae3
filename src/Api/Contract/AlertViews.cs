using HybridTrading.Api.Projections;
using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;
using HybridTrading.Grains.Alerts;

namespace HybridTrading.Api;

/// <summary>An alert and what became of it.</summary>
/// <param name="Time">When it happened.</param>
/// <param name="About">Name of the account, strategy or instrument; may be empty.</param>
/// <param name="Count">1, or how many of this kind happened at once and are only counted.</param>
/// <param name="Deliveries">One a channel that it goes to; none where none was set up.</param>
public sealed record AlertView(long Number, AlertKind Kind, DateTime Time, string About, string Text, int Count, ImmutableArray<AlertDeliveryView> Deliveries)
{
    public static AlertView Of(AlertRow row) => new(row.Number, row.Alert.Kind, row.Alert.At, row.Alert.About, row.Alert.Text, row.Count,
        [.. row.Deliveries.Select(one => new AlertDeliveryView(one.Channel, one.State, one.Message, one.Failures, one.Why, one.Next, one.Settled))]);
}

/// <summary>How an alert stands on a channel.</summary>
/// <param name="Message">Number of the message that it is in; null while it waits for one.</param>
/// <param name="Failures">Attempts that have failed.</param>
/// <param name="Why">Of the last failure, or of the end; empty for none.</param>
/// <param name="Next">When it is tried; null for never.</param>
/// <param name="Settled">When it ended; null before.</param>
public sealed record AlertDeliveryView(
    AlertChannel Channel, AlertDeliveryState State, long? Message, int Failures, string Why, DateTime? Next, DateTime? Settled);

/// <summary>Alerts, the latest first; next is the before of the following page, null for the last.</summary>
public sealed record AlertPage(ImmutableArray<AlertView> Items, long? Next);

/// <summary>How a channel stands.</summary>
/// <param name="Target">Address; null where none is set.</param>
/// <param name="Fault">Why nothing goes there; null when it does, or when no target is set.</param>
/// <param name="Waiting">Alerts for its next message.</param>
/// <param name="Message">Number of the message that is being sent; null for none.</param>
/// <param name="Failures">Attempts of it that have failed.</param>
/// <param name="Why">Of the last of these; empty for none.</param>
/// <param name="Next">When something is sent next; null for nothing to send.</param>
public sealed record AlertChannelState(
    AlertChannel Channel, string? Target, string? Fault, int Waiting, long? Message, int Failures, string Why, DateTime? Next, DateTime? LastDelivered)
{
    public static AlertChannelState Of(AlertChannelView view) => new(
        view.Channel, view.Target, view.Fault, view.Waiting, view.Message, view.Failures, view.LastFailure, view.Next, view.LastDelivered);
}

/// <summary>A test is under way.</summary>
/// <param name="MinPosition">The list of alerts shows it from there.</param>
/// <param name="Number">Of the alert.</param>
/// <param name="Channels">Where it goes; none where none is set up.</param>
public sealed record AlertTestStarted(long MinPosition, long Number, ImmutableArray<AlertChannel> Channels);
