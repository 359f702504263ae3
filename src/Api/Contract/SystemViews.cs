using System.Text.Json;
using HybridTrading.Domain.Journal;

namespace HybridTrading.Api;

/// <summary>What runs here.</summary>
/// <param name="Host">Local or Cluster.</param>
/// <param name="Simulated">The market is made up by this program.</param>
/// <param name="Notices">What a user should know.</param>
public sealed record SystemView(
    string Version, string Host, bool Simulated, ImmutableArray<string> Notices, string DataFolder, DateTime StartedAt, FeedView Feed,
    JournalView Journal,
    ImmutableArray<ServiceView> Services);

/// <param name="Position">Place in the market log of the latest event seen; -1 before the first.</param>
/// <param name="Time">Of that event.</param>
/// <param name="AgeSeconds">Since that event, by this machine's clock; null where past data are played.</param>
public sealed record FeedView(string Name, long Position, DateTime? Time, double? AgeSeconds);

/// <summary>What drives the market.</summary>
/// <param name="Position">Place in the market log of the last event that has been worked off; -1 before the first.</param>
/// <param name="Time">In the market: the clock's, or where past data are played theirs.</param>
/// <param name="Playback">Null where the market is simulated: that goes by the clock.</param>
public sealed record FeedStatus(bool Simulated, long Position, DateTime? Time, Playback? Playback);

/// <param name="Speed">Times real time; null for as fast as the system goes.</param>
/// <param name="Done">Quotes or bars played, of <paramref name="Total"/>.</param>
public sealed record Playback(bool Running, double? Speed, long Done, long Total);

/// <param name="Size">Count of events.</param>
public sealed record JournalView(long Size);

public sealed record ServiceView(string Name, int Port);

/// <summary>An event of the caller's own.</summary>
/// <param name="Position">Global position in the journal.</param>
/// <param name="Causation">What made it happen; empty for the outside world.</param>
/// <param name="Payload">As it was recorded; null when it was erased.</param>
public sealed record JournalEntry(
    long Position, string Stream, long Version, string Name, int Schema, DateTime Time, string Causation, JsonElement? Payload)
{
    public static JournalEntry Of(RecordedEvent one) => new(
        one.Position, one.Stream, one.Version, one.Name, one.Schema, one.Time, one.Causation,
        one.Erased ? null : JsonElement.Parse(one.Payload.Span));
}

/// <param name="Next">What to give as <c>from</c> for the next page; null when this is the last as of now.</param>
public sealed record JournalPage(ImmutableArray<JournalEntry> Entries, long? Next);
