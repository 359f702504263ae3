using HybridTrading.Domain.Alerts;
using HybridTrading.Domain.Configuration;

namespace HybridTrading.Grains.Alerts;

/// <summary>Somewhere in a stream something has happened that may be worth an alert.</summary>
/// <param name="From">Version of the first such event.</param>
/// <param name="To">Version of the last.</param>
/// <param name="Kinds">Of what kinds they may be.</param>
[GenerateSerializer, Immutable, Alias("ht.AlertNotice")]
public sealed record AlertNotice(string Stream, long From, long To, ImmutableArray<AlertKind> Kinds);

/// <summary>The answer to a test of one's channels.</summary>
/// <param name="Position">Journal position that contains it.</param>
/// <param name="Number">Of the alert.</param>
/// <param name="Channels">Where it goes; none where none is set up.</param>
[GenerateSerializer, Immutable, Alias("ht.AlertTested")]
public sealed record AlertTested(long Position, long Number, ImmutableArray<AlertChannel> Channels);

/// <summary>How a channel stands.</summary>
/// <param name="Target">Where it leads: an address; null where none is set.</param>
/// <param name="Fault">Why nothing goes there; null when it does, or when no target is set.</param>
/// <param name="Waiting">Alerts for the next message, those included that are only counted.</param>
/// <param name="Message">Number of the message that is being sent; null for none.</param>
/// <param name="Failures">Attempts of it that have failed.</param>
/// <param name="Next">When it is tried again, or the next one may go; null for nothing to send.</param>
/// <param name="LastFailure">Why the last attempt of it failed; empty where none has.</param>
[GenerateSerializer, Immutable, Alias("ht.AlertChannelView")]
public sealed record AlertChannelView(
    AlertChannel Channel, string? Target, string? Fault, int Waiting, long? Message, int Failures, DateTime? Next, string LastFailure, DateTime? LastDelivered);

/// <summary>
/// One person's alerts: what of the journal is worth one, and the messages that tell it. Recorded first, then sent until it is delivered, refused or given
/// up. Key: tenant/user.
/// </summary>
[Alias("ht.IAlertsGrain")]
public interface IAlertsGrain : IGrainWithStringKey
{
    /// <summary>From the outbox. A repeat does nothing; the answer comes when what is worth an alert is durable.</summary>
    [Alias("Take")] Task Take(AlertNotice notice);

    /// <summary>From the watch of prices: one has not changed since then.</summary>
    /// <param name="position">Place in the market log of the last that was seen.</param>
    [Alias("TakeStale")] Task TakeStale(string symbol, DateTime since, long position);

    /// <summary>Has what is open sent.</summary>
    [Alias("Wake")] Task Wake();

    /// <summary>Raises an alert that goes everywhere, whatever kinds were chosen. A web hook that was switched off is tried again.</summary>
    [Alias("Test")] Task<AlertTested> Test();

    /// <summary>Sends nothing more and forgets: its person is being erased.</summary>
    [Alias("Leave")] Task Leave();

    [AlwaysInterleave, Alias("GetChannels")] Task<ImmutableArray<AlertChannelView>> GetChannels();
}
