namespace HybridTrading.Domain.Journal;

/// <summary>One event as its writer hands it over; stream version and global position are given by the journal.</summary>
/// <param name="Name">Stable event name, for example <c>order-accepted</c>; never renamed, only superseded.</param>
/// <param name="Schema">Version of the payload's shape, 1 upwards.</param>
/// <param name="Time">UTC, the time of the event itself (in a replay: the market's).</param>
/// <param name="Causation">What made it happen: a client order id, a decision id, an effect id; empty for the outside world.</param>
/// <param name="Payload">UTF-8 JSON.</param>
public readonly record struct NewEvent(string Name, int Schema, DateTime Time, string Causation, ReadOnlyMemory<byte> Payload);

/// <summary>One event as it was recorded.</summary>
/// <param name="Position">Global position, 0 upwards without a gap, in commit order.</param>
/// <param name="Stream">The stream, for example <c>account/tenant/user/main</c>.</param>
/// <param name="Version">Version inside the stream, 1 upwards without a gap.</param>
/// <param name="Tenant">The tenant whose data it is; empty for shared streams.</param>
/// <param name="Subject">Whose key encrypts the payload: the person (tenant/user) or the tenant.</param>
/// <param name="Payload">UTF-8 JSON; empty with <see cref="Erased"/> when the subject's key was destroyed.</param>
public sealed record RecordedEvent(
    long Position, string Stream, long Version, string Name, int Schema, DateTime Time, string Causation,
    string Tenant, string Subject, ReadOnlyMemory<byte> Payload, bool Erased);

/// <summary>Where an append came to lie, once durable.</summary>
/// <param name="FirstPosition">Global position of its first event.</param>
/// <param name="LastPosition">Global position of its last event: what a mutation returns as <c>minPosition</c>.</param>
/// <param name="Version">The stream's version after it.</param>
public readonly record struct Appended(long FirstPosition, long LastPosition, long Version);

/// <summary>To whom a stream belongs and whose key encrypts it.</summary>
public readonly record struct StreamOwner(string Tenant, string Subject);
